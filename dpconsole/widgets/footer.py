"""The last line: the keys that work here and now, as the registry gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events

from dpconsole.core.domain.text import ELLIPSIS, clean
from dpconsole.widgets.cells import width_of
from dpconsole.widgets.ink import Cell, Ink, Piece, pieces
from dpconsole.widgets.line import Line

GAP = "  "
MORE = GAP + ELLIPSIS
MORE_WIDTH = width_of(MORE)


@dataclass(frozen=True, slots=True)
class FooterKey:
    """A key and what it does. The highest priority number is left out first, 0 last of all."""

    key: str
    title: str
    priority: int = 1

    @property
    def width(self) -> int:
        """Cells it takes, the gap before it included."""
        return width_of(clean(f"{GAP}{self.key} {self.title}"))


def choose(keys: Sequence[FooterKey], room: int) -> list[FooterKey]:
    """The keys that fit in `room` cells, in their order, the sign for what was left out included.

    Of equal priority the last is left out first.
    """
    kept = list(keys)
    while kept and sum(key.width for key in kept) + (MORE_WIDTH if len(kept) < len(keys) else 0) > room:
        kept.remove(max(reversed(kept), key=lambda key: key.priority))
    return kept


class Footer(Line):
    """The footer of every screen: what is marked or pending at the left, then the keys."""

    def __init__(self, keys: Sequence[FooterKey] = (), *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._keys = tuple(keys)
        self._lead: Cell = ""

    def show_keys(self, keys: Sequence[FooterKey], lead: Cell = "") -> None:
        """Show these keys after `lead` (marks, a pending key, what a copy did)."""
        self._keys, self._lead = tuple(keys), lead
        self._choose()

    def on_resize(self, event: events.Resize) -> None:
        """Another width holds other keys."""
        self._choose()

    def _choose(self) -> None:
        lead = [(clean(text), ink) for text, ink in pieces(self._lead) if text]
        taken = sum(width_of(text) for text, _ in lead) if lead else -width_of(GAP)
        kept = choose(self._keys, self.size.width - taken)
        shown: list[Piece] = [piece for key in kept for piece in _written(key)]
        if len(kept) < len(self._keys):
            shown.append((MORE, Ink.DIM))
        if not lead and shown:
            shown[0] = (shown[0][0].removeprefix(GAP), shown[0][1])
        self.show([*lead, *shown])


def _written(key: FooterKey) -> tuple[Piece, Piece]:
    return (f"{GAP}{key.key}", Ink.KEY), (f" {key.title}", Ink.DIM)
