"""The Gantt chart of a critical path: which instances it leads through, and what each of them waited for and ran.

The path is walked between executable rows and shown in listed ones, a logical table as a whole (section 14). From a
chosen start it keeps to what that start leads to. From the tenant root, which is no instance, it goes back as far as
something held something up: an upstream that had finished before a row came to be never kept it waiting, and so the
path does not lead through last night for the sake of a dependency on it that was met from the beginning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.baselines import committed_at
from dpconsole.core.domain.clock import Clock, to_datetime, to_ms
from dpconsole.core.domain.definitions import Unit
from dpconsole.core.domain.keys import node_key
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.forecasts import Forecast, forecast
from dpconsole.core.graph.critical import (
    LONGEST,
    NEVER,
    Bar,
    Coming,
    Path,
    PathRole,
    Requirement,
    critical_path,
    segments,
)
from dpconsole.core.store.critical_rows import (
    Part,
    made_at,
    read_below,
    read_candidates,
    read_held,
    read_listed,
    read_moments,
    read_parts,
    read_promises_over,
    recent_spans,
)
from dpconsole.core.store.definition_rows import read_timezone
from dpconsole.core.store.diagnosis import WALK_LIMIT, read_upstream, recent_durations
from dpconsole.core.store.pages import InstanceRow, instance_rows
from dpconsole.core.store.session import Store, current_rev

CANDIDATES = 10_000
"""Instances offered as the other end of a path; those due first."""

ROOT = "the tenant root"
"""What a path begins at where no start was chosen."""


@dataclass(frozen=True, slots=True)
class GanttRow:
    """An instance of the path and its bar."""

    row: InstanceRow
    bar: Bar

    @property
    def id(self) -> int:
        """The id of the instance."""
        return self.row.id


@dataclass(frozen=True, slots=True)
class Committed:
    """A baseline that covers the end of a path, and when it is to be done, UTC milliseconds."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Gantt:
    """A critical path, from its start to its end, at revision `rev` of the database.

    `start` is None for the tenant root. `rows` are the path's, and those that were shown before and are not on it any
    more; `ids` is the path. `ends_at` is when the end was done or will be, None where it never will by itself. Where
    the path is not there, or not whole, `words` says so.
    """

    start: InstanceRow | None
    end: InstanceRow
    ids: tuple[int, ...]
    rows: tuple[GanttRow, ...]
    ends_at: int | None
    committed: tuple[Committed, ...]
    words: str
    rev: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An instance that may be the other end; its label as section 14 writes it."""

    id: int
    label: str
    status: Status


def read_gantt(
    store: Store, clock: Clock, end_id: int, start_id: int | None = None, shown: Collection[int] = ()
) -> Gantt | None:
    """The critical path of an instance, in one snapshot of the store; None when it, or the start, is gone.

    `shown` are rows whose bars are wanted as well.
    """
    with store.read() as connection:
        return _read(connection, clock.now(), end_id, start_id, shown)


def candidates(store: Store, id: int, role: PathRole) -> list[Candidate]:
    """What may be chosen as the end of a path that starts at an instance, or as the start of one that ends there."""
    with store.read() as connection:
        zone = ZoneInfo(read_timezone(connection))
        listed = read_listed(connection, [id]).get(id, id)
        parts = [part.id for part in read_parts(connection, [listed])]
        found = read_candidates(connection, parts, below=role is PathRole.START, limit=CANDIDATES)
    return [
        Candidate(row.id, f"{row.name}({node_key(row.task_id)}, {_written(row.due_at, zone)})", row.status)
        for row in found
        if row.id != listed
    ]


def _written(ms: int, zone: ZoneInfo) -> str:
    return f"{to_datetime(ms, zone):%Y-%m-%d %H:%M:%S}"


# --- the path ---------------------------------------------------------------------------------------------------------


def _read(connection: Connection, now: int, end_id: int, start_id: int | None, shown: Collection[int]) -> Gantt | None:
    chosen = [end_id] if start_id is None else [end_id, start_id]
    listed = read_listed(connection, chosen)
    ends = {row.id: row for row in instance_rows(connection, list(listed.values()))}
    if not all(id in listed and listed[id] in ends for id in chosen):
        return None
    end = ends[listed[end_id]]
    start = None if start_id is None else ends[listed[start_id]]
    finishes = Finishes(connection, now)
    path = walk_back(connection, finishes, end.id, None if start is None else start.id)
    ids = _collapsed(connection, path.ids)
    rows = _rows(connection, finishes, list(dict.fromkeys((*ids, *shown))), now)
    done = finishes.of(read_parts(connection, [end.id]))
    last = max(done.values(), default=NEVER)
    return Gantt(
        start=start,
        end=end,
        ids=ids,
        rows=rows,
        ends_at=None if last == NEVER else last,
        committed=_committed(connection, end),
        words=_words(path, start, end),
        rev=current_rev(connection),
    )


def _words(path: Path, start: InstanceRow | None, end: InstanceRow) -> str:
    if not path.ids:
        return f"No path leads from {start.name if start else ROOT} to {end.name}."
    return f"The path goes further back than the {LONGEST} instances that are shown." if path.cut else ""


def walk_back(connection: Connection, finishes: Finishes, end: int, start: int | None) -> Path:
    """The critical path between two listed rows, in executable rows; `start` None goes back to the tenant root."""
    ends = finishes.of(read_parts(connection, [end]))
    if start is None:
        return critical_path(ends, finishes.that_held_up)
    starts = {part.id for part in read_parts(connection, [start])}
    if start == end:
        return critical_path(ends, lambda _: (), ends.keys())
    within = read_below(connection, starts)
    return critical_path(ends, finishes.required_by, starts, within)


def _collapsed(connection: Connection, parts: Sequence[int]) -> tuple[int, ...]:
    """The listed rows of a path; a table that it leads through twice stands where it came first."""
    listed = read_listed(connection, parts)
    return tuple(dict.fromkeys(listed[part] for part in parts))


class Finishes:
    """When rows succeeded, or will be done, or that they never will; estimates are made as they are asked for."""

    def __init__(self, connection: Connection, now: int, limit: int = WALK_LIMIT) -> None:
        self._connection, self._now, self._limit = connection, now, limit
        self._forecasts: dict[int, Forecast] = {}

    def of(self, parts: Iterable[Part]) -> dict[int, int]:
        """The finish of each of these rows."""
        parts = list(parts)
        self._learn({part.id for part in parts if part.status != Status.SUCCEEDED})
        return {part.id: self._finish(part.id, part.status, part.finished_at) for part in parts}

    def required_by(self, id: int) -> list[Requirement]:
        """The requirements of a row, each with the finish of its alternatives."""
        return self._requirements(id, since=None)

    def that_held_up(self, id: int) -> list[Requirement]:
        """The requirements of a row that were not met yet when it came to be."""
        return self._requirements(id, since=made_at(self._connection, id))

    def coming(self, parts: Iterable[Part]) -> Coming | None:
        """What the estimate says of a listed row with these executable rows; None where it says nothing."""
        open_ = {part.id for part in parts if part.status != Status.SUCCEEDED}
        self._learn(open_)
        found = [(id, self._forecasts[id]) for id in open_]
        if not found or not all(id in some.done for id, some in found):
            return None
        return Coming(
            upstreams_at=min(some.upstreams_at(id, self._now) for id, some in found),
            begins_at=min(some.begins_at(id) for id, some in found),
            ends_at=max(some.done[id] for id, some in found),
        )

    def still_required_by(self, id: int) -> list[Requirement]:
        """The requirements of a row that are not met yet; nothing is read for it."""
        found = self._forecasts.get(id)
        waits_for = found.works[id].requirements if found and id in found.works else ()
        return [{up: self._finish(up, "", None) for up in some if up in self._forecasts} for some in waits_for]

    def _requirements(self, id: int, since: int | None) -> list[Requirement]:
        held = read_held(self._connection, id)
        self._learn({up.id for up in held if up.status != Status.SUCCEEDED})
        found: dict[int, dict[int, int]] = {}
        for up in held:
            found.setdefault(up.requirement, {})[up.id] = self._finish(up.id, up.status, up.finished_at)
        return [one for one in found.values() if since is None or min(one.values()) > since]

    def _learn(self, ids: Collection[int]) -> None:
        new = [id for id in ids if id not in self._forecasts]
        if new:
            found = forecast(self._connection, read_upstream(self._connection, new, self._limit), self._now)
            self._forecasts.update({id: found for id in {*found.works, *new} if id not in self._forecasts})

    def _finish(self, id: int, status: str, finished_at: int | None) -> int:
        if status == Status.SUCCEEDED:
            return finished_at or 0
        return self._forecasts[id].done.get(id, NEVER)


# --- the bars ---------------------------------------------------------------------------------------------------------


def _rows(connection: Connection, finishes: Finishes, ids: Sequence[int], now: int) -> tuple[GanttRow, ...]:
    rows = instance_rows(connection, ids)
    moments = read_moments(connection, [row.id for row in rows])
    parts: dict[int, list[Part]] = {}
    for part in read_parts(connection, ids):
        parts.setdefault(part.listed, []).append(part)
    usual = _usual(connection, rows)
    return tuple(
        GanttRow(
            row, Bar(segments(moments.get(row.id, ()), now, finishes.coming(parts.get(row.id, ()))), usual[row.id])
        )
        for row in rows
    )


def _usual(connection: Connection, rows: Sequence[InstanceRow]) -> Mapping[int, int | None]:
    """By row: the middle one of the recent durations of its task."""
    runners = {row.id: (row.task_id, 0) for row in rows if row.unit != Unit.LOGICAL_TABLE}
    durations = recent_durations(connection, set(runners.values()))
    spans = {row.task_id: recent_spans(connection, row.task_id) for row in rows if row.id not in runners}
    took = {row.id: durations.get(runners[row.id], ()) if row.id in runners else spans[row.task_id] for row in rows}
    return {id: int(median(some)) if some else None for id, some in took.items()}


def _committed(connection: Connection, end: InstanceRow) -> tuple[Committed, ...]:
    """The promises the end was made in; of those that only protect it on the way to another end, the earliest."""
    day, zone = date.fromisoformat(end.business_date), ZoneInfo(end.zone)
    over = read_promises_over(connection, end.task_id)
    own = [promise for promise, is_end in over if is_end] or [promise for promise, _ in over[:1]]
    return tuple(Committed(one.name, to_ms(committed_at(one, day, zone))) for one in own)
