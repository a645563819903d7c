"""Where an instance stands among the five checks, as a table (RULES.md 2.2 and 13)."""

from __future__ import annotations

from typing import Any

import pytest

from dpconsole.core.domain.diagnosis import Place, Step, Verdict, blocking_rank, place_of, verdicts
from dpconsole.core.domain.statuses import Status

NOT_RUNNING, WAITING_TIME, THROTTLED, WAITING_RESOURCE, RUNNING, SUCCEEDED, FAILED = Status
UPSTREAM, TIME, THROTTLING, RESOURCES, RUN = Step

PLAIN: dict[str, Any] = {"paused": False, "pending": 0, "autonomous": True, "is_due": True, "failed_from": None}

PLACES = [
    (NOT_RUNNING, {"pending": 1}, UPSTREAM, Verdict.BLOCKED),
    (NOT_RUNNING, {"pending": 1, "autonomous": False}, UPSTREAM, Verdict.BLOCKED),
    (NOT_RUNNING, {}, TIME, Verdict.WAITING),
    (NOT_RUNNING, {"autonomous": False}, TIME, Verdict.BLOCKED),
    (WAITING_TIME, {"is_due": False}, TIME, Verdict.WAITING),
    (WAITING_TIME, {}, THROTTLING, Verdict.WAITING),
    (THROTTLED, {}, THROTTLING, Verdict.WAITING),
    (WAITING_RESOURCE, {}, RESOURCES, Verdict.WAITING),
    (RUNNING, {}, RUN, Verdict.RUNNING),
    (RUNNING, {"pending": 1}, RUN, Verdict.RUNNING),
    (SUCCEEDED, {"pending": 1}, RUN, Verdict.PASSED),
    (FAILED, {"failed_from": RUNNING}, RUN, Verdict.FAILED),
    (FAILED, {}, RUN, Verdict.FAILED),
    (FAILED, {"failed_from": NOT_RUNNING}, UPSTREAM, Verdict.FAILED),
    (FAILED, {"failed_from": WAITING_TIME}, TIME, Verdict.FAILED),
    (FAILED, {"failed_from": THROTTLED}, THROTTLING, Verdict.FAILED),
    (FAILED, {"failed_from": WAITING_RESOURCE}, RESOURCES, Verdict.FAILED),
]


@pytest.mark.parametrize(("status", "facts", "step", "verdict"), PLACES)
def test_an_instance_stands_at_one_check(status: Status, facts: dict[str, Any], step: Step, verdict: Verdict) -> None:
    assert place_of(status, **PLAIN | facts) == Place(step, verdict)


@pytest.mark.parametrize("status", Status)
def test_a_pause_holds_what_has_not_begun(status: Status) -> None:
    holds = place_of(status, **PLAIN | {"paused": True}) == Place(UPSTREAM, Verdict.PAUSED)
    assert holds is (status not in (RUNNING, SUCCEEDED, FAILED))


@pytest.mark.parametrize("at", Step)
def test_checks_before_it_passed_and_checks_after_it_are_not_reached(at: Step) -> None:
    found = verdicts(Place(at, Verdict.WAITING), frozenset())
    place = list(Step).index(at)
    assert list(found) == list(Step)
    assert list(found.values()) == [Verdict.PASSED] * place + [Verdict.WAITING] + [Verdict.NOT_REACHED] * (4 - place)


def test_only_checks_that_lie_behind_it_are_skipped() -> None:
    skipped = {UPSTREAM, TIME, RUN}
    found = verdicts(Place(TIME, Verdict.FAILED), skipped)
    assert [found[step] for step in (UPSTREAM, TIME, RUN)] == [Verdict.SKIPPED, Verdict.FAILED, Verdict.NOT_REACHED]


def test_blocking_instances_are_listed_failed_paused_running_waiting() -> None:
    standing = [(NOT_RUNNING, False), (RUNNING, False), (THROTTLED, True), (FAILED, False), (FAILED, True)]
    assert [blocking_rank(*one) for one in standing] == [3, 2, 1, 0, 0]
    assert {blocking_rank(status, False) for status in (WAITING_TIME, THROTTLED, WAITING_RESOURCE)} == {3}


def test_every_word_reads_well() -> None:
    assert [verdict.label for verdict in Verdict][:2] == ["Passed", "Skipped"]
    assert Verdict.NOT_REACHED.label == "Not reached"
    assert Step.UPSTREAM.label == "Upstream dependency"
