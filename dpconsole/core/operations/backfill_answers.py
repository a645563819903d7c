"""How single answers of the backfill form are read: data timestamps, times, tasks, parameters, lists.

A reader takes what was typed and what it is read against, and returns a value of the form. It raises ValueError with a
sentence for the operator, who sees it beside the field: what is wrong, and the nearest thing that is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from dpconsole.core.domain.backfill_form import LEVELS_LIMIT, NAME_LIMIT, DateRange, Offsets
from dpconsole.core.domain.clock import to_datetime, to_ms
from dpconsole.core.domain.definitions import LAST_DAY, Environment, Method, Task
from dpconsole.core.domain.parameters import check_parameter
from dpconsole.core.domain.text import clean
from dpconsole.core.query.language import nearest
from dpconsole.core.query.values import QueryContext, read_day, read_moment

if TYPE_CHECKING:
    from dpconsole.core.graph.tasks import Tasks

Value = TypeVar("Value")

DATES_LIMIT = 1_000
"""Data timestamps of one backfill: near three years of days, and a tree that one can still page through."""

INSTANCES_LIMIT = 200_000
"""Listed instances of one backfill: a thousand data timestamps of two hundred tasks."""

GROUPS_LIMIT = DATES_LIMIT
EARLIEST, LATEST = date(1970, 1, 2), date(2999, 12, 31)
"""Data timestamps are days between these."""


@dataclass(frozen=True)
class FormFacts:
    """What a form is read against: now (UTC milliseconds), the zone and environment of the workspace, and its tasks."""

    now: int
    zone: ZoneInfo
    environment: Environment
    tasks: Tasks

    @cached_property
    def by_key(self) -> dict[str, Task]:
        """The tasks by their key `project.name`."""
        return {stored.task.id: stored.task for stored in self.tasks.values()}

    @cached_property
    def keys_of(self) -> dict[str, list[str]]:
        """The keys that a word may stand for: a key, a name without its project, or the number of a task."""
        words: dict[str, list[str]] = {}
        for id, stored in self.tasks.items():
            for word in {stored.task.id, stored.task.name, str(id)}:
                words.setdefault(word, []).append(stored.task.id)
        return words | {key: [key] for key in self.by_key}

    @property
    def context(self) -> QueryContext:
        """What words for days and times are read against."""
        return QueryContext(self.now, "", self.zone, self.environment)


Reader = Callable[[str, FormFacts], Value]


# --- lists ------------------------------------------------------------------------------------------------------------

_ELEMENT = re.compile(r"(?:\\[\\,]|[^,])+")
_ESCAPED = re.compile(r"\\([\\,])")


def split_list(text: str) -> list[str]:
    r"""The elements between commas, less the blanks around them; `\,` is a comma of an element itself."""
    elements = (_ESCAPED.sub(r"\1", element).strip() for element in _ELEMENT.findall(text))
    return list(dict.fromkeys(filter(None, elements)))


def join_list(elements: Iterable[str]) -> str:
    """One answer out of several, which `split_list` takes apart again."""
    return ",".join(re.sub(r"[\\,]", r"\\\g<0>", element) for element in elements)


def read_list(text: str, _facts: FormFacts) -> tuple[str, ...]:
    """Words that are taken as they are."""
    return tuple(split_list(text))


def rest_of_task(text: str, facts: FormFacts) -> str:
    """What is still to be typed of the last task in a list: of keys that begin so the first, or else of names.

    Nothing for a word that names a task already, and for one that could only be a number.
    """
    typed = (_ELEMENT.findall(text) or [""])[-1]
    word = _ESCAPED.sub(r"\1", typed).lstrip()
    if not word or word.isdigit() or not text.endswith(typed) or word in facts.keys_of:
        return ""
    fitting = [known for known, keys in facts.keys_of.items() if len(keys) == 1 and known.startswith(word)]
    whole = min(fitting, key=lambda known: (known not in facts.by_key, known), default=word)
    return join_list([whole[len(word) :]])


# --- words and numbers ------------------------------------------------------------------------------------------------


def one_of(*choices: str) -> Reader[str]:
    """Read one of a few words."""

    def read(text: str, _facts: FormFacts) -> str:
        if text.lower() not in choices:
            raise ValueError(f"{said(text)} is none of {', '.join(choices)}{perhaps(text, choices)}")
        return text.lower()

    return read


def read_name(text: str, _facts: FormFacts) -> str:
    """The name of a backfill (section 7)."""
    if len(text) > NAME_LIMIT:
        raise ValueError(f"a name has at most {NAME_LIMIT} characters, this one has {len(text):,}")
    if clean(text) != text:
        raise ValueError(f"a name holds no control or invisible characters: {said(text)}")
    return text


def read_groups(text: str, _facts: FormFacts) -> int:
    """How many queues run side by side (section 7)."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    if not 1 <= number <= GROUPS_LIMIT:
        raise ValueError(f"the number of groups is a whole number from 1 to {GROUPS_LIMIT:,}, not {said(text)}")
    return number


