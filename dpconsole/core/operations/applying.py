"""Carrying a plan out: chunk by chunk, upstream first, and never on a row that is not as the plan saw it.

A row that the batch itself moved in an earlier chunk, as a rerun sends back what waits below it, is taken as it then
is; one that anybody else moved is reported and left.

Each chunk is one transaction that checks permission and row again, changes what still qualifies, writes the journal and
settles the items of the ledger; so instances and ledger agree whenever the process dies. The plan's key makes this
idempotent: a record that was closed is returned as it is, one that was not goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from dpconsole.core.domain.clock import Clock
from dpconsole.core.domain.definitions import Role
from dpconsole.core.operations.grounds import GROUNDS, Aim
from dpconsole.core.operations.ledger import close, find_record
from dpconsole.core.operations.permissions import is_allowed
from dpconsole.core.operations.planning import Plan
from dpconsole.core.operations.records import CANCELLED, CHANGED, NO_PERMISSION, Item, Outcome, Record, State
from dpconsole.core.store.ledger import LedgerItem, LedgerRow, open_record, planned_items, read_record, settle_items
from dpconsole.core.store.processes import Process
from dpconsole.core.store.session import Store, Transaction
from dpconsole.core.store.targets import Move, Target, read_members, read_parts
from dpconsole.core.store.verbs import Change

CHUNK = 400
"""Executable rows changed by one transaction: short enough that the engine never waits long for its turn."""

Settled = tuple[int, str, str, str]
"""What became of an item: target id, status after, outcome, reason."""


def apply_plan(
    store: Store,
    clock: Clock,
    plan: Plan,
    reason: str = "",
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Record:
    """Act on a plan and enter it in the ledger, which holds `reason`; returns the record with every item's outcome.

    `progress` is told (items dealt with, all acting items) after each chunk; `is_cancelled` is asked before each.
    Raises `StoreError`; what was committed before it stays, and applying the plan again goes on from there.
    """
    batch, closed = _Batch(plan), None
    for chunk in batch.chunks:
        with store.write() as transaction:
            record = read_record(transaction, plan.key) or _open(transaction, clock, plan, reason)
            if record.state != State.APPLYING:
                break
            if cancelled := is_cancelled():
                _spare(transaction, record, plan)
            else:
                batch.apply(transaction, record, chunk, clock.now())
            if cancelled or batch.is_done:
                closed = close(transaction, record, clock.now(), _keys(plan))
        progress(batch.done, len(plan.targets))
        if closed is not None:
            return closed
    return _found(store, plan.key)


def refuse_plan(store: Store, clock: Clock, plan: Plan, reason: str) -> Record:
    """Enter in the ledger that a plan was not let through as a whole, and why; nothing is changed."""
    with store.write() as transaction:
        if read_record(transaction, plan.key) is None:
            record = _open(transaction, clock, plan, reason)
            settle_items(transaction, record.id, _same(plan, plan.targets.values(), Outcome.REFUSED, reason))
            return close(transaction, record, clock.now(), _keys(plan))
    return _found(store, plan.key)


def _keys(plan: Plan) -> dict[int, str]:
    return {item.id: item.key for item in plan.items}


def _found(store: Store, key: str) -> Record:
    with store.read() as connection:
        record = find_record(connection, key)
    assert record is not None
    return record


def _chunks(targets: Sequence[Aim]) -> Iterator[list[Aim]]:
    """Runs of whole targets of about `CHUNK` rows each; one empty run where nothing acts, for the ledger alone.

    Folders have no rows of their own: they are changed together.
    """
    chunk, rows = list[Aim](), 0
    for target in targets:
        chunk.append(target)
        rows += len(target.parts)
        if rows >= CHUNK:
            yield chunk
            chunk, rows = [], 0
    if chunk or not targets:
        yield chunk


def _open(transaction: Transaction, clock: Clock, plan: Plan, reason: str) -> LedgerRow:
    values: dict[str, Any] = {
        "key": plan.key,
        "verb": plan.verb,
        "kind": plan.operation.kind,
        "actor": plan.actor.user,
        "source": plan.actor.source,
        "at": clock.now(),
        "reason": reason,
        "command": plan.command,
        "arguments": plan.operation.answers(plan.arguments),
        "acts": len(plan.targets),
    }
    open_record(transaction, values, [_ledger_item(item) for item in plan.items], Process.current())
    record = read_record(transaction, plan.key)
    assert record is not None
    return record


def _ledger_item(item: Item) -> LedgerItem:
    after = item.before if item.outcome is Outcome.PLANNED else item.after
    return LedgerItem(item.id, item.name, item.before, after, item.outcome, item.reason)


class _Batch:
    """The chunks of a plan, and its targets as they are known to be by now."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._targets = dict(plan.targets)
        self._to_come = {part.id: id for id, target in plan.targets.items() for part in target.parts}
        ordered = list(plan.targets.values())
        self.chunks = list(_chunks(ordered[::-1] if plan.operation.batch.downstream_first else ordered))
        self.done = 0

    @property
    def is_done(self) -> bool:
        return self.done == len(self._targets)

    def apply(self, transaction: Transaction, record: LedgerRow, chunk: Sequence[Aim], now: int) -> None:
        """Act on a chunk of the targets and settle their items."""
        plan = self._plan
        left = planned_items(transaction, record.id, [target.id for target in chunk])
        targets = [self._targets[target.id] for target in chunk if target.id in left]
        allowed = _allowed(transaction, plan, targets)
        changed = _change(transaction, plan, GROUNDS[plan.operation.kind].steady(transaction, allowed), now)
        gone = [target for target in allowed if target.id not in changed]
        permitted = {target.id for target in allowed}
        after = plan.operation.after
        outcomes = [
            *((target.id, after(target, plan.arguments), Outcome.OK, "") for target in targets if target.id in changed),
            *_drifted(transaction, plan, gone),
            *_same(plan, (target for target in targets if target.id not in permitted), Outcome.SKIPPED, NO_PERMISSION),
        ]
        settle_items(transaction, record.id, outcomes)
        self.done += len(chunk)
        for target in chunk:
            for part in target.parts:
                del self._to_come[part.id]
        self._take_in(transaction)

    def _take_in(self, transaction: Transaction) -> None:
        """Rows still to come that this transaction has moved are as it left them."""
        moved = transaction.touched.get("instance", set()) & self._to_come.keys()
        for part in read_parts(transaction.connection, moved).values() if moved else ():
            target = cast(Target, self._targets[self._to_come[part.id]])
            parts = tuple(part._replace(follows=old.follows) if old.id == part.id else old for old in target.parts)
            self._targets[target.id] = target._replace(parts=parts)


