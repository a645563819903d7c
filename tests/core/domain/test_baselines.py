"""Section 11.4: how a baseline stands."""

from __future__ import annotations

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from dpconsole.core.domain.baselines import BaselineStatus, baseline_status, committed_at
from dpconsole.core.domain.definitions import Baseline

SAFE, WARNING, BROKEN, OTHER = BaselineStatus
COMMITTED, MARGIN = 8_000, 1_000
ALERT = COMMITTED - MARGIN


@pytest.mark.parametrize(
    ("completion", "status"),
    [
        (None, OTHER),
        (0, SAFE),
        (ALERT, SAFE),
        (ALERT + 1, WARNING),
        (COMMITTED, WARNING),
        (COMMITTED + 1, BROKEN),
    ],
)
def test_a_baseline_stands_by_when_its_last_end_task_is_done(completion: int | None, status: BaselineStatus) -> None:
    assert baseline_status(completion, COMMITTED, MARGIN) is status


def test_without_a_margin_there_is_no_warning() -> None:
    assert [baseline_status(at, COMMITTED, 0) for at in (COMMITTED, COMMITTED + 1)] == [SAFE, BROKEN]


def test_the_promise_is_for_the_run_day_on_the_wall_clock() -> None:
    gmv = Baseline("gmv_0800", ("trade.ads_gmv",), committed=time(8))
    assert committed_at(gmv, date(2026, 11, 19), ZoneInfo("Asia/Shanghai")).isoformat() == "2026-11-20T00:00:00+00:00"
