"""Records of the ledger: closed with the state their items give them, found again with their items."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from dpconsole.core.operations.records import Item, Outcome, Record, State, state_of
from dpconsole.core.store.chain import append
from dpconsole.core.store.ledger import LedgerItem, LedgerRow, read_items, read_record
from dpconsole.core.store.session import Transaction


def close(transaction: Transaction, row: LedgerRow, now: int) -> None:
    """Finish an open record: give it its state, and put it at the end of the chain."""
    items = read_items(transaction, row.id)
    append(transaction, row, items, state_of(map(_item, items)), now)


def find_record(connection: Connection | Transaction, key: str) -> Record | None:
    """The record made under a client's key, with its items."""
    row = read_record(connection, key)
    return None if row is None else _record(row, read_items(connection, row.id))


def _record(row: LedgerRow, items: Sequence[LedgerItem]) -> Record:
    return Record(
        id=row.id,
        key=row.key,
        verb=row.verb,
        actor=row.actor,
        source=row.source,
        at=row.at,
        finished_at=row.finished_at,
        reason=row.reason,
        command=row.command,
        arguments=row.arguments,
        state=State(row.state),
        acts=row.acts,
        skipped=row.skipped,
        refused=row.refused,
        items=tuple(_item(item) for item in items),
    )


def _item(item: LedgerItem) -> Item:
    key = item.key or str(item.instance_id)
    return Item(item.instance_id, key, item.name, item.before, item.after, Outcome(item.outcome), item.reason)
