"""Running the engine under a clock that jumps: a whole night in seconds, and the same one for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.engine.engine import Engine, Tick


@dataclass(frozen=True, slots=True)
class Run:
    """What a run under a virtual clock came to: rows moved, ticks made, and the moment it stands at (UTC ms)."""

    moved: int
    ticks: int
    now: int


def run_until_idle(
    engine: Engine,
    clock: VirtualClock,
    *,
    until: int | None = None,
    watch: Callable[[Tick], None] = lambda tick: None,
) -> Run:
    """Tick from event to event until time alone moves nothing any more, or `until` (UTC ms) is reached."""
    moved = ticks = 0
    while True:
        tick = engine.tick()
        watch(tick)
        moved, ticks = moved + tick.moved, ticks + 1
        stands_still = not tick.moved and tick.next_at is not None and tick.next_at <= clock.now()
        if tick.next_at is None or stands_still or (until is not None and tick.next_at > until):
            break
        clock.advance_to(max(clock.now(), tick.next_at))
    if until is not None:
        clock.advance_to(max(clock.now(), until))
    return Run(moved, ticks, clock.now())
