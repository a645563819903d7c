"""Who goes on and in which order: throttling rules, resource groups, the queue (RULES.md 11.1 to 11.4)."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from dpconsole.core.domain.definitions import (
    Baseline,
    Method,
    Origin,
    Priority,
    ResourceGroup,
    RunConfig,
    Task,
    TaskType,
    ThrottlingRule,
)
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.admission import Capacity, Limits, compete, in_queue_order
from dpconsole.core.store.engine_sql import Candidate
from dpconsole.core.store.session import Store
from tests.nights import HANGS, Night, node, table, task

NOT_RUNNING, WAITING_TIME, THROTTLED, WAITING_RESOURCE, RUNNING, SUCCEEDED, FAILED = Status


def in_group(name: str, group: str, **more: Any) -> Task:
    return task(name, run=RunConfig(reruns=0, resource_group=group), **more)


# --- resource groups --------------------------------------------------------------------------------------------------


def test_a_group_never_runs_more_than_its_slots(sqlite_store: Store) -> None:
    night = Night(sqlite_store, *(task(f"t{n}") for n in range(10)), slots=3)
    night.generate()
    night.tick("00:00")
    assert list(night.statuses().values()) == [RUNNING] * 3 + [WAITING_RESOURCE] * 7
    night.run()
    assert [night.clock_of(night.row(f"t{n}").started_at) for n in (0, 3, 6, 9)] == ["00:00", "00:01", "00:02", "00:03"]


def test_a_full_group_holds_back_only_its_own(sqlite_store: Store) -> None:
    narrow = [in_group(f"n{n}", "narrow") for n in range(3)]
    night = Night(sqlite_store, *narrow, task("other"), groups=(ResourceGroup("narrow", 1),))
    night.generate()
    night.tick("00:00")
    assert night.statuses() == {"n0": RUNNING, "n1": WAITING_RESOURCE, "n2": WAITING_RESOURCE, "other": RUNNING}


def test_a_full_group_at_the_head_of_the_queue_does_not_hide_the_rows_behind_it(sqlite_store: Store) -> None:
    """More rows wait in the full group than a pass reads."""
    narrow = [in_group(f"n{n}", "narrow", simulate=HANGS, priority=Priority.HIGHEST) for n in range(6)]
    others = [task(f"o{n}", priority=Priority.LOWEST) for n in range(6)]
    night = Night(sqlite_store, *narrow, *others, slots=1, groups=(ResourceGroup("narrow", 1),))
    night.restart(slice_=2)
    night.generate()
    night.run(until="00:30")
    assert [night.status(f"o{n}") for n in range(6)] == [SUCCEEDED] * 6


def test_dry_runs_and_virtual_tasks_take_no_slot(sqlite_store: Store) -> None:
    dry, virtual = task("dry", method=Method.DRY_RUN), task("virtual", type=TaskType.VIRTUAL)
    night = Night(sqlite_store, task("slow", simulate=HANGS), dry, virtual, slots=1)
    night.generate()
    night.tick("00:00")
    assert night.statuses() == {"slow": RUNNING, "dry": SUCCEEDED, "virtual": SUCCEEDED}


def test_the_nodes_of_a_table_take_slots_and_the_table_takes_none(sqlite_store: Store) -> None:
    night = Night(sqlite_store, table("t", node("one", "f"), node("two", "g")), task("a"), slots=2)
    night.generate()
    night.tick("00:00")
    assert night.statuses() == {"t": RUNNING, "one": RUNNING, "two": RUNNING, "a": WAITING_RESOURCE}


def test_a_slot_of_an_attempt_that_timed_out_is_free_again(sqlite_store: Store) -> None:
    hanging = task("a", simulate=HANGS, run=RunConfig(timeout=600, reruns=0))
    night = Night(sqlite_store, hanging, task("b"), slots=1)
    night.generate()
    night.run()
    assert night.clock_of(night.row("b").started_at) == "00:10"


def test_more_slots_take_effect_with_the_next_tick(sqlite_store: Store) -> None:
    tasks = [task(f"t{n}", simulate=HANGS) for n in range(4)]
    night = Night(sqlite_store, *tasks, slots=1)
    night.generate()
    night.tick("00:00")
    night.load(*tasks, slots=3)
    night.tick("00:01")
    assert list(night.statuses().values()).count(RUNNING) == 3


# --- throttling rules -------------------------------------------------------------------------------------------------

RULES: dict[str, tuple[ThrottlingRule, list[str]]] = {
    "global": (ThrottlingRule("r", 1), ["shell"]),
    "project": (ThrottlingRule("r", 1, project="q"), ["shell", "sql", "tagged", "of q"]),
    "type": (ThrottlingRule("r", 1, type=TaskType.HIVE_SQL), ["shell", "sql", "tagged", "of q", "also q"]),
    "tag": (ThrottlingRule("r", 1, tag="heavy"), ["shell", "sql", "tagged", "of q", "also q"]),
    "origin": (ThrottlingRule("r", 1, origin=Origin.RECURRING), ["shell"]),
    "another origin": (ThrottlingRule("r", 1, origin=Origin.BACKFILL), ["shell", "sql", "tagged", "of q", "also q"]),
    "switched off": (ThrottlingRule("r", 1, enabled=False), ["shell", "sql", "tagged", "of q", "also q"]),
}
"""A rule, and what may run at once under it."""


@pytest.mark.parametrize("name", RULES)
def test_a_rule_counts_what_it_matches(sqlite_store: Store, name: str) -> None:
    rule, running = RULES[name]
    tasks = (
        task("shell"),
        task("sql", type=TaskType.HIVE_SQL),
        task("tagged", tags=("light", "heavy")),
        task("of q", project="q"),
        task("also q", project="q"),
    )
    night = Night(sqlite_store, *tasks, throttling=(rule,))
    night.generate()
    night.tick("00:00")
    assert night.started() == running
    night.run()
    assert set(night.statuses().values()) == {SUCCEEDED}


def test_every_matching_rule_must_have_a_free_slot(sqlite_store: Store) -> None:
    rules = (ThrottlingRule("two of p", 2, project="p"), ThrottlingRule("one heavy", 1, tag="heavy"))
    tasks = [task(f"t{n}", tags=("heavy",) if n < 2 else ()) for n in range(4)]
    night = Night(sqlite_store, *tasks, throttling=rules)
    night.generate()
    night.tick("00:00")
    assert list(night.statuses().values()) == [RUNNING, THROTTLED, RUNNING, THROTTLED]


def test_a_throttling_slot_is_held_while_waiting_for_resources(sqlite_store: Store) -> None:
    tasks = (task("slow", simulate=HANGS, project="q"), task("a"), task("b"))
    night = Night(sqlite_store, *tasks, slots=1, throttling=(ThrottlingRule("one of p", 1, project="p"),))
    night.generate()
    night.tick("00:00")
    assert night.statuses() == {"slow": RUNNING, "a": WAITING_RESOURCE, "b": THROTTLED}


def test_a_full_rule_at_the_head_of_the_queue_does_not_hide_the_rows_behind_it(sqlite_store: Store) -> None:
    heavy = [task(f"h{n}", tags=("heavy",), simulate=HANGS, priority=Priority.HIGHEST) for n in range(6)]
    others = [task(f"o{n}", tags=("light",)) for n in range(6)]
    rules = (ThrottlingRule("one heavy", 1, tag="heavy"), ThrottlingRule("one light", 1, tag="light"))
    night = Night(sqlite_store, *heavy, *others, throttling=rules)
    night.restart(slice_=2)
    night.generate()
    night.run(until="00:30")
    assert [night.status(f"o{n}") for n in range(6)] == [SUCCEEDED] * 6


def test_a_rule_that_is_switched_off_lets_go_at_once(sqlite_store: Store) -> None:
    tasks = [task(f"t{n}", simulate=HANGS) for n in range(3)]
    night = Night(sqlite_store, *tasks, throttling=(ThrottlingRule("one", 1),))
    night.generate()
    night.tick("00:00")
    night.load(*tasks, throttling=(ThrottlingRule("one", 1, enabled=False),))
    night.tick("00:01")
    assert set(night.statuses().values()) == {RUNNING}


def test_a_paused_row_in_a_queue_lets_the_others_pass(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"), task("b"), task("c"), throttling=(ThrottlingRule("one", 1),))
    night.generate()
    night.tick("00:00")
    night.set("b", paused=True)
    night.run()
    assert night.statuses() == {"a": SUCCEEDED, "b": THROTTLED, "c": SUCCEEDED}


# --- the queue --------------------------------------------------------------------------------------------------------


def test_the_queue_is_ordered_by_priority_then_due_time_then_id(sqlite_store: Store) -> None:
    night = Night(
        sqlite_store,
        task("medium late", at="00:02"),
        task("medium", at="00:01"),
        task("medium too", at="00:01"),
        task("lowest", at="00:00", priority=Priority.LOWEST),
        task("highest", at="00:03", priority=Priority.HIGHEST),
        task("first", priority=Priority.HIGHEST, simulate=HANGS, run=RunConfig(timeout=600, reruns=0)),
        slots=1,
    )
    night.generate()
    night.run()
    assert night.started() == ["first", "highest", "medium", "medium too", "medium late", "lowest"]


@pytest.mark.parametrize("limits", [{"slots": 1}, {"throttling": (ThrottlingRule("one", 1),)}])
def test_an_arrival_overtakes_what_waits_with_a_lower_priority(sqlite_store: Store, limits: dict[str, Any]) -> None:
    night = Night(
        sqlite_store,
        task("first"),
        task("waits", at="00:00"),
        task("urgent", at="00:01", priority=Priority.HIGH),
        **limits,
    )
    night.generate()
    night.run()
    assert night.started() == ["first", "urgent", "waits"]


def test_a_changed_priority_counts_from_the_next_decision(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"), task("b"), task("c"), slots=1)
    night.generate()
    night.tick("00:00")
    night.set("c", effective_priority=Priority.HIGHEST.number)
    night.run()
    assert night.started() == ["a", "c", "b"]


def test_a_baseline_lifts_the_ancestors_of_what_it_protects(sqlite_store: Store) -> None:
    night = Night(
        sqlite_store,
        task("plain", priority=Priority.HIGH),
        task("ancestor", priority=Priority.LOWEST),
        task("end", "ancestor"),
        task("first", priority=Priority.HIGHEST),
        slots=1,
        baselines=(Baseline("morning", ("p.end",), time(6), priority=Priority.HIGHEST),),
    )
    night.generate()
    row = night.row("ancestor")
    assert (row.priority, row.effective_priority) == (Priority.LOWEST.number, Priority.HIGHEST.number)
    night.run()
    assert night.started().index("ancestor") < night.started().index("plain")


# --- decisions, by themselves -----------------------------------------------------------------------------------------


def candidate(id: int, *, priority: int = 5, due_at: int = 0, group: str = "default") -> Candidate:
    columns = dict.fromkeys(Candidate._fields, 0) | {"id": id, "due_at": due_at, "effective_priority": priority}
    return Candidate(**(columns | {"resource_group": group, "tags": "[]", "status": NOT_RUNNING}))


def test_queue_order() -> None:
    rows = [candidate(4), candidate(3), candidate(2, due_at=1), candidate(1, priority=7), candidate(5, priority=1)]
    assert [row.id for row in in_queue_order(rows)] == [5, 3, 4, 2, 1]


def test_an_arrival_behind_the_part_of_the_queue_that_was_read_is_not_decided_yet() -> None:
    queue = [candidate(1), candidate(2)]
    late, urgent = candidate(9), candidate(8, priority=1)
    competing, undecided = compete([late, urgent], queue, limit=2)
    assert ([row.id for row in competing], undecided) == ([8, 1, 2], True)
    competing, undecided = compete([late, urgent], queue, limit=3)
    assert ([row.id for row in competing], undecided) == ([8, 1, 2, 9], False)


def test_a_group_nobody_named_has_no_limit() -> None:
    capacity = Capacity.of(Limits({"default": 0}), {}, ())
    assert not capacity.take_resources(candidate(1))
    assert capacity.take_resources(candidate(2, group="unnamed"))
