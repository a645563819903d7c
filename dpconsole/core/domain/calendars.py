"""When a task runs: which scheduled times a business date holds, and which instants they are.

Generation is arithmetic: the same schedule, business date and zone always give the same occurrences, so a missed
night can be made up for and a repeated one adds nothing. Each wall-clock time is exactly one occurrence and exactly
one instant, whatever the zone does that day: ordinals are dense from 1 and due times never go back.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from dpconsole.core.domain.clock import run_day
from dpconsole.core.domain.definitions import LAST_DAY, Cycle, Schedule

SUB_DAY: frozenset[Cycle] = frozenset({Cycle.MINUTE, Cycle.HOUR})
"""Cycles with several occurrences a business date; all others have one, on their off-days a placeholder."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One scheduled time of a business date: 1-based ordinal, due time in UTC, and whether it is a placeholder."""

    ordinal: int
    due: datetime
    placeholder: bool


def occurrences(schedule: Schedule, business_date: date, zone: ZoneInfo) -> tuple[Occurrence, ...]:
    """The occurrences of one business date, in order of ordinal and due time (sections 3 and 10.5).

    Empty outside the effective window, and where a sub-day cron names other days. ValueError for a bad cron.
    """
    day = run_day(business_date)
    if not _is_effective(schedule, day):
        return ()
    plan = _plan(schedule)
    if plan.runs_on(day):
        return _due(plan.seconds, day, zone, placeholder=False)
    return () if plan.cycle in SUB_DAY else _due(plan.seconds[:1], day, zone, placeholder=True)


def times_of_day(schedule: Schedule) -> tuple[timedelta, ...]:
    """The scheduled times of a day that the schedule runs on, on the wall clock; ValueError for a bad cron."""
    return tuple(timedelta(seconds=second) for second in _plan(schedule).seconds)


def cycle_of(schedule: Schedule) -> Cycle:
    """The schedule period, that of a cron derived from its fields; ValueError for a bad cron (section 10.5)."""
    return _plan(schedule).cycle


