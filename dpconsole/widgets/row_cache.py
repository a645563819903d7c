"""Rows by id, fetched a page at a time and forgotten when they have not been seen for long."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Protocol

PAGE = 128
"""Rows asked for at once: more than a tall terminal shows."""

KEPT = 32 * PAGE
"""Rows remembered."""


class Row(Protocol):
    """What a row must have. `depth` (levels of indentation) and `unfolded` (True open, False closed) are optional."""

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
            self.remember(ids[start : start + PAGE])
        self._rows.move_to_end(row_id)
        return self._rows[row_id]

    def remember(self, ids: Sequence[int]) -> None:
        """Read those of these rows that are not known, at once."""
        missing = [row_id for row_id in ids if row_id not in self._rows]
        found = {row.id: row for row in self._fetch(missing)} if missing else {}
        for row_id in missing:
            self._rows[row_id] = found.get(row_id)
        while len(self._rows) > KEPT:
            self._rows.popitem(last=False)

    def forget(self, ids: Iterable[int]) -> None:
        """These rows changed: the next look reads them again."""
        for row_id in ids:
            self._rows.pop(row_id, None)

    def clear(self) -> None:
        """Forget every row."""
        self._rows.clear()
