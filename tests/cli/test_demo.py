"""The demo's night: populated, lively, and the same for the same seed."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from dpconsole.cli.demo_night import RUN_DAY, SITS_DOWN, prepare
from dpconsole.core.domain.clock import PacedClock, VirtualClock, to_datetime
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.models import Transition
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.waits import count_statuses, last_step_at
from tests.checker import check


def play(place: Path, seed: int) -> list[tuple[object, ...]]:
    """The journal of a night."""
    prepare(place, seed, "lin")
    store = open_store(place)
    with store.read() as connection:
        journal = [tuple(row) for row in connection.execute(select(Transition.__table__).order_by(Transition.id))]
    store.close()
    return journal


def test_the_night_is_populated_and_sound(tmp_path: Path) -> None:
    prepare(tmp_path / "demo.db", 1, "lin")
    store = open_store(tmp_path / "demo.db")
    with store.read() as connection:
        counts, last = count_statuses(connection), last_step_at(connection)
    for status in (Status.NOT_RUNNING, Status.WAITING_TIME, Status.RUNNING, Status.SUCCEEDED, Status.FAILED):
        assert counts[status] > 0
    assert last is not None
    moment = to_datetime(last, ZoneInfo("Asia/Shanghai"))
    assert moment.date() == RUN_DAY and moment.time() <= SITS_DOWN
    assert check(store) == []
    store.close()


def test_the_same_seed_plays_the_same_night(tmp_path: Path) -> None:
    first, again, other = (play(tmp_path / f"{name}.db", seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert first == again != other


def test_a_paced_clock_goes_faster_than_the_wall() -> None:
    wall = VirtualClock(1_000_000)
    clock = PacedClock(wall, 5_000, 60.0)
    assert clock.now() == 5_000
    wall.advance_to(1_002_500)
    assert (clock.now(), clock.monotonic()) == (5_000 + 150_000, 150.0)
