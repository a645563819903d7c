"""The simulated executor: one seed, one night; `simulate` steers single tasks; each fault can be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from dpconsole.core.domain.definitions import ALWAYS, Simulation
from dpconsole.core.executors.protocol import Exit, Handle, Order, Outcome, Work
from dpconsole.core.executors.scripts import FAILURES, SIGNATURE_LIMIT
from dpconsole.core.executors.simulated import DURATIONS, FAIL_RATE, SimulatedExecutor
from tests.nights import AT_ONCE, HANGS, fails

STARTED = 1_795_132_800_000  # 2026-11-20T00:00 UTC
DEADLINE = STARTED + 3_600_000
DRAWN = Simulation()
LOG = "INFO  reading\nERROR ODPS-0130131: Table not found\nINFO  cleaning up"


def order(id: int = 1, number: int = 1, simulate: Simulation = DRAWN, **more: Any) -> Order:
    work = Work("p.a", "", "shell", ("run", "--date", "${bizdate}"), (), simulate, "Asia/Shanghai")
    values: dict[str, Any] = {
        "handle": Handle(id, number),
        "token": 7,
        "identity": f"p.a//2026-11-19/{id}/",
        "business_date": "2026-11-19",
        "due_at": STARTED,
        "started_at": STARTED,
        "deadline_at": DEADLINE,
        "work": work,
    }
    return Order(**(values | more))


def ends_of(seed: int, *orders: Order, until: int = DEADLINE) -> list[Exit]:
    executor = SimulatedExecutor(seed)
    executor.submit(orders)
    return list(executor.poll(until, 1_000))


MANY = [order(id) for id in range(1, 501)]


# --- drawn fates ------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_ends() -> None:
    assert ends_of(1, *MANY) == ends_of(1, *MANY)
    assert ends_of(1, *MANY) != ends_of(2, *MANY)


def test_a_fate_depends_on_the_instance_and_its_attempt_and_not_on_the_database() -> None:
    executor = SimulatedExecutor(1)
    here, in_another_database = order(5), order(5)._replace(handle=Handle(99, 1), token=8)
    assert executor.fate(here) == executor.fate(in_another_database)
    assert executor.fate(here) != executor.fate(order(5, number=2))


def test_durations_and_failures_keep_to_their_ranges() -> None:
    ends = ends_of(1, *MANY)
    low, high = DURATIONS
    assert all(low * 1000 <= end.ended_at - STARTED <= high * 1000 for end in ends)
    failed = sum(end.outcome is Outcome.FAILED for end in ends)
    assert 0 < failed < 4 * FAIL_RATE * len(MANY)


# --- steered fates ----------------------------------------------------------------------------------------------------


def test_a_steered_task_takes_as_long_as_it_is_told_and_does_not_fail_by_itself() -> None:
    ends = ends_of(1, *(order(id, simulate=Simulation(duration=(10, 20))) for id in range(1, 201)))
    assert {end.outcome for end in ends} == {Outcome.OK}
    assert all(10_000 <= end.ended_at - STARTED <= 20_000 for end in ends)
    (at_once,) = ends_of(1, order(simulate=AT_ONCE))
    assert at_once.ended_at == STARTED


@pytest.mark.parametrize(("attempts", "failing"), [(0, []), (1, [1]), (2, [1, 2]), (ALWAYS, [1, 2, 3])])
def test_the_first_attempts_fail_as_often_as_told(attempts: int, failing: list[int]) -> None:
    executor = SimulatedExecutor(1)
    told = [order(number=number, simulate=fails(attempts)) for number in (1, 2, 3)]
    assert [some.handle.number for some in told if executor.fate(some).fails] == failing


def test_a_business_date_goes_before_every_date() -> None:
    steer = Simulation(fail=(("2026-11-19", 0), ("*", ALWAYS)))
    executor = SimulatedExecutor(1)
    assert not executor.fate(order(simulate=steer)).fails
    assert executor.fate(order(simulate=steer, business_date="2026-11-20")).fails


@pytest.mark.parametrize(("rate", "least", "most"), [(0.0, 0, 0), (0.5, 70, 130), (1.0, 200, 200)])
def test_a_fail_rate_is_kept(rate: float, least: int, most: int) -> None:
    ends = ends_of(1, *(order(id, simulate=Simulation(fail_rate=rate)) for id in range(1, 201)))
    assert least <= sum(end.outcome is Outcome.FAILED for end in ends) <= most


def test_what_hangs_never_ends_and_is_alive_until_it_is_stopped() -> None:
    executor = SimulatedExecutor(1)
    hanging = order(simulate=HANGS)
    executor.submit([hanging])
    assert (executor.next_event(), executor.poll(DEADLINE, 10)) == (None, [])
    assert hanging.handle in executor.alive()
    executor.stop([hanging.handle])
    assert hanging.handle not in executor.alive()


# --- the five verbs ---------------------------------------------------------------------------------------------------


def test_an_order_it_already_has_is_left_alone() -> None:
    assert len(ends_of(1, order(), order())) == 1


def test_ends_come_in_order_when_their_time_has_come_and_once() -> None:
    executor = SimulatedExecutor(1)
    executor.submit(order(id, simulate=Simulation(duration=(id, id))) for id in (3, 1, 2))
    assert executor.next_event() == STARTED + 1_000
    assert [end.handle.instance_id for end in executor.poll(STARTED + 2_000, 10)] == [1, 2]
    assert executor.poll(STARTED + 2_000, 10) == []
    assert executor.next_event() == STARTED + 3_000


def test_no_more_ends_than_asked_for() -> None:
    executor = SimulatedExecutor(1)
    executor.submit(order(id, simulate=AT_ONCE) for id in range(5))
    assert [len(executor.poll(STARTED, 2)) for _ in range(4)] == [2, 2, 1, 0]


def test_what_was_stopped_is_not_reported_and_stopping_the_unknown_is_ignored() -> None:
    executor = SimulatedExecutor(1)
    executor.submit([order(1, simulate=AT_ONCE), order(2, simulate=AT_ONCE)])
    executor.stop([Handle(1, 1), Handle(4711, 1)])
    assert [end.handle.instance_id for end in executor.poll(STARTED, 10)] == [2]


def test_an_adopted_attempt_ends_as_it_would_have_ended() -> None:
    executor = SimulatedExecutor(1)
    executor.adopt(MANY)
    assert list(executor.poll(DEADLINE, 1_000)) == ends_of(1, *MANY)


# --- logs -------------------------------------------------------------------------------------------------------------


def log(some: Order, until: int = DEADLINE) -> list[str]:
    return SimulatedExecutor(1).log(some, 0, 1_000_000, until).decode().splitlines()


def test_a_log_begins_with_the_command_and_ends_with_the_outcome() -> None:
    lines = log(order(simulate=Simulation(duration=(60, 60))))
    assert lines[0] == "2026-11-20T08:00:00+08:00 attempt 1 of p.a for data timestamp 2026-11-19"
    assert lines[1].endswith("$ run --date 20261119")
    assert lines[-1] == "2026-11-20T08:01:00+08:00 exit 0 after 1m00s"


def test_a_log_goes_as_far_as_time_has_gone() -> None:
    running = order(simulate=Simulation(duration=(60, 60)))
    lines = [len(log(running, STARTED + seconds * 1000)) for seconds in (0, 30, 60)]
    assert lines == sorted(set(lines))


def test_a_log_is_read_in_pieces() -> None:
    executor, some = SimulatedExecutor(1), order()
    whole = executor.log(some, 0, 1_000_000, DEADLINE)
    pieces = [executor.log(some, offset, 50, DEADLINE) for offset in range(0, len(whole) + 50, 50)]
    assert b"".join(pieces) == whole
    assert pieces[-1] == b""


def test_a_failure_says_what_its_definition_says_and_names_the_telling_line() -> None:
    failing = order(simulate=Simulation(duration=(60, 60), fail=(("*", 1),), log=LOG))
    (end,) = ends_of(1, failing)
    assert end.why == "ERROR ODPS-0130131: Table not found"
    assert log(failing)[-4:] == [*LOG.splitlines(), "2026-11-20T08:01:00+08:00 exit 1 after 1m00s"]


def test_an_attempt_that_succeeds_after_failing_does_not_say_so() -> None:
    assert not any("ODPS" in line for line in log(order(number=2, simulate=Simulation(fail=(("*", 1),), log=LOG))))


def test_a_drawn_failure_is_one_of_the_known_ones() -> None:
    signatures = {end.why for end in ends_of(1, *(order(id, simulate=fails()) for id in range(1, 201)))}
    assert len(signatures) == len(FAILURES)
    assert all(0 < len(signature) <= SIGNATURE_LIMIT for signature in signatures)


def test_a_log_that_hangs_says_so_only_at_its_timeout() -> None:
    hanging = order(simulate=HANGS)
    assert "no progress" in log(hanging)[-1]
    assert "no progress" not in log(hanging, DEADLINE - 1)[-1]
