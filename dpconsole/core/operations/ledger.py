"""Records of the ledger: closed with the state their items give them, found again with their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from dpconsole.core.domain.text import clean
from dpconsole.core.operations.records import Item, Outcome, Record, State, state_of
from dpconsole.core.store.chain import append
from dpconsole.core.store.ledger import LedgerItem, LedgerRow, read_items, read_keys, read_record
from dpconsole.core.store.session import Transaction


def close(transaction: Transaction, row: LedgerRow, now: int, keys: Mapping[int, str]) -> Record:
    """Finish an open record: give it its state, and put it at the end of the chain.

    `keys` are the ids that items are shown under, as far as they are known.
    """
    stored = read_items(transaction, row.id)
    items = _items(stored, keys)
    return _record(append(transaction, row, stored, state_of(items), now), items)


def find_record(connection: Connection, key: str) -> Record | None:
    """The record made under a client's key, with its items."""
    row = read_record(connection, key)
    if row is None:
        return None
    return _record(row, _items(read_items(connection, row.id), read_keys(connection, row)))


def _record(row: LedgerRow, items: tuple[Item, ...]) -> Record:
    return Record(
        id=row.id,
        key=row.key,
        verb=row.verb,
        kind=row.kind,
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
        items=items,
    )


def _items(stored: Sequence[LedgerItem], keys: Mapping[int, str]) -> tuple[Item, ...]:
    """What is shown of items; one that is gone keeps its number."""
    outcomes = {str(outcome): outcome for outcome in Outcome}
    return tuple(
        Item(id, keys.get(id, str(id)), clean(name), before, after, outcomes[outcome], reason)
        for id, name, before, after, outcome, reason in stored
    )
