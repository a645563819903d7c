"""Section 10: which upstream instances an instance waits for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.domain.calendars import SUB_DAY, cycle_of, occurrences
from dpconsole.core.domain.definitions import Cycle, Dependency, DependencyCycle, Policy, Schedule, UpstreamKind
from dpconsole.core.domain.dependencies import Point, Rule, Selection, business_dates, defaults, resolve, select

CURRENT, PREVIOUS, LAST_N_DAYS, LAST_24H = DependencyCycle
ALL, FIRST, LAST, NEAREST, BEFORE = Policy
MINUTE, HOUR, DAY, WEEK, MONTH, YEAR = Cycle
PRECEDING = None

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")

D = date(2026, 11, 19)
BACK = [D - timedelta(days=n) for n in range(8)]
HOURLY = Schedule(HOUR)
EVERY_4_HOURS = Schedule(HOUR, interval=240)
DAILY = Schedule(DAY, at=(time(1),))

Named = Point[str]


def named(schedule: Schedule, business_date: date, zone: ZoneInfo = SHANGHAI) -> list[Named]:
    """A task's instances of one business date, each under a name such as `-1 02:00` (days back, time of day)."""
    back = (business_date - D).days
    return [
        Point(business_date, o.due, f"{back} {o.due.astimezone(zone):%H:%M}")
        for o in occurrences(schedule, business_date, zone)
    ]


def chosen(
    rule: Rule, at: str, upstream: Schedule, zone: ZoneInfo = SHANGHAI, dates: list[date] | None = None
) -> list[str]:
    """What a downstream instance due at `at` on the run day of D selects."""
    (point,) = named(Schedule(DAY, at=(time.fromisoformat(at),)), D, zone)
    candidates = [c for d in sorted(dates or [*BACK, D + timedelta(days=1)]) for c in named(upstream, d, zone)]
    return [c.key for c in select(*rule, point, candidates, zone).chosen]


# -- 10.2: four cycles by five policies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cycle", "days", "policy", "expected"),
    [
        (CURRENT, 1, ALL, ["0 00:00", "0 04:00", "0 08:00", "0 12:00", "0 16:00", "0 20:00"]),
        (CURRENT, 1, FIRST, ["0 00:00"]),
        (CURRENT, 1, LAST, ["0 20:00"]),
        (CURRENT, 1, NEAREST, ["0 08:00"]),
        (CURRENT, 1, BEFORE, ["0 04:00"]),
        (PREVIOUS, 1, ALL, ["-1 00:00", "-1 04:00", "-1 08:00", "-1 12:00", "-1 16:00", "-1 20:00"]),
        (PREVIOUS, 1, FIRST, ["-1 00:00"]),
        (PREVIOUS, 1, LAST, ["-1 20:00"]),
        (PREVIOUS, 1, NEAREST, ["-1 08:00"]),
        (PREVIOUS, 1, BEFORE, ["-1 04:00"]),
        (LAST_N_DAYS, 2, ALL, [f"{d} {h:02}:00" for d in (-2, -1) for h in range(0, 24, 4)]),
        (LAST_N_DAYS, 2, FIRST, ["-2 00:00"]),
        (LAST_N_DAYS, 2, LAST, ["-1 20:00"]),
        (LAST_N_DAYS, 2, NEAREST, ["-2 08:00"]),
        (LAST_N_DAYS, 2, BEFORE, ["-1 04:00"]),
        (LAST_24H, 1, ALL, ["-1 08:00", "-1 12:00", "-1 16:00", "-1 20:00", "0 00:00", "0 04:00"]),
        (LAST_24H, 1, FIRST, ["-1 08:00"]),
        (LAST_24H, 1, LAST, ["0 04:00"]),
        (LAST_24H, 1, NEAREST, ["-1 08:00"]),
        (LAST_24H, 1, BEFORE, ["0 04:00"]),
    ],
)
def test_an_instance_due_at_0630_on_an_upstream_every_four_hours(
    cycle: DependencyCycle, days: int, policy: Policy, expected: list[str]
) -> None:
    assert chosen(Rule(cycle, policy, days), "06:30", EVERY_4_HOURS) == expected


@pytest.mark.parametrize(
    ("policy", "at", "expected"),
    [
        (NEAREST, "05:00", ["0 05:00"]),
        (NEAREST, "05:01", ["0 06:00"]),
        (NEAREST, "23:30", ["0 23:00"]),  # none after: the latest
        (BEFORE, "05:00", ["0 05:00"]),
        (BEFORE, "05:01", ["0 05:00"]),
    ],
)
def test_the_point_itself_counts_and_where_none_is_left_the_latest_does(
    policy: Policy, at: str, expected: list[str]
) -> None:
    assert chosen(Rule(CURRENT, policy), at, HOURLY) == expected


