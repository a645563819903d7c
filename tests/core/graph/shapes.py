"""Graphs to draw: random ones, the shapes that are hard on a picture, and windows of real projects."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import networkx as nx

from dpconsole.core.graph.layout import AUTO, Edge, Layout, NodeSize, Style, arrange

REPOSITORY = Path(__file__).parents[3]
SAMPLES = Path(os.environ.get("DPCONSOLE_SAMPLES", REPOSITORY.parent / "shared" / "data"))
MANIFESTS = ("dbt-project-evaluator-it.json", "ol-data-platform.json.gz")
TASKS = ("model.", "seed.", "snapshot.")

LINES, BOXES = Style(boxes=False), Style(boxes=True)


@dataclass(frozen=True)
class Shape:
    """A graph whose nodes are called n0, n1, n2 ..."""

    nodes: tuple[int, ...]
    edges: frozenset[Edge]

    @classmethod
    def of(cls, edges: set[Edge], *more: int) -> Shape:
        return cls(tuple(sorted({*more, *(node for edge in edges for node in edge)})), frozenset(edges))

    @property
    def labels(self) -> dict[int, str]:
        return {node: f"n{node}" for node in self.nodes}

    def sizes(self) -> list[NodeSize]:
        return [NodeSize(node, len(label)) for node, label in self.labels.items()]

    def graph(self) -> nx.DiGraph[int]:
        return nx.DiGraph(list(self.edges))

    def laid_out(self, style: Style = AUTO, keep: Layout | None = None) -> Layout:
        return arrange(self.sizes(), self.edges, style=style, keep=keep)


def random_shape(seed: int, fewest: int = 2, most: int = 120) -> Shape:
    """Sparse or dense, with short edges or long ones; ids say nothing about the order of the nodes."""
    random = Random(seed)
    nodes = random.sample(range(1_000), random.randint(fewest, most))
    reach = random.choice((3, 15, len(nodes)))
    edges = set()
    for _ in range(int(len(nodes) * random.choice((0.5, 1, 1.5, 2, 3)))):
        up = random.randrange(len(nodes) - 1)
        down = min(len(nodes) - 1, up + random.randint(1, reach))
        edges.add((nodes[up], nodes[down]))
    return Shape.of(edges, *nodes)


def layered_shape(nodes: int, layers: int, seed: int = 0) -> Shape:
    """A window as a platform has them: one to three upstreams each, most of them in the layer before."""
    random = Random(seed)
    each = max(1, nodes // layers)
    edges = set()
    for node in range(each, nodes):
        layer = node // each
        for _ in range(random.randint(1, 3)):
            of = layer - 1 if random.random() < 0.8 else random.randrange(layer)
            edges.add((of * each + random.randrange(each), node))
    return Shape.of(edges, *range(nodes))


def fan(up: int, down: int) -> Shape:
    """A hub, n0, with its neighbours on both sides."""
    return Shape.of({(node, 0) for node in range(1, up + 1)} | {(0, node) for node in range(up + 1, up + down + 1)}, 0)


def chain(length: int) -> Shape:
    return Shape.of({(node, node + 1) for node in range(length - 1)}, 0)


def ladder(length: int) -> Shape:
    """A chain whose every node feeds all that come after it: each layer is passed by many long edges."""
    return Shape.of({(up, down) for up in range(length) for down in range(up + 1, length)})


def bipartite(up: int, down: int) -> Shape:
    return Shape.of({(source, up + target) for source in range(up) for target in range(down)})


def swapped(pairs: int) -> Shape:
    """Sources that feed each other's opposite: their tracks demand of each other to come first."""
    turned = {(node, pairs + (node ^ 1)) for node in range(pairs)}
    return Shape.of(turned | {(node, pairs + (node ^ 1 ^ 2)) for node in range(pairs)})


def separate(*shapes: Shape) -> Shape:
    """Several graphs as one."""
    edges: set[Edge] = set()
    nodes: list[int] = []
    for shape in shapes:
        first = len(nodes)
        number = {node: first + position for position, node in enumerate(shape.nodes)}
        nodes += number.values()
        edges |= {(number[up], number[down]) for up, down in shape.edges}
    return Shape.of(edges, *nodes)


HARD = {
    "nothing": Shape.of(set()),
    "single node": Shape.of(set(), 7),
    "unconnected nodes": Shape.of(set(), *range(20)),
    "hub": fan(18, 18),
    "wide hub": fan(250, 250),
    "500 downstream": fan(0, 500),
    "500 upstream": fan(500, 0),
    "long chain": chain(60),
    "ladder": ladder(12),
    "complete bipartite": bipartite(10, 10),
    "narrow to wide": bipartite(2, 30),
    "swapped": swapped(8),
    "components": separate(fan(3, 2), chain(5), Shape.of(set(), 0), bipartite(3, 3), Shape.of(set(), 0), chain(2)),
}


@cache
def project(name: str) -> nx.DiGraph[int]:
    """The tasks of a real project, numbered."""
    path = SAMPLES / name
    content = path.read_bytes()
    parents = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)["parent_map"]
    graph: nx.DiGraph[str] = nx.DiGraph()
    for task, upstreams in parents.items():
        if task.startswith(TASKS):
            graph.add_node(task)
            graph.add_edges_from((upstream, task) for upstream in upstreams if upstream.startswith(TASKS))
    return nx.convert_node_labels_to_integers(graph, ordering="sorted")


def windows(graph: nx.DiGraph[int], levels: int, most: int, number: int) -> Iterator[Shape]:
    """Windows around nodes all over a graph, leaving out those with too many nodes."""
    nodes = sorted(graph)
    for main in nodes[:: max(1, len(nodes) // number)]:
        shape = window(graph, main, levels)
        if len(shape.nodes) <= most:
            yield shape


def window(graph: nx.DiGraph[int], main: int, levels: int) -> Shape:
    """So many levels around a node."""
    up = nx.ego_graph(graph.reverse(copy=False), main, levels)
    inside = graph.subgraph({*up, *nx.ego_graph(graph, main, levels)})
    return Shape.of(set(inside.edges), *inside)
