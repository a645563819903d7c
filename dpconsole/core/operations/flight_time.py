"""When a backfill will be done, as far as that can be said before it has begun.

Calendar arithmetic says which scheduled times every data timestamp has, without making an instance. Each run takes the
median of its recent runs. A data timestamp then takes as long as the longest path through it; those of one queue come
one after the other, those of different queues side by side; a future one does not begin before its time. The whole
cannot be faster than its work allows: all runs that share a resource group or a throttling rule, over its slots. Other
work on those slots, retries and failures are left out, and what never ran counts as nothing: it is an early guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.backfill_form import BackfillForm, Handling
from dpconsole.core.domain.clock import to_ms
from dpconsole.core.domain.definitions import Method, Origin, ResourceGroup, Schedule, Task, TaskType, ThrottlingRule
from dpconsole.core.domain.throttling import Attributes, matches
from dpconsole.core.graph.tasks import Coverage, Executable, TaskGraph
from dpconsole.core.store.diagnosis import recent_durations


class Load(NamedTuple):
    """What a schedule has on a data timestamp: instances, those that really run, first and last due time (UTC ms)."""

    instances: int
    runs: int
    first: int
    last: int


NOTHING = Load(0, 0, 0, 0)


class Calendar:
    """The load of every schedule on every data timestamp, each worked out once."""

    def __init__(self, form: BackfillForm, zone: ZoneInfo) -> None:
        self._form = form
        self._zone = zone
        self._loads: dict[tuple[Schedule, date], Load] = {}

    def load(self, schedule: Schedule, day: date) -> Load:
        """What a schedule has on a data timestamp."""
        key = schedule, day
        if key not in self._loads:
            self._loads[key] = self._work_out(schedule, day)
        return self._loads[key]

    def _work_out(self, schedule: Schedule, day: date) -> Load:
        found = self._form.occurrences(schedule, day, self._zone)
        if not found:
            return NOTHING
        runs = sum(not one.placeholder for one in found)
        return Load(len(found), runs, to_ms(found[0].due), to_ms(found[-1].due))


class Slots(NamedTuple):
    """A resource group or a throttling rule that a backfill goes through, and how many of its slots it may take."""

    kind: str
    name: str
    slots: int
    takes: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """When a backfill begins and will be done (UTC ms) and how long its longest data timestamp takes (ms).

    `unknown` counts the executables that never succeeded so far: their runs count as nothing.
    """

    begins_at: int
    ends_at: int
    longest_ms: int
    unknown: int
    slots: tuple[Slots, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What a backfill does, as the estimate sees it."""

    form: BackfillForm
    coverage: Coverage
    graph: TaskGraph
    calendar: Calendar
    groups: Mapping[str, ResourceGroup]
    rules: Mapping[str, ThrottlingRule]

    def task(self, part: Executable) -> Task:
        """The task that an executable belongs to."""
        return self.graph.tasks[part[0]].task


