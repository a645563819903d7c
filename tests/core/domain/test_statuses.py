"""Section 2: the seven statuses, the legal changes between them, and the guard of every verb."""

from __future__ import annotations

import pytest

from dpconsole.core.domain.statuses import (
    FACES,
    GUARDS,
    SYNONYMS,
    TERMINAL,
    TRANSITIONS,
    WAITING,
    Cause,
    Family,
    NormalisedStatus,
    Status,
    Verb,
)
from tests.checker import ARROWS, NODE_ARROWS

N = Status.NOT_RUNNING
WT = Status.WAITING_TIME
TH = Status.THROTTLED
WR = Status.WAITING_RESOURCE
R = Status.RUNNING
S = Status.SUCCEEDED
F = Status.FAILED


# -- 2.1 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "label", "glyph", "family"),
    [
        (N, "Not Running", "○", Family.IDLE),
        (WT, "Waiting for Scheduled Time", "◔", Family.WAITING),
        (TH, "Throttling", "⊘", Family.WAITING),
        (WR, "Waiting for Schedule Resources", "◑", Family.WAITING),
        (R, "Running", "▶", Family.ACTIVE),
        (S, "Succeeded", "✓", Family.TERMINAL),
        (F, "Failed", "✗", Family.TERMINAL),
    ],
)
def test_each_status_has_its_words_and_glyph(status: Status, label: str, glyph: str, family: Family) -> None:
    assert (status.label, status.glyph, status.family) == (label, glyph, family)


def test_there_are_seven_in_the_order_of_the_five_checks() -> None:
    assert list(Status) == [N, WT, TH, WR, R, S, F]


def test_no_two_statuses_look_the_same_even_in_ascii() -> None:
    assert len({face.glyph for face in FACES.values()}) == 7
    assert len({face.ascii for face in FACES.values()}) == 7
    assert all(face.ascii.isascii() and len(face.ascii) == 1 for face in FACES.values())


def test_the_families() -> None:
    assert {WT, TH, WR} == WAITING
    assert {S, F} == TERMINAL


@pytest.mark.parametrize("synonym", SYNONYMS)
def test_synonyms_are_lower_case_and_never_a_label(synonym: str) -> None:
    assert synonym == synonym.lower()
    assert synonym not in {status.label.lower() for status in Status}


@pytest.mark.parametrize(
    ("status", "normalised"),
    [
        (N, NormalisedStatus.NOT_RUNNING),
        (WT, NormalisedStatus.WAITING),
        (TH, NormalisedStatus.WAITING),
        (WR, NormalisedStatus.WAITING),
        (R, NormalisedStatus.RUNNING),
        (S, NormalisedStatus.SUCCEEDED),
        (F, NormalisedStatus.FAILED),
    ],
)
def test_normalising_takes_the_waiting_family_together(status: Status, normalised: NormalisedStatus) -> None:
    assert status.normalised is normalised


@pytest.mark.parametrize(
    ("status", "label"),
    [
        (NormalisedStatus.SUCCEEDED, "✓ Succeeded"),
        (NormalisedStatus.RUNNING, "▶ Running"),
        (NormalisedStatus.WAITING, "◔ Waiting"),
        (NormalisedStatus.NOT_RUNNING, "○ Not Running"),
        (NormalisedStatus.FAILED, "✗ Failed"),
    ],
)
def test_normalised_statuses_are_written_like_the_others(status: NormalisedStatus, label: str) -> None:
    assert f"{status.face.glyph} {status.face.label}" == label


# -- 2.3, 2.4: which changes the journal may hold ---------------------------------------------------------------------


def test_the_changes_are_those_that_every_journal_is_checked_against() -> None:
    changes = {(cause, before or "-", after) for cause, some in TRANSITIONS.items() for before, after in some}
    assert {change for change in changes if change[0] is not Cause.DERIVED} == ARROWS | NODE_ARROWS


# -- 2.4: every verb on every status, running or paused ---------------------------------------------------------------

YES = None
ONLY_TERMINAL = "only Succeeded or Failed can be rerun"
START_NODE = "the start node must be Succeeded or Failed"
ONLY_STUCK = "only Failed or Not Running can be set to success"

