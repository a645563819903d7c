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

from dpconsole.core.store.ledger import (
    LedgerItem,
    LedgerRow,
    close_record,
    last_hash,
    read_chain,
    read_items,
)
from dpconsole.core.store.session import Transaction

_HASHED = ("id", "key", "verb", "actor", "source", "at", "finished_at", "reason", "command", "arguments", "state")
_COUNTED = ("acts", "skipped", "refused")
_PIECE = 1_000
"""Items written out at a time, so that a record of very many neither doubles in memory nor holds up other threads."""

_encode = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode


def chain_hash(row: LedgerRow, items: Sequence[LedgerItem], previous: str) -> str:
    """The hash of a record with its items, after `previous`: 64 hexadecimal digits.

    The kind of the items counts where they are no instances: the first records were of no other.
    """
    record = {name: getattr(row, name) for name in (*_HASHED, *_COUNTED)}
    record |= {} if row.kind == "instance" else {"kind": row.kind}
    before, _, after = _encode([previous, record | {"items": []}]).partition('"items":[]')
    digest = sha256(f'{before}"items":['.encode())
    for start in range(0, len(items), _PIECE):
        piece = _encode(items[start : start + _PIECE])
        digest.update(("," * (start > 0) + piece[1:-1]).encode())
    digest.update(f"]{after}".encode())
    return digest.hexdigest()


def first_broken(connection: Connection) -> int | None:
    """The id of the first record that does not follow from the one before it, or None for a sound chain."""
    previous = ""
    for row in read_chain(connection):
        if row.previous_hash != previous or row.hash != chain_hash(row, read_items(connection, row.id), previous):
            return row.id
        previous = row.hash
    return None


def append(transaction: Transaction, row: LedgerRow, items: Sequence[LedgerItem], state: str, now: int) -> LedgerRow:
    """Close an open record in a state, with its items counted, and put it at the end of the chain."""
    outcomes = [item.outcome for item in items]
    closed = replace(
        row,
        finished_at=now,
        state=state,
        acts=outcomes.count("ok"),
        skipped=outcomes.count("skipped"),
        refused=outcomes.count("refused"),
        previous_hash=last_hash(transaction),
    )
    closed = replace(closed, hash=chain_hash(closed, items, closed.previous_hash))
    close_record(transaction, closed)
    return closed
