"""One line of the screen: a text at the left, one at the right; it is sent again only when it changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from dpconsole.core.domain.text import clean
from dpconsole.widgets.cells import cut_pieces, width_of
from dpconsole.widgets.ink import INK_CLASSES, Cell, Piece, inked, pieces
from dpconsole.widgets.strips import join


class Line(Widget):
    """A line of ink. The left text is cut where the right one begins."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = INK_CLASSES
    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(
        self,
        left: Cell = "",
        right: Cell = "",
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._left = _cleaned(left)
        self._right = _cleaned(right)

    def show(self, left: Cell, right: Cell = "") -> None:
        """Show other texts."""
        new = _cleaned(left), _cleaned(right)
        if new != (self._left, self._right):
            self._left, self._right = new
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        base, width = self.rich_style, self.size.width
        if y > 0:
            return Strip.blank(width, base)
        right = cut_pieces(self._right, width)
        room = width - _width(right)
        left = cut_pieces(self._left, room - 1 if right else room)
        gap = (" " * (room - _width(left)), base)
        return join([*self._inked(left, base), gap, *self._inked(right, base)], width, base)

    def _inked(self, parts: Iterable[Piece], base: Style) -> Iterable[tuple[str, Style]]:
        return [(text, inked(self, ink, base)) for text, ink in parts]


def _cleaned(cell: Cell) -> list[Piece]:
    return [(clean(text), ink) for text, ink in pieces(cell)]


def _width(parts: Sequence[Piece]) -> int:
    return sum(width_of(text) for text, _ in parts)
