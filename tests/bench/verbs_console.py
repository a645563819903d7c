"""A verb on everything that is listed, through the real app: how long it takes, and how long keys wait meanwhile.

Each size in a process of its own, headless at 120x40, on rows that all run: the whole list is marked and stopped. A
task of the event loop sleeps a few milliseconds at a time; the longest it overslept is what a key would have waited.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

from dpconsole.app import ConsoleApp
from dpconsole.cli.collector import collect_seldom, keep_what_is_loaded
from dpconsole.core.store.opening import open_store
from dpconsole.screens.instances import InstancesScreen
from dpconsole.screens.preview import PreviewScreen
from tests.bench.rowtable import ROOT, resident
from tests.bench.tables import Column, Table
from tests.bench.verbs import make_night
from tests.screens.hands import press, settle
from tests.screens.night import open_night

WHOLE = (10_000, 100_000)
QUICK = (10_000,)
A_DATE = 1_000
"""Listed instances of each data timestamp."""

NAP = 0.002


@asynccontextmanager
async def watched(figures: dict[str, Any], what: str) -> AsyncIterator[None]:
    """Enter how long something took, and the longest the event loop did not come round meanwhile."""
    longest = 0.0

    async def doze() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(NAP)
            longest = max(longest, time.perf_counter() - began - NAP)

    began, dozing = time.perf_counter(), asyncio.create_task(doze())
    await asyncio.sleep(NAP)
    yield
    dozing.cancel()
    figures |= {f"{what}_s": time.perf_counter() - began, f"{what}_gap_ms": longest * 1_000}


async def until(ready: Callable[[], bool]) -> None:
    """Let the app go on until something is so."""
    while not ready():
        await asyncio.sleep(NAP)


async def take(database: Path) -> dict[str, Any]:
    """All figures of one database."""
    collect_seldom()
    store = open_store(database)
    app = ConsoleApp(open_night(store, database.parent).services, live=False)
    keep_what_is_loaded()
    async with app.run_test(size=(120, 40)) as pilot:
        app.session.arming.seconds = 0
        await press(pilot, "2")
        listed = app.screen
        assert isinstance(listed, InstancesScreen)
        listed.look_for("")
        await settle(pilot)
        figures: dict[str, Any] = {"rows": len(listed.table.ids)}
        await press(pilot, "*")
        before = resident()
        async with watched(figures, "plan"):
            listed.action_verb("stop")
            await until(lambda: isinstance(app.screen, PreviewScreen) and app.screen.sight is not None)
        figures["plan_mib"] = resident() - before
        preview = app.screen
        assert isinstance(preview, PreviewScreen) and preview.sight is not None
        assert len(preview.sight.acts) == figures["rows"]
        await settle(pilot)
        preview.count.value = str(figures["rows"])
        async with watched(figures, "apply"):
            preview.action_accept()
            await until(lambda: any("acted on" in str(note.message) for note in app._notifications))
        return figures


def _in_process(database: Path) -> dict[str, Any]:
    argv = [sys.executable, "-m", "tests.bench.verbs_console", str(database)]
    done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


PRINTED: dict[str, Column] = {
    "rows": Column("rows", 9, "{:,}"),
    "plan_s": Column("planned", 10, "{:.2f} s"),
    "plan_gap_ms": Column("longest gap", 13, "{:.0f} ms"),
    "plan_mib": Column("memory", 10, "{:.0f} MiB"),
    "apply_s": Column("applied", 10, "{:.2f} s"),
    "apply_gap_ms": Column("longest gap", 13, "{:.0f} ms"),
}
"""By figure, how it is printed."""


def run(sizes: Sequence[int] = WHOLE, out: TextIO | None = None) -> None:
    """Measure every size, and print a table."""
    table = Table(*PRINTED.values(), out=out)
    with tempfile.TemporaryDirectory(prefix="dpconsole-bench-") as place:
        for size in sizes:
            path = Path(place) / f"{size}.db"
            make_night(path, size, tasks=A_DATE).close()
            figures = _in_process(path)
            table.line(*(figures[name] for name in PRINTED))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(take(Path(sys.argv[1])))))
