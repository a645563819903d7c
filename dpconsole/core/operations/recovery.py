"""Records whose process died while it applied them: closed with what was reached, so that the rest can be retried.

A batch changes instances and settles its items in the same transactions; so what a record still plans has not been
done, and saying so is all there is to recover.
"""

from __future__ import annotations

from dpconsole.core.operations.ledger import close
from dpconsole.core.operations.records import NOT_REACHED, Outcome
from dpconsole.core.store.ledger import LedgerRow, read_appliers, read_items, settle_items
from dpconsole.core.store.processes import Process
from dpconsole.core.store.session import Store

PATIENCE_MS = 3_600_000
"""A process of another host, or of another boot of this one, is believed to be at work no longer than that."""


def close_abandoned(store: Store, now: int) -> int:
    """Close every record whose applier is gone: what it did not reach has failed; how many records that were.

    `now` in UTC milliseconds, of the clock that dated the records. Raises `StoreError`.
    """
    abandoned = [] if store.readonly else _abandoned(store, now)
    for record in abandoned:
        _close(store, record, now)
    return len(abandoned)


def _abandoned(store: Store, now: int) -> list[LedgerRow]:
    with store.read() as connection:
        return [row for row, process in read_appliers(connection) if _has_ended(process, now - row.at)]


def _has_ended(process: Process, age: int) -> bool:
    return process.is_gone if process.is_here else age > PATIENCE_MS


def _close(store: Store, record: LedgerRow, now: int) -> None:
    with store.write() as transaction:
        if all(row.id != record.id for row, _ in read_appliers(transaction.connection)):
            transaction.abandon()  # somebody closed it in the meantime
            return
        planned = [item for item in read_items(transaction, record.id) if item.outcome == Outcome.PLANNED]
        settle_items(
            transaction,
            record.id,
            [(item.target_id, item.before, Outcome.FAILED, NOT_REACHED) for item in planned],
        )
        close(transaction, record, now, keys={})
