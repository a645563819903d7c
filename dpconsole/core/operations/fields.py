"""What a verb asks before it acts: an option of the command line, a line of the dialog, the same words in both.

A field says what kind of answer it takes, so that whoever asks can offer the right way to give it; answers are text
until they are checked here, and stand in the ledger as they were made complete.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from enum import StrEnum

from dpconsole.core.domain.clock import format_iso, to_datetime, to_ms
from dpconsole.core.domain.keys import parse_instance_key

Arguments = Mapping[str, str]
"""What an operator chose, by the name of the field; the empty text where nothing was."""


class FieldKind(StrEnum):
    """How an answer is given."""

    CHOICE = "choice"  # one of the field's choices, or several of them
    NUMBER = "number"  # a whole number from 1
    TIME = "time"  # as queries write moments: 06:00, +2h, 2026-11-20T06:00
    TEXT = "text"
    IDS = "ids"  # ids of instances, separated by commas


@dataclass(frozen=True, slots=True)
class Moment:
    """What times are read against: now (UTC milliseconds), and the workspace's zone."""

    now: int
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `several` answers are separated by commas; `goes_with` is the field, and those of its answers,
    without which this one is not asked. A verb does not act before a `required` one is answered.
    """

    name: str
    title: str
    kind: FieldKind
    choices: tuple[str, ...] = ()
    default: str = ""
    several: bool = False
    required: bool = False
    goes_with: tuple[str, frozenset[str]] | None = None

    def is_asked(self, arguments: Arguments) -> bool:
        """Whether the answers so far call for this question."""
        if self.goes_with is None:
            return True
        name, answers = self.goes_with
        return arguments.get(name, "") in answers

    def read(self, value: str, moment: Moment | None) -> str:
        """An answer in the form the ledger keeps; ValueError says what it should be.

        Without a moment, times are left as they were written.
        """
        if not value:
            return self.default
        return _READERS[self.kind](self, value, moment)


def _choice(field: Field, value: str, _moment: Moment | None) -> str:
    words = value.lower().split(",") if field.several else [value.lower()]
    for word in words:
        if word not in field.choices:
            raise ValueError(f"--{field.name} is one of {', '.join(field.choices)}, not {word!r}.")
    return ",".join(words)


def _number(field: Field, value: str, _moment: Moment | None) -> str:
    if not (value.isascii() and value.isdigit() and int(value)):
        raise ValueError(f"--{field.name} is a whole number from 1, not {value!r}.")
    return str(int(value))


def _ids(field: Field, value: str, _moment: Moment | None) -> str:
    return ",".join(str(parse_instance_key(word)) for word in value.split(",") if word.strip())


def _text(_field: Field, value: str, _moment: Moment | None) -> str:
    return value.strip()


def _time(field: Field, value: str, moment: Moment | None) -> str:
    """A moment to come, as ISO 8601 with its offset; a time of day that has passed is tomorrow's."""
    from dpconsole.core.query.values import QueryContext, read_moment

    if moment is None:
        return value
    try:
        until = read_moment(value, QueryContext(moment.now, "", moment.zone)).start
    except OverflowError:
        raise ValueError(f"--{field.name}: {value} is out of reach.") from None
    if until <= moment.now and _TIME_OF_DAY.fullmatch(value):
        until = to_ms(to_datetime(until, moment.zone) + timedelta(days=1))
    if until <= moment.now:
        raise ValueError(f"--{field.name}: {value} has passed already.")
    return format_iso(until, moment.zone)


_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?", re.ASCII)

_READERS: Mapping[FieldKind, Callable[[Field, str, Moment | None], str]] = {
    FieldKind.CHOICE: _choice,
    FieldKind.NUMBER: _number,
    FieldKind.TIME: _time,
    FieldKind.TEXT: _text,
    FieldKind.IDS: _ids,
}
