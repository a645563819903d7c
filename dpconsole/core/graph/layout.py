"""The picture of a dependency graph as geometry: where every node stands and where every wire runs.

`arrange` takes the widths of the labels and the edges and gives a `Layout`, in cells; it knows no colour and no
terminal. It promises four things. Every edge is drawn and nothing else. Two edges that share neither their source nor
their target never run through the same cell in the same direction. The same graph, named in any order, is the same
picture. And a graph that grew keeps its nodes in the order they stood in, when it is told the layout before.

A picture runs left to right, one line a node; a few nodes are boxes, top-down. Section 6 of the design.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag

Cell = tuple[int, int]
"""Column and line of a cell of the picture, from its upper left corner."""

Edge = tuple[int, int]
"""Ids of the upstream and of the downstream node."""

FEW = 12
"""Nodes up to which a picture is drawn as boxes."""


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
    def text(self) -> Cell:
        """The cell the label begins in."""
        return (self.x + 2, self.y + 1) if self.framed else (self.x, self.y)

    @property
    def text_width(self) -> int:
        """The cells the label has."""
        return self.width - 4 if self.framed else self.width


@dataclass(frozen=True, slots=True)
class Wire:
    """What runs through one cell: its arms, and what they mean where several meet.

    Arms that meet are joined, with two exceptions. Where wires are `crossing`, two unrelated ones pass plainly. Where
    a wire is `joining`, it flows into the through wire, and the through wire does not flow into it. A `head` is the
    last cell before a node.
    """

    arms: Arm
    crossing: bool = False
    joining: bool = False
    head: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture: `width` columns and `height` lines; flows to the right, or down when `top_down`."""

    places: Mapping[int, Place]
    wires: Mapping[Cell, Wire]
    edges: frozenset[Edge]
    width: int
    height: int
    top_down: bool

    def upstream_of(self, node: int) -> tuple[int, ...]:
        """The nodes an edge leads from to this one, in the order they stand in."""
        raise NotImplementedError

    def downstream_of(self, node: int) -> tuple[int, ...]:
        """The nodes an edge leads to from this one, in the order they stand in."""
        raise NotImplementedError

    def step(self, node: int, towards: Arm) -> int | None:
        """The node one step away as it is drawn: along the nearest edge, or to the neighbour in the layer."""
        raise NotImplementedError

    def edges_at(self, x: int, y: int) -> frozenset[Edge]:
        """The edges that run through a cell; those of the node whose place it is; or none."""
        raise NotImplementedError

    def route(self, edges: Iterable[Edge]) -> Mapping[Cell, Arm]:
        """The cells those edges run through, with the arms they use: what to light up for a focused node."""
        raise NotImplementedError

    def edges_of(self, node: int) -> frozenset[Edge]:
        """The edges that begin or end at a node."""
        raise NotImplementedError


def arrange(
    nodes: Sequence[NodeSize], edges: Collection[Edge], *, style: Style = AUTO, keep: Layout | None = None
) -> Layout:
    """Lay out a graph.

    `keep` is a layout whose nodes stay in the order they stood in. Raises ValueError for a cycle, naming it, and for an
    edge of a node that is not there.
    """
    raise NotImplementedError
