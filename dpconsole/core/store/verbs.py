"""What each operator's verb writes: one guarded statement, the journal, and what it means for the rows below.

Every function here takes the rows a plan saw, changes those that still qualify, and returns the ids it really changed.
Fewer than asked for is a normal answer: somebody was first, and the ledger says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Integer, String, bindparam, select, update

from dpconsole.core.domain.statuses import GUARDS, Cause, Status, Verb
from dpconsole.core.store.arrays import bind, id_set, row_set
from dpconsole.core.store.journal import Steps, derive_tables, record, withdraw
from dpconsole.core.store.models import Instance
from dpconsole.core.store.session import Transaction
from dpconsole.core.store.targets import Part


@dataclass(frozen=True, slots=True)
class Change:
    """What every verb needs to know besides its rows: the moment (UTC milliseconds), the operator, the arguments."""

    now: int
    actor: str
    arguments: dict[str, str]


def guard_holds(verb: Verb) -> ColumnElement[bool]:
    """The guard of a verb as a condition on the row, so that the statement that changes it checks it too."""
    guard = GUARDS[verb]
    status = Instance.status.in_(sorted(guard.statuses))
    return status if guard.paused is None else status & Instance.paused.is_(guard.paused)


_SEEN = row_set("seen", id=BigInteger, rev=BigInteger, status=String, paused=Integer, attempt=Integer)
_UNCHANGED = (
    select(Instance.id)
    .join(_SEEN, Instance.id == _SEEN.c.id)
    .where(
        Instance.rev == _SEEN.c.rev,
        Instance.status == _SEEN.c.status,
        Instance.paused == (_SEEN.c.paused == 1),
        Instance.attempt == _SEEN.c.attempt,
    )
)


def unchanged(transaction: Transaction, parts: Iterable[Part]) -> set[int]:
    """The rows that are still as they were seen."""
    seen = bind([(p.id, p.rev, p.status, int(p.paused), p.attempt) for p in parts])
    return set(transaction.execute(_UNCHANGED, {"seen": seen}).scalars())


_RERUN = (
    update(Instance)
    .where(Instance.id.in_(id_set()), guard_holds(Verb.RERUN))
    .values(
        status=Status.NOT_RUNNING,
        autonomous=True,
        forced=False,
        set_by_hand=False,
        auto_reruns=0,
        retry_at=None,
        started_at=None,
        ended_at=None,
        error="",
        rev=bindparam("rev"),
    )
    .returning(Instance.id)
)


def rerun(transaction: Transaction, parts: Iterable[Part], change: Change) -> set[int]:
    """O1: what succeeded or failed goes back to Not Running and obeys every check again (section 2.4, AMB-14).

    Attempts stay; the next one is appended. A failed row that waits for its automatic rerun waits no longer.
    """
    seen = {part.id: part for part in parts}
    changed = set(transaction.execute(_RERUN, {"ids": bind(seen), "rev": transaction.rev}).scalars())
    moved = [seen[id] for id in sorted(changed)]
    _journal(transaction, moved, Status.NOT_RUNNING, Cause.RERUN, change)
    withdraw(transaction, [part.id for part in moved if part.status is Status.SUCCEEDED], change.now)
    return changed


def _journal(transaction: Transaction, parts: Iterable[Part], after: Status, cause: Cause, change: Change) -> None:
    """Record one step for each row, and let the logical tables they belong to follow."""
    steps, tables = Steps(), set[int]()
    for part in parts:
        steps.add(part.id, part.status, after, cause, part.attempt)
        tables.update(() if part.parent_id is None else (part.parent_id,))
    record(transaction, steps, change.now, change.actor)
    derive_tables(transaction, tables, change.now, change.actor)
