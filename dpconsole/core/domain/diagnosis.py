"""Run diagnosis: the five checks in the engine's order, and where among them an instance stands.

An instance stands at one check. Those before it passed or were skipped; those after it are not looked at, because
nothing is known about them yet (sections 2.2 and 13).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dpconsole.core.domain.statuses import Status


class Step(StrEnum):
    """The five checks, in order."""

    UPSTREAM = "upstream"
    SCHEDULED_TIME = "scheduled_time"
    THROTTLING = "throttling"
    RESOURCES = "schedule_resources"
    RUN = "run"

    @property
    def label(self) -> str:
        """The words an operator reads."""
        return _LABELS[self]


_LABELS = {
    Step.UPSTREAM: "Upstream dependency",
    Step.SCHEDULED_TIME: "Scheduled time",
    Step.THROTTLING: "Throttling",
    Step.RESOURCES: "Schedule resources",
    Step.RUN: "Run result",
}


class Verdict(StrEnum):
    """What one check says."""

    PASSED = "passed"  # of the run: succeeded
    SKIPPED = "skipped"  # the run does not ask this check
    PAUSED = "paused"  # an operator holds it; nothing is looked at until it is resumed
    BLOCKED = "blocked"  # something else has to be done first
    WAITING = "waiting"  # time or a free slot will do
    RUNNING = "running"
    FAILED = "failed"
    NOT_REACHED = "not_reached"  # an earlier check has not passed

    @property
    def label(self) -> str:
        """The words an operator reads."""
        return self.value.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one instance; `detail` is the sentence that goes with the verdict, empty when it was not reached."""

    step: Step
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class Place:
    """The check at which an instance stands, and what that check says."""

    step: Step
    verdict: Verdict


_PLACES: Mapping[Status, Place] = {
    Status.THROTTLED: Place(Step.THROTTLING, Verdict.WAITING),
    Status.WAITING_RESOURCE: Place(Step.RESOURCES, Verdict.WAITING),
    Status.RUNNING: Place(Step.RUN, Verdict.RUNNING),
    Status.SUCCEEDED: Place(Step.RUN, Verdict.PASSED),
}
_STOPPED_AT: Mapping[Status | None, Step] = {
    Status.NOT_RUNNING: Step.UPSTREAM,
    Status.WAITING_TIME: Step.SCHEDULED_TIME,
    Status.THROTTLED: Step.THROTTLING,
    Status.WAITING_RESOURCE: Step.RESOURCES,
}

BEGUN = frozenset({Status.RUNNING, Status.SUCCEEDED, Status.FAILED})
"""Statuses in which a pause holds nothing back any more."""


def place_of(
    status: Status, *, paused: bool, pending: int, autonomous: bool, is_due: bool, failed_from: Status | None
) -> Place:
    """Where an executable instance stands (section 13).

    `pending` counts unsatisfied upstream requirements; `autonomous` is whether the engine may start it; `failed_from`
    is the status a Failed one had before: stopped before its start, it stands at the check it was stopped at.
    """
    if paused and status not in BEGUN:
        return Place(Step.UPSTREAM, Verdict.PAUSED)
    if status is Status.NOT_RUNNING:
        if pending:
            return Place(Step.UPSTREAM, Verdict.BLOCKED)
        return Place(Step.SCHEDULED_TIME, Verdict.WAITING if autonomous else Verdict.BLOCKED)
    if status is Status.WAITING_TIME:
        return Place(Step.THROTTLING if is_due else Step.SCHEDULED_TIME, Verdict.WAITING)
    if status is Status.FAILED:
        return Place(_STOPPED_AT.get(failed_from, Step.RUN), Verdict.FAILED)
    return _PLACES[status]


def verdicts(place: Place, skipped: Container[Step]) -> dict[Step, Verdict]:
    """The verdict of each of the five checks, for an instance that stands at `place` and skips some."""
    steps = list(Step)
    at = steps.index(place.step)
    passed = {step: Verdict.SKIPPED if step in skipped else Verdict.PASSED for step in steps[:at]}
    return passed | {place.step: place.verdict} | dict.fromkeys(steps[at + 1 :], Verdict.NOT_REACHED)


def blocking_rank(status: Status, paused: bool) -> int:
    """The order in which blocking instances are listed: Failed, paused, running, waiting (section 13)."""
    ranks = (status is Status.FAILED, paused and status not in BEGUN, status is Status.RUNNING, True)
    return ranks.index(True)