def describe(schedule: Schedule) -> str:
    """The schedule in words: `every day at 02:00`, `every 2 hours 00:00-23:59`, `cron 30 2 * * 1-5`."""
    said = f"cron {schedule.cron}" if schedule.cron else _describe_cycle(schedule)
    since = f", from {schedule.effective_from}" if schedule.effective_from else ""
    until = f", until {schedule.effective_to}" if schedule.effective_to else ""
    return said + since + until


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The one UTC instant of a naive wall-clock time in `zone` (section 10.5).

    A time the zone skips is the first instant after the gap; a time it repeats is the first of the two.
    """
    first, second = wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)
    skipped = _offset(first) < _offset(second)
    return _end_of_gap(first, second) if skipped else first.astimezone(UTC)


def _end_of_gap(first: datetime, second: datetime) -> datetime:
    """The change of offset between the two readings of a skipped wall-clock time, to the second."""
    zone, offset = first.tzinfo, _offset(second)
    start = second.astimezone(UTC)
    seconds = int((first.astimezone(UTC) - start).total_seconds())

    def has_changed(after: int) -> bool:
        return _offset((start + timedelta(seconds=after)).astimezone(zone)) == offset

    return start + timedelta(seconds=bisect_left(range(seconds), True, key=has_changed))


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()


# -- the days and times of a schedule ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    """A schedule worked out once: its cycle, its wall-clock times in seconds of the day, and the days it names."""

    cycle: Cycle
    seconds: tuple[int, ...]
    runs_on: Callable[[date], bool]


@lru_cache(maxsize=8192)
def _plan(schedule: Schedule) -> _Plan:
    if schedule.cron is not None:
        return _plan_cron(schedule.cron)
    return _Plan(schedule.cycle, _seconds(schedule), lambda day: _RUNS_ON[schedule.cycle](schedule, day))


def _seconds(schedule: Schedule) -> tuple[int, ...]:
    if schedule.cycle not in SUB_DAY:
        return (_second(schedule.at[0]) if schedule.at else 0,)
    if schedule.at:
        return tuple(sorted({_second(at) for at in schedule.at}))
    return tuple(range(_second(schedule.start), _second(schedule.end) + 1, schedule.interval * 60))


def _second(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


def _is_month_day(schedule: Schedule, day: date) -> bool:
    is_last = (day + timedelta(days=1)).day == 1
    return day.day in schedule.month_days or (is_last and LAST_DAY in schedule.month_days)


def _every_day(schedule: Schedule, day: date) -> bool:
    return True


_RUNS_ON: dict[Cycle, Callable[[Schedule, date], bool]] = {
    Cycle.MINUTE: _every_day,
    Cycle.HOUR: _every_day,
    Cycle.DAY: _every_day,
    Cycle.WEEK: lambda schedule, day: day.isoweekday() in schedule.weekdays,
    Cycle.MONTH: _is_month_day,
    Cycle.YEAR: lambda schedule, day: (day.month, day.day) in schedule.year_days,
}


def _is_effective(schedule: Schedule, day: date) -> bool:
    return (schedule.effective_from or date.min) <= day <= (schedule.effective_to or date.max)


# -- cron -------------------------------------------------------------------------------------------------------------

_ANY_YEAR = datetime(2000, 1, 1)  # noqa: DTZ001 - only the parsed fields are used, never a date


def _plan_cron(expression: str) -> _Plan:
    cron = _parse_cron(expression)
    seconds = tuple(sorted(hour * 3600 + minute * 60 for hour in cron.hours for minute in cron.minutes))
    return _Plan(_cycle_of_cron(cron), seconds, lambda day: day.month in cron.months and cron.match_day(day))


def _parse_cron(expression: str) -> CronSim:
    """Five fields, or six of which the first is the second 0; `?` is read as `*`."""
    fields = expression.replace("?", "*").split()
    if len(fields) == 6 and fields[0] == "0":
        fields = fields[1:]
    if len(fields) != 5:
        raise ValueError(f"cron {expression!r}: five fields are needed - minute, hour, day, month, weekday.")
    try:
        return CronSim(" ".join(fields), _ANY_YEAR)
    except CronSimError as error:
        raise ValueError(f"cron {expression!r}: {str(error).lower()}.") from error


def _cycle_of_cron(cron: CronSim) -> Cycle:
    """The finest period that the fields tell apart; the first that holds."""
    names_days = set(cron.days) != set(range(1, 32))
    names_weekdays = not {1, 2, 3, 4, 5, 6} <= set(cron.weekdays) or not {0, 7} & set(cron.weekdays)
    names_months = set(cron.months) != set(range(1, 13))
    verdicts = (
        (len(cron.minutes) > 1, Cycle.MINUTE),
        (len(cron.hours) > 1, Cycle.HOUR),
        (names_days and names_months, Cycle.YEAR),
        (names_days, Cycle.MONTH),
        (names_weekdays, Cycle.WEEK),
    )
    return next((cycle for holds, cycle in verdicts if holds), Cycle.DAY)


# -- the instants of a day --------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _due(seconds: tuple[int, ...], day: date, zone: ZoneInfo, *, placeholder: bool) -> tuple[Occurrence, ...]:
    """The occurrences at these wall-clock times; shared by every schedule that names the same times."""
    midnight = _midnight(day, zone)
    if midnight is not None:
        return tuple(
            Occurrence(ordinal, midnight + timedelta(seconds=second), placeholder)
            for ordinal, second in enumerate(seconds, start=1)
        )
    start = datetime.combine(day, time())
    return tuple(
        Occurrence(ordinal, instant(start + timedelta(seconds=second), zone), placeholder)
        for ordinal, second in enumerate(seconds, start=1)
    )


@lru_cache(maxsize=512)
def _midnight(day: date, zone: ZoneInfo) -> datetime | None:
    """The instant a day begins when its offset holds all day; None on a day that the zone lengthens or shortens."""
    start = datetime.combine(day, time(), tzinfo=zone)
    end = datetime.combine(run_day(day), time(), tzinfo=zone)
    return start.astimezone(UTC) if _offset(start) == _offset(end) else None


# -- words ------------------------------------------------------------------------------------------------------------

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _describe_cycle(schedule: Schedule) -> str:
    if schedule.cycle in SUB_DAY:
        return _describe_sub_day(schedule)
    at = f"at {schedule.at[0] if schedule.at else time():%H:%M}"
    days = _NAMED_DAYS[schedule.cycle](schedule)
    return f"every {schedule.cycle.value}{f' on {days}' if days else ''} {at}"


def _describe_sub_day(schedule: Schedule) -> str:
    if schedule.at:
        return f"every day at {', '.join(f'{at:%H:%M}' for at in sorted(schedule.at))}"
    hours, odd = divmod(schedule.interval, 60)
    count, unit = (schedule.interval, "minute") if odd else (hours, "hour")
    every = unit if count == 1 else f"{count} {unit}s"
    return f"every {every} {schedule.start:%H:%M}-{schedule.end:%H:%M}"


_NAMED_DAYS: dict[Cycle, Callable[[Schedule], str]] = {
    Cycle.DAY: lambda schedule: "",
    Cycle.WEEK: lambda schedule: ", ".join(_WEEKDAYS[day - 1] for day in sorted(schedule.weekdays)),
    Cycle.MONTH: lambda schedule: ", ".join(
        "the last day" if day == LAST_DAY else str(day) for day in sorted(schedule.month_days, key=lambda day: day % 32)
    ),
    Cycle.YEAR: lambda schedule: ", ".join(f"{month:02}-{day:02}" for month, day in sorted(schedule.year_days)),
}
