"""A page of text that is a table of lines: the same keys move through it, and a line may open what it speaks of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat

from textual import events, on
from textual.message import Message
from textual.widget import Widget
from typing_extensions import override

from dpconsole.screens.base import ConsoleScreen
from dpconsole.screens.keymap import Key
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.widgets.cells import Align, fit, width_of
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink, Piece, pieces
from dpconsole.widgets.row_table import RowTable

LABEL = 17
"""Cells of the label of a fact."""

APART = 2
"""Cells at least between two facts of a line."""

FACT = 36
"""Cells a fact needs at least to share its line with another."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text, what `Enter` on it asks the app for, if it heads a section, if the cursor begins on it."""

    cell: Cell
    opens: Message | None = None
    heading: bool = False
    id: int = 0
    begins: bool = False


BLANK = Line("")


def heading(words: str, note: str = "") -> Line:
    """The line above a section."""
    return Line([(words, Ink.STRONG), (f"  {note}" if note else "", Ink.DIM)], heading=True)


def fact(label: str, value: Cell) -> list[Piece]:
    """A label and what it says."""
    return [*fit([(label, Ink.DIM)], LABEL), *pieces(value)]


def facts(pairs: Iterable[tuple[str, Cell]], width: int) -> Iterator[Line]:
    """Facts side by side, two to a line where both have room in it; those without a value are left out."""
    known = deque(fact(label, value) for label, value in pairs if value and value != "-")
    half = width // 2 if width >= 2 * FACT else 0
    while known:
        first = known.popleft()
        if known and all(_cells(one) <= half - APART for one in (first, known[0])):
            yield Line([*fit(first, half), *known.popleft()])
        else:
            yield Line(first)


def _cells(shown: Iterable[Piece]) -> int:
    return sum(width_of(text) for text, _ in shown)


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns of a small table inside a page; the last one takes what is left."""

    widths: tuple[int, ...]
    aligns: tuple[Align, ...] = ()

    @property
    def lead(self) -> int:
        """Cells before what is written out in full."""
        return 2 + sum(width + 2 for width in self.widths)

    def row(self, *cells: Cell) -> list[Piece]:
        """The cells side by side; one more than there are widths is written out in full."""
        left: Align = "left"
        aligns = [*self.aligns, *repeat(left, len(self.widths))]
        shown: list[Piece] = [("  ", Ink.PLAIN)]
        for cell, width, align in zip(cells, self.widths, aligns, strict=False):
            shown += [*fit(cell, width, align), ("  ", Ink.PLAIN)]
        return [*shown, *(piece for cell in cells[len(self.widths) :] for piece in pieces(cell))]


class PageScreen(ConsoleScreen):
    """A screen that is one page of lines, built in a thread and built again when what it shows has changed."""

    class Built(Message):
        """The lines are there."""

        def __init__(self, lines: Sequence[Line]) -> None:
            self.lines = lines
            super().__init__()

    class Named(Message):
        """What the page is about."""

        def __init__(self, words: str) -> None:
            self.words = words
            super().__init__()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._subject = ""
        self._lines: tuple[Line, ...] = ()
        self.table = RowTable(self._columns(), self._rows, empty_text="")

    def build(self, width: int) -> Iterable[Line]:
        """The lines of the page, for a window of `width` cells; called in a thread."""
        raise NotImplementedError

    @property
    def page_title(self) -> str:
        """What stands above the lines."""
        return self._subject or self.heading

    def call_it(self, name: str, key: str) -> None:
        """Name what the page is about, as it was read; to be called while the page is built."""
        self.post_message(self.Named(f"{name}   {key}"))

    @on(Named)
    def _keep_name(self, message: Named) -> None:
        self._subject = message.words

    @override
    def body(self) -> Iterable[Widget]:
        yield self.table

    def on_mount(self) -> None:
        """Read the page."""
        self.table.focus()

    @override
    def on_resize(self, _event: events.Resize) -> None:
        """The lines are laid out for the width of the window."""
        super().on_resize(_event)
        self.rebuild()

    def rebuild(self) -> None:
        """Build the lines anew; the cursor stays on its line."""
        self._build(max(40, self.size.width - 4))

    @in_thread("page")
    def _build(self, width: int) -> None:
        self.post_message(self.Built(tuple(self.build(width))))

    @on(Built)
    def _show_lines(self, message: Built) -> None:
        first = not self._lines
        self._lines = tuple(replace(line, id=number) for number, line in enumerate(message.lines))
        self.table.columns = self._columns()
        self.table.show(range(len(self._lines)))
        if first:
            self.table.go_to(self._beginning(self._lines[: self.table.rows_shown]))
        self.refresh_keys()

    def _beginning(self, in_sight: Sequence[Line]) -> int:
        """Where the cursor stands at first: where the page says, or else on the first line that opens something."""
        marked = (line.id for line in in_sight if line.begins)
        opening = (line.id for line in in_sight if line.opens)
        return next(chain(marked, opening), 0)

    def _columns(self) -> tuple[Column, ...]:
        return (Column("line", self.page_title, 40, lambda line: line.cell, flex=1),)

    def _rows(self, ids: Sequence[int]) -> Sequence[Line]:
        return [self._lines[number] for number in ids]

    @override
    def _works(self, entry: Key) -> bool:
        return super()._works(entry) and (entry.id != "page.open" or self.cursor_line.opens is not None)

    @on(RowTable.Opened)
    def _open_line(self, message: RowTable.Opened) -> None:
        if wanted := self._lines[message.row_id].opens:
            self.app.post_message(wanted)

    @property
    def cursor_line(self) -> Line:
        """The line under the cursor."""
        return self._lines[self.table.cursor] if self._lines else BLANK

    def action_section(self, step: int) -> None:
        """To the next section, or the one before; round and round."""
        heads = [at for at, line in enumerate(self._lines) if line.heading]
        if not heads:
            return
        here = self.table.cursor
        after = [at for at in heads if at > here] or heads
        before = [at for at in heads if at < here] or heads
        self.table.go_to(after[0] if step > 0 else before[-1])

    @override
    def times_changed(self) -> None:
        self.rebuild()

    @on(RowTable.Moved)
    def _cursor_moved(self) -> None:
        self.refresh_keys()
