"""Marks of a tree: the mark of a folder covers all that is under it, unfolded or not.

Only what the operator chose is kept: a marked folder is one choice, however much it covers, and a row that is unmarked
below it is another. What a row comes to follows from the nearest choice above it; a folder under which rows differ is
marked partly. So a thousand folders are drawn from a handful of choices, and memory grows with these alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Protocol

from typing_extensions import override

from dpconsole.widgets.marks import Marks


class Cover(IntEnum):
    """How much of a row is marked: `[ ]`, `[-]`, `[x]`."""

    NONE = 0
    PARTLY = 1
    ALL = 2


class Family(Protocol):
    """Who stands under whom, as far as that is known."""

    @property
    def roots(self) -> Sequence[int]:
        """The rows at the top."""

    def parent_of(self, row_id: int, /) -> int | None:
        """The folder of a row; None for a root."""

    def children_of(self, row_id: int, /) -> Sequence[int] | None:
        """The rows of a folder; None while they are not known."""


class TreeMarks(Marks):
    """The marks of one tree. A row is `in` them when it is marked with everything under it."""

    def __init__(self, family: Family) -> None:
        super().__init__()
        self._family = family
        self._chosen: dict[int, bool] = {}
        self._parents: dict[int, int] = {}
        self._apart: dict[int, set[int]] = {}
        self._covers: dict[int, Cover] = {}
        self.changes = 0
        """How often something was chosen, for whoever remembers what the choices come to."""

    @property
    def choices(self) -> Mapping[int, bool]:
        """What was chosen: rows marked or unmarked, each other than the nearest choice above it."""
        return self._chosen

    @property
    @override
    def ids(self) -> frozenset[int]:
        return frozenset(row for row, marked in self._chosen.items() if marked)

    @property
    @override
    def count(self) -> int:
        return sum(self._chosen.values())

    @override
    def __contains__(self, row_id: object) -> bool:
        return isinstance(row_id, int) and self.cover(row_id) is Cover.ALL

    def cover(self, row_id: int) -> Cover:
        """How much of a row is marked."""
        if not self._chosen:
            return Cover.NONE
        if row_id not in self._apart:
            return Cover.ALL if self._value(row_id) else Cover.NONE
        if row_id not in self._covers:
            self._covers[row_id] = self._look(row_id)
        return self._covers[row_id]

    def regrown(self) -> None:
        """Folders have got other children, or theirs became known."""
        self._covers.clear()

    @override
    def among(self, listed: Sequence[int]) -> Sequence[int]:
        return [row for row in listed if row in self]

    @override
    def add(self, ids: Iterable[int]) -> None:
        for row in ids:
            self._choose(row, True)

    @override
    def discard(self, ids: Iterable[int]) -> None:
        unmarked = list(ids)
        for row in unmarked:
            self._choose(row, False)
        self._let_go_of_empty_folders(unmarked)

    @override
    def clear(self) -> None:
        self.scope = None
        self.changes += 1
        for kept in (self._chosen, self._parents, self._apart, self._covers):
            kept.clear()

    @override
    def mark_all(self, listed: Sequence[int], scope: object = None) -> None:
        self.clear()
        self.scope = scope
        self.add(self._family.roots)

    @override
    def invert(self, listed: Sequence[int], scope: object = None) -> None:
        roots = set(self._family.roots)
        flipped = {
            row: not marked for row, marked in self._chosen.items() if row not in roots and self._top(row) in roots
        }
        unmarked = [root for root in self._family.roots if not self._chosen.get(root)]
        parents = dict(self._parents)
        self.clear()
        self.scope, self._parents = scope, parents
        self.add(unmarked)
        for row, marked in flipped.items():
            self._put(row, marked)
        self._let_go_of_empty_folders(row for row, marked in flipped.items() if not marked)

    # Choices

    def _value(self, row_id: int | None) -> bool:
        """Whether the nearest choice at or above a row marks it."""
        while row_id is not None:
            if row_id in self._chosen:
                return self._chosen[row_id]
            row_id = self._parent(row_id)
        return False

    def _choose(self, row_id: int, marked: bool) -> None:
        """Mark or unmark a row with all that is under it; what follows from a choice above is no choice."""
        self.changes += 1
        self._forget(row_id)
        if self._value(self._parent(row_id)) is not marked:
            self._put(row_id, marked)
        for folder in self._above(row_id):
            self._covers.pop(folder, None)

    def _put(self, row_id: int, marked: bool) -> None:
        self._chosen[row_id] = marked
        child = row_id
        for folder in self._above(row_id):
            self._parents[child] = folder
            self._apart.setdefault(folder, set()).add(child)
            child = folder

    def _forget(self, row_id: int) -> None:
        """No choice at a row nor under it."""
        self._forget_under(row_id)
        child = row_id
        for folder in list(self._above(row_id)):
            if child in self._chosen or child in self._apart or folder not in self._apart:
                return
            self._apart[folder].discard(child)
            if not self._apart[folder]:
                del self._apart[folder]
            child = folder

    def _forget_under(self, row_id: int) -> None:
        for child in self._apart.pop(row_id, ()):
            self._forget_under(child)
        self._chosen.pop(row_id, None)
        self._covers.pop(row_id, None)

    def _let_go_of_empty_folders(self, unmarked: Iterable[int]) -> None:
        """A folder under which nothing is left is not marked any more: what comes into it later is not meant."""
        folders = dict.fromkeys(folder for row in unmarked for folder in self._above(row))
        for folder in sorted(folders, key=lambda each: len(list(self._above(each))), reverse=True):
            if folder in self._apart and self.cover(folder) is Cover.NONE:
                self._choose(folder, False)

    # The family, as it was when something was chosen

    def _parent(self, row_id: int) -> int | None:
        known = self._parents.get(row_id)
        return self._family.parent_of(row_id) if known is None else known

    def _above(self, row_id: int) -> Iterable[int]:
        """The folders of a row, the nearest first."""
        parent = self._parent(row_id)
        while parent is not None:
            yield parent
            parent = self._parent(parent)

    def _top(self, row_id: int) -> int:
        return [row_id, *self._above(row_id)][-1]

    def _look(self, folder: int) -> Cover:
        """What the children of a folder come to: those apart each for itself, all others by the folder's own value."""
        apart, children = self._apart[folder], self._family.children_of(folder)
        present = apart if children is None else apart.intersection(children)
        covers = {self.cover(child) for child in present}
        if children is None or len(children) > len(present):
            covers.add(Cover.ALL if self._value(folder) else Cover.NONE)
        return covers.pop() if len(covers) == 1 else Cover.PARTLY
