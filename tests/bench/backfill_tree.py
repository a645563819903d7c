"""The tree of backfills beside the flat list of the same instances: opening, unfolding, folding, scrolling, a tick.

One backfill of 1,000 data timestamps with 200 instances each, made as the console makes it, with statuses strewn over
it. Both screens run headless at 120x40 in a process of their own. What a flat list does not do has no figure there: it
is opened as a whole, and `unfold all` of the tree, which lists the same instances, is what stands beside that. A tick
is 125 changed instances, of which a few are in sight, from the feed's answer until the lines are drawn.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TextIO

from sqlalchemy import case, literal, update
from textual.pilot import Pilot

from dpconsole.app import ConsoleApp
from dpconsole.core.domain.backfill_form import BackfillForm, DateRange, Mode
from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.backfilling import create, submit
from dpconsole.core.services import Delta
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.models import Instance
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from dpconsole.screens.backfill import BackfillScreen
from dpconsole.screens.instances import InstancesScreen
from dpconsole.screens.listing import ListScreen
from tests.bench.fill import workspace
from tests.bench.rowtable import CHANGED_A_TICK, ROOT, key_times
from tests.bench.tables import Column, Table
from tests.screens.night import NOW, open_night

FIRST = date(2024, 1, 1)
TICKS = 10
STATUSES = (Status.SUCCEEDED, Status.SUCCEEDED, Status.SUCCEEDED, Status.RUNNING, Status.FAILED, Status.NOT_RUNNING)

Figures = dict[str, float | None]


def plant(store: Store, dates: int, tasks: int) -> None:
    """One backfill of so many data timestamps and tasks, its statuses strewn."""
    clock = VirtualClock(NOW)
    days = (DateRange(FIRST, FIRST + timedelta(days=dates - 1)),)
    with store.write() as transaction:
        definitions = workspace(tasks)
        save_workspace(transaction, definitions, NOW)
        form = BackfillForm(tasks=(definitions.tasks[0].id,), mode=Mode.LIST, ranges=days, name="everything again")
        made = create(transaction, form, "lin", NOW)
    submit(store, clock, made)
    strewn = case(
        {literal(place): status.value for place, status in enumerate(STATUSES)}, value=Instance.id % len(STATUSES)
    )
    with store.write() as transaction:
        transaction.execute(update(Instance).where(Instance.listing != "").values(status=strewn, rev=transaction.rev))


class FlatScreen(InstancesScreen):
    """The list of instances, of every origin."""

    @property
    def listing(self) -> str:
        """All of them."""
        return ""


class Bench:
    """A console with one of the screens on top."""

    def __init__(self, pilot: Pilot[Any], screen: ListScreen) -> None:
        self.pilot, self.screen = pilot, screen

    async def drawn(self, act: Callable[[], None], ready: Callable[[], bool]) -> float:
        """Seconds from an act until something is so, and on the screen."""
        began = time.perf_counter()
        act()
        while not ready():
            await asyncio.sleep(0.001)
        await self.pilot.pause()
        self.screen._compositor.render_strips()
        return time.perf_counter() - began

    async def tick(self, number: int) -> float:
        """Seconds from the feed's answer until what changed is drawn."""
        table = self.screen.table
        step = max(1, len(table.ids) // CHANGED_A_TICK)
        ids = {row // 4 if isinstance(self.screen, BackfillScreen) else row for row in table.ids[number::step]}
        delta = Delta(self.screen.rev + 1, {"instance": frozenset(ids)})
        began = time.perf_counter()
        self.screen.post_message(ListScreen.Changed(delta))
        await asyncio.sleep(0)
        await self.pilot.pause()
        await self.screen.workers.wait_for_complete()
        await self.pilot.pause()
        self.screen._compositor.render_strips()
        return time.perf_counter() - began

    async def moving(self, name: str) -> Figures:
        """What keys cost once everything is listed."""
        keys = await key_times(self.pilot)
        self.screen.table.action_home()
        pages = [await self._page() for _ in range(20)]
        ticks = [await self.tick(number) for number in range(TICKS)]
        return {
            f"{name}cursor down": median(keys),
            f"{name}cursor down, p95": quantiles(keys, n=20)[-1],
            f"{name}page down": median(pages),
            f"{name}tick of {CHANGED_A_TICK} changes": median(ticks),
        }

    async def _page(self) -> float:
        return await self.drawn(self.screen.table.action_page_down, lambda: True)


async def flat(pilot: Pilot[Any], app: ConsoleApp, _dates: int, rows: int) -> Figures:
    """The figures of the flat list."""
    screen = FlatScreen(app.session, "name:nothing")
    await app.push_screen(screen)
    await app.workers.wait_for_complete()
    bench = Bench(pilot, screen)
    taken = {"everything listed": await bench.drawn(lambda: screen.look_for(""), lambda: len(screen.table.ids) == rows)}
    return taken | await bench.moving("")


async def tree(pilot: Pilot[Any], app: ConsoleApp, dates: int, rows: int) -> Figures:
    """The figures of the tree."""
    await pilot.press("3")
    await app.workers.wait_for_complete()
    await pilot.pause()
    screen = app.screen
    assert isinstance(screen, BackfillScreen)
    table, bench = screen.table, Bench(pilot, screen)
    everything = 1 + dates + rows
    unfolded = {
        "a backfill unfolded": await bench.drawn(table.action_unfold, lambda: len(table.ids) == 1 + dates),
        "folded": await bench.drawn(table.action_fold, lambda: len(table.ids) == 1),
        "unfolded again": await bench.drawn(table.action_unfold, lambda: len(table.ids) == 1 + dates),
    }
    table.action_cursor_down()
    unfolded["a data timestamp unfolded"] = await bench.drawn(
        table.action_unfold, lambda: len(table.ids) == 1 + dates + rows // dates
    )
    unfolded["everything listed"] = await bench.drawn(table.action_unfold_all, lambda: len(table.ids) == everything)
    table.action_home()
    moving = await bench.moving("")
    table.action_home()
    table.action_mark_and_step()
    marked = {"cursor down, all marked": median(await key_times(pilot))}
    unfolded["all folded"] = await bench.drawn(table.action_fold_all, lambda: len(table.ids) == 1)
    return unfolded | moving | marked


SUBJECTS: dict[str, Callable[[Pilot[Any], ConsoleApp, int, int], Awaitable[Figures]]] = {"flat": flat, "tree": tree}


async def take(database: Path, subject: str, dates: int, rows: int) -> Figures:
    """All figures of one of the two."""
    store = open_store(database)
    app = ConsoleApp(open_night(store, database.parent).services, live=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.workers.wait_for_complete()
        return await SUBJECTS[subject](pilot, app, dates, rows)


def _in_process(database: Path, subject: str, dates: int, rows: int) -> Figures:
    argv = [sys.executable, "-m", "tests.bench.backfill_tree", str(database), subject, str(dates), str(rows)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures


WHOLE, QUICK = (1_000, 200), (100, 200)
PRINTED = (Column("", 30, words=True), Column("flat list", 12, "{:.1f} ms"), Column("tree", 12, "{:.1f} ms"))


def run(size: tuple[int, int] = WHOLE, out: TextIO = sys.stdout) -> dict[str, Figures]:
    """Measure both, print them side by side, return the figures in seconds by subject."""
    dates, tasks = size
    with tempfile.TemporaryDirectory() as place:
        database = Path(place) / "tree.db"
        store = open_store(database, synchronous="OFF")
        plant(store, dates, tasks)
        store.close()
        taken = {subject: _in_process(database, subject, dates, dates * tasks) for subject in SUBJECTS}
    print(f"{dates:,} data timestamps of {tasks:,} instances", file=out)
    table = Table(*PRINTED, out=out)
    for name in dict.fromkeys([*taken["tree"], *taken["flat"]]):
        shown: Sequence[float | None] = [taken[subject].get(name) for subject in ("flat", "tree")]
        table.line(name, *(None if figure is None else figure * 1_000 for figure in shown))
    return taken


if __name__ == "__main__":
    print(json.dumps(asyncio.run(take(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))))
