"""Queue & holds: what the engine would run next and why in that order, and everything that is paused.

Both are selections: the marks, the filter and the verbs are those of the other lists of instances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar

from typing_extensions import override

from dpconsole.core.services import InstanceRow, ListKind, ListRequest, QueueRow
from dpconsole.screens.instance_columns import object_cell, priority_cell
from dpconsole.screens.instance_rows import INSTANCE_TERMS, InstanceRows
from dpconsole.screens.listing import View
from dpconsole.screens.session import Session
from dpconsole.screens.tabbed import TabbedList
from dpconsole.screens.times import show_moment
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.row_table import Sort
from dpconsole.widgets.status import status_cell


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the two lists: its title, what is always asked, its order, its columns, and what an empty one says."""

    title: str
    query: str
    sort: Sort
    columns: tuple[str, ...]
    empty: str


_TABS = (
    Tab(
        "What runs next",
        "status:waiting_time,throttled,waiting_resource and unit:script,pipeline,node",
        Sort("turn"),
        ("place", "name", "status", "prio", "due", "held"),
        "Nothing waits for its turn.",
    ),
    Tab(
        "Held",
        "paused:yes",
        Sort("due"),
        ("name", "status", "by", "since", "until", "reason", "biz"),
        "Nothing is paused.",
    ),
)
TABS: Mapping[str, Tab] = {tab.title: tab for tab in _TABS}
"""The two lists by their titles, in their order."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A row with its place in the list, from 1."""

    place: int
    queued: QueueRow

    @property
    def id(self) -> int:
        """The id of the instance."""
        return self.queued.id

    @property
    def row(self) -> InstanceRow:
        """The instance."""
        return self.queued.row


BY_DEFINITION = "its task"
"""Who holds what nobody paused."""
NOT_SCHEDULED = "its task was paused when it was generated"


def _status(row: Placed, width: int | None = None) -> Cell:
    return status_cell(row.row.status, paused=row.row.paused, width=width)


def _columns(session: Session) -> Mapping[str, Column]:
    def moment(ms: int | None, row: InstanceRow) -> str:
        day = date.fromisoformat(row.business_date)
        return show_moment(ms, session.times, session.services.zone, session.now, day)

    def since(row: Placed) -> Cell:
        return moment(row.queued.hold.at, row.row) if row.queued.hold else "-"

    def until(row: Placed) -> Cell:
        return moment(row.row.paused_until, row.row) if row.row.paused_until else "resumed"

    every = (
        Column("place", "#", 6, lambda row: f"{row.place:,}", "right", min_width=4),
        Column("name", "Instance Object", 26, lambda row: object_cell(row.row), min_width=16, flex=1),
        Column("status", "Status", 20, _status, min_width=16, short=lambda row: _status(row, 0)),
        Column("prio", "Prio", 9, lambda row: priority_cell(row.row), priority=1),
        Column("due", "Due", 11, lambda row: moment(row.row.due_at, row.row), "right", 2, True, 5),
        Column("held", "What holds it", 40, lambda row: [(row.queued.held_by, Ink.DIM)], min_width=17, flex=2),
        Column("by", "By", 10, _by, min_width=8),
        Column("since", "Since", 11, since, "right", 3, min_width=5),
        Column("until", "Until", 11, until, "right", 1, min_width=7),
        Column("reason", "Why", 40, _why, min_width=16, flex=3),
        Column("biz", "Data date", 10, lambda row: row.row.business_date, priority=6),
    )
    return {column.id: column for column in every}


def _by(row: Placed) -> Cell:
    return row.queued.hold.actor if row.queued.hold else [(BY_DEFINITION, Ink.DIM)]


def _why(row: Placed) -> Cell:
    return (row.queued.hold.reason or "-") if row.queued.hold else [(NOT_SCHEDULED, Ink.DIM)]


def _of_its_row(term: Callable[[InstanceRow], str]) -> Callable[[Placed], str]:
    return lambda placed: term(placed.row)


class QueueScreen(InstanceRows, TabbedList):
    """The two lists; each tab keeps its own filter and cursor, marks belong to both."""

    stack = "queue"
    tab_titles: ClassVar[Mapping[str, str]] = {title: title for title in TABS}
    title_words = "Queue & holds"
    kind = ListKind.INSTANCES
    table_name = "instance"
    default_sort: ClassVar[Sort] = _TABS[0].sort
    placeholder = "all of them - for instance: prio>=high project:trade"
    like_terms: ClassVar[Mapping[str, Callable[[Any], str]]] = {
        column: _of_its_row(term) for column, term in INSTANCE_TERMS.items()
    }

    def __init__(self, session: Session, query: str | None = None) -> None:
        self._places: dict[int, int] = {}
        super().__init__(session, query or "")
        self.default_query = ""

    @property
    @override
    def columns_key(self) -> str:
        return f"queue.{self.tab}"

    @override
    def every_column(self) -> tuple[Column, ...]:
        every = _columns(self.session)
        return tuple(every[column] for column in self._tab.columns)

    @override
    def request(self, query: str | None = None) -> ListRequest:
        asked = super().request(query)
        return replace(asked, text=f"{self._lead}{asked.text})" if asked.text else self._tab.query)

    @property
    def _lead(self) -> str:
        return f"{self._tab.query} and ("

    @property
    @override
    def typed_from(self) -> int:
        return len(self._lead)

    @property
    @override
    def count_words(self) -> str:
        listed, _, whole = self._counts
        return f"{listed:,}{'' if whole else '+'}"

    @override
    def empty_words(self) -> str:
        return super().empty_words() if self.view.query else self._tab.empty

    @override
    def fetch(self, ids: Sequence[int]) -> Sequence[Placed]:
        if self._places.keys().isdisjoint(ids):
            self._places = {id: place for place, id in enumerate(self.table.ids, 1)}
        return [Placed(self._places.get(row.id, 0), row) for row in self.services.queue(ids)]

    @override
    def on_minute(self) -> None:
        self.table.update_rows(self.table.visible_ids)

    @property
    def _tab(self) -> Tab:
        return TABS[self.tab]

    @override
    def first_view(self) -> View:
        return View("", self._tab.sort)

    @property
    @override
    def row(self) -> InstanceRow | None:
        placed = self.table.cursor_row
        return placed.row if isinstance(placed, Placed) else None
