"""How a backfill, or a data timestamp, stands: counts by status, progress, queues, and when they are done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from textual import on
from typing_extensions import override

from dpconsole.core.domain.backfills import DateState
from dpconsole.core.domain.clock import format_duration
from dpconsole.core.domain.statuses import Status
from dpconsole.core.services import (
    BackfillNode,
    BackfillProgress,
    DateNode,
    DateProgress,
    Delta,
    Inside,
    InstanceNode,
    Layer,
    ListRequest,
    TreeId,
)
from dpconsole.screens.asking import OpenInstance, OpenStanding
from dpconsole.screens.backfill_columns import folder_status, standing_cell
from dpconsole.screens.instance_columns import instance_name
from dpconsole.screens.pace import Pace
from dpconsole.screens.pages import BLANK, Grid, Line, PageScreen, facts, heading
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_stamp, show_took
from dpconsole.widgets.cells import wrapped
from dpconsole.widgets.ink import Cell, Ink, Piece
from dpconsole.widgets.status import INKS, WORST_FIRST, chips, status_cell

COUNTS = Grid((32, 8, 6), ("left", "right", "right"))
TURNS = Grid((10, 26, 18, 9), ("left", "left", "left", "right"))
SHORT_TURNS = Grid((10, 16, 12, 8), ("left", "left", "left", "right"))
ROOM_FOR_TURNS = 90
"""Cells of a page on which the turns of a queue are written in full."""
INSTANCES = Grid((32, 32, 9), ("left", "left", "right"))

OVER = frozenset({DateState.DONE, DateState.EXCLUDED})
"""Data timestamps of which nothing is to come."""

TURN_WORDS = {
    DateState.BEGUN: "in flight",
    DateState.WAITING: "waiting",
    DateState.DONE: "done",
    DateState.EXCLUDED: "left out",
}
"""What is said of the data timestamps of a queue."""

BAR = 20
"""Cells of a bar."""

SHOWN = 200
"""Rows of a section; of a longer one the first are shown, and how many there are."""


def bar(part: int, whole: int, ink: Ink) -> list[Piece]:
    """A share as a bar."""
    filled = -(-part * BAR // whole) if whole else 0
    return [("█" * filled, ink), ("░" * (BAR - filled), Ink.DIM)]


class FolderScreen(PageScreen):
    """The page, live."""

    stack = "folder"

    def __init__(self, session: Session, folder: TreeId) -> None:
        self.folder = folder
        self._pace = Pace(session.services.wall)
        super().__init__(session)

    @property
    @override
    def heading(self) -> str:
        return "Backfill" if self.folder.layer is Layer.BACKFILL else "Data timestamp"

    @override
    def take(self, delta: Delta) -> None:
        if delta.everything or any(delta.ids.get(table) for table in ("instance", "backfill", "backfill_date")):
            self._pace.changed()

    @override
    def on_pulse(self) -> None:
        if self._pace.is_due:
            self.rebuild()

    @override
    def on_minute(self) -> None:
        self._pace.changed()

    @override
    def rebuild(self) -> None:
        self._pace.begin()
        super().rebuild()

    @on(PageScreen.Built)
    def _is_built(self) -> None:
        self._pace.end()

    # The page

    @override
    def build(self, width: int) -> Iterable[Line]:
        found = self.services.tree.rows([self.folder.number])
        match found:
            case [BackfillNode() as backfill]:
                self.call_it(backfill.name, backfill.key)
                return list(self._backfill(backfill, width))
            case [DateNode() as date]:
                self.call_it(date.business_date, date.key)
                return list(self._date(date, width))
            case _:
                return [Line([("It is no longer there.", Ink.WARNING)])]

    def _children(self) -> list[int]:
        request = ListRequest(environment=self.session.environment)
        return list(self.services.tree.children(request, Inside(), [self.folder.number])[self.folder.number])

    def _backfill(self, row: BackfillNode, width: int) -> Iterator[Line]:
        progress = self.services.progress(row.backfill_id)
        yield Line(self._state(row))
        yield from (Line([(words, Ink.DIM)]) for words in wrapped(self._end_of_all(progress), width))
        yield BLANK
        yield from facts(self._facts(row), width)
        yield BLANK
        yield from self._counts(row)
        yield from self._queues(progress.dates, width)

    def _date(self, row: DateNode, width: int) -> Iterator[Line]:
        (above,) = self.services.tree.rows([TreeId(Layer.BACKFILL, row.backfill_id).number])
        assert isinstance(above, BackfillNode)
        yield Line(self._state(row))
        yield BLANK
        yield from facts(self._facts_of_date(row, above), width)
        yield Line([("Its backfill", Ink.ACCENT)], OpenStanding(TreeId(Layer.BACKFILL, row.backfill_id)))
        yield BLANK
        yield from self._counts(row)
        yield from self._instances()

    def _state(self, row: BackfillNode | DateNode) -> Cell:
        standing = row.standing
        done = standing.counts.get(Status.SUCCEEDED, 0)
        share = f"   {done:,} of {standing.nodes:,} succeeded" if standing.nodes else ""
        return [*folder_status(row), (share, Ink.PLAIN)]

    def _end_of_all(self, progress: BackfillProgress) -> str:
        if all(date.state in OVER for date in progress.dates):
            return ""
        if progress.eta is None:
            return "no end by itself: a failure or a pause holds a queue, or nothing tells how long it takes"
        return f"done {self._when(progress.eta)} at this concurrency"

    def _facts(self, row: BackfillNode) -> Iterator[tuple[str, Cell]]:
        standing = row.standing
        yield "Submitter", row.submitter
        yield "Submitted", self._stamp(row.submitted_at)
        yield "Project", row.project
        yield "Flow", row.flow
        yield "Data timestamps", f"{row.dates:,}, {row.first_date} to {row.last_date}" if row.dates else "none"
        yield "Nodes", f"{standing.nodes:,}"
        yield "Start", self._stamp(standing.started_at)
        yield "End", self._stamp(standing.ended_at)
        yield "Took", show_took(standing.started_at, standing.ended_at, self.session.now)
        yield "Tags", ", ".join(row.tags)

    def _facts_of_date(self, row: DateNode, above: BackfillNode) -> Iterator[tuple[str, Cell]]:
        standing = row.standing
        yield "Backfill", above.name
        yield "Its turn", f"queue {row.queue}, place {row.position}: {row.state.label.lower()}"
        yield "Begun", self._stamp(row.begun_at)
        yield "Start", self._stamp(standing.started_at)
        yield "End", self._stamp(standing.ended_at)
        yield "Took", show_took(standing.started_at, standing.ended_at, self.session.now)

    def _counts(self, row: BackfillNode | DateNode) -> Iterator[Line]:
        counts, nodes = row.standing.counts, row.standing.nodes
        yield heading("Instances", f"{nodes:,}")
        for status, number in sorted(counts.items(), key=lambda some: WORST_FIRST.index(some[0])):
            share = bar(number, nodes, INKS[status])
            yield Line(COUNTS.row(status_cell(status), f"{number:,}", f"{number * 100 // nodes}%", share))
        yield BLANK

    def _queues(self, dates: Iterable[DateProgress], width: int) -> Iterator[Line]:
        grid = TURNS if width >= ROOM_FOR_TURNS else SHORT_TURNS
        for queue, some in groupby(dates, key=lambda date: date.queue):
            turns = list(some)
            yield heading(f"Queue {queue}", _queue_words(turns))
            yield from (self._turn(date, grid) for date in turns[:SHOWN])
            if len(turns) > SHOWN:
                yield Line([(f"  and {len(turns) - SHOWN:,} more, in the tree", Ink.DIM)])
            yield BLANK

    def _turn(self, date: DateProgress, grid: Grid) -> Line:
        standing = date.standing
        took = show_took(standing.started_at, standing.ended_at, self.session.now)
        told = f"done {self._when(date.eta)}" if date.eta is not None else ""
        status = standing_cell(standing, date.state)
        if grid is SHORT_TURNS and date.state is not DateState.EXCLUDED:
            status = status_cell(standing.status, paused=standing.held)
        cell = grid.row(date.business_date, status, chips(standing.counts), took, [(told, Ink.DIM)])
        if date.state is DateState.EXCLUDED:
            cell = [(text, Ink.DIM) for text, _ in cell]
        return Line(cell, OpenStanding(TreeId(Layer.DATE, date.id)))

    def _instances(self) -> Iterator[Line]:
        """Those that need somebody first."""
        numbers = self._children()
        rows = [node.row for node in self.services.tree.rows(numbers[:SHOWN]) if isinstance(node, InstanceNode)]
        yield heading("In it", f"{len(numbers):,}" + (f", the first {SHOWN}" if len(numbers) > SHOWN else ""))
        for row in sorted(rows, key=lambda row: WORST_FIRST.index(row.status)):
            took = show_took(row.started_at, row.ended_at, self.session.now)
            said: Cell = [(row.error, Ink.ERROR)]
            cell = INSTANCES.row(instance_name(row), status_cell(row.status, paused=row.paused), took, said)
            yield Line(cell, OpenInstance(row.id))

    def _when(self, ms: int) -> str:
        return f"in {format_duration((ms - self.session.now) / 1000)}" if ms > self.session.now else "any moment"

    def _stamp(self, ms: int | None) -> str:
        return show_stamp(ms, self.session.times, self.services.zone, self.session.now)


def _queue_words(turns: Sequence[DateProgress]) -> str:
    states = [turn.state for turn in turns]
    return ", ".join(f"{states.count(state):,} {words}" for state, words in TURN_WORDS.items() if state in states)
