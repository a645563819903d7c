"""SGR becomes style; nothing else of a log line is understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from dpconsole.widgets.sgr import styled

RED = Style(color="color(1)")


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("plain", [("plain", Style())]),
        ("\x1b[31mred\x1b[0m plain", [("red", RED), (" plain", Style())]),
        ("\x1b[1;31mboth\x1b[22mred\x1b[mnone", [("both", RED + Style(bold=True)), ("red", RED), ("none", Style())]),
        ("\x1b[31ma\x1b[39mb", [("a", RED), ("b", Style())]),
        ("\x1b[97;44mx", [("x", Style(color="color(15)", bgcolor="color(4)"))]),
        ("\x1b[38;5;208mx", [("x", Style(color="color(208)"))]),
        ("\x1b[38;2;1;2;3mx", [("x", Style(color="#010203"))]),
        ("\x1b[38;5;999mx", [("x", Style())]),
        ("\x1b[38mx\x1b[48;2;1mx", [("x", Style()), ("x", Style())]),
        ("\x1b[2Jx", [("\x1b[2Jx", Style())]),
        ("", []),
    ],
)
def test_pieces(line: str, pieces: list[tuple[str, Style]]) -> None:
    assert list(styled(line)) == pieces


@given(st.text(st.sampled_from("\x1b[0123458;:m x")))
def test_no_line_is_refused(line: str) -> None:
    text = "".join(piece for piece, _ in styled(line))
    assert len(text) <= len(line)
