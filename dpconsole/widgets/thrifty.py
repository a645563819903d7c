"""An app that remembers what stands on the terminal, and never sends a line that is there already.

Textual draws a whole screen two or three times while it opens or closes, each time the same; over a slow line that is
most of what a dialog costs. Here a whole drawing sends the lines that differ from what was sent last, and no others.
What is drawn piece by piece is sent piece by piece, where Textual begins each line anew at the edge of its widget; the
lines of these pieces count as unknown from then on.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar

from rich.console import Console
from rich.control import Control
from textual import on
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import ScreenError
from textual.driver import Driver
from textual.screen import Screen
from typing_extensions import override

from dpconsole.widgets.typing_ahead import TypingAhead

Result = TypeVar("Result")

Lines = dict[int, str]
"""What stands on each line of the terminal, as it was sent; a line that is not known is not among them."""


class OnlyNew(CompositorUpdate):
    """A whole drawing, of which only the lines that differ are written; what is written is remembered."""

    def __init__(self, drawing: LayoutUpdate, lines: Lines) -> None:
        self._drawing = drawing
        self._lines = lines

    @override
    def render_segments(self, console: Console) -> str:
        """The lines that differ, each at its place."""
        x, y, *_ = self._drawing.region
        sent = []
        for place, line in enumerate(self._drawing.strips, y):
            text = "".join(strip.render(console) for strip in line)
            if self._lines.get(place) != text:
                self._lines[place] = text
                sent.append(f"{Control.move_to(x, place).segment.text}{text}")
        return "".join(sent)


class OnlyPieces(CompositorUpdate):
    """A drawing piece by piece, of which nothing is written that stands before a piece on its line."""

    def __init__(self, drawing: ChopsUpdate) -> None:
        self._drawing = drawing

    @override
    def render_segments(self, console: Console) -> str:
        """The pieces, each at its place."""
        drawing, sent = self._drawing, []
        for y, first, last in drawing.spans:
            for end, (x, strip) in zip(drawing.chop_ends[y], drawing.chops[y].items(), strict=False):
                left, right = max(x, first), min(end, last)
                if strip is not None and left < right:
                    piece = strip.crop(left - x, right - x).render(console)
                    sent.append(f"{Control.move_to(left, y).segment.text}{piece}")
        return "".join(sent)


class ThriftyApp(TypingAhead[Result], inherit_bindings=False):
    """An app on the far end of a slow line."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._lines: Lines = {}

    @override
    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Textual's one way to the terminal."""
        if isinstance(renderable, LayoutUpdate):
            renderable = OnlyNew(renderable, self._lines)
        elif isinstance(renderable, ChopsUpdate):
            for line, _, _ in renderable.spans:
                self._lines.pop(line, None)
            renderable = OnlyPieces(renderable)
        elif renderable is not None:
            self._lines.clear()
        super()._display(screen, renderable)

    @on(Driver.SignalResume)
    def forget_the_terminal(self) -> None:
        """Somebody else may have written on it: the next drawing is sent as a whole."""
        self._lines.clear()

    def on_resize(self) -> None:
        """A terminal that changed its size has moved or cut what stood on it, even when it is back at the old one."""
        self.forget_the_terminal()
        with suppress(ScreenError):  # there is none before the first size is known
            self.screen.refresh()
