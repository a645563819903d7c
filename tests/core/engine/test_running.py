"""What a tick promises (RULES.md 2.3; invariants I3, I4).

Downstreams start in the tick their upstreams succeed in, one seed is one night, a report counts once, and neither a
restart nor a refused write loses anything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dpconsole.core.domain.definitions import Method, Policy, RunConfig, Simulation, Task, ThrottlingRule
from dpconsole.core.domain.statuses import Status
from dpconsole.core.executors.protocol import Handle, Order, Outcome
from dpconsole.core.store.errors import StoreError
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.checker import check
from tests.nights import AT_ONCE, HANGS, ByHand, Night, every, fails, node, on, on_itself, table, task
from tests.simulation import refuse_statement

NOT_RUNNING, WAITING_TIME, THROTTLED, WAITING_RESOURCE, RUNNING, SUCCEEDED, FAILED = Status


def lively() -> list[Task]:
    """Tasks that draw their durations and failures, retry, queue, and share fields."""
    drawn = {"simulate": Simulation(duration=(30, 900), fail_rate=0.3), "run": RunConfig(reruns=2)}
    return [
        task("source", **drawn),
        task("hours", "source", schedule=every(6), **drawn),
        *(task(f"t{n}", "source", on("hours", policy=Policy.FIRST), tags=("heavy",), **drawn) for n in range(6)),
        table("wide", node("one", "f", after=(on("t0"),)), node("two", "f", "g", after=("one",)), **drawn),
        task("end", on("wide", fields=("f",)), "t1", on_itself(), at="03:00", **drawn),
        task("dry", "end", method=Method.DRY_RUN),
    ]


LIMITS: dict[str, Any] = {"slots": 3, "throttling": (ThrottlingRule("two heavy", 2, tag="heavy"),)}


# --- one tick ---------------------------------------------------------------------------------------------------------


def test_what_succeeds_releases_its_downstreams_in_the_same_tick(store: Store) -> None:
    night = Night(store, task("a"), task("b", "a"), task("c", "a"))
    night.generate()
    night.tick("00:00")
    night.tick("00:01")
    assert night.statuses() == {"a": SUCCEEDED, "b": RUNNING, "c": RUNNING}
    ended = night.journal("a")[-1]
    started = night.journal("b")[-1]
    assert (started.at, started.rev) == (ended.at, ended.rev)


def test_a_whole_chain_without_duration_takes_one_tick(store: Store) -> None:
    chain = [task("t0", simulate=AT_ONCE), *(task(f"t{n}", f"t{n - 1}", simulate=AT_ONCE) for n in range(1, 8))]
    night = Night(store, *chain)
    night.generate()
    night.tick("00:00")
    assert set(night.statuses().values()) == {SUCCEEDED}


def test_a_chain_of_dry_runs_takes_one_transaction(store: Store) -> None:
    dry = {"method": Method.DRY_RUN}
    night = Night(store, task("t0", **dry), *(task(f"t{n}", f"t{n - 1}", **dry) for n in range(1, 8)))
    night.generate()
    assert night.tick("00:00").passes == 1
    assert set(night.statuses().values()) == {SUCCEEDED}


def test_a_tick_with_nothing_to_do_writes_nothing(store: Store) -> None:
    night = Night(store, task("a", at="02:00"))
    night.generate()
    night.tick()
    before = store.rev()
    assert night.tick("01:00").moved == 0
    assert store.rev() == before


def test_a_tick_names_the_moment_at_which_time_alone_moves_something(sqlite_store: Store) -> None:
    hanging = task("hangs", at="03:00", simulate=HANGS, run=RunConfig(timeout=3600, reruns=0))
    failing = task("fails", at="01:00", simulate=fails(1), run=RunConfig(reruns=1, rerun_interval=600))
    night = Night(sqlite_store, hanging, failing)
    night.generate()
    awaited = []
    while (upcoming := night.tick().next_at) is not None:
        awaited.append(night.clock_of(upcoming))
        night.clock.advance_to(upcoming)
    assert awaited == ["01:00", "01:01", "01:11", "01:12", "03:00", "04:00"]


def test_more_rows_than_a_slice_take_more_passes_of_one_tick(store: Store) -> None:
    night = Night(store, *(task(f"t{n}", simulate=AT_ONCE) for n in range(20)))
    night.restart(slice_=6)
    night.generate()
    breaths: list[None] = []
    night.clock.advance_to(night.moment("00:00"))
    tick = night.engine.tick(lambda: breaths.append(None))
    assert set(night.statuses().values()) == {SUCCEEDED}
    assert tick.passes == len(breaths) + 1 > 3


# --- one night a seed -------------------------------------------------------------------------------------------------


def play(store: Store, seed: int = 5, slice_: int = 512) -> Night:
    night = Night(store, *lively(), **LIMITS, seed=seed)
    night.restart(slice_=slice_)
    night.generate()
    night.run()
    return night


@pytest.fixture
def other_store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "other.db")
    yield opened
    assert check(opened) == []
    opened.close()


def test_the_same_seed_gives_the_same_journal_on_every_database(store: Store, other_store: Store) -> None:
    assert play(store).whole_journal() == play(other_store).whole_journal()


def test_another_seed_gives_another_night(sqlite_store: Store, other_store: Store) -> None:
    assert play(sqlite_store, seed=5).whole_journal() != play(other_store, seed=6).whole_journal()


@pytest.mark.parametrize("slice_", [1, 3])
def test_the_slice_decides_nothing_but_the_pace(sqlite_store: Store, other_store: Store, slice_: int) -> None:
    assert play(sqlite_store, slice_=slice_).ends() == play(other_store).ends()


# --- adoption ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interrupted_at", ["00:00", "00:03", "01:10", "03:00"])
def test_a_restart_ends_as_it_would_have_ended(sqlite_store: Store, other_store: Store, interrupted_at: str) -> None:
    night = Night(sqlite_store, *lively(), **LIMITS, seed=5)
    night.generate()
    night.run(until=interrupted_at)
    night.restart()
    night.run()
    undisturbed = play(other_store)
    assert night.whole_journal(without="rev") == undisturbed.whole_journal(without="rev")


def test_what_the_executor_was_never_told_is_adopted_after_the_restart(store: Store) -> None:
    """The engine dies between its commit and the submission: the attempt row is the outbox."""
    night = Night(store, task("a"), executor=Deaf())
    night.generate()
    with pytest.raises(Died):
        night.tick("00:00")
    assert night.status("a") == RUNNING
    adopting = ByHand()
    night.restart(adopting)
    night.tick()
    (order,) = adopting.orders
    assert order.handle == Handle(night.id("a"), 1)
    adopting.report(order, night.clock.now())
    night.tick()
    assert night.status("a") == SUCCEEDED
    assert len(night.attempts("a")) == 1


class Died(Exception):
    """The process ends here."""


class Deaf(ByHand):
    """Dies when it is told to start something."""

    def submit(self, orders: Iterable[Order]) -> None:
        if list(orders):
            raise Died


def test_an_attempt_nobody_vouches_for_is_lost_when_its_lease_is_over(store: Store) -> None:
    by_hand = ByHand()
    night = Night(store, task("a", run=RunConfig(reruns=1, rerun_interval=60)), executor=by_hand)
    night.generate()
    night.tick("00:00")
    by_hand.forget()
    night.tick("00:01")
    (attempt,) = night.attempts("a")
    assert (night.status("a"), night.causes("a")[-1], attempt.state) == (FAILED, "lost", "lost")
    night.tick("00:02")
    assert [attempt.state for attempt in night.attempts("a")] == ["lost", "running"]


def test_an_attempt_under_way_keeps_its_lease(store: Store) -> None:
    night = Night(store, task("a"), executor=ByHand())
    night.generate()
    night.tick("00:00")
    for minute in range(1, 10):
        night.tick(f"00:0{minute}")
    (attempt,) = night.attempts("a")
    assert (night.status("a"), night.clock_of(attempt.lease_until)) == (RUNNING, "00:10")


def test_an_attempt_over_its_timeout_is_stopped(sqlite_store: Store) -> None:
    by_hand = ByHand()
    night = Night(sqlite_store, task("a", run=RunConfig(reruns=0, timeout=600)), executor=by_hand)
    night.generate()
    night.tick("00:00")
    night.tick("00:10")
    assert (night.status("a"), by_hand.stopped) == (FAILED, [Handle(night.id("a"), 1)])


def test_an_end_that_came_before_the_timeout_counts_although_the_engine_heard_of_it_late(sqlite_store: Store) -> None:
    by_hand = ByHand()
    night = Night(sqlite_store, task("a", run=RunConfig(reruns=0, timeout=600)), executor=by_hand)
    night.generate()
    night.tick("00:00")
    by_hand.report(by_hand.orders[0], night.moment("00:09"))
    night.tick("00:30")
    assert (night.status("a"), night.clock_of(night.row("a").ended_at)) == (SUCCEEDED, "00:09")


# --- reports that do not count ----------------------------------------------------------------------------------------

FORGED: dict[str, Callable[[Order], dict[str, Any]]] = {
    "another token": lambda order: {"token": order.token + 1},
    "an attempt to come": lambda order: {"handle": Handle(order.handle.instance_id, 2)},
    "no such instance": lambda order: {"handle": Handle(4711, 1)},
}


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.FAILED, Outcome.LOST])
@pytest.mark.parametrize("lie", FORGED)
def test_a_forged_report_changes_nothing(sqlite_store: Store, lie: str, outcome: Outcome) -> None:
    by_hand = ByHand()
    night = Night(sqlite_store, task("a"), task("b", "a"), executor=by_hand)
    night.generate()
    night.tick("00:00")
    before = sqlite_store.rev()
    (order,) = by_hand.orders
    by_hand.report(order, night.clock.now(), outcome, **FORGED[lie](order))
    night.tick()
    assert (night.status("a"), sqlite_store.rev()) == (RUNNING, before)


@pytest.mark.parametrize("second", [Outcome.OK, Outcome.FAILED])
@pytest.mark.parametrize("first", [Outcome.OK, Outcome.FAILED])
def test_a_second_report_changes_nothing(store: Store, first: Outcome, second: Outcome) -> None:
    by_hand = ByHand()
    night = Night(store, task("a"), executor=by_hand)
    night.generate()
    night.tick("00:00")
    by_hand.report(by_hand.orders[0], night.clock.now(), first)
    night.tick()
    before = night.row("a"), night.attempts("a"), night.whole_journal()
    by_hand.report(by_hand.orders[0], night.clock.now(), second)
    night.tick("00:01")
    assert (night.row("a"), night.attempts("a"), night.whole_journal()) == before


def test_a_report_that_comes_twice_at_once_counts_once(store: Store) -> None:
    by_hand = ByHand()
    night = Night(store, task("a"), task("b", "a", "late"), task("late", at="05:00"), executor=by_hand)
    night.generate()
    night.tick("00:00")
    for _ in range(2):
        by_hand.report(by_hand.orders[0], night.clock.now())
    night.tick()
    assert (night.status("a"), night.row("b").pending) == (SUCCEEDED, 1)


def test_a_late_report_of_an_earlier_attempt_does_not_end_the_next_one(store: Store) -> None:
    by_hand = ByHand()
    night = Night(store, task("a", run=RunConfig(reruns=1, rerun_interval=60)), executor=by_hand)
    night.generate()
    night.tick("00:00")
    by_hand.forget()
    night.tick("00:01")
    night.tick("00:02")
    first, second = by_hand.orders
    assert (first.handle.number, second.handle.number) == (1, 2)
    by_hand.report(first, night.moment("00:01"))
    night.tick()
    assert (night.status("a"), night.attempts("a")[-1].state) == (RUNNING, "running")


# --- writes that fail -------------------------------------------------------------------------------------------------


@pytest.fixture
def refused_commit(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The next commit fails, as on a full disk."""
    with monkeypatch.context() as patched:

        def refuse(connection: Any) -> None:
            patched.undo()
            raise sqlite3.OperationalError("database or disk is full")

        patched.setattr(sqlite_store.writer.dialect, "do_commit", refuse)
        yield


