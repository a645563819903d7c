"""A row table whose rows stand in folders: it opens and closes them in place.

    table = TreeTable(columns, fetch, is_folder)
    table.lay(roots, children, scope=query)     # anew: open are the folders whose children are given
    table.unfold({folder: ids, ...})            # the answer to `UnfoldRequested`

Nothing that is listed is read again when a folder opens or closes: the ids are spliced, and cursor, marks and drawn
rows go by id. Marks are those of `tree_marks`. Beside the actions of `RowTable`, of which `column_right` opens and
`column_left` closes where that is possible, there are `unfold_all` and `fold_all`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from typing_extensions import override

from dpconsole.widgets.columns import Column
from dpconsole.widgets.outline import Children, Outline
from dpconsole.widgets.row_cache import Fetch
from dpconsole.widgets.row_painter import BOXES, State
from dpconsole.widgets.row_table import RowTable
from dpconsole.widgets.tree_marks import Cover, TreeMarks

STATES: dict[Cover, State] = {Cover.NONE: State.PLAIN, Cover.PARTLY: State.PARTLY, Cover.ALL: State.MARKED}
"""How a row stands in the table by how much of it is marked."""


class TreeTable(RowTable, inherit_bindings=False):
    """The table; see the module's first page for how it is used."""

    class UnfoldRequested(RowTable.TableMessage):
        """The operator wants to see into a folder whose children are not known; `deep` into all that is below it."""

        def __init__(self, table: TreeTable, row_id: int, *, deep: bool = False) -> None:
            self.row_id, self.deep = row_id, deep
            super().__init__(table)

    marks: TreeMarks

    def __init__(
        self, columns: Sequence[Column], fetch: Fetch, is_folder: Callable[[int], bool], **options: Any
    ) -> None:
        self.outline = Outline()
        self._is_folder = is_folder
        super().__init__(columns, fetch, marks=TreeMarks(self.outline), gutter=BOXES, **options)

    # What is listed

    def lay(self, roots: Sequence[int], children: Children, *, keep_cursor: bool = True, scope: object = None) -> None:
        """List anew; a cursor whose row is gone goes to the folder it was in."""
        way_up = [] if self.cursor_id is None else [self.cursor_id, *self._folders_of(self.cursor_id)]
        self.outline.lay(roots, children)
        self.marks.regrown()
        self.show(self.outline.ids, keep_cursor=keep_cursor, scope=scope)
        if keep_cursor:
            next((row for row in way_up if self.go_to_id(row)), None)

    def unfold(self, children: Children) -> None:
        """Open these folders."""
        self.outline.unfold(children)
        self._resplice(children)

    def fold(self, folder: int) -> None:
        """Close a folder; a cursor inside goes to it."""
        if self.cursor_id is not None and folder in self._folders_of(self.cursor_id):
            self.go_to_id(folder)
        self.outline.fold([folder])
        self._resplice([folder])

    def is_open(self, row_id: int) -> bool | None:
        """Whether a folder is open; None for what is none."""
        return self.outline.is_open(row_id) if self._is_folder(row_id) else None

    @property
    def can_unfold(self) -> bool:
        """Whether the row under the cursor is a closed folder."""
        return self.cursor_id is not None and self.is_open(self.cursor_id) is False

    @property
    def is_unfolded(self) -> bool:
        """Whether the row under the cursor is an open folder."""
        return self.cursor_id is not None and self.is_open(self.cursor_id) is True

    @property
    def can_fold(self) -> bool:
        """Whether the row under the cursor is an open folder, or stands in one."""
        row = self.cursor_id
        return row is not None and (self.is_unfolded or self.outline.parent_of(row) is not None)

    def _resplice(self, folders: Collection[int]) -> None:
        """List what the outline lists now; of these folders the sign is another."""
        self.marks.regrown()
        self._rows.forget(folders)
        for folder in folders:
            self._strips.pop(folder, None)
        self.splice(self.outline.ids)

    def _folders_of(self, row_id: int) -> Iterator[int]:
        """The folders a row stands in, the nearest first."""
        parent = self.outline.parent_of(row_id)
        while parent is not None:
            yield parent
            parent = self.outline.parent_of(parent)

    # Actions

    @override
    def action_column_right(self) -> None:
        if self.can_unfold:
            self.action_unfold()
        else:
            super().action_column_right()

    @override
    def action_column_left(self) -> None:
        """The focus one column to the left; from the first one, close the folder, or go to the one the row is in."""
        first = self.column_id is None or self.column_id == self.shown_columns[0].id
        if first and self.can_fold:
            self.action_fold()
        else:
            super().action_column_left()

    def action_unfold(self) -> None:
        """Open the folder under the cursor."""
        row = self.cursor_id
        if row is None or not self.can_unfold:
            return
        known = self.outline.children_of(row)
        if known is None:
            self.post_message(self.UnfoldRequested(self, row))
        else:
            self.unfold({row: known})

    def action_fold(self) -> None:
        """Close the folder under the cursor; from a row that is none, or closed already, go to the one it is in."""
        row = self.cursor_id
        if row is None:
            return
        if self.is_open(row):
            self.fold(row)
        elif (parent := self.outline.parent_of(row)) is not None:
            self.go_to_id(parent)

    def action_unfold_all(self) -> None:
        """Open all that is below the root the cursor is in."""
        if self.cursor_id is not None:
            self.post_message(self.UnfoldRequested(self, self.outline.root_of(self.cursor_id), deep=True))

    def action_fold_all(self) -> None:
        """Close all that is below the root the cursor is in."""
        if self.cursor_id is not None:
            root = self.outline.root_of(self.cursor_id)
            below = self.outline.below(root)
            self.go_to_id(root)
            self.outline.fold(below)
            self._resplice(below)

    # Marks

    @override
    def _marked_state(self, row_id: int) -> State:
        return STATES[self.marks.cover(row_id)]

    @property
    def choices(self) -> Mapping[int, bool]:
        """What a verb acts on: what was chosen, a range that is being drawn included, or else the cursor's row."""
        self._settle_range()
        if self.marks or self.cursor_id is None:
            return self.marks.choices
        return {self.cursor_id: True}

    @override
    def action_mark_and_step(self) -> None:
        """Mark or unmark the row, with what is below it and what that means above, and go on."""
        super().action_mark_and_step()
        self.refresh()
