"""What every list has: a query, an order, marks, and live rows that never move under the cursor.

A list is asked for in a thread: first a page of ids, so that there is something to read, then all of them. Committed
changes repaint the visible rows in place; what would stand elsewhere is counted ("37 rows moved - ctrl+r") and stays
where it is until the operator asks.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual import on, work
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import get_current_worker
from typing_extensions import override

from dpconsole.core.services import DEFAULT_FILTERS, QUICK_FILTERS, Delta, ListKind, ListRequest, QueryError, Snapshot
from dpconsole.screens.base import ConsoleScreen
from dpconsole.screens.prompts import ChoicePrompt, TextPrompt
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.widgets.cells import width_of
from dpconsole.widgets.columns import Column
from dpconsole.widgets.filter_bar import FilterBar
from dpconsole.widgets.row_table import RowTable, Sort

FIRST_PAGE = 256
"""Ids asked for before all of them: more than a tall terminal shows."""

TYPING_PAUSE = 0.15
"""Seconds without a keystroke before a filter that is being typed is asked."""


ON_A_ROW = frozenset({"verb", "open_log", "go_task", "go_instances", "dag", "move", "actions", "watch"})
"""Actions that need a row under the cursor."""


@dataclass(frozen=True, slots=True)
class View:
    """How a list was asked for: its query, its order, and where the cursor stood."""

    query: str
    sort: Sort
    cursor_id: int | None = None


class Membership:
    """Which ids a snapshot holds, in the space of one more array; made by the first question, in its thread."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids
        self._ordered: array[int] | None = None

    def __contains__(self, row_id: int) -> bool:
        if self._ordered is None:
            self._ordered = array("q", sorted(self._ids))
        place = bisect_left(self._ordered, row_id)
        return place < len(self._ordered) and self._ordered[place] == row_id


@dataclass(frozen=True, slots=True)
class Shown:
    """The list on the screen: what it was asked with, and which ids it holds."""

    request: ListRequest
    members: Membership


def toggle_term(query: str, term: str) -> str:
    """The query with the term added at its end, or without it when it stands there already."""
    if query == term:
        return ""
    if query.endswith(f" {term}"):
        return _unwrapped(query.removesuffix(f" {term}"))
    return f"{_wrapped(query)} {term}".strip()


def _wrapped(query: str) -> str:
    """In parentheses when the next term would otherwise join only the last part of an `or`."""
    return f"({query})" if " or " in query.lower() else query


def _unwrapped(query: str) -> str:
    return query[1:-1] if " or " in query.lower() and query.startswith("(") and query.endswith(")") else query


