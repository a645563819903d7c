"""A window shows what is so many levels around a row, every edge of it and no other, and counts the rest (15, 10.2)."""

from __future__ import annotations

from collections.abc import Collection
from random import Random
from typing import Any, Literal

import networkx as nx
import pytest
from sqlalchemy import select

from dpconsole.core.domain.definitions import MaterializationNode, Task
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.backfilling import submit
from dpconsole.core.graph.window import (
    Window,
    extend,
    next_failed,
    read_window,
    refresh,
    turned,
    window_ids,
    with_nodes,
)
from dpconsole.core.store.models import Instance
from dpconsole.core.store.neighbours import timestamps
from dpconsole.core.store.session import Store
from tests.core.graph.windows import random_night, whole
from tests.faults.sizes import size
from tests.nights import Night, every, node, on, on_itself, table, task


def window_of(
    store: Store,
    main: int,
    up: int | None = 1,
    down: int | None = 1,
    *,
    expanded: Collection[int] | Literal[True] = frozenset(),
    limit: int = 2_000,
) -> Window:
    with store.read() as connection:
        window = read_window(connection, main, up, down, expanded=expanded, limit=limit)
    assert window is not None
    return window


def drawn(night: Night, name: str, up: int | None = 1, down: int | None = 1, **how: bool) -> tuple[set[str], set[str]]:
    """The nodes and the edges of a window, by name."""
    window = window_of(night.store, night.id(name), up, down, expanded=True if how.get("expanded") else frozenset())
    names = {id: node.name for id, node in window.nodes.items()}
    return set(names.values()), {f"{names[up]}>{names[down]}" for up, down in window.edges}


# --- against networkx -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(size(6, 60)))
def test_a_window_is_the_ego_graph_with_every_edge_and_every_count(sqlite_store: Store, seed: int) -> None:
    graph, dice = random_night(sqlite_store, seed), Random(seed)
    for _ in range(12):
        main = dice.choice(sorted(graph.listed))
        up, down = dice.choice([0, 1, 1, 2, None]), dice.choice([0, 1, 1, 3, None])
        window = window_of(sqlite_store, main, up, down, expanded=dice.choice([True, frozenset()]))
        assert graph.rows(window) == graph.around(main, up, down)
        assert window.edges == graph.edges(window)
        assert {id: (n.hidden_up, n.hidden_down) for id, n in window.nodes.items()} == {
            id: graph.hidden(window, id) for id in window.nodes
        }
        assert nx.is_directed_acyclic_graph(nx.DiGraph(window.edges))


def test_on_either_database(store: Store) -> None:
    graph = random_night(store, 3)
    for main in sorted(graph.listed)[::10]:
        window = window_of(store, main, 2, 2)
        assert graph.rows(window) == graph.around(main, 2, 2)
        assert window.edges == graph.edges(window)


# --- levels -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def night(sqlite_store: Store) -> Night:
    """ods -> mid -> ads -> app, beside it ods -> ads; mid has two more below."""
    tasks = (task("ods"), task("mid", "ods"), task("ads", "mid", "ods"), task("app", "ads"))
    night = Night(sqlite_store, *tasks, task("x", "mid"), task("y", "mid", "x"))
    night.generate()
    return night


def test_one_level_up_and_one_down_without_being_told(night: Night) -> None:
    assert drawn(night, "ads") == ({"ods", "mid", "ads", "app"}, {"ods>mid", "mid>ads", "ods>ads", "ads>app"})


def test_levels_are_steps_from_the_main_node_negative_upstream(night: Night) -> None:
    window = window_of(night.store, night.id("mid"), 1, 2)
    assert {node.name: node.level for node in window.nodes.values()} == {
        "ods": -1,
        "mid": 0,
        "ads": 1,
        "x": 1,
        "y": 1,
        "app": 2,
    }


def test_what_is_not_shown_is_counted_where_it_hangs(night: Night) -> None:
    window = window_of(night.store, night.id("ads"))
    hidden = {node.name: (node.hidden_up, node.hidden_down) for node in window.nodes.values()}
    assert hidden == {"ods": (0, 0), "mid": (0, 2), "ads": (0, 0), "app": (0, 0)}


def test_one_level_more_on_one_side(night: Night) -> None:
    window = window_of(night.store, night.id("app"))
    with night.store.read() as connection:
        more = extend(connection, window, up=1)
        everything = extend(connection, window, up=None, down=None)
    assert more is not None
    assert (more.up, more.down, len(more.nodes)) == (2, 1, 4)
    assert everything is not None
    assert (everything.up, everything.down) == (None, None)
    assert {node.name for node in everything.nodes.values()} == {"app", "ads", "mid", "ods"}


