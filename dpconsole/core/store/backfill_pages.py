"""Rows of the submitted backfills: what the instances of each come to, in three queries however many there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from dpconsole.core.domain.backfills import normalise, paused_suffix
from dpconsole.core.domain.keys import backfill_key
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import Backfill, BackfillDate, Instance


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
_COUNTS = (
    select(Instance.backfill_id, Instance.status, Instance.paused, func.count().label("number"))
    .where(Instance.backfill_id.is_not(None), Instance.backfill_id.in_(id_set()), Instance.listing != "")
    .group_by(Instance.backfill_id, Instance.status, Instance.paused)
)


def backfill_rows(connection: Connection, ids: Collection[int]) -> list[BackfillRow]:
    """The backfills with these ids, in the order of the ids; ids that name nothing are left out."""
    bound = {"ids": bind(ids)}
    found = {row.id: row for row in connection.execute(_BACKFILLS, bound)}
    dates: dict[int, list[str]] = defaultdict(list)
    for backfill, day in connection.execute(_DATES, bound):
        dates[backfill].append(day)
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    for row in connection.execute(_COUNTS, bound):
        tallies[row.backfill_id].add(Status(row.status), row.paused, row.number)
    return [_row(found[id], tuple(dates[id]), tallies[id]) for id in ids if id in found]


@dataclass
class _Tally:
    """The instances of one backfill."""

    by_status: Counter[Status] = field(default_factory=Counter)
    paused: int = 0

    def add(self, status: Status, paused: bool, number: int) -> None:
        self.by_status[status] += number
        self.paused += number if paused else 0


def _row(row: Any, dates: tuple[str, ...], tally: _Tally) -> BackfillRow:
    return BackfillRow(
        id=row.id,
        key=backfill_key(row.id),
        name=clean(row.name),
        project=clean(row.project),
        status=normalise(status.normalised for status in tally.by_status),
        paused=paused_suffix(tally.paused, tally.by_status.total()),
        submitter=clean(row.submitter),
        submitted_at=row.submitted_at,
        dates=dates,
        nodes=tally.by_status.total(),
        counts={status: tally.by_status[status] for status in Status if status in tally.by_status},
        rev=row.rev,
    )
