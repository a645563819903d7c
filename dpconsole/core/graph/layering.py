"""Layers, order and rows of the nodes of a graph: the part of its picture that knows no wires.

Every edge of a `Lattice` spans one layer, because a longer one is cut by relays: one for each source and layer, which
all edges of that source pass through. `find_rows` gives every item a row, so that related items stand close, few wires
cross, and no two items of a layer overlap.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from networkx import DiGraph

SWEEPS = 8
"""Passes over all layers that order them by barycenter, to the right and to the left in turn."""

PATIENCE = 2
"""Passes that may bring nothing before the order is taken as it is."""

SETTLINGS = 4
"""Passes over all layers that move the rows to the medians of their neighbours."""

RELAY_WEIGHT = 8.0
"""How much more a long wire keeps straight than a node keeps its place."""

Span = tuple[int, int]
"""The rows an item takes before and after its own: (0, 0) for a line, half a box on each side for a box."""

LINE: Span = (0, 0)


@dataclass(frozen=True, slots=True)
class Lattice:
    """A graph by layers. Items below `nodes` are its nodes, in the order of their ids, the others are relays.

    `owner` is the id of the node, or of the source whose wires a relay passes on; `relays` are those of each node from
    left to right, `parts` the items that hang together.
    """

    nodes: int
    owner: list[int]
    layer: list[int]
    ups: list[list[int]]
    downs: list[list[int]]
    relays: list[list[int]]
    parts: list[list[int]]

    @classmethod
    def of(cls, ids: Collection[int], edges: Collection[tuple[int, int]]) -> Lattice:
        """The graph by layers. Raises ValueError for a cycle, and for an edge of a node that is not there."""
        from networkx import DiGraph, weakly_connected_components

        graph: DiGraph[int] = DiGraph()
        graph.add_nodes_from(sorted(ids))
        graph.add_edges_from(sorted(edges))
        if missing := graph.nodes - set(ids):
            raise ValueError(f"an edge names node {min(missing)}, which is not among the nodes")
        builder = _Builder(graph)
        parts = [builder.items(nodes) for nodes in weakly_connected_components(graph)]
        return cls(len(graph), builder.owner, builder.layer, builder.ups, builder.downs, builder.relays, parts)

    @property
    def ids(self) -> Sequence[int]:
        """The id of each node."""
        return self.owner[: self.nodes]

    def layers(self, items: Iterable[int]) -> list[list[int]]:
        """The items, layer by layer, from the first that has any."""
        layers: dict[int, list[int]] = {}
        for item in items:
            layers.setdefault(self.layer[item], []).append(item)
        return [layers[layer] for layer in sorted(layers)]


class _Builder:
    """Numbers the items, and links them layer by layer."""

    def __init__(self, graph: DiGraph[int]) -> None:
        layers = _layers(graph)
        self.owner = list(graph)
        self.layer = [layers[node] for node in self.owner]
        self.ups: list[list[int]] = [[] for _ in self.owner]
        self.downs: list[list[int]] = [[] for _ in self.owner]
        self._number = {node: item for item, node in enumerate(self.owner)}
        self.relays: list[list[int]] = []
        for node in list(graph):
            self._link(self._number[node], [self._number[target] for target in graph.successors(node)])

    def items(self, nodes: Iterable[int]) -> list[int]:
        """The items of some nodes, with their relays."""
        numbers = sorted(self._number[node] for node in nodes)
        return [*numbers, *(relay for number in numbers for relay in self.relays[number])]

    def _link(self, source: int, targets: Sequence[int]) -> None:
        first = self.layer[source] + 1
        chain = [source]
        for layer in range(first, max((self.layer[target] for target in targets), default=first)):
            chain.append(self._relay(source, layer))
            self._join(chain[-2], chain[-1])
        for target in targets:
            self._join(chain[self.layer[target] - first], target)
        self.relays.append(chain[1:])

    def _relay(self, source: int, layer: int) -> int:
        self.owner.append(self.owner[source])
        self.layer.append(layer)
        self.ups.append([])
        self.downs.append([])
        return len(self.owner) - 1

    def _join(self, up: int, down: int) -> None:
        self.downs[up].append(down)
        self.ups[down].append(up)


def _layers(graph: DiGraph[int]) -> dict[int, int]:
    """The generation of each node; a node nothing leads to stands beside the nearest it leads to."""
    from networkx import NetworkXUnfeasible, find_cycle, topological_generations

    try:
        generations = list(topological_generations(graph))
    except NetworkXUnfeasible:
        cycle = [edge[0] for edge in find_cycle(graph)]
        raise ValueError(f"not a graph without cycles: {' -> '.join(map(str, [*cycle, cycle[0]]))}") from None
    layers = {node: layer for layer, nodes in enumerate(generations) for node in nodes}
    for node in generations[0] if generations else ():
        layers[node] = min((layers[target] - 1 for target in graph.successors(node)), default=0)
    return layers


def find_rows(lattice: Lattice, spans: Sequence[Span], gap: int, kept: Mapping[int, int]) -> list[int]:
    """The row of every item; parts of the graph that nothing connects stand below each other.

    `spans` are those of the nodes, `gap` the free rows between two items, `kept` former rows by node, whose order in a
    layer stays. Between lines, a row that nothing stands on is left out.
    """
    sizes = [*spans, *[LINE] * (len(lattice.owner) - lattice.nodes)]
    known = {item: kept[node] for item, node in enumerate(lattice.ids) if node in kept}
    rows = [0] * len(sizes)
    free = 0
    before: Sequence[int] = ()
    for part in sorted(lattice.parts, key=lambda part: _standing(part, known)):
        if before and max(len(before), len(part)) > 1:  # nodes that stand alone need no free row between them
            free += 1
        settled = _settled(lattice, _ordered(lattice, part, known), sizes, gap)
        top = min(settled[item] - sizes[item][0] for item in part)
        for item in part:
            rows[item] = settled[item] - top + free
        free = max(rows[item] + sizes[item][1] for item in part) + 1 + gap
        before = part
    return rows


def _standing(part: Sequence[int], known: Mapping[int, int]) -> tuple[float, int, int]:
    """Where a part stands among the others: as before, then the larger ones first."""
    return min((known[item] for item in part if item in known), default=float("inf")), -len(part), min(part)


def _ordered(lattice: Lattice, part: Sequence[int], known: Mapping[int, int]) -> list[list[int]]:
    """The items of each layer in the order that crosses the fewest wires of those the sweeps come to."""
    layers = [sorted(layer, key=lambda item: known.get(item, -1)) for layer in lattice.layers(part)]
    at = {item: float(position) for layer in layers for position, item in enumerate(layer)}
    best, fewest, found = layers, float("inf"), 0
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for layer in layers if forth else reversed(layers):
            _sweep(layer, lattice.ups if forth else lattice.downs, at, known)
        if (crossings := _crossings(layers, lattice.downs, at)) < fewest:
            best, fewest, found = [list(layer) for layer in layers], crossings, sweep
        if not fewest or sweep - found == PATIENCE:
            break
    return best


def _sweep(layer: list[int], beside: Sequence[Sequence[int]], at: dict[int, float], known: Mapping[int, int]) -> None:
    """Order a layer by the mean position of what stands beside each item; items known before keep their order."""

    def barycenter(item: int) -> float:
        near = beside[item]
        return at[near[0]] if len(near) == 1 else fmean([at[other] for other in near or (item,)])

    layer.sort(key=barycenter)
    if known:
        former = iter(sorted((item for item in layer if item in known), key=known.__getitem__))
        layer[:] = [next(former) if item in known else item for item in layer]
    at.update((item, float(position)) for position, item in enumerate(layer))


def _crossings(layers: Sequence[Sequence[int]], downs: Sequence[Sequence[int]], at: Mapping[int, float]) -> int:
    """Pairs of wires that cross: inversions of the target positions, taken in the order of the sources."""
    crossings = 0
    for layer in layers:
        seen: list[float] = []
        for item in layer:
            ends = [at[target] for target in downs[item]]
            crossings += sum([len(seen) - bisect_right(seen, end) for end in ends])
            for end in ends:
                insort(seen, end)
    return crossings


def _settled(lattice: Lattice, layers: Sequence[Sequence[int]], sizes: Sequence[Span], gap: int) -> Mapping[int, int]:
    """The rows of one part: its order kept, each item near the median of its neighbours."""
    rows: dict[int, int] = {}
    starts = {id(layer): _starts(layer, sizes, gap) for layer in layers}
    for layer in layers:
        rows.update(zip(layer, starts[id(layer)], strict=True))
    for settling in range(SETTLINGS):
        forth = settling % 2 == 0
        for layer in layers if forth else reversed(layers):
            _settle(layer, starts[id(layer)], lattice, rows, lattice.ups if forth else lattice.downs)
    return _dense(rows) if all(sizes[item] == LINE for item in rows) else rows


def _starts(layer: Sequence[int], sizes: Sequence[Span], gap: int) -> list[int]:
    """The rows of a layer packed as closely as it can be."""
    rows: list[int] = []
    free = 0
    for item in layer:
        before, after = sizes[item]
        rows.append(free + before)
        free = rows[-1] + after + 1 + gap
    return rows


def _settle(
    layer: Sequence[int],
    starts: Sequence[int],
    lattice: Lattice,
    rows: dict[int, int],
    beside: Sequence[Sequence[int]],
) -> None:
    """Move one layer towards the medians of what stands beside it, its order and its gaps kept."""
    wanted = [_middle(rows, beside[item] or (item,)) for item in layer]
    weights = [RELAY_WEIGHT if item >= lattice.nodes else 1.0 for item in layer]
    slack = pool([want - start for want, start in zip(wanted, starts, strict=True)], weights)
    rows.update((item, start + shift) for item, start, shift in zip(layer, starts, slack, strict=True))


def _middle(rows: Mapping[int, int], items: Sequence[int]) -> float:
    return rows[items[0]] if len(items) == 1 else median([rows[item] for item in items])


def pool(wanted: Sequence[float], weights: Sequence[float]) -> list[int]:
    """The rising whole numbers nearest to `wanted` in squares: adjacent violators are pooled to their mean."""
    blocks: list[tuple[float, float, int]] = []
    for want, weight in zip(wanted, weights, strict=True):
        block = (want * weight, weight, 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    return [round(total / weight) for total, weight, number in blocks for _ in range(number)]


def _dense(rows: Mapping[int, int]) -> Mapping[int, int]:
    """The same rows without those that nothing stands on."""
    ranks = {row: rank for rank, row in enumerate(sorted(set(rows.values())))}
    return {item: ranks[row] for item, row in rows.items()}
