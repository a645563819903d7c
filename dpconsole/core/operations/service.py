"""The one door to the verbs, for screens and command line alike: plan, then apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dpconsole.core.domain.clock import Clock
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.applying import apply_plan, refuse_plan
from dpconsole.core.operations.fields import Moment
from dpconsole.core.operations.ledger import find_record
from dpconsole.core.operations.planning import Plan, make_plan
from dpconsole.core.operations.records import Record
from dpconsole.core.operations.recovery import close_abandoned
from dpconsole.core.operations.registry import OPERATIONS
from dpconsole.core.operations.selection import Selection
from dpconsole.core.store.definition_rows import read_timezone
from dpconsole.core.store.session import Store


def nobody(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


def nothing_more() -> None:
    """What follows an act that concerns nobody else."""


def never() -> bool:
    """A batch that nobody cancels."""
    return False


@dataclass(frozen=True, slots=True)
class Operations:
    """The verbs of one operator on one database.

    `matching` resolves the query of a selection to instance ids; `new_key` makes the key a record is known by; `acted`
    is called when instances may have changed, so that an engine in this process need not wait for its next beat.
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
        ids = selection.ids if selection.query is None else self.matching(selection)
        ids = [id for id in ids if id not in selection.without]
        with self.store.read() as connection:
            moment = Moment(self.clock.now(), ZoneInfo(read_timezone(connection)))
            complete = operation.complete(arguments or {}, moment)
            return make_plan(connection, operation, selection, ids, complete, self.actor, self.new_key())

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
