"""Which upstream instances an instance waits for: a cycle says where to look, a policy says which of those count.

A declared `Dependency` is first resolved to a `Rule` (what it leaves open, the pair of cycles decides); the rule then
names the business dates to look at and selects from the instances found there. Selection is a few bisections, so
hourly against hourly stays cheap for thousands of tasks.

    rule = resolve(dependency, downstream, upstream, upstream_self_dependent)
    dates = business_dates(*rule, point.business_date)
    selection = select(*rule, point, candidates_on(dates), zone)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from dpconsole.core.domain.calendars import SUB_DAY, instant
from dpconsole.core.domain.definitions import Cycle, Dependency, DependencyCycle, Policy, UpstreamKind

Key = TypeVar("Key", bound=Hashable)

_DAY = timedelta(days=1)

SELF_ON_CURRENT = (
    "A task cannot wait for itself in the current cycle: use previous, last_n_days or last_24h as the cycle."
)


@dataclass(frozen=True, slots=True)
class Point(Generic[Key]):
    """An instance as selection sees it: its business date, its due time (UTC), and a key that is the caller's own."""

    business_date: date
    due: datetime
    key: Key


@dataclass(frozen=True, slots=True)
class Selection(Generic[Key]):
    """The upstream instances that must all succeed, in order of due time; vacuous when there was none to choose."""

    chosen: tuple[Point[Key], ...]

    @property
    def vacuous(self) -> bool:
        """Whether the edge holds nothing back: no upstream instance existed (section 10.2)."""
        return not self.chosen


class Rule(NamedTuple):
    """A dependency with nothing left open. Policy None is the preceding instance: the latest one due before (10.3)."""

    cycle: DependencyCycle
    policy: Policy | None
    days: int = 1


# -- what a dependency leaves open ------------------------------------------------------------------------------------

_SUB_DAY, _DAY_OR_MORE = True, False

_DEFAULT: dict[tuple[DependencyCycle, bool, bool], Policy | None] = {
    (DependencyCycle.CURRENT, _SUB_DAY, _SUB_DAY): Policy.NEAREST,
    (DependencyCycle.PREVIOUS, _SUB_DAY, _SUB_DAY): None,
}
"""By cycle, downstream and upstream; every other pair takes all instances (section 10.3)."""

_DEFAULT_ON_SELF_DEPENDENT: dict[tuple[DependencyCycle, bool, bool], Policy] = {
    (DependencyCycle.CURRENT, _DAY_OR_MORE, _SUB_DAY): Policy.NEAREST,
    (DependencyCycle.PREVIOUS, _DAY_OR_MORE, _SUB_DAY): Policy.LAST,
}
"""A self-dependent upstream runs in order, so that one of its instances vouches for those before it (AMB-9)."""


def defaults(
    downstream: Cycle, upstream: Cycle, upstream_self_dependent: bool, cycle: DependencyCycle | None
) -> tuple[DependencyCycle, Policy | None]:
    """The cycle (current unless given) and policy of a dependency that names no policy (section 10.3)."""
    cycle = cycle or DependencyCycle.CURRENT
    pair = (cycle, downstream in SUB_DAY, upstream in SUB_DAY)
    if upstream_self_dependent and pair in _DEFAULT_ON_SELF_DEPENDENT:
        return cycle, _DEFAULT_ON_SELF_DEPENDENT[pair]
    return cycle, _DEFAULT.get(pair, Policy.ALL)


def resolve(dependency: Dependency, downstream: Cycle, upstream: Cycle, upstream_self_dependent: bool) -> Rule:
    """The rule of a dependency on a task or on itself (sections 10.2 to 10.4).

    ValueError when a task depends on itself in the current cycle. The root and sibling nodes have no rule: the root
    always counts as succeeded, and a sibling is the one of the same table instance.
    """
    cycle = dependency.cycle
    if dependency.kind is UpstreamKind.SELF:
        cycle = cycle or DependencyCycle.PREVIOUS
        if cycle is DependencyCycle.CURRENT:
            raise ValueError(SELF_ON_CURRENT)
    cycle, policy = defaults(downstream, upstream, upstream_self_dependent, cycle)
    return Rule(cycle, dependency.policy or policy, dependency.days)


# -- where to look ----------------------------------------------------------------------------------------------------


def business_dates(cycle: DependencyCycle, policy: Policy | None, days: int, business_date: date) -> tuple[date, ...]:
    """The upstream business dates that could hold what the rule selects, in ascending order (section 10.2)."""
    first, last = _reach(cycle, policy, days)
    return tuple(business_date - back * _DAY for back in range(first, last - 1, -1))


