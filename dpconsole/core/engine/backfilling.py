"""Backfills: from the form to instances, and whose turn it is (sections 7 and 8).

A backfill is written with its data timestamps in their queues (`create`), then its instances are made, some data
timestamps a transaction, in ascending order whatever the order of the queues: an instance may depend on those of
earlier data timestamps. Whoever comes takes the next ones that are not made, so a submission that was killed is gone on
with by the next engine, and two at once share the work. With the last ones the first of every queue begin.

What a periodic flow is to submit is written at 23:00 the day before, by the same arithmetic as a night is generated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from dpconsole.core.domain.backfill_form import NAME_LIMIT, BackfillForm, Handling, Periodic
from dpconsole.core.domain.backfills import BackfillState, DateState, deal
from dpconsole.core.domain.calendars import occurrences
from dpconsole.core.domain.clock import Clock, business_date_of, run_day, to_datetime, to_ms
from dpconsole.core.domain.definitions import Cycle, Method, Origin, Schedule
from dpconsole.core.engine.generation import current_business_date
from dpconsole.core.engine.instances import Layout, Look, Plan, shape_of, shapes_of_nodes
from dpconsole.core.graph.tasks import Coverage, cover
from dpconsole.core.store import backfill_sql as sql
from dpconsole.core.store.definition_rows import (
    Facts,
    StoredTask,
    from_text,
    read_tasks,
    read_timezone,
    read_workspace_facts,
    to_document,
)
from dpconsole.core.store.generation_sql import existing_of_backfill
from dpconsole.core.store.housekeeping import look_again
from dpconsole.core.store.saved_flows import DueFlow, due_flows, insert_flow, note_made_until
from dpconsole.core.store.session import Store, Transaction

CHUNK = 4_000
"""Instances a transaction of a submission makes at least, if there are as many: its data timestamps are not divided."""

SHORT_NAMES = 90
"""Of a task's or a flow's name, as much as leaves room for what follows it in the name of a backfill."""


class Unsubmittable(ValueError):
    """A backfill that cannot be made into instances, in words for the operator."""


# --- creation ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MadeBy:
    """The saved flow that a backfill is made by, and the run day it is for."""

    flow_id: int
    flow: str
    recurrence: str
    run_day: date


def create(
    transaction: Transaction, form: BackfillForm, submitter: str, now: int, made_by: MadeBy | None = None
) -> int:
    """Write a backfill and the queues of its data timestamps; returns its id (section 7).

    With a time it waits for that, without one it is submitting already, and `submit` makes its instances. Descending
    order is not kept where an instance waits for another data timestamp (section 10.4).
    """
    connection = transaction.connection
    tasks = read_tasks(connection)
    queues = deal(form.dates, form.groups, in_order := _is_ascending(form, cover(tasks, form)))
    values = {
        "name": form.name or _name(form.tasks[0], now, read_timezone(connection)),
        "state": BackfillState.SUBMITTING if form.at is None else BackfillState.WAITING,
        "environment": form.environment,
        "project": _project(tasks, form),
        "submitter": submitter,
        "submitted_at": now,
        "submit_after_at": form.at,
        "groups": form.groups,
        "ascending": in_order,
        "form": to_document(form),
    }
    if made_by is not None:
        values |= {
            "flow_id": made_by.flow_id,
            "flow": made_by.flow,
            "recurrence": made_by.recurrence,
            "run_day": made_by.run_day.isoformat(),
        }
    return sql.insert_backfill(transaction, values, [[day.isoformat() for day in queue] for queue in queues])


def _is_ascending(form: BackfillForm, coverage: Coverage) -> bool:
    return form.ascending or bool(coverage.crossing)


def _project(tasks: Mapping[int, StoredTask], form: BackfillForm) -> str:
    projects = {stored.task.id: stored.task.project for stored in tasks.values()}
    return next((projects[key] for key in form.tasks if key in projects), "")


def _name(task: str, now: int, zone: str) -> str:
    """The name of a backfill that was given none: its task and the moment."""
    return f"{task.rpartition('.')[2][:SHORT_NAMES]}_{to_datetime(now, ZoneInfo(zone)):%Y%m%d%H%M%S}"


# --- submission -------------------------------------------------------------------------------------------------------


def submit(
    store: Store, clock: Clock, backfill_id: int, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> BackfillState:
    """Make the instances of a backfill to the end, and return the state it is in then (section 8.4).

    `progress` hears after each transaction how many data timestamps of how many are made. A backfill that is paused,
    has failed or is submitted already stays as it is.
    """
    submission = Submission(store, clock, backfill_id)
    goes_on = True
    while goes_on:
        goes_on = submission.go_on()
        progress(submission.made, submission.total)
    return submission.state


def _unfenced(_transaction: Transaction) -> None:
    """Nobody else may object."""


class Submission:
    """One backfill on its way to its instances, a transaction at a time."""

    def __init__(self, store: Store, clock: Clock, backfill_id: int) -> None:
        self.id = backfill_id
        self.state = BackfillState.SUBMITTING
        self.made = self.total = self.instances = 0
        self._store = store
        self._clock = clock
        self._layout: Layout | None = None
        self._known: set[int] = set()

    def go_on(self, check: Callable[[Transaction], None] = _unfenced) -> bool:
        """Make the next data timestamps; False when nothing is left to do. `check` may refuse the transaction."""
        with self._store.write() as transaction:
            check(transaction)
            backfill = sql.read_backfill(transaction.connection, self.id)
            self.state = BackfillState.FAILED if backfill is None else BackfillState(backfill.state)
            if backfill is None or self.state not in (BackfillState.WAITING, BackfillState.SUBMITTING):
                transaction.abandon()
                return False
            try:
                self._make_some(transaction, backfill)
            except (ValueError, LookupError) as error:
                self._fail(transaction, error)
        if self.made == self.total:
            look_again(self._store, self.instances)
        return self.state is BackfillState.SUBMITTING

    def _fail(self, transaction: Transaction, error: Exception) -> None:
        words = str(error) if isinstance(error, Unsubmittable) else f"{type(error).__name__}: {error}"
        self.state = BackfillState.FAILED
        sql.change(transaction, self.id, state=self.state, error=words)

    def _make_some(self, transaction: Transaction, backfill: Row[Any]) -> None:
        layout = self._layout
        if layout is None:
            layout = self._layout = self._begin(transaction, backfill)
        dates = [row for row in sql.dates_of(transaction.connection, self.id) if row.state != DateState.EXCLUDED]
        if not dates:
            raise Unsubmittable("it has no data timestamps")
        made = self._lay_out_some(transaction, layout, dates)
        now = self._clock.now()
        self.instances += layout.write(transaction, now)
        self._known.update(made)
        sql.note_made(transaction, made)
        self.made, self.total = sum(row.made for row in dates) + len(made), len(dates)
        if self.made == self.total:
            self._end(transaction, now)

    def _lay_out_some(self, transaction: Transaction, layout: Layout, dates: Sequence[Row[Any]]) -> list[int]:
        """The next data timestamps that nobody has made, until they are many enough; returns which."""
        left = [row for row in dates if not row.made]
        if left:
            self._catch_up(transaction.connection, layout, dates, date.fromisoformat(left[0].business_date))
        made = []
        for row in left:
            layout.lay_out(transaction, date.fromisoformat(row.business_date), row.id)
            made.append(row.id)
            if len(layout) >= CHUNK:
                break
        return made

    def _begin(self, transaction: Transaction, backfill: Row[Any]) -> Layout:
        """Read the definitions as they are now, also when going on; descending order may not be kept any more."""
        connection = transaction.connection
        form = from_text(BackfillForm, backfill.form)
        tasks = read_tasks(connection)
        coverage = cover(tasks, form)
        if not coverage.levels:
            raise Unsubmittable(_nothing_covered(coverage))
        if self.state is BackfillState.WAITING or (not backfill.ascending and coverage.crossing):
            self.state = BackfillState.SUBMITTING
            ascending = _is_ascending(form, coverage)
            sql.redeal(transaction, self.id, backfill.groups, ascending=ascending)
            now = self._clock.now()
            sql.change(transaction, self.id, state=self.state, ascending=ascending, submitted_at=now, error="")
        return Layout(plan_of_backfill(read_workspace_facts(connection), tasks, form, coverage, self.id))

    def _catch_up(self, connection: Connection, layout: Layout, dates: Sequence[Row[Any]], first: date) -> None:
        """Know what somebody else has made, as far back as the next data timestamp reaches."""
        needed = layout.plan.first_needed(first)
        layout.forget(needed)
        others = [
            row.id
            for row in dates
            if row.made and row.id not in self._known and row.business_date >= needed.isoformat()
        ]
        if others:
            layout.know(existing_of_backfill(connection, self.id, others))
            self._known.update(others)

    def _end(self, transaction: Transaction, now: int) -> None:
        self.state = BackfillState.SUBMITTED
        sql.change(transaction, self.id, state=self.state, error="")
        sql.begin_next(transaction, [self.id], now)


def _nothing_covered(coverage: Coverage) -> str:
    reasons = "; ".join(f"{left.key}: {left.reason}" for left in coverage.left_out[:3])
    return f"no task is left to run ({reasons})" if reasons else "no task is left to run"


def plan_of_backfill(
    facts: Facts, tasks: Mapping[int, StoredTask], form: BackfillForm, coverage: Coverage, backfill_id: int
) -> Plan:
    """The covered tasks as the form wants them; nothing starts before its data timestamp has begun."""
    zone = ZoneInfo(facts.timezone or "UTC")
    looks = {}
    for id in coverage.levels:
        stored = tasks[id]
        listed = shape_of(stored, facts, Origin.BACKFILL, form.environment, zone)._replace(backfill_id=backfill_id)
        taking_part = coverage.nodes.get(id, frozenset(stored.node_ids.values()))
        nodes = tuple(shape for shape in shapes_of_nodes(listed, stored) if shape.node_id in taking_part)
        looks[id] = Look(listed, nodes, paused=_is_held(stored, form), dry_run=_is_unreal(stored, form))
    return Plan(tasks, looks, zone, form.occurrences)


def _is_held(stored: StoredTask, form: BackfillForm) -> bool:
    return stored.task.method is Method.PAUSED and form.paused_tasks is Handling.KEEP


def _is_unreal(stored: StoredTask, form: BackfillForm) -> bool:
    kept = stored.task.method is Method.DRY_RUN and form.dry_run_tasks is Handling.KEEP
    return kept or (form.dry_run_start and stored.task.id in form.tasks)


# --- queues -----------------------------------------------------------------------------------------------------------


def advance_queues(transaction: Transaction, now: int) -> int:
    """Data timestamps that have succeeded are done, and the next of their queues begin; how many changed (section 7).

    A Failed one holds its queue until everything below it has succeeded after all. A data timestamp without instances
    is done as soon as it begins. One that is rerun after it was done runs again beside what has begun since, and holds
    what has not.
    """
    changed = 0
    while finished := sql.end_finished(transaction):
        changed += len(finished) + sql.begin_next(transaction, set(finished.values()), now)
    return changed


# --- saved flows ------------------------------------------------------------------------------------------------------


def create_flow(transaction: Transaction, form: BackfillForm, owner: str, now: int) -> int:
    """Save a periodic backfill; returns the flow's id. Its first backfill is made at the next 23:00 (section 7)."""
    assert form.periodic is not None, "a flow without a period is a backfill"
    connection = transaction.connection
    zone = read_timezone(connection)
    return insert_flow(
        transaction,
        {
            "name": form.name or _name(form.tasks[0], now, zone),
            "project": _project(read_tasks(connection), form),
            "environment": form.environment,
            "owner": owner,
            "recurrence": form.periodic.recurrence,
            "schedule": to_document(form.periodic),
            "form": to_document(form),
            "made_until": last_run_day(now, ZoneInfo(zone)).isoformat(),
            "created_at": now,
        },
    )


