"""CSV that a spreadsheet reads as text and never as a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.export.csv_rows import cell, write_csv

CELLS = [
    (None, ""),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-1, "-1"),
    (664.5, "664.5"),
    ("支付", "支付"),
    ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@sum", "'@sum"),
    ("\t=1", "'\t=1"),
    ("\r=1", "'\r=1"),
    ("a=1", "a=1"),
    (["a", "b"], "a, b"),
    (["=a", "b"], "'=a, b"),
    ([], ""),
    ({"FAILED": 2, "RUNNING": 1}, "FAILED=2, RUNNING=1"),
]


@pytest.mark.parametrize(("value", "text"), CELLS, ids=repr)
def test_a_value_is_one_cell(value: object, text: str) -> None:
    assert cell(value) == text


@given(st.text())
def test_no_text_begins_like_a_formula(text: str) -> None:
    assert cell(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_columns_come_in_the_order_asked_for_and_an_empty_list_has_its_header() -> None:
    stream = io.StringIO()
    write_csv(stream, ["name", "status"], [{"status": "FAILED", "name": 'a,"b"', "owner": "lin"}, {}])
    assert list(csv.reader(io.StringIO(stream.getvalue()))) == [["name", "status"], ['a,"b"', "FAILED"], ["", ""]]
    empty = io.StringIO()
    write_csv(empty, ["name"], [])
    assert empty.getvalue() == "name\n"
