"""Names and values, one pair a line, the values aligned: what details and dialogs are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dpconsole.widgets.cells import width_of
from dpconsole.widgets.ink import Cell, Ink, Piece, pieces

Fact = tuple[str, Cell]


def facts(pairs: Sequence[Fact]) -> list[Piece]:
    """The pairs as one text of several lines."""
    widest = max((width_of(name) for name, _ in pairs), default=0)
    return paragraph([(name + " " * (widest - width_of(name) + 2), Ink.DIM), *pieces(value)] for name, value in pairs)


def paragraph(lines: Iterable[Cell]) -> list[Piece]:
    """Lines as one text."""
    written: list[Piece] = []
    for number, line in enumerate(lines):
        written += [("\n", Ink.PLAIN)] if number else []
        written += pieces(line)
    return written
