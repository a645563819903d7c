"""Rows of the submitted backfills: what the instances of each come to, in three queries however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from dpconsole.core.domain.keys import backfill_key
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import Backfill, BackfillDate
from dpconsole.core.store.standings import Standing, backfill_standings


@dataclass(frozen=True, slots=True)
class BackfillRow:
    """One submitted backfill (section 4.2); `submitted_at` is UTC ms, `dates` are its data timestamps as ISO text.

    `paused` is the suffix of section 8.2 and `counts` the number of instances by status, in the order of the statuses.
    """

    id: int
    key: str
    name: str
    project: str
    status: NormalisedStatus
    paused: str
    submitter: str
    submitted_at: int
    dates: tuple[str, ...]
    nodes: int
    counts: Mapping[Status, int]
    rev: int


_BACKFILLS = select(Backfill.__table__).where(Backfill.id.in_(id_set()))
_DATES = (
    select(BackfillDate.backfill_id, BackfillDate.business_date)
    .where(BackfillDate.backfill_id.in_(id_set()))
    .order_by(BackfillDate.business_date)
)


def backfill_rows(connection: Connection, ids: Collection[int]) -> list[BackfillRow]:
    """The backfills with these ids, in the order of the ids; ids that name nothing are left out."""
    bound = {"ids": bind(ids)}
    found = {row.id: row for row in connection.execute(_BACKFILLS, bound)}
    dates: dict[int, list[str]] = defaultdict(list)
    for backfill, day in connection.execute(_DATES, bound):
        dates[backfill].append(day)
    standings = backfill_standings(connection, ids)
    return [_row(found[id], tuple(dates[id]), standings[id]) for id in ids if id in found]


def _row(row: Any, dates: tuple[str, ...], standing: Standing) -> BackfillRow:
    return BackfillRow(
        id=row.id,
        key=backfill_key(row.id),
        name=clean(row.name),
        project=clean(row.project),
        status=standing.status,
        paused=standing.paused,
        submitter=clean(row.submitter),
        submitted_at=row.submitted_at,
        dates=dates,
        nodes=standing.nodes,
        counts=standing.counts,
        rev=row.rev,
    )
