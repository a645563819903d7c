"""What a terminal without glyphs is sent: for each a character of the same width, and data as far as it can be."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from textual.color import Color

from dpconsole.core.domain.statuses import Status
from dpconsole.core.graph.painting import characters, frames
from dpconsole.widgets.cells import width_of
from dpconsole.widgets.gantt_chart import ALWAYS, EXPECTED, RUNS, USUAL, USUAL_END, WAITS
from dpconsole.widgets.plain import GLYPHS, Plain
from tests.core.graph.shapes import BOXES, LINES, random_shape


def plain(text: str, encoding: str = "ascii") -> str:
    segments = Plain(encoding).apply([Segment(text)], Color(0, 0, 0))
    return "".join(segment.text for segment in segments)


def test_a_character_is_as_wide_as_its_glyph() -> None:
    for glyph, char in GLYPHS.items():
        assert char.isascii()
        assert (len(char), width_of(glyph)) == (1, 1), glyph


def test_what_can_stand_in_one_place_looks_different() -> None:
    every = [WAITS, RUNS]
    signs = [*(sign for some in every for sign in some.values()), EXPECTED, USUAL, USUAL_END, *ALWAYS]
    for glyphs in ([status.glyph for status in Status], [sign.char for sign in signs], ["●", "◌", "›", " "]):
        assert len({plain(glyph) for glyph in glyphs}) == len(glyphs)


@pytest.mark.parametrize("style", [LINES, BOXES], ids=["lines", "boxes"])
@pytest.mark.parametrize("seed", range(5))
def test_wires_are_those_the_core_draws_in_ascii(style: object, seed: int) -> None:
    layout = random_shape(seed, most=40).laid_out(style)  # type: ignore[arg-type]
    for drawn in (characters, frames):
        assert {cell: plain(char) for cell, char in drawn(layout).items()} == drawn(layout, ascii=True)


@pytest.mark.parametrize(
    ("text", "encoding", "sent"),
    [
        ("用户 ✓", "utf-8", "用户 +"),
        ("用户 ✓", "gbk", "用户 +"),
        ("用户 ✓", "latin-1", "???? +"),
        ("résumé", "latin-1", "résumé"),
        ("re\u0301sume\u0301", "ascii", "resume"),
        ("┏━╮▌🔎", "utf-8", "+++#??"),
        ("plain", "ascii", "plain"),
    ],
)
def test_data_is_left_alone_where_the_terminal_can_write_it(text: str, encoding: str, sent: str) -> None:
    assert plain(text, encoding) == sent
    assert width_of(plain(text, encoding)) == width_of(text)
