"""Which cells of a line have to be sent again."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from dpconsole.widgets.strips import stretches

RED, BLUE, ON_BLUE = Style(color="red"), Style(color="blue"), Style(bgcolor="blue")


def line(*runs: tuple[str, Style]) -> Strip:
    return Strip([Segment(text, style) for text, style in runs])


@pytest.mark.parametrize(
    ("before", "after", "differ"),
    [
        ([("same", RED)], [("sa", RED), ("me", RED)], []),
        ([("abcd", RED)], [("abXd", RED)], [(2, 3)]),
        ([("abcd", RED)], [("ab", RED), ("cd", BLUE)], [(2, 4)]),
        ([("a..d", RED)], [("X..Y", RED)], [(0, 4)]),
        ([("a" * 20, RED)], [("X" + "a" * 18 + "Y", RED)], [(0, 1), (19, 20)]),
        ([("  ab", RED)], [("  ", BLUE), ("ab", RED)], []),
        ([("  ab", RED)], [("  ", ON_BLUE), ("ab", RED)], [(0, 2)]),
        ([("a用b", RED)], [("a户b", RED)], [(1, 3)]),
        ([("e\u0301x", RED)], [("ex", RED)], [(0, 1)]),
        ([("ab", RED)], [("abcd", RED)], [(2, 4)]),
    ],
)
def test_stretches_that_differ(
    before: list[tuple[str, Style]], after: list[tuple[str, Style]], differ: list[tuple[int, int]]
) -> None:
    assert stretches(line(*before), line(*after)) == differ
