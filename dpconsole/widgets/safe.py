"""The one door to Textual's text widgets: nothing that enters is read as markup, and everything is cleaned.

`Static.update("[/]")` ends the app, and no Textual widget filters control characters; so screens and widgets import
these instead, and a contract test keeps it so.
"""

from __future__ import annotations

from textual.widgets import Static

from dpconsole.widgets.ink import Cell, content


class SafeText(Static):
    """A text in inks. `show` changes it and repaints only when it differs."""

    ALLOW_SELECT = False

    def __init__(
        self,
        cell: Cell = "",
        *,
        keep_lines: bool = True,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        self._keep_lines = keep_lines
        self._cell = cell
        super().__init__(content(cell, keep_lines=keep_lines), markup=False, name=name, id=id, classes=classes)

    @property
    def cell(self) -> Cell:
        """What is shown, as it was given."""
        return self._cell

    def show(self, cell: Cell) -> None:
        """Show another text."""
        if cell != self._cell:
            self._cell = cell
            self.update(content(cell, keep_lines=self._keep_lines))
