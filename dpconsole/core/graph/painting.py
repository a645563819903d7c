"""A layout as characters: box drawing, or plain ASCII.

Whatever wires do where they meet has a character of its own, so the picture alone says which edges there are:

    wires that                                       box drawing    ASCII
    are connected                                    ├ ┤ ┬ ┴ ╋      +
    cross, and are not                               ┼              )
    join the double line, which does not join them   ╤ ╧ ╪          >
    the same where the picture runs down             ╟ ╢ ╫          v
    end at a node                                    ▸ ▾            > v

In ASCII a `+` has the arms its neighbours have towards it; tracks keep apart, so that this is never in doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from dpconsole.core.graph.layout import Arm, Cell, Layout, Place, Wire

_N, _E, _S, _W = Arm.N, Arm.E, Arm.S, Arm.W
_ALL = _N | _E | _S | _W

_CONNECTED = {
    _N: "╵", _E: "╶", _S: "╷", _W: "╴",
    _N | _S: "│", _E | _W: "─",
    _E | _S: "┌", _S | _W: "┐", _N | _E: "└", _N | _W: "┘",
    _N | _E | _S: "├", _N | _S | _W: "┤", _E | _S | _W: "┬", _N | _E | _W: "┴", _ALL: "╋",
}  # fmt: skip
_JOINING = {
    False: {_E | _S | _W: "╤", _N | _E | _W: "╧", _ALL: "╪"},
    True: {_N | _S | _E: "╟", _N | _S | _W: "╢", _ALL: "╫"},
}
_CROSSING = "┼"
_HEAD = {False: "▸", True: "▾"}

_PLAIN_CONNECTED = {_N | _S: "|", _E | _W: "-"}
_PLAIN_CORNER = "+"
_PLAIN_CROSSING = ")"
_PLAIN_HEAD = {False: ">", True: "v"}


def characters(layout: Layout, *, ascii: bool = False) -> Mapping[Cell, str]:
    """The character of every cell a wire runs through."""
    glyph = _plain if ascii else _drawn
    return {cell: glyph(wire, layout.top_down) for cell, wire in layout.wires.items()}


@cache
def _drawn(wire: Wire, top_down: bool) -> str:
    if wire.head:
        return _HEAD[top_down]
    if wire.joining:
        return _JOINING[top_down][wire.arms]
    return _CROSSING if wire.crossing else _CONNECTED[wire.arms]


@cache
def _plain(wire: Wire, top_down: bool) -> str:
    if wire.head or wire.joining:
        return _PLAIN_HEAD[top_down]
    return _PLAIN_CROSSING if wire.crossing else _PLAIN_CONNECTED.get(wire.arms, _PLAIN_CORNER)


def wire_glyph(code: int, top_down: bool) -> str:
    """The character of a cell, by its code in the lines of `Wires`."""
    return _drawn(Wire(code), top_down)


def frames(layout: Layout, *, ascii: bool = False) -> Mapping[Cell, str]:
    """The characters of the frames of the boxes, open below where a wire leaves; none for a picture of lines."""
    glyph = _plain if ascii else _drawn
    sources = {source for source, _ in layout.edges}
    return {
        cell: glyph(Wire(arms), True)
        for node, place in layout.places.items()
        if place.framed
        for cell, arms in _frame(place, node in sources)
    }


def _frame(place: Place, wired: bool) -> Iterator[tuple[Cell, Arm]]:
    right, bottom = place.x + place.width - 1, place.y + place.height - 1
    for x in range(place.x + 1, right):
        yield (x, place.y), _E | _W
        yield (x, bottom), _E | _W
    for y in range(place.y + 1, bottom):
        yield (place.x, y), _N | _S
        yield (right, y), _N | _S
    yield (place.x, place.y), _E | _S
    yield (right, place.y), _S | _W
    yield (place.x, bottom), _N | _E
    yield (right, bottom), _N | _W
    if wired:
        yield (place.port, bottom), _E | _S | _W


def draw(
    layout: Layout, labels: Mapping[int, str], *, ascii: bool = False, width_of: Callable[[str], int] = len
) -> list[str]:
    """The picture as lines of text, without blanks at their ends.

    `labels` are clean; one that is wider than its place is cut. `width_of` measures a character in cells: 0, 1 or 2.
    """
    lines = [[" "] * layout.width for _ in range(layout.height)]
    for (x, y), character in {**frames(layout, ascii=ascii), **characters(layout, ascii=ascii)}.items():
        lines[y][x] = character
    for node, place in layout.places.items():
        x, y = place.text
        lines[y][x : x + place.text_width] = _cells(labels[node], place.text_width, width_of)
    return ["".join(line).rstrip() for line in lines]


def _cells(label: str, width: int, width_of: Callable[[str], int]) -> list[str]:
    """The label as exactly `width` cells: an empty one follows a wide character, a mark stays with its letter."""
    cells: list[str] = []
    for character in label:
        size = width_of(character)
        if len(cells) + size > width:
            break
        if size == 0 and cells:
            cells[-1] += character
        cells += [character, ""][:size]
    return cells + [" "] * (width - len(cells))
