"""A whole drawing sends the lines that differ from what stands on the terminal, and no others."""

from __future__ import annotations

import io

from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from dpconsole.widgets.thrifty import Lines, OnlyNew, OnlyPieces

WIDTH = 8


def send(lines: Lines, *texts: str) -> str:
    """What is sent for a drawing of these lines."""
    strips = [[Strip([Segment(text)])] for text in texts]
    drawing = LayoutUpdate(strips, Region(0, 0, WIDTH, len(texts)))
    return OnlyNew(drawing, lines).render_segments(Console(file=io.StringIO(), width=WIDTH))


def test_an_unknown_terminal_gets_every_line() -> None:
    sent = send({}, "one", "two")
    assert "one" in sent and "two" in sent


def test_the_same_drawing_again_sends_nothing() -> None:
    lines: Lines = {}
    send(lines, "one", "two")
    assert send(lines, "one", "two") == ""


def test_a_line_that_differs_is_sent_alone_to_its_place() -> None:
    lines: Lines = {}
    send(lines, "one", "two", "three")
    assert send(lines, "one", "2", "three") == "\x1b[2;1H2"


def test_a_line_that_was_touched_in_between_is_sent_again() -> None:
    lines: Lines = {}
    send(lines, "one", "two")
    del lines[0]
    assert send(lines, "one", "two") == "\x1b[1;1Hone"


def test_a_piece_is_sent_without_what_stands_before_it() -> None:
    chops = [
        {0: Strip([Segment("left of")]), 7: Strip([Segment("the right one")])},
        {0: None, 7: Strip([Segment("x")])},
    ]
    drawing = ChopsUpdate(chops, [(0, 5, 6), (0, 11, 16), (1, 0, 20)], [[7, 20], [7, 20]])
    sent = OnlyPieces(drawing).render_segments(Console(file=io.StringIO(), width=20))
    assert sent == "\x1b[1;6Ho\x1b[1;12Hright\x1b[2;8Hx"
