"""Where nodes and wires stand: nothing overlaps, nothing is drawn twice, and the same graph is the same picture."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from random import Random

import pytest

from dpconsole.core.graph.layout import Arm, Layout, NodeSize, Style, arrange
from tests.core.graph.shapes import BOXES, HARD, LINES, bipartite, fan, layered_shape, random_shape, window
from tests.faults.sizes import size

SEEDS = range(size(12, 100))
STYLES = pytest.mark.parametrize("style", [LINES, BOXES], ids=["lines", "boxes"])
ARMS = (Arm.N, Arm.E, Arm.S, Arm.W)


def shapes():
    """Random graphs, and the hard ones of a size that every pair of edges can be looked at."""
    yield from (random_shape(seed, most=40) for seed in SEEDS)
    yield from (shape for shape in HARD.values() if len(shape.nodes) < 100)


def is_related(edges) -> bool:
    """Whether every two of the edges share their source or their target."""
    return all(one[0] == other[0] or one[1] == other[1] for one, other in combinations(edges, 2))


@STYLES
def test_only_related_edges_run_through_a_cell_in_one_direction(style) -> None:
    for shape in shapes():
        layout = shape.laid_out(style)
        users: dict[tuple[tuple[int, int], Arm], set[tuple[int, int]]] = {}
        for edge in shape.edges:
            for cell, arms in layout.route([edge]).items():
                for arm in ARMS:
                    if arm in arms:
                        users.setdefault((cell, arm), set()).add(edge)
        assert all(map(is_related, users.values()))


@STYLES
def test_only_unrelated_edges_that_go_straight_cross(style) -> None:
    for shape in shapes():
        layout = shape.laid_out(style)
        passing: dict[tuple[int, int], set[Arm]] = {cell: set() for cell in layout.wires}
        for edge in shape.edges:
            for cell, arms in layout.route([edge]).items():
                passing[cell].add(arms)
        straight = [Arm.N | Arm.S, Arm.E | Arm.W]
        crossing = {cell for cell, ways in passing.items() if sorted(ways) == straight}
        assert {cell for cell, wire in layout.wires.items() if wire.crossing} == crossing


@STYLES
def test_the_wires_are_the_routes_of_the_edges(style) -> None:
    for shape in shapes():
        layout = shape.laid_out(style)
        assert {cell: wire.arms for cell, wire in layout.wires.items()} == layout.route(shape.edges)


@STYLES
def test_a_cell_knows_its_edges(style) -> None:
    layout = random_shape(3, most=30).laid_out(style)
    routes = {edge: layout.route([edge]) for edge in layout.edges}
    for x in range(layout.width):
        for y in range(layout.height):
            assert layout.edges_at(x, y) == {edge for edge, route in routes.items() if (x, y) in route}


@STYLES
def test_neither_nodes_nor_wires_lie_on_each_other(style) -> None:
    for shape in shapes():
        layout = shape.laid_out(style)
        cells = [
            (x, y)
            for place in layout.places.values()
            for x in range(place.x, place.x + place.width)
            for y in range(place.y, place.y + place.height)
        ]
        every = [*cells, *layout.wires]
        assert len(set(every)) == len(every)
        assert all(0 <= x < layout.width and 0 <= y < layout.height for x, y in every)


@STYLES
def test_an_edge_leads_to_a_later_layer(style) -> None:
    for shape in shapes():
        layout = shape.laid_out(style)
        assert all(layout.places[up].layer < layout.places[down].layer for up, down in shape.edges)


@STYLES
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_graph_in_any_order_is_the_same_picture(style, seed) -> None:
    shape = random_shape(seed, most=60)
    random = Random(seed)
    sizes, edges = shape.sizes(), sorted(shape.edges)
    random.shuffle(sizes)
    random.shuffle(edges)
    assert arrange(sizes, edges, style=style) == shape.laid_out(style)


def along(layout: Layout, node: int) -> int:
    """Where a node stands in its layer."""
    return layout.places[node].port if layout.top_down else layout.places[node].y


def order(layout: Layout, nodes: Iterable[int]) -> dict[int, list[int]]:
    """The nodes of each layer, in the order they stand in."""
    rows: dict[int, list[int]] = {}
    for node in sorted(nodes, key=lambda node: along(layout, node)):
        rows.setdefault(layout.places[node].layer, []).append(node)
    return rows


@STYLES
def test_a_graph_that_grew_keeps_the_order_it_stood_in(style) -> None:
    for seed in SEEDS:
        whole = layered_shape(40, 6, seed)
        main = max(whole.nodes, key=lambda node: sum(node in edge for edge in whole.edges))
        narrow, wide = window(whole.graph(), main, 1), window(whole.graph(), main, 2)
        before = narrow.laid_out(style)
        after = wide.laid_out(style, keep=before)
        for nodes in order(after, narrow.nodes).values():
            rows = [along(before, node) for node in nodes]
            assert rows == sorted(rows)


def test_a_graph_kept_as_it_is_stays_as_it_is() -> None:
    shape = layered_shape(40, 5)
    once = shape.laid_out()
    again = shape.laid_out(keep=once)
    assert order(again, shape.nodes) == order(once, shape.nodes)


def test_a_cycle_is_named() -> None:
    with pytest.raises(ValueError, match="4 -> 5 -> 6 -> 4"):
        arrange([NodeSize(node, 1) for node in (4, 5, 6, 7)], [(4, 5), (5, 6), (6, 4), (6, 7)])


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ([1, 2], [(1, 3)], "an edge names node 3"),
        ([1, 2, 1], [(1, 2)], "node 1 is there twice"),
        ([1], [(1, 1)], "1 -> 1"),
    ],
)
def test_what_is_no_graph_is_refused(nodes, edges, message) -> None:
    with pytest.raises(ValueError, match=message):
        arrange([NodeSize(node, 2) for node in nodes], edges)


def test_a_hub_of_37_nodes_fits_a_small_terminal() -> None:
    shape = fan(18, 18)
    layout = arrange([NodeSize(node, 20) for node in shape.nodes], shape.edges)
    assert layout.width <= 80
    assert layout.height <= 21


def test_the_neighbours_of_a_hub_are_one_line_each() -> None:
    layout = HARD["wide hub"].laid_out()
    assert layout.height == 250
    assert layout.places[0].y in (124, 125)


def test_a_long_chain_is_one_line() -> None:
    layout = HARD["long chain"].laid_out()
    assert layout.height == 1
    assert not any(wire.crossing for wire in layout.wires.values())


def test_parts_that_nothing_connects_stand_below_each_other() -> None:
    layout = HARD["components"].laid_out(LINES)
    rows = [{layout.places[node].y for node in range(6)}, {layout.places[node].y for node in range(6, 11)}]
    assert max(rows[0]) + 1 < min(rows[1])


@pytest.mark.parametrize(
    ("nodes", "style", "top_down"),
    [
        (12, Style(), True),
        (13, Style(), False),
        (13, BOXES, True),
        (12, LINES, False),
        (12, Style(room=(200, 50)), True),
        (12, Style(room=(40, 50)), False),
        (12, Style(room=(200, 6)), False),
        (12, Style(boxes=True, room=(40, 6)), True),
    ],
)
def test_few_nodes_are_boxes_where_there_is_room(nodes, style, top_down) -> None:
    assert fan(0, nodes - 1).laid_out(style).top_down is top_down


@pytest.mark.parametrize(
    ("style", "back", "ahead", "before", "after"),
    [(LINES, Arm.W, Arm.E, Arm.N, Arm.S), (BOXES, Arm.N, Arm.S, Arm.W, Arm.E)],
    ids=["lines", "boxes"],
)
def test_a_step_goes_where_it_is_drawn(style, back, ahead, before, after) -> None:
    layout = fan(3, 3).laid_out(style)
    first, middle, last = layout.upstream_of(0)
    assert layout.downstream_of(0) == tuple(sorted((4, 5, 6), key=lambda node: along(layout, node)))
    assert layout.step(0, back) == middle
    assert layout.step(0, ahead) == layout.downstream_of(0)[1]
    assert [layout.step(middle, way) for way in (before, after, ahead, back)] == [first, last, 0, None]
    assert [layout.step(first, before), layout.step(last, after)] == [None, None]


def test_what_lights_up_for_a_node_is_its_edges_only() -> None:
    layout = bipartite(3, 3).laid_out(LINES)
    edges = layout.edges_of(0)
    assert edges == {(0, 3), (0, 4), (0, 5)}
    lit = layout.route(edges)
    assert all(lit[cell] in layout.wires[cell].arms for cell in lit)
    assert len(lit) < len(layout.wires)


def test_the_same_picture_of_other_nodes() -> None:
    layout = fan(3, 4).laid_out()
    names = {node: node + 100 for node in layout.places}
    moved = layout.renamed(names)
    assert moved.places == {names[node]: place for node, place in layout.places.items()}
    assert moved.wires is layout.wires
    for node in layout.places:
        assert moved.route(moved.edges_of(names[node])) == layout.route(layout.edges_of(node))


def test_nodes_stand_in_the_order_asked_for_unless_they_stood_before() -> None:
    shape, wanted = fan(0, 6), [4, 2, 6, 1]
    places = {node: place for place, node in enumerate(wanted)}
    layout = arrange(shape.sizes(), shape.edges, style=LINES, order=places)
    assert [node for node in layout.downstream_of(0) if node in places] == wanted
    again = arrange(shape.sizes(), shape.edges, style=LINES, order={1: 0, 4: 1}, keep=layout)
    assert again.downstream_of(0) == layout.downstream_of(0)