def make_periodic(store: Store, clock: Clock) -> list[int]:
    """Write the pending backfills of every saved flow up to the run day whose turn it is; returns their ids.

    Run days that were missed are made up for; each has one backfill of a flow, however often this is called.
    """
    now = clock.now()
    with store.read() as connection:
        zone = ZoneInfo(read_timezone(connection))
        last = last_run_day(now, zone)
        if not due_flows(connection, last.isoformat()):
            return []
    with store.write() as transaction:
        flows = due_flows(transaction.connection, last.isoformat())
        return [made for flow in flows for made in _make_up(transaction, flow, last, zone, now)]


def last_run_day(now: int, zone: ZoneInfo) -> date:
    """The last run day whose backfills should be written: today, from 23:00 on tomorrow."""
    return run_day(current_business_date(now, zone))


def _make_up(transaction: Transaction, flow: DueFlow, last: date, zone: ZoneInfo, now: int) -> list[int]:
    periodic, form = from_text(Periodic, flow.schedule), from_text(BackfillForm, flow.form)
    made = []
    day = date.fromisoformat(flow.made_until)
    while day < last:
        day += timedelta(days=1)
        if (due := due_on(periodic, day, zone)) is not None:
            of_the_day = replace(
                form,
                name=f"{flow.name[:SHORT_NAMES]}_{day:%Y%m%d}"[:NAME_LIMIT],
                ranges=tuple(offsets.on(day) for offsets in form.offsets),
                at=to_ms(due),
            )
            made_by = MadeBy(flow.id, flow.name, periodic.recurrence, day)
            made.append(create(transaction, of_the_day, flow.owner, now, made_by))
    note_made_until(transaction, flow.id, last.isoformat())
    return made


def due_on(periodic: Periodic, day: date, zone: ZoneInfo) -> datetime | None:
    """When a periodic backfill is due on a run day, None where that is not one of its days."""
    cycle = {"daily": Cycle.DAY, "weekly": Cycle.WEEK, "monthly": Cycle.MONTH}[periodic.recurrence]
    schedule = Schedule(cycle, at=(periodic.at,), weekdays=periodic.weekdays, month_days=periodic.month_days)
    (one,) = occurrences(schedule, business_date_of(day), zone)
    return None if one.placeholder else one.due
