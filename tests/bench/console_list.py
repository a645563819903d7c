"""The console's own list over a real store: first paint, the whole of it, key to paint, memory.

Each size in a process of its own, headless at 120x40, on a database that `fill` wrote. The list opens on one data
timestamp; what is timed is the change to no filter at all, from the order until the lines are drawn: with the first
page of ids, and with every id. Memory is what the process holds above one whose database is empty, its list open too.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TextIO

from textual.pilot import Pilot

from dpconsole.app import ConsoleApp
from dpconsole.core.store.opening import open_store
from dpconsole.screens.instances import InstancesScreen
from tests.bench.fill import fill
from tests.bench.rowtable import ROOT, key_times, resident
from tests.bench.tables import Column, Table
from tests.screens.night import open_night


async def take(database: Path) -> dict[str, Any]:
    """All figures of one database."""
    store = open_store(database)
    app = ConsoleApp(open_night(store, database.parent).services, live=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        await app.workers.wait_for_complete()
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, InstancesScreen)
        if not screen.table.ids:
            return {"resident_mib": resident()}
        before, began = len(screen.table.ids), time.perf_counter()
        screen.look_for("")
        first = await _drawn(pilot, began, lambda: len(screen.table.ids) != before)
        whole = await _drawn(pilot, began, lambda: "+" not in screen.count_words)
        keys = await key_times(pilot)
        return {
            "rows": len(screen.table.ids),
            "first_paint_s": first,
            "whole_s": whole,
            "key_median_ms": median(keys) * 1_000,
            "key_p95_ms": quantiles(keys, n=20)[-1] * 1_000,
            "resident_mib": resident(),
        }


async def _drawn(pilot: Pilot[Any], began: float, ready: Callable[[], bool]) -> float:
    """Seconds until something is so, and on the screen."""
    while not ready():
        await asyncio.sleep(0.001)
    await pilot.pause()
    pilot.app.screen._compositor.render_strips()
    return time.perf_counter() - began


def _in_process(database: Path) -> dict[str, Any]:
    argv = [sys.executable, "-m", "tests.bench.console_list", str(database)]
    figures: dict[str, Any] = json.loads(
        subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    )
    return figures


PRINTED: dict[str, Column] = {
    "rows": Column("rows listed", 12, "{:,}"),
    "first_paint_s": Column("first paint", 13, "{:.3f} s"),
    "whole_s": Column("whole list", 13, "{:.3f} s"),
    "key_median_ms": Column("key", 9, "{:.1f} ms"),
    "key_p95_ms": Column("p95", 9, "{:.1f} ms"),
    "memory_mib": Column("memory", 12, "{:.1f} MiB"),
}
"""By figure, how it is printed."""


def run(sizes: Sequence[int] = (1_000, 100_000, 1_000_000), out: TextIO = sys.stdout) -> list[dict[str, Any]]:
    """Measure every size, print a table, return its rows."""
    table = Table(*PRINTED.values(), out=out)
    taken = []
    with tempfile.TemporaryDirectory() as place:
        empty = _in_process(_database(Path(place), 0))["resident_mib"]
        for size in sizes:
            figures = _in_process(_database(Path(place), size))
            figures["memory_mib"] = figures["resident_mib"] - empty
            taken.append(figures)
            table.line(*(figures[name] for name in PRINTED))
    return taken


def _database(place: Path, instances: int) -> Path:
    path = place / f"{instances}.db"
    store = open_store(path, synchronous="NORMAL")
    if instances:
        fill(store, instances)
    store.close()
    return path


if __name__ == "__main__":
    print(json.dumps(asyncio.run(take(Path(sys.argv[1])))))