GUARD_TABLE: dict[Verb, dict[Status, tuple[str | None, str | None]]] = {
    # verb: status: (not paused, paused)
    Verb.RERUN: {
        N: (f"Not Running: {ONLY_TERMINAL}", "Paused: resume it first"),
        WT: (f"Waiting for Scheduled Time: {ONLY_TERMINAL}", "Paused: resume it first"),
        TH: (f"Throttling: {ONLY_TERMINAL}", "Paused: resume it first"),
        WR: (f"Waiting for Schedule Resources: {ONLY_TERMINAL}", "Paused: resume it first"),
        R: (f"Running: {ONLY_TERMINAL}", "Paused: resume it first"),
        S: (YES, "Paused: resume it first"),
        F: (YES, "Paused: resume it first"),
    },
    Verb.FORCE_RERUN: {
        N: (YES, YES),
        WT: (YES, YES),
        TH: (YES, YES),
        WR: (YES, YES),
        R: (YES, YES),
        S: (YES, YES),
        F: (YES, YES),
    },
    Verb.RERUN_DOWNSTREAM: {
        N: (f"Not Running: {START_NODE}", f"Not Running: {START_NODE}"),
        WT: (f"Waiting for Scheduled Time: {START_NODE}", f"Waiting for Scheduled Time: {START_NODE}"),
        TH: (f"Throttling: {START_NODE}", f"Throttling: {START_NODE}"),
        WR: (f"Waiting for Schedule Resources: {START_NODE}", f"Waiting for Schedule Resources: {START_NODE}"),
        R: (f"Running: {START_NODE}", f"Running: {START_NODE}"),
        S: (YES, YES),
        F: (YES, YES),
    },
    Verb.FORCE_RERUN_DOWNSTREAM: {
        N: (YES, YES),
        WT: (YES, YES),
        TH: (YES, YES),
        WR: (YES, YES),
        R: (YES, YES),
        S: (YES, YES),
        F: (YES, YES),
    },
    Verb.SET_SUCCESS: {
        N: (YES, YES),
        WT: (f"Waiting for Scheduled Time: {ONLY_STUCK}", f"Waiting for Scheduled Time: {ONLY_STUCK}"),
        TH: (f"Throttling: {ONLY_STUCK}", f"Throttling: {ONLY_STUCK}"),
        WR: (f"Waiting for Schedule Resources: {ONLY_STUCK}", f"Waiting for Schedule Resources: {ONLY_STUCK}"),
        R: ("Running: stop it first", "Running: stop it first"),
        S: ("Succeeded: it has succeeded already", "Succeeded: it has succeeded already"),
        F: (YES, YES),
    },
    Verb.STOP: {
        N: ("Not Running: nothing to stop", "Not Running: nothing to stop"),
        WT: (YES, YES),
        TH: (YES, YES),
        WR: (YES, YES),
        R: (YES, YES),
        S: ("Succeeded: nothing to stop", "Succeeded: nothing to stop"),
        F: ("Failed: nothing to stop", "Failed: nothing to stop"),
    },
    Verb.PAUSE: {
        N: (YES, "Paused already"),
        WT: (YES, "Paused already"),
        TH: (YES, "Paused already"),
        WR: ("Waiting for Schedule Resources: too late to pause", "Paused already"),
        R: ("Running: too late to pause", "Paused already"),
        S: ("Succeeded: nothing to pause", "Paused already"),
        F: ("Failed: nothing to pause", "Paused already"),
    },
    Verb.RESUME: {
        N: ("Not paused: nothing to resume", YES),
        WT: ("Not paused: nothing to resume", YES),
        TH: ("Not paused: nothing to resume", YES),
        WR: ("Not paused: nothing to resume", YES),
        R: ("Not paused: nothing to resume", YES),
        S: ("Not paused: nothing to resume", YES),
        F: ("Not paused: nothing to resume", YES),
    },
    Verb.PRIORITY: {
        N: (YES, YES),
        WT: (YES, YES),
        TH: (YES, YES),
        WR: (YES, YES),
        R: (YES, YES),
        S: (YES, YES),
        F: (YES, YES),
    },
    Verb.REMOVE_UPSTREAM: {
        N: (YES, YES),
        WT: (YES, YES),
        TH: (YES, YES),
        WR: (YES, YES),
        R: (YES, YES),
        S: (YES, YES),
        F: (YES, YES),
    },
    Verb.ACKNOWLEDGE: {
        N: (YES, YES),
        WT: (YES, YES),
        TH: (YES, YES),
        WR: (YES, YES),
        R: (YES, YES),
        S: (YES, YES),
        F: (YES, YES),
    },
}


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("paused", [False, True], ids=["going", "paused"])
def test_a_verb_acts_or_says_why_not(verb: Verb, status: Status, paused: bool) -> None:
    assert GUARDS[verb].refuse(status, paused) == GUARD_TABLE[verb][status][paused]
