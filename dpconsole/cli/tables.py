"""Rows as aligned text, measured in terminal cells: a Chinese name is as wide as it is drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from dpconsole.cli.talk import write

_GAP = "  "
_NOTHING = "-"


def cells(text: str) -> int:
    """How many terminal cells a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def write_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows under their titles; nothing is cut."""
    lines = [tuple(titles), *(tuple(_NOTHING if cell in (None, "") else str(cell) for cell in row) for row in rows)]
    if len(lines) == 1:
        return
    widths = [max(map(cells, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell + " " * (width - cells(cell)) for cell, width in zip(line, widths, strict=True))
        write(_GAP.join(padded).rstrip())
