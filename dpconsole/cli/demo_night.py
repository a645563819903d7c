"""The night of the demo: made in a database of its own, and played up to the moment the operator sits down."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dpconsole.core.domain.clock import VirtualClock, business_date_of, to_ms
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import GENERATION_TIME, generate
from dpconsole.core.engine.running import run_until_idle
from dpconsole.core.engine.simulation import simulated_executor
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from dpconsole.core.workspace.demo import demo_workspace

RUN_DAY = date(2026, 11, 20)
"""The day the demo plays on: a fixed one, because what happens to an instance depends on its business date."""

SITS_DOWN = time(3, 10)
"""When the operator comes: enough has happened, enough is to come."""

NIGHTS = 2
"""Business dates with instances; the last of them is under way."""

PAST_STEP_MS = 1_800_000
"""How coarsely the nights before are played."""


def sits_down_at(zone: ZoneInfo) -> int:
    """When the operator comes, in UTC milliseconds."""
    return _at(SITS_DOWN, RUN_DAY, zone)


def prepare(database: Path, seed: int, operator: str) -> None:
    """Make the demo's database, and play it up to the moment the operator sits down.

    `seed` is what the night's chances are drawn from; `operator` owns some of the tasks.
    """
    store = open_store(database, synchronous="NORMAL")
    workspace = demo_workspace(operator)
    zone = ZoneInfo(workspace.timezone)
    last = business_date_of(RUN_DAY)
    first = last - timedelta(days=NIGHTS - 1)
    clock = VirtualClock(_at(GENERATION_TIME, first, zone))
    with store.write() as transaction:
        save_workspace(transaction, workspace, clock.now())
    for _ in generate(store, clock, first, last):
        pass
    _play(store, clock, seed, zone)
    store.close()


def _play(store: Store, clock: VirtualClock, seed: int, zone: ZoneInfo) -> None:
    """The nights before in large steps, and this one from event to event."""
    engine = Engine(store, clock, simulated_executor(store, seed))
    midnight = _at(time(0), RUN_DAY, zone)
    while clock.now() < midnight:
        next_at = engine.tick().next_at or midnight
        clock.advance_to(min(midnight, max(clock.now() + PAST_STEP_MS, next_at)))
    run_until_idle(engine, clock, until=sits_down_at(zone))


def _at(at: time, day: date, zone: ZoneInfo) -> int:
    return to_ms(datetime.combine(day, at, zone))
