"""How baselines stand: promised, estimated, kept or broken, and what has to move next (RULES.md 11.4)."""

from __future__ import annotations

from datetime import time

from dpconsole.core.domain.baselines import BaselineStatus
from dpconsole.core.domain.definitions import Baseline, Simulation
from dpconsole.core.engine.baselines import BaselineRow, read_baselines
from dpconsole.core.store.session import Store
from tests.nights import BUSINESS_DATE, MINUTE, Night, fails, node, on, table, task

SAFE, WARNING, BROKEN, OTHER = BaselineStatus


def takes(minutes: float) -> Simulation:
    return Simulation(duration=(minutes * 60, minutes * 60), fail_rate=0.0)


def promise(name: str, *tasks: str, at: str = "06:00", margin: float = 1800) -> Baseline:
    return Baseline(name, tuple(f"p.{task}" for task in tasks), time.fromisoformat(at), margin)


def stands(night: Night) -> BaselineRow:
    (row,) = read_baselines(night.store, night.clock, "prod", BUSINESS_DATE)
    return row


def at(store: Store, moment: str, *tasks: object, baseline: Baseline) -> Night:
    night = Night(store, *tasks, baselines=(baseline,))  # type: ignore[arg-type]
    night.generate()
    night.run(moment)
    return night


def test_a_promise_that_was_kept(sqlite_store: Store) -> None:
    night = at(sqlite_store, "03:00", task("a"), task("b", "a", at="02:00"), baseline=promise("early", "b"))
    row = stands(night)
    assert (row.status, row.completed, row.done, row.total) == (SAFE, True, 1, 1)
    assert (night.clock_of(row.committed_at), night.clock_of(row.alert_at)) == ("06:00", "05:30")
    assert (night.clock_of(row.finish_at or 0), row.left_ms) == ("02:01", 239 * MINUTE)
    assert row.latest is not None
    assert (row.latest.name, row.critical) == ("b", None)


def test_one_that_was_kept_too_late_stays_broken(sqlite_store: Store) -> None:
    row = stands(at(sqlite_store, "08:00", task("b", at="07:00"), baseline=promise("early", "b")))
    assert (row.status, row.completed) == (BROKEN, True)


def test_one_that_is_estimated_to_end_in_its_margin_or_after_it(sqlite_store: Store) -> None:
    night = at(sqlite_store, "01:00", task("b", at="05:45"), baseline=promise("early", "b"))
    assert stands(night).status is WARNING
    night.load(task("b", at="05:45"), baselines=(promise("early", "b", at="05:30"),))
    row = stands(night)
    assert (row.status, row.completed, row.left_ms) == (BROKEN, False, -15 * MINUTE)


def test_what_will_never_end_by_itself_is_broken_and_says_what_has_to_move(sqlite_store: Store) -> None:
    tasks = task("a", simulate=fails()), task("b", "a"), task("end", "b")
    row = stands(at(sqlite_store, "01:00", *tasks, baseline=promise("early", "end")))
    assert (row.status, row.finish_at, row.left_ms) == (BROKEN, None, None)
    assert row.critical is not None
    assert row.critical.name == "a"


def test_the_last_of_several_ends_decides(sqlite_store: Store) -> None:
    tasks = task("a"), task("b", at="03:00"), task("c", at="02:00")
    row = stands(at(sqlite_store, "01:00", *tasks, baseline=promise("early", "a", "b", "c")))
    assert row.latest is not None
    assert row.critical is not None
    assert (row.latest.name, row.critical.name, row.done, row.total) == ("b", "b", 1, 3)


def test_an_end_that_is_a_logical_table_is_done_when_all_its_nodes_are(store: Store) -> None:
    whole = table("t", node("n1", "f"), node("n2", "g", after=(on("source"),)))
    tasks = task("source", simulate=takes(120)), whole
    row = stands(at(store, "01:00", *tasks, baseline=promise("early", "t")))
    assert row.latest is not None
    assert row.critical is not None
    assert (row.completed, row.latest.name, row.critical.name) == (False, "t", "source")


def test_without_instances_it_is_other(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"), baselines=(promise("early", "a"),))
    row = stands(night)
    assert (row.status, row.total, row.latest, row.finish_at) == (OTHER, 0, None, None)


def test_it_is_mine_when_an_end_task_is(store: Store) -> None:
    tasks = task("a", owner="mei"), task("b", "a", owner="lin")
    night = Night(store, *tasks, baselines=(promise("early", "b"),))
    assert stands(night).owners == ("lin",)