def two_attempts(store: Store) -> tuple[Night, ByHand]:
    """One attempt that succeeds and one that fails, with what follows from each; neither is reported yet."""
    by_hand = ByHand()
    broken = task("broken", run=RunConfig(reruns=1, rerun_interval=60))
    night = Night(store, task("a"), task("b", "a"), broken, executor=by_hand)
    night.generate()
    night.tick("00:00")
    good, bad = by_hand.orders
    by_hand.report(good, night.clock.now())
    by_hand.report(bad, night.clock.now(), Outcome.FAILED)
    return night, by_hand


def test_a_commit_that_fails_loses_no_report(sqlite_store: Store, request: pytest.FixtureRequest) -> None:
    night, by_hand = two_attempts(sqlite_store)
    before = night.whole_journal()
    request.getfixturevalue("refused_commit")
    with pytest.raises(StoreError):
        night.tick()
    assert (night.whole_journal(), len(by_hand.orders)) == (before, 2)
    night.tick()
    assert night.statuses() == {"a": SUCCEEDED, "b": RUNNING, "broken": FAILED}
    assert len(by_hand.orders) == 3


def test_whichever_statement_fails_the_next_tick_makes_up_for_it(sqlite_store: Store) -> None:
    night, by_hand = two_attempts(sqlite_store)
    before = night.whole_journal()
    for number in count():
        with refuse_statement(sqlite_store, number) as seen, suppress(StoreError):
            night.tick()
        if len(seen) <= number:
            break
        assert (night.whole_journal(), len(by_hand.orders)) == (before, 2)
    assert number > 5
    assert night.statuses() == {"a": SUCCEEDED, "b": RUNNING, "broken": FAILED}
    assert len(by_hand.orders) == 3
