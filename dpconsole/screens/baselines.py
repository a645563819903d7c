"""Baselines: what was promised for a data timestamp, when it will be kept, and which path decides (RULES.md 11.4).

`Enter` opens the critical path of the end instance that is done last; its rows are marked and raised from there.
Definitions know neither a type nor an owner of a baseline: it is *mine* when one of its end tasks is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from textual import on
from textual.message import Message
from typing_extensions import override

from dpconsole.core.domain.baselines import BaselineStatus
from dpconsole.core.domain.clock import default_business_date
from dpconsole.core.services import BaselineRow, Delta, InstanceRow
from dpconsole.screens.asking import OpenGantt
from dpconsole.screens.instance_columns import PRIORITY_INKS, instance_name
from dpconsole.screens.pace import Pace
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.screens.short_list import ShortList
from dpconsole.screens.times import NOTHING, show_moment, show_span
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink, Piece
from dpconsole.widgets.row_table import RowTable
from dpconsole.widgets.status import INKS

FACES: dict[BaselineStatus, Piece] = {
    BaselineStatus.SAFE: ("✓ Safe", Ink.SUCCEEDED),
    BaselineStatus.WARNING: ("! Warning", Ink.WARNING),
    BaselineStatus.BROKEN: ("✗ Broken", Ink.FAILED),
    BaselineStatus.OTHER: ("- Other", Ink.DIM),
}
"""How a status is written: sign, word and ink."""

QUICK: Mapping[str, Callable[[BaselineRow, str], bool]] = {
    "broken": lambda row, _user: row.status is BaselineStatus.BROKEN,
    "mine": lambda row, user: user in row.owners,
    "unfinished": lambda row, _user: not row.completed,
}
"""The quick filters of RULES.md 11.4; yesterday is the data timestamp the screen opens with."""

WORST_FIRST: tuple[BaselineStatus, ...] = (
    BaselineStatus.BROKEN,
    BaselineStatus.WARNING,
    BaselineStatus.SAFE,
    BaselineStatus.OTHER,
)


def worst_first(row: BaselineRow) -> tuple[bool, int, int, str]:
    """What needs attention first: unfinished, then by status, then what was promised for the earliest time."""
    return row.completed, WORST_FIRST.index(row.status), row.committed_at, row.name


class BaselinesScreen(ShortList[BaselineRow]):
    """The baselines of one data timestamp, live."""

    stack = "baselines"
    title_words = "Baselines"

    class Read(Message):
        """How the baselines of a data timestamp stand."""

        def __init__(self, day: date, rows: Sequence[BaselineRow]) -> None:
            self.day, self.rows = day, rows
            super().__init__()

    def __init__(self, session: Session) -> None:
        self._chosen: date | None = None
        self._filters: frozenset[str] = frozenset()
        self._pace = Pace(session.services.wall)
        super().__init__(session)

    @override
    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._pace.changed()
        self.on_pulse()

    @property
    def day(self) -> date:
        """The data timestamp that is shown: the one chosen, or else tonight's."""
        return self._chosen or default_business_date(self.session.now, self.services.zone)

    # Columns

    @override
    def columns(self) -> tuple[Column, ...]:
        return (
            Column("name", "Baseline", 18, lambda row: row.name, min_width=14, flex=1),
            Column("status", "Status", 9, lambda row: [FACES[row.status]]),
            Column("done", "Done", 7, _progress, "right", 6),
            Column("committed", "Committed", 11, lambda row: self._moment(row.committed_at), "right", min_width=9),
            Column("finish", "Finish", 11, self._finish, "right", min_width=6),
            Column("left", "Left", 10, _left, "right", min_width=8),
            Column("alert", "Alert", 11, lambda row: self._moment(row.alert_at), "right", 5, min_width=5),
            Column("margin", "Margin", 8, _margin, "right", 7, min_width=6),
            Column("critical", "Now critical", 26, lambda row: _named(row.critical), min_width=22, flex=2),
            Column("latest", "Latest", 20, lambda row: _named(row.latest), "left", 4, min_width=18, flex=1),
            Column("prio", "Prio", 8, _priority, "left", 3, min_width=7),
        )

    def _finish(self, row: BaselineRow) -> Cell:
        if row.finish_at is not None:
            return self._moment(row.finish_at)
        return [("never", Ink.FAILED)] if row.total else NOTHING

    def _moment(self, ms: int) -> str:
        return show_moment(ms, self.session.times, self.services.zone, self.session.now, self.day)

    # Reading

    @in_thread("baselines")
    def _ask(self, environment: str, day: date) -> None:
        rev = self.services.store.rev()
        self.post_message(self.Read(day, self.services.baselines(environment, day)))
        self.rev = max(self.rev, rev)

    @override
    def read(self) -> None:
        """Ask how they stand; an older question that is still under way is forgotten."""
        self._pace.begin()
        self._ask(self.session.environment, self.day)

    @on(Read)
    def _show(self, message: Read) -> None:
        self._pace.end()
        if message.day != self.day:
            return
        before, self.rows = self.rows, {row.id: row for row in message.rows}
        if self._listed() == list(self.table.ids):
            self.table.update_rows(id for id, row in self.rows.items() if before.get(id) != row)
        else:
            self._list()
        self._show_head()

    def _listed(self) -> list[int]:
        """The baselines that pass the filters; what is listed keeps its place while the same ones are."""
        user = self.services.operations.actor.user
        passing = [row for row in self.rows.values() if all(QUICK[name](row, user) for name in self._filters)]
        listed = list(self.table.ids)
        if {row.id for row in passing} == set(listed):
            return listed
        return [row.id for row in sorted(passing, key=worst_first)]

    def _list(self) -> None:
        self.table.empty_text = self._empty_words()
        self.table.show(self._listed())
        self.refresh_keys()

    def _empty_words(self) -> str:
        if not self.rows:
            return "No baseline is defined: `baselines:` in a workspace file promises a time."
        return f"No baseline is {' and '.join(sorted(self._filters))}."

    def _show_head(self) -> None:
        title: list[Piece] = [("Data timestamp ", Ink.DIM), (self.day.isoformat(), Ink.STRONG)]
        title += [(f"   {name}", Ink.MARK) for name in sorted(self._filters)]
        self.head.show(title, f"{len(self.table.ids):,} of {len(self.rows):,}")

    # Live

    @override
    def take(self, delta: Delta) -> None:
        if delta.everything or any(delta.ids.values()):
            self._pace.changed()
            self.on_pulse()

    @override
    def on_pulse(self) -> None:
        if self._pace.is_due:
            self.read()

    @override
    def on_minute(self) -> None:
        self._pace.changed()
        self.on_pulse()

    @override
    def environment_changed(self) -> None:
        self.read()

    # Keys

    @on(RowTable.Opened)
    def _open(self, message: RowTable.Opened) -> None:
        row = self.rows[message.row_id]
        if row.latest is not None:
            self.app.post_message(OpenGantt(row.latest.id))
        else:
            self.notify("It has no instance on this data timestamp", severity="warning", timeout=3)

    def action_quick(self, name: str) -> None:
        """Put a quick filter on, or take it off."""
        self._filters ^= {name}
        self._list()
        self._show_head()

    def action_day(self, step: int) -> None:
        """To another data timestamp."""
        self._choose(self.day + timedelta(days=step))

    def action_yesterday(self) -> None:
        """Back to tonight's data timestamp, and to all baselines."""
        self._filters = frozenset()
        self._choose(None)

    def _choose(self, day: date | None) -> None:
        self._chosen = day
        self.read()

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.table.ids) or action != "move"

    @override
    def peel_one(self) -> bool:
        """Filters, then another data timestamp."""
        if not self._filters and self._chosen is None:
            return False
        self.action_yesterday()
        return True


def _progress(row: BaselineRow) -> str:
    return f"{row.done:,}/{row.total:,}" if row.total else NOTHING


def _left(row: BaselineRow) -> Cell:
    if row.left_ms is None:
        return NOTHING
    words = show_span(abs(row.left_ms))
    late, tight = row.left_ms < 0, row.left_ms < row.margin_ms
    if late:
        return [(f"-{words}", Ink.FAILED)]
    return [(words, Ink.WARNING if tight else Ink.PLAIN)]


def _margin(row: BaselineRow) -> Cell:
    return [(show_span(row.margin_ms), Ink.DIM)]


def _named(row: InstanceRow | None) -> Cell:
    if row is None:
        return [(NOTHING, Ink.DIM)]
    return [(f"{row.status.glyph} ", INKS[row.status]), (instance_name(row), Ink.PLAIN)]


def _priority(row: BaselineRow) -> Cell:
    return [(row.priority.value.capitalize(), PRIORITY_INKS.get(row.priority, Ink.PLAIN))]
