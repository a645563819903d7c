"""Bytes on the line: what a real pseudo-terminal is sent for an idle screen, a key, a change.

`measure` drives any program by keys and counts, and keeps, what it writes; `run` does it for the table and holds the
figures against the budgets of the console (idle 0 B, cursor down 700 B, page down 13 kB, one changed row 1 kB).
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tests.bench.tables import Column, Table

ROOT = Path(__file__).resolve().parents[2]
QUIET = 0.5
"""Seconds without a byte after which a step is over."""


@dataclass(frozen=True, slots=True)
class Step:
    """Keys to send, and the bytes allowed in answer; without keys, watch for `seconds`."""

    name: str
    keys: bytes = b""
    budget: int | None = None
    seconds: float = 0.0
    times: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a step brought back."""

    step: Step
    data: bytes

    @property
    def bytes(self) -> int:
        """Bytes for one time of the step."""
        return len(self.data) // self.step.times


TABLE_STEPS: tuple[Step, ...] = (
    Step("idle, 3 s", budget=0, seconds=3.0),
    Step("cursor down", b"j", budget=700, times=5),
    Step("one changed row", b"u", budget=1_000, times=3),
    Step("mark and step", b" ", budget=1_000, times=3),
    Step("page down", b"\x1b[6~", budget=13_000, times=3),
)


TERMINALS: dict[str, dict[str, str]] = {
    "16 colours": {"TERM": "xterm-16color", "COLORTERM": ""},
    "256 colours": {"COLORTERM": ""},
    "true colour": {"COLORTERM": "truecolor"},
}

TIGHTER: dict[tuple[str, str], int] = {("16 colours", "page down"): 8_000}
"""Budgets that are smaller where styles cost less."""


def measure(
    argv: Sequence[str],
    steps: Sequence[Step],
    *,
    width: int = 120,
    height: int = 40,
    env: dict[str, str] | None = None,
    settle: float = 1.5,
) -> tuple[Answer, list[Answer]]:
    """Run `argv` on a pseudo-terminal and take the steps; the start-up's answer comes first, apart from the others."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        os.chdir(ROOT)
        os.execvpe(argv[0], list(argv), {**os.environ, "TERM": "xterm-256color", **(env or {})})
    try:
        start = Answer(Step("start"), _read(terminal, quiet=settle, first=10.0))
        return start, [_take(terminal, step) for step in steps]
    finally:
        _end(child, terminal)


def _take(terminal: int, step: Step) -> Answer:
    if not step.keys:
        return Answer(step, _read(terminal, quiet=step.seconds, first=step.seconds))
    data = b""
    for _ in range(step.times):
        os.write(terminal, step.keys)
        data += _read(terminal, quiet=QUIET, first=QUIET)
    return Answer(step, data)


def _read(terminal: int, quiet: float, first: float) -> bytes:
    """Everything until nothing came for `quiet` seconds; the first byte may take `first`."""
    data, wait = b"", first
    while select.select([terminal], [], [], wait)[0]:
        try:
            piece = os.read(terminal, 65_536)
        except OSError:
            break
        if not piece:
            break
        data, wait = data + piece, quiet
    return data


def _end(child: int, terminal: int) -> None:
    """End the program and reap it, reading on so that it cannot block on its last words."""
    os.kill(child, signal.SIGTERM)
    deadline = time.monotonic() + 3
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        _read(terminal, quiet=0.05, first=0.05)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
    os.close(terminal)


def run(
    argv: Sequence[str] = (sys.executable, "-m", "tests.bench.table_app", "100000"),
    steps: Sequence[Step] = TABLE_STEPS,
    out: TextIO = sys.stdout,
) -> list[dict[str, object]]:
    """Measure on each kind of terminal, print a table, return its rows."""
    rows: list[dict[str, object]] = []
    table = Table(
        Column("120x40", 13, words=True),
        Column("step", 18, words=True),
        Column("bytes", 8),
        Column("budget", 8),
        out=out,
    )
    for colours, env in TERMINALS.items():
        for answer in measure(argv, steps, env=env)[1]:
            name = answer.step.name
            budget = TIGHTER.get((colours, name), answer.step.budget)
            rows.append({"colours": colours, "step": name, "bytes": answer.bytes, "budget": budget})
            table.line(colours, name, answer.bytes, budget)
    return rows


if __name__ == "__main__":
    run()