def _allowed(transaction: Transaction, plan: Plan, targets: Sequence[Aim]) -> list[Aim]:
    members, needed = read_members(transaction.connection), Role(plan.operation.role)
    return [target for target in targets if is_allowed(members, target.project, plan.actor.user, needed)]


def _change(transaction: Transaction, plan: Plan, targets: Sequence[Aim], now: int) -> set[int]:
    """Let the verb write; the targets it changed as a whole: all rows of an instance, a folder itself."""
    if not targets:
        return set()
    taken = {t.id: [Move(*move) for move in plan.operation.taken(t, plan.arguments)] for t in targets}
    change = Change(now, plan.actor.user, plan.arguments, targets)
    changed = plan.operation.apply(transaction, [move for moves in taken.values() for move in moves], change)
    return {id for id, moves in taken.items() if ({move.part.id for move in moves} or {id}) <= changed}


def _drifted(transaction: Transaction, plan: Plan, targets: Sequence[Aim]) -> Iterator[Settled]:
    read = GROUNDS[plan.operation.kind].read
    now = {target.id: target for target in read(transaction.connection, [target.id for target in targets])}
    for target in targets:
        reached = now.get(target.id)
        words = f"{CHANGED}: now {reached.words}" if reached else f"{CHANGED}: gone"
        yield (target.id, plan.operation.shows(reached or target), Outcome.SKIPPED, words)


def _spare(transaction: Transaction, record: LedgerRow, plan: Plan) -> None:
    left = planned_items(transaction, record.id, plan.targets)
    spared = [target for target in plan.targets.values() if target.id in left]
    settle_items(transaction, record.id, _same(plan, spared, Outcome.SKIPPED, CANCELLED))


def _same(plan: Plan, targets: Iterable[Aim], outcome: Outcome, reason: str) -> list[Settled]:
    return [(target.id, plan.operation.shows(target), outcome, reason) for target in targets]
