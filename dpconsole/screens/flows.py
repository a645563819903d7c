"""Saved flows: what makes periodic backfills, and when the next one comes; paused and resumed from here (RULES.md 7).

`Enter` shows the form that every one of its backfills is made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textual import on
from textual.message import Message
from typing_extensions import override

from dpconsole.core.domain.backfills import FlowState, FlowVerb, refuse_flow
from dpconsole.core.services import Delta, Layer, Record, SavedFlow, Selection, TreeId
from dpconsole.screens.asking import OpenFlow
from dpconsole.screens.keymap import Key, Scope
from dpconsole.screens.pages import BLANK, PageScreen, facts
from dpconsole.screens.pages import Line as PageLine
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.screens.short_list import ShortList
from dpconsole.screens.submission import form_lines
from dpconsole.screens.times import NOTHING, show_moment, show_stamp
from dpconsole.screens.verbs import Verbs
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.row_table import RowTable

FACES: Mapping[FlowState, tuple[str, Ink]] = {
    FlowState.ENABLED: ("✓", Ink.SUCCEEDED),
    FlowState.DISABLED: ("⏸", Ink.WARNING),
}
"""The glyph and the ink of a state; its word is the domain's."""


def flow_cell(state: FlowState) -> Cell:
    """Whether a flow goes on: glyph, word and ink."""
    glyph, ink = FACES[state]
    return [(f"{glyph} {state.label}", ink)]


class FlowsScreen(ShortList[SavedFlow], Verbs):
    """The saved flows of the environment, live; `cursor_id` is where the cursor stands at first."""

    stack = "flows"
    title_words = "Saved flows"

    class Read(Message):
        """How they stand."""

        def __init__(self, rows: Sequence[SavedFlow]) -> None:
            self.rows = rows
            super().__init__()

    def __init__(self, session: Session, cursor_id: int | None = None) -> None:
        self._cursor_id = cursor_id
        super().__init__(session)

    @override
    def columns(self) -> tuple[Column, ...]:
        return (
            Column("name", "Data Backfill Flow", 32, lambda row: row.name, min_width=16, flex=2),
            Column("state", "State", 10, lambda row: flow_cell(row.state)),
            Column("next", "Next run", 11, lambda row: self._moment(row.next_run), "right"),
            Column("recurrence", "Recurrence", 10, lambda row: row.recurrence),
            Column("when", "When", 16, lambda row: row.when, min_width=9, flex=1),
            Column("owner", "Owner", 11, lambda row: row.owner, priority=2, min_width=8),
            Column("made", "Made until", 10, lambda row: row.made_until, priority=4),
            Column("project", "Project", 14, lambda row: row.project, priority=3, min_width=8),
            Column("id", "ID", 8, lambda row: row.key, priority=5),
        )

    def _moment(self, ms: int | None) -> str:
        return show_moment(ms, self.session.times, self.services.zone, self.session.now)

    # Reading

    @in_thread("flows")
    def _ask(self, environment: str) -> None:
        rev = self.services.store.rev()
        self.post_message(self.Read(self.services.flows(environment)))
        self.rev = max(self.rev, rev)

    @override
    def read(self) -> None:
        self._ask(self.session.environment)

    @on(Read)
    def _show(self, message: Read) -> None:
        before, self.rows = self.rows, {row.id: row for row in message.rows}
        if list(self.rows) == list(self.table.ids) and before:
            self.table.update_rows(id for id, row in self.rows.items() if before[id] != row)
        else:
            self._list()
        running = sum(row.enabled for row in message.rows)
        self.head.show([("They make periodic backfills", Ink.DIM)], f"{running:,} of {len(message.rows):,} enabled")
        self.refresh_keys()

    def _list(self) -> None:
        key = self.session.keymap["row.backfill"].display
        self.table.empty_text = f"No flow is saved. {key} on a task, with a recurrence, saves one."
        self.table.show(list(self.rows))
        if self._cursor_id in self.rows:
            self.table.go_to(list(self.rows).index(self._cursor_id))
        self._cursor_id = None

    # Live

    @override
    def take(self, delta: Delta) -> None:
        if delta.everything or delta.ids.keys() & {"backfill", "backfill_flow"}:
            self.read()

    # Verbs

    @property
    def flow(self) -> SavedFlow | None:
        """The flow under the cursor."""
        row = self.table.cursor_row
        return row if isinstance(row, SavedFlow) else None

    @property
    @override
    def row(self) -> None:
        return None

    @override
    def selection(self) -> Selection | None:
        return None if self.flow is None else Selection.of_rows([TreeId(Layer.FLOW, self.flow.id)])

    @override
    def _works(self, entry: Key) -> bool:
        return super()._works(entry) and not (entry.scope is Scope.FLOW and self._is_refused(entry))

    def _is_refused(self, entry: Key) -> bool:
        verb = FlowVerb(entry.id.removeprefix("verb."))
        return self.flow is None or refuse_flow(verb, self.flow.state) is not None

    @override
    def acted(self, _record: Record) -> None:
        self.read()

    # Keys

    @on(RowTable.Opened)
    def _open(self, message: RowTable.Opened) -> None:
        self.app.post_message(OpenFlow(message.row_id))

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.flow is not None or action not in {"move", "verb"}


class FlowScreen(PageScreen):
    """One saved flow: how it stands, and the form its backfills are made from."""

    stack = "submission"
    title_words = "Saved flow"

    def __init__(self, session: Session, flow_id: int) -> None:
        self.flow_id = flow_id
        super().__init__(session)

    @override
    def build(self, width: int) -> Iterable[PageLine]:
        flow = self.services.flow(self.flow_id)
        if flow is None:
            return [PageLine([("This flow is no longer there.", Ink.WARNING)])]
        self.call_it(flow.name, flow.key)
        form = self.services.asked_for_by_flow(self.flow_id)
        lines = facts(self._facts(flow), width)
        return [PageLine(flow_cell(flow.state)), BLANK, *lines, BLANK, *form_lines(form, width)]

    @override
    def take(self, delta: Delta) -> None:
        if delta.everything or delta.ids.keys() & {"backfill", "backfill_flow"}:
            self.rebuild()

    def _facts(self, flow: SavedFlow) -> Iterable[tuple[str, Cell]]:
        now, zone = self.session.now, self.services.zone
        yield "Owner", flow.owner
        yield "Recurrence", flow.recurrence
        yield "When", flow.when
        yield "Next run", show_stamp(flow.next_run, self.session.times, zone, now) if flow.next_run else NOTHING
        yield "Made until", flow.made_until
        yield "Project", flow.project