@pytest.mark.parametrize("cycle", [CURRENT, PREVIOUS])
def test_last_before_falls_back_to_the_latest_when_all_come_later(cycle: DependencyCycle) -> None:
    afternoons = Schedule(HOUR, at=(time(13), time(15)))
    day = 0 if cycle is CURRENT else -1
    assert chosen(Rule(cycle, BEFORE), "06:30", afternoons) == [f"{day} 15:00"]


@pytest.mark.parametrize("days", [1, 2, 7])
def test_last_n_days_ends_before_the_own_business_date(days: int) -> None:
    assert chosen(Rule(LAST_N_DAYS, ALL, days), "06:30", DAILY) == [f"{-n} 01:00" for n in range(days, 0, -1)]


def test_last_24_hours_holds_the_beginning_and_not_the_end() -> None:
    expected = [f"-1 {h:02}:00" for h in range(6, 24)] + [f"0 {h:02}:00" for h in range(6)]
    assert chosen(Rule(LAST_24H, ALL), "06:00", HOURLY) == expected


def test_last_24_hours_of_the_clock_on_the_wall_survive_a_day_of_25_hours() -> None:
    after_the_change = date(2026, 10, 25)
    (point,) = named(DAILY, after_the_change, BERLIN)
    candidates = [c for d in (date(2026, 10, 23), date(2026, 10, 24)) for c in named(DAILY, d, BERLIN)]
    assert select(LAST_24H, ALL, 1, point, candidates, BERLIN).chosen == (candidates[1],)


@pytest.mark.parametrize("cycle", DependencyCycle)
@pytest.mark.parametrize("policy", [*Policy, PRECEDING])
def test_without_any_upstream_instance_the_edge_is_vacuous(cycle: DependencyCycle, policy: Policy | None) -> None:
    (point,) = named(DAILY, D)
    selection: Selection[str] = select(cycle, policy, 3, point, [], SHANGHAI)
    assert (selection.chosen, selection.vacuous) == ((), True)


def test_an_edge_with_an_upstream_is_not_vacuous() -> None:
    (point,) = named(DAILY, D)
    assert not select(CURRENT, ALL, 1, point, [point], SHANGHAI).vacuous


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(CURRENT, ALL), BACK[0:1]),
        (Rule(PREVIOUS, ALL), BACK[1:2]),
        (Rule(PREVIOUS, PRECEDING), BACK[0:2]),
        (Rule(LAST_N_DAYS, ALL, 1), BACK[1:2]),
        (Rule(LAST_N_DAYS, ALL, 3), BACK[1:4]),
        (Rule(LAST_24H, ALL), BACK[0:3]),
    ],
)
def test_the_business_dates_to_look_at(rule: Rule, expected: list[date]) -> None:
    assert business_dates(*rule, D) == tuple(sorted(expected))


@pytest.mark.parametrize("policy", [*Policy, PRECEDING])
@given(
    cycle=st.sampled_from(DependencyCycle),
    days=st.integers(1, 4),
    at=st.times(),
    interval=st.integers(1, 24).map(lambda hours: hours * 60),
    zone=st.sampled_from([SHANGHAI, BERLIN]),
)
def test_the_dates_to_look_at_hold_all_that_more_dates_would_give(
    cycle: DependencyCycle, policy: Policy | None, days: int, at: time, interval: int, zone: ZoneInfo
) -> None:
    rule, upstream = Rule(cycle, policy, days), Schedule(HOUR, interval=interval)
    at_minute = f"{at:%H:%M}"
    few = chosen(rule, at_minute, upstream, zone, [*business_dates(*rule, D)])
    assert few == chosen(rule, at_minute, upstream, zone)


def seconds_of_day(point: Named) -> float:
    return (point.due - datetime.combine(point.business_date, time(), tzinfo=UTC)).total_seconds() % 86400


def by_the_book(rule: Rule, point: Named, candidates: list[Named]) -> list[Named]:
    """Section 10.2 word by word, one candidate after the other; UTC has no odd days."""
    back = {c: (point.business_date - c.business_date).days for c in candidates}
    window = {
        CURRENT: lambda c: back[c] == 0,
        PREVIOUS: lambda c: back[c] == 1,
        LAST_N_DAYS: lambda c: 1 <= back[c] <= rule.days,
        LAST_24H: lambda c: point.due - timedelta(hours=24) <= c.due < point.due,
    }[rule.cycle]
    considered = [c for c in candidates if window(c)]
    after = [c for c in considered if seconds_of_day(c) >= seconds_of_day(point)]
    before = [c for c in considered if seconds_of_day(c) <= seconds_of_day(point)]
    return {
        ALL: considered,
        FIRST: considered[:1],
        LAST: considered[-1:],
        NEAREST: after[:1] or considered[-1:],
        BEFORE: before[-1:] or considered[-1:],
    }[rule.policy or ALL]


