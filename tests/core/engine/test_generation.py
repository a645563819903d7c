"""Generation: which instances a business date holds, and what each of them waits for (RULES.md 3, 9.1, 10)."""

from __future__ import annotations

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from dpconsole.core.domain.clock import VirtualClock, parse_iso
from dpconsole.core.domain.definitions import (
    Cycle,
    Dependency,
    DependencyCycle,
    Method,
    Policy,
    Priority,
    RunConfig,
    Schedule,
    UpstreamKind,
)
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.generation import catch_up, current_business_date
from dpconsole.core.store.session import Store
from dpconsole.core.store.settings import WATERMARK
from tests.nights import BUSINESS_DATE, EVENING, Night, every, fails, node, on, on_itself, table, task

DAY_BEFORE = BUSINESS_DATE - timedelta(days=1)
DAY_AFTER = BUSINESS_DATE + timedelta(days=1)

CURRENT, PREVIOUS, LAST_N_DAYS, LAST_24H = DependencyCycle
ALL, FIRST, LAST, NEAREST, BEFORE = Policy


# --- what is made -----------------------------------------------------------------------------------------------------


def test_an_instance_says_what_its_task_said(store: Store) -> None:
    run = RunConfig(timeout=90.0, reruns=3, rerun_interval=120.0, rerun_after_timeout=True, resource_group="default")
    night = Night(store, task("a", at="02:30", priority=Priority.HIGH, tags=("x",), owner="lin", run=run))
    night.generate()
    row = night.row("a")
    assert (row.business_date, night.clock_of(row.due_at), row.ordinal, row.cycle) == ("2026-11-19", "02:30", 1, "day")
    assert (row.task_key, row.project, row.owner, row.tags) == ("p.a", "p", "lin", '["x"]')
    assert (row.priority, row.effective_priority, row.resource_group) == (3, 3, "default")
    assert (row.timeout_ms, row.reruns, row.rerun_interval_ms, row.rerun_after_timeout) == (90_000, 3, 120_000, True)


def test_an_hourly_task_has_an_instance_for_each_scheduled_time(store: Store) -> None:
    night = Night(store, task("h", schedule=every(6)))
    night.generate()
    assert night.points() == ["h@00:00", "h@06:00", "h@12:00", "h@18:00"]


def test_a_table_has_a_folder_and_an_instance_for_each_node(store: Store) -> None:
    night = Night(store, table("t", node("one", "f"), node("two", "g")))
    night.generate()
    folder, one, two = (night.row(name) for name in ("t", "one", "two"))
    assert (folder.listing, folder.autonomous, folder.resource_group) == ("modeling", False, "")
    assert [(some.parent_id, some.unit, some.listing) for some in (one, two)] == [(folder.id, "node", "")] * 2
    assert one.resource_group == "default"


@pytest.mark.parametrize(
    ("schedule", "status"),
    [
        (Schedule(Cycle.WEEK, weekdays=(5,)), Status.NOT_RUNNING),  # the run day is a Friday
        (Schedule(Cycle.WEEK, weekdays=(1, 4)), Status.SUCCEEDED),
        (Schedule(Cycle.MONTH, month_days=(20,)), Status.NOT_RUNNING),
        (Schedule(Cycle.MONTH, month_days=(19,)), Status.SUCCEEDED),
        (Schedule(Cycle.YEAR, year_days=((11, 20),)), Status.NOT_RUNNING),
        (Schedule(Cycle.YEAR, year_days=((11, 19),)), Status.SUCCEEDED),
    ],
)
def test_a_day_outside_the_schedule_gets_a_placeholder(sqlite_store: Store, schedule: Schedule, status: Status) -> None:
    night = Night(sqlite_store, task("a", schedule=schedule))
    night.generate()
    assert night.status("a") == status
    assert night.row("a").dry_run is (status is Status.SUCCEEDED)


def test_nothing_is_made_outside_the_effective_window(sqlite_store: Store) -> None:
    late = Schedule(effective_from=BUSINESS_DATE + timedelta(days=2))
    night = Night(sqlite_store, task("a", schedule=late))
    assert night.generate(BUSINESS_DATE, DAY_AFTER) == 1


