"""A console reduced to its list: `RowTable` over rows that are made up on demand, for benchmarks.

`python -m tests.bench.table_app ROWS` shows ROWS rows; `u` changes one visible row as a tick of the change feed would.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import App, ComposeResult

from dpconsole.core.domain.statuses import Status
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Ink
from dpconsole.widgets.row_table import RowTable
from dpconsole.widgets.sheets import every_sheet, tokens
from dpconsole.widgets.status import status_cell

STATUSES = list(Status)
NAMES = ("dws_trade_pay_ord_1d", "ads_gmv_board", "ods_log_click_1h", "dim_商品_全量", "dwd_fin_refund_df")
OWNERS = ("lin", "mei", "okafor", "sato")


@dataclass(frozen=True, slots=True)
class FakeRow:
    """An instance made of nothing but its id and how often it changed."""

    id: int
    change: int = 0

    @property
    def status(self) -> Status:
        """One that moves on with each change."""
        return STATUSES[(self.id * 3 + self.change) % len(STATUSES)]


class FakeStore:
    """Rows by id, and the changes that were made to them."""

    def __init__(self) -> None:
        self.changes: dict[int, int] = {}

    def fetch(self, ids: Sequence[int]) -> Sequence[FakeRow]:
        """The rows of these ids."""
        return [FakeRow(row_id, self.changes.get(row_id, 0)) for row_id in ids]

    def change(self, ids: Sequence[int]) -> None:
        """Move the status of these rows on."""
        for row_id in ids:
            self.changes[row_id] = self.changes.get(row_id, 0) + 1


COLUMNS: tuple[Column, ...] = (
    Column("name", "Instance object", 28, lambda r: f"{NAMES[r.id % 5]}_{r.id}", min_width=16, flex=1, sortable=True),
    Column("status", "Status", 20, lambda r: status_cell(r.status), min_width=12),
    Column("cycle", "Cycle", 5, lambda r: ("day", "hour", "week")[r.id % 3], priority=5),
    Column("biz", "Data date", 10, lambda r: "2026-11-19", priority=2),
    Column("due", "Due", 5, lambda r: f"{r.id % 24:02}:{r.id % 60:02}", priority=3, sortable=True),
    Column("start", "Start", 5, lambda r: "02:00", priority=4),
    Column("end", "End", 5, lambda r: "02:11", priority=6),
    Column("took", "Took", 6, lambda r: f"{r.id % 60}m04s", align="right", priority=4, sortable=True),
    Column("retry", "Retry", 5, lambda r: "0/1", priority=7),
    Column("prio", "Prio", 8, lambda r: ("High", "Medium", "Low")[r.id % 3], priority=3),
    Column("owner", "Owner", 8, lambda r: ((OWNERS[r.id % 4], Ink.DIM),), priority=2),
)


class TableApp(App[None]):
    """One table, its keys, and a key that changes a row."""

    CSS_PATH = every_sheet()
    BINDINGS: ClassVar = [
        ("j,down", "focused.cursor_down", ""),
        ("pagedown", "focused.page_down", ""),
        ("ctrl+d", "focused.half_page_down", ""),
        ("space", "focused.mark_and_step", ""),
        ("u", "change_one", ""),
    ]

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.animation_level = "none"
        self.rows = rows
        self.store = FakeStore()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The tokens."""
        return tokens()

    def compose(self) -> ComposeResult:
        """The table alone."""
        yield RowTable(COLUMNS, self.store.fetch)

    def on_mount(self) -> None:
        """List the rows."""
        self.query_one(RowTable).show(array("q", range(1, self.rows + 1)))

    def action_change_one(self) -> None:
        """What a tick with one visible change does."""
        table = self.query_one(RowTable)
        changed = [table.visible_ids[len(table.visible_ids) // 2]]
        self.store.change(changed)
        table.update_rows(changed)


if __name__ == "__main__":
    TableApp(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000).run()
