"""Bytes on the line: what a real pseudo-terminal is sent for an idle screen, a key, a change.

`measure` drives any program by keys and counts, and keeps, what it writes; `run` does it for the table alone, and
`run_console` for the whole console over a filled database with its engine running. Both hold the figures against the
budgets of the console (idle 0 B, cursor down 700 B, page down 13 kB, one changed row 1 kB).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from sqlalchemy import select, update

from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.models import Instance
from dpconsole.core.store.opening import open_store
from tests.bench.console_app import make_database
from tests.bench.fill import LAST
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


CONSOLE_STEPS: tuple[Step, ...] = (
    Step("idle at home, 5 s", budget=0, seconds=5.0),
    Step("to the list", b"2"),
    Step("idle in a list, 5 s", budget=0, seconds=5.0),
    Step("cursor down", b"j", budget=700, times=5),
    Step("mark and step", b" ", times=3),
    Step("marks away", b"\x1b"),
    Step("page down", b"\x1b[6~", budget=13_000, times=3),
    Step("to the first row", b"gg"),
    Step("sort: open", b"s"),
    Step("sort: leave", b"\x1b"),
    Step("help: open", b"?"),
    Step("help: leave", b"\x1b"),
    Step("palette: open", b"\x10"),
    Step("palette: leave", b"\x1b"),
    Step("command: open", b":"),
    Step("command: leave", b"\x1b"),
    Step("preview: open", b"r"),
    Step("preview: leave", b"\x1b"),
    Step("details: open", b"\r"),
    Step("log: open", b"o"),
    Step("log: leave", b"q"),
    Step("details: leave", b"q"),
)
CHANGES = 4
INSTANCES = 20_000


def run_console(out: TextIO = sys.stdout, instances: int = INSTANCES) -> list[dict[str, object]]:
    """The whole console on each kind of terminal; this process changes a row of the list, as an engine would."""
    with tempfile.TemporaryDirectory() as place:
        database = make_database(Path(place) / "night.db", instances)
        results = _Results("whole console", out)
        argv = (sys.executable, "-m", "tests.bench.console_app", str(database))
        for colours, env in TERMINALS.items():
            with Terminal(argv, env=env) as terminal:
                terminal.wait_for("What broke")
                terminal.settle(1.5)
                for step in CONSOLE_STEPS:
                    results.add(colours, take(terminal, step))
                results.add(colours, _one_changed_row(terminal, database))
        return results.rows


def _one_changed_row(terminal: Terminal, database: Path) -> Answer:
    """A row in the middle of the screen changes its status, a few times."""
    step = Step("one changed row", budget=1_000, times=CHANGES)
    store = open_store(database)
    data = b""
    for status in (Status.RUNNING, Status.FAILED, Status.RUNNING, Status.SUCCEEDED):
        with store.write() as transaction:
            rows = select(Instance.id).where(
                Instance.business_date == LAST.isoformat(), Instance.listing == "computing"
            )
            middle = transaction.execute(rows.order_by(Instance.due_at, Instance.id).limit(1).offset(10)).scalar_one()
            changed = update(Instance).where(Instance.id == middle).values(status=status, rev=transaction.rev)
            transaction.execute(changed)
        data += terminal.read(first=2.0, quiet=QUIET)
    store.close()
    return Answer(step, data)


class _Results:
    """Prints each answer beside its budget, and keeps it."""

    def __init__(self, title: str, out: TextIO) -> None:
        self.rows: list[dict[str, object]] = []
        columns = Column(title, 15, words=True), Column("step", 20, words=True), Column("bytes", 8), Column("budget", 8)
        self._table = Table(*columns, out=out)

    def add(self, colours: str, answer: Answer) -> None:
        """One line."""
        name = answer.step.name
        budget = TIGHTER.get((colours, name), answer.step.budget)
        self.rows.append({"colours": colours, "step": name, "bytes": answer.bytes, "budget": budget})
        self._table.line(colours, name, answer.bytes, budget)


def run(
    argv: Sequence[str] = (sys.executable, "-m", "tests.bench.table_app", "100000"),
    steps: Sequence[Step] = TABLE_STEPS,
    out: TextIO = sys.stdout,
) -> list[dict[str, object]]:
    """Measure on each kind of terminal, print a table, return its rows."""
    results = _Results("table alone", out)
    for colours, env in TERMINALS.items():
        for answer in measure(argv, steps, env=env)[1]:
            results.add(colours, answer)
    return results.rows


if __name__ == "__main__":
    run()
    run_console()
