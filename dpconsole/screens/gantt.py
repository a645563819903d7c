"""The Gantt chart of a critical path: what an instance waited for longest, back to its start (RULES.md 14).

The rows are instances, from the start at the top to the end at the bottom, and are marked, filtered and acted upon as
in every list. The path is walked in a thread; while it is shown its bars follow the night, and when it has come to lead
elsewhere that is said and waits for a refresh.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from textual import on, work
from textual.message import Message
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.domain.clock import format_duration
from dpconsole.core.domain.statuses import Status
from dpconsole.core.graph.critical import Stage
from dpconsole.core.services import (
    Delta,
    Gantt,
    GanttRow,
    InstanceRow,
    ListKind,
    ListRequest,
    PathRole,
    QueryError,
    Record,
    Selection,
    Snapshot,
)
from dpconsole.screens.candidates import CandidatePrompt, Other
from dpconsole.screens.instance_columns import instance_name, object_cell, priority_cell
from dpconsole.screens.instance_rows import INSTANCE_TERMS, InstanceRows
from dpconsole.screens.pace import Pace
from dpconsole.screens.prompts import ChoicePrompt
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_moment, show_span, show_took, zone_of
from dpconsole.widgets.columns import Column
from dpconsole.widgets.gantt_chart import MINUTE, ChartColumn, Lines, Window, legend
from dpconsole.widgets.ink import Cell, Ink, Piece
from dpconsole.widgets.line import Line
from dpconsole.widgets.row_table import Sort
from dpconsole.widgets.status import status_cell

SLOWER = 1.2
"""How many times as long as usual a run takes that is called slow."""

FAR_MS = 24 * 60 * MINUTE
"""A promise further away than this is not fetched into sight."""

MARGIN = 0.05
"""The share of a window that is left free at its ends, so that the bars may grow before they move."""

ROOT_WORDS = "tenant root"

ROLES: dict[PathRole, str] = {PathRole.START: "Start", PathRole.END: "End"}

UNSORTED = "path"
"""The order of a path, by which no column sorts."""


def extent(rows: Iterable[GanttRow], now: int, committed: Iterable[int]) -> Window:
    """From the first that happened on a path to the last that is expected, and to the promises that are near."""
    segments = [segment for row in rows for segment in row.bar.segments]
    busy = (one.begins_at for one in segments if one.stage not in (Stage.UPSTREAM, Stage.TIME))
    begins_at = min(busy, default=now - 30 * MINUTE)
    near = (at for at in committed if begins_at < at < begins_at + FAR_MS)
    return Window(begins_at, max((now, *(one.ends_at for one in segments), *near)))


def _of_its_row(term: Callable[[InstanceRow], str]) -> Callable[[GanttRow], str]:
    return lambda shown: term(shown.row)


class GanttScreen(InstanceRows):
    """The critical path to, or from, an instance; live."""

    stack = "gantt"
    title_words = "Critical path"
    kind = ListKind.INSTANCES
    table_name = "instance"
    default_sort: ClassVar[Sort] = Sort(UNSORTED)
    placeholder = "the whole path - for instance: not status:succeeded"
    like_terms: ClassVar[Mapping[str, Callable[[Any], str]]] = {
        column: _of_its_row(term) for column, term in INSTANCE_TERMS.items()
    }

    class Charted(Message):
        """The path and its bars; None when the instance is gone. `follows`: what is listed stays listed."""

        def __init__(self, found: Gantt | None, *, follows: bool) -> None:
            self.found, self.follows = found, follows
            super().__init__()

    def __init__(self, session: Session, instance_id: int, role: PathRole = PathRole.END) -> None:
        self.selected_id, self.role = instance_id, role
        self.other_id: int | None = None
        self.found: Gantt | None = None
        self._bars: dict[int, GanttRow] = {}
        self._window = Window(session.now - 30 * MINUTE, session.now)
        self._is_fitted = True
        self._pace = Pace(session.services.wall)
        super().__init__(session, "")
        self.default_query = ""
        self.head, self.legend = Line(), Line()

    @override
    def body(self) -> Iterable[Widget]:
        yield self.head
        yield from super().body()
        yield self.legend

    @override
    def on_mount(self) -> None:
        if self.role is PathRole.START:
            self.table.focus()
            self._choose_other(self.selected_id, self.role)
        else:
            super().on_mount()

    # Columns

    @override
    def every_column(self) -> tuple[Column, ...]:
        return (
            Column("name", "Instance Object", 24, lambda shown: object_cell(shown.row), min_width=16, flex=1),
            Column("status", "Status", 14, self._status, min_width=13, short=lambda shown: self._status(shown, 0)),
            Column("due", "Due", 5, self._due, "right", 3, short=lambda shown: self._due(shown)[:5]),
            Column("took", "Took", 7, self._took, "right", 1, min_width=6),
            Column("usual", "Usual", 7, _usual, "right", 2, min_width=6),
            Column("prio", "Prio", 9, lambda shown: priority_cell(shown.row), "left", 4, min_width=6),
            ChartColumn(
                *("chart", "", 40, lambda _shown: ""),
                flex=6,
                bar_of=lambda shown: shown.bar,
                window=self._window,
                lines=self._lines,
                zone=zone_of(self.session.times, self.services.zone),
            ),
        )

    def _status(self, shown: GanttRow, width: int | None = None) -> Cell:
        return status_cell(shown.row.status, paused=shown.row.paused, width=width)

    def _due(self, shown: GanttRow) -> str:
        return self._moment(shown.row.due_at)

    def _took(self, shown: GanttRow) -> Cell:
        words = show_took(shown.row.started_at, shown.row.ended_at, self.session.now)
        return [(words, Ink.WARNING if _is_slow(shown) else Ink.PLAIN)]

    def _lines(self) -> Lines:
        return Lines(self.session.now, tuple(one.at for one in self.found.committed) if self.found else ())

    def _moment(self, ms: int | None) -> str:
        day = date.fromisoformat(self.found.end.business_date) if self.found else None
        return show_moment(ms, self.session.times, self.services.zone, self.session.now, day)

    # The path

    @property
    def ends(self) -> tuple[int, int | None]:
        """The end of the path, and its start where that is not the tenant root."""
        if self.role is PathRole.END or self.other_id is None:
            return self.selected_id, self.other_id
        return self.other_id, self.selected_id

    @override
    def request(self, query: str | None = None) -> ListRequest:
        return replace(super().request(query), sort="", descending=False)

    @in_thread("list")
    @override
    def _ask(self, request: ListRequest, keep_cursor: bool) -> None:
        self._pace.begin()
        found = self.services.gantt(*self.ends)
        ids = () if found is None else found.ids
        try:
            listed = self._narrowed(request, ids)
        except QueryError as error:
            self.post_message(self.Refused(request.text, error))
            return
        self.post_message(self.Charted(found, follows=False))
        rev = 0 if found is None else found.rev
        snapshot = Snapshot(array("q", listed), len(ids), rev)
        self.post_message(self.Listed(request, snapshot, keep_cursor=keep_cursor, whole=True))

    def _narrowed(self, request: ListRequest, ids: Sequence[int]) -> list[int]:
        """Those of the path that a filter matches, in the order of the path."""
        matching = self.services.lists.refilter(request, ids) if request.text else set(ids)
        return [id for id in ids if id in matching]

    @in_thread("follow")
    def _follow(self, listed: Sequence[int]) -> None:
        self.post_message(self.Charted(self.services.gantt(*self.ends, listed), follows=True))

    @on(Charted)
    def _show_chart(self, message: Charted) -> None:
        self._pace.end()
        before, self._bars = self._bars, {row.id: row for row in (message.found.rows if message.found else ())}
        listed_path = self.found.ids if self.found else ()
        self.found = message.found
        if self._is_fitted and not (message.follows and self._window.holds(self._extent)):
            self._fit()
        if message.follows and message.found is not None:
            self.table.update_rows(id for id in self.table.ids if before.get(id) != self._bars.get(id))
            self._note_another_path(listed_path, message.found)
        self._show_head()
        self.legend.show(legend(row.bar for row in self._bars.values()))

    def _note_another_path(self, listed: Sequence[int], found: Gantt) -> None:
        """The path leads elsewhere by now; it is drawn so when the operator asks."""
        self.found = replace(found, ids=tuple(listed))
        if found.ids != listed:
            self.table.note_moved(max(1, len(set(found.ids) ^ set(listed))))
            self.refresh_keys()

    @override
    def fetch(self, ids: Sequence[int]) -> Sequence[GanttRow]:
        return [self._bars[id] for id in ids if id in self._bars]

    @override
    def empty_words(self) -> str:
        if self.found is None:
            return "This instance is no longer there."
        return self.found.words or super().empty_words()

    @override
    def show_count(self, words: str) -> None:
        self._show_head()

    def _show_head(self) -> None:
        found = self.found
        if found is None:
            self.head.show("")
            return
        start = instance_name(found.start) if found.start else ROOT_WORDS
        names = ((PathRole.START, start), (PathRole.END, instance_name(found.end)))
        left: list[Piece] = []
        for role, name in names:
            left += [(f"{ROLES[role]} ", Ink.DIM), (f"{name}   ", Ink.STRONG if role is self.role else Ink.PLAIN)]
        count, total, _ = self._counts
        left.append((f"{total:,} instances" if count == total else f"{count:,} of {total:,} instances", Ink.DIM))
        if found.ids and found.words:
            left.append((f"   {found.words}", Ink.WARNING))
        self.head.show(left, self._outcome(found))

    def _outcome(self, found: Gantt) -> Cell:
        """When the end is done, and what that is to its promise."""
        if found.ends_at is None:
            return [("never done by itself", Ink.FAILED), *self._held_by(found)]
        done = found.end.ended_at is not None and found.ends_at <= self.session.now
        said: list[Piece] = [(f"{'done at' if done else 'done at about'} {self._moment(found.ends_at)}", Ink.PLAIN)]
        for one in found.committed[:1]:
            left = one.at - found.ends_at
            words, ink = ("left", Ink.SUCCEEDED) if left >= 0 else ("late", Ink.FAILED)
            said += [(f"   {one.name} {self._moment(one.at)} ", Ink.DIM), (f"{show_span(abs(left))} {words}", ink)]
        return said

    def _held_by(self, found: Gantt) -> list[Piece]:
        """What would have to move first."""
        path = (self._bars[id].row for id in found.ids if id in self._bars)
        first = next((row for row in path if row.status is not Status.SUCCEEDED), None)
        return [(f": {instance_name(first)} ", Ink.PLAIN), *status_cell(first.status)] if first else []

    # Live

    @override
    def take(self, delta: Delta) -> None:
        if delta.everything or delta.ids.get(self.table_name):
            self._pace.changed()
            self.on_pulse()

    @override
    def on_pulse(self) -> None:
        if self.found is not None and self._pace.is_due:
            self._pace.begin()
            self._follow(tuple(self.table.ids))

    @override
    def on_minute(self) -> None:
        self._pace.changed()
        self.on_pulse()
        super().on_minute()

    # The window

    def action_zoom(self, factor: float) -> None:
        """Show a shorter time, or a longer one, around now."""
        self._look_at(self._window.zoomed(factor, self.session.now))

    def action_pan(self, share: float) -> None:
        """Show an earlier time, or a later one."""
        self._look_at(self._window.moved(share))

    def action_fit(self) -> None:
        """Show the whole path."""
        self._is_fitted = True
        self._fit()

    def _look_at(self, window: Window) -> None:
        self._is_fitted = False
        self._show_window(window)

    def _fit(self) -> None:
        self._show_window(self._extent.widened(MARGIN))

    @property
    def _extent(self) -> Window:
        """What is to be seen of the whole path."""
        rows = (self._bars[id] for id in (self.found.ids if self.found else ()) if id in self._bars)
        return extent(rows, self.session.now, self._lines().committed)

    def _show_window(self, window: Window) -> None:
        if window != self._window:
            self._window = window
            self.table.columns = self.shown_columns()

    # Which path

    @work
    async def action_choose_ends(self) -> None:
        """Set the instance under the cursor as the start or the end, and choose the other."""
        row = self.row
        if row is None:
            return
        choices = [(role.value, words) for role, words in ROLES.items()]
        asked = ChoicePrompt(self.session, f"Set {instance_name(row)} as", choices, chosen=(self.role.value,))
        chosen = await self.app.push_screen_wait(asked)
        if chosen is not None:
            self._choose_other(row.id, PathRole(chosen))

    @work
    async def _choose_other(self, instance_id: int, role: PathRole) -> None:
        answer = await self.app.push_screen_wait(CandidatePrompt(self.session, instance_id, role))
        if isinstance(answer, Other):
            self.selected_id, self.role, self.other_id = instance_id, role, answer.instance_id
            self._is_fitted = True
            self.ask(keep_cursor=False)
        elif self.found is None:
            await self.run_action("app.back")

    # Rows

    @property
    @override
    def row(self) -> InstanceRow | None:
        shown = self.table.cursor_row
        return shown.row if isinstance(shown, GanttRow) else None

    @override
    def selection(self) -> Selection | None:
        marks = self.table.targets()
        if not marks:
            return None
        return Selection.of([id for id in self.table.ids if id in marks] if marks.everything else marks.ids)

    @in_thread("marks")
    @override
    def _mark_matching(self, request: ListRequest, marked: bool) -> None:
        try:
            ids = self._narrowed(request, self.found.ids if self.found else ())
            self.post_message(self.Matched(ids, marked))
        except QueryError as error:
            self.post_message(self.Refused(request.text, error))

    @override
    def acted(self, record: Record) -> None:
        super().acted(record)
        self._pace.changed()

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "sort" and super().check_action(action, parameters)


def _usual(shown: GanttRow) -> Cell:
    usual = shown.bar.usual_ms
    return [("-" if usual is None else format_duration(usual / 1000), Ink.DIM)]


def _is_slow(shown: GanttRow) -> bool:
    """Whether its last run took, or takes already, much longer than usual."""
    run, usual = shown.bar.run, shown.bar.usual_ms
    return run is not None and bool(usual) and run.ends_at - run.begins_at > SLOWER * (usual or 0)
