"""The log view: opens at the first error, searches and follows, and sends nothing raw to the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from dpconsole.widgets.log_view import LogView

KEYS = {
    "j": "cursor_down",
    "k": "cursor_up",
    "l": "right",
    "h": "left",
    "pagedown": "page_down",
    "pageup": "page_up",
    "home": "home",
    "end": "end",
    "e": "next_error",
    "E": "previous_error",
    "n": "next_match",
    "N": "previous_match",
    "F": "toggle_follow",
    "w": "toggle_wrap",
    "T": "toggle_timestamps",
}


class Log:
    def __init__(self, text: str | bytes) -> None:
        self.data = text if isinstance(text, bytes) else text.encode()

    def read(self, offset: int, limit: int) -> tuple[bytes, int]:
        data = self.data[offset : offset + limit]
        return data, offset + len(data)


def numbered(count: int, **special: str) -> str:
    lines = [special.get(f"at{n}", f"line {n}") for n in range(count)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def view() -> LogView:
    return LogView()


@pytest.fixture
def app(widget_app: Callable, view: LogView):
    class App(widget_app):
        on_log_view_searched = widget_app.hear
        on_log_view_read_failed = widget_app.hear

        async def show(self, pilot, log: Log) -> None:
            view.open(log.read)
            await self.rest(pilot)

        async def rest(self, pilot) -> None:
            await self.workers.wait_for_complete()
            await pilot.pause()

        def shown(self) -> list[str]:
            return [line.rstrip() for line in self.lines()]

    return App(view, keys=KEYS)


async def test_it_opens_at_the_first_error(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(numbered(5000, at3000="java.lang.Exception", at4000="ERROR")))
        assert view.cursor == 3000
        assert "java.lang.Exception" in app.shown()
        assert view.complete
        assert (view.lines, view.errors) == (5000, 2)


async def test_it_opens_at_the_first_error_even_when_it_gets_its_place_later(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        view.display = False
        await pilot.pause()
        await app.show(pilot, Log(numbered(5000, at3000="FATAL")))
        view.display = True
        await pilot.pause()
        assert "FATAL" in app.shown()


async def test_without_an_error_it_opens_at_the_top(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(numbered(100)))
        assert view.cursor == 0
        assert app.shown() == [f"line {n}" for n in range(24)]


async def test_errors_are_walked(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(numbered(500, at10="ERROR a", at200="FATAL b", at400="Traceback")))
        places = [view.cursor]
        for key in ["e", "e", "e", "E", "E", "E"]:
            await pilot.press(key)
            places.append(view.cursor)
        assert places == [10, 200, 400, 400, 200, 10, 10]


async def test_search_goes_on_from_the_cursor_and_wraps_round(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(numbered(5000, at40="Timeout one", at4000="timeout two")))
        view.search("timeout")
        await app.rest(pilot)
        places = [view.cursor]
        for key in ["n", "n", "N"]:
            await pilot.press(key)
            await app.rest(pilot)
            places.append(view.cursor)
        assert places == [40, 4000, 40, 4000]
        assert [message.line for message in app.heard] == places


async def test_a_search_without_match_says_so(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(numbered(50)))
        view.search("nowhere")
        await app.rest(pilot)
        assert (app.heard[-1].text, app.heard[-1].line, view.cursor) == ("nowhere", None, 0)


async def test_capitals_in_a_search_mean_capitals(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(numbered(50, at10="Pay", at20="PAY")))
        view.search("PAY")
        await app.rest(pilot)
        assert view.cursor == 20


async def test_matches_are_brought_out(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(numbered(5, at2="a \x1b[31mTime\x1b[0mout b")))
        view.search("timeout")
        await app.rest(pilot)
        match = view.get_component_rich_style("log-view--match").bgcolor
        assert "".join(s.text for s in view.render_line(2) if s.style.bgcolor == match) == "Timeout"


async def test_follow_stays_at_the_end(app, view) -> None:
    log = Log(numbered(100))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, log)
        await pilot.press("F")
        log.data += b"newest\n"
        view.poll()
        await app.rest(pilot)
        assert view.cursor == 100
        assert app.shown()[-1] == "newest"


async def test_a_growing_log_leaves_the_reader_where_he_is(app, view) -> None:
    log = Log(numbered(100))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, log)
        await pilot.press("j")
        log.data += b"ERROR late\n"
        view.poll()
        await app.rest(pilot)
        assert (view.cursor, view.lines) == (1, 101)


async def test_nothing_new_repaints_nothing(app, view, monkeypatch) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log("one\nunfinished"))
        asked = []
        monkeypatch.setattr(view, "refresh", lambda *regions, **options: asked.append(regions))
        view.poll()
        await app.rest(pilot)
        assert asked == []


async def test_long_lines_are_cut_or_wrapped(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log("x" * 100 + "交" * 40 + "\nnext\n"))
        assert app.shown()[1] == "next"
        await pilot.press("w")
        assert app.shown()[2].startswith("交")
        assert app.shown()[3] == "next"
        await pilot.press("j", "k", "w", "l")
        assert app.shown()[0].startswith("x" * 80)


async def test_a_line_of_ten_megabytes_is_shown_by_its_beginning(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(b"x" * 10_000_000 + b"\nnext\n"))
        assert [app.shown()[0], app.shown()[1]] == ["x" * 80, "next"]
        assert view.line_text().endswith("…")
        await pilot.press("w", "end", "home", "pagedown")
        assert view.lines == 2


async def test_timestamps_can_be_left_out(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log("2026-11-19 02:11:04,123 INFO a\n[2026-11-19T02:11:04Z] b\nplain\n"))
        await pilot.press("T")
        assert app.shown()[:3] == ["INFO a", "b", "plain"]


async def test_paging_keeps_cursor_and_window_together(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(numbered(1000)))
        await pilot.press("pagedown", "pagedown")
        assert (view.cursor, app.shown()[0]) == (48, "line 48")
        await pilot.press("end")
        assert (view.cursor, app.shown()[-1]) == (999, "line 999")
        await pilot.press("pageup", "home")
        assert (view.cursor, app.shown()[0]) == (0, "line 0")


async def test_colours_are_kept_and_controls_are_not(app, view, hostile_names) -> None:
    text = "\n".join(name.encode("utf-8", "replace").decode() for name in hostile_names)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(text.encode() + b"\n\x1b[31mred\x1b[0m\n\x1b[2J\x9b31m\xff\x00\r\n"))
        await pilot.press("w")
        lines = app.lines()
        assert {cell_len(line) for line in lines} == {80}
        assert not [char for char in "".join(lines) if unicodedata.category(char) in {"Cc", "Cf", "Cs"}]
        red = [s for y in range(24) for s in view.render_line(y) if s.text.startswith("red")]
        assert red[0].style.color is not None
        assert red[0].style.color != view.rich_style.color


async def test_a_log_that_cannot_be_read_is_told(app, view) -> None:
    def read(offset: int, limit: int) -> tuple[bytes, int]:
        raise OSError("No such file: attempt 3")

    async with app.run_test(size=(80, 24)) as pilot:
        view.open(read)
        await app.rest(pilot)
        assert app.heard[0].reason == "No such file: attempt 3"
        await pilot.press("j", "end", "e", "n", "w")
        assert view.complete


async def test_an_empty_log_takes_every_key(app, view) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(pilot, Log(""))
        await pilot.press(*KEYS)
        assert view.lines == 0
        assert view.line_text() == ""
