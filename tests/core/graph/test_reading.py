"""The reader the pictures are checked with: what it makes of pictures drawn by hand."""

from __future__ import annotations

import pytest

from tests.core.graph.reading import Picture

STRAIGHT = """\
n1 ─▸ n2
"""

CROSSED = """\
n1 ─┐ ┌▸ n3
n2 ─┼─┘
    └──▸ n4
"""

JOINED = CROSSED.replace("┼", "╋")

SPLIT = """\
n1 ──┬▸ n3
     ├▸ n4
n2 ──┘
"""

JOINING = SPLIT.replace("┬", "╤")

DOWN = """\
┌────┐
│ n1 │
└─┬──┘
  │
  ▾
┌────┐
│ n2 │
└────┘
"""

PLAIN = """\
n1 --+ +> n3
n2 --)-+
     +--> n4
"""


@pytest.mark.parametrize(
    ("picture", "edges"),
    [
        (STRAIGHT, {(1, 2)}),
        (CROSSED, {(1, 4), (2, 3)}),
        (JOINED, {(1, 3), (1, 4), (2, 3), (2, 4)}),
        (SPLIT, {(1, 3), (1, 4), (2, 3), (2, 4)}),
        (JOINING, {(1, 3), (2, 3), (2, 4)}),
        (DOWN, {(1, 2)}),
        (PLAIN, {(1, 4), (2, 3)}),
        (PLAIN.replace(")", "+"), {(1, 3), (1, 4), (2, 3), (2, 4)}),
    ],
    ids=["straight", "crossed", "joined", "split", "joining", "down", "plain crossed", "plain joined"],
)
def test_a_picture_says_which_edges_there_are(picture, edges) -> None:
    assert Picture(picture.splitlines()).edges() == edges


def test_a_wire_that_leads_nowhere_is_noticed() -> None:
    with pytest.raises(AssertionError, match="breaks off"):
        Picture(CROSSED.replace("└", " ").splitlines()).edges()
