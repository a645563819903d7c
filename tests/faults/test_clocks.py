"""Clocks that jump, nights an hour short or long, midnights that do not exist: each occurrence exists once (F7).

Generation is arithmetic over calendars; neither a jump of the wall clock nor a change of summer time may make an
instance twice or leave one out, and an engine whose clock was set back goes on with what is due.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from dpconsole.core.domain.clock import to_ms
from dpconsole.core.domain.definitions import Cycle, Dependency, Project, Schedule, Simulation, Task, Workspace
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import catch_up, generate
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.session import Store
from tests.checker import check, stuck
from tests.faults.sizes import size
from tests.weather import HOUR, MINUTE

QUICK = Simulation(duration=(30.0, 30.0), fail_rate=0.0)
TASKS = (
    Task("p.hourly", "p", "hourly", schedule=Schedule(Cycle.HOUR, interval=60), simulate=QUICK),
    Task("p.half", "p", "half", schedule=Schedule(Cycle.MINUTE, end=time(3), interval=30), simulate=QUICK),
    Task("p.early", "p", "early", schedule=Schedule(at=(time(2, 30),)), simulate=QUICK),
    Task("p.sum", "p", "sum", depends_on=(Dependency(task="p.hourly"),), simulate=QUICK),
    Task("p.monthly", "p", "monthly", schedule=Schedule(Cycle.MONTH, month_days=(29, 31)), simulate=QUICK),
)
OCCURRENCES = {"p.hourly": 24, "p.half": 7, "p.early": 1, "p.sum": 1, "p.monthly": 1}

ODD_NIGHTS = [
    ("Europe/Berlin", date(2026, 3, 29), "02:00 does not exist"),
    ("Europe/Berlin", date(2026, 10, 25), "02:00 comes twice"),
    ("America/New_York", date(2026, 3, 8), "02:00 does not exist"),
    ("America/New_York", date(2026, 11, 1), "01:00 comes twice"),
    ("America/Havana", date(2026, 3, 8), "midnight does not exist"),
    ("Asia/Beirut", date(2026, 3, 29), "midnight does not exist"),
    ("Australia/Lord_Howe", date(2026, 10, 4), "half an hour is missing"),
    ("Pacific/Apia", date(2011, 12, 30), "the whole day is missing"),
    ("Asia/Shanghai", date(2028, 2, 29), "the leap day"),
    ("UTC", date(2026, 12, 31), "the last day of the year"),
]


class Wall:
    """A clock on the wall, which anybody may set."""

    def __init__(self, moment: int) -> None:
        self.moment = moment
        self.passed = self.wrong = 0

    def now(self) -> int:
        return self.moment

    def monotonic(self) -> float:
        return self.passed / 1000

    def pass_(self, milliseconds: int) -> None:
        """Time really passes."""
        self.moment += milliseconds
        self.passed += milliseconds


def at(zone: str, day: date, hour: int) -> int:
    return to_ms(datetime.combine(day, time(hour), tzinfo=ZoneInfo(zone)))


def load(store: Store, zone: str) -> None:
    with store.write() as transaction:
        save_workspace(transaction, Workspace(timezone=zone, projects=(Project("p"),), tasks=TASKS), 0)


def occurrences(store: Store) -> Counter[tuple[str, str]]:
    """How many instances each task has of each business date."""
    with store.read() as connection:
        rows = connection.execute(text("SELECT business_date, task_key FROM instance"))
        return Counter((row.business_date, row.task_key) for row in rows)


def each_once(*days: date) -> Counter[tuple[str, str]]:
    return Counter({(day.isoformat(), task): number for day in days for task, number in OCCURRENCES.items()})


@pytest.mark.parametrize(("zone", "run_day", "_words"), ODD_NIGHTS)
def test_an_odd_night_has_every_occurrence_once_and_runs_to_its_end(
    zone: str, run_day: date, _words: str, sqlite_store: Store
) -> None:
    load(sqlite_store, zone)
    days = [run_day - timedelta(days=back) for back in (2, 1, 0)]
    wall = Wall(at(zone, days[0], 23))
    engine = Engine(sqlite_store, wall, SimulatedExecutor(1))
    for day in days * 2:
        list(generate(sqlite_store, wall, day, day))
    assert occurrences(sqlite_store) == each_once(*days)
    assert _due_in_order(sqlite_store)
    while (tick := engine.tick()).next_at is not None:
        wall.pass_(max(0, tick.next_at - wall.now()))
    assert check(sqlite_store) == []
    assert stuck(sqlite_store, wall.now()) == []
    assert _statuses(sqlite_store) == {"SUCCEEDED"}


def _due_in_order(store: Store) -> bool:
    """The occurrences of a task are due in the order of their ordinals, on every date."""
    with store.read() as connection:
        ordered = connection.execute(
            text(
                "SELECT task_id, business_date, ordinal, due_at FROM instance ORDER BY task_id, business_date, ordinal"
            )
        ).all()
    return all(one.due_at <= next_.due_at for one, next_ in pairwise(ordered) if one.task_id == next_.task_id)


def _statuses(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.execute(text("SELECT status FROM instance")).scalars())


@pytest.mark.parametrize("seed", range(size(2, 10)))
def test_a_wall_clock_that_jumps_two_hours_makes_nothing_twice_and_forgets_nothing(
    seed: int, sqlite_store: Store
) -> None:
    """A host ticks and catches up every half an hour for three days, while somebody keeps setting the clock."""
    rng = Random(seed)
    load(sqlite_store, "Europe/Berlin")
    first = date(2026, 3, 27)
    wall = Wall(at("Europe/Berlin", first + timedelta(days=1), 1))
    engine = Engine(sqlite_store, wall, SimulatedExecutor(seed))
    while wall.passed < 72 * HOUR:
        list(catch_up(sqlite_store, wall))
        engine.tick()
        assert occurrences(sqlite_store) == each_once(*_made(sqlite_store, first))
        wall.pass_(30 * MINUTE)
        wrong, wall.wrong = wall.wrong, rng.choice((wall.wrong, -2, 0, 2))
        wall.moment += (wall.wrong - wrong) * HOUR
    assert check(sqlite_store) == []
    assert len(_made(sqlite_store, first)) >= 3


def _made(store: Store, first: date) -> list[date]:
    """The business dates there are, which must be consecutive ones from the first."""
    made = sorted({day for day, _ in occurrences(store)})
    days = [first + timedelta(days=number) for number in range(len(made))]
    assert made == [day.isoformat() for day in days]
    return days


def test_missed_nights_are_caught_up_in_order(sqlite_store: Store) -> None:
    load(sqlite_store, "Asia/Shanghai")
    wall = Wall(at("Asia/Shanghai", date(2026, 11, 20), 1))
    assert [made.business_date.day for made in catch_up(sqlite_store, wall)] == [19]
    wall.pass_(5 * 24 * HOUR)
    assert [made.business_date.day for made in catch_up(sqlite_store, wall)] == [20, 21, 22, 23, 24]
    wall.moment -= 3 * 24 * HOUR
    assert list(catch_up(sqlite_store, wall)) == []
    assert check(sqlite_store) == []
