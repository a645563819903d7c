"""How every benchmark prints: a heading, and then a line as soon as its figures are there."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of every line. Words stand on the left, figures on the right; None is not to be had."""

    title: str
    width: int
    format: str = "{}"
    words: bool = False

    def show(self, value: object) -> str:
        """The cell, padded."""
        return self._pad("-" if value is None else self.format.format(value))

    @property
    def heading(self) -> str:
        """The title, padded as the cells are."""
        return self._pad(self.title)

    def _pad(self, text: str) -> str:
        return text.ljust(self.width) if self.words else text.rjust(self.width)


class Table:
    """Prints its heading when it is made, and each line when it is given."""

    def __init__(self, *columns: Column, out: TextIO | None = None) -> None:
        self._columns = columns
        self._out = out or sys.stdout
        self._print([column.heading for column in columns])

    def line(self, *values: object) -> None:
        """One line, a value for each column."""
        self._print([column.show(value) for column, value in zip(self._columns, values, strict=True)])

    def _print(self, cells: list[str]) -> None:
        print("".join(cells).rstrip(), file=self._out, flush=True)
