"""How far a backfill is, data timestamp by data timestamp, and when it will be done at this concurrency.

Progress is read from the tally. What is in flight is estimated like everything else that is unfinished; what waits in a
queue takes as long as the data timestamps that are done took, or else as the ones in flight will, one after the other.
A queue that only an operator can move on - a failure holds it, or a pause - has no end (sections 7 and 8.2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import median
from typing import Any

from sqlalchemy import Connection

from dpconsole.core.domain.backfills import DateState
from dpconsole.core.domain.keys import date_key
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.forecasts import forecast
from dpconsole.core.store.backfill_sql import dates_of, left_to_run
from dpconsole.core.store.diagnosis import WALK_LIMIT, read_upstream
from dpconsole.core.store.standings import Standing, backfill_standings, date_standings


@dataclass(frozen=True, slots=True)
class DateProgress:
    """How far one data timestamp is. `eta`, UTC ms, is None where it has ended, is left out, or will not end itself."""

    id: int
    key: str
    business_date: str
    state: DateState
    queue: int
    position: int
    begun_at: int | None
    standing: Standing
    eta: int | None

    @property
    def done(self) -> int:
        """Instances that have succeeded."""
        return self.standing.counts.get(Status.SUCCEEDED, 0)


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """How far a backfill is: its data timestamps by queue and turn, and what they come to.

    `eta`, UTC ms, is when the last will be done; None where it has ended, or some will not end by themselves.
    """

    standing: Standing
    dates: tuple[DateProgress, ...]
    eta: int | None

    @property
    def done(self) -> int:
        """Instances that have succeeded."""
        return self.standing.counts.get(Status.SUCCEEDED, 0)

    @property
    def total(self) -> int:
        """Instances of all data timestamps that are not left out."""
        return self.standing.nodes


def read_progress(connection: Connection, backfill_id: int, now: int) -> BackfillProgress:
    """How far a backfill is at `now`, UTC milliseconds; one that does not exist is an empty one."""
    dates = sorted(dates_of(connection, backfill_id), key=attrgetter("queue", "position"))
    standings = date_standings(connection, [date.id for date in dates])
    ends = _ends(dates, standings, _in_flight(connection, dates, now), now)
    below = tuple(_date(date, standings[date.id], ends[date.id]) for date in dates)
    to_come = [date.eta for date in below if date.state in (DateState.WAITING, DateState.BEGUN)]
    eta = None if None in to_come else max((end for end in to_come if end is not None), default=None)
    return BackfillProgress(backfill_standings(connection, [backfill_id])[backfill_id], below, eta)


def _date(row: Any, standing: Standing, eta: int | None) -> DateProgress:
    return DateProgress(
        id=row.id,
        key=date_key(row.id),
        business_date=row.business_date,
        state=DateState(row.state),
        queue=row.queue,
        position=row.position,
        begun_at=row.begun_at,
        standing=standing,
        eta=eta,
    )


def _in_flight(connection: Connection, dates: Sequence[Any], now: int) -> dict[int, int | None]:
    """When the data timestamps that have begun will be done; None for those that will not be by themselves."""
    unfinished = left_to_run(connection, [date.id for date in dates if date.state == DateState.BEGUN])
    ids = [id for some in unfinished.values() for id in some]
    if not ids:
        return dict.fromkeys(unfinished, now)
    done = forecast(connection, read_upstream(connection, set(ids), len(ids) + WALK_LIMIT), now).done
    return {date: _last(done, some, now) for date, some in unfinished.items()}


def _last(done: Mapping[int, int], ids: Sequence[int], now: int) -> int | None:
    return max((done[id] for id in ids), default=now) if all(id in done for id in ids) else None


def _ends(
    dates: Sequence[Any], standings: Mapping[int, Standing], in_flight: Mapping[int, int | None], now: int
) -> dict[int, int | None]:
    """When each data timestamp will be done; the ones of a queue come one after the other."""
    takes = _length(dates, standings, in_flight, now)
    free_at: dict[int, int | None] = defaultdict(lambda: now)
    ends: dict[int, int | None] = dict.fromkeys((date.id for date in dates), None)
    for date in dates:
        if date.state == DateState.BEGUN:
            ends[date.id] = in_flight[date.id]
            free_at[date.queue] = _later(free_at[date.queue], in_flight[date.id])
        elif date.state == DateState.WAITING:
            free = free_at[date.queue]
            ends[date.id] = free_at[date.queue] = None if free is None or takes is None else free + takes
    return ends


def _later(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _length(
    dates: Sequence[Any], standings: Mapping[int, Standing], in_flight: Mapping[int, int | None], now: int
) -> int | None:
    """How long a data timestamp takes, ms: as those that are done took, or else as those in flight will."""
    ended = {date.id: standings[date.id].ended_at for date in dates if date.state == DateState.DONE}
    for ends in (ended, in_flight):
        took = [end - (standings[id].started_at or now) for id, end in ends.items() if end is not None]
        if took:
            return int(median(took))
    return None
