"""Sections 3 and 10.5: every schedule's occurrences, on every kind of day a zone can have."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.domain.calendars import SUB_DAY, Occurrence, cycle_of, describe, instant, occurrences, times_of_day
from dpconsole.core.domain.clock import run_day
from dpconsole.core.domain.definitions import LAST_DAY, Cycle, Schedule

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
HAVANA = ZoneInfo("America/Havana")
APIA = ZoneInfo("Pacific/Apia")
UTC_ZONE = ZoneInfo("UTC")

MON, TUE, WED, THU, FRI, SAT, SUN = range(1, 8)
MONDAY = date(2026, 11, 16)
SUNDAY_BEFORE = date(2026, 11, 15)  # its run day is that Monday


def walls(schedule: Schedule, run: date, zone: ZoneInfo = SHANGHAI) -> list[str]:
    """The local times of a run day, placeholders in brackets."""
    return [
        f"({local:%H:%M})" if occurrence.placeholder else f"{local:%H:%M}"
        for occurrence in occurrences(schedule, run - timedelta(days=1), zone)
        for local in [occurrence.due.astimezone(zone)]
    ]


# -- which times ------------------------------------------------------------------------------------------------------


def test_instances_of_a_business_date_are_due_on_the_following_day() -> None:
    (only,) = occurrences(Schedule(at=(time(0, 30),)), date(2026, 11, 19), SHANGHAI)
    assert only == Occurrence(1, datetime(2026, 11, 19, 16, 30, tzinfo=UTC), placeholder=False)
    assert only.due.astimezone(SHANGHAI).isoformat() == "2026-11-20T00:30:00+08:00"


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule(), ["00:00"]),
        (Schedule(Cycle.DAY, at=(time(2),)), ["02:00"]),
        (Schedule(Cycle.HOUR), [f"{hour:02}:00" for hour in range(24)]),
        (Schedule(Cycle.HOUR, interval=240), ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00"]),
        (Schedule(Cycle.HOUR, start=time(0, 15), end=time(3, 15)), ["00:15", "01:15", "02:15", "03:15"]),
        (Schedule(Cycle.HOUR, start=time(8), end=time(9, 59)), ["08:00", "09:00"]),
        (Schedule(Cycle.HOUR, at=(time(20), time(4), time(4), time(12))), ["04:00", "12:00", "20:00"]),
        (Schedule(Cycle.MINUTE, end=time(1), interval=30), ["00:00", "00:30", "01:00"]),
        (Schedule(Cycle.MINUTE, start=time(23, 50), interval=5), ["23:50", "23:55"]),
        (Schedule(cron="30 2 * * *"), ["02:30"]),
        (Schedule(cron="0 0 1 * * ?"), ["01:00"]),
        (Schedule(cron="0 */6 * * *"), ["00:00", "06:00", "12:00", "18:00"]),
        (Schedule(cron="0,30 8-9 * * *"), ["08:00", "08:30", "09:00", "09:30"]),
    ],
)
def test_the_times_of_a_day(schedule: Schedule, expected: list[str]) -> None:
    assert walls(schedule, MONDAY) == expected
    assert [f"{datetime.min.replace(tzinfo=UTC) + at:%H:%M}" for at in times_of_day(schedule)] == expected


def test_a_minute_task_has_an_occurrence_each_minute_of_the_day() -> None:
    every_minute = occurrences(Schedule(Cycle.MINUTE, interval=1), SUNDAY_BEFORE, SHANGHAI)
    assert len(every_minute) == 1440
    assert {b.due - a.due for a, b in pairwise(every_minute)} == {timedelta(minutes=1)}


# -- which days -------------------------------------------------------------------------------------------------------

AT_ONE = (time(13),)
REAL, PLACEHOLDER = ["13:00"], ["(13:00)"]


@pytest.mark.parametrize(
    ("schedule", "run", "expected"),
    [
        (Schedule(Cycle.WEEK, AT_ONE, weekdays=(MON, THU)), MONDAY, REAL),
        (Schedule(Cycle.WEEK, AT_ONE, weekdays=(MON, THU)), MONDAY + timedelta(days=3), REAL),
        (Schedule(Cycle.WEEK, AT_ONE, weekdays=(MON, THU)), SUNDAY_BEFORE, PLACEHOLDER),
        (Schedule(Cycle.WEEK, AT_ONE, weekdays=(SUN,)), SUNDAY_BEFORE, REAL),
        (Schedule(Cycle.MONTH, AT_ONE, month_days=(2,)), date(2026, 11, 2), REAL),
        (Schedule(Cycle.MONTH, AT_ONE, month_days=(2,)), date(2026, 11, 3), PLACEHOLDER),
        (Schedule(Cycle.MONTH, AT_ONE, month_days=(31,)), date(2026, 11, 30), PLACEHOLDER),
        (Schedule(Cycle.MONTH, AT_ONE, month_days=(LAST_DAY,)), date(2026, 11, 30), REAL),
        (Schedule(Cycle.MONTH, AT_ONE, month_days=(LAST_DAY,)), date(2026, 12, 30), PLACEHOLDER),
        (Schedule(Cycle.MONTH, AT_ONE, month_days=(LAST_DAY,)), date(2026, 12, 31), REAL),
        (Schedule(Cycle.MONTH, AT_ONE, month_days=(LAST_DAY,)), date(2024, 2, 28), PLACEHOLDER),
        (Schedule(Cycle.MONTH, AT_ONE, month_days=(LAST_DAY,)), date(2024, 2, 29), REAL),
        (Schedule(Cycle.MONTH, AT_ONE, month_days=(LAST_DAY,)), date(2023, 2, 28), REAL),
        (Schedule(Cycle.YEAR, AT_ONE, year_days=((6, 18), (11, 11))), date(2026, 11, 11), REAL),
        (Schedule(Cycle.YEAR, AT_ONE, year_days=((6, 18), (11, 11))), date(2026, 11, 18), PLACEHOLDER),
        (Schedule(Cycle.YEAR, AT_ONE, year_days=((2, 29),)), date(2024, 2, 29), REAL),
        (Schedule(Cycle.YEAR, AT_ONE, year_days=((2, 29),)), date(2026, 2, 28), PLACEHOLDER),
        (Schedule(cron="0 13 * * 1-5"), MONDAY, REAL),
        (Schedule(cron="0 13 * * 1-5"), SUNDAY_BEFORE, PLACEHOLDER),
        (Schedule(cron="0 13 * * 0"), SUNDAY_BEFORE, REAL),
        (Schedule(cron="0 13 * * 7"), SUNDAY_BEFORE, REAL),
        (Schedule(cron="0 13 * * 1"), MONDAY, REAL),
        (Schedule(cron="0 13 L * *"), date(2024, 2, 29), REAL),
        (Schedule(cron="0 13 1 */3 *"), date(2026, 4, 1), REAL),
        (Schedule(cron="0 13 1 */3 *"), date(2026, 5, 1), PLACEHOLDER),
        (Schedule(cron="0 */6 * * 1-5"), SUNDAY_BEFORE, []),
    ],
)
def test_a_day_outside_the_schedule_holds_one_placeholder(schedule: Schedule, run: date, expected: list[str]) -> None:
    assert walls(schedule, run) == expected


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (date(2026, 1, 9), []),
        (date(2026, 1, 10), ["00:00"]),
        (date(2026, 1, 20), ["00:00"]),
        (date(2026, 1, 21), []),
    ],
)
def test_outside_the_effective_window_of_run_days_there_is_nothing(run: date, expected: list[str]) -> None:
    assert walls(Schedule(effective_from=date(2026, 1, 10), effective_to=date(2026, 1, 20)), run) == expected


@pytest.mark.parametrize("cycle", sorted(set(Cycle) - SUB_DAY))
@given(business_date=st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_day_and_coarser_hold_exactly_one_occurrence_every_day(cycle: Cycle, business_date: date) -> None:
    schedule = Schedule(cycle, AT_ONE, weekdays=(WED,), month_days=(5, LAST_DAY), year_days=((2, 29),))
    assert [o.ordinal for o in occurrences(schedule, business_date, BERLIN)] == [1]


# -- the zone's odd days ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        # gap: the first instant after it
        (BERLIN, "2026-03-29 01:59", "2026-03-29T01:59:00+01:00"),
        (BERLIN, "2026-03-29 02:00", "2026-03-29T03:00:00+02:00"),
        (BERLIN, "2026-03-29 02:59", "2026-03-29T03:00:00+02:00"),
        (BERLIN, "2026-03-29 03:00", "2026-03-29T03:00:00+02:00"),
        (NEW_YORK, "2026-03-08 02:30", "2026-03-08T03:00:00-04:00"),
        (LORD_HOWE, "2026-10-04 02:15", "2026-10-04T02:30:00+11:00"),
        (HAVANA, "2026-03-08 00:00", "2026-03-08T01:00:00-04:00"),
        (APIA, "2011-12-30 00:00", "2011-12-31T00:00:00+14:00"),
        (APIA, "2011-12-30 23:59", "2011-12-31T00:00:00+14:00"),
        # fold: the first of the two
        (BERLIN, "2026-10-25 02:30", "2026-10-25T02:30:00+02:00"),
        (NEW_YORK, "2026-11-01 01:00", "2026-11-01T01:00:00-04:00"),
        (LORD_HOWE, "2026-04-05 01:45", "2026-04-05T01:45:00+11:00"),
        (HAVANA, "2026-11-01 00:00", "2026-11-01T00:00:00-04:00"),
    ],
)
def test_each_wall_clock_time_is_one_instant(zone: ZoneInfo, wall: str, expected: str) -> None:
    assert instant(datetime.fromisoformat(wall), zone).astimezone(zone).isoformat() == expected


@pytest.mark.parametrize(
    ("zone", "run"),
    [
        (HAVANA, date(2026, 3, 8)),
        (HAVANA, date(2026, 11, 1)),
        (BERLIN, date(2026, 3, 29)),
        (BERLIN, date(2026, 10, 25)),
        (APIA, date(2011, 12, 30)),
        (LORD_HOWE, date(2026, 10, 4)),
        (LORD_HOWE, date(2026, 4, 5)),
    ],
)
def test_a_day_of_23_or_25_hours_still_has_24_hourly_occurrences(zone: ZoneInfo, run: date) -> None:
    hourly = occurrences(Schedule(Cycle.HOUR), run - timedelta(days=1), zone)
    assert [o.ordinal for o in hourly] == list(range(1, 25))


def test_on_the_day_apia_skipped_everything_is_due_when_the_next_day_begins() -> None:
    skipped = occurrences(Schedule(Cycle.HOUR), date(2011, 12, 29), APIA)
    (after,) = occurrences(Schedule(), date(2011, 12, 30), APIA)
    assert {o.due for o in skipped} == {after.due}


ODD_ZONES = [
    "America/Havana",  # its missing hour is midnight
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Apia",
    "Asia/Shanghai",
    "Asia/Kathmandu",  # 45 minutes past
    "Africa/Casablanca",  # changes around Ramadan
    "America/Sao_Paulo",  # repeated 23:00
    "Asia/Tehran",  # missing midnight
]
FIVE_YEARS = {"Pacific/Apia": 2008, "America/Sao_Paulo": 2014, "Asia/Tehran": 2018}
SCHEDULES = [Schedule(Cycle.HOUR), Schedule(Cycle.MINUTE, interval=45), Schedule(at=(time(0, 0),))]


@pytest.mark.parametrize("zone", map(ZoneInfo, ODD_ZONES), ids=str)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=describe)
def test_five_years_hold_each_scheduled_time_exactly_once(schedule: Schedule, zone: ZoneInfo) -> None:
    first = date(FIVE_YEARS.get(str(zone), 2022), 1, 1)
    planned = [
        datetime.combine(date(2000, 1, 1), time()) + timedelta(minutes=minute)
        for minute in (range(0, 1440, schedule.interval) if schedule.cycle in SUB_DAY else [0])
    ]
    before = datetime.min.replace(tzinfo=UTC)
    for business_date in (first + timedelta(days=n) for n in range(5 * 365 + 2)):
        found = occurrences(schedule, business_date, zone)
        assert [o.ordinal for o in found] == list(range(1, len(planned) + 1))
        for occurrence, wall in zip(found, planned, strict=True):
            assert_is_the_instant(occurrence.due, datetime.combine(run_day(business_date), wall.time()), zone)
            assert before <= occurrence.due
            before = occurrence.due


def assert_is_the_instant(due: datetime, wall: datetime, zone: ZoneInfo) -> None:
    """Read back from the zone: `due` shows `wall` for the first time, or is the first instant to show more."""
    local = due.astimezone(zone)
    if local.replace(tzinfo=None) == wall:
        assert local.fold == 0
        return
    just_before = (due - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert just_before < wall < local.replace(tzinfo=None)


# -- cron and words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "cycle"),
    [
        ("*/5 * * * *", Cycle.MINUTE),
        ("0,30 2 * * *", Cycle.MINUTE),
        ("0 * * * *", Cycle.HOUR),
        ("0 */6 * * 1-5", Cycle.HOUR),
        ("30 2 * * *", Cycle.DAY),
        ("30 2 * * 0-6", Cycle.DAY),
        ("30 2 * * 1-7", Cycle.DAY),
        ("30 2 * 1-6 *", Cycle.DAY),
        ("30 2 * * 1-5", Cycle.WEEK),
        ("30 2 * * MON#1", Cycle.WEEK),
        ("30 2 1 * *", Cycle.MONTH),
        ("30 2 LW * *", Cycle.MONTH),
        ("30 2 1 */3 *", Cycle.YEAR),
        ("30 2 18 6 *", Cycle.YEAR),
    ],
)
def test_the_cycle_of_a_cron_is_the_finest_its_fields_tell_apart(cron: str, cycle: Cycle) -> None:
    assert cycle_of(Schedule(cron=cron)) is cycle


@pytest.mark.parametrize("cycle", Cycle)
def test_the_cycle_of_other_schedules_is_their_own(cycle: Cycle) -> None:
    assert cycle_of(Schedule(cycle)) is cycle


@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("", "five fields are needed"),
        ("2 * * *", "five fields are needed"),
        ("30 0 2 * * *", "five fields are needed"),
        ("99 2 * * *", "bad minute"),
        ("0 24 * * *", "bad hour"),
        ("0 0 * * 8", "bad day-of-week"),
        ("0 0 31 2 *", "bad day-of-month"),
    ],
)
def test_a_bad_cron_is_refused_with_its_words_and_the_reason(cron: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        occurrences(Schedule(cron=cron), SUNDAY_BEFORE, SHANGHAI)
    assert repr(cron) in str(refused.value)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(), "every day at 00:00"),
        (Schedule(at=(time(2),)), "every day at 02:00"),
        (Schedule(Cycle.HOUR), "every hour 00:00-23:59"),
        (Schedule(Cycle.HOUR, interval=120), "every 2 hours 00:00-23:59"),
        (Schedule(Cycle.HOUR, at=(time(12), time(4))), "every day at 04:00, 12:00"),
        (Schedule(Cycle.MINUTE, interval=1), "every minute 00:00-23:59"),
        (Schedule(Cycle.MINUTE, interval=15, start=time(8), end=time(20)), "every 15 minutes 08:00-20:00"),
        (Schedule(Cycle.WEEK, AT_ONE, weekdays=(THU, MON)), "every week on Mon, Thu at 13:00"),
        (Schedule(Cycle.MONTH, AT_ONE, month_days=(LAST_DAY, 15, 1)), "every month on 1, 15, the last day at 13:00"),
        (Schedule(Cycle.YEAR, AT_ONE, year_days=((11, 11), (6, 18))), "every year on 06-18, 11-11 at 13:00"),
        (Schedule(cron="30 2 * * 1-5"), "cron 30 2 * * 1-5"),
        (
            Schedule(effective_from=date(2026, 1, 1), effective_to=date(2026, 6, 30)),
            "every day at 00:00, from 2026-01-01, until 2026-06-30",
        ),
    ],
)
def test_schedules_are_described_in_words(schedule: Schedule, words: str) -> None:
    assert describe(schedule) == words


def test_the_same_question_has_the_same_answer() -> None:
    twice = [occurrences(Schedule(Cycle.HOUR), SUNDAY_BEFORE, UTC_ZONE) for _ in range(2)]
    assert twice[0] == twice[1]