def test_a_window_never_exceeds_its_limit_in_silence(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("hub"), *(task(f"t{number}", "hub") for number in range(30)))
    night.generate()
    cut = window_of(sqlite_store, night.id("hub"), limit=11)
    assert (cut.truncated, len(cut.nodes), cut.nodes[night.id("hub")].hidden_down) == (True, 11, 20)
    whole_ = window_of(sqlite_store, night.id("hub"), limit=31)
    assert (whole_.truncated, len(whole_.nodes), whole_.nodes[night.id("hub")].hidden_down) == (False, 31, 0)


def test_an_id_that_names_nothing_has_no_window(night: Night) -> None:
    with night.store.read() as connection:
        assert read_window(connection, 999) is None


def test_each_occurrence_of_a_day_is_a_node(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("hourly", schedule=every(6)), task("day", "hourly"))
    night.generate()
    window = window_of(sqlite_store, night.id("day"))
    above = [node for node in window.nodes.values() if node.level == -1]
    assert [node.due_at for node in above] == night.due_times("hourly")
    assert [node.title for node in above] == ["hourly#01", "hourly#02", "hourly#03", "hourly#04"]
    assert window.nodes[night.id("day")].title == "day"


def test_what_waits_for_its_own_previous_cycle_is_a_chain(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("hourly", on_itself(), schedule=every(6)))
    night.generate()
    window = window_of(sqlite_store, night.id("hourly@18:00"), None)
    assert {node.due_at: node.level for node in window.nodes.values()} == {
        due: level for level, due in zip((-3, -2, -1, 0), night.due_times("hourly"), strict=True)
    }


