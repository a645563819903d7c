"""Records: the ledger, every batch with what became of it, and each batch with its items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ClassVar

from textual import on, work
from textual.message import Message
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.domain.backfills import BackfillState
from dpconsole.core.services import Chain, Delta, Kind, Layer, ListKind, Outcome, Record, RecordRow, State, Step, TreeId
from dpconsole.screens.asking import OpenFlow, OpenInstance, OpenPage, OpenRecord, OpenStanding, OpenSubmission
from dpconsole.screens.base import ConsoleScreen
from dpconsole.screens.listing import ListScreen
from dpconsole.screens.pages import BLANK, Grid, Line, PageScreen, facts, heading
from dpconsole.screens.preview import status_words
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_moment, show_stamp
from dpconsole.screens.verbs import go_through
from dpconsole.widgets import line
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink, Piece
from dpconsole.widgets.row_table import RowTable, Sort

STATE_INKS: dict[str, Ink] = {
    State.DONE: Ink.SUCCEEDED,
    State.PARTLY_DONE: Ink.WARNING,
    State.FAILED: Ink.FAILED,
    State.APPLYING: Ink.RUNNING,
}
"""How the state of a record is written; the others are plain."""

OUTCOME_INKS: dict[str, Ink] = {
    Outcome.OK: Ink.SUCCEEDED,
    Outcome.SKIPPED: Ink.DIM,
    Outcome.REFUSED: Ink.WARNING,
    Outcome.FAILED: Ink.FAILED,
}
"""How the outcome of an item is written."""

OPENS: Mapping[Kind, Callable[[int], OpenPage]] = {
    Kind.INSTANCE: OpenInstance,
    Kind.BACKFILL_DATE: lambda date_id: OpenStanding(TreeId(Layer.DATE, date_id)),
    Kind.BACKFILL_FLOW: OpenFlow,
}
"""What an item opens, by what it is; where a backfill stands has to be looked up."""

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


class Records(ConsoleScreen):
    """A screen from which a record is tried again."""

    class Retriable(Message):
        """What of a record is worth trying again; None where nothing fell short."""

        def __init__(self, step: Step | None) -> None:
            self.step = step
            super().__init__()

    def action_retry(self) -> None:
        """Plan the same verb for what fell short."""
        if self.services.settings.readonly:
            self.notify("This session is read-only: nothing is tried again", severity="warning")
        elif self.record_key is not None:
            self._find_short(self.record_key)

    @in_thread("retry")
    def _find_short(self, key: str) -> None:
        self.post_message(self.Retriable(self.services.history.retry(key)))

    @on(Retriable)
    def _show_short(self, message: Retriable) -> None:
        if message.step is None:
            self.notify("Nothing of it fell short: there is nothing to try again", timeout=4)
        else:
            self._try_again(message.step)

    @work
    async def _try_again(self, step: Step) -> None:
        await go_through(self, (step,))


class RecordsScreen(Records, ListScreen):
    """The ledger, the newest first."""

    stack = "records"
    title_words = "Records"
    kind = ListKind.RECORDS
    table_name = "operation"
    placeholder = "everything - for instance: actor:me state:partly_done"
    default_sort: ClassVar[Sort] = Sort("at", descending=True)
    settled_sorts = frozenset({"at", "verb", "actor"})

    class Verified(Message):
        """The chain was read."""

        def __init__(self, chain: Chain) -> None:
            self.chain = chain
            super().__init__()

    def __init__(self, session: Session, query: str | None = None) -> None:
        super().__init__(session, query)
        self.count_line = line.Line()
        self.chain: Chain | None = None

    @override
    def every_column(self) -> tuple[Column, ...]:
        return record_columns(self.session)

    @override
    def body(self) -> Iterable[Widget]:
        yield self.count_line
        yield from super().body()

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self._verify()

    @override
    def take(self, delta: Delta) -> None:
        super().take(delta)
        if delta.everything or delta.ids.get(self.table_name):
            self._verify()

    @in_thread("chain")
    def _verify(self) -> None:
        self.post_message(self.Verified(self.services.history.verify()))

    @on(Verified)
    def _show_chain(self, message: Verified) -> None:
        self.chain = message.chain
        self.show_count(self.count_words)

    @override
    def show_count(self, words: str) -> None:
        self.count_line.show([_chain_piece(self.chain)], words)

    @property
    @override
    def record_key(self) -> str | None:
        row = self.table.cursor_row
        return row.key if isinstance(row, RecordRow) else None

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.table.ids) if action == "retry" else super().check_action(action, parameters)

    @on(RowTable.Opened)
    def _open(self, _message: RowTable.Opened) -> None:
        row = self.table.cursor_row
        if isinstance(row, RecordRow):
            self.app.post_message(OpenRecord(row.key))


def _chain_piece(chain: Chain | None) -> Piece:
    if chain is None:
        return ("What operators did, and what was refused", Ink.DIM)
    words = chain.words[0].upper() + chain.words[1:]
    return (words, Ink.DIM if chain.broken_at is None else Ink.ERROR)


class RecordScreen(Records, PageScreen):
    """One record with its items."""

    stack = "record"
    title_words = "Record"

    class Read(Message):
        """The number of the record, by which operators call it."""

        def __init__(self, number: int) -> None:
            self.number = number
            super().__init__()

    def __init__(self, session: Session, key: str) -> None:
        self.key = key
        self.number = 0
        super().__init__(session)

    @property
    @override
    def record_key(self) -> str | None:
        return self.key

    @property
    @override
    def page_title(self) -> str:
        return f"Record {self.number}" if self.number else ""

    @on(Read)
    def _keep(self, message: Read) -> None:
        self.number = message.number

    @override
    def take(self, delta: Delta) -> None:
        if delta.everything or delta.ids.get("operation"):
            self.rebuild()

    @override
    def build(self, width: int) -> Iterable[Line]:
        record = self.services.operations.record(self.key)
        if record is None:
            yield Line([("This record is no longer there.", Ink.WARNING)])
            return
        self.post_message(self.Read(record.id))
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
        opens = self._opens(record)
        for item in record.items:
            before, after = (status_words(status, ITEMS.widths[-1]) for status in (item.before, item.after))
            became: Cell = [(item.outcome, OUTCOME_INKS.get(item.outcome, Ink.PLAIN))]
            cell = ITEMS.row(item.name, item.key, became, before, after, item.reason)
            yield Line(cell, opens(item.id) if item.id else None)

    def _opens(self, record: Record) -> Callable[[int], OpenPage]:
        """What the items open; a backfill how it stands, or what of it is to be submitted."""
        if record.kind != Kind.BACKFILL:
            return OPENS[Kind(record.kind)]
        rows = self.services.lists.rows(ListKind.BACKFILLS, [item.id for item in record.items])
        begun = {row.id for row in rows if row.state in (BackfillState.SUBMITTING, BackfillState.SUBMITTED)}
        return lambda id: OpenStanding(TreeId(Layer.BACKFILL, id)) if id in begun else OpenSubmission(id)
