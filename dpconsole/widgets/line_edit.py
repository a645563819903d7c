"""A line of text that is being typed: the text, the cursor in it, and what keys do to both. Knows no screen.

A text one comes to is *fresh*: the first character that is typed takes the place of all of it, any movement keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dpconsole.core.domain.text import clean
from dpconsole.widgets.cells import width_of

LIMIT = 100_000
"""Characters that a line takes."""


class LineEdit:
    """The text and the cursor, which stands before a character or at the end."""

    def __init__(self, text: str = "") -> None:
        self.text = clean(text, LIMIT)
        self.cursor = len(self.text)
        self.fresh = False

    def come(self) -> None:
        """Somebody comes here to type."""
        self.cursor = len(self.text)
        self.fresh = bool(self.text)

    def insert(self, text: str) -> None:
        """Type some characters."""
        before, after = ("", "") if self.fresh else (self.text[: self.cursor], self.text[self.cursor :])
        before += clean(text, LIMIT)
        self.text = (before + after)[:LIMIT]
        self.cursor = min(len(before), LIMIT)
        self.fresh = False

    def press(self, key: str) -> bool:
        """Do what a key does to a line; whether it does anything at all."""
        act = _KEYS.get(key)
        if act is not None:
            act(self)
            self.fresh = False
        return act is not None

    def seen(self, width: int) -> tuple[str, int]:
        """The part of the text around the cursor that `width` cells hold, and the place of the cursor in it."""
        start = 0
        while start < self.cursor and width_of(self.text[start : self.cursor]) >= width:
            start += max(1, min(width // 2, self.cursor - start))
        end = start
        while end < len(self.text) and width_of(self.text[start : end + 1]) <= width - (end + 1 == self.cursor):
            end += 1
        return self.text[start:end], self.cursor - start

    def _cut(self, start: int, end: int) -> None:
        start = max(0, start)
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start

    def _go(self, to: int) -> None:
        self.cursor = max(0, min(len(self.text), to))

    def _back(self) -> None:
        self._cut(0 if self.fresh else self.cursor - 1, len(self.text) if self.fresh else self.cursor)

    def _cut_word(self) -> None:
        kept = self.text[: self.cursor].rstrip(" ,.")
        self._cut(max(kept.rfind(mark) for mark in " ,.") + 1, self.cursor)


_KEYS: Mapping[str, Callable[[LineEdit], None]] = {
    "left": lambda line: line._go(line.cursor - 1),
    "right": lambda line: line._go(line.cursor + 1),
    "home": lambda line: line._go(0),
    "end": lambda line: line._go(len(line.text)),
    "backspace": lambda line: line._back(),
    "delete": lambda line: line._cut(line.cursor, line.cursor + 1),
    "ctrl+u": lambda line: line._cut(0, line.cursor),
    "ctrl+w": lambda line: line._cut_word(),
}
"""What keys do; every one of them means the same wherever one types."""