def test_an_upstream_that_had_no_instance_is_flagged(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", on_itself()), task("b", "a"))
    night.generate()
    window = window_of(sqlite_store, night.id("b"))
    assert {node.name: node.vacuous for node in window.nodes.values()} == {"a": ("p.a",), "b": ()}


def test_nothing_is_found_by_scanning_what_grows_with_the_graph(tables: Night) -> None:
    statements: list[str] = []
    with tables.store.read() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(statements.append)
        read_window(connection, tables.id("dim"), None, None)
        read_window(connection, tables.id("ads"), 1, 1, expanded=True)
        driver.set_trace_callback(None)
        asked = [statement for statement in statements if "instance" in statement]
        plans = [line[3] for statement in asked for line in driver.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert len(asked) > 10
    scanned = {plan.split()[1] for plan in plans if plan.startswith("SCAN")}
    assert not scanned & {"instance", "there", "part", "instance_dependency", "vacuous_dependency", "task"}


# --- logical tables ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tables(sqlite_store: Store) -> Night:
    """A table of two nodes between two scripts; the script behind it uses the second node's field."""
    dim = table("dim", node("base", "id", after=[on("ods")]), node("ltv", "ltv", after=["base"]))
    night = Night(sqlite_store, task("ods"), dim, task("ads", on("dim", fields=("ltv",))))
    night.generate()
    return night


def test_a_table_is_one_node_with_the_edges_of_its_nodes(tables: Night) -> None:
    assert drawn(tables, "dim") == ({"ods", "dim", "ads"}, {"ods>dim", "dim>ads"})
    assert window_of(tables.store, tables.id("dim")).nodes[tables.id("dim")].parts == 2


def test_a_table_is_expanded_into_its_nodes(tables: Night) -> None:
    assert drawn(tables, "ads", expanded=True) == ({"base", "ltv", "ads"}, {"base>ltv", "ltv>ads"})
    window = window_of(tables.store, tables.id("ads"), expanded={tables.id("dim")})
    assert {window.nodes[tables.id(name)].hidden_up for name in ("base", "ltv")} == {1, 0}
    assert window.expanded == {tables.id("dim")}


def test_around_an_expanded_table_its_first_node_is_the_anchor(tables: Night) -> None:
    window = window_of(tables.store, tables.id("dim"), expanded=True)
    assert (window.main, window.anchor) == (tables.id("dim"), tables.id("base"))


def test_around_a_materialization_node_its_table_is_expanded(tables: Night) -> None:
    window = window_of(tables.store, tables.id("ltv"))
    assert window.anchor == tables.id("ltv")
    assert {node.name for node in window.nodes.values()} == {"ods", "base", "ltv", "ads"}


def test_tables_that_use_each_other_s_fields_are_shown_by_their_nodes(sqlite_store: Store) -> None:
    """Neither waits for itself, but as wholes each would wait for the other (section 9.1)."""

    def of(name: str, *upstreams: str) -> list[MaterializationNode]:
        return [
            node(f"{name}_early", "e"),
            node(f"{name}_late", "l", after=[on(up, fields=("e",)) for up in upstreams]),
        ]

    night = Night(sqlite_store, table("one", *of("one", "two")), table("two", *of("two", "one")))
    night.generate()
    shown, edges = drawn(night, "one")
    assert shown >= {"one_early", "one_late"} or shown >= {"two_early", "two_late"}
    assert nx.is_directed_acyclic_graph(nx.DiGraph([edge.split(">") for edge in edges]))
    assert window_of(sqlite_store, night.id("one")).edges == whole(sqlite_store).edges(
        window_of(sqlite_store, night.id("one"))
    )


def test_more_nodes_than_fit_stay_folded_and_are_owned_up_to(sqlite_store: Store) -> None:
    wide = [table(f"w{number}", *(node(f"w{number}_{part}", "f") for part in range(5))) for number in range(3)]
    night = Night(sqlite_store, *wide, task("end", *(on(some.name) for some in wide)))
    night.generate()
    window = window_of(sqlite_store, night.id("end"), expanded=True, limit=10)
    assert (window.truncated, len(window.expanded), len(window.nodes)) == (True, 1, 8)


# --- live -------------------------------------------------------------------------------------------------------------


def test_a_few_nodes_are_read_again_in_place(tables: Night) -> None:
    window = window_of(tables.store, tables.id("dim"))
    tables.run()
    with tables.store.read() as connection:
        fresh = refresh(connection, window, [tables.id("ods"), 999])
        assert refresh(connection, window, []) == {}
    assert {id: node.status for id, node in fresh.items()} == {tables.id("ods"): Status.SUCCEEDED}
    later = with_nodes(window, fresh, 99)
    assert (later.rev, later.nodes[tables.id("ods")].level) == (99, -1)
    assert later.nodes[tables.id("ads")] == window.nodes[tables.id("ads")]


def test_what_changes_behind_a_folded_table_is_its_change(tables: Night) -> None:
    window = window_of(tables.store, tables.id("dim"))
    assert {tables.id("base"), tables.id("ltv")} <= window_ids(window)
    tables.set("ltv", paused=True)
    with tables.store.read() as connection:
        fresh = refresh(connection, window, [tables.id("ltv")])
    assert [(node.name, node.paused) for node in fresh.values()] == [("dim", True)]


def test_the_next_failed_goes_around_from_upstream_down(night: Night) -> None:
    everything = window_of(night.store, night.id("mid"), None, None)
    for name in ("ods", "x", "app"):
        night.set(name, status=Status.FAILED)
    window = window_of(night.store, night.id("mid"), None, None)
    ods, x, app = (night.id(name) for name in ("ods", "x", "app"))
    assert next_failed(everything, ods) is None
    assert [next_failed(window, id) for id in (ods, night.id("mid"), x, app)] == [x, x, app, ods]
    assert [next_failed(window, id, -1) for id in (ods, night.id("mid"), x, app)] == [app, ods, ods, x]
    night.set("ods", status=Status.SUCCEEDED)
    night.set("x", status=Status.SUCCEEDED)
    assert next_failed(window_of(night.store, night.id("mid"), None, None), app) == app


# --- the other data timestamps of a backfill --------------------------------------------------------------------------


def backfilled(store: Store, *tasks: Task, main: str) -> tuple[Window, list[int], dict[str, list[int]]]:
    """The window around the first of two data timestamps, the ids of both folders, and the instances by name."""
    night = Night(store, *tasks)
    submit(store, night.clock, night.backfill("ods", days=2))
    made = select(Instance.name, Instance.id).where(Instance.backfill_id.is_not(None)).order_by(Instance.business_date)
    with store.read() as connection:
        days = [one.id for one in timestamps(connection, 1)]
        ids: dict[str, list[int]] = {}
        for name, id in connection.execute(made):
            ids.setdefault(name, []).append(id)
    return window_of(store, ids[main][0], None, None, expanded=True), days, ids


def test_a_window_turns_to_another_data_timestamp_as_it_stands(sqlite_store: Store) -> None:
    tasks = (task("ods"), table("dim", node("base", "k", after=(on("ods"),))), task("ads", "dim"))
    before, days, ids = backfilled(sqlite_store, *tasks, main="ods")
    with sqlite_store.read() as connection:
        found = turned(connection, before, days[1])
    assert found is not None
    after, stands_for = found
    assert (before.main, after.main) == tuple(ids["ods"])
    assert after.edges == {(stands_for[up], stands_for[down]) for up, down in before.edges}
    assert {node.business_date for node in after.nodes.values()} != {n.business_date for n in before.nodes.values()}
    assert [(n.name, n.level) for n in after.nodes.values()] == [(n.name, n.level) for n in before.nodes.values()]


def test_a_window_over_several_data_timestamps_cannot_stay_as_it_is(sqlite_store: Store) -> None:
    before, days, _ = backfilled(sqlite_store, task("ods", on_itself()), main="ods")
    assert len(before.nodes) == 2
    with sqlite_store.read() as connection:
        assert turned(connection, before, days[1]) is None
        assert turned(connection, before, days[0]) is None
