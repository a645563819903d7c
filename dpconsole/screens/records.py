"""Records: the ledger, every batch with what became of it, and each batch with its items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual import on
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.services import ListKind, Record, RecordRow, State
from dpconsole.screens.asking import OpenInstance, OpenRecord
from dpconsole.screens.listing import ListScreen
from dpconsole.screens.pages import BLANK, Grid, Line, PageScreen, facts, heading
from dpconsole.screens.preview import status_words
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_moment, show_stamp
from dpconsole.widgets import line
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.row_table import RowTable, Sort

STATE_INKS: dict[str, Ink] = {
    State.DONE: Ink.SUCCEEDED,
    State.PARTLY_DONE: Ink.WARNING,
    State.FAILED: Ink.FAILED,
    State.APPLYING: Ink.RUNNING,
}
"""How the state of a record is written; the others are plain."""

ITEMS = Grid((26, 20, 8, 13, 13))


def state_cell(state: str) -> Cell:
    """The state of a record in words."""
    return [(state.replace("_", " "), STATE_INKS.get(state, Ink.PLAIN))]


def record_columns(session: Session) -> tuple[Column, ...]:
    """Every column of the ledger."""

    def at(row: RecordRow) -> Cell:
        return show_moment(row.at, session.times, session.services.zone, session.now)

    return (
        Column("id", "Record", 6, lambda row: str(row.id), "right"),
        Column("at", "Time", 11, at, "right", sortable=True),
        Column("verb", "Operation", 12, lambda row: row.verb, sortable=True),
        Column("state", "State", 11, lambda row: state_cell(row.state), sortable=True),
        Column("acts", "Acted", 6, lambda row: f"{row.acts:,}", "right"),
        Column("skipped", "Skipped", 7, lambda row: f"{row.skipped:,}", "right", 3),
        Column("refused", "Refused", 7, lambda row: f"{row.refused:,}", "right", 2),
        Column("actor", "Operator", 10, lambda row: row.actor, priority=1, sortable=True),
        Column("source", "From", 12, lambda row: row.source, priority=5, min_width=8),
        Column("command", "Command", 40, lambda row: row.command, priority=4, min_width=20, flex=1),
        Column("reason", "Reason", 24, lambda row: row.reason, priority=6, min_width=12),
    )


class RecordsScreen(ListScreen):
    """The ledger, the newest first."""

    stack = "records"
    title_words = "Records"
    kind = ListKind.RECORDS
    table_name = "operation"
    placeholder = "everything - for instance: actor:me state:partly_done"
    default_sort: ClassVar[Sort] = Sort("at", descending=True)
    settled_sorts = frozenset({"at", "verb", "actor"})

    def __init__(self, session: Session, query: str | None = None) -> None:
        super().__init__(session, query)
        self.count_line = line.Line()

    @override
    def every_column(self) -> tuple[Column, ...]:
        return record_columns(self.session)

    @override
    def body(self) -> Iterable[Widget]:
        yield self.count_line
        yield from super().body()

    @override
    def show_count(self, words: str) -> None:
        self.count_line.show([("What operators did, and what was refused", Ink.DIM)], words)

    @on(RowTable.Opened)
    def _open(self, _message: RowTable.Opened) -> None:
        row = self.table.cursor_row
        if isinstance(row, RecordRow):
            self.app.post_message(OpenRecord(row.key))


class RecordScreen(PageScreen):
    """One record with its items."""

    stack = "record"
    title_words = "Record"

    def __init__(self, session: Session, key: str) -> None:
        self.key = key
        super().__init__(session)

    @property
    @override
    def page_title(self) -> str:
        return f"Record {self.key}"

    @override
    def build(self, width: int) -> Iterable[Line]:
        record = self.services.operations.record(self.key)
        if record is None:
            yield Line([("This record is no longer there.", Ink.WARNING)])
            return
        yield from facts(self._facts(record), width)
        yield BLANK
        yield from self._items(record)

    def _facts(self, record: Record) -> Iterator[tuple[str, Cell]]:
        def stamp(ms: int | None) -> str:
            return show_stamp(ms, self.session.times, self.services.zone, self.session.now)

        yield "Operation", record.verb
        yield "State", state_cell(record.state)
        yield "Operator", f"{record.actor} ({record.source})" if record.source else record.actor
        yield "Time", stamp(record.at)
        yield "Finished", stamp(record.finished_at)
        yield "Acted", f"{record.acts:,} acted, {record.skipped:,} skipped, {record.refused:,} refused"
        yield "Reason", record.reason
        yield "Command", record.command

    def _items(self, record: Record) -> Iterator[Line]:
        yield heading("Items", f"{len(record.items):,}")
        for item in record.items:
            before, after = (status_words(status, ITEMS.widths[-1]) for status in (item.before, item.after))
            cell = ITEMS.row(item.name, item.key, item.outcome, before, after, item.reason)
            yield Line(cell, OpenInstance(item.id))
