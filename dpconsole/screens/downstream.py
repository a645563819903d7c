"""The tasks that a backfill covers, level by level, to let go of some of them (RULES.md 7, list mode)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.services import CoveredTask, FlightPlan
from dpconsole.screens.prompts import KeyedDialog
from dpconsole.screens.session import Session
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.row_table import RowTable
from dpconsole.widgets.safe import SafeText

SHOWN = 16
"""Lines of the list before it scrolls."""


class Row:
    """A task of the plan as a row; the start tasks cannot be let go."""

    def __init__(self, id: int, task: CoveredTask) -> None:
        self.id = id
        self.task = task

    @property
    def is_start(self) -> bool:
        """Whether the backfill starts there."""
        return self.task.level == 0


class DownstreamPrompt(KeyedDialog):
    """Asks which of the downstream tasks to cover; answers the keys of those that are kept.

    None where nothing was taken away: what the form says then stands, also for other levels.
    """

    stack: ClassVar[str] = "dialog"

    def __init__(self, session: Session, plan: FlightPlan) -> None:
        super().__init__(session, "Tasks of the backfill")
        self.rows = [Row(number, task) for number, task in enumerate(plan.tasks)]
        self.dropped: set[int] = set()
        self.left_out = [(f"   {number:,} left out: {reason}", Ink.DIM) for reason, number in plan.left_out_by_reason]
        self.words = SafeText()
        self.table = RowTable(self._columns(), self._fetch)

    @override
    def body(self) -> Iterable[Widget]:
        yield self.words
        yield self.table

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.table.styles.height = 1 + min(SHOWN, len(self.rows), self.room_for_rows(2))
        self.table.show(range(len(self.rows)))
        self.table.focus()
        self._count()

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column("name", "Task", 44, self._named, min_width=24, flex=2),
            Column("project", "Project", 16, lambda row: row.task.project, priority=2, min_width=8),
            Column("level", "Level", 7, lambda row: str(row.task.level) if row.task.level else "start", "right"),
            Column("instances", "Instances", 9, lambda row: f"{row.task.instances:,}", "right", priority=1),
        )

    def _named(self, row: Row) -> Cell:
        sign = "    " if row.is_start else "[ ] " if row.id in self.dropped else "[x] "
        nodes = f"  {', '.join(row.task.nodes)}" if row.task.nodes else ""
        ink = Ink.DIM if row.id in self.dropped else Ink.PLAIN
        return [(sign, Ink.ACCENT), ("  " * row.task.level + row.task.name, ink), (nodes, Ink.DIM)]

    def _fetch(self, ids: Sequence[int]) -> Sequence[Row]:
        return [self.rows[number] for number in ids]

    def _count(self) -> None:
        kept = len(self.rows) - len(self.dropped)
        self.words.show([(f"{kept:,} of {len(self.rows):,} tasks", Ink.PLAIN), *self.left_out])

    def action_toggle_row(self) -> None:
        """Let go of the task under the cursor, or take it again."""
        row = self.rows[self.table.cursor]
        if not row.is_start:
            self.dropped ^= {row.id}
            self.table.update_rows([row.id])
            self._count()
            self.table.action_cursor_down()

    def action_accept(self) -> None:
        """The answer to the question which ones to cover."""
        kept = [row.task.key for row in self.rows if not row.is_start and row.id not in self.dropped]
        self.dismiss(tuple(kept) if self.dropped else None)
