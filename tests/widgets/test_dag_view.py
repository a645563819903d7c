"""The picture on the screen is the picture the core draws, however it is walked; a key repaints what it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dpconsole.core.graph.layout import AUTO, Layout, Style
from dpconsole.core.graph.painting import draw
from dpconsole.widgets.cells import width_of
from dpconsole.widgets.dag_view import DagView
from dpconsole.widgets.ink import Ink
from tests.core.graph.shapes import BOXES, HARD, LINES, Shape, chain, fan, random_shape

KEYS = {
    "h": "column_left",
    "j": "cursor_down",
    "k": "cursor_up",
    "l": "column_right",
    "d": "page_down",
    "u": "half_page_up",
    "a": "home",
    "z": "end",
    "o": "open",
}


def cells(shape: Shape) -> dict[int, Any]:
    return {node: [(label[:1], Ink.FAILED), (label[1:], Ink.PLAIN)] for node, label in shape.labels.items()}


def picture(view: DagView) -> list[str]:
    """Every line of the picture, without the sign of the focus and the blanks around it."""
    assert view._layout is not None
    lines = [view._line(y, 0, view._layout.width).text for y in range(view._layout.height)]
    return [line.replace("›", " ").rstrip() for line in lines]


def shown(app: Any) -> str:
    return "\n".join(line.rstrip() for line in app.lines())


SHAPES = {**HARD, **{f"random {seed}": random_shape(seed, most=60) for seed in range(4)}}
SHAPES.pop("nothing")


async def test_the_picture_is_the_one_the_core_draws(widget_app: Callable[..., Any]) -> None:
    view = DagView()
    async with widget_app(view).run_test(size=(80, 24)):
        for name, shape in SHAPES.items():
            for style in (LINES, BOXES) if len(shape.nodes) < 40 else (LINES,):
                layout = shape.laid_out(style)
                view.show(layout, cells(shape), shape.nodes[0])
                assert picture(view) == draw(layout, shape.labels, width_of=width_of), name


async def test_wide_names_and_hostile_ones_keep_everything_in_its_place(
    widget_app: Callable[..., Any], hostile_names: list[str]
) -> None:
    shape, view = fan(6, 6), DagView()
    labels = dict(zip(shape.nodes, hostile_names, strict=False))
    async with widget_app(view).run_test(size=(80, 24)):
        layout = shape.laid_out(LINES)
        view.show(layout, {node: labels.get(node, "") for node in shape.nodes}, 0)
        blank = draw(layout, dict.fromkeys(shape.nodes, ""))
        for y, line in enumerate(blank):
            strip = view._line(y, 0, layout.width)
            assert strip.cell_length == layout.width
            for x, char in enumerate(line):
                if char != " ":
                    assert strip.crop(x, x + 1).text == char


WALKS: tuple[tuple[Style, str, int], ...] = (
    (LINES, "l", 4),
    (LINES, "h", 1),
    (LINES, "hj", 2),
    (LINES, "lz", 5),
    (LINES, "lza", 3),
    (LINES, "kk", 0),
    (BOXES, "j", 4),
    (BOXES, "jl", 5),
    (BOXES, "k", 1),
    (BOXES, "l", 4),  # nothing stands beside the main node: on along the flow
    (BOXES, "h", 1),
)


async def test_keys_walk_along_the_edges_as_they_are_drawn(widget_app: Callable[..., Any]) -> None:
    shape, view = fan(2, 3), DagView()
    async with widget_app(view, keys=KEYS).run_test(size=(80, 24)) as pilot:
        view.focus()
        for style, keys, ends_at in WALKS:
            view.show(shape.laid_out(style), cells(shape), 0)
            await pilot.press(*keys)
            assert view.focused_node == ends_at, (style, keys)


async def test_a_hub_scrolls_half_a_window_when_the_focus_leaves_it(widget_app: Callable[..., Any]) -> None:
    shape, view = fan(0, 200), DagView()
    app = widget_app(view, keys=KEYS)
    async with app.run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(shape.laid_out(LINES), cells(shape), 0)
        await pilot.press("l", "a")
        assert view.in_sight(view.focused_node)
        await pilot.press("d")
        assert view.in_sight(view.focused_node)
        before = view.scroll_offset.y
        await pilot.press(*"jjjjjjjjjjjjjj")
        assert view.scroll_offset.y - before == 12
        await pilot.press("z")
        assert view.scroll_offset.y == 200 - 24
        assert "n200" in shown(app)


async def test_only_what_differs_is_sent(widget_app: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    shape, view = fan(3, 3), DagView()
    async with widget_app(view, keys=KEYS).run_test(size=(80, 24)) as pilot:
        view.focus()
        layout = shape.laid_out(LINES)
        view.show(layout, cells(shape), 0)
        await pilot.pause()
        sent: list[Any] = []
        monkeypatch.setattr(view, "refresh", lambda *regions, **_: sent.extend(regions))
        view.write({4: [("n", Ink.RUNNING), ("4", Ink.PLAIN)]})
        (region,) = sent
        assert (region.height, region.width) == (1, 1)
        sent.clear()
        view.mark({5, 6}, True)
        assert [region.height for region in sent] == [1, 1]
        sent.clear()
        view.show(layout, {**cells(shape), 4: "n4"}, 0)
        assert len(sent) == 1


async def test_the_focus_stays_where_it_was_seen_when_the_picture_grows(widget_app: Callable[..., Any]) -> None:
    small, grown, view = chain(30), fan(30, 40), DagView()
    async with widget_app(view).run_test(size=(40, 12)):
        view.show(small.laid_out(LINES), cells(small), 0)
        before = view._seen_at()
        assert before is not None
        view.show(grown.laid_out(LINES), cells(grown), 0)
        assert view._seen_at() is not None
        assert view._seen_at()[1] == before[1]  # type: ignore[index]


async def test_a_click_puts_the_focus_and_a_second_one_opens(widget_app: Callable[..., Any]) -> None:
    shape, view = fan(0, 3), DagView()
    app = widget_app(view)
    async with app.run_test(size=(80, 24)) as pilot:
        layout: Layout = shape.laid_out(AUTO)
        view.show(layout, cells(shape), 0)
        place = layout.places[2]
        left, top = view._origin
        await pilot.click(view, offset=(place.text[0] + left, place.text[1] + top), times=2)
        assert view.focused_node == 2


async def test_without_a_picture_there_are_words(widget_app: Callable[..., Any]) -> None:
    view = DagView()
    app = widget_app(view, keys=KEYS)
    async with app.run_test(size=(80, 24)) as pilot:
        view.empty_text = "Gone."
        view.focus()
        await pilot.press(*"hjkldo")
        assert "Gone." in shown(app)


async def test_a_picture_that_goes_on_beyond_the_window_says_so_at_its_edges(widget_app: Callable[..., Any]) -> None:
    shape, view = chain(30), DagView()
    app = widget_app(view, keys=KEYS)
    async with app.run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(shape.laid_out(LINES), cells(shape), 0)

        def edges() -> tuple[bool, bool]:
            (line,) = [line.ljust(80) for line in app.lines() if line.strip()]
            return line[0] == "‹", line[79] == "›"

        assert edges() == (False, True)
        await pilot.press(*"l" * 15)
        assert edges() == (True, True)
        await pilot.press(*"l" * 15)
        assert edges() == (True, False)
