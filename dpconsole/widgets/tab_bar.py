"""Tabs as one line of words: the active one in brackets, so that it shows without colour."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message

from dpconsole.core.domain.text import clean
from dpconsole.widgets.cells import width_of
from dpconsole.widgets.ink import Cell, Ink, Piece
from dpconsole.widgets.line import Line


class TabBar(Line):
    """The tabs of a screen. `next_tab` and `previous_tab` are the actions behind `]` and `[`."""

    class Selected(Message):
        """Another tab is active."""

        def __init__(self, bar: TabBar, index: int) -> None:
            self.bar = bar
            self.index = index
            super().__init__()

        @property
        def control(self) -> TabBar:
            """The bar, for `@on` selectors."""
            return self.bar

    def __init__(
        self, titles: Sequence[str], *, active: int = 0, id: str | None = None, classes: str | None = None
    ) -> None:
        self._titles = tuple(clean(title) for title in titles)
        self._active = active
        self._aside: Cell = ""
        super().__init__(self._tabs(), id=id, classes=classes)

    @property
    def active(self) -> int:
        """The number of the active tab, from 0."""
        return self._active

    @active.setter
    def active(self, index: int) -> None:
        index %= len(self._titles)
        if index != self._active:
            self._active = index
            self.show(self._tabs(), self._aside)
            self.post_message(self.Selected(self, index))

    def show_aside(self, aside: Cell) -> None:
        """What stands at the right end of the line, as "128 of 104,233"."""
        self._aside = aside
        self.show(self._tabs(), aside)

    def action_next_tab(self) -> None:
        """One tab to the right, from the last to the first."""
        self.active += 1

    def action_previous_tab(self) -> None:
        """One tab to the left, from the first to the last."""
        self.active -= 1

    def on_click(self, event: events.Click) -> None:
        """A click on a title selects its tab."""
        end = 0
        for index, (text, _) in enumerate(self._tabs()):
            end += width_of(text)
            if event.x < end:
                self.active = index
                return

    def _tabs(self) -> list[Piece]:
        return [
            (f"[{title}] ", Ink.STRONG) if index == self._active else (f" {title}  ", Ink.DIM)
            for index, title in enumerate(self._titles)
        ]
