"""How one value of a workspace file is read: words, times, durations, names; each refusal says what was meant.

A value arrives as the text that stands in the file (see `documents`). The annotated types below are what the models of
`schema` are made of; a validator that refuses raises `refusal(reason, hint)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from dpconsole.core.domain import definitions as d
from dpconsole.core.domain.calendars import cycle_of
from dpconsole.core.domain.clock import parse_duration
from dpconsole.core.domain.parameters import GLOBAL_PREFIX, MAX_VALUE
from dpconsole.core.domain.runconfig import RERUN_INTERVAL, TIMEOUT
from dpconsole.core.workspace.problems import did_you_mean, shown

NAME_LIMIT = 128
"""Characters of the name of a rule, a baseline or a tag (sections 11.1, 11.4)."""
ID_LIMIT = 1024
"""Characters of a task id; the longest seen in a dbt manifest has 771."""
FOLDER_LIMIT = 256

HOUR = 3600.0


Refusal = PydanticCustomError


def refusal(reason: str, hint: str = "") -> PydanticCustomError:
    """The error a validator raises: a plain reason and, in brackets behind it, what to do."""
    return PydanticCustomError("refused", "{reason}", {"reason": reason, "hint": hint})


def said(error: PydanticCustomError) -> tuple[str, str]:
    """The reason and the hint of a `refusal`."""
    context = error.context or {}
    return context["reason"], context["hint"]


# Words, numbers and times ---------------------------------------------------------------------------------------------


def _word(words: type[StrEnum], what: str) -> Callable[[Any], Any]:
    """A validator that reads one of the words of an enum, or names the nearest."""

    def read(value: Any) -> Any:
        if not isinstance(value, str) or value in tuple(words):
            return value
        raise refusal(f"{shown(value)} is no {what}: {', '.join(words)}", did_you_mean(value.lower(), words))

    return read


def _time_of_day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", value, re.ASCII)
    try:
        return time(*map(int, match.groups("0"))) if match else _no_time(value)  # type: ignore[arg-type]
    except ValueError:
        return _no_time(value)


def _no_time(value: str) -> Any:
    hint = 'the last minute of the day is "23:59"' if value == "24:00" else 'write "HH:MM", from "00:00" to "23:59"'
    raise refusal(f"{shown(value)} is no time of day", hint)


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII) else "")
    except ValueError:
        raise refusal(f"{shown(value)} is no date", "write YYYY-MM-DD") from None


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        seconds = parse_duration(value)
    except ValueError:
        raise refusal(f"{shown(value)} is no duration", "write 40s, 5m or 1h30m") from None
    if seconds > _LONGEST:
        raise refusal(f"{shown(value)} is longer than a year")
    return seconds


_LONGEST = 366 * 24 * HOUR


def as_list(value: Any) -> Any:
    """A single text where a list is meant."""
    return [value] if isinstance(value, str) else value


def _in_range(low: float, high: float, said: str) -> Callable[[float], float]:
    def check(value: float) -> float:
        if not low <= value <= high:
            raise refusal(f"is out of range: {said}")
        return value

    return check


def _short(limit: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not value.strip():
            raise refusal("is empty")
        if len(value) > limit:
            raise refusal(f"is longer than {limit} characters")
        return value

    return check


def _longest(limit: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        if len(value) > limit:
            raise refusal(f"is longer than {limit} characters")
        return value

    return check


def _folder(value: str) -> str:
    if len(value) > FOLDER_LIMIT:
        raise refusal(f"is longer than {FOLDER_LIMIT} characters")
    if wrong := sorted(set(value) & set('|\\:?<>*"')):
        raise refusal(f"{shown(value)} is no folder: it holds {' '.join(wrong)}")
    return "/" + value.strip("/")


def _task_id(value: str) -> str:
    project, dot, name = value.partition(".")
    if not (project.strip() and dot and name.strip()):
        raise refusal(f"{shown(value)} is no task id", "write project.name")
    return value


def _parameter_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]{1,32}", value, re.ASCII):
        raise refusal(f"{shown(value)} is no parameter name", "letters, digits and underscores, at most 32")
    if value.startswith(GLOBAL_PREFIX):
        raise refusal(f"{shown(value)} is no parameter name: {GLOBAL_PREFIX} is kept for global parameters")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        hint = did_you_mean(value, available_timezones())
        raise refusal(f"{shown(value)} is no time zone", hint or "write an IANA name such as Asia/Shanghai") from None
    return value


def _cron(value: str) -> str:
    try:
        cycle_of(d.Schedule(cron=value))
    except ValueError:
        hint = "five fields: minute hour day month weekday"
        raise refusal(f"{shown(value)} is no cron expression", hint) from None
    return value


def _empty(value: Any) -> Any:
    return "" if value is None else value


def _fail_date(value: str) -> str:
    if value != "*":
        _day(value)
    return value


def _attempts(value: Any) -> Any:
    return d.ALWAYS if value == "always" else value


Cycle = Annotated[d.Cycle, BeforeValidator(_word(d.Cycle, "schedule period"))]
Method = Annotated[d.Method, BeforeValidator(_word(d.Method, "scheduling method"))]
Environment = Annotated[d.Environment, BeforeValidator(_word(d.Environment, "environment"))]
Mode = Annotated[d.Mode, BeforeValidator(_word(d.Mode, "project mode"))]
Role = Annotated[d.Role, BeforeValidator(_word(d.Role, "role"))]
Origin = Annotated[d.Origin, BeforeValidator(_word(d.Origin, "origin"))]
TaskType = Annotated[d.TaskType, BeforeValidator(_word(d.TaskType, "task type"))]
TableKind = Annotated[d.TableKind, BeforeValidator(_word(d.TableKind, "kind of logical table"))]
Priority = Annotated[d.Priority, BeforeValidator(_word(d.Priority, "priority"))]
DependencyCycle = Annotated[d.DependencyCycle, BeforeValidator(_word(d.DependencyCycle, "dependency cycle"))]
Policy = Annotated[d.Policy, BeforeValidator(_word(d.Policy, "dependency policy"))]

TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Day = Annotated[date, BeforeValidator(_day)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
Texts = Annotated[tuple[str, ...], BeforeValidator(as_list)]
Name = Annotated[str, AfterValidator(_short(NAME_LIMIT))]
TaskId = Annotated[str, AfterValidator(_short(ID_LIMIT)), AfterValidator(_task_id)]
Folder = Annotated[str, AfterValidator(_folder)]
ParameterName = Annotated[str, AfterValidator(_parameter_name)]
FailDate = Annotated[str, AfterValidator(_fail_date)]
Attempts = Annotated[int, BeforeValidator(_attempts), AfterValidator(_in_range(d.ALWAYS, 1000, "0 or more, or always"))]
Zone = Annotated[str, AfterValidator(_zone)]
Cron = Annotated[str, AfterValidator(_cron)]
ParameterValue = Annotated[str, BeforeValidator(_empty), AfterValidator(_longest(MAX_VALUE))]
Timeout = Annotated[
    Seconds, AfterValidator(_in_range(TIMEOUT.least, TIMEOUT.most, "from 0.01 to 168 hours (36s to 168h)"))
]
RerunInterval = Annotated[
    Seconds, AfterValidator(_in_range(RERUN_INTERVAL.least, RERUN_INTERVAL.most, "from 1 to 60 minutes"))
]
