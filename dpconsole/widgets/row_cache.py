"""Rows by id, fetched a page at a time and forgotten when they have not been seen for long."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

PAGE = 128
"""Rows asked for at once: more than a tall terminal shows."""

KEPT = 32 * PAGE
"""Rows remembered."""


class Row(Protocol):
    """What a row must have. `depth` (levels of indentation) and `folder` (True open, False closed) are optional."""

    @property
    def id(self) -> int:
        """The key of the row in the store."""


class Fetch(Protocol):
    """Gives the rows of some ids, in any order; an id that no longer exists is left out. About a millisecond."""

    def __call__(self, ids: Sequence[int], /) -> Sequence[Row]:
        """Read the rows."""


class RowCache:
    """A bounded memory of rows between a list of ids and the function that reads them."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._rows: OrderedDict[int, Row | None] = OrderedDict()

    def row_at(self, ids: Sequence[int], index: int) -> Row | None:
        """The row at `index` of the list, or None when it is gone; reads its whole page at the first miss."""
        row_id = ids[index]
        if row_id not in self._rows:
            start = index - index % PAGE
            self.read([other for other in ids[start : start + PAGE] if other not in self._rows])
        self._rows.move_to_end(row_id)
        return self._rows[row_id]

    def read(self, ids: Sequence[int]) -> None:
        """Read these rows anew."""
        found = {row.id: row for row in self._fetch(ids)}
        for row_id in ids:
            self._rows[row_id] = found.get(row_id)
            self._rows.move_to_end(row_id)
        while len(self._rows) > KEPT:
            self._rows.popitem(last=False)

    def peek(self, row_id: int) -> Row | None:
        """The row if it is remembered."""
        return self._rows.get(row_id)

    def forget(self, ids: Sequence[int]) -> None:
        """These rows changed: the next look reads them again."""
        for row_id in ids:
            self._rows.pop(row_id, None)

    def clear(self) -> None:
        """Forget every row."""
        self._rows.clear()
