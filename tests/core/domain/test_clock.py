"""Clocks, instants, business dates and durations."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.domain.clock import (
    Clock,
    SystemClock,
    VirtualClock,
    business_date_of,
    default_business_date,
    format_duration,
    format_iso,
    parse_duration,
    parse_iso,
    run_day,
    to_datetime,
    to_ms,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
A_NIGHT = 1_795_111_200_000  # 2026-11-19T18:00:00Z, 02:00 the next day in Shanghai

milliseconds = st.integers(min_value=-62_000_000_000_000, max_value=250_000_000_000_000)


def test_a_virtual_clock_stands_still_until_it_is_moved() -> None:
    clock: Clock = VirtualClock(A_NIGHT)
    assert (clock.now(), clock.monotonic()) == (A_NIGHT, 0.0)
    assert (clock.now(), clock.monotonic()) == (A_NIGHT, 0.0)


def test_a_virtual_clock_moves_both_times_together() -> None:
    clock = VirtualClock(A_NIGHT)
    clock.advance_to(A_NIGHT + 2_500)
    assert (clock.now(), clock.monotonic()) == (A_NIGHT + 2_500, 2.5)


def test_a_virtual_clock_never_goes_back() -> None:
    clock = VirtualClock(A_NIGHT)
    with pytest.raises(ValueError, match="only goes forward"):
        clock.advance_to(A_NIGHT - 1)
    assert clock.now() == A_NIGHT


def test_the_system_clock_gives_milliseconds_of_this_century_and_a_time_that_does_not_go_back() -> None:
    clock: Clock = SystemClock()
    assert to_datetime(clock.now()).year in range(2020, 2100)
    assert clock.monotonic() <= clock.monotonic()


@given(milliseconds)
def test_milliseconds_survive_the_way_through_a_datetime_in_any_zone(ms: int) -> None:
    assert to_ms(to_datetime(ms)) == ms
    assert to_ms(to_datetime(ms, SHANGHAI)) == ms


def test_an_instant_needs_an_offset() -> None:
    with pytest.raises(ValueError, match="has no offset"):
        to_ms(datetime(2026, 11, 20))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("zone", "written"),
    [(UTC, "2026-11-19T18:00:00+00:00"), (SHANGHAI, "2026-11-20T02:00:00+08:00")],
)
def test_instants_are_written_with_their_offset(zone: ZoneInfo, written: str) -> None:
    assert format_iso(A_NIGHT, zone) == written
    assert parse_iso(written) == A_NIGHT


def test_a_time_without_an_offset_is_read_in_the_zone_given() -> None:
    assert parse_iso("2026-11-20T02:00:00", SHANGHAI) == A_NIGHT
    assert parse_iso("2026-11-20 02:00", SHANGHAI) == A_NIGHT


def test_instances_of_a_business_date_are_due_the_day_after() -> None:
    assert run_day(date(2024, 2, 28)) == date(2024, 2, 29)
    assert business_date_of(date(2024, 3, 1)) == date(2024, 2, 29)


def test_the_default_business_date_is_yesterday_where_the_workspace_is() -> None:
    assert default_business_date(A_NIGHT, UTC) == date(2026, 11, 18)
    assert default_business_date(A_NIGHT, SHANGHAI) == date(2026, 11, 19)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("40s", 40),
        ("5m", 300),
        ("48h", 172_800),
        ("30m", 1800),
        ("1h30m", 5400),
        ("1h02m04s", 3724),
        ("0.5h", 1800),
        ("1.5s", 1.5),
        ("90", 90),
        (90, 90),
        (0.25, 0.25),
        (" 5m ", 300),
    ],
)
def test_durations_are_read(written: str | float, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize("written", ["", "h", "5 m", "30m1h", "-5m", -5, "5d", "1e3", "nan", "inf", True, "5mm", "٥m"])
def test_what_is_no_duration_is_refused_by_name(written: str | float) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0s"),
        (-1, "0s"),
        (0.9, "0s"),
        (40, "40s"),
        (60, "1m00s"),
        (664, "11m04s"),
        (3599.9, "59m59s"),
        (3724, "1h02m04s"),
        (172_800, "48h00m00s"),
    ],
)
def test_durations_are_written(seconds: float, written: str) -> None:
    assert format_duration(seconds) == written


@given(st.integers(min_value=0, max_value=10_000_000))
def test_a_written_duration_is_read_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds
