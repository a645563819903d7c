"""Rows of backfills, submitted or to be: what each comes to, in a handful of queries however many there are."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from dpconsole.core.domain.backfills import BackfillState, DateState
from dpconsole.core.domain.keys import backfill_key
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import Backfill, BackfillDate
from dpconsole.core.store.standings import Standing, backfill_standings


@dataclass(frozen=True, slots=True)
class BackfillRow:
    """One backfill (sections 4.2 and 4.3); moments are UTC ms.

    `dates` are its data timestamps as ISO text, those left out apart, and `by_state` the number of all of them by their
    turn. `paused` is the suffix of section 8.2 and `counts` the number of instances by status, both in their own order.
    One that runs is without an end. `error` says why its submission failed, `run_day` which day a periodic one is for.
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
    state: BackfillState
    flow: str
    recurrence: str
    run_day: str | None
    submit_after_at: int | None
    groups: int
    by_state: Mapping[DateState, int]
    started_at: int | None
    ended_at: int | None
    error: str
    tags: tuple[str, ...]


_BACKFILLS = select(Backfill.__table__).where(Backfill.id.in_(id_set()))
_DATES = (
    select(BackfillDate.backfill_id, BackfillDate.business_date, BackfillDate.state)
    .where(BackfillDate.backfill_id.in_(id_set()))
    .order_by(BackfillDate.business_date)
)


def backfill_rows(connection: Connection, ids: Collection[int]) -> list[BackfillRow]:
    """The backfills with these ids, in the order of the ids; ids that name nothing are left out."""
    bound = {"ids": bind(ids)}
    found = {row.id: row for row in connection.execute(_BACKFILLS, bound)}
    dates: dict[int, list[tuple[str, DateState]]] = defaultdict(list)
    for backfill, day, state in connection.execute(_DATES, bound):
        dates[backfill].append((day, DateState(state)))
    standings = backfill_standings(connection, ids)
    return [_row(found[id], dates[id], standings[id]) for id in ids if id in found]


def _row(row: Any, dates: Sequence[tuple[str, DateState]], standing: Standing) -> BackfillRow:
    by_state = Counter(state for _, state in dates)
    return BackfillRow(
        id=row.id,
        key=backfill_key(row.id),
        name=clean(row.name),
        project=clean(row.project),
        status=standing.status,
        paused=standing.paused,
        submitter=clean(row.submitter),
        submitted_at=row.submitted_at,
        dates=tuple(day for day, state in dates if state is not DateState.EXCLUDED),
        nodes=standing.nodes,
        counts=standing.counts,
        rev=row.rev,
        state=BackfillState(row.state),
        flow=clean(row.flow),
        recurrence=row.recurrence,
        run_day=row.run_day,
        submit_after_at=row.submit_after_at,
        groups=row.groups,
        by_state={state: by_state[state] for state in DateState if state in by_state},
        started_at=standing.started_at,
        ended_at=standing.ended_at,
        error=clean(row.error),
        tags=tuple(clean(str(tag)) for tag in json.loads(row.tags)),
    )
