"""What an operator asks for when creating a backfill: the form of section 7, as a value.

The value says nothing that only the store knows; which tasks it comes to is worked out from the definitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dpconsole.core.domain.backfills import Recurrence
from dpconsole.core.domain.calendars import SUB_DAY, Occurrence, cycle_of, occurrences
from dpconsole.core.domain.definitions import Environment, Schedule

NAME_LIMIT = 128
LIST_LIMIT = 2000
"""Tasks that list mode takes; more want massive mode (section 7)."""

LEVELS_LIMIT = 10
"""The deepest level that can be asked for by number."""

ALL_DAY = (time(0, 0), time(23, 59))
"""The hour window that leaves nothing out."""


class Mode(StrEnum):
    """How the tasks below the start are chosen (section 7)."""

    CURRENT = "current"
    LIST = "list"
    MASSIVE = "massive"


class Handling(StrEnum):
    """What becomes of instances of paused, or of dry-run tasks (section 7)."""

    NORMAL = "normal"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class DateRange:
    """Data timestamps from `first` to `last`, both included."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        for day in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=day)


@dataclass(frozen=True, slots=True)
class Offsets:
    """Data timestamps of a periodic backfill, in days before the run day: T-1 is 1; `first` is the farther one."""

    first: int = 1
    last: int = 1

    def on(self, run_day: date) -> DateRange:
        """The data timestamps on a run day."""
        return DateRange(run_day - timedelta(days=self.first), run_day - timedelta(days=self.last))


@dataclass(frozen=True, slots=True)
class Filters:
    """Which of the downstream tasks massive mode includes or excludes; an empty one says nothing (section 7).

    `names` match a part of a task's name, `outputs` of its output table; `sources` are tasks from which it must be
    reached, `targets` tasks it must lead to, both by key.
    """

    projects: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Periodic:
    """When a periodic backfill is due: at a time of day in the workspace's zone, on some run days (section 7)."""

    recurrence: Recurrence
    at: time
    weekdays: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BackfillForm:
    """A backfill as it was asked for (section 7).

    `tasks` are the keys of the start tasks, `fields` those of a logical start, none for the entire table. `levels` None
    is all levels; `chosen` narrows what list mode finds to these keys. Either `ranges` say the data timestamps, or
    `offsets` for a periodic one. Both ends of `hours` are included. `parameters` apply to every task, `task_parameters`
    to one, as (task key, name, value). `at` is UTC milliseconds, None for at once.
    """

    tasks: tuple[str, ...]
    name: str = ""
    fields: tuple[str, ...] = ()
    mode: Mode = Mode.CURRENT
    levels: int | None = None
    hide_paused: bool = True
    chosen: tuple[str, ...] | None = None
    include: Filters = Filters()
    exclude: Filters = Filters()
    ranges: tuple[DateRange, ...] = ()
    offsets: tuple[Offsets, ...] = ()
    hours: tuple[time, time] = ALL_DAY
    groups: int = 1
    ascending: bool = True
    paused_tasks: Handling = Handling.NORMAL
    dry_run_tasks: Handling = Handling.NORMAL
    dry_run_start: bool = False
    parameters: tuple[tuple[str, str], ...] = ()
    task_parameters: tuple[tuple[str, str, str], ...] = ()
    at: int | None = None
    periodic: Periodic | None = None
    environment: Environment = Environment.PROD

    @property
    def dates(self) -> tuple[date, ...]:
        """The distinct data timestamps, in ascending order."""
        return tuple(sorted({day for some in self.ranges for day in some}))

    @property
    def runs_at_once(self) -> bool:
        """Whether it is submitted as soon as it is created."""
        return self.at is None and self.periodic is None

    def occurrences(self, schedule: Schedule, business_date: date, zone: ZoneInfo) -> tuple[Occurrence, ...]:
        """What of a schedule is made up for on a data timestamp: of hourly and minutely ones the hour window alone."""
        every = occurrences(schedule, business_date, zone)
        if self.hours == ALL_DAY or cycle_of(schedule) not in SUB_DAY:
            return every
        first, last = self.hours
        return tuple(one for one in every if first <= one.due.astimezone(zone).time().replace(second=0) <= last)
