"""Rows of the ledger as lists show them: the newest first, without their items."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import Operation


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record of the ledger (section 19); times are UTC ms. `kind` is what its items are, the counts how many
    of them became what.
    """

    id: int
    key: str
    verb: str
    kind: str
    actor: str
    source: str
    at: int
    finished_at: int | None
    reason: str
    command: str
    state: str
    acts: int
    skipped: int
    refused: int
    rev: int


_RECORDS = select(*(Operation.__table__.c[name] for name in RecordRow.__slots__)).where(Operation.id.in_(id_set()))
_TEXTS = ("actor", "source", "reason", "command")


def record_rows(connection: Connection, ids: Collection[int]) -> list[RecordRow]:
    """The records with these ids, in the order of the ids; ids that name nothing are left out."""
    found = {row.id: _row(row) for row in connection.execute(_RECORDS, {"ids": bind(ids)})}
    return [found[id] for id in ids if id in found]


def _row(row: Any) -> RecordRow:
    values = row._asdict()
    return RecordRow(**{**values, **{name: clean(values[name]) for name in _TEXTS}})