@given(
    cycle=st.sampled_from(DependencyCycle),
    policy=st.sampled_from(Policy),
    days=st.integers(1, 4),
    at=st.integers(0, 23),
    hours=st.sets(st.integers(0, 23)),
)
def test_selection_is_what_the_book_says(
    cycle: DependencyCycle, policy: Policy, days: int, at: int, hours: set[int]
) -> None:
    utc = ZoneInfo("UTC")
    (point,) = named(Schedule(DAY, at=(time(at),)), D, utc)
    upstream = Schedule(HOUR, at=tuple(time(h) for h in hours))
    candidates = [c for d in reversed(BACK) for c in named(upstream, d, utc)] if hours else []
    rule = Rule(cycle, policy, days)
    assert list(select(*rule, point, candidates, utc).chosen) == by_the_book(rule, point, candidates)


# -- 10.3: what a dependency leaves open ------------------------------------------------------------------------------


def pairs(downstream: set[Cycle], upstream: set[Cycle]) -> list[tuple[Cycle, Cycle]]:
    return [(d, u) for d in sorted(downstream) for u in sorted(upstream)]


SUB = set(SUB_DAY)
DAYS = {DAY, WEEK, MONTH, YEAR}


@pytest.mark.parametrize(
    ("cycles", "self_dependent", "same_cycle", "cross_cycle"),
    [
        (pairs(SUB, SUB), False, NEAREST, PRECEDING),
        (pairs(SUB, SUB), True, NEAREST, PRECEDING),
        (pairs(DAYS, SUB), True, NEAREST, LAST),
        (pairs(DAYS, SUB), False, ALL, ALL),
        (pairs(SUB, DAYS), False, ALL, ALL),
        (pairs(SUB, DAYS), True, ALL, ALL),
        (pairs(DAYS, DAYS), False, ALL, ALL),
        (pairs(DAYS, DAYS), True, ALL, ALL),
    ],
    ids=lambda value: None if isinstance(value, list) else str(value),
)
def test_the_default_policy_of_each_pair_of_cycles(
    cycles: list[tuple[Cycle, Cycle]], self_dependent: bool, same_cycle: Policy, cross_cycle: Policy | None
) -> None:
    for downstream, upstream in cycles:
        assert defaults(downstream, upstream, self_dependent, None) == (CURRENT, same_cycle)
        assert defaults(downstream, upstream, self_dependent, CURRENT) == (CURRENT, same_cycle)
        assert defaults(downstream, upstream, self_dependent, PREVIOUS) == (PREVIOUS, cross_cycle)
        assert defaults(downstream, upstream, self_dependent, LAST_N_DAYS) == (LAST_N_DAYS, ALL)
        assert defaults(downstream, upstream, self_dependent, LAST_24H) == (LAST_24H, ALL)


def by_default(
    at: str, downstream: Cycle, upstream: Schedule, cycle: DependencyCycle, self_dependent: bool = False
) -> list[str]:
    return chosen(Rule(*defaults(downstream, cycle_of(upstream), self_dependent, cycle)), at, upstream)


@pytest.mark.parametrize(
    ("at", "upstream", "same_cycle", "cross_cycle"),
    [
        ("00:05", HOURLY, "0 01:00", "0 00:00"),
        ("00:15", EVERY_4_HOURS, "0 04:00", "0 00:00"),
        ("01:15", EVERY_4_HOURS, "0 04:00", "0 00:00"),
        ("02:15", EVERY_4_HOURS, "0 04:00", "0 00:00"),
        ("03:15", EVERY_4_HOURS, "0 04:00", "0 00:00"),
        ("02:00", HOURLY, "0 02:00", "0 01:00"),
        ("00:00", HOURLY, "0 00:00", "-1 23:00"),
        ("23:30", HOURLY, "0 23:00", "0 23:00"),
    ],
)
def test_hour_on_hour_waits_for_the_nearest_or_for_the_one_before_it(
    at: str, upstream: Schedule, same_cycle: str, cross_cycle: str
) -> None:
    assert by_default(at, HOUR, upstream, CURRENT) == [same_cycle]
    assert by_default(at, HOUR, upstream, PREVIOUS) == [cross_cycle]


@pytest.mark.parametrize(("at", "same_cycle"), [("05:00", "0 05:00"), ("05:01", "0 06:00")])
def test_day_on_a_self_dependent_hour_waits_for_one_of_them(at: str, same_cycle: str) -> None:
    assert by_default(at, DAY, HOURLY, CURRENT, self_dependent=True) == [same_cycle]
    assert by_default(at, DAY, HOURLY, PREVIOUS, self_dependent=True) == ["-1 23:00"]


