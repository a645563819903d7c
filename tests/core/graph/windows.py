"""Random nights, and what networkx says a window of them must hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

import networkx as nx
from sqlalchemy import select

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.engine.generation import generate
from dpconsole.core.graph.window import Window
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.models import Instance, InstanceDependency
from dpconsole.core.store.session import Store
from tests.drawing import Draw
from tests.simulation import FIRST_DATE, START


@dataclass(frozen=True)
class Graph:
    """The whole graph of a store: every edge between executable rows, and the listed row each belongs to."""

    executable: nx.DiGraph
    listed: nx.DiGraph
    listed_of: dict[int, int]

    def around(self, main: int, up: int | None, down: int | None) -> set[int]:
        """The listed rows so many levels above and below one."""
        above = nx.single_source_shortest_path_length(self.listed.reverse(), main, cutoff=up)
        below = nx.single_source_shortest_path_length(self.listed, main, cutoff=down)
        return {*above, *below}

    def rows(self, window: Window) -> set[int]:
        """The listed rows a window shows, folded or not."""
        return {self.listed_of[id] for id in window.nodes}

    def edges(self, window: Window) -> set[tuple[int, int]]:
        """The edges between what a window shows, the tables it folds folded."""
        shown = {id: self.listed_of[id] if self.listed_of[id] in window.nodes else id for id in self.listed_of}
        edges = {(shown[up], shown[down]) for up, down in self.executable.edges}
        return {(up, down) for up, down in edges if up != down and {up, down} <= window.nodes.keys()}

    def hidden(self, window: Window, node: int) -> tuple[int, int]:
        """How many listed rows directly above, and below, a node the window does not show."""
        behind = [id for id in self.listed_of if id == node or self.listed_of[id] == node]
        above = {self.listed_of[up] for id in behind for up in self.executable.predecessors(id)}
        below = {self.listed_of[down] for id in behind for down in self.executable.successors(id)}
        return len(above - self.rows(window)), len(below - self.rows(window))


def whole(store: Store) -> Graph:
    """Everything the store holds."""
    with store.read() as connection:
        listed_of = {id: parent or id for id, parent in connection.execute(select(Instance.id, Instance.parent_id))}
        pairs = select(InstanceDependency.upstream_id, InstanceDependency.downstream_id)
        edges = [(up, down) for up, down in connection.execute(pairs)]
    executable, listed = nx.DiGraph(edges), nx.DiGraph()
    executable.add_nodes_from(listed_of)
    listed.add_nodes_from(listed_of.values())
    listed.add_edges_from((listed_of[up], listed_of[down]) for up, down in edges if listed_of[up] != listed_of[down])
    return Graph(executable, listed, listed_of)


def random_night(store: Store, seed: int, tasks: int = 25) -> Graph:
    """Two business dates of random definitions: scripts, sub-day cycles, tables with fields, alternatives."""
    with store.write() as transaction:
        save_workspace(transaction, Draw(Random(seed), tasks).workspace(), START)
    for _ in generate(store, VirtualClock(START), FIRST_DATE, FIRST_DATE + timedelta(days=1)):
        pass
    return whole(store)
