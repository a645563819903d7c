"""Which tasks a backfill covers, mode by mode, and why the rest is left out (sections 5, 7 and 9.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.domain.backfill_form import BackfillForm, Filters, Mode
from dpconsole.core.domain.definitions import Dependency, DependencyCycle, Method, Task
from dpconsole.core.graph.tasks import (
    BELOW_PAUSED,
    IS_PAUSED,
    NO_NODES,
    NO_SCHEDULE,
    NO_SUCH_TASK,
    NOT_BELOW,
    NOT_CHOSEN,
    Coverage,
    cover,
)
from dpconsole.core.store.definition_rows import StoredTask
from tests.core.graph.definitions import stored
from tests.nights import node, on, on_itself, on_root, table, task

PAUSED = {"method": Method.PAUSED}


def covered(tasks: Mapping[int, StoredTask], *start: str, mode: Mode = Mode.LIST, **more: Any) -> Coverage:
    return cover(tasks, BackfillForm(tuple(f"p.{name}" for name in start), mode=mode, **more))


def levels(tasks: Mapping[int, StoredTask], coverage: Coverage) -> dict[str, int]:
    return {tasks[id].task.name: level for id, level in coverage.levels.items()}


def reasons(coverage: Coverage) -> dict[str, str]:
    return {key.removeprefix("p."): reason for key, reason in coverage.left_out}


def nodes(tasks: Mapping[int, StoredTask], coverage: Coverage, name: str) -> set[str]:
    (stored,) = (stored for stored in tasks.values() if stored.task.name == name)
    ids = coverage.nodes.get(stored.id, frozenset(stored.node_ids.values()))
    return {node for node, id in stored.node_ids.items() if id in ids}


CHAIN = (task("a"), task("b", "a"), task("c", "b"), task("d", "c"))


def test_the_current_task_is_covered_alone() -> None:
    tasks = stored(*CHAIN)
    assert levels(tasks, covered(tasks, "b", mode=Mode.CURRENT)) == {"b": 0}


@pytest.mark.parametrize(("asked", "found"), [(1, "bc"), (2, "bcd"), (None, "bcd")])
def test_a_level_is_a_step_below_the_start(asked: int | None, found: str) -> None:
    tasks = stored(*CHAIN)
    coverage = covered(tasks, "b", levels=asked)
    assert levels(tasks, coverage) == {name: level for level, name in enumerate(found)}
    assert set(reasons(coverage)) == set("bcd") - set(found)


def test_the_shortest_way_counts_and_upstreams_come_first() -> None:
    tasks = stored(task("end", "start", "middle"), task("middle", "start"), task("start"))
    coverage = covered(tasks, "start")
    assert levels(tasks, coverage) == {"start": 0, "middle": 1, "end": 1}
    assert [tasks[id].task.name for id in coverage.levels] == ["start", "middle", "end"]


def test_switched_off_root_and_own_dependencies_lead_nowhere() -> None:
    tasks = stored(task("a", on_itself(), on_root()), task("b", on("a", enabled=False)), task("c", "b"))
    assert levels(tasks, covered(tasks, "a")) == {"a": 0}


def test_what_waits_for_another_data_timestamp_is_told() -> None:
    before = on("a", cycle=DependencyCycle.PREVIOUS)
    tasks = stored(task("a"), task("b", before), task("c", "b", on_itself()), task("d", "c"))
    coverage = covered(tasks, "a")
    assert coverage.crossing == ("p.b", "p.c")
    assert covered(tasks, "b", levels=1).crossing == ("p.c",)
    assert covered(tasks, "d").crossing == ()


def test_tasks_that_wait_for_each_others_yesterday_have_an_order() -> None:
    tasks = stored(task("a", on("b", cycle=DependencyCycle.PREVIOUS)), task("b", "a"))
    for start in ("a", "b"):
        assert [tasks[id].task.name for id in covered(tasks, start).levels] == ["a", "b"]


# --- list mode --------------------------------------------------------------------------------------------------------

DIAMOND = (
    task("a"),
    task("held", "a", **PAUSED),
    task("free", "a"),
    task("below", "held"),
    task("both", "below", "free"),
    task("last", "free"),
)


def test_paused_tasks_and_everything_below_them_are_filtered() -> None:
    tasks = stored(*DIAMOND)
    coverage = covered(tasks, "a")
    assert levels(tasks, coverage) == {"a": 0, "free": 1, "last": 2}
    assert reasons(coverage) == {"held": IS_PAUSED, "below": BELOW_PAUSED, "both": BELOW_PAUSED}


def test_the_filter_can_be_switched_off() -> None:
    tasks = stored(*DIAMOND)
    assert set(levels(tasks, covered(tasks, "a", hide_paused=False))) == {task.name for task in DIAMOND}


def test_a_paused_start_hides_nothing() -> None:
    tasks = stored(task("a", **PAUSED), task("b", "a"))
    assert levels(tasks, covered(tasks, "a")) == {"a": 0, "b": 1}


def test_a_table_below_a_paused_task_hides_what_is_below_any_of_its_nodes() -> None:
    wide = table("t", node("n1", "f", after=[on("held")]), node("n2", "g", after=[on("a")]))
    tasks = stored(task("a"), task("held", "a", **PAUSED), wide, task("end", on("t", fields=("g",))))
    coverage = covered(tasks, "a")
    assert levels(tasks, coverage) == {"a": 0}
    assert reasons(coverage) == {"held": IS_PAUSED, "t": BELOW_PAUSED, "end": BELOW_PAUSED}


def test_chosen_tasks_narrow_what_was_found() -> None:
    tasks = stored(*CHAIN)
    coverage = covered(tasks, "b", chosen=("p.d", "p.a", "p.gone"))
    assert levels(tasks, coverage) == {"b": 0, "d": 2}
    assert reasons(coverage) == {"c": NOT_CHOSEN, "a": NOT_BELOW, "gone": NO_SUCH_TASK}


def test_one_time_tasks_have_nothing_to_make_up_for() -> None:
    tasks = stored(task("a"), task("once", "a", method=Method.ONE_TIME), task("b", "once"))
    coverage = covered(tasks, "a")
    assert levels(tasks, coverage) == {"a": 0, "b": 2}
    assert reasons(coverage) == {"once": NO_SCHEDULE}


def test_starts_that_lead_nowhere_are_left_out() -> None:
    tasks = stored(task("once", method=Method.ONE_TIME), table("empty"))
    coverage = covered(tasks, "once", "gone", "empty")
    assert not coverage.levels
    assert reasons(coverage) == {"once": NO_SCHEDULE, "gone": NO_SUCH_TASK, "empty": NO_NODES}


# --- massive mode -----------------------------------------------------------------------------------------------------

PROJECTS = (
    task("a"),
    task("gmv", "a", output_table="ads.gmv_day"),
    task("x", "gmv", project="q"),
    task("orders", "a", output_table="dws.orders"),
    task("end", "orders", "gmv"),
)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, {"gmv", "x", "orders", "end"}),
        ({"include": Filters(projects=("p",))}, {"gmv", "orders", "end"}),
        ({"exclude": Filters(projects=("p",))}, {"x"}),
        ({"include": Filters(outputs=("GMV",))}, {"gmv"}),
        ({"include": Filters(names=("or", "EN"))}, {"orders", "end"}),
        ({"include": Filters(ids=("2", "p.end"))}, {"gmv", "end"}),
        ({"include": Filters(sources=("p.orders",))}, {"orders", "end"}),
        ({"include": Filters(targets=("q.x",))}, {"gmv", "x"}),
        ({"include": Filters(projects=("p",), sources=("p.gmv",))}, {"gmv", "end"}),
        ({"include": Filters(names=("e",)), "exclude": Filters(targets=("p.orders",))}, {"end"}),
        ({"exclude": Filters(sources=("p.a",))}, set()),
    ],
)
def test_massive_mode_is_narrowed_by_its_filters(filters: dict[str, Filters], found: set[str]) -> None:
    tasks = stored(*PROJECTS)
    coverage = covered(tasks, "a", mode=Mode.MASSIVE, **filters)
    assert set(levels(tasks, coverage)) == {"a"} | found
    assert len(coverage.left_out) == 4 - len(found)


def test_massive_mode_takes_paused_tasks_and_all_levels() -> None:
    tasks = stored(*DIAMOND)
    assert set(levels(tasks, covered(tasks, "a", mode=Mode.MASSIVE))) == {task.name for task in DIAMOND}


# --- logical tables ---------------------------------------------------------------------------------------------------

DIM = table("dim", node("base", "id", "city"), node("value", "ltv"), node("late", "rank", after=["value"]))


def test_an_entire_table_starts_with_all_its_nodes() -> None:
    tasks = stored(DIM)
    coverage = covered(tasks, "dim", mode=Mode.CURRENT)
    assert nodes(tasks, coverage, "dim") == {"base", "value", "late"}
    assert coverage.nodes == {}
    assert list(coverage.executables(tasks)) == [(1, 101), (1, 102), (1, 103)]


def test_chosen_fields_start_with_the_nodes_that_share_fields() -> None:
    tasks = stored(table("dim", node("base", "id", "city"), node("wide", "id", "ltv"), node("apart", "rank")))
    coverage = covered(tasks, "dim", mode=Mode.CURRENT, fields=("ltv",))
    assert nodes(tasks, coverage, "dim") == {"base", "wide"}
    assert coverage.required == {"id": "wide", "city": "base"}


def test_below_chosen_fields_are_the_tasks_and_the_sibling_nodes_that_depend_on_them() -> None:
    tasks = stored(
        DIM, task("all", "dim"), task("city", on("dim", fields=("city",))), task("r", on("dim", fields=("rank",)))
    )
    coverage = covered(tasks, "dim", fields=("ltv",))
    assert levels(tasks, coverage) == {"dim": 0, "all": 1, "r": 1}
    assert nodes(tasks, coverage, "dim") == {"value", "late"}


def test_of_a_table_below_only_the_fields_that_depend_on_the_start_with_their_closure() -> None:
    fact = table("fact", node("n1", "a", after=[on("s")]), node("n2", "a", "b"), node("n3", "c", after=[on("other")]))
    tasks = stored(
        task("s"), task("other"), fact, task("on_c", on("fact", fields=("c",))), task("on_b", on("fact", fields=("b",)))
    )
    coverage = covered(tasks, "s")
    assert nodes(tasks, coverage, "fact") == {"n1", "n2"}
    assert levels(tasks, coverage) == {"s": 0, "fact": 1, "on_b": 2}
    assert list(coverage.executables(tasks)) == [(1, None), (3, 301), (3, 302), (5, None)]


def test_a_dependency_of_a_table_holds_for_all_its_nodes() -> None:
    tasks = stored(task("s"), table("t", node("n1", "a"), node("n2", "b"), depends_on=(on("s"),)))
    assert nodes(tasks, covered(tasks, "s"), "t") == {"n1", "n2"}


# --- at large ---------------------------------------------------------------------------------------------------------


@st.composite
def acyclic(draw: st.DrawFn) -> list[Task]:
    number = draw(st.integers(1, 12))
    made = []
    for place in range(number):
        ups = draw(st.sets(st.integers(0, place - 1), max_size=3)) if place else set()
        held = {"method": Method.PAUSED} if draw(st.booleans()) and draw(st.booleans()) else {}
        made.append(task(f"t{place}", *(Dependency(task=f"p.t{up}") for up in sorted(ups)), **held))
    return made


@given(acyclic(), st.integers(1, 4) | st.none())
def test_levels_order_and_the_paused_filter_are_those_of_the_graph(made: list[Task], deepest: int | None) -> None:
    tasks = stored(*made)
    graph = nx.DiGraph()
    graph.add_nodes_from(tasks)
    ids = {task.id: id for id, task in enumerate(made, 1)}
    graph.add_edges_from((ids[up.task], ids[task.id]) for task in made for up in task.depends_on)
    steps = nx.single_source_shortest_path_length(graph, 1)
    held = {id for id in steps if id != 1 and made[id - 1].method is Method.PAUSED}
    hidden = held | {below for id in held for below in nx.descendants(graph, id)}
    coverage = covered(tasks, "t0", levels=deepest)
    assert coverage.levels == {
        id: level for id, level in steps.items() if id not in hidden and (deepest is None or level <= deepest)
    }
    place = {id: place for place, id in enumerate(coverage.levels)}
    assert all(place[up] < place[down] for up, down in graph.edges if up in place and down in place)
    assert {ids[key] for key, _ in coverage.left_out} | coverage.levels.keys() == steps.keys()