@pytest.mark.parametrize(("cycle", "back"), [(CURRENT, 0), (PREVIOUS, -1)])
def test_day_on_any_other_hour_waits_for_all_of_them(cycle: DependencyCycle, back: int) -> None:
    assert by_default("05:00", DAY, HOURLY, cycle) == [f"{back} {hour:02}:00" for hour in range(24)]


@pytest.mark.parametrize(("cycle", "back"), [(CURRENT, 0), (PREVIOUS, -1)])
@pytest.mark.parametrize("at", ["00:00", "23:00"])
def test_hour_on_day_waits_for_the_days_instance(at: str, cycle: DependencyCycle, back: int) -> None:
    assert by_default(at, HOUR, DAILY, cycle) == [f"{back} 01:00"]


@pytest.mark.parametrize(("cycle", "back"), [(CURRENT, 0), (PREVIOUS, -1)])
def test_day_on_week_waits_for_that_days_instance_though_it_is_a_placeholder(cycle: DependencyCycle, back: int) -> None:
    never_that_day = Schedule(WEEK, at=(time(3),), weekdays=(7,))
    assert by_default("02:00", DAY, never_that_day, cycle) == [f"{back} 03:00"]


# -- 10.1, 10.4: resolving; waiting for oneself ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dependency", "rule"),
    [
        (Dependency(task="a.b"), Rule(CURRENT, NEAREST)),
        (Dependency(task="a.b", policy=FIRST), Rule(CURRENT, FIRST)),
        (Dependency(task="a.b", cycle=PREVIOUS), Rule(PREVIOUS, PRECEDING)),
        (Dependency(task="a.b", cycle=PREVIOUS, policy=NEAREST), Rule(PREVIOUS, NEAREST)),
        (Dependency(task="a.b", cycle=LAST_N_DAYS, days=7), Rule(LAST_N_DAYS, ALL, 7)),
        (Dependency(kind=UpstreamKind.SELF), Rule(PREVIOUS, PRECEDING)),
        (Dependency(kind=UpstreamKind.SELF, cycle=PREVIOUS, policy=ALL), Rule(PREVIOUS, ALL)),
        (Dependency(kind=UpstreamKind.SELF, cycle=LAST_N_DAYS, days=3), Rule(LAST_N_DAYS, ALL, 3)),
        (Dependency(kind=UpstreamKind.SELF, cycle=LAST_24H), Rule(LAST_24H, ALL)),
    ],
)
def test_what_is_said_stands_and_the_rest_follows_from_the_pair_of_cycles(dependency: Dependency, rule: Rule) -> None:
    assert resolve(dependency, HOUR, HOUR, upstream_self_dependent=False) == rule


@pytest.mark.parametrize("cycle", Cycle)
def test_a_task_cannot_wait_for_itself_in_the_current_cycle(cycle: Cycle) -> None:
    with pytest.raises(ValueError, match="cannot wait for itself in the current cycle"):
        resolve(Dependency(kind=UpstreamKind.SELF, cycle=CURRENT), cycle, cycle, upstream_self_dependent=True)


ON_ITSELF = Dependency(kind=UpstreamKind.SELF)


def chain(schedule: Schedule, dates: list[date], zone: ZoneInfo) -> list[tuple[Named, tuple[Named, ...]]]:
    """Every instance of a self-dependent task beside what it waits for."""
    cycle = cycle_of(schedule)
    rule = resolve(ON_ITSELF, cycle, cycle, upstream_self_dependent=True)
    points = [Point(d, o.due, f"{d} #{o.ordinal}") for d in dates for o in occurrences(schedule, d, zone)]
    return [(point, select(*rule, point, points, zone).chosen) for point in points]


@pytest.mark.parametrize(
    "schedule",
    [HOURLY, Schedule(MINUTE, interval=30), DAILY, Schedule(WEEK, weekdays=(1,)), Schedule(MONTH, month_days=(1,))],
    ids=lambda schedule: schedule.cycle.value,
)
@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        (SHANGHAI, date(2026, 11, 19)),
        (BERLIN, date(2026, 3, 29)),
        (BERLIN, date(2026, 10, 25)),
        (ZoneInfo("America/Havana"), date(2026, 3, 8)),
        (ZoneInfo("Pacific/Apia"), date(2011, 12, 30)),
    ],
    ids=str,
)
def test_a_self_dependent_task_waits_for_its_previous_occurrence_one_after_the_other(
    schedule: Schedule, zone: ZoneInfo, changes: date
) -> None:
    dates = [changes + timedelta(days=n) for n in range(-3, 3)]
    links = chain(schedule, dates, zone)
    assert links[0][1] == ()
    assert [waits_for for _, waits_for in links[1:]] == [(point,) for point, _ in links[:-1]]
