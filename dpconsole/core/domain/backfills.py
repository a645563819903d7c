"""Backfills: in which queues their data timestamps wait, and what their folders come to from the instances below.

The rule of the folders gives the same answer whether a flow is computed from its data timestamps or from all of its
instances, so a screen and a SQL count can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

from dpconsole.core.domain.statuses import NormalisedStatus


class BackfillState(StrEnum):
    """Where a backfill stands before and after its submission (section 8.4)."""

    WAITING = "waiting"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    FAILED = "failed"
    PAUSED = "paused"

    @property
    def label(self) -> str:
        """The words an operator reads."""
        return _STATE_LABELS[self]


class DateState(StrEnum):
    """Where a data timestamp stands in its queue (section 7)."""

    WAITING = "waiting"
    BEGUN = "begun"
    DONE = "done"
    EXCLUDED = "excluded"

    @property
    def label(self) -> str:
        """The words an operator reads."""
        return "Waiting for its turn" if self is DateState.WAITING else self.capitalize()


ITS_TURN = "its data timestamp waits for its turn"
LEFT_OUT = "its data timestamp was left out of the backfill"
"""Why the engine does not start an instance of a data timestamp that has not begun (section 7)."""


class PendingVerb(StrEnum):
    """What an operator may do to a backfill that is to be submitted (section 8.4)."""

    PAUSE = "backfill-pause"
    RESUME = "backfill-resume"
    RETRY = "backfill-retry"


_STATE_LABELS = {
    BackfillState.WAITING: "Waiting to submit",
    BackfillState.SUBMITTING: "Submitting",
    BackfillState.SUBMITTED: "Submitted",
    BackfillState.FAILED: "Submission Failed",
    BackfillState.PAUSED: "Paused",
}
_TOO_LATE = "it is no longer to be submitted"

PENDING: Mapping[PendingVerb, Mapping[BackfillState, BackfillState | str]] = {
    PendingVerb.PAUSE: {
        BackfillState.WAITING: BackfillState.PAUSED,
        BackfillState.SUBMITTING: "too late to pause",
        BackfillState.SUBMITTED: _TOO_LATE,
        BackfillState.FAILED: "nothing to pause; retry submits it",
        BackfillState.PAUSED: "nothing to pause",
    },
    PendingVerb.RESUME: {
        BackfillState.WAITING: "not paused, nothing to resume",
        BackfillState.SUBMITTING: "not paused, nothing to resume",
        BackfillState.SUBMITTED: _TOO_LATE,
        BackfillState.FAILED: "not paused; retry submits it",
        BackfillState.PAUSED: BackfillState.WAITING,
    },
    PendingVerb.RETRY: {
        BackfillState.WAITING: "its submission has not failed",
        BackfillState.SUBMITTING: "its submission has not failed",
        BackfillState.SUBMITTED: _TOO_LATE,
        BackfillState.FAILED: BackfillState.SUBMITTING,
        BackfillState.PAUSED: "its submission has not failed; resume it",
    },
}
"""By verb and state: the next state, or why there is none (section 8.4).

One that is resumed after its time is submitted at once, because its time has come.
"""


class FlowState(StrEnum):
    """Whether a saved flow goes on making backfills (section 7)."""

    ENABLED = "enabled"
    DISABLED = "disabled"

    @property
    def label(self) -> str:
        """The word an operator reads."""
        return self.capitalize()


class FlowVerb(StrEnum):
    """What an operator may do to a saved flow."""

    PAUSE = "flow-pause"
    RESUME = "flow-resume"


FLOWS: Mapping[FlowVerb, Mapping[FlowState, FlowState | str]] = {
    FlowVerb.PAUSE: {FlowState.ENABLED: FlowState.DISABLED, FlowState.DISABLED: "nothing to pause"},
    FlowVerb.RESUME: {FlowState.ENABLED: "not paused, nothing to resume", FlowState.DISABLED: FlowState.ENABLED},
}
"""By verb and state: the next state, or why there is none."""


def refuse_pending(verb: PendingVerb, state: BackfillState) -> str | None:
    """The sentence an operator reads when a verb may not act on a backfill in this state; None when it may."""
    return _refusal(PENDING[verb][state], state)


def refuse_flow(verb: FlowVerb, state: FlowState) -> str | None:
    """The sentence an operator reads when a verb may not act on a saved flow in this state; None when it may."""
    return _refusal(FLOWS[verb][state], state)


def _refusal(found: BackfillState | FlowState | str, state: BackfillState | FlowState) -> str | None:
    return None if isinstance(found, type(state)) else f"{state.label}: {found}"


class Recurrence(StrEnum):
    """How often a periodic backfill is made (section 7)."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


def deal(dates: Iterable[date], groups: int, ascending: bool) -> tuple[tuple[date, ...], ...]:
    """The distinct data timestamps, dealt round-robin in their order into at most `groups` queues (section 7).

    A queue runs one after the other, so every data timestamp begins no later than those that come after it.
    """
    ordered = sorted(set(dates), reverse=not ascending)
    return tuple(tuple(ordered[queue::groups]) for queue in range(min(groups, len(ordered))))


_S = NormalisedStatus.SUCCEEDED
_R = NormalisedStatus.RUNNING
_W = NormalisedStatus.WAITING
_N = NormalisedStatus.NOT_RUNNING
_F = NormalisedStatus.FAILED


def normalise(below: Iterable[NormalisedStatus]) -> NormalisedStatus:
    """The status of a folder from those of its instances or of its folders (section 8.2); the first that holds.

    Not Running while it is still empty, that is initialising; never Waiting.
    """
    present = set(below)
    verdicts = (
        (present <= {_N}, _N),
        (bool(present & {_R, _W}) and _F not in present, _R),
        (_F in present, _F),
        (present == {_S}, _S),
    )
    return next((status for holds, status in verdicts if holds), _R)


def paused_suffix(paused: int, total: int) -> str:
    """What is said beside a folder's status of its `total` instances that are paused (section 8.2)."""
    if not paused:
        return ""
    return "All Paused" if paused == total else "Partially Paused"
