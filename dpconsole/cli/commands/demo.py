"""`demo`: a night to look around in, thrown away afterwards, and the same for the same seed."""

from __future__ import annotations

import multiprocessing
import tempfile
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from dpconsole.cli.commands.console import need_terminal, run_console
from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import Command, flags
from dpconsole.cli.work import opened
from dpconsole.core.domain.clock import PacedClock, VirtualClock, business_date_of, to_ms
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import GENERATION_TIME, generate
from dpconsole.core.engine.running import run_until_idle
from dpconsole.core.engine.simulation import simulated_executor
from dpconsole.core.operations.actor import current_actor
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


@click.command(cls=Command)
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Another number, another night.")
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 3600),
    default=60.0,
    show_default=True,
    metavar="X",
    help="Seconds of the night that pass in one of ours.",
)
@click.pass_context
def demo(context: click.Context, seed: int, speed: float) -> Exit:
    """The console on a lively, repeatable night in a database of its own, which is thrown away afterwards."""
    need_terminal()
    with tempfile.TemporaryDirectory(prefix="dpconsole-demo-") as place:
        database = Path(place) / "demo.db"
        _prepare_while_loading(Night(database, seed, current_actor("demo", {}).user))
        given = flags(context)
        given.update(database=str(database), readonly=given.get("readonly", False))
        with opened(context, front_end="demo") as work:
            clock = PacedClock(work.clock, _on_run_day(SITS_DOWN, work.zone), speed)
            return run_console(work, clock, speed)


@dataclass(frozen=True, slots=True)
class Night:
    """Where the demo's database is, what its chances are drawn from, and who plays."""

    database: Path
    seed: int
    operator: str


def _prepare_while_loading(night: Night) -> None:
    """A process of its own prepares the night, while this one loads the screens."""
    preparing = multiprocessing.get_context("fork").Process(target=prepare, args=(night,))
    preparing.start()
    import dpconsole.app  # noqa: F401

    preparing.join()
    if preparing.exitcode:
        raise Failure("the demo's night could not be prepared; see above")


def prepare(night: Night) -> None:
    """Make the demo's database, and play it up to the moment the operator sits down."""
    store = open_store(night.database, synchronous="NORMAL")
    workspace = demo_workspace(night.operator)
    zone = ZoneInfo(workspace.timezone)
    last = business_date_of(RUN_DAY)
    first = last - timedelta(days=NIGHTS - 1)
    clock = VirtualClock(_at(GENERATION_TIME, first, zone))
    with store.write() as transaction:
        save_workspace(transaction, workspace, clock.now())
    for _ in generate(store, clock, first, last):
        pass
    _play(store, clock, night.seed, zone)
    store.close()


def _play(store: Store, clock: VirtualClock, seed: int, zone: ZoneInfo) -> None:
    """The nights before in large steps, and this one from event to event."""
    engine = Engine(store, clock, simulated_executor(store, seed))
    midnight = _on_run_day(time(0), zone)
    while clock.now() < midnight:
        next_at = engine.tick().next_at or midnight
        clock.advance_to(min(midnight, max(clock.now() + PAST_STEP_MS, next_at)))
    run_until_idle(engine, clock, until=_on_run_day(SITS_DOWN, zone))


def _on_run_day(at: time, zone: ZoneInfo) -> int:
    return _at(at, RUN_DAY, zone)


def _at(at: time, day: date, zone: ZoneInfo) -> int:
    return to_ms(datetime.combine(day, at, zone))
