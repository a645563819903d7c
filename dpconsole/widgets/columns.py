"""Columns of a row table as data, and how they share the cells of a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dpconsole.widgets.cells import Align, width_of
from dpconsole.widgets.ink import Cell, pieces

GAP = 1
"""Blank cells between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it shows and how it behaves when there is little or much room.

    `render` takes a row and returns a cell. `width` is the comfortable width in cells; with `min_width` the column may
    shrink to that first. `priority` 0 always stays; the highest number is dropped first. `flex` is the share of spare
    cells the column takes. `short` is what it shows where `render`'s words do not fit.
    """

    id: str
    title: str
    width: int
    render: Callable[[Any], Cell]
    align: Align = "left"
    priority: int = 0
    sortable: bool = False
    min_width: int = 0
    flex: int = 0
    short: Callable[[Any], Cell] | None = None

    def heading(self, width: int) -> str:
        """What stands above the column where it is so many cells wide."""
        return self.title

    def cell(self, row: Any, width: int) -> Cell:
        """What the column shows of a row in so many cells."""
        shown = self.render(row)
        if self.short is None or sum(width_of(text) for text, _ in pieces(shown)) <= width:
            return shown
        return self.short(row)

    @property
    def least(self) -> int:
        """The fewest cells in which the column is still worth showing."""
        return self.min_width or self.width


@dataclass(frozen=True, slots=True)
class Placed:
    """A column that is shown: its first cell on the line and its width."""

    column: Column
    x: int
    width: int

    @property
    def end(self) -> int:
        """The cell after its last."""
        return self.x + self.width


def place(columns: Sequence[Column], width: int, left: int = 0, *, fit: bool = True) -> list[Placed]:
    """Lay columns out from cell `left` of a line of `width` cells; without `fit`, all of them at full width."""
    if not fit:
        return _at(columns, [column.width for column in columns], left)
    kept = _keep(columns, width - left)
    return _at(kept, _share(kept, width - left - GAP * (len(kept) - 1)), left)


def _at(columns: Sequence[Column], widths: Sequence[int], left: int) -> list[Placed]:
    placed = []
    for column, width in zip(columns, widths, strict=True):
        placed.append(Placed(column, left, width))
        left += width + GAP
    return placed


def _keep(columns: Sequence[Column], room: int) -> list[Column]:
    """Drop columns by priority, the rightmost of equals first, until the least widths fit."""
    kept = list(columns)
    while sum(column.least + GAP for column in kept) - GAP > room:
        droppable = [column for column in kept if column.priority]
        if not droppable:
            break
        kept.remove(max(reversed(droppable), key=lambda column: column.priority))
    return kept


def _share(columns: Sequence[Column], room: int) -> list[int]:
    """Widths that fill `room`: first everybody's comfortable width from the left, then the spare by flex."""
    widths = [column.least for column in columns]
    spare = room - sum(widths)
    for index, column in enumerate(columns):
        grow = max(0, min(spare, column.width - widths[index]))
        widths[index] += grow
        spare -= grow
    if spare < 0 and widths:
        return _squeeze(widths, room)
    shares = sum(column.flex for column in columns)
    for index, column in enumerate(columns):
        if column.flex:
            grow = spare * column.flex // shares
            widths[index] += grow
            spare -= grow
            shares -= column.flex
    return widths


def _squeeze(widths: list[int], room: int) -> list[int]:
    """Nothing may be dropped any more: columns are cut from the right."""
    for index in reversed(range(len(widths))):
        excess = sum(widths) - room
        widths[index] -= max(0, min(excess, widths[index] - 1))
    return widths
