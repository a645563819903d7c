"""Pauses that were to last until now: the engine resumes, and enters it in the ledger as anybody else would."""

from __future__ import annotations

from typing import Any

from dpconsole.core.domain.statuses import Verb
from dpconsole.core.store import engine_sql as sql
from dpconsole.core.store.chain import append
from dpconsole.core.store.journal import follow_pause
from dpconsole.core.store.ledger import LedgerItem, open_record, read_items, read_record
from dpconsole.core.store.session import Transaction

ACTOR = "engine"
"""Who stands in the ledger for what the engine does there."""


def resume_due(transaction: Transaction, now: int) -> int:
    """Resume what was paused until now (O8); how many rows that were."""
    rows = sql.pauses_over(transaction, now)
    if not rows:
        return 0
    sql.resume(transaction, [row.id for row in rows])
    follow_pause(transaction, {row.parent_id for row in rows if row.parent_id is not None})
    _enter(transaction, [LedgerItem(row.id, row.name, row.status, row.status, "ok", "") for row in rows], now)
    return len(rows)


def _enter(transaction: Transaction, items: list[LedgerItem], now: int) -> None:
    values: dict[str, Any] = {
        "key": f"{ACTOR}-{transaction.rev}",
        "verb": Verb.RESUME,
        "actor": ACTOR,
        "at": now,
        "reason": "paused until now",
        "arguments": {},
        "acts": len(items),
    }
    record = open_record(transaction, values, items)
    row = read_record(transaction, values["key"])
    assert row is not None
    append(transaction, row, read_items(transaction, record), "done", now)