def test_a_skipped_task_is_paused_but_its_placeholders_are_not(sqlite_store: Store) -> None:
    off_day = Schedule(Cycle.MONTH, month_days=(2,))
    night = Night(
        sqlite_store,
        task("a", method=Method.PAUSED),
        task("placeholder", method=Method.PAUSED, schedule=off_day),
    )
    night.generate()
    assert (night.row("a").paused, night.row("placeholder").paused) == (True, False)


# --- made once --------------------------------------------------------------------------------------------------------


def test_a_second_generation_makes_nothing(store: Store) -> None:
    night = Night(store, task("h", schedule=every(6)), table("t", node("n", "f")), task("d", "h", "t"))
    assert night.generate() == 7
    before = night.whole_journal()
    assert night.generate() == 0
    assert night.whole_journal() == before


def test_a_second_generation_makes_only_what_is_new(store: Store) -> None:
    tasks = task("a"), task("b", "a")
    night = Night(store, *tasks)
    night.generate()
    night.run()
    night.load(*tasks, task("c", "b"), task("d", "c"))
    assert night.generate() == 2
    assert (night.row("c").pending, night.row("d").pending) == (0, 1)
    night.run()
    assert set(night.statuses().values()) == {Status.SUCCEEDED}


def test_a_later_generation_sees_what_succeeded_before(store: Store) -> None:
    night = Night(store, task("a"), task("b", on("a", cycle=PREVIOUS), at="02:00"))
    night.generate(DAY_BEFORE)
    night.run(until="00:00")
    night.generate()
    assert night.row("b@02:00").pending == 0


# --- what is waited for: cycle x policy (section 10.2) ----------------------------------------------------------------

HOURS = ("00:00", "06:00", "12:00", "18:00")
TODAY = [f"h@{hour}" for hour in HOURS]
YESTERDAY = [f"h@2026-11-19T{hour}" for hour in HOURS]
TWO_DAYS_AGO = [f"h@2026-11-18T{hour}" for hour in HOURS]

SELECTED: dict[tuple[DependencyCycle, Policy], list[str]] = {
    (CURRENT, ALL): TODAY,
    (CURRENT, FIRST): ["h@00:00"],
    (CURRENT, LAST): ["h@18:00"],
    (CURRENT, NEAREST): ["h@12:00"],
    (CURRENT, BEFORE): ["h@06:00"],
    (PREVIOUS, ALL): YESTERDAY,
    (PREVIOUS, FIRST): ["h@2026-11-19T00:00"],
    (PREVIOUS, LAST): ["h@2026-11-19T18:00"],
    (PREVIOUS, NEAREST): ["h@2026-11-19T12:00"],
    (PREVIOUS, BEFORE): ["h@2026-11-19T06:00"],
    (LAST_N_DAYS, ALL): TWO_DAYS_AGO + YESTERDAY,
    (LAST_N_DAYS, FIRST): ["h@2026-11-18T00:00"],
    (LAST_N_DAYS, LAST): ["h@2026-11-19T18:00"],
    (LAST_N_DAYS, NEAREST): ["h@2026-11-18T12:00"],
    (LAST_N_DAYS, BEFORE): ["h@2026-11-19T06:00"],
    (LAST_24H, ALL): [*YESTERDAY[2:], *TODAY[:2]],
    (LAST_24H, FIRST): ["h@2026-11-19T12:00"],
    (LAST_24H, LAST): ["h@06:00"],
    (LAST_24H, NEAREST): ["h@2026-11-19T12:00"],
    (LAST_24H, BEFORE): ["h@06:00"],
}
"""What a daily task due at 07:00 waits for of one that runs every six hours; the last N days are two."""


def test_every_cycle_with_every_policy(store: Store) -> None:
    pairs = [(cycle, policy) for cycle in DependencyCycle for policy in Policy]
    downstreams = [
        task(f"{cycle} {policy}", on("h", cycle=cycle, policy=policy, days=2), at="07:00") for cycle, policy in pairs
    ]
    night = Night(store, task("h", schedule=every(6)), *downstreams)
    night.generate(BUSINESS_DATE - timedelta(days=3), BUSINESS_DATE)
    assert {pair: night.upstreams(f"{pair[0]} {pair[1]}@07:00") for pair in pairs} == SELECTED


def test_a_failed_upstream_hour_holds_back_every_hour_of_the_day(sqlite_store: Store) -> None:
    """Section 10.2: hourly on hourly, current cycle, all instances."""
    night = Night(
        sqlite_store,
        task("up", schedule=every(12), simulate=fails()),
        task("all", on("up", cycle=CURRENT, policy=ALL), schedule=every(12)),
    )
    night.generate()
    night.run()
    assert {night.status(f"all@{hour}") for hour in ("00:00", "12:00")} == {Status.NOT_RUNNING}


