"""Finds instances that would wait for each other for ever, where no circle of current-cycle dependencies says so.

The instance before on the clock, and those of the last 24 hours, may be of the same business date (sections 10.2 and
10.3); whether they are is a matter of due times. So tasks that wait for each other by way of any dependency are laid
out as the instances of one business date, each with the upstream instances that generation would choose, and the
circle is looked for among those. No dependency reaches a later business date, so that one date shows every circle. It
is one on which all of them run, on which the clock does nothing unusual, and before which there are no instances: what
waits for itself in the first night keeps the later ones waiting too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from zoneinfo import ZoneInfo

from dpconsole.core.domain.calendars import cycle_of, times_of_day
from dpconsole.core.domain.definitions import Dependency, DependencyCycle, Schedule, Task, UpstreamKind
from dpconsole.core.domain.dependencies import Point, Rule, business_dates, resolve, select
from dpconsole.core.workspace.cycles import MOST_REPORTED, Executable, executables, is_current, upstreams_of

Instance = tuple[Executable, int]
"""An executable, and the position of a scheduled time among those of its day."""

_DATE = date(2001, 1, 1)
_MIDNIGHT = datetime.combine(_DATE, time(), UTC)
_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class InstanceCycle:
    """Instances in a circle, and a dependency of `task` in it, one that looks at more than the current cycle.

    The path holds executables and times of day, upstream first, the first one repeated at the end; it begins with the
    earliest.
    """

    path: tuple[tuple[Executable, time], ...]
    task: str
    dependency: Dependency


def instance_cycles(tasks: Iterable[Task], known: Collection[Executable] = ()) -> list[InstanceCycle]:
    """Circles of instances of one business date; none shares an executable, neither with another nor with `known`.

    ValueError for a bad cron.
    """
    by_id = {task.id: task for task in tasks}
    waits = {node: upstreams for node, upstreams in _waits(by_id).items() if node not in known}
    found: list[InstanceCycle] = []
    while len(found) < MOST_REPORTED and (knot := _knot(waits)):
        day = _Day.of(knot, by_id)
        instance = _on_a_circle(day)
        if instance is None:
            break
        found.append(_described(_shortest_circle(instance, day), day))
        met = {executable for executable, _ in found[-1].path}
        waits = {node: waits[node] for node in knot - met}
    return found


# -- who may wait for whom --------------------------------------------------------------------------------------------


def _waits(tasks: dict[str, Task]) -> dict[Executable, list[Executable]]:
    return {
        executable: [upstream for each in declared for upstream in _upstreams(each, task, tasks)]
        for task in tasks.values()
        for executable, declared in executables(task)
    }


def _upstreams(dependency: Dependency, task: Task, tasks: dict[str, Task]) -> list[Executable]:
    """What other executables a dependency may hold up on the same business date."""
    upstreams = upstreams_of(dependency, task, tasks) if dependency.enabled else []
    if not upstreams or is_current(dependency):
        return upstreams
    dates = business_dates(*_resolved(dependency, task, tasks[upstreams[0][0]]), _DATE)
    return upstreams if _DATE in dates else []


def _resolved(dependency: Dependency, task: Task, upstream: Task) -> Rule:
    return resolve(dependency, cycle_of(task.schedule), cycle_of(upstream.schedule), upstream.is_self_dependent)


def _knot(waits: Mapping[Executable, Iterable[Executable]]) -> set[Executable]:
    """Those on a circle, and those on the way from one circle to another."""
    held = _held(waits)
    downstreams: dict[Executable, list[Executable]] = {node: [] for node in held}
    for node in held:
        for upstream in held.intersection(waits[node]):
            downstreams[upstream].append(node)
    return _held(downstreams)


def _held(waits: Mapping[Executable, Iterable[Executable]]) -> set[Executable]:
    """Those whose turn never comes, because they wait for a circle or are on one."""
    held, sorter = set(waits), TopologicalSorter(waits)
    with suppress(CycleError):
        sorter.prepare()
    while ready := sorter.get_ready():
        held.difference_update(ready)
        sorter.done(*ready)
    return held


# -- one business date ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Edge:
    """A dependency, what it points at, and for each scheduled time of the downstream those of the upstream it chooses.

    Scheduled times are positions; whatever a policy chooses stands side by side.
    """

    dependency: Dependency
    upstreams: tuple[Executable, ...]
    chosen: tuple[range, ...]


@dataclass(frozen=True, slots=True)
class _Day:
    """The instances of some executables on one business date, and the scheduled times of their tasks."""

    edges: dict[Executable, tuple[_Edge, ...]]
    times: dict[str, tuple[timedelta, ...]]

    @classmethod
    def of(cls, knot: Collection[Executable], tasks: dict[str, Task]) -> _Day:
        ids = dict.fromkeys(task for task, _ in sorted(knot))
        edges = {
            executable: tuple(_edges(executable, declared, knot, tasks))
            for id_ in ids
            for executable, declared in executables(tasks[id_])
            if executable in knot
        }
        return cls(edges, {id_: times_of_day(tasks[id_].schedule) for id_ in ids})

    def instances(self) -> Iterator[Instance]:
        """Every instance."""
        for executable in self.edges:
            yield from ((executable, number) for number, _ in enumerate(self.times[executable[0]]))

    def upstreams(self, instance: Instance) -> Iterator[Instance]:
        """What an instance waits for."""
        executable, number = instance
        for edge in self.edges[executable]:
            for chosen in edge.chosen[number]:
                for upstream in edge.upstreams:
                    yield upstream, chosen

    def between(self, upstream: Instance, downstream: Instance) -> Iterator[Dependency]:
        """The dependencies by which one instance waits for another."""
        executable, number = downstream
        for edge in self.edges[executable]:
            if upstream[0] in edge.upstreams and upstream[1] in edge.chosen[number]:
                yield edge.dependency

    def due(self, instance: Instance) -> datetime:
        """When an instance is due."""
        executable, number = instance
        return _MIDNIGHT + self.times[executable[0]][number]


def _edges(
    executable: Executable, declared: Iterable[Dependency], knot: Collection[Executable], tasks: dict[str, Task]
) -> Iterator[_Edge]:
    """The edges inside a knot; there an earlier instance of the executable itself is one more on the way."""
    task = tasks[executable[0]]
    for dependency in declared:
        pointed_at = [executable] if _is_earlier_self(dependency) else _upstreams(dependency, task, tasks)
        upstreams = tuple(upstream for upstream in pointed_at if upstream in knot)
        if upstreams:
            upstream = tasks[upstreams[0][0]]
            is_sibling = dependency.kind is UpstreamKind.NODE and is_current(dependency)
            rule = None if is_sibling else _resolved(dependency, task, upstream)
            yield _Edge(dependency, upstreams, _choices(rule, task.schedule, upstream.schedule))


def _is_earlier_self(dependency: Dependency) -> bool:
    is_self = dependency.kind is UpstreamKind.SELF and dependency.enabled
    return is_self and dependency.cycle is not DependencyCycle.CURRENT


@lru_cache(maxsize=256)
def _choices(rule: Rule | None, downstream: Schedule, upstream: Schedule) -> tuple[range, ...]:
    """What a rule chooses for each scheduled time; without a rule, the very same one."""
    points, candidates = _points(downstream), _points(upstream)
    if rule is None:
        return tuple(range(point.key, point.key + 1) for point in points)
    return tuple(_positions(select(*rule, point, candidates, _ZONE).chosen) for point in points)


def _points(schedule: Schedule) -> tuple[Point[int], ...]:
    return tuple(Point(_DATE, _MIDNIGHT + at, number) for number, at in enumerate(times_of_day(schedule)))


def _positions(chosen: tuple[Point[int], ...]) -> range:
    return range(chosen[0].key, chosen[-1].key + 1) if chosen else range(0)


# -- the circle -------------------------------------------------------------------------------------------------------


def _on_a_circle(day: _Day) -> Instance | None:
    """Any instance that waits for itself in the end; upstreams are worked out as they are come to, and only once."""
    done: set[Instance] = set()
    for start in day.instances():
        path = {} if start in done else {start: day.upstreams(start)}
        while path:
            instance, upstreams = next(reversed(path.items()))
            upstream = next((each for each in upstreams if each not in done), None)
            if upstream is None:
                done.add(instance)
                path.popitem()
            elif upstream in path:
                return upstream
            else:
                path[upstream] = day.upstreams(upstream)
    return None


def _shortest_circle(instance: Instance, day: _Day) -> list[Instance]:
    """The shortest way from an instance back to itself, upstream first, both ends included."""
    downstream: dict[Instance, Instance] = {}
    queue = deque([instance])
    while instance not in downstream:
        here = queue.popleft()
        for upstream in day.upstreams(here):
            if upstream not in downstream:
                downstream[upstream] = here
                queue.append(upstream)
    path = [instance, downstream[instance]]
    while path[-1] != instance:
        path.append(downstream[path[-1]])
    return path


def _described(circle: list[Instance], day: _Day) -> InstanceCycle:
    ring = circle[:-1]
    start = min(range(len(ring)), key=lambda index: day.due(ring[index]))
    turned = [*ring[start:], *ring[: start + 1]]
    steps = (
        (executable, dependency)
        for upstream, (executable, number) in pairwise(turned)
        for dependency in day.between(upstream, (executable, number))
    )
    (task, _), dependency = min(steps, key=lambda step: is_current(step[1]))
    return InstanceCycle(tuple((each[0], day.due(each).time()) for each in turned), task, dependency)
