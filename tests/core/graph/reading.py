"""Reads a drawn picture back into a graph, from nothing but its characters.

It follows every wire as a person would: from the node it leaves, onwards, and never back against the flow. Nodes are
called n0, n1, n2 ...; no other word stands in a picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

Cell = tuple[int, int]
Way = tuple[int, int]

N, E, S, W = (0, -1), (1, 0), (0, 1), (-1, 0)
BACK = {N: S, S: N, E: W, W: E}
LABEL = re.compile(r"n(\d+)")

ARMS = {
    "│": {N, S}, "─": {E, W}, "┌": {E, S}, "┐": {S, W}, "└": {N, E}, "┘": {N, W},
    "├": {N, E, S}, "┤": {N, S, W}, "┬": {E, S, W}, "┴": {N, E, W}, "╋": {N, E, S, W}, "┼": {N, E, S, W},
    "╤": {E, S, W}, "╧": {N, E, W}, "╪": {N, E, S, W}, "╟": {N, E, S}, "╢": {N, S, W}, "╫": {N, E, S, W},
    "▸": {E, W}, "▾": {N, S},
    "|": {N, S}, "-": {E, W}, ")": {N, E, S, W},
}  # fmt: skip
ALONG = {N: "|+)", S: "|+)", E: "-+)", W: "-+)"}
"""What a `+` is connected to on each side in ASCII, beside another that joins."""


class Picture:
    """A picture of boxes runs down, one of lines to the right."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        found = [
            (int(match[1]), (match.start(), y), match.end())
            for y, line in enumerate(lines)
            for match in LABEL.finditer(line)
        ]
        self.nodes = {node: (x, y, end) for node, (x, y), end in found}
        assert len(self.nodes) == len(found), "a node stands twice"
        first = found[0][1]
        self.down = self.at((first[0] - 2, first[1])) in "│|" and self.at((first[0] - 2, first[1])) != " "
        self.forward = S if self.down else E
        self.joining = "╟╢╫v" if self.down else "╤╧╪>"
        self._beyond: dict[tuple[Cell, Way], list[tuple[Cell, Way]]] = {}
        self.entries = {cell: node for node in self.nodes for cell in self._entries(node)}

    def at(self, cell: Cell) -> str:
        x, y = cell
        return self.lines[y][x] if 0 <= y < len(self.lines) and 0 <= x < len(self.lines[y]) else " "

    def edges(self) -> set[tuple[int, int]]:
        """Every edge that is drawn."""
        return {(node, target) for node in self.nodes for start in self._starts(node) for target in self._follow(start)}

    def _entries(self, node: int) -> Iterator[Cell]:
        """The cells in which the head of a wire points at a node."""
        x, y, end = self.nodes[node]
        if self.down:
            yield from ((column, y - 2) for column in range(x - 2, end + 2))
        else:
            yield x - 2, y

    def _starts(self, node: int) -> Iterator[Cell]:
        """The cells in which the wires of a node begin."""
        x, y, end = self.nodes[node]
        if self.down:
            yield from ((column, y + 2) for column in range(x - 1, end + 1) if self.at((column, y + 1)) in "┬+")
        elif self.at((end + 1, y)) != " ":
            yield end + 1, y

    def _follow(self, start: Cell) -> Iterator[int]:
        seen = set()
        ahead = [(start, self.forward)]
        while ahead:
            state = cell, way = ahead.pop()
            if state in seen:
                continue
            seen.add(state)
            if state not in self._beyond:
                assert BACK[way] in self._arms(cell), f"a wire breaks off before {cell}"
                self._beyond[state] = [((cell[0] + x, cell[1] + y), (x, y)) for x, y in self._exits(cell, way)]
            if cell in self.entries and self.at(cell) in "▸▾>v":
                yield self.entries[cell]
            else:
                ahead += self._beyond[state]

    def _exits(self, cell: Cell, way: Way) -> set[Way]:
        if self.at(cell) in "┼)":
            return {way}
        if self.at(cell) in self.joining:
            return {self.forward, way} & self._arms(cell)
        return self._arms(cell) - {BACK[way], BACK[self.forward]}

    def _arms(self, cell: Cell) -> set[Way]:
        character = self.at(cell)
        if character in "+>v":
            return {way for way in (N, E, S, W) if self._plain_arm(cell, way)}
        return ARMS.get(character, set())

    def _plain_arm(self, cell: Cell, way: Way) -> bool:
        """Whether an arm leaves a `+`, a `>` or a `v` this way: whether its neighbour there has one towards it."""
        beside = self.at((cell[0] + way[0], cell[1] + way[1]))
        if cell in self.entries:
            return way in (self.forward, BACK[self.forward])
        return beside in ALONG[way] + ("v" if self.down else ">")
