"""Dates and times as they are typed on the command line and written for a reader, in the workspace's zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.work import Work
from dpconsole.core.domain.clock import to_datetime
from dpconsole.core.query.values import QueryContext, Span, read_day, read_moment


def day_of(work: Work, text: str, option: str) -> date:
    """The date of `2026-11-19`, `today`, `yesterday` or `-1d`."""
    return date.fromisoformat(_read(read_day, work, text, option))


def moment_of(work: Work, text: str, option: str) -> int:
    """UTC milliseconds of `02:00`, `2026-11-20T02:00`, `-2h`, `now`, or the beginning of a day."""
    return int(_read(read_moment, work, text, option))


def say_when(ms: int, work: Work) -> str:
    """A moment for a reader: `2026-11-20 02:00:00`."""
    return f"{to_datetime(ms, work.zone):%Y-%m-%d %H:%M:%S}"


def _read(reader: Callable[[str, QueryContext], Span], work: Work, text: str, option: str) -> Any:
    try:
        return reader(text, work.query_context).start
    except ValueError as error:
        raise Failure(f"{option}: {error}", Exit.USAGE) from None
    except OverflowError:
        raise Failure(f"{option}: {text} is out of reach", Exit.USAGE) from None