def read_levels(text: str, _facts: FormFacts) -> int | None:
    """How far downstream: 0 for the start alone, None for all levels."""
    words = {"none": 0, "all": None} | {str(number): number for number in range(1, LEVELS_LIMIT + 1)}
    if text.lower() not in words:
        raise ValueError(f"downstream is all, none, or a number of levels from 1 to {LEVELS_LIMIT}, not {said(text)}")
    return words[text.lower()]


# --- days and times ---------------------------------------------------------------------------------------------------

_T_MINUS = re.compile(r"t(?:\s*([-+])\s*(\d{1,6}))?", re.ASCII | re.IGNORECASE)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_END = to_ms(datetime.combine(LATEST, time(), UTC))


def read_ranges(text: str, facts: FormFacts) -> tuple[DateRange, ...]:
    """Data timestamps: `2026-11-01..2026-11-07`, `2026-11-03`, `-7d..-1d`, `yesterday`, `T-1`, several with commas."""
    ranges = tuple(DateRange(*_ends(part, lambda word: _read_date(word, facts))) for part in _parts(text))
    count = _count(ranges)
    if count > DATES_LIMIT:
        raise ValueError(f"{count:,} data timestamps; one backfill takes at most {DATES_LIMIT:,}: make several of it")
    return ranges


def read_offsets(text: str, _facts: FormFacts) -> tuple[Offsets, ...]:
    """The data timestamps of a periodic backfill, counted from its run day: `T-7..T-1`."""
    ranges = [_ends(part, _read_offset) for part in _parts(text)]
    count = sum((last - first).days + 1 for first, last in ranges)
    if count > DATES_LIMIT:
        raise ValueError(f"{count:,} data timestamps; one backfill takes at most {DATES_LIMIT:,}")
    return tuple(Offsets((_RUN_DAY - first).days, (_RUN_DAY - last).days) for first, last in ranges)


def read_time(text: str, facts: FormFacts) -> int:
    """A moment to come, UTC milliseconds; a time of day that has passed is tomorrow's."""
    try:
        at = int(read_moment(text, facts.context).start)
    except OverflowError:
        at = _END
    if at >= _END:
        raise ValueError(f"{said(text)} is out of reach")
    if at <= facts.now and _CLOCK.fullmatch(text):
        at = to_ms(to_datetime(at, facts.zone) + timedelta(days=1))
    if at <= facts.now:
        raise ValueError(f"{said(text)} has passed already; leave it empty to run at once, or write +1h, 02:00")
    return at


def read_clock(text: str, _facts: FormFacts) -> time:
    """A time of day, `02:00`."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(f"{said(text)} is no time of day; write 02:00")
    return time(int(match[1]), int(match[2]))


def read_hours(text: str, facts: FormFacts) -> tuple[time, time]:
    """The hour window of hourly and minutely tasks, both ends included: `00:00-05:59`."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not dash:
        raise ValueError(f"{said(text)} is no hour window; write 00:00-05:59")
    hours = read_clock(first, facts), read_clock(last, facts)
    if hours[1] < hours[0]:
        raise ValueError(f"{said(text)} ends before it starts; did you mean {last}-{first}?")
    return hours


_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read_weekdays(text: str, _facts: FormFacts) -> tuple[int, ...]:
    """ISO numbers of weekdays: `mon,thu`."""
    words = {word: number for number, word in enumerate(_WEEKDAYS, 1)}
    return _days(text, words | {str(number): number for number in words.values()}, "weekday; write mon,thu")


def read_month_days(text: str, _facts: FormFacts) -> tuple[int, ...]:
    """Days of the month: `1,15,last`."""
    return _days(text, {str(n): n for n in range(1, 32)} | {"last": LAST_DAY}, "day of a month; write 1,15,last")


def _days(text: str, words: dict[str, int], what: str) -> tuple[int, ...]:
    for word in split_list(text):
        if word.lower() not in words:
            raise ValueError(f"{said(word)} is no {what}")
    return tuple(dict.fromkeys(words[word.lower()] for word in split_list(text)))


def _parts(text: str) -> list[str]:
    parts = split_list(text)
    if not parts:
        raise ValueError("no data timestamps; write 2026-11-01..2026-11-07, -7d..-1d or T-1")
    return parts


def _ends(part: str, read: Callable[[str], date]) -> tuple[date, date]:
    """Both ends of a range, or one day twice."""
    words = [word.strip() for word in part.split("..")]
    if len(words) > 2 or not all(words):
        raise ValueError(f"{said(part)} is no range; write 2026-11-01..2026-11-07")
    first, last = read(words[0]), read(words[-1])
    if last < first:
        raise ValueError(f"{said(part)} ends before it starts; did you mean {words[-1]}..{words[0]}?")
    return first, last


