"""The engine inside a running process: a console, or `dpconsole serve`. The only module that knows APScheduler.

APScheduler beats: a heartbeat a second, generation, housekeeping. It holds no truth and no due time of an instance;
those are rows. The work runs in one thread, so that a tick and a generation never overlap, and it runs as soon as
something happened: an end, an operator's act, the next due time. The lease is kept by a thread of its own, because a
slow tick must not lose it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from dpconsole.core.domain.clock import Clock
from dpconsole.core.engine.backfilling import make_periodic
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import catch_up
from dpconsole.core.engine.lease import RENEW_MS, EngineState, Fenced, Lease
from dpconsole.core.executors.protocol import Executor
from dpconsole.core.store.errors import StoreError
from dpconsole.core.store.housekeeping import tidy
from dpconsole.core.store.session import Store

HEARTBEAT_SECONDS = 1
GENERATE_SECONDS = 10
TIDY_SECONDS = 3600
JUMP_SECONDS = 2.0
"""A wall clock that disagrees with the monotonic one by more has been set; the beats are armed anew."""

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class EngineHost:
    """Keeps one engine going on the running event loop, for as long as this process holds the lease.

    `clock` is the engine's time, `wall` the machine's; `speed` is how many seconds of the one pass in one of the other.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        wall: Clock,
        make_executor: Callable[[], Executor],
        *,
        speed: float = 1.0,
        lease: Lease | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wall = wall
        self._make_executor = make_executor
        self._speed = speed
        self._lease = lease or Lease(store, wall)
        self._pool = ThreadPoolExecutor(1, "engine")
        self._scheduler = AsyncIOScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: Engine | None = None
        self._epoch: int | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._again = False
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = Event()
        self._keeper = Thread(target=self._keep_lease, name="lease", daemon=True)
        self._troubles: dict[str, str] = {}

    # --- for whoever runs it ------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin: at once if the lease is free, else as soon as it is."""
        logging.getLogger("apscheduler").propagate = False
        self._loop = asyncio.get_running_loop()
        await self._loop.run_in_executor(self._pool, self._claim)
        self._scheduler.add_job(self._beat, "interval", seconds=HEARTBEAT_SECONDS, id="tick")
        self._scheduler.add_job(self._generate, "interval", seconds=GENERATE_SECONDS, id="generate")
        self._scheduler.add_job(self._tidy, "interval", seconds=TIDY_SECONDS, id="housekeeping")
        self._scheduler.start()
        self._keeper.start()
        await self._generate()
        self.wake()

    async def stop(self) -> None:
        """End in order: no new beat, the tick under way finished, the lease given back for the next engine."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.pause()
        if self._timer is not None:
            self._timer.cancel()
        if self._ticking is not None:
            await asyncio.gather(self._ticking, return_exceptions=True)
        if self._loop is not None:
            await self._loop.run_in_executor(self._pool, self._give_back)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._pool.shutdown(wait=False)

    def wake(self) -> None:
        """Something happened: tick now. Safe to call from every thread."""
        if self._loop is not None and not self._stopping.is_set():
            self._loop.call_soon_threadsafe(self._tick_soon)

    def state(self) -> EngineState | None:
        """Who drives the database."""
        return self._lease.state()

    @property
    def trouble(self) -> str:
        """What has kept the engine from working longest, in words for a banner; empty when all is well."""
        return next(iter(tuple(self._troubles.values())), "")

    # --- beats --------------------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        self._tick_soon()

    def _tick_soon(self) -> None:
        """Start a tick, or have the one under way followed by another."""
        if self._ticking is not None and not self._ticking.done():
            self._again = True
        elif self._lease.held and not self._stopping.is_set():
            self._ticking = asyncio.ensure_future(self._tick())

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._again = True
        next_at: int | None = None
        while self._again and not self._stopping.is_set():
            self._again = False
            next_at = await loop.run_in_executor(self._pool, self._tick_here)
        self._wake_at(loop, next_at)

    def _wake_at(self, loop: asyncio.AbstractEventLoop, moment: int | None) -> None:
        """The next due time comes before the next heartbeat: be there."""
        if self._timer is not None:
            self._timer.cancel()
        if moment is None:
            return
        delay = max(0.0, (moment - self._clock.now()) / 1000 / self._speed)
        if delay < HEARTBEAT_SECONDS:
            self._timer = loop.call_later(max(delay, 0.02), self._tick_soon)

    async def _generate(self) -> None:
        if self._lease.held:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._generate_here)

    async def _tidy(self) -> None:
        if self._lease.held:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._tidy_here)

    # --- in the engine's thread ---------------------------------------------------------------------------------------

    def _tick_here(self) -> int | None:
        tick = self._guarded("tick", lambda: self._driver().tick())
        return None if tick is None else tick.next_at

    def _generate_here(self) -> None:
        nights = self._guarded("generate", lambda: list(catch_up(self._store, self._clock)))
        backfills = self._guarded("backfills", lambda: make_periodic(self._store, self._clock))
        if backfills or any(night.created for night in nights or ()):
            self.wake()

    def _tidy_here(self) -> None:
        self._guarded("housekeeping", lambda: tidy(self._store))

    def _driver(self) -> Engine:
        """The engine of the epoch this process holds; a new epoch starts from what the database says."""
        if self._engine is None or self._epoch != self._lease.epoch:
            self._engine = Engine(self._store, self._clock, self._make_executor(), lease=self._lease)
            self._epoch = self._lease.epoch
        return self._engine

    def _guarded(self, work: str, act: Callable[[], Result]) -> Result | None:
        """Do one kind of work; it is in trouble until the same kind has gone well again."""
        try:
            result = act()
        except Fenced as error:
            _log.warning("stepped down: %s", error)
        except StoreError as error:
            self._troubles[work] = str(error)
            _log.error("%s", error)
        else:
            self._troubles.pop(work, None)
            return result
        return None

    # --- the lease ----------------------------------------------------------------------------------------------------

    def _claim(self) -> bool:
        claimed = self._guarded("lease", self._lease.acquire)
        if claimed is False:
            self._troubles.clear()  # whoever drives has the troubles as well
        return bool(claimed)

    def _give_back(self) -> None:
        self._guarded("lease", self._lease.release)

    def _keep_lease(self) -> None:
        """Renew what is held, or take what has come free; and notice when the wall clock is set."""
        offset = self._offset()
        while not self._stopping.wait(RENEW_MS / 1000):
            held = self._lease.held
            if self._claim() and not held:
                self.wake()
            if abs(self._offset() - offset) > JUMP_SECONDS and self._loop is not None:
                offset = self._offset()
                self._loop.call_soon_threadsafe(self._rearm)

    def _offset(self) -> float:
        return self._wall.now() / 1000 - self._wall.monotonic()

    def _rearm(self) -> None:
        """The wall clock was set: interval jobs armed before would stall until it caught up."""
        _log.warning("the clock was set; the beats are armed anew")
        for job in self._scheduler.get_jobs():
            job.reschedule(job.trigger)
        self._tick_soon()
