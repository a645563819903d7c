"""The picture of a dependency graph as geometry: where every node stands and where every wire runs.

`arrange` takes the widths of the labels and the edges and gives a `Layout`, in cells; it knows no colour and no
terminal. It promises four things. Every edge is drawn and nothing else. Two edges that share neither their source nor
their target never run through the same cell in the same direction. The same graph, named in any order, is the same
picture. And a graph that grew keeps its nodes in the order they stood in, when it is told the layout before.

A picture runs left to right, one line a node; a few nodes are boxes, top-down. Section 6 of the design.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntFlag
from itertools import chain, compress, pairwise

from dpconsole.core.graph.channels import channels
from dpconsole.core.graph.layering import LINE, Lattice, Span, find_rows
from dpconsole.core.graph.wiring import ARMS, CODES, HEAD, JOINING, JOINT, Spacing, Wiring, turned

Cell = tuple[int, int]
"""Column and line of a cell of the picture, from its upper left corner."""

Edge = tuple[int, int]
"""Ids of the upstream and of the downstream node."""

FEW = 12
"""Nodes up to which a picture is drawn as boxes."""

FRAME = 4
"""Cells of a box beside its label: two sides, and a blank inside each."""

BOX_HEIGHT = 3
BOX_GAP = 2


class Arm(IntFlag):
    """The sides of a cell a wire leaves by."""

    N = 1
    E = 2
    S = 4
    W = 8


@dataclass(frozen=True, slots=True)
class NodeSize:
    """A node to be placed: its id, and the cells its label takes."""

    id: int
    width: int


@dataclass(frozen=True, slots=True)
class Style:
    """How a graph is to be drawn.

    `boxes` says boxes top-down or lines left to right; None chooses boxes for few nodes, and then only where the
    picture is no larger than `room`, columns and lines, when that is given.
    """

    boxes: bool | None = None
    room: tuple[int, int] | None = None


AUTO = Style()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands: its upper left cell, its size with its frame, and its layer, 0 the most upstream."""

    x: int
    y: int
    width: int
    height: int
    layer: int

    @property
    def framed(self) -> bool:
        """Whether the node is a box."""
        return self.height > 1

    @property
    def port(self) -> int:
        """The column at which the wires of a box begin and end."""
        return self.x + self.width // 2

    @property
    def text(self) -> Cell:
        """The cell the label begins in."""
        return (self.x + 2, self.y + 1) if self.framed else (self.x, self.y)

    @property
    def text_width(self) -> int:
        """The cells the label has."""
        return self.width - 4 if self.framed else self.width


class Wire(int):
    """What runs through one cell: its arms, and what they mean where several meet.

    Arms that meet are joined, with two exceptions. Where wires are `crossing`, two unrelated ones pass plainly. Where
    the wire of a track is `joining`, it flows into the one that runs through towards a node, and never the other way.
    A `head` is the last cell before a node.
    """

    __slots__ = ()

    @property
    def arms(self) -> Arm:
        """The sides the wires leave by."""
        return _ARMS[self & ARMS]

    @property
    def crossing(self) -> bool:
        """Whether two wires pass here that have nothing to do with each other."""
        return self & (ARMS | JOINT | JOINING) == ARMS

    @property
    def joining(self) -> bool:
        """Whether one wire flows into another that does not flow into it."""
        return bool(self & JOINING)

    @property
    def head(self) -> bool:
        """Whether a node begins behind this cell."""
        return bool(self & HEAD)


class Wires(Mapping[Cell, Wire]):
    """The wires of a picture by cell; `lines` has the code of every cell, 0 where nothing runs."""

    __slots__ = ("lines",)

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = lines

    def __getitem__(self, cell: Cell) -> Wire:
        x, y = cell
        if 0 <= y < len(self.lines) and 0 <= x < len(self.lines[y]) and self.lines[y][x]:
            return _WIRES[self.lines[y][x]]
        raise KeyError(cell)

    def __iter__(self) -> Iterator[Cell]:
        return ((x, y) for y, line in enumerate(self.lines) for x in compress(range(len(line)), line))

    def __len__(self) -> int:
        return sum(len(line) - line.count(0) for line in self.lines)

    def turned(self) -> Wires:
        """The same over the diagonal."""
        return Wires([bytes(column).translate(_TURNED) for column in zip(*self.lines, strict=True)])


