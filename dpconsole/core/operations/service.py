"""The one door to the verbs, for screens and command line alike: plan, then apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.clock import Clock
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.applying import apply_plan, refuse_plan
from dpconsole.core.operations.fields import Moment
from dpconsole.core.operations.ledger import find_record
from dpconsole.core.operations.planning import Plan, make_plan
from dpconsole.core.operations.records import Record
from dpconsole.core.operations.recovery import close_abandoned
from dpconsole.core.operations.registry import OPERATIONS, Finder
from dpconsole.core.operations.selection import Kind, Selection
from dpconsole.core.operations.verdicts import verdicts
from dpconsole.core.store.backfill_verbs import instances_below
from dpconsole.core.store.definition_rows import read_timezone
from dpconsole.core.store.session import Store


def nobody(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


def nothing_more() -> None:
    """What follows an act that concerns nobody else."""


def never() -> bool:
    """A batch that nobody cancels."""
    return False


def found(connection: Connection, selection: Selection, kind: Kind, finds: Finder) -> list[int]:
    """The targets of one kind in a selection without a query: what is named, and what is found in the folders."""
    named, spared = (selection.ids, selection.without) if kind is Kind.INSTANCE else ((), frozenset[int]())
    below = finds(connection, selection.folders, selection.without_folders) if selection.folders else ()
    return [id for id in dict.fromkeys((*named, *below)) if id not in spared]


@dataclass(frozen=True, slots=True)
class Operations:
    """The verbs of one operator on one database.

    `matching` resolves the query of a selection to the ids of instances, or of backfills; `new_key` makes the key a
    record is known by; `acted` is called when instances may have changed, so that an engine in this process need not
    wait for its next beat.
    """

    store: Store
    clock: Clock
    actor: Actor
    matching: Callable[[Selection], Sequence[int]]
    new_key: Callable[[], str]
    acted: Callable[[], None] = nothing_more

    def plan(self, verb: str, selection: Selection, arguments: Mapping[str, str] | None = None) -> Plan:
        """What a verb would do to a selection; writes nothing.

        ValueError names an argument that the verb does not take, or says what an answer should be.
        """
        operation = OPERATIONS[verb]
        operation.complete(arguments or {})
        selected = self.resolved(selection)
        with self.store.read() as connection:
            ids = found(connection, selected, operation.kind, operation.finds)
            moment = Moment(self.clock.now(), ZoneInfo(read_timezone(connection)))
            complete = operation.complete(arguments or {}, moment)
            return make_plan(connection, operation, selection, ids, complete, self.actor, self.new_key())

    def resolved(self, selection: Selection) -> Selection:
        """The same selection with what its query matches by name: instances by id, or backfills as folders."""
        if selection.query is None:
            return selection
        ids = self.matching(selection)
        if selection.matches_backfills:
            return replace(selection, query=None, folders=tuple(TreeId(Layer.BACKFILL, id) for id in ids))
        return replace(selection, query=None, ids=tuple(ids))

    def rows(self, selection: Selection) -> list[int]:
        """The instances a selection stands for, in its order."""
        selected = self.resolved(selection)
        with self.store.read() as connection:
            return found(connection, selected, Kind.INSTANCE, instances_below)

    def verdicts(self, selection: Selection) -> dict[str, str]:
        """By verb: why it could act on nothing of a selection; empty where it could."""
        selected = self.resolved(selection)
        with self.store.read() as connection:
            return verdicts(
                connection, self.actor, lambda verb: found(connection, selected, verb.kind, verb.finds), selected
            )

    def apply(
        self,
        plan: Plan,
        reason: str = "",
        progress: Callable[[int, int], None] = nobody,
        is_cancelled: Callable[[], bool] = never,
    ) -> Record:
        """Carry a plan out; see `apply_plan`."""
        self.close_abandoned()
        try:
            return apply_plan(self.store, self.clock, plan, reason, progress=progress, is_cancelled=is_cancelled)
        finally:
            self.acted()

    def refuse(self, plan: Plan, reason: str) -> Record:
        """Enter in the ledger that a plan was not let through, and why."""
        return refuse_plan(self.store, self.clock, plan, reason)

    def record(self, key: str) -> Record | None:
        """The record made under a key."""
        self.close_abandoned()
        with self.store.read() as connection:
            return find_record(connection, key)

    def close_abandoned(self) -> int:
        """Close the records whose process is gone, so that the ledger says how far they came; how many there were."""
        return close_abandoned(self.store, self.clock.now())
