"""A list that is short enough to be read as a whole, with a line above it: no filter, no pages, no marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from textual import on
from textual.widget import Widget
from typing_extensions import override

from dpconsole.screens.base import ConsoleScreen
from dpconsole.screens.session import Session
from dpconsole.widgets.columns import Column
from dpconsole.widgets.line import Line
from dpconsole.widgets.row_table import Row, RowTable

R = TypeVar("R", bound=Row)


class ShortList(ConsoleScreen, Generic[R]):
    """Such a list; whoever reads keeps its rows in `rows`, by id, and shows them in the table."""

    def __init__(self, session: Session) -> None:
        self.rows: dict[int, R] = {}
        super().__init__(session)
        self.head = Line()
        self.table = RowTable(self.columns(), self._fetch, empty_text="")

    def columns(self) -> tuple[Column, ...]:
        """Its columns, with times as they are shown now."""
        raise NotImplementedError

    def read(self) -> None:
        """Ask for the rows, in a thread."""
        raise NotImplementedError

    @override
    def body(self) -> Iterable[Widget]:
        yield self.head
        yield self.table

    def on_mount(self) -> None:
        """Read them before anything is typed."""
        self.table.focus()
        self.read()

    def _fetch(self, ids: Sequence[int]) -> Sequence[R]:
        return [self.rows[id] for id in ids if id in self.rows]

    @override
    def times_changed(self) -> None:
        self.table.columns = self.columns()

    @on(RowTable.Moved)
    def _cursor_moved(self) -> None:
        self.refresh_keys()
