"""The engine inside a process: it begins, wakes, and hands over.

The clocks are injected and the beats are out of reach, so that what happens was caused by what the test did; only
asyncio's own timers are real.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import time

import pytest
from sqlalchemy import text

from dpconsole.core.domain.backfill_form import BackfillForm, Offsets, Periodic
from dpconsole.core.domain.backfills import Recurrence
from dpconsole.core.domain.clock import Clock, PacedClock, SystemClock, VirtualClock
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine import host as host_module
from dpconsole.core.engine.backfilling import create_flow
from dpconsole.core.engine.host import EngineHost
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.store.errors import StoreBusy
from dpconsole.core.store.session import Store
from tests.nights import AT_ONCE, Night, task

RUNNING, SUCCEEDED, NOT_RUNNING, WAITING_TIME = (
    Status.RUNNING,
    Status.SUCCEEDED,
    Status.NOT_RUNNING,
    Status.WAITING_TIME,
)
PATIENCE = 10.0
"""Seconds after which a test gives up."""


@pytest.fixture(autouse=True)
def no_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what happens wakes the host; but a host without the lease asks for it often."""
    monkeypatch.setattr(host_module, "HEARTBEAT_SECONDS", 3600)
    monkeypatch.setattr(host_module, "GENERATE_SECONDS", 3600)
    monkeypatch.setattr(host_module, "RENEW_MS", 20)


def host_of(night: Night, clock: Clock | None = None, speed: float = 1.0) -> EngineHost:
    return EngineHost(night.store, clock or night.clock, VirtualClock(0), lambda: SimulatedExecutor(1), speed=speed)


@asynccontextmanager
async def started(host: EngineHost) -> AsyncIterator[EngineHost]:
    await host.start()
    try:
        yield host
    finally:
        await host.stop()


async def until(happened: Callable[[], bool]) -> None:
    """Let the loop go on until something has happened."""
    async with asyncio.timeout(PATIENCE):
        while not happened():
            await asyncio.sleep(0.005)


def at_midnight(store: Store) -> Night:
    """A chain without duration, due now; its instances are not made yet."""
    night = Night(store, task("a", simulate=AT_ONCE), task("b", "a", simulate=AT_ONCE))
    night.clock.advance_to(night.moment("00:00"))
    return night


async def test_a_host_that_starts_makes_the_night_and_runs_it(sqlite_store: Store) -> None:
    night = at_midnight(sqlite_store)
    async with started(host_of(night)) as host:
        await until(lambda: night.ends() != [] and night.status("b") == SUCCEEDED)
        state = host.state()
        assert state is not None
        assert (state.mine, state.epoch) == (True, 1)
    assert night.status("a") == SUCCEEDED


async def test_a_host_wakes_when_it_is_told_that_something_happened(sqlite_store: Store) -> None:
    night = at_midnight(sqlite_store)
    async with started(host_of(night)) as host:
        await until(lambda: night.ends() != [] and night.status("b") == SUCCEEDED)
        night.rerun("a")
        host.wake()
        await until(lambda: night.row("a").attempt == 2 and night.status("a") == SUCCEEDED)


async def test_a_host_is_there_when_the_next_due_time_comes(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", at="00:01", simulate=AT_ONCE))
    clock = PacedClock(SystemClock(), night.moment("00:00"), speed=600)
    async with started(host_of(night, clock, speed=600)):
        await until(lambda: night.ends() != [] and night.status("a") == SUCCEEDED)
    assert night.row("a").started_at >= night.moment("00:01")


async def test_a_second_host_follows_and_takes_over_when_the_first_one_stops(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"), task("b", "a"))
    night.clock.advance_to(night.moment("00:00"))
    first = host_of(night)
    await first.start()
    async with started(host_of(night)) as second:
        await until(lambda: night.ends() != [] and night.status("a") == RUNNING)
        state = second.state()
        assert state is not None
        assert (state.mine, state.epoch) == (False, 1)
        await first.stop()
        night.clock.advance_to(night.moment("00:01"))
        await until(lambda: night.status("b") == RUNNING)
        state = second.state()
        assert state is not None
        assert (state.mine, state.epoch) == (True, 2)
    assert len(night.attempts("a")) == 1


async def test_a_host_says_what_keeps_it_from_working_and_that_it_is_over(sqlite_store: Store) -> None:
    night = at_midnight(sqlite_store)
    in_the_way = [StoreBusy("night.db: another process is writing to it")]

    def make_executor() -> SimulatedExecutor:
        for trouble in in_the_way:
            raise trouble
        return SimulatedExecutor(1)

    async with started(EngineHost(sqlite_store, night.clock, VirtualClock(0), make_executor)) as host:
        await until(lambda: host.trouble)
        assert host.trouble == "night.db: another process is writing to it"
        in_the_way.clear()
        host.wake()
        await until(lambda: night.status("b") == SUCCEEDED and not host.trouble)


async def test_what_saved_flows_are_to_submit_is_made_where_nights_are_generated(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    form = BackfillForm(("p.a",), name="again", offsets=(Offsets(),), periodic=Periodic(Recurrence.DAILY, time(3)))
    with sqlite_store.write() as transaction:
        create_flow(transaction, form, "lin", night.clock.now())
    night.clock.advance_to(night.moment("23:00"))
    async with started(host_of(night)):
        with sqlite_store.read() as connection:
            made = connection.execute(text("SELECT name, state FROM backfill")).all()
    assert made == [("again_20261121", "waiting")]
