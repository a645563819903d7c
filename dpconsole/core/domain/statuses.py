"""The run-status machine: what a status is, what may follow it, and which verb may act on it.

Every table here can be held beside RULES.md section 2. The engine moves rows only along `AUTOMATIC`, operators
only along `OPERATOR`; tests hold every journal to their union.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """The coarse state a status belongs to; field normalisation and backfill folders count in families."""

    IDLE = "idle"
    WAITING = "waiting"
    ACTIVE = "active"
    TERMINAL = "terminal"


class Status(StrEnum):
    """The seven run statuses of an instance, in the order of the five checks (section 2.1)."""

    NOT_RUNNING = "NOT_RUNNING"  # generated; an upstream has not succeeded yet, or nobody has looked
    WAITING_TIME = "WAITING_TIME"  # upstreams succeeded; the scheduled time has not come
    THROTTLED = "THROTTLED"  # a throttling rule has no free slot
    WAITING_RESOURCE = "WAITING_RESOURCE"  # the resource group has no free slot
    RUNNING = "RUNNING"  # an attempt is with the executor
    SUCCEEDED = "SUCCEEDED"  # the last attempt, or an operator, said so
    FAILED = "FAILED"  # the last attempt failed, timed out, was lost or was stopped

    @property
    def label(self) -> str:
        """The words an operator reads."""
        return FACES[self].label

    @property
    def glyph(self) -> str:
        """One cell that carries the status without colour."""
        return FACES[self].glyph

    @property
    def ascii(self) -> str:
        """The glyph where the terminal cannot draw it."""
        return FACES[self].ascii

    @property
    def family(self) -> Family:
        """The coarse state."""
        return FACES[self].family

    @property
    def normalised(self) -> NormalisedStatus:
        """The status with the three waiting ones taken together."""
        return NormalisedStatus.WAITING if self.family is Family.WAITING else NormalisedStatus(self.value)


class NormalisedStatus(StrEnum):
    """What several statuses come to, of a field or of a backfill folder, best first (sections 8.2 and 9.2)."""

    SUCCEEDED = "SUCCEEDED"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    NOT_RUNNING = "NOT_RUNNING"
    FAILED = "FAILED"

    @property
    def face(self) -> Face:
        """How it is written: as the status of the same name, or as waiting for whatever it may be."""
        return _WAITING_FACE if self is NormalisedStatus.WAITING else FACES[Status(self.value)]


@dataclass(frozen=True, slots=True)
class Face:
    """How one status is written: label, glyph, ASCII fall-back, family; `short` is the label where room is scarce."""

    label: str
    glyph: str
    ascii: str
    family: Family
    abbreviation: str = ""

    @property
    def short(self) -> str:
        """The fewest words that still tell the status from every other."""
        return self.abbreviation or self.label


FACES: dict[Status, Face] = {
    Status.NOT_RUNNING: Face("Not Running", "○", "o", Family.IDLE),
    Status.WAITING_TIME: Face("Waiting for Scheduled Time", "◔", "t", Family.WAITING, "Waiting Time"),
    Status.THROTTLED: Face("Throttling", "⊘", "%", Family.WAITING),
    Status.WAITING_RESOURCE: Face("Waiting for Schedule Resources", "◑", "w", Family.WAITING, "Waiting Resources"),
    Status.RUNNING: Face("Running", "▶", ">", Family.ACTIVE),
    Status.SUCCEEDED: Face("Succeeded", "✓", "+", Family.TERMINAL),
    Status.FAILED: Face("Failed", "✗", "x", Family.TERMINAL),
}

ATTENTION: tuple[Status, ...] = (
    Status.FAILED,
    Status.RUNNING,
    Status.WAITING_RESOURCE,
    Status.THROTTLED,
    Status.WAITING_TIME,
    Status.NOT_RUNNING,
    Status.SUCCEEDED,
)
"""The statuses in the order in which they need attention."""

_WAITING_FACE = Face("Waiting", "◔", "t", Family.WAITING)

SYNONYMS: dict[str, Status] = {
    "not run": Status.NOT_RUNNING,
    "init": Status.NOT_RUNNING,
    "waiting for schedule time": Status.WAITING_TIME,
    "waiting for scheduling time": Status.WAITING_TIME,
    "wait_schedule": Status.WAITING_TIME,
    "throttled": Status.THROTTLED,
    "dispatch_blocked": Status.THROTTLED,
    "waiting for scheduling resource": Status.WAITING_RESOURCE,
    "waiting for scheduling resources": Status.WAITING_RESOURCE,
    "wait_resource": Status.WAITING_RESOURCE,
    "success": Status.SUCCEEDED,
}
"""Other spellings the field uses for a status, lower case (sections 2.1 and 21, AMB-18)."""

WAITING: frozenset[Status] = frozenset(s for s in Status if s.family is Family.WAITING)
TERMINAL: frozenset[Status] = frozenset({Status.SUCCEEDED, Status.FAILED})


class Cause(StrEnum):
    """Why the journal holds a change of status; the cause decides which transitions are legal."""

    GENERATED = "generated"  # A1, A2
    RELEASED = "released"  # A3: the last upstream succeeded
    DUE = "due"  # A4-A6: the scheduled time has come
    ADMITTED = "admitted"  # A7, A8: a slot came free
    THROTTLED = "throttled"  # A4: no slot
    NO_RESOURCE = "no_resource"  # A5: no capacity
    FINISHED = "finished"  # A9, A10: the executor's report
    TIMED_OUT = "timed_out"  # A10
    LOST = "lost"  # A10: the attempt's lease ran out
    RETRIED = "retried"  # A11
    WITHDRAWN = "withdrawn"  # A12: an upstream left Succeeded
    DERIVED = "derived"  # a logical table follows its materialization nodes (section 9.2)
    RERUN = "rerun"  # O1, O3, O4
    FORCED = "forced"  # O2, O4
    SET_SUCCESS = "set_success"  # O5
    STOPPED = "stopped"  # O6


_N = Status.NOT_RUNNING
_W = Status.WAITING_TIME
_T = Status.THROTTLED
_R = Status.WAITING_RESOURCE
_RUN = Status.RUNNING
_S = Status.SUCCEEDED
_F = Status.FAILED

AUTOMATIC: dict[Cause, frozenset[tuple[Status | None, Status]]] = {
    Cause.GENERATED: frozenset({(None, _N), (None, _S)}),
    Cause.RELEASED: frozenset({(_N, _W)}),
    Cause.DUE: frozenset({(_W, _RUN)}),
    Cause.THROTTLED: frozenset({(_W, _T)}),
    Cause.NO_RESOURCE: frozenset({(_W, _R), (_T, _R)}),
    Cause.ADMITTED: frozenset({(_T, _RUN), (_R, _RUN)}),
    Cause.FINISHED: frozenset({(_RUN, _S), (_RUN, _F)}),
    Cause.TIMED_OUT: frozenset({(_RUN, _F)}),
    Cause.LOST: frozenset({(_RUN, _F)}),
    Cause.RETRIED: frozenset({(_F, _N)}),
    Cause.WITHDRAWN: frozenset({(_W, _N), (_T, _N), (_R, _N)}),
    Cause.DERIVED: frozenset({(before, after) for before in Status for after in Status if before is not after}),
}
"""The engine's transitions, by cause (section 2.3)."""