class ListScreen(ConsoleScreen):
    """A page with one row table."""

    kind: ClassVar[ListKind]
    """What the core calls the list."""

    table_name: ClassVar[str]
    """The name of the rows in the change feed."""

    default_sort: ClassVar[Sort]
    placeholder: ClassVar[str] = "everything - for instance: status:failed owner:me biz:-1d"
    settled_sorts: ClassVar[frozenset[str]] = frozenset()
    """Orders that no change of a row can alter."""

    like_terms: ClassVar[Mapping[str, Callable[[Any], str]]] = {}
    """By column: the term that matches the rows whose cell reads the same."""

    class Listed(Message):
        """The ids that were asked for; `whole` is false while only the first page is known."""

        def __init__(self, request: ListRequest, snapshot: Snapshot, *, keep_cursor: bool, whole: bool) -> None:
            self.request, self.snapshot, self.keep_cursor, self.whole = request, snapshot, keep_cursor, whole
            super().__init__()

    class Refused(Message):
        """The query means nothing; the error points at the character that is wrong."""

        def __init__(self, text: str, error: QueryError) -> None:
            self.text, self.error = text, error
            super().__init__()

    class Drifted(Message):
        """Rows that would come, go or stand elsewhere if the list were asked for again."""

        def __init__(self, shown: Shown, ids: set[int]) -> None:
            self.shown, self.ids = shown, ids
            super().__init__()

    class Matched(Message):
        """The ids of a query by which rows are marked or unmarked."""

        def __init__(self, ids: Sequence[int], marked: bool) -> None:
            self.ids, self.marked = ids, marked
            super().__init__()

    def __init__(self, session: Session, query: str | None = None) -> None:
        super().__init__(session)
        self.default_query = DEFAULT_FILTERS.get(self.kind, "")
        self.view = View(self.default_query if query is None else query, self.default_sort)
        self.table = self.make_table()
        self.table.sort = self.view.sort
        self.filter_bar = FilterBar(self.view.query, placeholder=self.placeholder)
        self._asked: ListRequest | None = None
        self._shown: Shown | None = None
        self._drifted: set[int] = set()
        self._counts = (0, 0, False)
        self._only_marked = False
        self._typing: Timer | None = None

    # What a list is made of

    def make_table(self) -> RowTable:
        """The table that shows the list."""
        return RowTable(self.shown_columns(), self.fetch, empty_text="")

    def every_column(self) -> tuple[Column, ...]:
        """All columns the list can show."""
        raise NotImplementedError

    def shown_columns(self) -> tuple[Column, ...]:
        """The columns the operator chose, in the list's own order."""
        chosen = self.session.columns.get(self.columns_key)
        return tuple(column for column in self.every_column() if chosen is None or column.id in chosen)

    @property
    def columns_key(self) -> str:
        """Under which name the choice of columns is kept."""
        return self.stack

    @property
    def listing(self) -> str:
        """Which of the lists of this kind."""
        return ""

    def fetch(self, ids: Sequence[int]) -> Sequence[Any]:
        """The rows of some ids."""
        return self.services.lists.rows(self.kind, ids)

    @override
    def body(self) -> Iterable[Widget]:
        yield self.filter_bar
        yield self.table

    def on_mount(self) -> None:
        """Ask for the list before anything is typed."""
        self.table.focus()
        self.ask(keep_cursor=False)

    # Asking

    def request(self, query: str | None = None) -> ListRequest:
        """What the list is asked with now."""
        return ListRequest(
            kind=self.kind,
            listing=self.listing,
            environment=self.session.environment,
            text=self.view.query if query is None else query,
            sort=self.view.sort.column_id,
            descending=self.view.sort.descending,
        )

    def ask(self, *, keep_cursor: bool = True) -> None:
        """Ask for the list anew; an older question that is still under way is forgotten."""
        self._asked = self.request()
        if not keep_cursor:
            self.arrived.clear()
        self._ask(self._asked, keep_cursor)

    @override
    async def ready(self) -> None:
        """A key is meant for the list that was asked for; but one that is typed into the filter waits for nothing."""
        if not self.filter_bar.has_focus_within:
            await super().ready()

    @in_thread("list")
    def _ask(self, request: ListRequest, keep_cursor: bool) -> None:
        worker = get_current_worker()
        try:
            for limit in (None,) if keep_cursor else (FIRST_PAGE, None):
                snapshot = self.read(request, limit)
                whole = limit is None or len(snapshot.ids) < limit
                if worker.is_cancelled:
                    return
                self.post_message(self.Listed(request, snapshot, keep_cursor=keep_cursor, whole=whole))
                if whole:
                    return
                keep_cursor = True
        except QueryError as error:
            self.post_message(self.Refused(request.text, error))

    def read(self, request: ListRequest, limit: int | None) -> Snapshot:
        """The first ids of a list, or all; called in a thread."""
        return self.services.lists.snapshot(request, limit)

    def put(self, message: Listed) -> None:
        """Let the table list what was read."""
        self.table.show(message.snapshot.ids, keep_cursor=message.keep_cursor, scope=message.request)

    @on(Listed)
    def _show_list(self, message: Listed) -> None:
        if message.request != self._asked:
            return
        self._drifted.clear()
        self._only_marked = False
        self._shown = Shown(message.request, Membership(message.snapshot.ids))
        self.rev = max(self.rev, message.snapshot.rev)
        self.table.empty_text = self.empty_words()
        self.put(message)
        if self.view.cursor_id is not None:
            self.table.go_to_id(self.view.cursor_id)
            self.view = replace(self.view, cursor_id=None)
        self._counts = (len(message.snapshot.ids), message.snapshot.total_unfiltered, message.whole)
        self.filter_bar.clear_error()
        self.show_count(self.count_words)
        self.refresh_keys()
        self.arrived.set()

    @on(Refused)
    def _show_refusal(self, message: Refused) -> None:
        if self._asked is not None and message.text == self._asked.text:
            self.arrived.set()
            error = message.error
            self.filter_bar.show_error(str(error), width_of(message.text[self.typed_from : error.position]))

    @property
    def typed_from(self) -> int:
        """Where what the operator typed begins in the query that is asked."""
        return 0

    @property
    def count_words(self) -> str:
        """`128 of 104,233`; a plus while only the first page is known."""
        listed, total, whole = self._counts
        return f"{listed:,}{'' if whole else '+'} of {total:,}"

    def show_count(self, words: str) -> None:
        """Where the list says how many rows it has."""
        raise NotImplementedError

    def empty_words(self) -> str:
        """What stands in an empty list: why it is empty, and how to see more."""
        keys = self.session.keymap
        if not self.view.query:
            return f"Nothing here yet in {self.session.environment.upper()}."
        more = f"{keys['list.filter'].display} changes the filter, an empty one shows everything"
        return f"Nothing matches {self.view.query}\n\n{more}"

    # Live

    @override
    def take(self, delta: Delta) -> None:
        if self._shown is None:
            return
        if delta.everything:
            self._note_everything()
            return
        changed = delta.ids.get(self.table_name)
        if not changed:
            return
        self.table.update_rows(changed)
        self._count_drift(self._shown, changed)

    def _note_everything(self) -> None:
        """Too much changed to be listed: what is in sight is read again, the rest waits for a refresh."""
        self.table.update_rows(self.table.visible_ids)
        self.table.note_moved(len(self.table.ids))
        self.refresh_keys()

    @in_thread("drift", exclusive=False)
    def _count_drift(self, shown: Shown, changed: frozenset[int]) -> None:
        matching = self.services.lists.refilter(shown.request, changed)
        moves = shown.request.sort not in self.settled_sorts
        drifted = {
            row for row in changed if (row in matching) is not (row in shown.members) or (moves and row in matching)
        }
        self.post_message(self.Drifted(shown, drifted))

    @on(Drifted)
    def _note_drift(self, message: Drifted) -> None:
        if message.shown is not self._shown or not message.ids:
            return
        self._drifted |= message.ids
        if self.table.ids:
            self.table.note_moved(len(self._drifted))
            self.refresh_keys()
        else:
            self.ask()

    @property
    def marked_words(self) -> str:
        """`2 marked (0 off screen)`."""
        count = self.table.marks.count
        seen = sum(1 for row_id in self.table.visible_ids if row_id in self.table.marks) if count else 0
        return f"{count:,} marked ({count - seen:,} off screen)" if count else ""

    @property
    @override
    def note(self) -> str:
        """What is marked, and `37 rows moved - ctrl+r`."""
        parts = [words for words in (self.marked_words,) if words]
        if moved := self.table.pending_moves:
            parts.append(f"{moved:,} rows moved - {self.session.keymap['list.refresh'].display}")
        return "   ".join(parts)

    # Filter

    def look_for(self, query: str) -> None:
        """List what a query matches."""
        self.view = replace(self.view, query=query.strip())
        self.filter_bar.text = self.view.query
        self.ask(keep_cursor=False)

    def action_filter(self) -> None:
        """Type a filter; the list follows while it is typed."""
        self.filter_bar.text = f"{self.view.query} ".lstrip()
        self.filter_bar.focus_input()

    def action_reset_filter(self) -> None:
        """Back to the filter the list opens with."""
        self.look_for(self.default_query)

    def action_quick(self, name: str) -> None:
        """Put a quick filter on, or take it off."""
        fragment = next(quick.fragment for quick in QUICK_FILTERS[self.kind] if quick.name == name)
        self.look_for(toggle_term(self.view.query, fragment))

    @on(FilterBar.Changed)
    def _type_filter(self, message: FilterBar.Changed) -> None:
        if self._typing is not None:
            self._typing.stop()
        if message.text.strip() != self.view.query:
            self._typing = self.set_timer(TYPING_PAUSE, lambda: self._try_filter(message.text))

    def _try_filter(self, text: str) -> None:
        if text.strip() != self.view.query:
            self.view = replace(self.view, query=text.strip())
            self.ask(keep_cursor=False)

    @on(FilterBar.Submitted)
    def _accept_filter(self, message: FilterBar.Submitted) -> None:
        self._try_filter(message.text)
        self.table.focus()

    # Order and columns

    @work
    async def action_sort(self) -> None:
        """Choose the column to sort by; the one it is sorted by already turns round."""
        sortable = [column for column in self.every_column() if column.sortable]
        choices = [(column.id, column.title) for column in sortable]
        asked = ChoicePrompt(self.session, "Sort by", choices, chosen=(self.view.sort.column_id,))
        chosen = await self.app.push_screen_wait(asked)
        if chosen is not None:
            self.sort_by(chosen)

    @on(RowTable.SortRequested)
    def _sort_by_title(self, message: RowTable.SortRequested) -> None:
        self.sort_by(message.column_id)

    def sort_by(self, column_id: str) -> None:
        """Sort by a column, or turn its order round."""
        turned = self.view.sort.column_id == column_id and not self.view.sort.descending
        self.view = replace(self.view, sort=Sort(column_id, turned))
        self.table.sort = self.view.sort
        self.ask()

    @work
    async def action_columns(self) -> None:
        """Choose which columns the list shows."""
        shown = [column.id for column in self.shown_columns()]
        choices = [(column.id, column.title) for column in self.every_column()]
        asked = ChoicePrompt(self.session, "Columns", choices, chosen=shown, several=True)
        chosen = await self.app.push_screen_wait(asked)
        if chosen:
            self.session.columns[self.columns_key] = chosen
            self.table.columns = self.shown_columns()

    @override
    def times_changed(self) -> None:
        self.table.columns = self.shown_columns()

    def action_refresh_list(self) -> None:
        """Ask again; what has moved takes its place."""
        self.ask()

    # Marks

    @on(RowTable.Moved)
    @on(RowTable.MarksChanged)
    def _cursor_or_marks_changed(self) -> None:
        self.refresh_keys()

    @work
    async def action_mark_query(self, marked: bool) -> None:
        """Mark or unmark the rows of a query, among all that the list could show."""
        title = "Mark by query" if marked else "Unmark by query"
        text = await self.app.push_screen_wait(TextPrompt(self.session, title, placeholder="status:failed owner:me"))
        if text:
            self._mark_matching(self.request(text), marked)

    @on(RowTable.LikeRequested)
    def _mark_like(self, message: RowTable.LikeRequested) -> None:
        row, term = self.table.cursor_row, self.like_terms.get(message.column_id)
        words = "" if row is None or term is None else term(row)
        if not words:
            self.notify("Rows cannot be marked by this column; go to another one", severity="warning")
            return
        self.mark_like(words)

    def mark_like(self, term: str) -> None:
        """Mark the listed rows that a term matches."""
        self._mark_matching(self.request(f"{_wrapped(self.view.query)} {term}".strip()), True)

    @in_thread("marks")
    def _mark_matching(self, request: ListRequest, marked: bool) -> None:
        try:
            self.post_message(self.Matched(self.services.lists.snapshot(request, None).ids, marked))
        except QueryError as error:
            self.post_message(self.Refused(request.text, error))

    @on(Matched)
    def _mark_matched(self, message: Matched) -> None:
        self.table.mark(message.ids, message.marked)
        verb = "marked" if message.marked else "unmarked"
        self.notify(f"{len(message.ids):,} rows {verb}", timeout=3, markup=False)

    @on(RowTable.MarkedOnlyRequested)
    def _toggle_only_marked(self) -> None:
        if self._only_marked or not self.table.marks:
            self.ask()
            return
        self._only_marked = True
        self.show_only_marked()
        self.refresh_keys()

    def show_only_marked(self) -> None:
        """Let the table list what is marked, and nothing else."""
        self.table.show(self._marked_ids(), scope=self._asked)

    def _marked_ids(self) -> Sequence[int]:
        """Every marked id: first those of the list in its order, then the others."""
        marks = self.table.marks
        listed = array("q", marks.among(self.table.ids))
        if marks.everything:
            return listed
        return listed + array("q", sorted(marks.ids - set(listed)))

    @override
    def environment_changed(self) -> None:
        self.table.marks.clear()
        self.ask(keep_cursor=False)

    @override
    def on_minute(self) -> None:
        self.table.redraw(self.table.visible_ids)

    def open_with(self, query: str, listing: str = "") -> None:
        """Another screen asks for the rows of a query, and for the tab they are in."""
        self.look_for(query)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.table.ids) or action not in ON_A_ROW

    @override
    def peel_one(self) -> bool:
        """Typing, range, marks, filter: in this order."""
        if self.filter_bar.has_focus_within:
            self._leave_filter()
            return True
        if self.table.peel():
            return True
        if self._only_marked:
            self.ask()
            return True
        if self.view.query != self.default_query:
            self.look_for(self.default_query)
            return True
        return False

    def _leave_filter(self) -> None:
        """Give up what was typed."""
        self.filter_bar.text = self.view.query
        self.table.focus()
