"""Clean text measured in terminal cells: cut and padded so that a wide character is never halved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len, set_cell_size

from dpconsole.core.domain.text import ELLIPSIS
from dpconsole.widgets.ink import Cell, Ink, Piece, pieces

Align = Literal["left", "right"]


def width_of(text: str) -> int:
    """Cells that `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut_cells(text: str, width: int) -> str:
    """`text` in at most `width` cells, ending in an ellipsis when something was cut."""
    if width <= 0:
        return ""
    if width_of(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def cut_pieces(cell: Cell, width: int) -> list[Piece]:
    """The pieces of `cell` that fit in `width` cells; the one that is cut is the last."""
    kept: list[Piece] = []
    for text, ink in pieces(cell):
        if width <= 0:
            break
        shown = cut_cells(text, width)
        kept.append((shown, ink))
        width = width - width_of(shown) if shown == text else 0
    return kept


def fit(cell: Cell, width: int, align: Align = "left") -> Sequence[Piece]:
    """The pieces of `cell` in exactly `width` cells."""
    kept = cut_pieces(cell, width)
    used = sum(width_of(text) for text, _ in kept)
    blank = (" " * (width - used), Ink.PLAIN)
    if used == width:
        return kept
    return [blank, *kept] if align == "right" else [*kept, blank]


def wrapped(words: str, width: int) -> list[str]:
    """A sentence in lines of at most `width` cells, broken between words."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
