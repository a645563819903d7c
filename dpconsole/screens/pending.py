"""Backfills to be submitted: what waits, what is paused, and whose submission failed and why (RULES.md 4.3 and 8.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual import on, work
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.domain.backfills import BackfillState, PendingVerb, Recurrence, refuse_pending
from dpconsole.core.services import BackfillRow, Layer, ListKind, ListRequest, Record, Selection, TreeId
from dpconsole.screens.asking import OpenFlows, OpenSubmission
from dpconsole.screens.backfill_tabs import BackfillTabs
from dpconsole.screens.instance_rows import quoted
from dpconsole.screens.keymap import Key, Scope
from dpconsole.screens.listing import ListScreen, toggle_term
from dpconsole.screens.prompts import ChoicePrompt
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_moment
from dpconsole.screens.verbs import Verbs
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.row_table import RowTable, Sort

FACES: Mapping[BackfillState, tuple[str, Ink]] = {
    BackfillState.WAITING: ("◔", Ink.WAITING),
    BackfillState.SUBMITTING: ("▶", Ink.RUNNING),
    BackfillState.SUBMITTED: ("✓", Ink.SUCCEEDED),
    BackfillState.FAILED: ("✗", Ink.FAILED),
    BackfillState.PAUSED: ("⏸", Ink.WARNING),
}
"""The glyph and the ink of a state; its word is the domain's."""

QUICK: Mapping[str, str] = {"mine": "submitter:me", "failed": "state:failed", "paused": "state:paused"}
"""The filters behind single keys (section 4.3); everything else is asked for by a query."""

RECURRING = f"recurrence:{','.join(Recurrence)}"
"""The term that matches whatever recurs."""


def state_cell(state: BackfillState) -> Cell:
    """Where a submission stands: glyph, word and ink."""
    glyph, ink = FACES[state]
    return [(f"{glyph} {state.label}", ink)]


def dates_words(dates: tuple[str, ...]) -> str:
    """`2026-11-01..2026-11-07 (7)`; one day by itself, several with a gap by their number."""
    if len(dates) < 2:
        return "".join(dates) or "-"
    return f"{dates[0]}..{dates[-1]} ({len(dates):,})"


def pending_columns(session: Session) -> tuple[Column, ...]:
    """Every column of the list."""

    def moment(ms: int | None) -> str:
        return show_moment(ms, session.times, session.services.zone, session.now)

    return (
        Column("name", "Data Backfill Name", 32, lambda row: row.name, min_width=18, flex=2, sortable=True),
        Column("state", "State", 20, lambda row: state_cell(row.state), sortable=True),
        Column("due", "Due", 11, lambda row: moment(row.submit_after_at), "right", 1, True),
        Column("recurrence", "Recurrence", 10, lambda row: row.recurrence or "once", priority=3, sortable=True),
        Column("submitter", "Submitter", 11, lambda row: row.submitter, priority=2, sortable=True, min_width=9),
        Column("dates", "Data timestamps", 28, lambda row: dates_words(row.dates), priority=4, min_width=26),
        Column("error", "Why it failed", 30, lambda row: [(row.error, Ink.ERROR)], priority=5, min_width=13, flex=2),
        Column("groups", "Groups", 6, lambda row: f"{row.groups:,}", "right", priority=6),
        Column("project", "Project", 14, lambda row: row.project, priority=7, sortable=True, min_width=8),
        Column("flow", "Data Backfill Flow", 20, lambda row: row.flow or "-", priority=8, min_width=10),
        Column("id", "ID", 8, lambda row: row.key, priority=9),
    )


class PendingScreen(BackfillTabs, Verbs, ListScreen):
    """The list of backfills to be submitted."""

    stack = "pending"
    kind = ListKind.BACKFILLS
    table_name = "backfill"
    default_sort: ClassVar[Sort] = Sort("due")
    placeholder = "all of them - for instance: state:failed recurrence:daily,weekly due:today..+7d submitter:lin"
    like_terms: ClassVar[Mapping[str, Callable[[Any], str]]] = {
        "name": lambda row: f"name={quoted(row.name)}",
        "state": lambda row: f"state:{row.state}",
        "recurrence": lambda row: f"recurrence:{row.recurrence}" if row.recurrence else f"not {RECURRING}",
        "submitter": lambda row: f"submitter:{quoted(row.submitter)}",
        "project": lambda row: f"project:{quoted(row.project)}",
    }

    @property
    @override
    def listing(self) -> str:
        return "pending"

    @override
    def every_column(self) -> tuple[Column, ...]:
        return pending_columns(self.session)

    @override
    def body(self) -> Iterable[Widget]:
        yield self.tabs
        yield from super().body()

    @override
    def show_count(self, words: str) -> None:
        self.tabs.show_aside(words)

    @override
    def empty_words(self) -> str:
        return super().empty_words() if self.view.query else "Nothing is to be submitted."

    def reveal(self, backfill_id: int) -> None:
        """Put the cursor on a backfill; a filter is let go, it may hide it."""
        self.view = replace(self.view, query="", cursor_id=backfill_id)
        self.filter_bar.text = ""
        self.ask()

    # Filters

    @override
    def action_quick(self, name: str) -> None:
        """Put a quick filter on, or take it off."""
        self.look_for(toggle_term(self.view.query, QUICK[name]))

    @work
    async def action_recurrences(self) -> None:
        """Only those of some recurrences."""
        choices = [(recurrence.value, recurrence.capitalize()) for recurrence in Recurrence]
        asked = ChoicePrompt(self.session, "Recurrence", choices, several=True)
        chosen = await self.app.push_screen_wait(asked)
        if chosen:
            self.look_for(toggle_term(self.view.query, f"recurrence:{','.join(chosen)}"))

    def action_flows(self) -> None:
        """What makes periodic backfills."""
        self.app.post_message(OpenFlows())

    # Verbs

    @property
    def pending(self) -> BackfillRow | None:
        """The backfill under the cursor."""
        row = self.table.cursor_row
        return row if isinstance(row, BackfillRow) else None

    @property
    @override
    def row(self) -> None:
        return None

    @override
    def selection(self) -> Selection | None:
        """The marks; a query with exclusions when everything that matches is marked, or else the cursor's row."""
        marks = self.table.targets()
        rows = frozenset(TreeId(Layer.BACKFILL, id) for id in marks.ids)
        if not marks.everything:
            return Selection.of_rows(sorted(rows)) if rows else None
        asked = marks.scope
        assert isinstance(asked, ListRequest)
        return Selection(query=asked.text, listing=asked.listing, environment=asked.environment, without_folders=rows)

    @override
    def to_watch(self) -> list[TreeId]:
        marks = self.table.targets()
        ids = self.table.ids if marks.everything else marks.ids
        return [TreeId(Layer.BACKFILL, id) for id in ids if id in marks]

    @override
    def _works(self, entry: Key) -> bool:
        return super()._works(entry) and not (entry.scope is Scope.PENDING and self._is_refused(entry))

    @override
    def _is_refused(self, entry: Key) -> bool:
        if self.table.marks or self.pending is None:
            return self.pending is None
        return refuse_pending(PendingVerb(entry.id.removeprefix("verb.")), self.pending.state) is not None

    @override
    def acted(self, _record: Record) -> None:
        self.table.marks.clear()
        self.table.refresh()
        self.refresh_keys()

    @on(RowTable.Opened)
    def _open(self, message: RowTable.Opened) -> None:
        self.app.post_message(OpenSubmission(message.row_id))
