"""What an executor says twice, too late, in disorder or falsely changes nothing; the first valid word counts (F9)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import text

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.definitions import Project, RunConfig, Task, Workspace
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import generate
from dpconsole.core.executors.protocol import Exit, Handle, Order, Outcome
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.session import Store
from tests.checker import check
from tests.simulation import START
from tests.weather import MINUTE

NIGHT = date(2026, 3, 25)


class Desk:
    """An executor whose reports the test writes."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.reports: list[Exit] = []

    def submit(self, orders: Iterable[Order]) -> None:
        self.orders |= {order.handle.number: order for order in orders}

    adopt = submit

    def stop(self, handles: Iterable[Handle]) -> None:
        pass

    def alive(self) -> Collection[Handle]:
        return {order.handle for order in self.orders.values()}

    def next_event(self) -> int | None:
        return None

    def poll(self, now: int, limit: int) -> Sequence[Exit]:
        reports, self.reports = self.reports, []
        return reports

    def log(self, order: Order, offset: int, limit: int, until: int) -> bytes:
        return b""

    def ends(self, number: int, outcome: Outcome, at: int) -> Exit:
        """The report of an attempt."""
        order = self.orders[number]
        return Exit(order.handle, order.token, outcome, at, 1 if outcome is Outcome.FAILED else 0)


class Room:
    """One script with retries, an engine, and the desk its reports come from."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock, self.desk = store, VirtualClock(START), Desk()
        script = Task("p.load", "p", "load", run=RunConfig(reruns=5, rerun_interval=60.0))
        with store.write() as transaction:
            save_workspace(transaction, Workspace(projects=(Project("p"),), tasks=(script,)), START)
        list(generate(store, self.clock, NIGHT, NIGHT))
        self.engine = Engine(store, self.clock, self.desk)
        self.at(START + 60 * MINUTE)

    def at(self, moment: int, *reports: Exit) -> None:
        """One tick at a moment, with these reports waiting."""
        self.clock.advance_to(moment)
        self.desk.reports.extend(reports)
        self.engine.tick()

    def states(self) -> list[str]:
        """How the attempts stand."""
        return self.column("SELECT state FROM attempt ORDER BY number")

    def status(self) -> str:
        """The instance's."""
        return str(self.column("SELECT status FROM instance")[0])

    def column(self, sql: str) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(text(sql)).scalars())


@pytest.fixture
def room(store: Store) -> Room:
    return Room(store)


def test_a_second_word_about_an_attempt_changes_nothing(room: Room) -> None:
    ok = room.desk.ends(1, Outcome.OK, room.clock.now())
    room.at(room.clock.now() + MINUTE, ok, ok)
    room.at(room.clock.now() + MINUTE, ok, ok._replace(outcome=Outcome.FAILED))
    assert (room.status(), room.states()) == ("SUCCEEDED", ["ok"])
    assert check(room.store) == []


@pytest.mark.parametrize("lie", [Outcome.OK, Outcome.FAILED, Outcome.STOPPED, Outcome.LOST, Outcome.TIMEOUT])
def test_a_report_with_a_strange_token_changes_nothing(room: Room, lie: Outcome) -> None:
    true = room.desk.ends(1, Outcome.OK, room.clock.now())
    room.at(room.clock.now() + MINUTE, true._replace(token=true.token + 1, outcome=lie))
    assert (room.status(), room.states()) == ("RUNNING", ["running"])
    assert check(room.store) == []


@pytest.mark.parametrize("order", permutations(range(3)))
def test_an_old_report_that_comes_with_the_new_one_does_not_stand_for_it(room: Room, order: Sequence[int]) -> None:
    """Two attempts end alike; the interval before the third runs from the end of the second."""
    first = room.desk.ends(1, Outcome.FAILED, room.clock.now())
    room.at(room.clock.now() + MINUTE, first)
    room.at(room.clock.now() + 2 * MINUTE)
    second = room.desk.ends(2, Outcome.FAILED, room.clock.now() + MINUTE)
    forged = second._replace(token=1, ended_at=7)
    reports = [first, second, forged]
    room.at(second.ended_at + 1, *(reports[index] for index in order))
    assert room.states() == ["failed", "failed"]
    assert check(room.store) == []


def test_a_true_success_beside_a_false_one_keeps_its_own_end(room: Room) -> None:
    true = room.desk.ends(1, Outcome.OK, room.clock.now() + MINUTE)
    room.at(room.clock.now() + 2 * MINUTE, true._replace(token=1, ended_at=7), true, true._replace(token=1, ended_at=8))
    with room.store.read() as connection:
        ended = connection.execute(text("SELECT ended_at FROM instance")).scalar_one()
    assert ended == true.ended_at


@pytest.mark.parametrize("code", [None, 1, -9])
def test_reports_with_and_without_an_exit_code_come_together(room: Room, code: int | None) -> None:
    failed = room.desk.ends(1, Outcome.FAILED, room.clock.now())
    room.at(room.clock.now(), failed._replace(exit_code=code), failed._replace(exit_code=2, token=1))
    assert room.states() == ["failed"]


@pytest.mark.parametrize("why", ["\x00", "\x1b]52;c;AAAA\x07", "\ud800", "[/]", "x" * 100_000], ids=ascii)
def test_words_from_outside_never_stop_the_engine(room: Room, why: str) -> None:
    room.at(room.clock.now(), room.desk.ends(1, Outcome.FAILED, room.clock.now())._replace(why=why))
    assert room.states() == ["failed"]
    assert check(room.store) == []


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (Outcome.FAILED, "finished"),
        (Outcome.STOPPED, "finished"),
        (Outcome.LOST, "lost"),
        (Outcome.TIMEOUT, "timed_out"),
    ],
)
def test_an_executor_may_find_out_itself_that_an_attempt_timed_out_or_was_lost(
    room: Room, outcome: Outcome, cause: str
) -> None:
    """A timeout is rerun only where the configuration says so, whoever noticed it (section 12)."""
    deadline = room.desk.orders[1].deadline_at
    room.at(deadline, room.desk.ends(1, outcome, deadline))
    assert room.column("SELECT cause FROM transition ORDER BY id DESC LIMIT 1") == [cause]
    assert (room.column("SELECT retry_at FROM instance") == [None]) is (outcome is Outcome.TIMEOUT)
    assert check(room.store) == []
