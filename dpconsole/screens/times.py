"""Instants as an operator wants to read them: in the project's zone, in UTC, in the zone of this machine, or as an age.

All four are at most eleven cells wide, so that `T` changes what the columns say and never how they stand.
"""

from __future__ import annotations

from datetime import UTC, date, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

from dpconsole.core.domain.clock import format_duration, run_day, to_datetime

NOTHING = "-"
"""What stands where there is no time."""

MINUTE_MS = 60_000
_AGES: tuple[tuple[int, str], ...] = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"))


class TimeDisplay(StrEnum):
    """How times are shown; `T` goes on to the next."""

    PROJECT = "project zone"
    UTC = "UTC"
    LOCAL = "local"
    AGE = "age"

    @property
    def next(self) -> TimeDisplay:
        """The one after this, round and round."""
        every = list(TimeDisplay)
        return every[(every.index(self) + 1) % len(every)]


def zone_of(display: TimeDisplay, project: ZoneInfo) -> tzinfo | None:
    """The zone times are shown in; None is the one of the machine, as `astimezone` has it."""
    return {TimeDisplay.UTC: UTC, TimeDisplay.LOCAL: None}.get(display, project)


def show_moment(
    ms: int | None, display: TimeDisplay, zone: ZoneInfo, now_ms: int, business_date: date | None = None
) -> str:
    """`02:11` on the run day (the day after the data timestamp), `11-20 02:11` on any other; or an age."""
    if ms is None:
        return NOTHING
    if display is TimeDisplay.AGE:
        return show_age(now_ms - ms)
    moment = to_datetime(ms).astimezone(zone_of(display, zone))
    same_day = business_date is not None and moment.date() == run_day(business_date)
    return moment.strftime("%H:%M" if same_day else "%m-%d %H:%M")


def show_stamp(ms: int | None, display: TimeDisplay, zone: ZoneInfo, now_ms: int) -> str:
    """Date and time to the second, for places with room; or an age."""
    if ms is None:
        return NOTHING
    if display is TimeDisplay.AGE:
        return show_age(now_ms - ms)
    return to_datetime(ms).astimezone(zone_of(display, zone)).strftime("%Y-%m-%d %H:%M:%S")


def show_age(ms: int) -> str:
    """How long ago, or `in` how long, in its largest unit: `3h`, `in 5m`."""
    size = abs(ms)
    words = next((f"{size // unit}{letter}" for unit, letter in _AGES if size >= unit), f"{size // 1000}s")
    return f"in {words}" if ms < 0 else words


def show_took(started_at: int | None, ended_at: int | None, now_ms: int) -> str:
    """How long a run took; a run that goes on is counted in whole minutes, so that a still night stays still."""
    if started_at is None:
        return NOTHING
    if ended_at is not None:
        return format_duration((ended_at - started_at) / 1000)
    minutes = max(0, now_ms - started_at) // MINUTE_MS
    return f"{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{minutes}m"


def show_span(ms: int) -> str:
    """A length of time in hours and minutes: a promise is not counted in seconds."""
    return format_duration(ms // MINUTE_MS * 60).removesuffix("00s") or "0m"


def zone_words(display: TimeDisplay, zone: ZoneInfo) -> str:
    """The zone the times on the screen are in, for the header."""
    return {TimeDisplay.PROJECT: zone.key, TimeDisplay.AGE: f"{zone.key} (ages)"}.get(display, display.value)
