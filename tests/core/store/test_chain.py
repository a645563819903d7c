"""The hash of a record: of the whole of its canonical JSON, however it is written out."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from dpconsole.core.store.chain import chain_hash
from dpconsole.core.store.ledger import LedgerItem, LedgerRow

RECORD = LedgerRow(
    id=3,
    key="k",
    verb="stop",
    kind="instance",
    actor="lin",
    source="cli",
    at=1,
    finished_at=2,
    reason='said "items":[] twice: "items":[]',
    command="dpconsole stop 表",
    arguments={"items": "[]"},
    state="done",
    acts=1,
    skipped=0,
    refused=0,
    previous_hash="",
    hash="",
    rev=9,
)
HASHED = ("id", "key", "verb", "actor", "source", "at", "finished_at", "reason", "command", "arguments", "state")


@pytest.mark.parametrize("number", [0, 1, 1_000, 1_001, 2_500])
def test_a_record_hashes_as_one_document_whatever_its_length(number: int) -> None:
    items = [LedgerItem(id, f"表 {id}", "RUNNING", "FAILED", "ok", "") for id in range(number)]
    document = {name: getattr(RECORD, name) for name in (*HASHED, "acts", "skipped", "refused")} | {"items": items}
    whole = json.dumps(["before", document], sort_keys=True, separators=(",", ":"))
    assert chain_hash(RECORD, items, "before") == sha256(whole.encode()).hexdigest()


def test_every_item_counts() -> None:
    items = [LedgerItem(id, "t", "RUNNING", "FAILED", "ok", "") for id in range(1_001)]
    forged = [*items[:-1], items[-1]._replace(outcome="skipped")]
    assert chain_hash(RECORD, forged, "") != chain_hash(RECORD, items, "")
