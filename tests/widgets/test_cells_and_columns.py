"""Wide characters are never halved, and columns share a line by their own data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dpconsole.core.domain.text import clean
from dpconsole.widgets.cells import cut_cells, fit
from dpconsole.widgets.columns import Column, place
from dpconsole.widgets.ink import Ink


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("交易支付", 8, "交易支付"),
        ("交易支付", 7, "交易支…"),
        ("交易支付", 6, "交易…"),
        ("🚀🚀", 3, "🚀…"),
        ("abc", 0, ""),
        ("abc", 1, "…"),
    ],
)
def test_text_is_cut_by_cells(text: str, width: int, shown: str) -> None:
    assert cut_cells(text, width) == shown


@given(st.text().map(clean), st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_a_fitted_cell_takes_exactly_its_width(text: str, width: int, align: str) -> None:
    cell = [(text, Ink.PLAIN), ("failed", Ink.FAILED)]
    assert sum(cell_len(part) for part, _ in fit(cell, width, align)) == width  # type: ignore[arg-type]


def test_numbers_stand_at_the_right() -> None:
    assert "".join(text for text, _ in fit("7m", 5, "right")) == "   7m"


def column(name: str, width: int, priority: int = 0, least: int = 0, flex: int = 0) -> Column:
    return Column(name, name, width, lambda row: "", priority=priority, min_width=least, flex=flex)


COLUMNS = [column("name", 30, least=10, flex=1), column("status", 10), column("due", 5, 1), column("took", 6, 2)]


@pytest.mark.parametrize(
    ("width", "kept"),
    [
        (80, {"name": 56, "status": 10, "due": 5, "took": 6}),
        (40, {"name": 16, "status": 10, "due": 5, "took": 6}),
        (30, {"name": 13, "status": 10, "due": 5}),
        (22, {"name": 11, "status": 10}),
        (15, {"name": 10, "status": 4}),
    ],
)
def test_columns_shrink_then_drop_by_priority(width: int, kept: dict[str, int]) -> None:
    assert {placed.column.id: placed.width for placed in place(COLUMNS, width)} == kept


def test_columns_never_leave_the_line() -> None:
    for width in range(4, 140):
        assert place(COLUMNS, width, 2)[-1].end <= max(width, 6)


def test_without_fitting_every_column_has_its_width() -> None:
    assert [placed.x for placed in place(COLUMNS, 20, 2, fit=False)] == [2, 33, 44, 50]