def _read_date(word: str, facts: FormFacts) -> date:
    counted = _T_MINUS.fullmatch(word)
    word = f"{counted[1] or '+'}{counted[2] or 0}d" if counted else word
    try:
        day = date.fromisoformat(read_day(word, facts.context).start)
    except OverflowError:
        day = date.max
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"{said(word)} is out of reach")
    return day


_RUN_DAY = date(2500, 1, 1)
"""Any day that is far from both ends of the calendar: offsets are counted from it."""

_ALSO = {"yesterday": "T-1", "today": "T"}
_DAYS_AGO = re.compile(r"-\d{1,6}d", re.ASCII | re.IGNORECASE)


def _read_offset(word: str) -> date:
    """A day so many days before the run day."""
    as_t = f"T{word[:-1]}" if _DAYS_AGO.fullmatch(word) else _ALSO.get(word.lower(), word)
    counted = _T_MINUS.fullmatch(as_t)
    days = int(counted[2] or 0) if counted else 0
    if counted is None or counted[1] == "+" or days > DATES_LIMIT * 10:
        raise ValueError(f"{said(word)}: the days of a periodic backfill are counted from its run day; write T-7..T-1")
    return _RUN_DAY - timedelta(days=days)


def _count(ranges: Sequence[DateRange]) -> int:
    """How many distinct days ranges hold, counted without naming them."""
    count, end = 0, date.min
    for some in sorted(ranges, key=lambda some: (some.first, some.last)):
        first = max(some.first, end + timedelta(days=1))
        count += max(0, (some.last - first).days + 1)
        end = max(end, some.last)
    return count


# --- tasks, fields and parameters -------------------------------------------------------------------------------------


def read_task(word: str, facts: FormFacts) -> str:
    """The key of a task by its key, its name where that is the only one, or its number."""
    keys = facts.keys_of.get(word, [])
    if not keys:
        written = [join_list([known]) for known in facts.keys_of]
        raise ValueError(f"no task {said(word)}{perhaps(word, written)}")
    if len(keys) > 1:
        raise ValueError(f"{said(word)} is the name of {len(keys)} tasks: write {' or '.join(keys[:3])}")
    return keys[0]


def read_tasks(text: str, facts: FormFacts) -> tuple[str, ...]:
    """The keys of some tasks, each once."""
    return tuple(dict.fromkeys(read_task(word, facts) for word in split_list(text)))


def read_starts(text: str, facts: FormFacts) -> tuple[str, ...]:
    """The keys of the start tasks, which have a schedule."""
    keys = read_tasks(text, facts)
    if not keys:
        raise ValueError("name the task to start from, as project.name")
    for key in keys:
        if facts.by_key[key].method is Method.ONE_TIME:
            raise ValueError(f"{said(key)} is a one-time task: it has no schedule, so no data timestamp to make up for")
    return keys


def read_fields_of(task: Task) -> Reader[tuple[str, ...]]:
    """Read the names of fields of a logical table."""
    names = [field.name for field in task.fields]
    carried = {name for node in task.nodes for name in node.fields}

    def read(text: str, _facts: FormFacts) -> tuple[str, ...]:
        for word in split_list(text):
            if word not in names:
                raise ValueError(f"{said(task.id)} has no field {said(word)}{perhaps(word, names)}")
            if word not in carried:
                raise ValueError(f"no materialization node of {said(task.id)} produces {said(word)}")
        return tuple(split_list(text))

    return read


Parameters = tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str, str], ...]]
"""Those for every task, and those for one of them by its key."""


def read_parameters(text: str, facts: FormFacts) -> Parameters:
    """`name=value` for every task, `project.task:name=value` for one (section 18)."""
    values: dict[tuple[str, str], str] = {}
    for element in split_list(text):
        where, equals, value = element.partition("=")
        if not equals:
            raise ValueError(f"{said(element)} sets nothing; write name=value")
        word, _, name = where.rpartition(":")
        key = read_task(word.strip(), facts) if word.strip() else ""
        if refusal := check_parameter(name.strip(), value.strip()):
            raise ValueError(clean(refusal))
        if (key, name.strip()) in values:
            raise ValueError(f"{said(name.strip())} is set twice")
        values[key, name.strip()] = value.strip()
    general = tuple((name, value) for (key, name), value in values.items() if not key)
    return general, tuple((key, name, value) for (key, name), value in values.items() if key)


# --- words ------------------------------------------------------------------------------------------------------------

_SHOWN = 60


def said(text: str) -> str:
    """What was typed, as it can be shown."""
    return clean(text, _SHOWN)


def perhaps(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question, if one comes near."""
    hint = nearest(word, known)
    return f"; did you mean {said(hint)}?" if hint else ""
