"""`RowTable` beside Textual's `DataTable`: first paint, key to paint, memory, the cost of a stream of updates.

Each figure is taken in a process of its own, headless at 120x40. First paint counts from the call that fills the table
until its lines were drawn, the id snapshot included. Memory is what the process grew by from the app with an empty
table. Updates arrive as they would from the change feed: 125 rows four times a second, 500 updates a second, most of
them outside the window; the figure is the share of one CPU they cost.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, TextIO

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import DataTable

from dpconsole.widgets.row_table import RowTable
from tests.bench.table_app import COLUMNS, FakeStore, TableApp
from tests.bench.tables import Column, Table

ROOT = Path(__file__).resolve().parents[2]
KEYS = 60
TICKS_A_SECOND = 4
CHANGED_A_TICK = 125
UPDATE_SECONDS = 3
TOO_MANY_FOR_DATATABLE = 100_000


class DataTableApp(App[None]):
    """The same rows in the table Textual brings."""

    BINDINGS: ClassVar = [("j", "focused.cursor_down", "")]

    def __init__(self) -> None:
        super().__init__()
        self.store = FakeStore()

    def compose(self) -> ComposeResult:
        """The table alone."""
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        """The columns; rows come later."""
        for column in COLUMNS:
            self.query_one(DataTable).add_column(column.title, key=column.id, width=column.width)


def _text(cell: Any) -> str:
    return cell if isinstance(cell, str) else "".join(text for text, _ in cell)


def fill_data_table(app: App[None], rows: int) -> None:
    """Put the rows in."""
    table = app.query_one(DataTable)
    store = FakeStore()
    for row in store.fetch(range(1, rows + 1)):
        table.add_row(*(_text(column.render(row)) for column in COLUMNS), key=str(row.id))


def fill_row_table(app: App[None], rows: int) -> None:
    """Push the snapshot."""
    app.query_one(RowTable).show(array("q", range(1, rows + 1)))


def update_data_table(app: App[None], changed: Sequence[int]) -> None:
    """Write the changed cell of each row."""
    table = app.query_one(DataTable)
    for row_id in changed:
        table.update_cell(str(row_id), "status", "▶ Running")


def update_row_table(app: App[None], changed: Sequence[int]) -> None:
    """Say which rows changed."""
    assert isinstance(app, TableApp)
    app.store.change(changed)
    app.query_one(RowTable).update_rows(changed)


Fill = Callable[[App[None], int], None]
Update = Callable[[App[None], Sequence[int]], None]
SUBJECTS: dict[str, tuple[Callable[[], App[None]], Fill, Update]] = {
    "RowTable": (lambda: TableApp(0), fill_row_table, update_row_table),
    "DataTable": (DataTableApp, fill_data_table, update_data_table),
}


def resident() -> float:
    """MiB of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def _settled(pilot: Pilot[None]) -> None:
    await pilot.pause()
    pilot.app.screen._compositor.render_strips()


async def take(subject: str, rows: int) -> dict[str, Any]:
    """All figures of one table at one size."""
    make, fill, update = SUBJECTS[subject]
    app = make()
    async with app.run_test(size=(120, 40)) as pilot:
        await _settled(pilot)
        empty = resident()
        began = time.perf_counter()
        fill(app, rows)
        await _settled(pilot)
        painted = time.perf_counter() - began
        keys = await key_times(pilot)
        grown = resident() - empty
        return {
            "table": subject,
            "rows": rows,
            "first_paint_s": painted,
            "key_median_ms": statistics.median(keys) * 1_000,
            "key_p95_ms": statistics.quantiles(keys, n=20)[-1] * 1_000,
            "memory_mib": grown,
            "updates_cpu": await _update_share(app, rows, update),
        }


async def key_times(pilot: Pilot[None]) -> list[float]:
    """Seconds from the action of a key until its lines are drawn, without the pilot's own waiting."""
    table: Any = pilot.app.screen.query("RowTable, DataTable").first()
    screen: Any = pilot.app.screen
    times = []
    for _ in range(KEYS):
        began = time.perf_counter()
        table.action_cursor_down()
        await asyncio.sleep(0)
        screen._compositor.update_widgets({table})
        update = screen._compositor.render_update(screen_stack=[])
        if update is not None:
            update.render_segments(pilot.app.console)
        times.append(time.perf_counter() - began)
        await pilot.pause()
    return times


async def _update_share(app: App[None], rows: int, update: Update) -> float:
    """CPU share of 500 updates a second over a few seconds, less what the idle app takes."""

    async def spend(tick: Callable[[int], None]) -> float:
        wall, cpu = time.perf_counter(), time.process_time()
        for number in range(UPDATE_SECONDS * TICKS_A_SECOND):
            tick(number)
            due = wall + (number + 1) / TICKS_A_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        return (time.process_time() - cpu) / (time.perf_counter() - wall)

    step = max(1, rows // CHANGED_A_TICK)
    idle = await spend(lambda _number: None)
    busy = await spend(lambda number: update(app, [(k * step + number) % rows + 1 for k in range(CHANGED_A_TICK)]))
    return busy - idle


def _in_process(subject: str, rows: int) -> dict[str, Any]:
    argv = [sys.executable, "-m", "tests.bench.rowtable", subject, str(rows)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


PRINTED: dict[str, Column] = {
    "table": Column("", 10, words=True),
    "rows": Column("rows", 10, "{:,}"),
    "first_paint_s": Column("first paint", 13, "{:.3f} s"),
    "key_median_ms": Column("key", 9, "{:.1f} ms"),
    "key_p95_ms": Column("p95", 9, "{:.1f} ms"),
    "memory_mib": Column("memory", 11, "{:.1f} MiB"),
    "updates_cpu": Column("500 upd/s", 11, "{:.1%}"),
}
"""By figure, how it is printed."""


def run(
    sizes: Sequence[int] = (1_000, 10_000, 100_000, 1_000_000),
    out: TextIO = sys.stdout,
    *,
    beside: int = TOO_MANY_FOR_DATATABLE,
) -> list[dict[str, Any]]:
    """Measure every size, `DataTable` up to `beside` rows, print a table, return its rows."""
    table = Table(*PRINTED.values(), out=out)
    taken = []
    for rows in sizes:
        for subject in SUBJECTS:
            if subject == "DataTable" and rows > beside:
                continue
            figures = _in_process(subject, rows)
            taken.append(figures)
            table.line(*(figures[name] for name in PRINTED))
    return taken


def main(arguments: Sequence[str]) -> None:
    """Without arguments the whole table; with a subject and a size, the figures of that one as JSON."""
    if len(arguments) == 2:
        print(json.dumps(asyncio.run(take(arguments[0], int(arguments[1])))))
    else:
        run()


if __name__ == "__main__":
    main(sys.argv[1:])
