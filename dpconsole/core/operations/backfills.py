"""The one door to creating backfills, for screens and command line alike: read the answers, plan, create.

Reading and planning write nothing. What is created is entered in the ledger in the same transaction, under a key that
the plan brings along, so that the same plan creates one backfill however often it is handed in. Its instances are made
after that; whoever dies on the way leaves a backfill that the engine goes on with.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.backfill_form import BackfillForm
from dpconsole.core.domain.backfills import BackfillState
from dpconsole.core.domain.clock import Clock
from dpconsole.core.domain.definitions import Environment, Role
from dpconsole.core.domain.keys import backfill_key, flow_key
from dpconsole.core.engine.backfilling import create, create_flow, submit
from dpconsole.core.graph.tasks import TaskGraph
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.backfill_answers import FormFacts
from dpconsole.core.operations.backfill_form import Answers, Reading, command_line, read_form, settled
from dpconsole.core.operations.flight import FlightPlan, flight_plan
from dpconsole.core.operations.ledger import close, find_record
from dpconsole.core.operations.permissions import is_allowed
from dpconsole.core.operations.planning import MILD_ROWS
from dpconsole.core.operations.records import Item, Outcome, Record, State
from dpconsole.core.operations.service import never, nobody, nothing_more
from dpconsole.core.store.definition_rows import read_tasks, read_timezone
from dpconsole.core.store.errors import StoreBusy, StoreReadOnly
from dpconsole.core.store.flight_rows import definitions_stamp
from dpconsole.core.store.ledger import LedgerItem, open_record, read_record
from dpconsole.core.store.session import Store, Transaction
from dpconsole.core.store.settings import ENVIRONMENT, read_setting
from dpconsole.core.store.targets import read_members

BACKFILL = "backfill"
"""The verb of the ledger, and the kind of its items; a periodic backfill is entered as a flow."""

BACKFILL_FLOW = "backfill_flow"

DRIFTED = "the definitions changed since the plan was made: look again"
NO_LONGER_ALLOWED = "no permission any more: look again"


class _Definitions(NamedTuple):
    """The tasks and the graph of them as they stood at a mark."""

    stamp: tuple[int, int]
    graph: TaskGraph


class _Entry(NamedTuple):
    """What became of a plan, as the one item of its record; what was not created has no id."""

    kind: str
    key: str
    item: LedgerItem


class Backfills:
    """Creating backfills, for one operator on one database.

    `new_key` makes the key a record is known by; `acted` is called when there is something new for the engine to do.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        actor: Actor,
        new_key: Callable[[], str],
        acted: Callable[[], None] = nothing_more,
    ) -> None:
        self._store = store
        self._clock = clock
        self._actor = actor
        self._new_key = new_key
        self._acted = acted
        self._known: _Definitions | None = None

    def facts(self) -> FormFacts:
        """What answers are read against now: the tasks are read again only when a load has changed any."""
        with self._store.read() as connection:
            return self._facts(connection)

    def read(self, answers: Answers) -> Reading:
        """The form that answers come to, or what is wrong with each."""
        return read_form(answers, self.facts())

    def plan(self, answers: Answers, is_cancelled: Callable[[], bool] = never) -> FlightPlan:
        """The flight plan of the answers; where they cannot be read it holds the problems alone.

        Raises `Superseded` soon after `is_cancelled` says so.
        """
        with self._store.read() as connection:
            facts = self._facts(connection)
            reading = read_form(answers, facts)
            if reading.form is None:
                return FlightPlan(None, reading.problems)
            known = self._definitions(connection)
            asked = settled(answers, reading.form, facts)
            plan = flight_plan(
                connection, facts, reading.form, self._actor.user, graph=known.graph, is_cancelled=is_cancelled
            )
        expect = plan.instances if plan.instances > MILD_ROWS else None
        command = command_line(asked, expect)
        return replace(plan, key=self._new_key(), answers=asked, command=command, stamp=known.stamp)

    def create(self, plan: FlightPlan, reason: str = "", progress: Callable[[int, int], None] = nobody) -> Record:
        """Create what a plan says, and make its instances when it is to run at once; the record of the ledger.

        A plan that is refused, or was overtaken by a load, creates nothing, and the record says why. `progress` hears
        how many data timestamps of how many are made. ValueError for a plan with problems. Raises `StoreError`, which
        says so where the backfill stands by then and only its instances are left to make.
        """
        if plan.form is None or plan.problems:
            raise ValueError("; ".join(f"{problem.field}: {problem.message}" for problem in plan.problems))
        if plan.refusals:
            return self.refuse(plan, plan.refusals[0], reason)
        record = self._enter(plan, plan.form, reason)
        try:
            if record.state is State.DONE and plan.form.runs_at_once:
                self._submit(record.items[0], progress)
        finally:
            self._acted()
        return record

    def _submit(self, made: Item, progress: Callable[[int, int], None]) -> None:
        """Make the instances of what was created; what stops that does not undo the creation."""
        with suppress(StoreBusy):  # the engine goes on with it
            try:
                submit(self._store, self._clock, made.id, progress)
            except StoreReadOnly as error:
                raise StoreReadOnly(f"{made.key} is created, and the engine makes the rest of it: {error}") from error

    def refuse(self, plan: FlightPlan, words: str, reason: str = "") -> Record:
        """Enter in the ledger that a plan was not let through, and why."""
        with self._store.write() as transaction:
            if found := find_record(transaction.connection, plan.key):
                transaction.abandon()
                return found
            return self._record(transaction, plan, reason, _refusal(plan, words))

    def _enter(self, plan: FlightPlan, form: BackfillForm, reason: str) -> Record:
        """Write the backfill and its record, unless that has been done, or is not allowed any more."""
        with self._store.write() as transaction:
            if found := find_record(transaction.connection, plan.key):
                transaction.abandon()
                return found
            refusal = self._drift(transaction.connection, plan)
            entry = _refusal(plan, refusal) if refusal else self._make(transaction, form)
            return self._record(transaction, plan, reason, entry)

    def _drift(self, connection: Connection, plan: FlightPlan) -> str:
        """Why a plan cannot be carried out as it was made; empty where it can."""
        if definitions_stamp(connection) != plan.stamp:
            return DRIFTED
        members = read_members(connection)
        projects = {task.project for task in plan.tasks}
        allowed = all(is_allowed(members, project, self._actor.user, Role.OPERATOR) for project in projects)
        return "" if allowed else NO_LONGER_ALLOWED

    def _make(self, transaction: Transaction, form: BackfillForm) -> _Entry:
        user, now = self._actor.user, self._clock.now()
        if form.periodic is not None:
            id = create_flow(transaction, form, user, now)
            return _Entry(BACKFILL_FLOW, flow_key(id), LedgerItem(id, form.name, "", "SAVED", Outcome.OK, ""))
        id = create(transaction, form, user, now)
        state = BackfillState.SUBMITTING if form.at is None else BackfillState.WAITING
        return _Entry(BACKFILL, backfill_key(id), LedgerItem(id, form.name, "", state.upper(), Outcome.OK, ""))

    def _record(self, transaction: Transaction, plan: FlightPlan, reason: str, entry: _Entry) -> Record:
        now = self._clock.now()
        values = {
            "key": plan.key,
            "verb": BACKFILL,
            "kind": entry.kind,
            "actor": self._actor.user,
            "source": self._actor.source,
            "at": now,
            "reason": reason,
            "command": plan.command,
            "arguments": dict(plan.answers),
            "acts": int(entry.item.outcome == Outcome.OK),
        }
        open_record(transaction, values, [entry.item])
        row = read_record(transaction, plan.key)
        assert row is not None
        return close(transaction, row, now, {entry.item.target_id: entry.key})

    # --- what is known ------------------------------------------------------------------------------------------------

    def _facts(self, connection: Connection) -> FormFacts:
        return FormFacts(
            now=self._clock.now(),
            zone=ZoneInfo(read_timezone(connection)),
            environment=Environment(read_setting(connection, ENVIRONMENT) or Environment.PROD),
            tasks=self._definitions(connection).graph.tasks,
        )

    def _definitions(self, connection: Connection) -> _Definitions:
        known, stamp = self._known, definitions_stamp(connection)
        if known is None or known.stamp != stamp:
            known = self._known = _Definitions(stamp, TaskGraph.of(read_tasks(connection)))
        return known


def _refusal(plan: FlightPlan, words: str) -> _Entry:
    name = plan.form.name if plan.form else ""
    return _Entry(BACKFILL, "", LedgerItem(0, name, "", "", Outcome.REFUSED, words))