# --- what a dependency leaves open (section 10.3) ---------------------------------------------------------------------


def test_an_hour_waits_for_the_nearest_hour_at_or_after_its_own(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("h", schedule=every(4)), task("q", "h", schedule=every(1, "00:15")))
    night.generate()
    assert [night.upstreams(f"q@0{hour}:15") for hour in range(5)] == [["h@04:00"]] * 4 + [["h@08:00"]]


def test_a_day_waits_for_all_hours(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("h", schedule=every(6)), task("d", "h", at="05:00"))
    night.generate()
    assert night.upstreams("d") == TODAY


def test_a_day_waits_for_the_nearest_hour_of_a_self_dependent_upstream(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("h", on_itself(), schedule=every(6)), task("d", "h", at="05:00"))
    night.generate()
    assert night.upstreams("d") == ["h@06:00"]


def test_an_hour_waits_for_the_instance_of_the_day(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("d", at="01:00"), task("h", "d", schedule=every(12)))
    night.generate()
    assert [night.upstreams(f"h@{hour}") for hour in ("00:00", "12:00")] == [["d@01:00"]] * 2


# --- self-dependency, vacuous edges, the root, edges switched off -----------------------------------------------------


def test_a_self_dependent_task_waits_for_its_previous_day(store: Store) -> None:
    night = Night(store, task("a", on_itself(), simulate=fails()))
    night.generate(DAY_BEFORE, BUSINESS_DATE)
    assert night.upstreams("a@00:00") == ["a@2026-11-19T00:00"]
    night.run()
    assert night.status("a@00:00") == Status.NOT_RUNNING


