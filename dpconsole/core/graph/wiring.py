"""Wires as cells: where every column and channel lies, and which arms every cell has.

A picture is wired as if it ran to the right; one that runs down is the same picture turned over its diagonal. A cell is
a number: its arms, and what they mean where several meet. Arms are only ever set in pairs, one in each of two
neighbouring cells, so a wrong corner cannot be drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dpconsole.core.graph.channels import Channel, Net
from dpconsole.core.graph.layering import Lattice

N, E, S, W = 1, 2, 4, 8
ARMS = N | E | S | W
JOINT = 16
"""Wires meet here on purpose: without it, four arms are a crossing."""
JOINING = 32
"""The wire of the track flows into the one along the row, which does not flow into the track."""
HEAD = 64
"""The last cell before a node."""

CODES = 2 * HEAD
"""One more than the largest code of a cell."""


Point = tuple[int, int]

_ALONG = bytes((code | E | W) % 256 for code in range(256))


def turned(code: int) -> int:
    """The code of a cell over the diagonal: north for west, and south for east."""
    arms = sum(to for arm, to in ((N, W), (W, N), (E, S), (S, E)) if code & arm)
    return arms | code & ~ARMS


@dataclass(frozen=True, slots=True)
class Spacing:
    """Free cells on both sides of a label, and cells before the first track of a channel."""

    margin: int
    lead: int


@dataclass(frozen=True, slots=True)
class Wiring:
    """The columns of a picture: where each layer begins, each channel begins, and its last cell, that of the heads."""

    lattice: Lattice
    rows: Sequence[int]
    widths: Sequence[int]
    channels: Sequence[Channel]
    spacing: Spacing
    columns: Sequence[int]
    begins: Sequence[int]
    heads: Sequence[int]
    turns: Sequence[int | None]

    @classmethod
    def of(
        cls, lattice: Lattice, rows: Sequence[int], widths: Sequence[int], channels: Sequence[Channel], spacing: Spacing
    ) -> Wiring:
        """Lay the layers and the channels side by side."""
        columns: list[int] = [0]
        begins: list[int] = []
        heads: list[int] = []
        turns: list[int | None] = [None] * len(lattice.owner)
        widest = [0] * len(channels)
        for layer, width in zip(lattice.layer, widths, strict=False):
            widest[layer] = max(widest[layer], width)
        for layer, channel in enumerate(channels):
            begins.append(columns[-1] + widest[layer] + spacing.margin)
            heads.append(begins[-1] + spacing.lead + channel.width)
            columns.append(heads[-1] + 1 + spacing.margin)
            for net, track in zip(channel.nets, channel.tracks, strict=True):
                for source in net.sources:
                    turns[source] = None if track is None else begins[-1] + spacing.lead + track
        return cls(lattice, rows, widths, channels, spacing, columns, begins, heads, turns)

    def start(self, item: int) -> int:
        """The first cell of the wires that leave an item."""
        layer = self.lattice.layer[item]
        if item >= self.lattice.nodes:
            return self.begins[layer]
        return self.columns[layer] + self.widths[item] + self.spacing.margin

    def paint(self, width: int, height: int) -> list[bytes]:
        """The code of every cell, line by line."""
        canvas = _Canvas(width, height)
        for item, layer in enumerate(self.lattice.layer):
            self._paint_item(canvas, item, layer)
        joining: list[Point] = []
        for layer, channel in enumerate(self.channels):
            for net in channel.nets:
                joining += self._paint_net(canvas, net, layer)
        for x, y in joining:
            if canvas.lines[y][x] & W:
                canvas.lines[y][x] ^= JOINT | JOINING
        return [bytes(line) for line in canvas.lines]

    def _paint_item(self, canvas: _Canvas, item: int, layer: int) -> None:
        """The row of an item: its head, the way through a relay, and the way to its track or straight on."""
        row = self.rows[item]
        if item >= self.lattice.nodes:
            canvas.along(row, self.heads[layer - 1], self.begins[layer])
        elif self.lattice.ups[item]:
            canvas.mark(self.heads[layer - 1], row, E | HEAD)
        if self.lattice.downs[item]:
            start = self.start(item)
            turn = self.turns[item]
            canvas.mark(start, row, W)
            canvas.along(row, start, self.heads[layer] if turn is None else turn)

    def _paint_net(self, canvas: _Canvas, net: Net, layer: int) -> list[Point]:
        """The track of a net and the ways from it to its targets; gives the cells where it may only join."""
        turn = self.turns[net.sources[0]]
        if turn is None:
            return []
        canvas.down(turn, *net.span(self.rows))
        leaving = {self.rows[source] for source in net.sources}
        for row in leaving:
            canvas.mark(turn, row, JOINT)
        for target in net.targets:
            row = self.rows[target]
            canvas.along(row, turn, self.heads[layer])
            canvas.mark(turn, row, JOINT)
        entered = {self.rows[target] for target in net.targets} - leaving
        return [(turn, row) for row in entered] if len(net.targets) > 1 else []

    def corners(self, source: int, target: int) -> Iterator[Point]:
        """The cells an edge begins in, turns in, and ends in."""
        lattice = self.lattice
        between = lattice.relays[source][: lattice.layer[target] - lattice.layer[source] - 1]
        yield self.start(source), self.rows[source]
        item = source
        for following in (*between, target):
            turn = self.turns[item]
            if turn is not None and self.rows[item] != self.rows[following]:
                yield turn, self.rows[item]
                yield turn, self.rows[following]
            item = following
        yield self.heads[lattice.layer[target] - 1], self.rows[target]


class _Canvas:
    """Codes of cells by line; whole stretches are set at once."""

    def __init__(self, width: int, height: int) -> None:
        self.lines = [bytearray(width) for _ in range(height)]

    def mark(self, x: int, y: int, code: int) -> None:
        self.lines[y][x] |= code

    def along(self, y: int, x: int, to: int) -> None:
        """A wire along a row."""
        if x == to:
            return
        line = self.lines[y]
        line[x] |= E
        line[x + 1 : to] = line[x + 1 : to].translate(_ALONG)
        line[to] |= W

    def down(self, x: int, y: int, to: int) -> None:
        """A wire along a track."""
        self.lines[y][x] |= S
        for row in range(y + 1, to):
            self.lines[row][x] |= N | S
        self.lines[to][x] |= N
