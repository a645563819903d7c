"""The DAG screen over a real store: from a key until the picture it asks for is drawn.

Headless at 120x40. Timed is everything: the reading, the layout, both in their thread, and the drawing of the lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from textual.pilot import Pilot

from dpconsole.app import ConsoleApp
from dpconsole.core.store.session import Store
from dpconsole.screens.asking import OpenDag
from dpconsole.screens.instance_dag import InstanceDagScreen
from tests.screens.night import open_night

PATIENCE = 0.0005
"""Seconds between two looks whether it is there: a tighter loop would take the time of the thread that draws it."""


class Painted(NamedTuple):
    """What a key did, how many nodes and boxes there were then, and the milliseconds until they stood there."""

    key: str
    nodes: int
    boxes: int
    ms: float


STEPS: tuple[tuple[str, Callable[[InstanceDagScreen], None]], ...] = (
    *(("< and >", lambda screen: screen.action_more(1, 1)) for _ in range(3)),
    ("ctrl+r", lambda screen: screen.action_refresh_picture()),
    (")", lambda screen: screen.action_all("down")),
)
"""Keys, and what they do."""


def take(store: Store, folder: Path, instance: int) -> list[Painted]:
    """Open the DAG of an instance and grow it."""
    return asyncio.run(_take(store, folder, instance))


async def _take(store: Store, folder: Path, instance: int) -> list[Painted]:
    app = ConsoleApp(open_night(store, folder).services, live=False)
    async with app.run_test(size=(120, 40)) as pilot:
        began = perf_counter()
        app.post_message(OpenDag(instance))
        while not isinstance(app.screen, InstanceDagScreen) or app.screen.picture is None:
            await asyncio.sleep(PATIENCE)
        painted = [await _painted(pilot, "d", began)]
        for key, act in STEPS:
            screen = _screen(app)
            asked, before, began = screen.asked, screen.picture, perf_counter()
            act(screen)
            if screen.asked is asked:
                continue  # there was nothing more on that side
            while screen.picture is before:
                await asyncio.sleep(PATIENCE)
            painted.append(await _painted(pilot, key, began))
        return painted


async def _painted(pilot: Pilot[Any], key: str, began: float) -> Painted:
    """Have the screen drawn that holds the picture by now."""
    screen = _screen(pilot.app)
    screen._compositor.render_strips()
    took = perf_counter() - began
    await pilot.pause()
    assert screen.picture is not None
    return Painted(key, len(screen.picture.window.nodes), len(screen.picture.grouped.nodes), took * 1000)


def _screen(app: Any) -> InstanceDagScreen:
    assert isinstance(app.screen, InstanceDagScreen)
    return app.screen
