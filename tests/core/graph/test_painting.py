"""The drawn picture has the edges of the graph, all of them and no other, whatever it is drawn with."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpconsole.core.graph.layout import AUTO, NodeSize, Style, arrange
from dpconsole.core.graph.painting import draw
from tests.core.graph.reading import Picture
from tests.core.graph.shapes import BOXES, HARD, LINES, MANIFESTS, SAMPLES, Shape, fan, project, random_shape, windows
from tests.faults.sizes import size

GRAPHS = size(40, 300)
BATCH = 20
WINDOWS = size(10, 120)
MOST_BOXES = 40


def read_back(shape: Shape, style: Style, ascii: bool) -> set[tuple[int, int]]:
    """The edges in the picture of a graph, which has all its nodes."""
    picture = Picture(draw(shape.laid_out(style), shape.labels, ascii=ascii))
    assert picture.nodes.keys() == set(shape.nodes)
    return picture.edges()


def check(shape: Shape, *styles: Style) -> None:
    for style in styles:
        assert read_back(shape, style, ascii=False) == shape.edges
        assert read_back(shape, style, ascii=True) == shape.edges


@pytest.mark.sweep
@pytest.mark.parametrize("first", range(0, GRAPHS, BATCH))
def test_random_graphs_read_back(first) -> None:
    for seed in range(first, first + BATCH):
        shape = random_shape(seed)
        check(shape, *(LINES, BOXES) if len(shape.nodes) <= MOST_BOXES else (LINES,))


@st.composite
def small_shapes(draw_from: st.DrawFn) -> Shape:
    nodes = draw_from(st.lists(st.integers(0, 99), min_size=1, max_size=9, unique=True))
    pairs = [(up, down) for position, down in enumerate(nodes) for up in nodes[:position]]
    return Shape.of(draw_from(st.sets(st.sampled_from(pairs))) if pairs else set(), *nodes)


@settings(max_examples=size(40, 600), deadline=None)
@given(small_shapes())
def test_small_graphs_read_back(shape) -> None:
    check(shape, LINES, BOXES)


@pytest.mark.parametrize("name", sorted(HARD.keys() - {"nothing"}))
def test_shapes_that_are_hard_to_draw_read_back(name) -> None:
    shape = HARD[name]
    check(shape, *(LINES, BOXES) if len(shape.nodes) <= MOST_BOXES else (LINES,))


@pytest.mark.parametrize("name", MANIFESTS)
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_windows_of_real_projects_read_back(name, levels) -> None:
    if not (SAMPLES / name).exists():
        pytest.skip(f"the sample {name} is not here: DPCONSOLE_SAMPLES names the folder")
    for shape in windows(project(name), levels, most=120, number=WINDOWS):
        check(shape, AUTO, LINES)


def test_nothing_is_an_empty_picture() -> None:
    assert draw(HARD["nothing"].laid_out(), {}) == []


def test_a_crossing_a_joint_and_a_joining_wire_look_different() -> None:
    shape = Shape.of({(1, 5), (2, 4), (1, 4), (3, 5), (3, 6), (2, 6)})
    drawn, plain = (set("".join(draw(shape.laid_out(LINES), shape.labels, ascii=ascii))) for ascii in (False, True))
    assert drawn >= set("┼╤▸")
    assert plain <= set("n0123456789 -|+)>")


def test_a_hub_has_one_track_on_either_side() -> None:
    assert draw(fan(3, 3).laid_out(LINES), fan(3, 3).labels) == [
        "n1 ─┐      ┌▸ n4",
        "n2 ─╋▸ n0 ─╋▸ n5",
        "n3 ─┘      └▸ n6",
    ]


def test_boxes_open_where_a_wire_leaves() -> None:
    shape = Shape.of({(1, 2)})
    assert draw(shape.laid_out(BOXES), shape.labels) == [
        "┌────┐",
        "│ n1 │",
        "└──┬─┘",
        "   ▾",
        "┌────┐",
        "│ n2 │",
        "└────┘",
    ]


def cells(character: str) -> int:
    return 0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")


def test_a_wide_label_takes_its_cells_and_one_too_wide_is_cut() -> None:
    layout = arrange([NodeSize(1, 6), NodeSize(2, 6), NodeSize(3, 4)], [(1, 2), (2, 3)], style=LINES)
    drawn = draw(layout, {1: "订单表", 2: "cafe\u0301", 3: "数据平台"}, width_of=cells)
    assert drawn == ["订单表 ─▸ cafe\u0301   ─▸ 数据"]
