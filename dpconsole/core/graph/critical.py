"""The critical path: of everything an instance waited for, or waits for still, what kept it longest, back to a start.

Pure. From the end it goes back to the upstream that finished last, or is estimated to, until the start; and what became
of one instance is cut into segments, what it waited for and its runs. Moments are UTC milliseconds (section 14).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from dpconsole.core.domain.statuses import TERMINAL, Status

NEVER = 2**62
"""The finish of what will not finish by itself: later than all others."""

LONGEST = 500
"""Instances of a path; what lies further back is left out, and the path says so."""


class PathRole(StrEnum):
    """What the selected node of a chart is; the other end is chosen (section 14)."""

    START = "start"
    END = "end"


Requirement = Mapping[int, int]
"""The alternatives of one requirement of an instance, each with its finish; any one of them is enough."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path from its start to its end, empty where none leads there. `cut`: it is longer than `LONGEST`."""

    ids: tuple[int, ...]
    cut: bool = False


def critical_path(
    ends: Mapping[int, int],
    requirements: Callable[[int], Iterable[Requirement]],
    starts: Set[int] = frozenset(),
    within: Collection[int] | None = None,
) -> Path:
    """Walk back from the last of `ends` (rows with their finish) until one of `starts`, or as far as it goes.

    With `within`, the rows that the starts lead to and the starts themselves, the walk keeps to those; it is how it
    finds its way to a start that others overtook.
    """
    here = _last({id: finish for id, finish in ends.items() if within is None or id in within})
    found: list[int] = []
    seen = set[int]()
    while here is not None and here not in seen and len(found) < LONGEST:
        found.append(here)
        seen.add(here)
        here = None if here in starts else held_by(requirements(here), within)
    if here is None and starts and not starts & set(found[-1:]):
        return Path(())
    return Path(tuple(reversed(found)), cut=here is not None)


def held_by(requirements: Iterable[Requirement], within: Collection[int] | None = None) -> int | None:
    """The upstream that an instance waited for longest: of each requirement what met it first, of those the last."""
    some = [one for one in requirements if one]
    first = {id: one[id] for one in some for id in (min(one, key=lambda id: (one[id], id)),)}
    if within is not None:
        anyone = {id: finish for one in some for id, finish in one.items() if id in within}
        first = {id: finish for id, finish in first.items() if id in within} or anyone
    return _last(first)


def _last(finishes: Mapping[int, int]) -> int | None:
    return max(finishes, key=lambda id: (finishes[id], id), default=None)


# --- what became of one instance --------------------------------------------------------------------------------------


class Stage(StrEnum):
    """What an instance does for a while (section 14)."""

    UPSTREAM = "wait upstream"
    TIME = "wait time"
    THROTTLED = "throttled"
    RESOURCE = "wait resource"
    RUN = "run"


STAGES: Mapping[Status, Stage] = {
    Status.NOT_RUNNING: Stage.UPSTREAM,
    Status.WAITING_TIME: Stage.TIME,
    Status.THROTTLED: Stage.THROTTLED,
    Status.WAITING_RESOURCE: Stage.RESOURCE,
    Status.RUNNING: Stage.RUN,
}
"""What an instance does in a status; one that has ended does nothing."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a bar; `outcome` is how a run ended, Running while it goes on. `expected`: it is still to come."""

    stage: Stage
    begins_at: int
    ends_at: int
    outcome: Status | None = None
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Coming:
    """What an estimate says of an instance: its last upstream, the begin of its run, its end."""

    upstreams_at: int
    begins_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What became of an instance and what is expected of it; `usual_ms` is how long it lately took, None if unknown."""

    segments: tuple[Segment, ...]
    usual_ms: int | None = None

    @property
    def run(self) -> Segment | None:
        """The last run, or the one that is expected."""
        return next((one for one in reversed(self.segments) if one.stage is Stage.RUN and not one.expected), None)

    @property
    def ends_at(self) -> int | None:
        """Where the bar ends."""
        return self.segments[-1].ends_at if self.segments else None


Moment = tuple[int, Status]
"""When an instance came to a status."""


def segments(moments: Sequence[Moment], now: int, coming: Coming | None = None) -> tuple[Segment, ...]:
    """The stretches of an instance by its journal (oldest first) up to now, and what an estimate expects after that."""
    past = list(_past(moments, now))
    status = moments[-1][1] if moments else Status.NOT_RUNNING
    return tuple(one for one in (*past, *_expected(status, now, coming)) if one.ends_at > one.begins_at)


def _past(moments: Sequence[Moment], now: int) -> Iterator[Segment]:
    for (at, status), (until, after) in pairwise(moments):
        if status in STAGES:
            yield Segment(STAGES[status], at, until, _outcome(status, after))
    if moments and moments[-1][1] in STAGES:
        at, status = moments[-1]
        yield Segment(STAGES[status], at, now, _outcome(status, status))


def _outcome(status: Status, after: Status) -> Status | None:
    """A run that was ended to be run again has not succeeded."""
    if status is not Status.RUNNING:
        return None
    return after if after in {*TERMINAL, Status.RUNNING} else Status.FAILED


def _expected(status: Status, now: int, coming: Coming | None) -> Iterator[Segment]:
    if coming is None or status is Status.SUCCEEDED:
        return
    waits = status in (Status.NOT_RUNNING, Status.WAITING_TIME, Status.FAILED)
    upstreams_at = max(now, coming.upstreams_at) if status is Status.NOT_RUNNING else now
    begins_at = max(upstreams_at, coming.begins_at) if waits else now
    yield Segment(Stage.UPSTREAM, now, upstreams_at, expected=True)
    yield Segment(Stage.TIME, upstreams_at, begins_at, expected=True)
    yield Segment(Stage.RUN, begins_at, coming.ends_at, Status.RUNNING, expected=True)
