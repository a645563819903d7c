"""When unfinished work will be done: the longest path through what is left of it.

Every row begins when its upstreams are done and its time has come, and takes as long as it lately took. Queues are left
out: who comes next in them is decided when a slot is free. What only an operator can move has no end, nor has anything
that needs it (sections 13 and 14).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from dpconsole.core.domain.statuses import Status


@dataclass(frozen=True, slots=True)
class Work:
    """What is left to do of one instance; moments in UTC milliseconds, `takes_ms` the length of a run.

    Of each of its requirements one upstream is enough; those that are satisfied are left out.
    """

    status: Status
    takes_ms: int
    due_at: int
    paused: bool = False
    paused_until: int | None = None
    autonomous: bool = True
    started_at: int | None = None
    retry_at: int | None = None
    requirements: tuple[Collection[int], ...] = ()

    @property
    def is_stuck(self) -> bool:
        """Whether nothing but an operator moves it: paused for good, Failed for good, or run only by hand."""
        if self.status is Status.FAILED:
            return self.retry_at is None
        if self.status in (Status.RUNNING, Status.SUCCEEDED):
            return False
        return not self.autonomous or (self.paused and self.paused_until is None)

    def begins_at(self, now: int) -> int:
        """The earliest start, its upstreams set aside; of a running one the start it had."""
        if self.status is Status.RUNNING:
            return now if self.started_at is None else self.started_at
        waits_for_time = self.status in (Status.NOT_RUNNING, Status.WAITING_TIME)
        moments = (self.paused and self.paused_until, self.retry_at, waits_for_time and self.due_at)
        return max(now, *(moment or now for moment in moments))


def estimate(works: Mapping[int, Work], now: int) -> dict[int, int]:
    """When each instance will be done, UTC milliseconds; those that will not be by themselves are left out.

    Upstreams that `works` does not know are never done.
    """
    sorter = TopologicalSorter({id: {up for some in work.requirements for up in some} for id, work in works.items()})
    with suppress(CycleError):  # what waits for itself is never ready, and so left out
        sorter.prepare()
    done: dict[int, int] = {}
    while ready := sorter.get_ready():
        for id in ready:
            end = _end(works[id], done, now) if id in works else None
            if end is not None:
                done[id] = end
        sorter.done(*ready)
    return done


def _end(work: Work, done: Mapping[int, int], now: int) -> int | None:
    if work.is_stuck:
        return None
    begins = work.begins_at(now)
    for some in work.requirements:
        ends = [done[up] for up in some if up in done]
        if not ends:
            return None
        begins = max(begins, min(ends))
    return max(now, begins + work.takes_ms)


def in_the_way(works: Mapping[int, Work], done: Mapping[int, int], targets: Iterable[int]) -> list[int]:
    """The stuck instances for which the targets will never be done; `done` is what `estimate` found."""
    waiting = [id for id in targets if id in works and id not in done]
    seen, stuck = set(waiting), []
    while waiting:
        id = waiting.pop()
        if works[id].is_stuck:
            stuck.append(id)
            continue
        hopeless = (some for some in works[id].requirements if not any(up in done for up in some))
        new = {up for some in hopeless for up in some if up in works} - seen
        seen |= new
        waiting += new
    return sorted(stuck)
