"""Recurring instances: the list an on-call night is spent in, in its two tabs (RULES.md 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual import work
from typing_extensions import override

from dpconsole.core.services import InstanceRow, ListKind, Selection
from dpconsole.screens.export import ExportScreen, Wanted
from dpconsole.screens.instance_columns import instance_columns
from dpconsole.screens.instance_rows import INSTANCE_TERMS, InstanceRows
from dpconsole.screens.listing import View
from dpconsole.screens.prompts import ChoicePrompt
from dpconsole.screens.tabbed import TabbedList
from dpconsole.widgets.columns import Column
from dpconsole.widgets.row_table import Sort

TITLES: dict[str, str] = {"computing": "Integration & computing", "modeling": "Modeling"}
"""The tabs, in their order."""


class InstancesScreen(InstanceRows, TabbedList):
    """The list of recurring instances; each tab keeps its own filter, order and cursor, marks belong to both."""

    stack = "instances"
    tab_titles: ClassVar[Mapping[str, str]] = TITLES
    title_words = "Recurring instances"
    kind = ListKind.INSTANCES
    table_name = "instance"
    default_sort = Sort("due")
    settled_sorts = frozenset({"due", "name"})
    like_terms: ClassVar[Mapping[str, Callable[[Any], str]]] = INSTANCE_TERMS

    @property
    @override
    def listing(self) -> str:
        return self.tab

    @property
    @override
    def columns_key(self) -> str:
        return f"instances.{self.tab}"

    @override
    def every_column(self) -> tuple[Column, ...]:
        return instance_columns(self.session, self.tab)

    @override
    def first_view(self) -> View:
        return View(self.view.query, self.default_sort)

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
        if listing and listing != self.tab:
            self.tabs.active = list(TITLES).index(listing)
        super().open_with(query, listing)
