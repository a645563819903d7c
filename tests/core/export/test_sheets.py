"""Rows into a workbook: what is read back is the text that went in, however hostile it was."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from dpconsole.core.export.sheets import CELL_LIMIT, Column, Sheet, cell_text, write_workbook

SHEET: Sheet[str] = Sheet("Names", (Column("Name", lambda row: row, 20), Column("Again", lambda row: row, 20)))


def written(*rows: str, sheet: Sheet[str] = SHEET) -> BytesIO:
    file = BytesIO()
    write_workbook(file, sheet, [rows], now_ms=0)
    return file


def first_column(file: BytesIO) -> list[Any]:
    """The cells of the first column of the first sheet, below the header."""
    book = load_workbook(file, read_only=True)
    return [row[0] for row in book.worksheets[0].iter_rows(min_row=2)]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "=cmd|'/c calc'!A1",
        "+1",
        "-1",
        "@SUM(A1)",
        "#N/A",
        "#REF!",
        "1/2",
        "007",
        "TRUE",
        " x ",
        "订单",
        "a<b>&\"'",
    ],
)
def test_text_stays_the_text_it_was(text: str) -> None:
    (cell,) = first_column(written(text))
    assert (cell.value, cell.data_type) == (text, "s")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00\x1b[31mb", "a␀␛[31mb"),
        ("a\nb", "a␊b"),
        ("a\x85\N{RIGHT-TO-LEFT OVERRIDE}\ud800", "a���"),
        ("a\ufffe\uffff", "a��"),
    ],
)
def test_what_would_break_the_file_or_deceive_its_reader_is_made_visible(text: str, shown: str) -> None:
    (cell,) = first_column(written(text))
    assert cell.value == shown


@pytest.mark.parametrize("text", ["x" * (CELL_LIMIT + 1), "\N{GRINNING FACE}" * (CELL_LIMIT // 2 + 1)])
def test_a_text_too_long_for_a_cell_is_cut_with_a_mark(text: str) -> None:
    cut = cell_text(text)
    assert cut.endswith("…")
    assert CELL_LIMIT - 1 <= len(cut.encode("utf-16-le")) // 2 <= CELL_LIMIT
    assert text.startswith(cut[:-1])


@pytest.mark.parametrize("text", ["x" * CELL_LIMIT, "\N{GRINNING FACE}" * (CELL_LIMIT // 2)])
def test_a_text_that_just_fits_is_whole(text: str) -> None:
    assert cell_text(text) == text


def test_a_text_that_looks_like_an_escape_is_not_read_as_one() -> None:
    assert cell_text("a_x202E_b _x1_ _x") == "a_x005F_x202E_b _x1_ _x"


@given(st.text(max_size=50))
def test_no_text_makes_a_cell_xml_cannot_hold(text: str) -> None:
    ElementTree.fromstring(f"<c>{ElementTree.tostring(_element(cell_text(text)), encoding='unicode')}</c>")


def _element(text: str) -> ElementTree.Element:
    element = ElementTree.Element("t")
    element.text = text
    return element


def test_a_workbook_without_rows_has_its_header() -> None:
    book = load_workbook(written(), read_only=True)
    assert list(book.worksheets[0].values) == [("Name", "Again")]


def test_rows_beyond_the_limit_continue_on_another_sheet_under_the_same_header() -> None:
    sheet = Sheet("Names", SHEET.columns, limit=2)
    book = load_workbook(written("a", "b", "c", "d", "e", sheet=sheet), read_only=True)
    assert {made.title: [row[0] for row in made.values] for made in book.worksheets} == {
        "Names": ["Name", "a", "b"],
        "Names (2)": ["Name", "c", "d"],
        "Names (3)": ["Name", "e"],
    }


def test_a_sheet_that_is_just_full_needs_no_other() -> None:
    file = written("a", "b", sheet=Sheet("Names", SHEET.columns, limit=2))
    assert load_workbook(file, read_only=True).sheetnames == ["Names"]


def test_the_same_rows_at_the_same_time_make_the_same_workbook() -> None:
    def parts(file: BytesIO) -> dict[str, bytes]:
        with ZipFile(file) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    assert parts(written("a", "b")) == parts(written("a", "b"))


def test_an_early_end_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def pages() -> Iterator[list[str]]:
        yield ["a"]
        assert list(tmp_path.iterdir())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_workbook(BytesIO(), SHEET, pages(), now_ms=0)
    assert list(tmp_path.iterdir()) == []
