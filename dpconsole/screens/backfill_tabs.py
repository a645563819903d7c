"""The two tabs of the backfills: what was submitted, and what is to be (RULES.md 4.2 and 4.3).

Each is a screen of its own, because its rows, keys and verbs are other ones; the bar above them leads from one to the
other.
"""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from textual import on

from dpconsole.screens.asking import GoTo
from dpconsole.screens.base import ConsoleScreen
from dpconsole.widgets.tab_bar import TabBar

TABS: dict[str, str] = {"backfill": "Submitted", "pending": "To be submitted"}
"""The screens, and what their tabs are called."""


class BackfillTabs(ConsoleScreen):
    """A screen that is one of the tabs; `stack` says which. Its `tabs` are to be put above its list."""

    title_words: ClassVar[str] = "Backfill"

    @cached_property
    def tabs(self) -> TabBar:
        """The bar."""
        return TabBar(tuple(TABS.values()), active=self._own_tab)

    @property
    def _own_tab(self) -> int:
        return list(TABS).index(self.stack)

    def action_tab(self, step: int) -> None:
        """To the other tab."""
        self.tabs.active += step

    @on(TabBar.Selected)
    def _leave_for(self, message: TabBar.Selected) -> None:
        """The bar of this screen goes on showing this screen."""
        if message.index != self._own_tab:
            self.tabs.active = self._own_tab
            self.app.post_message(GoTo(list(TABS)[message.index]))
