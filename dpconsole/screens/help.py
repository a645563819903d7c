"""The keys that work on a screen, made from the registry: grouped, and searchable while one types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.widget import Widget
from textual.widgets import Input
from typing_extensions import override

from dpconsole.screens.keymap import Category, Key
from dpconsole.screens.pages import Grid, Line, heading
from dpconsole.screens.prompts import KeyedDialog
from dpconsole.screens.session import Session
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Ink
from dpconsole.widgets.row_table import RowTable

HEIGHT = 26
"""Lines of the help before it scrolls."""

BESIDES = 2
"""Lines of the body that are no rows: what is sought, and the line over the table."""

GRID = Grid((11, 16))


def help_lines(entries: Sequence[Key], sought: str) -> list[Line]:
    """The entries whose words hold what is sought, under the headings of the registry."""
    wanted = sought.lower()
    found = [entry for entry in entries if wanted in f"{entry.every_display} {entry.title} {entry.help}".lower()]
    lines: list[Line] = []
    for category in Category:
        group = [entry for entry in found if entry.category is category]
        if group:
            lines += [heading(category.value), *map(_line, group)]
    return lines


def _line(entry: Key) -> Line:
    title = entry.help or entry.title
    return Line(GRID.row([(entry.every_display, Ink.KEY)], entry.title, [(title if entry.help else "", Ink.DIM)]))


class HelpScreen(KeyedDialog):
    """The keys of the screen below."""

    def __init__(self, session: Session, stack: str) -> None:
        super().__init__(session, "Keys that work here")
        self.entries = session.keymap.on(stack)
        self._lines: list[Line] = []
        self.search = Input(placeholder="search", select_on_focus=False)
        self.search.cursor_blink = False
        self.table = RowTable(
            (Column("line", "", 40, lambda line: line.cell, flex=1),), self._rows, empty_text="No such key"
        )

    @override
    def body(self) -> Iterable[Widget]:
        yield self.search
        yield self.table

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.table.styles.height = min(HEIGHT, 1 + self.room_for_rows(BESIDES))
        self.search.focus()
        self._show("")

    @on(Input.Changed)
    def _search(self, message: Input.Changed) -> None:
        self._show(message.value)

    def _show(self, sought: str) -> None:
        self._lines = [
            Line(line.cell, heading=line.heading, id=number)
            for number, line in enumerate(help_lines(self.entries, sought))
        ]
        self.table.show(range(len(self._lines)), keep_cursor=False)

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Back to work."""
        self.dismiss(None)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in ("toggle_row", "accept")

    def _rows(self, ids: Sequence[int]) -> Sequence[Line]:
        return [self._lines[number] for number in ids]
