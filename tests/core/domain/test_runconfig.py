"""Section 12: what may be configured, and what follows a failure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dpconsole.core.domain.definitions import RunConfig
from dpconsole.core.domain.runconfig import Retries, next_retry, problems
from dpconsole.core.domain.statuses import Cause

MINUTE, HOUR = 60, 3600


def test_the_defaults() -> None:
    run = RunConfig()
    assert (run.timeout, run.reruns, run.rerun_interval, run.rerun_after_timeout) == (48 * HOUR, 1, 5 * MINUTE, False)
    assert problems(run) == ()


@pytest.mark.parametrize(
    ("setting", "allowed", "refused", "words"),
    [
        ("timeout", (36, 40, 168 * HOUR), (0, 35.9, -1, 168 * HOUR + 1, float("nan")), "between 0.01 and 168 hours"),
        ("reruns", (0, 1, 10), (-1, 11), "between 0 (none) and 10"),
        ("rerun_interval", (60, 300, 3600), (0, 59, 3601), "between 1 and 60 minutes"),
    ],
)
def test_the_ranges(setting: str, allowed: tuple[float, ...], refused: tuple[float, ...], words: str) -> None:
    for value in allowed:
        assert problems(replace(RunConfig(), **{setting: value})) == ()
    for value in refused:
        (sentence,) = problems(replace(RunConfig(), **{setting: value}))
        assert words in sentence


def test_all_problems_are_named_at_once() -> None:
    assert len(problems(RunConfig(timeout=0, reruns=11, rerun_interval=1))) == 3


ENDED = 1_000_000
AGAIN = ENDED + 300_000
STAYS_FAILED = None


@pytest.mark.parametrize(
    ("cause", "without_timeouts", "with_timeouts"),
    [
        (Cause.FINISHED, AGAIN, AGAIN),
        (Cause.LOST, AGAIN, AGAIN),
        (Cause.TIMED_OUT, STAYS_FAILED, AGAIN),
        (Cause.STOPPED, STAYS_FAILED, STAYS_FAILED),
    ],
)
@pytest.mark.parametrize("configured", [0, 1, 3])
@pytest.mark.parametrize("done", [0, 1, 2, 3, 4])
def test_an_automatic_rerun_follows_while_some_are_left(
    cause: Cause, without_timeouts: int | None, with_timeouts: int | None, configured: int, done: int
) -> None:
    for after_timeout, expected in ((False, without_timeouts), (True, with_timeouts)):
        due = next_retry(cause, ENDED, done, Retries(configured, 300_000, after_timeout))
        assert due == (expected if done < configured else STAYS_FAILED)
