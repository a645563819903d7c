"""What goes to whom: data to standard output, talk to standard error, and never a control character from outside."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 1.0
"""Seconds of work after which a person at a terminal is told how far it is."""

_FRAME = 0.2
_CLEAR_LINE = "\r\x1b[K"


def say(words: str) -> None:
    """A line of talk."""
    print(words, file=sys.stderr, flush=True)


def complain(words: str) -> None:
    """What went wrong, one line each, under the program's name."""
    for line in words.splitlines():
        say(f"dpconsole: {line}")


def number_of(number: int, what: str) -> str:
    """A number of things: `1 row`, `4,000 rows`."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def write(line: str) -> None:
    """A line of data."""
    print(line)


def write_json(document: dict[str, Any]) -> None:
    """The one JSON object of a command; spread out for a reader, in one line for a program."""
    from dpconsole.core.export.json_items import SCHEMA_VERSION, dumps

    print(dumps({"schema_version": SCHEMA_VERSION, **document}, indent=2 if sys.stdout.isatty() else None))


class Progress:
    """How far a piece of work is, on standard error, when that is a terminal and the work takes its time."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = self._drawn = time.monotonic()
        self._shown = False

    def __call__(self, done: int | str, total: int | None = None) -> None:
        """Say how far the work is."""
        now = time.monotonic()
        if not sys.stderr.isatty() or now - self._began < PATIENCE or now - self._drawn < _FRAME:
            return
        self._drawn, self._shown = now, True
        of = f" of {total:,}" if total is not None else ""
        number = f"{done:,}" if isinstance(done, int) else done
        print(f"{_CLEAR_LINE}{self._what}: {number}{of}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the line away again."""
        if self._shown:
            print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """A `Progress` that leaves nothing behind."""
    shown = Progress(what)
    try:
        yield shown
    finally:
        shown.end()
