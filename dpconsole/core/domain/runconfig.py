"""Run configuration: what a task may ask for, and whether a failed attempt is followed by another one.

The engine asks `next_retry` after every attempt that ended badly; the loader and the dialogs show `problems`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dpconsole.core.domain.definitions import RunConfig
from dpconsole.core.domain.statuses import Cause

_MINUTE, _HOUR = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the most a setting takes, both included, and the words of the refusal."""

    least: float
    most: float
    words: str

    def refuse(self, value: float) -> str | None:
        """What is wrong with `value`, or None."""
        return None if self.least <= value <= self.most else self.words


TIMEOUT = Range(0.01 * _HOUR, 168 * _HOUR, "The timeout must be between 0.01 and 168 hours (36s to 168h).")
RERUNS = Range(0, 10, "The number of automatic reruns must be between 0 (none) and 10.")
RERUN_INTERVAL = Range(
    1 * _MINUTE, 60 * _MINUTE, "The interval before an automatic rerun must be between 1 and 60 minutes."
)

_RANGES: tuple[tuple[Range, Callable[[RunConfig], float]], ...] = (
    (TIMEOUT, lambda run: run.timeout),
    (RERUNS, lambda run: run.reruns),
    (RERUN_INTERVAL, lambda run: run.rerun_interval),
)


def problems(run: RunConfig) -> tuple[str, ...]:
    """Every sentence about a setting out of its range; empty when all is well (section 12)."""
    refusals = (allowed.refuse(value(run)) for allowed, value in _RANGES)
    return tuple(refusal for refusal in refusals if refusal)


@dataclass(frozen=True, slots=True)
class Retries:
    """What an instance carries for automatic reruns: how many are configured, the wait in ms, timeouts included."""

    configured: int
    interval_ms: int
    after_timeout: bool


_RETRIED: dict[Cause, Callable[[Retries], bool]] = {
    Cause.FINISHED: lambda retries: True,
    Cause.LOST: lambda retries: True,
    Cause.TIMED_OUT: lambda retries: retries.after_timeout,
    Cause.STOPPED: lambda retries: False,
}
"""Whether an ending is one that automatic reruns follow; a manual stop never is (AMB-17)."""


def next_retry(cause: Cause, ended_at: int, done: int, retries: Retries) -> int | None:
    """When the automatic rerun of a failed attempt is due, in UTC ms, or None when it stays Failed (section 12, A11).

    `cause` is how the attempt became Failed, `done` the automatic reruns since the last operator's rerun.
    """
    follows = done < retries.configured and _RETRIED[cause](retries)
    return ended_at + retries.interval_ms if follows else None