def _reach(cycle: DependencyCycle, policy: Policy | None, days: int) -> tuple[int, int]:
    """How many days back the window begins and ends."""
    if policy is None and cycle is DependencyCycle.PREVIOUS:
        return 1, 0
    return {
        DependencyCycle.CURRENT: (0, 0),
        DependencyCycle.PREVIOUS: (1, 1),
        DependencyCycle.LAST_N_DAYS: (days, 1),
        DependencyCycle.LAST_24H: (2, 0),  # a skipped day moves due times forward by up to a day
    }[cycle]


# -- which of those count ---------------------------------------------------------------------------------------------


def select(
    cycle: DependencyCycle,
    policy: Policy | None,
    days: int,
    point: Point[Key],
    candidates: Sequence[Point[Key]],
    zone: ZoneInfo,
) -> Selection[Key]:
    """The upstream instances that the downstream `point` waits for (section 10.2).

    `candidates` are upstream instances in ascending order of business date, due time and ordinal, at least those of
    `business_dates`; others are ignored. `zone` is where times of day are compared.
    """
    considered = _considered(cycle, policy, days, point, candidates, zone)
    return Selection(tuple(_PICK[policy](considered, point, zone)))


def _considered(
    cycle: DependencyCycle,
    policy: Policy | None,
    days: int,
    point: Point[Key],
    candidates: Sequence[Point[Key]],
    zone: ZoneInfo,
) -> Sequence[Point[Key]]:
    if cycle is DependencyCycle.LAST_24H:
        since = _same_time(point, point.business_date - _DAY, zone)
        start = bisect_left(candidates, since, key=_due)
        return candidates[start : bisect_left(candidates, point.due, key=_due)]
    first, last = _reach(cycle, policy, days)
    start = bisect_left(candidates, point.business_date - first * _DAY, key=_business_date)
    return candidates[start : bisect_right(candidates, point.business_date - last * _DAY, key=_business_date)]


def _due(point: Point[Key]) -> datetime:
    return point.due


def _business_date(point: Point[Key]) -> date:
    return point.business_date


def _all(considered: Sequence[Point[Key]], point: Point[Key], zone: ZoneInfo) -> Sequence[Point[Key]]:
    return considered


def _first(considered: Sequence[Point[Key]], point: Point[Key], zone: ZoneInfo) -> Sequence[Point[Key]]:
    return considered[:1]


def _last(considered: Sequence[Point[Key]], point: Point[Key], zone: ZoneInfo) -> Sequence[Point[Key]]:
    return considered[-1:]


def _nearest(considered: Sequence[Point[Key]], point: Point[Key], zone: ZoneInfo) -> Sequence[Point[Key]]:
    """The earliest at or after the point's time of day; where there is none, the latest."""
    for group in _by_business_date(considered):
        index = bisect_left(group, _same_time(point, group[0].business_date, zone), key=_due)
        if index < len(group):
            return group[index : index + 1]
    return considered[-1:]


def _before(considered: Sequence[Point[Key]], point: Point[Key], zone: ZoneInfo) -> Sequence[Point[Key]]:
    """The latest at or before the point's time of day; where there is none, the latest."""
    for group in reversed(list(_by_business_date(considered))):
        index = bisect_right(group, _same_time(point, group[0].business_date, zone), key=_due)
        if index:
            return group[index - 1 : index]
    return considered[-1:]


def _preceding(considered: Sequence[Point[Key]], point: Point[Key], zone: ZoneInfo) -> Sequence[Point[Key]]:
    """The latest due before the point. Where the zone gives two of a task one due time, its own order decides."""
    index = bisect_left(considered, point.due, key=_due)
    same_due = considered[index : bisect_right(considered, point.due, key=_due)]
    index += same_due.index(point) if point in same_due else 0
    return considered[max(0, index - 1) : index]


_PICK: dict[Policy | None, Callable[[Sequence[Point[Key]], Point[Key], ZoneInfo], Sequence[Point[Key]]]] = {
    Policy.ALL: _all,
    Policy.FIRST: _first,
    Policy.LAST: _last,
    Policy.NEAREST: _nearest,
    Policy.BEFORE: _before,
    None: _preceding,
}


def _by_business_date(points: Sequence[Point[Key]]) -> Iterator[Sequence[Point[Key]]]:
    while points:
        end = bisect_right(points, points[0].business_date, key=_business_date)
        yield points[:end]
        points = points[end:]


def _same_time(point: Point[Key], business_date: date, zone: ZoneInfo) -> datetime:
    """The instant at which another business date shows the point's time of day."""
    if business_date == point.business_date:
        return point.due
    wall = point.due.astimezone(zone).replace(tzinfo=None)
    return instant(wall + (business_date - point.business_date), zone)