def test_a_self_dependent_hour_waits_for_the_hour_before(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", on_itself(), schedule=every(12)))
    night.generate(DAY_BEFORE, BUSINESS_DATE)
    assert night.upstreams("a@12:00") == ["a@00:00"]
    assert night.upstreams("a@00:00") == ["a@2026-11-19T12:00"]


def test_an_upstream_that_had_no_instance_holds_nothing_back_and_is_flagged(store: Store) -> None:
    night = Night(store, task("a", on_itself(), on("b", cycle=PREVIOUS)), task("b"))
    night.generate()
    assert (night.upstreams("a"), night.vacuous("a")) == ([], ["p.a", "p.b"])
    night.run()
    assert night.status("a") == Status.SUCCEEDED


def test_the_root_counts_as_succeeded_and_a_dependency_switched_off_does_not_count(sqlite_store: Store) -> None:
    root, off = Dependency(UpstreamKind.ROOT), on("b", enabled=False)
    night = Night(sqlite_store, task("a", root, off), task("b", simulate=fails()))
    night.generate()
    night.run()
    assert (night.upstreams("a"), night.vacuous("a"), night.status("a")) == ([], [], Status.SUCCEEDED)


# --- logical tables (section 9.1) -------------------------------------------------------------------------------------


def test_a_tables_own_dependencies_hold_for_each_of_its_nodes(sqlite_store: Store) -> None:
    night = Night(
        sqlite_store,
        task("a"),
        task("b"),
        table("t", node("one", "f", after=(on("b"),)), node("two", "g", after=("one",)), depends_on=(on("a"),)),
    )
    night.generate()
    assert sorted(night.upstreams("one")) == ["a@00:00", "b@00:00"]
    assert sorted(night.upstreams("two")) == ["a@00:00", "one@00:00"]
    assert night.upstreams("t") == []


def test_a_dependency_on_fields_reaches_the_nodes_that_carry_them(sqlite_store: Store) -> None:
    nodes = (node("one", "f", "shared"), node("two", "g", "shared"))
    night = Night(
        sqlite_store,
        table("t", *nodes),
        task("whole", "t"),
        task("f", on("t", fields=("f",))),
        task("shared", on("t", fields=("shared",))),
    )
    night.generate()
    names = ("whole", "f", "shared")
    assert {name: (night.upstreams(name), night.row(name).pending) for name in names} == {
        "whole": (["one@00:00", "two@00:00"], 2),
        "f": (["one@00:00"], 1),
        "shared": (["one@00:00", "two@00:00"], 1),
    }


def test_a_self_dependent_table_waits_node_by_node(sqlite_store: Store) -> None:
    night = Night(sqlite_store, table("t", node("one", "f"), node("two", "g"), depends_on=(on_itself(),)))
    night.generate(DAY_BEFORE, BUSINESS_DATE)
    assert night.upstreams("one@00:00") == ["one@2026-11-19T00:00"]
    assert night.upstreams("two@00:00") == ["two@2026-11-19T00:00"]


# --- 23:00, and the nights that were missed (section 3) ---------------------------------------------------------------

TURNS: list[tuple[str, str, str]] = [
    ("UTC", "2026-11-19T22:59:59+00:00", "2026-11-18"),
    ("UTC", "2026-11-19T23:00:00+00:00", "2026-11-19"),
    ("UTC", "2026-11-20T00:00:00+00:00", "2026-11-19"),
    ("Asia/Shanghai", "2026-11-19T14:59:59+00:00", "2026-11-18"),
    ("Asia/Shanghai", "2026-11-19T15:00:00+00:00", "2026-11-19"),
    ("Europe/Berlin", "2026-03-28T21:59:59+00:00", "2026-03-27"),  # winter time, the night before the change
    ("Europe/Berlin", "2026-03-28T22:00:00+00:00", "2026-03-28"),
    ("Europe/Berlin", "2026-03-29T20:59:59+00:00", "2026-03-28"),  # summer time
    ("Europe/Berlin", "2026-03-29T21:00:00+00:00", "2026-03-29"),
]


@pytest.mark.parametrize(("zone", "moment", "business_date"), TURNS)
def test_the_next_business_date_has_its_turn_at_23_00(zone: str, moment: str, business_date: str) -> None:
    assert current_business_date(parse_iso(moment), ZoneInfo(zone)).isoformat() == business_date


def caught_up(night: Night) -> list[str]:
    """The business dates that catching up makes instances of."""
    return [made.business_date.isoformat() for made in catch_up(night.store, night.clock)]


def test_the_first_night_makes_only_the_date_whose_turn_it_is(store: Store) -> None:
    night = Night(store, task("a"))
    assert caught_up(night) == ["2026-11-19"]
    assert night.setting(WATERMARK) == "2026-11-19"
    assert caught_up(night) == []


def test_missed_nights_are_caught_up(store: Store) -> None:
    night = Night(store, task("a"))
    caught_up(night)
    night.clock.advance_to(night.moment("2026-11-23T22:59"))
    assert caught_up(night) == ["2026-11-20", "2026-11-21", "2026-11-22"]
    night.clock.advance_to(night.moment("2026-11-23T23:00"))
    assert caught_up(night) == ["2026-11-23"]
    assert len(night.points()) == 5


def test_without_a_workspace_there_is_no_night(store: Store) -> None:
    assert list(catch_up(store, VirtualClock(EVENING))) == []


def test_a_date_made_by_hand_moves_the_watermark_only_from_the_date_before(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    night.generate(date(2026, 11, 25))
    assert night.setting(WATERMARK) is None
    caught_up(night)
    night.generate(date(2026, 11, 22))
    assert night.setting(WATERMARK) == "2026-11-19"
    night.generate(date(2026, 11, 20), date(2026, 11, 21))
    assert night.setting(WATERMARK) == "2026-11-21"


# --- zones that change their clocks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("business_date", "due"),
    [
        (date(2027, 3, 27), ["01:30+01:00", "03:00+02:00", "03:30+02:00"]),  # 02:30 does not exist
        (date(2027, 10, 30), ["01:30+02:00", "02:30+02:00", "03:30+01:00"]),  # 02:30 comes twice
    ],
)
def test_every_scheduled_time_has_one_instance_on_a_day_that_changes_the_clock(
    store: Store, business_date: date, due: list[str]
) -> None:
    run_day = business_date + timedelta(days=1)
    at = (time(1, 30), time(2, 30), time(3, 30))
    night = Night(store, task("a", schedule=Schedule(Cycle.HOUR, at=at)), timezone="Europe/Berlin")
    night.clock.advance_to(night.moment(f"{business_date}T23:00"))
    assert caught_up(night) == [f"{business_date}"]
    moments = [parse_iso(f"{run_day}T{moment}") for moment in due]
    assert night.due_times("a") == moments
    night.run()
    assert night.start_times("a") == moments
