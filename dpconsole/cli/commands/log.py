"""The run log of an instance: one attempt's bytes as they were written, or all attempts as one JSON object."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import click

from dpconsole.cli.commands.lists import instance_of
from dpconsole.cli.exits import Exit
from dpconsole.cli.lazy import Command
from dpconsole.cli.talk import say, write, write_json
from dpconsole.cli.work import Work, opened
from dpconsole.core.domain.clock import format_iso
from dpconsole.core.domain.text import LINE_LIMIT, clean
from dpconsole.core.engine.logs import RunLogs
from dpconsole.core.engine.simulation import simulated_executor
from dpconsole.core.store.details import AttemptRow, InstanceDetail

CHUNK = 65_536
"""Bytes read at once."""

FOLLOW_SECONDS = 0.5


@click.command(cls=Command)
@click.argument("id")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Which attempt (else the last).")
@click.option("--follow", "-f", is_flag=True, help="Go on until the attempt has ended.")
@click.option("--json", "as_json", is_flag=True, help="The attempts and their logs as one JSON object.")
@click.pass_context
def log(context: click.Context, id: str, attempt: int | None, follow: bool, as_json: bool) -> Exit:
    """The run log of the instance ID; of a logical table, those of its materialization nodes.

    To a terminal control characters are made visible; to a file or a pipe the bytes are as they were written.
    """
    with opened(context) as work:
        detail = instance_of(work, id)
        reader = _Reader(work)
        if as_json:
            chosen = [row for row in detail.attempts if attempt in (None, row.number)]
            write_json(_document(detail, chosen, reader))
        else:
            chosen = _chosen(detail.attempts, attempt)
            for row in chosen:
                if row.node:
                    write(f"==> {row.node}, attempt {row.number} <==")
                reader.copy(row, follow=follow)
    if not chosen:
        say(
            f"{detail.row.name}: no such attempt"
            if detail.attempts
            else f"{detail.row.name}: it has not run, so no log"
        )
        return Exit.NOTHING
    return Exit.DONE


def _chosen(attempts: Sequence[AttemptRow], number: int | None) -> list[AttemptRow]:
    """The attempt asked for, or the last, of each row that ran."""
    if number is not None:
        return [row for row in attempts if row.number == number]
    last = {row.instance_id: row for row in sorted(attempts, key=lambda row: row.number)}
    return list(last.values())


class _Reader:
    """Reads logs and writes them to standard output."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._logs = RunLogs(work.store, simulated_executor(work.store), work.clock)

    def chunks(self, row: AttemptRow, ended: Callable[[], bool]) -> Iterator[bytes]:
        """An attempt's log from its beginning, until it is read and `ended` says that nothing more comes."""
        offset = 0
        while True:
            last = ended()
            while piece := self._logs.read(row.instance_id, row.number, offset, CHUNK):
                offset += len(piece)
                yield piece
            if last:
                return
            time.sleep(FOLLOW_SECONDS)

    def copy(self, row: AttemptRow, *, follow: bool) -> None:
        """Write an attempt's log; to a terminal, line by line and harmless."""
        pieces = self.chunks(row, lambda: not follow or self._has_ended(row))
        if not sys.stdout.isatty():
            sys.stdout.flush()
            for piece in pieces:
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
            return
        for line in _lines(pieces):
            write(clean(line.decode(errors="replace"), LINE_LIMIT))

    def whole(self, row: AttemptRow) -> str:
        """An attempt's log as text."""
        return b"".join(self.chunks(row, lambda: True)).decode(errors="replace")

    def _has_ended(self, row: AttemptRow) -> bool:
        detail = self._work.lists.detail(row.instance_id)
        attempts = detail.attempts if detail else ()
        return all(some.ended_at is not None for some in attempts if some.number == row.number)


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Whole lines; one longer than can be shown is given out in parts."""
    held = b""
    for piece in pieces:
        *lines, held = (held + piece).split(b"\n")
        yield from lines
        if len(held) > CHUNK:
            yield held
            held = b""
    if held:
        yield held


def _document(detail: InstanceDetail, attempts: Sequence[AttemptRow], reader: _Reader) -> dict[str, Any]:
    return {
        "id": detail.row.key,
        "name": detail.row.name,
        "attempts": [_attempt(detail, row, reader) for row in attempts],
    }


def _attempt(detail: InstanceDetail, row: AttemptRow, reader: _Reader) -> dict[str, Any]:
    zone = ZoneInfo(detail.row.zone)
    started, ended = row.started_at or row.dispatched_at, row.ended_at
    return {
        "number": row.number,
        "node": row.node or None,
        "status": row.state,
        "started": format_iso(started, zone),
        "ended": None if ended is None else format_iso(ended, zone),
        "duration": None if ended is None else (ended - started) / 1000,
        "exit_code": row.exit_code,
        "content": reader.whole(row),
    }
