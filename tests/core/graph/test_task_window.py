"""The graph of definitions around one task; what leads back to an earlier cycle is kept apart."""

from __future__ import annotations

from random import Random

import networkx as nx
import pytest

from dpconsole.core.domain.definitions import DependencyCycle, Method
from dpconsole.core.graph.task_window import read_task_window
from dpconsole.core.graph.window import Window
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.session import Store
from tests.drawing import Draw
from tests.nights import Night, node, on, on_itself, on_root, table, task


def window_of(store: Store, key: str, up: int | None = 1, down: int | None = 1, limit: int = 2_000) -> Window:
    with store.read() as connection:
        window = read_task_window(connection, key, up, down, limit=limit)
    assert window is not None
    return window


def named(window: Window) -> set[str]:
    return {f"{window.nodes[up].name}>{window.nodes[down].name}" for up, down in window.edges}


def test_a_table_is_one_task_whichever_of_its_nodes_depends(store: Store) -> None:
    dim = table("dim", node("base", "id", after=[on("ods")]), node("ltv", "ltv", after=["base"]))
    Night(store, task("ods", on_root()), dim, task("ads", on("dim", fields=("ltv",)), on_itself()), task("app", "ads"))
    window = window_of(store, "p.dim")
    assert named(window) == {"ods>dim", "dim>ads"}
    assert {some.name: (some.level, some.hidden_up, some.hidden_down) for some in window.nodes.values()} == {
        "ods": (-1, 0, 0),
        "dim": (0, 0, 0),
        "ads": (1, 0, 1),
    }
    assert (window.nodes[window.main].parts, window.nodes[window.main].key) == (2, "p.dim")


def test_what_is_switched_off_is_no_edge(sqlite_store: Store) -> None:
    Night(sqlite_store, task("a"), task("b", on("a", enabled=False)))
    assert named(window_of(sqlite_store, "p.b")) == set()


def test_a_dependency_on_an_earlier_cycle_that_leads_back_is_kept_apart(sqlite_store: Store) -> None:
    back = on("b", cycle=DependencyCycle.PREVIOUS)
    Night(sqlite_store, task("a", back), task("b", "a"), task("c", "b"))
    window = window_of(sqlite_store, "p.b")
    assert named(window) == {"a>b", "b>c"}
    assert {(window.nodes[up].name, window.nodes[down].name) for up, down in window.loops} == {("b", "a")}
    assert all(some.hidden_up == some.hidden_down == 0 for some in window.nodes.values())


def test_the_method_shows_as_flags(sqlite_store: Store) -> None:
    Night(sqlite_store, task("a", method=Method.PAUSED), task("b", "a", method=Method.DRY_RUN))
    window = window_of(sqlite_store, "p.a")
    assert {some.name: (some.paused, some.dry_run, some.status) for some in window.nodes.values()} == {
        "a": (True, False, None),
        "b": (False, True, None),
    }


def test_a_limit_is_owned_up_to_and_a_wrong_key_is_nothing(sqlite_store: Store) -> None:
    Night(sqlite_store, task("hub"), *(task(f"t{number}", "hub") for number in range(9)))
    assert window_of(sqlite_store, "p.hub", limit=5).truncated
    with sqlite_store.read() as connection:
        assert read_task_window(connection, "p.none") is None


@pytest.mark.parametrize("seed", range(4))
def test_a_window_is_the_ego_graph_of_the_definitions(sqlite_store: Store, seed: int) -> None:
    tasks = Draw(Random(seed), 40).workspace()
    with sqlite_store.write() as transaction:
        save_workspace(transaction, tasks, 0)
    graph = nx.DiGraph()
    for some in tasks.tasks:
        graph.add_node(some.id)
        declared = (*some.depends_on, *(one for part in some.nodes for one in part.depends_on))
        graph.add_edges_from((one.task, some.id) for one in declared if one.task and one.enabled)
    for main, levels in zip(sorted(graph)[::6], [0, 1, 2, None] * 2, strict=False):
        window = window_of(sqlite_store, main, levels, levels)
        above = nx.single_source_shortest_path_length(graph.reverse(), main, cutoff=levels)
        inside = {*above, *nx.single_source_shortest_path_length(graph, main, cutoff=levels)}
        keys = {id: some.key for id, some in window.nodes.items()}
        assert set(keys.values()) == inside
        assert {(keys[up], keys[down]) for up, down in window.edges} == set(graph.subgraph(inside).edges)
        assert not window.loops
