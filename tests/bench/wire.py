"""Bytes on the line: what a real pseudo-terminal is sent for an idle screen, a key, a change.

`measure` drives any program by keys and counts, and keeps, what it writes; `run` does it for the table and holds the
figures against the budgets of the console (idle 0 B, cursor down 700 B, page down 13 kB, one changed row 1 kB).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from tests.bench.tables import Column, Table
from tests.terminal import Terminal

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
    env: Mapping[str, str] | None = None,
    settle: float = 1.5,
) -> tuple[Answer, list[Answer]]:
    """Run `argv` on a pseudo-terminal and take the steps; the start-up's answer comes first, apart from the others."""
    with Terminal(argv, width=width, height=height, env=env) as terminal:
        start = Answer(Step("start"), terminal.read(first=10.0, quiet=settle))
        return start, [take(terminal, step) for step in steps]


def take(terminal: Terminal, step: Step) -> Answer:
    """Take one step, as many times as it says."""
    if not step.keys:
        return Answer(step, terminal.read(first=step.seconds, quiet=step.seconds))
    data = b""
    for _ in range(step.times):
        terminal.press(step.keys)
        data += terminal.settle(QUIET)
    return Answer(step, data)


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
