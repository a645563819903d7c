"""What the written values mean: days, times, durations, numbers, priorities, ids - and words out of a known few.

Every reader takes a text and returns the span of stored values it covers, so that `=`, `>` and `..` need no further
knowledge: a day covers its milliseconds, `02:00` its minute, `high` two of the nine numbers. Readers raise ValueError
with a sentence for the operator, or OverflowError for a value out of reach; the caller knows where the value stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from dpconsole.core.domain.clock import parse_duration, parse_iso, to_datetime, to_ms
from dpconsole.core.domain.definitions import Priority
from dpconsole.core.domain.priorities import parse_priority
from dpconsole.core.query.language import Value, nearest


@dataclass(frozen=True, slots=True)
class QueryContext:
    """What a query is read against: the moment, who `me` is, the zone of days and times, the environment of a walk."""

    now_ms: int
    user: str
    zone: tzinfo
    environment: str = "prod"

    @property
    def today(self) -> date:
        """The calendar day in the zone."""
        return to_datetime(self.now_ms, self.zone).date()


@dataclass(frozen=True, slots=True)
class Span:
    """Stored values from `start` up to, not including, `end`; `single` when `start` is the only one."""

    start: Any
    end: Any
    single: bool = False


Reader = Callable[[str, QueryContext], Span]

_NAMED_DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}
_DAYS = re.compile(r"([+-])(\d{1,6})([dw])", re.ASCII | re.IGNORECASE)
_AGO = re.compile(r"([+-])(\d{1,6})([hm])", re.ASCII | re.IGNORECASE)
_UNIT_MS = {"h": 3_600_000, "m": 60_000}
_LONGEST = 2**53
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)

DAY_WORDS = (*_NAMED_DAYS, "-1d", "-7d")
"""What a day may be called, for hints and completion."""

MOMENT_WORDS = ("now", *DAY_WORDS, "-1h", "02:00")
"""What a time may be called."""

PRIORITY_WORDS = tuple(str(priority) for priority in Priority)
DURATION_WORDS = ("5m", "1h", "1h30m")


def read_day(text: str, context: QueryContext) -> Span:
    """A business date: `today`, `yesterday`, `tomorrow`, `-1d`, `-2w`, `2026-11-19` or `20261119`."""
    day = _day(text, context)
    return Span(day.isoformat(), (day + timedelta(days=1)).isoformat(), single=True)


def read_moment(text: str, context: QueryContext) -> Span:
    """UTC milliseconds: a day as `read_day` reads it, `02:00` today, `2026-11-20T02:00`, `-2h`, `now`."""
    word = text.lower()
    if word == "now":
        return _minute(context.now_ms)
    if ago := _AGO.fullmatch(word):
        sign, number, unit = ago.groups()
        return _minute(context.now_ms + int(sign + number) * _UNIT_MS[unit])
    if ":" in word:
        return _written_moment(text, context)
    return _whole_day(_day(text, context), context)


def read_duration(text: str, context: QueryContext) -> Span:
    """Milliseconds of `40s`, `5m`, `1h30m` or a number of seconds; covers the second it names."""
    try:
        milliseconds = int(parse_duration(text.lower()) * 1000)
    except ValueError:
        raise ValueError(f"{text} is not a duration; write 40s, 5m, 1h30m or a number of seconds") from None
    if milliseconds > _LONGEST:
        raise OverflowError
    return Span(milliseconds, milliseconds + 1000)


def read_number(text: str, context: QueryContext) -> Span:
    """A whole number."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text} is not a whole number")
    return Span(int(text), int(text) + 1, single=True)


def read_priority(text: str, context: QueryContext) -> Span:
    """A priority by name or number 1..9; it covers the even number that rounds to it (section 11.3)."""
    try:
        number = parse_priority(text).number
    except ValueError:
        raise ValueError(f"{text} is no priority; known are {', '.join(PRIORITY_WORDS)}") from None
    return Span(number, number + 2)


def read_id(text: str, prefix: str) -> int | None:
    """The row id in `345`, or in an external key that begins with `prefix` and ends with it: `t_12_20261119_345`."""
    match = re.fullmatch(rf"(?:{prefix}_(?:\d{{1,18}}_)*)?(\d{{1,18}})", text, re.ASCII)
    return int(match[1]) if match else None


def _day(text: str, context: QueryContext) -> date:
    word = text.lower()
    if word in _NAMED_DAYS:
        return context.today + timedelta(days=_NAMED_DAYS[word])
    if away := _DAYS.fullmatch(word):
        sign, number, unit = away.groups()
        return context.today + timedelta(days=int(sign + number) * (7 if unit == "w" else 1))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is not a date; write 2026-11-19, today, yesterday or -1d") from None


def _whole_day(day: date, context: QueryContext) -> Span:
    start, end = (datetime.combine(some, time(0), context.zone) for some in (day, day + timedelta(days=1)))
    return Span(to_ms(start), to_ms(end))


def _written_moment(text: str, context: QueryContext) -> Span:
    today = f"{context.today.isoformat()}T" if _CLOCK.fullmatch(text) else ""
    clock = text.rjust(len("00:00"), "0") if today and len(text) < len("00:00") else text
    try:
        start = parse_iso(today + clock, context.zone)
    except ValueError:
        raise ValueError(f"{text} is not a time; write 02:00, 2026-11-20T02:00, -2h or now") from None
    return _minute(start) if start % 60_000 == 0 else Span(start, start + 1000)


def _minute(ms: int) -> Span:
    start = ms - ms % 60_000
    return Span(start, start + 60_000)


# --- words out of a known few -----------------------------------------------------------------------------------------


def fold(word: str) -> str:
    """How a word is compared: no case, and `_`, `-` and spaces alike."""
    return " ".join(re.split(r"[\s_-]+", word.casefold().strip()))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words a field knows and what is stored for each; a family of values is a word too.

    `synonyms` are understood and not offered.
    """

    words: Mapping[str, tuple[Any, ...]]
    synonyms: Mapping[str, tuple[Any, ...]]

    @classmethod
    def of(cls, values: Iterable[str], **synonyms: str) -> Vocabulary:
        """Words that are stored as they are spelled."""
        return cls({str(value): (value,) for value in values}, {word: (value,) for word, value in synonyms.items()})

    def read(self, value: Value, field: str) -> tuple[Any, ...]:
        """What is stored for a written word; QueryError with the nearest known one."""
        known = {fold(word): stored for word, stored in (*self.words.items(), *self.synonyms.items())}
        stored = known.get(fold(value.text))
        if stored is None:
            hint = nearest(value.text, self.words)
            rest = "" if hint else f"; known are {', '.join(self.words)}"
            raise value.wrong(f"{value.text or 'Nothing'} is no {field}{rest}", hint)
        return stored
