"""An executor that only pretends: what happens to an attempt is a hash of seed, instance and number.

The same seed gives the same night. `simulate` in a definition steers one task; everything else is drawn. Nothing is
kept that could not be drawn again, which is why an adopted attempt ends exactly as it would have ended before.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from dpconsole.core.domain.definitions import ALWAYS, Simulation
from dpconsole.core.executors.protocol import Exit, Handle, Order, Outcome
from dpconsole.core.executors.scripts import Script, failure, write_log

DURATIONS = (8.0, 360.0)
"""Seconds between which an unsteered attempt takes; short ones are the more likely."""
FAIL_RATE = 0.02


@dataclass(frozen=True, slots=True)
class Fate:
    """What an attempt will come to. `duration` in milliseconds, None when it hangs until its timeout."""

    duration: int | None
    fails: bool
    chance: float  # 0..1, drawn once more: which of the failures, which of the words


class SimulatedExecutor:
    """Keeps the attempts under way in order of their end. One seed, one night."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._ends: list[tuple[int, Handle]] = []
        self._under_way: dict[Handle, Exit | None] = {}

    def submit(self, orders: Iterable[Order]) -> None:
        """Decide what becomes of each attempt, and when."""
        for order in orders:
            if order.handle in self._under_way:
                continue
            end = self._end(order)
            self._under_way[order.handle] = end
            if end is not None:
                heapq.heappush(self._ends, (end.ended_at, order.handle))

    adopt = submit

    def poll(self, now: int, limit: int) -> Sequence[Exit]:
        """The ends up to `now`."""
        ended: list[Exit] = []
        while self._ends and self._ends[0][0] <= now and len(ended) < limit:
            end = self._under_way.pop(heapq.heappop(self._ends)[1], None)
            if end is not None:
                ended.append(end)
        return ended

    def alive(self) -> Collection[Handle]:
        """The attempts under way."""
        return self._under_way.keys()

    def stop(self, handles: Iterable[Handle]) -> None:
        """Forget attempts: their end will not be reported."""
        for handle in handles:
            self._under_way.pop(handle, None)

    def next_event(self) -> int | None:
        """When the next attempt ends."""
        while self._ends and self._ends[0][1] not in self._under_way:
            heapq.heappop(self._ends)
        return self._ends[0][0] if self._ends else None

    def log(self, order: Order, offset: int, limit: int, until: int) -> bytes:
        """The log of an attempt, written anew from its fate."""
        fate = self.fate(order)
        return write_log(Script(order, fate.duration, fate.fails, fate.chance), until)[offset : offset + limit]

    def fate(self, order: Order) -> Fate:
        """What an attempt comes to."""
        steer = order.work.simulate
        if steer.duration is not None and steer.duration[0] == steer.duration[1] and not steer.hang:
            fixed = int(steer.duration[0] * 1000)
            if not steer.fail and steer.fail_rate is not None and not steer.fail_rate:
                return Fate(fixed, False, 0.0)
        took, failed, chance = self._draw(order)
        return Fate(None if steer.hang else _duration(steer, took), _fails(order, failed), chance)

    def _end(self, order: Order) -> Exit | None:
        fate = self.fate(order)
        if fate.duration is None:
            return None
        ended_at = order.started_at + fate.duration
        if not fate.fails:
            return Exit(order.handle, order.token, Outcome.OK, ended_at, 0)
        return Exit(order.handle, order.token, Outcome.FAILED, ended_at, 1, failure(order, fate.chance))

    def _draw(self, order: Order) -> tuple[float, float, float]:
        """Three numbers in 0..1 that depend on nothing but seed, instance and attempt."""
        digest = blake2b(f"{self.seed}|{order.identity}|{order.handle.number}".encode(), digest_size=12).digest()
        first, second, third = (int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in (0, 4, 8))
        return first, second, third


def _duration(steer: Simulation, drawn: float) -> int:
    if steer.duration is not None:
        low, high = steer.duration
        return int(1000 * (low + (high - low) * drawn))
    low, high = DURATIONS
    return int(1000 * low * (high / low) ** drawn)


def _fails(order: Order, drawn: float) -> bool:
    """Whether the attempt fails: by its business date, or by its rate; a steered task fails only as it is told."""
    steer = order.work.simulate
    told = dict(steer.fail)
    number = told.get(order.business_date, told.get("*"))
    if number is not None and (number == ALWAYS or order.handle.number <= number):
        return True
    rate = steer.fail_rate
    if rate is None:
        rate = 0.0 if steer != Simulation() else FAIL_RATE
    return drawn < rate