def estimate(
    connection: Connection, work: Work, queues: Sequence[Sequence[date]], begins_at: int, check: Callable[[], None]
) -> Estimate:
    """Estimate a backfill whose data timestamps are dealt to these queues; `check` is called now and then."""
    parts = list(work.coverage.executables(work.graph.tasks))
    real = [part for part in parts if _works(work, part)]
    recent = recent_durations(connection, {(task, node or 0) for task, node in real})
    took = {part: int(median(some)) for part in real if (some := recent.get((part[0], part[1] or 0)))}
    paths = _Paths(work, parts, took)
    ends = [_run_queue(paths, queue, begins_at, check) for queue in queues]
    slots = _slots(work, real, len(queues))
    shortest = max((_work_ms(work, some, took, queues) // one.slots for one, some in slots.items()), default=0)
    return Estimate(
        begins_at=begins_at,
        ends_at=max([begins_at + shortest, *ends]),
        longest_ms=paths.longest,
        unknown=len(real) - len(took),
        slots=tuple(slots),
    )


def _works(work: Work, part: Executable) -> bool:
    """Whether the runs of an executable do anything: what is dry or kept paused does not."""
    task, form = work.task(part), work.form
    is_dry = task.method is Method.DRY_RUN and form.dry_run_tasks is Handling.KEEP
    is_held = task.method is Method.PAUSED and form.paused_tasks is Handling.KEEP
    is_dry_start = form.dry_run_start and work.coverage.levels[part[0]] == 0
    return not (is_dry or is_held or is_dry_start or task.type is TaskType.VIRTUAL)


def _run_queue(paths: _Paths, queue: Sequence[date], begins_at: int, check: Callable[[], None]) -> int:
    at = begins_at
    for day in queue:
        check()
        at = paths.end_of(day, at)
    return at


class _Paths:
    """How long the longest path through a data timestamp takes; those with the same load take the same."""

    def __init__(self, work: Work, parts: Sequence[Executable], took: Mapping[Executable, int]) -> None:
        self._work = work
        self._took = took
        self._schedules = {part: work.task(part).schedule for part in parts}
        self._distinct = list(dict.fromkeys(self._schedules.values()))
        self._above = _above(work.graph, self._schedules)
        self._order = _ordered(self._above)
        self._known: dict[tuple[int, ...], int] = {}
        self.longest = 0

    def end_of(self, day: date, at: int) -> int:
        """When a data timestamp is done that may begin at a moment, UTC milliseconds."""
        loads = {schedule: self._work.calendar.load(schedule, day) for schedule in self._distinct}
        profile = tuple(load.runs for load in loads.values())
        if profile not in self._known:
            self._known[profile] = self._longest({schedule: load.runs for schedule, load in loads.items()})
            self.longest = max(self.longest, self._known[profile])
        due = [load for load in loads.values() if load.runs]
        begin = max(at, min((load.first for load in due), default=at))
        return max(begin + self._known[profile], max((load.last for load in due), default=at))

    def _longest(self, runs: Mapping[Schedule, int]) -> int:
        """Runs of a self-dependent task come one after the other; all others of a data timestamp side by side."""
        done: dict[Executable, int] = {}
        for part in self._order:
            number = runs[self._schedules[part]]
            chained = number if self._work.task(part).is_self_dependent else min(number, 1)
            before = max((done[up] for up in self._above[part]), default=0)
            done[part] = before + self._took.get(part, 0) * chained
        return max(done.values(), default=0)


Above = Mapping[Executable, Sequence[Executable]]


def _above(graph: TaskGraph, covered: Iterable[Executable]) -> Above:
    """What each covered executable waits for on its own data timestamp."""
    above: dict[Executable, list[Executable]] = {part: [] for part in covered}
    for up in above:
        for edge in graph.below.get(up, ()):
            if not edge.crosses and edge.down in above:
                above[edge.down].append(up)
    return above


def _ordered(above: Above) -> list[Executable]:
    """Upstream first; definitions that wait for each other in a circle have no path, and no length."""
    try:
        return list(TopologicalSorter(above).static_order())
    except CycleError:
        return []


# --- slots ------------------------------------------------------------------------------------------------------------


def _slots(work: Work, real: Iterable[Executable], queues: int) -> dict[Slots, list[Executable]]:
    """The groups and rules that the runs go through, and which go through each."""
    shared: dict[tuple[str, str, int], list[Executable]] = defaultdict(list)
    for part in real:
        task = work.task(part)
        if group := work.groups.get(task.run.resource_group):
            shared["resource group", group.name, group.slots].append(part)
        for rule in work.rules.values():
            if matches(rule, attributes(task, Origin.BACKFILL, work.form)):
                shared["throttling rule", rule.name, rule.limit].append(part)
    return {
        Slots(kind, name, max(1, slots), min(slots, queues * len(parts))): parts
        for (kind, name, slots), parts in shared.items()
    }


def attributes(task: Task, origin: Origin, form: BackfillForm) -> Attributes:
    """What throttling rules see of a run of a task."""
    return Attributes(task.project, origin, task.type, frozenset(task.tags), form.environment)


def _work_ms(
    work: Work, parts: Iterable[Executable], took: Mapping[Executable, int], queues: Iterable[Sequence[date]]
) -> int:
    """All the time that runs of these executables take."""
    by_schedule: dict[Schedule, int] = defaultdict(int)
    for part in parts:
        by_schedule[work.task(part).schedule] += took.get(part, 0)
    days = [day for queue in queues for day in queue]
    return sum(
        each * sum(work.calendar.load(schedule, day).runs for day in days) for schedule, each in by_schedule.items()
    )