OPERATOR: dict[Cause, frozenset[tuple[Status | None, Status]]] = {
    Cause.RERUN: frozenset({(_S, _N), (_F, _N)}),
    Cause.FORCED: frozenset({(s, to) for s in Status for to in (_T, _N) if s is not to}),
    Cause.SET_SUCCESS: frozenset({(_N, _S), (_F, _S)}),
    Cause.STOPPED: frozenset({(_W, _F), (_T, _F), (_R, _F), (_RUN, _F), (_N, _F)}),
}
"""The operators' transitions, by cause (section 2.4). Stop reaches Not Running only inside a logical table (AMB-3)."""

TRANSITIONS: dict[Cause, frozenset[tuple[Status | None, Status]]] = AUTOMATIC | OPERATOR


class Verb(StrEnum):
    """What an operator may do to an instance (section 2.4)."""

    RERUN = "rerun"
    FORCE_RERUN = "force-rerun"
    RERUN_DOWNSTREAM = "rerun-downstream"
    FORCE_RERUN_DOWNSTREAM = "force-rerun-downstream"
    SET_SUCCESS = "set-success"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    PRIORITY = "priority"
    REMOVE_UPSTREAM = "remove-upstream"
    ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True, slots=True)
class Guard:
    """When one verb may act: the statuses it takes, what the paused flag must be, and the words of a refusal.

    `paused` is None where the flag does not matter. `refusals` overrides `otherwise` for single statuses.
    """

    statuses: frozenset[Status]
    paused: bool | None
    otherwise: str
    when_paused: str = ""
    refusals: tuple[tuple[Status, str], ...] = ()

    def refuse(self, status: Status, paused: bool) -> str | None:
        """The sentence an operator reads when the verb may not act, or None when it may."""
        if self.paused is not None and paused is not self.paused:
            return self.when_paused
        if status in self.statuses:
            return None
        return f"{status.label}: {dict(self.refusals).get(status, self.otherwise)}"


_ANY = frozenset(Status)

GUARDS: dict[Verb, Guard] = {
    Verb.RERUN: Guard(TERMINAL, False, "only Succeeded or Failed can be rerun", "Paused: resume it first"),
    Verb.FORCE_RERUN: Guard(_ANY, None, ""),
    Verb.RERUN_DOWNSTREAM: Guard(TERMINAL, None, "the start node must be Succeeded or Failed"),
    Verb.FORCE_RERUN_DOWNSTREAM: Guard(_ANY, None, ""),
    Verb.SET_SUCCESS: Guard(
        frozenset({_N, _F}),
        None,
        "only Failed or Not Running can be set to success",
        refusals=((_S, "it has succeeded already"), (_RUN, "stop it first")),
    ),
    Verb.STOP: Guard(
        WAITING | {_RUN},
        None,
        "nothing to stop",
    ),
    Verb.PAUSE: Guard(
        frozenset({_N, _W, _T}),
        False,
        "too late to pause",
        "Paused already",
        refusals=((_S, "nothing to pause"), (_F, "nothing to pause")),
    ),
    Verb.RESUME: Guard(_ANY, True, "", "Not paused: nothing to resume"),
    Verb.PRIORITY: Guard(_ANY, None, ""),
    Verb.REMOVE_UPSTREAM: Guard(_ANY, None, ""),
    Verb.ACKNOWLEDGE: Guard(_ANY, None, ""),
}
"""Every guard of section 2.4 that depends on the instance alone."""
