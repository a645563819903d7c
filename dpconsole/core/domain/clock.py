"""Where time comes from, and how it is written down.

Nothing in the core asks the machine for the time: it is handed a `Clock`. `SystemClock` is the only reader of the
wall clock; `VirtualClock` stands still until it is moved, so that a whole night runs in seconds and a test never
sleeps; `PacedClock` plays a night at a pace one can watch. Instants are UTC milliseconds where they are stored and
aware datetimes where they are computed with.
"""

from __future__ import annotations

import re
import time as system_time
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)


class Clock(Protocol):
    """The two times a program needs: the one on the wall, which may jump, and one that only goes forward."""

    def now(self) -> int:
        """UTC milliseconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """UTC milliseconds since 1970."""
        return system_time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        return system_time.monotonic()


class VirtualClock:
    """A clock that stands at `start_ms` until somebody moves it."""

    def __init__(self, start_ms: int) -> None:
        self._start = self._now = start_ms

    def now(self) -> int:
        """UTC milliseconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return (self._now - self._start) / 1000

    def advance_to(self, ms: int) -> None:
        """Move forward to `ms`; ValueError when that lies in the past."""
        if ms < self._now:
            raise ValueError(f"A virtual clock only goes forward: it stands at {self._now}, asked for {ms}.")
        self._now = ms


class PacedClock:
    """A clock that begins at `start_ms` and goes `speed` times as fast as the wall's."""

    def __init__(self, wall: Clock, start_ms: int, speed: float) -> None:
        self._wall = wall
        self._start = start_ms
        self._began = wall.monotonic()
        self._speed = speed

    def now(self) -> int:
        """UTC milliseconds since 1970."""
        return self._start + int(self.monotonic() * 1000)

    def monotonic(self) -> float:
        """Seconds of this clock's time since it was made."""
        return (self._wall.monotonic() - self._began) * self._speed


def to_datetime(ms: int, zone: tzinfo = UTC) -> datetime:
    """The aware datetime of UTC milliseconds, written in `zone`."""
    return (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone)


def to_ms(moment: datetime) -> int:
    """UTC milliseconds of an aware datetime, rounded down; ValueError when it is naive."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset, so it names no instant.")
    return (moment - _EPOCH) // _MILLISECOND


def format_iso(ms: int, zone: tzinfo = UTC) -> str:
    """ISO 8601 with offset, to the second: `2026-11-20T02:00:00+08:00`."""
    return to_datetime(ms, zone).isoformat(timespec="seconds")


def parse_iso(text: str, zone: tzinfo = UTC) -> int:
    """UTC milliseconds of an ISO 8601 date and time; without an offset it is read in `zone`.

    A wall-clock time that `zone` skips or repeats is read with the offset in force before the change.
    """
    moment = datetime.fromisoformat(text)
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def run_day(business_date: date) -> date:
    """The day the instances of a business date are due: the day after it, T+1 (section 1)."""
    return business_date + _DAY


def business_date_of(run: date) -> date:
    """The business date whose instances are due on the day `run` (section 1)."""
    return run - _DAY


def default_business_date(now_ms: int, zone: tzinfo) -> date:
    """Yesterday in `zone`, T-1: the data timestamp every list opens with (section 4.1)."""
    return business_date_of(to_datetime(now_ms, zone).date())


_DURATION = re.compile(r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s?)?", re.ASCII)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def parse_duration(value: str | float) -> float:
    """Seconds of `40s`, `5m`, `48h`, `1h30m` or a bare number of seconds; ValueError for anything else."""
    match = _DURATION.fullmatch(str(value).strip())
    if match is None or not any(match.groups()):
        raise ValueError(f"{value!r} is not a duration: write 40s, 5m, 1h30m or a number of seconds.")
    return sum(float(amount) * _SECONDS[unit] for unit, amount in match.groupdict().items() if amount)


def format_duration(seconds: float) -> str:
    """Whole seconds as `40s`, `11m04s` or `1h02m04s`; what is begun is cut off, less than nothing is `0s`."""
    minutes, left = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m{left:02}s"
    return f"{minutes}m{left:02}s" if minutes else f"{left}s"
