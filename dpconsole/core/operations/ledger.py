"""The chain that makes the ledger tell-tale: each record carries the hash of the one closed before it.

Whoever owns the file can rewrite it, but not without every later hash changing; the end of the chain, kept elsewhere,
tells. The hash covers the record with its items, as canonical JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from sqlalchemy import Connection

from dpconsole.core.operations.records import Item, Outcome, Record, State, state_of
from dpconsole.core.store.ledger import (
    LedgerItem,
    LedgerRow,
    close_record,
    count_outcomes,
    last_hash,
    read_chain,
    read_items,
    read_record,
)
from dpconsole.core.store.session import Transaction

_HASHED = ("id", "key", "verb", "actor", "source", "at", "finished_at", "reason", "command", "arguments", "state")
_COUNTED = ("acts", "skipped", "refused")


def chain_hash(row: LedgerRow, items: Sequence[LedgerItem], previous: str) -> str:
    """The hash of a record with its items, after `previous`: 64 hexadecimal digits."""
    record = {name: getattr(row, name) for name in (*_HASHED, *_COUNTED)}
    record["items"] = [[i.instance_id, i.name, i.before, i.after, i.outcome, i.reason] for i in items]
    text = json.dumps([previous, record], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def first_broken(connection: Connection) -> int | None:
    """The id of the first record that does not follow from the one before it, or None for a sound chain."""
    previous = ""
    for row in read_chain(connection):
        if row.previous_hash != previous or row.hash != chain_hash(row, read_items(connection, row.id), previous):
            return row.id
        previous = row.hash
    return None


def close(transaction: Transaction, row: LedgerRow, now: int) -> None:
    """Finish an open record: count its items, give it its state, and put it at the end of the chain."""
    counts = count_outcomes(transaction, row.id)
    items = read_items(transaction, row.id)
    closed = replace(
        row,
        finished_at=now,
        state=state_of(map(_item, items)),
        acts=counts.get(Outcome.OK, 0),
        skipped=counts.get(Outcome.SKIPPED, 0),
        refused=counts.get(Outcome.REFUSED, 0),
        previous_hash=last_hash(transaction),
    )
    close_record(transaction, replace(closed, hash=chain_hash(closed, items, closed.previous_hash)))


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