_ARMS = [Arm(arms) for arms in range(ARMS + 1)]
_WIRES = [Wire(code) for code in range(CODES)]
_TURNED = bytes(turned(code) for code in range(256))


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture: `width` columns and `height` lines; flows to the right, or down when `top_down`."""

    places: Mapping[int, Place]
    wires: Wires
    edges: frozenset[Edge]
    width: int
    height: int
    top_down: bool
    _wiring: Wiring = field(repr=False, compare=False)
    _items: Mapping[int, int] = field(repr=False, compare=False)

    def renamed(self, ids: Mapping[int, int]) -> Layout:
        """The same picture of other nodes: `ids` says which stands where each one stood."""
        return replace(
            self,
            places={ids[node]: at for node, at in self.places.items()},
            edges=frozenset((ids[source], ids[target]) for source, target in self.edges),
            _items={ids[node]: item for node, item in self._items.items()},
        )

    def upstream_of(self, node: int) -> tuple[int, ...]:
        """The nodes an edge leads from to this one, in the order they stand in."""
        return self._in_order(source for source, target in self.edges if target == node)

    def downstream_of(self, node: int) -> tuple[int, ...]:
        """The nodes an edge leads to from this one, in the order they stand in."""
        return self._in_order(target for source, target in self.edges if source == node)

    def edges_of(self, node: int) -> frozenset[Edge]:
        """The edges that begin or end at a node."""
        return frozenset(edge for edge in self.edges if node in edge)

    def step(self, node: int, towards: Arm) -> int | None:
        """The node one step away as it is drawn: along the nearest edge, or to the neighbour in the layer."""
        back, ahead, after = (Arm.N, Arm.S, Arm.E) if self.top_down else (Arm.W, Arm.E, Arm.S)
        if towards in (back, ahead):
            return self._nearest(node, self.upstream_of(node) if towards is back else self.downstream_of(node))
        layer = self.places[node].layer
        beside = self._in_order(other for other, place in self.places.items() if place.layer == layer)
        position = beside.index(node) + (1 if towards is after else -1)
        return beside[position] if 0 <= position < len(beside) else None

    def edges_at(self, x: int, y: int) -> frozenset[Edge]:
        """The edges that run through a cell."""
        if (x, y) not in self.wires:
            return frozenset()
        return frozenset(
            edge for edge in self.edges if any(_within(x, y, *leg) for leg in pairwise(self._corners(edge)))
        )

    def route(self, edges: Iterable[Edge]) -> Mapping[Cell, Arm]:
        """The cells those edges run through, with the arms they use: what to light up for a focused node."""
        arms: dict[Cell, Arm] = {}
        ahead, back = (Arm.S, Arm.N) if self.top_down else (Arm.E, Arm.W)
        for edge in edges:
            corners = self._corners(edge)
            for cell, used in chain(((corners[0], back), (corners[-1], ahead)), *map(_leg, corners, corners[1:])):
                arms[cell] = arms.get(cell, Arm(0)) | used
        return arms

    def _corners(self, edge: Edge) -> list[Cell]:
        source, target = edge
        corners = self._wiring.corners(self._items[source], self._items[target])
        return [(y, x) for x, y in corners] if self.top_down else list(corners)

    def _in_order(self, nodes: Iterable[int]) -> tuple[int, ...]:
        return tuple(sorted(nodes, key=self._along))

    def _nearest(self, node: int, others: Iterable[int]) -> int | None:
        along = self._along(node)
        return min(others, key=lambda other: (abs(self._along(other) - along), self._along(other)), default=None)

    def _along(self, node: int) -> int:
        """Where a node stands within its layer: its line, or the middle of its box."""
        place = self.places[node]
        return place.port if self.top_down else place.y


def arrange(
    nodes: Sequence[NodeSize],
    edges: Collection[Edge],
    *,
    style: Style = AUTO,
    keep: Layout | None = None,
    order: Mapping[int, int] | None = None,
) -> Layout:
    """Lay out a graph.

    `keep` is a layout whose nodes stay in the order they stood in, within each layer of what hangs together; without
    one, `order` may say how some nodes are to stand, the lowest first. Raises ValueError for a cycle, naming it, for an
    edge of a node that is not there, and for a node that is there twice.
    """
    widths = {node.id: node.width for node in nodes}
    if len(widths) < len(nodes):
        [(twice, _)] = Counter(node.id for node in nodes).most_common(1)
        raise ValueError(f"node {twice} is there twice")
    kept = dict(order or {}) if keep is None else {node: keep._along(node) for node in keep.places}
    if style.boxes is False or (style.boxes is None and len(nodes) > FEW):
        return _lines(widths, edges, kept)
    boxes = _boxes(widths, edges, kept)
    fits = style.room is None or (boxes.width <= style.room[0] and boxes.height <= style.room[1])
    return boxes if style.boxes or fits else _lines(widths, edges, kept)


def _lines(widths: Mapping[int, int], edges: Collection[Edge], kept: Mapping[int, int]) -> Layout:
    """Left to right, one line a node, a free cell on both sides of a label."""
    grid = Lattice.of(widths, edges)
    rows = find_rows(grid, [LINE] * grid.nodes, 0, kept)
    return _layout(grid, rows, [widths[node] for node in grid.ids], Spacing(margin=1, lead=1), edges)


def _boxes(widths: Mapping[int, int], edges: Collection[Edge], kept: Mapping[int, int]) -> Layout:
    """Top-down: the picture that runs to the right, turned over its diagonal."""
    grid = Lattice.of(widths, edges)
    spans = [_halves(widths[node] + FRAME) for node in grid.ids]
    rows = find_rows(grid, spans, BOX_GAP, kept)
    return _layout(grid, rows, [BOX_HEIGHT] * grid.nodes, Spacing(margin=0, lead=0), edges, boxes=spans)


def _halves(width: int) -> Span:
    """The cells of a box before and after the one its wires begin at."""
    return width // 2, width - width // 2 - 1


def _layout(
    grid: Lattice,
    rows: list[int],
    widths: Sequence[int],
    spacing: Spacing,
    edges: Collection[Edge],
    boxes: Sequence[Span] = (),
) -> Layout:
    """The cells of a picture whose rows are known; `boxes` are the spans of its nodes where it runs down."""
    wiring = Wiring.of(grid, rows, widths, channels(grid, rows), spacing)
    spans = boxes or [LINE] * grid.nodes
    places = {
        node: Place(wiring.columns[layer], row - before, width, before + 1 + after, layer)
        for node, layer, row, width, (before, after) in zip(grid.ids, grid.layer, rows, widths, spans, strict=False)
    }
    width = max((place.x + place.width for place in places.values()), default=0)
    height = max((place.y + place.height for place in places.values()), default=0)
    height = max([height, *(row + 1 for row in rows)])
    numbers = {node: item for item, node in enumerate(grid.ids)}
    layout = Layout(places, Wires(wiring.paint(width, height)), frozenset(edges), width, height, False, wiring, numbers)
    return _turned(layout) if boxes else layout


def _turned(layout: Layout) -> Layout:
    """The same picture turned over its diagonal, so that it runs down."""
    places = {node: Place(at.y, at.x, at.height, at.width, at.layer) for node, at in layout.places.items()}
    return replace(
        layout, places=places, wires=layout.wires.turned(), width=layout.height, height=layout.width, top_down=True
    )


def _leg(start: Cell, end: Cell) -> Iterator[tuple[Cell, Arm]]:
    """The cells of a straight stretch with the arms it uses; it runs right, down, or up, or turned over."""
    if start[0] == end[0]:
        first, last = sorted((start[1], end[1]))
        cells = [(start[0], y) for y in range(first, last + 1)]
        forth, back = Arm.S, Arm.N
    else:
        first, last = sorted((start[0], end[0]))
        cells = [(x, start[1]) for x in range(first, last + 1)]
        forth, back = Arm.E, Arm.W
    yield from ((cell, forth) for cell in cells[:-1])
    yield from ((cell, back) for cell in cells[1:])


def _within(x: int, y: int, start: Cell, end: Cell) -> bool:
    return min(start[0], end[0]) <= x <= max(start[0], end[0]) and min(start[1], end[1]) <= y <= max(start[1], end[1])
