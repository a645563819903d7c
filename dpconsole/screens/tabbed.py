"""A list in tabs: each keeps its own filter, order and cursor, and the bar above them counts its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.widget import Widget
from typing_extensions import override

from dpconsole.screens.listing import ListScreen, View
from dpconsole.screens.session import Session
from dpconsole.widgets.tab_bar import TabBar


class TabbedList(ListScreen):
    """One list shown in several tabs; what the tab changes of it is the screen's."""

    tab_titles: ClassVar[Mapping[str, str]]
    """What the tabs are called, by their names, in their order."""

    def __init__(self, session: Session, query: str | None = None) -> None:
        self.tab = next(iter(self.tab_titles))
        self._views: dict[str, View] = {}
        super().__init__(session, query)
        self.tabs = TabBar(tuple(self.tab_titles.values()))

    def first_view(self) -> View:
        """How a tab is asked for that has not been shown yet."""
        raise NotImplementedError

    @override
    def body(self) -> Iterable[Widget]:
        yield self.tabs
        yield from super().body()

    @override
    def show_count(self, words: str) -> None:
        self.tabs.show_aside(words)

    def action_tab(self, step: int) -> None:
        """To the next tab."""
        self.tabs.active += step

    @on(TabBar.Selected)
    def _show_tab(self, message: TabBar.Selected) -> None:
        """The tab that is left keeps its filter, order and cursor."""
        self._views[self.tab] = replace(self.view, cursor_id=self.table.cursor_id)
        self.tab = list(self.tab_titles)[message.index]
        self.view = self._views.get(self.tab) or self.first_view()
        self.table.columns = self.shown_columns()
        self.table.sort = self.view.sort
        self.filter_bar.text = self.view.query
        self.ask(keep_cursor=False)
