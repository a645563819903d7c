"""A window of the graph of definitions: the tasks some levels around one, in the shape of a window of instances.

Tasks may wait for each other's earlier cycles, which instances do without ever closing a circle and tasks cannot: the
edges that would close one are kept apart as `loops`, those on earlier cycles first.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from sqlalchemy import Connection

from dpconsole.core.graph.window import MOST_NODES, Window, WindowNode, signed_levels
from dpconsole.core.store import task_neighbours as store
from dpconsole.core.store.neighbours import Edge
from dpconsole.core.store.session import current_rev


def read_task_window(
    connection: Connection, key: str, up: int | None = 1, down: int | None = 1, *, limit: int = MOST_NODES
) -> Window | None:
    """The window around a task by its key `project.name`; None when there is none. Levels as of `read_window`."""
    main = store.find_task(connection, key)
    if main is None:
        return None
    levels = store.read_task_levels(connection, main, up, down, limit - 1)
    level_of = signed_levels(main, levels)
    declared = store.task_edges(connection, level_of)
    loops = _loops(declared)
    return Window(
        main=main,
        nodes=_nodes(connection, level_of, declared),
        edges=frozenset(declared.keys() - loops),
        up=up,
        down=down,
        truncated=levels.truncated,
        rev=current_rev(connection),
        loops=frozenset(loops),
    )


def _loops(declared: Mapping[Edge, bool]) -> set[Edge]:
    """Edges without which there is no circle: of every circle one that is not on the current cycle, if it has one."""
    apart = set[Edge]()
    while circle := _circle(declared.keys() - apart):
        apart.add(min(pairwise(circle), key=lambda edge: (declared[edge], edge)))
    return apart


def _circle(edges: set[Edge]) -> list[int]:
    sorter = TopologicalSorter[int]()
    for up, down in sorted(edges):
        sorter.add(down, up)
    try:
        sorter.prepare()
    except CycleError as error:
        circle: list[int] = error.args[1]
        return circle
    return []


def _nodes(connection: Connection, level_of: Mapping[int, int], declared: Mapping[Edge, bool]) -> dict[int, WindowNode]:
    above, below = store.count_tasks_beside(connection, level_of)
    for up, down in declared:
        above[down] -= 1
        below[up] -= 1
    facts, parts = store.read_task_facts(connection, level_of), store.count_nodes(connection, level_of)
    return {
        id: WindowNode.of(facts[id], facts[id].task, level, above.get(id, 0), below.get(id, 0), parts.get(id, 0))
        for id, level in level_of.items()
        if id in facts
    }
