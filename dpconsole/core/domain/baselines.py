"""Baselines: a committed time, and how the night stands against it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from dpconsole.core.domain.calendars import instant
from dpconsole.core.domain.clock import run_day
from dpconsole.core.domain.definitions import Baseline


class BaselineStatus(StrEnum):
    """How a baseline stands on one business date (section 11.4)."""

    SAFE = "Safe"
    WARNING = "Warning"
    BROKEN = "Broken"
    OTHER = "Other"


def committed_at(baseline: Baseline, business_date: date, zone: ZoneInfo) -> datetime:
    """The UTC instant of the promise: the committed time of day on the run day (section 11.4)."""
    return instant(datetime.combine(run_day(business_date), baseline.committed), zone)


def baseline_status(completion: int | None, committed: int, margin_ms: int) -> BaselineStatus:
    """Safe up to the alert time, Warning up to the committed time, Broken after it (section 11.4).

    All in UTC ms. `completion` is when the last end task finished, or while one is unfinished the estimate, which is
    never before now; None when there are no instances.
    """
    if completion is None:
        return BaselineStatus.OTHER
    if completion > committed:
        return BaselineStatus.BROKEN
    return BaselineStatus.WARNING if completion > committed - margin_ms else BaselineStatus.SAFE
