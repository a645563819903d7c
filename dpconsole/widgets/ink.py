"""What a text is, so that a sheet can say how it looks: no widget and no screen names a colour.

A cell is a plain string, or pieces of text each in an ink. Widgets on the line API list `INK_CLASSES` among their
component classes and ask `inked` for the style of a piece; `styles/inks.tcss` gives the inks their colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from rich.style import Style
from textual.content import Content

from dpconsole.core.domain.text import clean

if TYPE_CHECKING:
    from textual.widget import Widget


class Ink(StrEnum):
    """The meaning of a piece of text."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    ACCENT = "accent"
    WARNING = "warning"
    ERROR = "error"
    MARK = "mark"
    KEY = "key"
    PROD = "prod"
    DEV = "dev"
    NOT_RUNNING = "not-running"
    WAITING = "waiting"
    THROTTLING = "throttling"
    RESOURCES = "resources"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


Piece = tuple[str, Ink]
Cell = str | Sequence[Piece]

INK_CLASSES: set[str] = {f"ink--{ink}" for ink in Ink}
"""The component classes a line-API widget must declare to write in ink."""

_LOOKS: dict[Ink, str] = {
    Ink.PLAIN: "",
    Ink.STRONG: "bold $text-strong",
    Ink.DIM: "$text-dim",
    Ink.ACCENT: "$accent-ink",
    Ink.WARNING: "$warning-ink",
    Ink.ERROR: "$error-ink",
    Ink.MARK: "$mark",
    Ink.KEY: "bold $text-strong",
    Ink.PROD: "bold $env-ink on $env-prod",
    Ink.DEV: "$env-ink on $env-dev",
    Ink.NOT_RUNNING: "$status-not-running",
    Ink.WAITING: "$status-waiting",
    Ink.THROTTLING: "$status-throttling",
    Ink.RESOURCES: "$status-resources",
    Ink.RUNNING: "$status-running",
    Ink.SUCCEEDED: "$status-succeeded",
    Ink.FAILED: "$status-failed",
}
"""The inks as content styles, for text that is not on the line API; `inks.tcss` says the same for text that is."""


def pieces(cell: Cell) -> Sequence[Piece]:
    """The pieces of a cell; a plain string is one plain piece."""
    return ((cell, Ink.PLAIN),) if isinstance(cell, str) else cell


def inked(widget: Widget, ink: Ink, line: Style) -> Style:
    """The style of a piece written in `ink` on a line whose own style is `line`."""
    if ink is Ink.PLAIN:
        return line
    return line + widget.get_component_rich_style(f"ink--{ink}", partial=True)


def content(cell: Cell | Iterable[Piece], *, keep_lines: bool = False) -> Content:
    """A cell as Textual content, cleaned and never read as markup, for widgets that are not on the line API."""
    parts = pieces(cell) if isinstance(cell, str) else tuple(cell)
    return Content.assemble(*((clean(text, keep_lines=keep_lines), _LOOKS[ink]) for text, ink in parts))
