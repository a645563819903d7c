"""The frame around the screens: it says what is, and repaints only what changed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from textual.app import App
from textual.geometry import Size
from textual.widgets import Input

from dpconsole.widgets.dialog import Dialog
from dpconsole.widgets.facts import facts, paragraph
from dpconsole.widgets.filter_bar import FilterBar
from dpconsole.widgets.footer import Footer, FooterKey, choose
from dpconsole.widgets.header import AGE_STEPS, Engine, Header, HeaderState
from dpconsole.widgets.ink import Ink
from dpconsole.widgets.line import Line
from dpconsole.widgets.safe import SafeText
from dpconsole.widgets.sheets import tokens
from dpconsole.widgets.tab_bar import TabBar

SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)])
STATE = HeaderState("PROD", True, "Recurring instances", "Asia/Shanghai", "03:12", Engine("ops1", 41, 0.4))


def count_repaints(widget, monkeypatch) -> list[object]:
    asked: list[object] = []
    monkeypatch.setattr(widget, "refresh", lambda *regions, **options: asked.append(regions))
    return asked


@SIZES
async def test_the_header_says_where_when_and_whether_the_engine_lives(widget_app: Callable, size) -> None:
    app = widget_app(Header(STATE))
    async with app.run_test(size=size):
        line = app.lines()[0]
        assert line.startswith("dpconsole  PROD  Recurring instances ")
        assert line.endswith("Asia/Shanghai 03:12   engine ops1 #41 live")


async def test_production_is_red_and_development_is_not(widget_app: Callable) -> None:
    prod, dev = Header(STATE), Header(HeaderState("DEV", False))
    async with widget_app(prod, dev).run_test(size=(120, 40)):
        red, calm = (
            next(s.style.bgcolor.get_truecolor() for s in header.render_line(0) if word in s.text)
            for header, word in ((prod, "PROD"), (dev, "DEV"))
        )
        assert red.red > red.green + red.blue
        assert calm.blue > calm.red


async def test_an_idle_header_repaints_nothing(widget_app: Callable, monkeypatch) -> None:
    header = Header(STATE)
    app = widget_app(header)
    async with app.run_test(size=(120, 40)):
        asked = count_repaints(header, monkeypatch)
        for second in range(120):
            clock = f"03:{12 + second // 60}"
            state = HeaderState("PROD", True, STATE.title, STATE.zone, clock, Engine("ops1", 41, second % 2))
            header.show_state(state)
        assert asked == []
        header.show_state(state, now=True)
        assert len(asked) == 1
        assert "03:13" in app.lines()[0]


@pytest.mark.parametrize(
    ("engine", "said", "ink"),
    [
        (Engine(), "no engine", Ink.WARNING),
        (Engine("ops1", 41, 2.9), "engine ops1 #41 live", Ink.DIM),
        (Engine("ops1", 41, 3.0), "engine ops1 #41 away a few seconds", Ink.ERROR),
        (Engine("ops1", 41, 29.0), "engine ops1 #41 away over 10s", Ink.ERROR),
        (Engine("ops1", 41, 1e6), "engine ops1 #41 away over 1h", Ink.ERROR),
        (Engine("ops1", 41, 12.0, heartbeat=5.0), "engine ops1 #41 live", Ink.DIM),
    ],
)
def test_the_engine_is_away_after_three_missed_ticks(engine: Engine, said: str, ink: Ink) -> None:
    assert engine.face() == (said, ink)


def test_an_engine_that_stays_away_is_told_in_steps() -> None:
    faces = {Engine("ops1", 41, age).face() for age in range(3, 10_000)}
    assert len(faces) == len(AGE_STEPS)


KEYS = [FooterKey("r", "rerun"), FooterKey("x", "stop"), FooterKey("i", "explain", 2), FooterKey("?", "help", 0)]


@pytest.mark.parametrize(
    ("room", "kept"),
    [(100, "rxi?"), (36, "rxi?"), (35, "rx?"), (28, "rx?"), (27, "r?"), (20, "r?"), (19, "?"), (11, "?"), (10, "")],
)
def test_the_footer_leaves_out_by_priority(room: int, kept: str) -> None:
    assert "".join(key.key for key in choose(KEYS, room)) == kept


@SIZES
async def test_the_footer_shows_what_works_here(widget_app: Callable, size) -> None:
    footer = Footer()
    app = widget_app(footer)
    async with app.run_test(size=size) as pilot:
        footer.show_keys(KEYS)
        assert app.lines()[0].rstrip() == "r rerun  x stop  i explain  ? help"
        footer.show_keys(KEYS, "2 marked (0 off screen)")
        assert app.lines()[0].rstrip() == "2 marked (0 off screen)  r rerun  x stop  i explain  ? help"
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert app.lines()[0].rstrip() == "2 marked (0 off screen)  ? help  …"


async def test_a_line_cuts_its_left_text_where_the_right_one_begins(widget_app: Callable) -> None:
    line = Line("交" * 100, "128 of 104,233")
    app = widget_app(line)
    async with app.run_test(size=(40, 5)) as pilot:
        assert app.lines()[0] == "交" * 12 + "…" + " " + "128 of 104,233"
        await pilot.resize_terminal(10, 5)
        await pilot.pause()
        assert app.lines()[0] == "128 of 10…"


async def test_the_same_line_is_not_sent_twice(widget_app: Callable, monkeypatch) -> None:
    line = Line("a", "b")
    async with widget_app(line).run_test(size=(80, 24)):
        asked = count_repaints(line, monkeypatch)
        line.show("a", [("b", Ink.PLAIN)])
        assert asked == []
        line.show("a", [("b", Ink.DIM)])
        assert len(asked) == 1


async def test_tabs_show_without_colour_and_go_round(widget_app: Callable) -> None:
    class App(widget_app):
        on_tab_bar_selected = widget_app.hear

    bar = TabBar(["Integration & computing", "Modeling"])
    app = App(bar)
    async with app.run_test(size=(80, 24)) as pilot:
        bar.show_aside("128 of 104,233")
        assert app.lines()[0].startswith("[Integration & computing]  Modeling ")
        assert app.lines()[0].endswith("128 of 104,233")
        bar.action_next_tab()
        await pilot.pause()
        assert app.lines()[0].startswith(" Integration & computing  [Modeling]")
        bar.action_next_tab()
        await pilot.click(bar, offset=(30, 0))
        assert [message.index for message in app.heard] == [1, 0, 1]


async def test_the_filter_tells_each_change_and_shows_where_it_is_wrong(widget_app: Callable) -> None:
    class App(widget_app):
        on_filter_bar_changed = widget_app.hear
        on_filter_bar_submitted = widget_app.hear

    bar = FilterBar()
    app = App(bar)
    async with app.run_test(size=(80, 24)) as pilot:
        bar.focus_input()
        await pilot.press("a", "b", "enter")
        assert isinstance(app.heard[-1], FilterBar.Submitted)
        assert [message.text for message in app.heard][-2:] == ["ab", "ab"]
        assert bar.size.height == 1
        bar.show_error("no field 'statsu' - did you mean 'status'?", 3)
        await pilot.pause()
        error = bar.query_one(".filter-bar--error", Line)
        assert app.lines(error)[0].startswith("     ^ no field 'statsu'")
        assert bar.size.height == 2
        bar.clear_error()
        await pilot.pause()
        assert bar.size.height == 1


async def test_the_filter_cursor_does_not_blink(widget_app: Callable) -> None:
    bar = FilterBar("status:failed")
    async with widget_app(bar).run_test(size=(80, 24)):
        assert bar.query_one(Input).cursor_blink is False
        assert bar.text == "status:failed"


@SIZES
async def test_a_dialog_shows_title_body_and_keys(widget_app: Callable, size) -> None:
    app = widget_app(Line("below"))
    answers: list[object] = []
    async with app.run_test(size=size) as pilot:
        body = facts([("Acts on", "40 instances"), ("Refused", [("2", Ink.ERROR)])])
        dialog: Dialog[bool] = Dialog("Rerun", body, [FooterKey("Enter", "do it"), FooterKey("Esc", "leave")])
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        assert "do it" in app.lines(dialog.query_one(Footer))[0]
        shown = "\n".join(text.visual.plain for text in dialog.query(SafeText))
        assert shown == "Rerun\nActs on  40 instances\nRefused  2"
        dialog.action_cancel()
        await pilot.pause()
        assert answers == [None]


@SIZES
async def test_hostile_texts_are_shown_everywhere_and_obeyed_nowhere(widget_app, size, hostile_names) -> None:
    nasty = paragraph(hostile_names)
    one = "".join(hostile_names)
    widgets = (
        Header(HeaderState(one, True, one, one, one, Engine(one, 1))),
        TabBar([one]),
        Footer([FooterKey(one, one)]),
        Line(one, one),
        FilterBar(one),
        SafeText(nasty),
    )
    app = widget_app(*widgets)
    async with app.run_test(size=size) as pilot:
        app.push_screen(Dialog(one, nasty, [FooterKey(one, one)]))
        await pilot.pause()
        strips = app.screen._compositor.render_strips(Size(*size))
        text = "".join(strip.text for strip in strips)
        assert not [char for char in text if unicodedata.category(char) in {"Cc", "Cf", "Cs"}]


def test_every_token_has_a_colour_of_the_terminal_too() -> None:
    assert tokens().keys() == tokens(ansi=True).keys()
    assert not [name for name, value in tokens(ansi=True).items() if value.startswith("#")]


def test_no_token_is_hidden_by_one_of_textuals_own() -> None:
    assert not tokens().keys() & App().get_css_variables().keys()
