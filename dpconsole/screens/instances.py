"""Recurring instances: the list an on-call night is spent in, in its two tabs (RULES.md 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.domain.definitions import Priority
from dpconsole.core.services import InstanceRow, ListKind, ListRequest, Record, Selection
from dpconsole.screens.asking import OpenInstance, OpenLog, OpenTask
from dpconsole.screens.instance_columns import instance_columns
from dpconsole.screens.listing import ListScreen, View
from dpconsole.screens.session import Session
from dpconsole.screens.verbs import Verbs
from dpconsole.widgets.columns import Column
from dpconsole.widgets.row_table import RowTable, Sort
from dpconsole.widgets.tab_bar import TabBar

TITLES: dict[str, str] = {"computing": "Integration & computing", "modeling": "Modeling"}
"""The tabs, in their order."""


def quoted(text: str) -> str:
    """A value as the query language takes it literally."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class InstancesScreen(Verbs, ListScreen):
    """The list of recurring instances; each tab keeps its own filter, order and cursor, marks belong to both."""

    stack = "instances"
    title_words = "Recurring instances"
    kind = ListKind.INSTANCES
    table_name = "instance"
    default_sort = Sort("due")
    settled_sorts = frozenset({"due", "name"})
    like_terms: ClassVar[Mapping[str, Callable[[Any], str]]] = {
        "name": lambda row: f"task:{quoted(row.task)}",
        "status": lambda row: f"status:{row.status}",
        "chips": lambda row: f"status:{row.status}",
        "cycle": lambda row: f"cycle:{row.cycle}",
        "biz": lambda row: f"biz:{row.business_date}",
        "prio": lambda row: f"prio:{Priority.of(row.effective_priority)}",
        "owner": lambda row: f"owner:{quoted(row.owner)}",
        "project": lambda row: f"project:{quoted(row.project)}",
        "group": lambda row: f"group:{quoted(row.resource_group)}",
    }

    def __init__(self, session: Session, query: str | None = None) -> None:
        self._tab = next(iter(TITLES))
        self._views: dict[str, View] = {}
        super().__init__(session, query)
        self.tabs = TabBar(tuple(TITLES.values()))

    @property
    @override
    def listing(self) -> str:
        return self._tab

    @property
    @override
    def columns_key(self) -> str:
        return f"instances.{self._tab}"

    @override
    def every_column(self) -> tuple[Column, ...]:
        return instance_columns(self.session, self._tab)

    @override
    def body(self) -> Iterable[Widget]:
        yield self.tabs
        yield from super().body()

    @override
    def show_count(self, words: str) -> None:
        self.tabs.show_aside(words)

    # Tabs

    def action_tab(self, step: int) -> None:
        """To the next tab."""
        self.tabs.active += step

    @on(TabBar.Selected)
    def _show_tab(self, message: TabBar.Selected) -> None:
        """The tab that is left keeps its filter, order and cursor."""
        self._views[self._tab] = replace(self.view, cursor_id=self.table.cursor_id)
        self._tab = list(TITLES)[message.index]
        self.view = self._views.get(self._tab, View(self.view.query, self.default_sort))
        self.table.columns = self.shown_columns()
        self.table.sort = self.view.sort
        self.filter_bar.text = self.view.query
        self.ask(keep_cursor=False)

    # From a row

    @property
    @override
    def row(self) -> InstanceRow | None:
        """The instance under the cursor."""
        return self.table.cursor_row  # type: ignore[return-value]

    @override
    def selection(self) -> Selection | None:
        """The marks; a query with exclusions when everything that matches is marked, or else the cursor's row."""
        marks = self.table.targets()
        if not marks:
            return None
        if not marks.everything:
            return Selection.of(marks.ids)
        request = marks.scope
        assert isinstance(request, ListRequest)
        return Selection(
            query=request.text, without=marks.ids, listing=request.listing, environment=request.environment
        )

    @override
    def acted(self, record: Record) -> None:
        self.table.marks.clear()
        self.table.refresh()
        self.refresh_keys()

    @override
    def open_with(self, query: str, listing: str = "") -> None:
        if listing and listing != self._tab:
            self.tabs.active = list(TITLES).index(listing)
        super().open_with(query, listing)

    @on(RowTable.Opened)
    def _open(self, message: RowTable.Opened) -> None:
        self.app.post_message(OpenInstance(message.row_id))

    def action_open_log(self) -> None:
        """The run log of the instance under the cursor."""
        if self.row is not None:
            self.app.post_message(OpenLog(self.row.id))

    def action_go_task(self) -> None:
        """The task of the instance under the cursor."""
        if self.row is not None:
            self.app.post_message(OpenTask(self.row.task))
