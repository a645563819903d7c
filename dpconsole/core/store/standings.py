"""What backfills and their data timestamps come to: status, paused suffix, counts and span (section 8.2).

All of it is added up from the tally that triggers keep, never from instances, so a folder of two hundred thousand
instances is read as quickly as one of two. A data timestamp that was left out counts for nothing above it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, and_, func, select

from dpconsole.core.domain.backfills import DateState, normalise, paused_suffix
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import BackfillDate, BackfillTally

Span: TypeAlias = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the listed instances below a folder come to.

    `paused` is the suffix of its status, `counts` are in the order of the statuses. The span, UTC ms, is that of all
    that ran below; it has no end while something is under way.
    """

    status: NormalisedStatus
    paused: str
    counts: Mapping[Status, int]
    started_at: int | None
    ended_at: int | None

    @property
    def nodes(self) -> int:
        """How many listed instances there are."""
        return sum(self.counts.values())

    @property
    def held(self) -> bool:
        """Whether anything below is paused."""
        return bool(self.paused)


_OF_DATE = and_(
    BackfillTally.backfill_id == BackfillDate.backfill_id, BackfillTally.backfill_date_id == BackfillDate.id
)
_KEPT = BackfillDate.state != DateState.EXCLUDED

_DATE_TALLIES = (
    select(BackfillDate.id, BackfillTally.status, BackfillTally.paused, BackfillTally.number)
    .join(BackfillTally, _OF_DATE)
    .where(BackfillDate.id.in_(id_set()), BackfillTally.number > 0)
)
_BACKFILL_TALLIES = (
    select(BackfillTally.backfill_id, BackfillTally.status, BackfillTally.paused, func.sum(BackfillTally.number))
    .join(BackfillDate, _OF_DATE)
    .where(BackfillTally.backfill_id.in_(id_set()), BackfillTally.number > 0, _KEPT)
    .group_by(BackfillTally.backfill_id, BackfillTally.status, BackfillTally.paused)
)
_DATE_SPANS = select(BackfillDate.id, BackfillDate.started_at, BackfillDate.ended_at).where(
    BackfillDate.id.in_(id_set())
)
_BACKFILL_SPANS = (
    select(BackfillDate.backfill_id, func.min(BackfillDate.started_at), func.max(BackfillDate.ended_at))
    .where(BackfillDate.backfill_id.in_(id_set()), _KEPT)
    .group_by(BackfillDate.backfill_id)
)


def backfill_standings(connection: Connection, ids: Collection[int]) -> dict[int, Standing]:
    """By id of a backfill, what it comes to."""
    bound = {"ids": bind(ids)}
    return _standings(ids, connection.execute(_BACKFILL_TALLIES, bound), connection.execute(_BACKFILL_SPANS, bound))


def date_standings(connection: Connection, ids: Collection[int]) -> dict[int, Standing]:
    """By id of a data timestamp, what it comes to."""
    bound = {"ids": bind(ids)}
    return _standings(ids, connection.execute(_DATE_TALLIES, bound), connection.execute(_DATE_SPANS, bound))


def _standings(ids: Iterable[int], tallies: Iterable[Any], spans: Iterable[Any]) -> dict[int, Standing]:
    counts: dict[int, Counter[Status]] = defaultdict(Counter)
    paused: Counter[int] = Counter()
    for id, status, is_paused, number in tallies:
        counts[id][Status(status)] += int(number)
        paused[id] += int(number) if is_paused else 0
    between: dict[int, Span] = {id: (started_at, ended_at) for id, started_at, ended_at in spans}
    return {id: _standing(counts[id], paused[id], *between.get(id, (None, None))) for id in ids}


def _standing(counts: Counter[Status], paused: int, started_at: int | None, ended_at: int | None) -> Standing:
    below = {status.normalised for status in counts}
    status = normalise(below)
    goes_on = status is NormalisedStatus.RUNNING or below & {NormalisedStatus.RUNNING, NormalisedStatus.WAITING}
    return Standing(
        status=status,
        paused=paused_suffix(paused, counts.total()),
        counts={each: counts[each] for each in Status if each in counts},
        started_at=started_at,
        ended_at=None if goes_on else ended_at,
    )
