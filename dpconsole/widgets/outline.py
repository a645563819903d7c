"""What of a tree is listed: the folders that are open, spliced into one array of ids.

Opening a folder puts its children behind it, closing it takes them out again; nothing else is read or moved. What was
open below a closed folder is open again when that one opens. The arrays are never changed in place, so that a table
may go on drawing the one it has.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence

NO_ROWS: array[int] = array("q")

Children = Mapping[int, Sequence[int]]
"""The children of some folders, each in its order."""


class Outline:
    """The roots, the known children of folders, and which of these are open."""

    def __init__(self) -> None:
        self.ids = array("q")
        """Every listed row, from the top down."""
        self.roots: Sequence[int] = array("q")
        self._children: dict[int, Sequence[int]] = {}
        self._open: set[int] = set()
        self._parents: dict[int, int] = {}
        self._unlearned: list[int] = []

    @property
    def open(self) -> Collection[int]:
        """The open folders, those below a closed one included."""
        return self._open

    def is_open(self, row_id: int) -> bool:
        """Whether the row is a folder whose children are listed, or would be if it were."""
        return row_id in self._open

    def children_of(self, row_id: int) -> Sequence[int] | None:
        """The children of a folder; None while nobody has asked for them."""
        return self._children.get(row_id)

    def parent_of(self, row_id: int) -> int | None:
        """The folder a row stands in; None for roots, and for rows nobody has told of."""
        while self._unlearned:
            folder = self._unlearned.pop()
            self._parents.update(dict.fromkeys(self._children.get(folder, ()), folder))
        return self._parents.get(row_id)

    def root_of(self, row_id: int) -> int:
        """The root a row stands under, or the row itself."""
        while (parent := self.parent_of(row_id)) is not None:
            row_id = parent
        return row_id

    def learn(self, parents: Mapping[int, int]) -> None:
        """Where rows stand that are not listed."""
        self._parents.update(parents)

    def lay(self, roots: Sequence[int], children: Children) -> None:
        """List anew: open are the folders whose children are given, every other one is closed and unknown."""
        self.roots, self._children = roots, dict(children)
        self._parents, self._unlearned = {}, list(children)
        self._open = set(children)
        self.ids = self._lines(roots)

    def unfold(self, children: Children) -> None:
        """Open these folders, whose children are given."""
        closed = children.keys() - self._open
        self._children.update(children)
        self._unlearned += children
        self._open |= closed
        if len(closed) == len(children) == 1:
            (folder,) = closed
            self._splice(folder, 0, self._block(folder))
        else:
            self.ids = self._lines(self.roots)

    def fold(self, folders: Iterable[int]) -> None:
        """Close these folders; their children stay known."""
        opened = self._open.intersection(folders)
        if len(opened) == 1:
            (folder,) = opened
            self._splice(folder, len(self._block(folder)), NO_ROWS)
        self._open -= opened
        if len(opened) > 1:
            self.ids = self._lines(self.roots)

    def below(self, folder: int) -> list[int]:
        """The folder, and every open one below it."""
        inner = self._open.intersection(self._children.get(folder, ()))
        return [folder, *(each for child in inner for each in self.below(child))]

    def _splice(self, folder: int, taken: int, put: array[int]) -> None:
        """Behind a folder, if it is listed, take so many rows out and put others in."""
        try:
            at = self.ids.index(folder) + 1
        except ValueError:
            return
        self.ids = self.ids[:at] + put + self.ids[at + taken :]

    def _block(self, folder: int) -> array[int]:
        """What stands behind a folder while it is open."""
        return self._lines(self._children.get(folder, NO_ROWS))

    def _lines(self, rows: Sequence[int]) -> array[int]:
        """The rows, each with what is open below it."""
        if self._open.isdisjoint(rows):
            return array("q", rows)
        lines = array("q")
        for row in rows:
            lines.append(row)
            if row in self._open:
                lines.extend(self._block(row))
        return lines
