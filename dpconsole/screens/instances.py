"""Recurring instances: the list an on-call night is spent in, in its two tabs (RULES.md 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual import on, work
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.services import InstanceRow, ListKind, Selection
from dpconsole.screens.export import ExportScreen, Wanted
from dpconsole.screens.instance_columns import instance_columns
from dpconsole.screens.instance_rows import INSTANCE_TERMS, InstanceRows
from dpconsole.screens.listing import View
from dpconsole.screens.prompts import ChoicePrompt
from dpconsole.screens.session import Session
from dpconsole.widgets.columns import Column
from dpconsole.widgets.row_table import Sort
from dpconsole.widgets.tab_bar import TabBar

TITLES: dict[str, str] = {"computing": "Integration & computing", "modeling": "Modeling"}
"""The tabs, in their order."""


class InstancesScreen(InstanceRows):
    """The list of recurring instances; each tab keeps its own filter, order and cursor, marks belong to both."""

    stack = "instances"
    title_words = "Recurring instances"
    kind = ListKind.INSTANCES
    table_name = "instance"
    default_sort = Sort("due")
    settled_sorts = frozenset({"due", "name"})
    like_terms: ClassVar[Mapping[str, Callable[[Any], str]]] = INSTANCE_TERMS

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
        return self.table.cursor_row  # type: ignore[return-value]

    # Export

    @work
    async def action_export(self) -> None:
        """Write a workbook of all recurring instances, of what the filter matches, or of what is marked."""
        marked = f"the {self.table.marks.count:,} marked"
        wanted = {
            "all": Wanted("All recurring instances", None),
            "listed": Wanted("What the filter matches", self._listed()),
            "marked": Wanted(marked.capitalize(), self.selection()),
        }
        offered = [(name, one.title) for name, one in wanted.items() if name != "marked" or self.table.marks]
        chosen = await self.app.push_screen_wait(ChoicePrompt(self.session, "Export", offered))
        if chosen is None:
            return
        path = await self.app.push_screen_wait(ExportScreen(self.session, wanted[chosen]))
        if path is not None:
            self.notify(f"Written: {path}", markup=False)

    def _listed(self) -> Selection:
        request = self.request()
        return Selection(query=request.text, listing=request.listing, environment=request.environment)

    @override
    def open_with(self, query: str, listing: str = "") -> None:
        if listing and listing != self._tab:
            self.tabs.active = list(TITLES).index(listing)
        super().open_with(query, listing)
