"""What the engine asks of whoever does the work, and what it is told.

The attempt row is committed before an executor hears of it, so submitting is at least once: an executor ignores an
order it already has. It keeps no truth of its own; after a restart the engine hands it the open attempts to adopt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from dpconsole.core.domain.definitions import Simulation


class Outcome(StrEnum):
    """How an attempt stands or ended; also the `state` of an attempt row."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    STOPPED = "stopped"
    TIMEOUT = "timeout"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do, the same for every instance of a task or of a materialization node."""

    task: str
    node: str
    type: str
    command: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    simulate: Simulation
    zone: str


class Handle(NamedTuple):
    """Names one attempt."""

    instance_id: int
    number: int


class Order(NamedTuple):
    """One attempt to be run. `identity` names the instance in every database; times are UTC milliseconds."""

    handle: Handle
    token: int
    identity: str
    business_date: str
    due_at: int
    started_at: int
    deadline_at: int
    work: Work


class Exit(NamedTuple):
    """One attempt has ended. A report whose token is not the attempt's own changes nothing."""

    handle: Handle
    token: int
    outcome: Outcome
    ended_at: int
    exit_code: int | None = None
    why: str = ""


class Executor(Protocol):
    """Runs attempts. Nothing here blocks for the work itself."""

    def submit(self, orders: Iterable[Order]) -> None:
        """Start attempts; one that was submitted before is left alone."""
        ...

    def adopt(self, orders: Iterable[Order]) -> None:
        """Take over attempts that an earlier process of this engine started."""
        ...

    def poll(self, now: int, limit: int) -> Sequence[Exit]:
        """At most `limit` ends since the last call, oldest first; each is reported once."""
        ...

    def alive(self) -> Collection[Handle]:
        """The attempts under way."""
        ...

    def stop(self, handles: Iterable[Handle]) -> None:
        """End attempts whose result is no longer wanted; unknown ones are ignored."""
        ...

    def next_event(self) -> int | None:
        """When the next end is due, where the executor can know it; UTC milliseconds."""
        ...

    def log(self, order: Order, offset: int, limit: int, until: int) -> bytes:
        """Bytes of an attempt's log as it stood at `until`, from `offset`; empty at the end."""
        ...
