"""How the lines of a row table look: rows, header, and what stands in an empty table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntFlag

from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from dpconsole.core.domain.text import clean
from dpconsole.widgets.cells import cut_cells, fit, width_of
from dpconsole.widgets.columns import Placed
from dpconsole.widgets.ink import Cell, Ink, Piece, inked, pieces
from dpconsole.widgets.row_cache import Row
from dpconsole.widgets.strips import join

INDENT = "  "
FOLDERS: dict[bool | None, str] = {None: "", True: "▾ ", False: "▸ "}
ARROWS: dict[bool, str] = {False: " ▲", True: " ▼"}
CURSOR = "›"
GONE = "- no longer there -"


class State(IntFlag):
    """How a line stands in the table; together with the row it decides how the line is drawn."""

    PLAIN = 0
    CURSOR = 1
    MARKED = 2
    RANGE = 4
    AWAY = 8  # the cursor of a table that has not the focus
    PARTLY = 16  # a folder, of which some is marked


@dataclass(frozen=True, slots=True)
class Gutter:
    """What stands left of the first column, legible without colour: the cursor, and one of these signs."""

    marked: str
    partly: str
    in_range: str
    unmarked: str

    @property
    def width(self) -> int:
        """Cells it takes."""
        return 1 + width_of(self.unmarked)

    def pieces(self, state: State) -> Iterable[Piece]:
        """Cursor and sign of a line."""
        yield (CURSOR if State.CURSOR in state else " ", Ink.PLAIN)
        signs = {State.MARKED: self.marked, State.RANGE: self.in_range, State.PARTLY: self.partly}
        sign = next((sign for flag, sign in signs.items() if flag in state), self.unmarked)
        yield (sign, Ink.MARK if state & (State.MARKED | State.PARTLY) else Ink.PLAIN)


DOTS = Gutter(marked="●", partly="●", in_range="◌", unmarked=" ")
"""The gutter of a list."""

BOXES = Gutter(marked="[x] ", partly="[-] ", in_range="[◌] ", unmarked="[ ] ")
"""The gutter of a tree, whose folders may be marked in part."""

LINES: tuple[tuple[State, str], ...] = (
    (State.CURSOR | State.AWAY, "row-table--away"),
    (State.CURSOR, "row-table--cursor"),
    (State.RANGE, "row-table--range"),
)
"""The first whose flags are all set names the component class of the line."""

HEADER_LINE, HEADER_FOCUS, CURSOR_CELL, EMPTY = (
    "row-table--header",
    "row-table--header-focus",
    "row-table--cursor-cell",
    "row-table--empty",
)
LINE_CLASSES: set[str] = {HEADER_LINE, HEADER_FOCUS, CURSOR_CELL, EMPTY, *(name for _, name in LINES)}


@dataclass(frozen=True, slots=True)
class Sort:
    """The order the list was asked in, for the arrow in the header."""

    column_id: str
    descending: bool = False


class RowPainter:
    """Draws lines in the styles of a table; remembers the styles, never the lines."""

    def __init__(self, table: Widget, gutter: Gutter = DOTS) -> None:
        self._table = table
        self._gutter = gutter
        self._styles: dict[tuple[str, Ink], Style] = {}

    def forget_styles(self) -> None:
        """The sheets changed."""
        self._styles.clear()

    def row(self, row: Row | None, columns: Sequence[Placed], state: State, column_id: str | None) -> Strip:
        """A row; None is one that is gone. On the line of the cursor the cell of the column in focus stands out."""
        line = next((name for flags, name in LINES if flags in state), "")
        focus = column_id if State.CURSOR in state and State.AWAY not in state else None
        cells = [
            (placed, _cell(row, placed, number), CURSOR_CELL if placed.column.id == focus else line)
            for number, placed in enumerate(columns)
        ]
        return self._line(self._gutter.pieces(state), cells, line)

    def header(self, columns: Sequence[Placed], sort: Sort | None, column_id: str | None) -> Strip:
        """The titles, with the arrow of the order and the column in focus."""
        cells = [
            (placed, _title(placed, sort), HEADER_FOCUS if placed.column.id == column_id else HEADER_LINE)
            for placed in columns
        ]
        return self._line([(" " * self._gutter.width, Ink.PLAIN)], cells, HEADER_LINE)

    def empty(self, text: str, y: int, size: Size) -> Strip:
        """Line `y` of an empty table with `text` in its middle, below the titles."""
        lines = text.splitlines()
        number = y - max(1, (size.height - len(lines)) // 2)
        shown = cut_cells(clean(lines[number]), size.width) if 0 <= number < len(lines) else ""
        style = self._style(EMPTY, Ink.PLAIN)
        return join([(" " * ((size.width - width_of(shown)) // 2) + shown, style)], size.width, style)

    def _line(self, gutter: Iterable[Piece], cells: Iterable[tuple[Placed, Cell, str]], line: str) -> Strip:
        """Gutter and cells at their places; each cell names the line class it is written on."""
        runs = [(text, self._style(line, ink)) for text, ink in gutter]
        blank, end = self._style(line, Ink.PLAIN), self._gutter.width
        for placed, cell, on in cells:
            runs.append((" " * (placed.x - end), blank))
            runs += [(text, self._style(on, ink)) for text, ink in fit(cell, placed.width, placed.column.align)]
            end = placed.end
        return join(runs, self._table.size.width, blank)

    def _style(self, line: str, ink: Ink) -> Style:
        """The style of an ink on a line."""
        key = (line, ink)
        if key not in self._styles:
            base = self._table.get_component_rich_style(line) if line else self._table.rich_style
            self._styles[key] = inked(self._table, ink, base)
        return self._styles[key]


def _cell(row: Row | None, placed: Placed, number: int) -> Cell:
    """The cleaned pieces of a cell; the first column carries the indentation and the folder sign."""
    if row is None:
        return [(GONE, Ink.DIM)] if number == 0 else ""
    cell = [(clean(text), ink) for text, ink in pieces(placed.column.cell(row, placed.width))]
    if number > 0:
        return cell
    lead = INDENT * getattr(row, "depth", 0) + FOLDERS[getattr(row, "unfolded", None)]
    return [(lead, Ink.PLAIN), *cell]


def _title(placed: Placed, sort: Sort | None) -> str:
    column = placed.column
    arrow = ARROWS[sort.descending] if sort and sort.column_id == column.id else ""
    return cut_cells(clean(column.heading(placed.width)), placed.width - len(arrow)) + arrow
