"""Which rows are marked: some ids, or everything that matched except some ids.

Marking a million rows costs nothing: `everything` keeps a reference to the id snapshot that was listed at that moment
and counts from it. The marks go on meaning exactly those rows after the filter, the sort or the list changed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

NO_IDS: Sequence[int] = array("q")


class Marks:
    """A mutable set of row ids that can hold "all of these, minus a few" in constant space."""

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._ids = set(ids)
        self._population: Sequence[int] | None = None
        self._ordered: array[int] | None = None
        self.scope: object = None
        """What the list was asked with when everything was marked (a query), as the screen gave it."""

    @property
    def everything(self) -> bool:
        """Whether the marks are "all that matched, minus `ids`" instead of `ids` themselves."""
        return self._population is not None

    @property
    def ids(self) -> frozenset[int]:
        """The marked ids, or with `everything` the exclusions."""
        return frozenset(self._ids)

    @property
    def count(self) -> int:
        """How many rows are marked."""
        return len(self._ids) if self._population is None else len(self._population) - len(self._ids)

    def __bool__(self) -> bool:
        return self.count > 0

    def __contains__(self, row_id: object) -> bool:
        if not isinstance(row_id, int):
            return False
        if self.everything:
            return row_id not in self._ids and self._in_population(row_id)
        return row_id in self._ids

    def among(self, listed: Sequence[int]) -> Sequence[int]:
        """The marked ids of `listed`, in its order; `listed` itself when all of it is marked."""
        if listed is self._population:
            return [row_id for row_id in listed if row_id not in self._ids] if self._ids else listed
        return [row_id for row_id in listed if row_id in self] if self else NO_IDS

    def add(self, ids: Iterable[int]) -> None:
        """Mark rows. One that was not listed when everything was marked turns the marks into plain ids."""
        added = set(ids)
        if self._population is not None and not all(map(self._in_population, added)):
            self._set(set(self.among(self._population)), None, None)
        if self.everything:
            self._ids -= added
        else:
            self._ids |= added

    def discard(self, ids: Iterable[int]) -> None:
        """Unmark rows."""
        if self.everything:
            self._ids.update(row_id for row_id in ids if self._in_population(row_id))
        else:
            self._ids.difference_update(ids)

    def toggle(self, row_id: int) -> None:
        """Mark the row, or unmark it."""
        (self.discard if row_id in self else self.add)((row_id,))

    def clear(self) -> None:
        """Unmark everything."""
        self._set(set(), None, None)

    def mark_all(self, listed: Sequence[int], scope: object = None) -> None:
        """Mark every row of the list, in constant time; `listed` must not change afterwards."""
        self._set(set(), listed, scope)

    def invert(self, listed: Sequence[int], scope: object = None) -> None:
        """Mark the unmarked rows of the list, and unmark all others."""
        if listed is self._population:
            self._set(self._ids, None, None)
        elif not self:
            self.mark_all(listed, scope)
        else:
            self._set(set(self.among(listed)), listed, scope)

    def _set(self, ids: set[int], population: Sequence[int] | None, scope: object) -> None:
        self._ids, self._population, self._ordered, self.scope = ids, population, None, scope

    def _in_population(self, row_id: int) -> bool:
        assert self._population is not None
        if self._ordered is None:
            self._ordered = array("q", sorted(self._population))
        place = bisect_left(self._ordered, row_id)
        return place < len(self._ordered) and self._ordered[place] == row_id
