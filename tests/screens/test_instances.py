"""The recurring instances: what they open with, how they are filtered, sorted and marked, and how they stay live."""

from __future__ import annotations

from threading import Event

import pytest
from textual import events

from dpconsole.app import ConsoleApp
from dpconsole.screens.base import PATIENCE
from dpconsole.screens.explain import ExplainScreen
from dpconsole.screens.instances import InstancesScreen
from dpconsole.screens.listing import toggle_term
from tests.screens.hands import KEYS, lines, press, pulse, settle, text, type_text
from tests.screens.night import Night


def listed(app: ConsoleApp) -> InstancesScreen:
    screen = app.main("instances")
    assert isinstance(screen, InstancesScreen)
    return screen


async def test_the_list_opens_with_yesterday_and_counts_what_it_leaves_out(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        assert listed(app).view.query == "biz:yesterday"
        assert lines(pilot)[1].endswith("62 of 124")
        assert "dws_trade_pay_ord_1h#01" in lines(pilot)[4]


@pytest.mark.parametrize(
    ("key", "query", "number"),
    [
        ("!", "biz:yesterday status:failed", 4),
        ("m", "biz:yesterday owner:me", 34),
        ("9", "biz:yesterday paused:yes", 1),
    ],
)
async def test_a_quick_filter_goes_on_and_off_with_one_key(app: ConsoleApp, key: str, query: str, number: int) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", key)
        assert listed(app).view.query == query
        assert len(listed(app).table.ids) == number
        await press(pilot, key)
        assert listed(app).view.query == "biz:yesterday"


@pytest.mark.parametrize(
    ("query", "term", "toggled"),
    [
        ("", "paused:yes", "paused:yes"),
        ("a", "paused:yes", "a paused:yes"),
        ("a paused:yes", "paused:yes", "a"),
        ("paused:yes", "paused:yes", ""),
        ("a or b", "paused:yes", "(a or b) paused:yes"),
        ("(a or b) paused:yes", "paused:yes", "a or b"),
    ],
)
def test_a_quick_filter_narrows_the_whole_query(query: str, term: str, toggled: str) -> None:
    assert toggle_term(query, term) == toggled


async def test_the_list_follows_the_filter_while_it_is_typed(app: ConsoleApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dpconsole.screens.listing.TYPING_PAUSE", 0.001)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "gmv")
        assert listed(app).view.query == "biz:yesterday gmv"
        assert len(listed(app).table.ids) == 1
        await press(pilot, "enter")
        assert listed(app).table.has_focus


async def test_a_key_typed_ahead_of_the_list_means_a_row_of_it(
    app: ConsoleApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        screen, is_read = listed(app), Event()
        read, before = screen.read, screen.table.cursor_id
        monkeypatch.setattr(screen, "read", lambda request, limit: is_read.wait(PATIENCE) and read(request, limit))
        for key in "!i":
            app.post_message(events.Key(KEYS.get(key, key), key))
        await pilot.pause()
        is_read.set()
        await settle(pilot)
        assert isinstance(app.screen, ExplainScreen)
        assert app.screen.instance_id == screen.table.cursor_id != before


async def test_a_wrong_filter_gets_a_caret_and_the_list_stays(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "statsu:failed")
        await press(pilot, "enter")
        shown = lines(pilot)
        assert shown[3].index("^") == shown[2].index("statsu")
        assert "did you mean status?" in shown[3]
        assert len(listed(app).table.ids) == 62


async def test_an_empty_list_says_why_and_how_to_see_more(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "nobody")
        await press(pilot, "enter")
        assert "Nothing matches biz:yesterday nobody" in text(pilot)
        assert "/ changes the filter" in text(pilot)
        assert "rerun" not in lines(pilot)[-1]


async def test_escape_peels_range_then_marks_then_filter_then_the_screen(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "space", "v", "j")
        table = listed(app).table
        assert len(table.range_ids) == 2
        await press(pilot, "escape")
        assert not table.range_ids and table.marks.count == 1
        await press(pilot, "escape")
        assert not table.marks and listed(app).view.query == "biz:yesterday status:failed"
        await press(pilot, "escape")
        assert listed(app).view.query == "biz:yesterday" and app.current_mode == "instances"
        await press(pilot, "escape")
        assert app.current_mode == "home"


async def test_marks_belong_to_ids_whatever_becomes_of_the_list(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "space", "space")
        marked = listed(app).table.marks.ids
        await press(pilot, "!", "ctrl+r", "4", "2")
        assert listed(app).table.marks.ids == marked
        assert "2 marked (0 off screen)" in lines(pilot)[-1]
        await press(pilot, "]")
        assert "2 marked (2 off screen)" in lines(pilot)[-1]


async def test_everything_that_matches_is_marked_not_only_the_page(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "2", "*")
        assert listed(app).table.marks.count == 62
        await press(pilot, "~")
        assert not listed(app).table.marks


async def test_rows_are_marked_by_query_and_by_the_cell_under_the_cursor(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "+")
        await type_text(pilot, "biz:yesterday project:risk")
        await press(pilot, "enter")
        assert listed(app).table.marks.count == 3
        await press(pilot, "_")
        await type_text(pilot, "risk_score_01")
        await press(pilot, "enter")
        assert listed(app).table.marks.count == 2
        await press(pilot, "escape", "l", "l", ",")
        assert listed(app).table.marks.count == len(listed(app).table.marks.among(listed(app).table.ids)) > 5


async def test_only_the_marked_rows_are_shown_and_all_again(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "space", "space", "=")
        assert len(listed(app).table.ids) == 2
        await press(pilot, "=")
        assert len(listed(app).table.ids) == 62


async def test_each_tab_keeps_its_filter_order_and_cursor(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "j", "]")
        assert "dim_order" in text(pilot)
        assert "nodes ✗1 ✓1" in text(pilot)
        at = listed(app)._views["computing"].cursor_id
        await press(pilot, "0", "[")
        assert listed(app).view.query == "biz:yesterday status:failed"
        assert listed(app).table.cursor_id == at


async def test_sorting_by_a_column_asks_and_turns_round(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "s", "up", "enter")
        assert listed(app).view.sort.column_id == "name"
        assert not listed(app).view.sort.descending
        await press(pilot, "s", "enter")
        assert listed(app).view.sort.descending


async def test_a_column_that_was_taken_away_stays_away(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "c", "down", "down", "down", "space", "enter")
        assert "Cycle" not in lines(pilot)[3]
        await press(pilot, "4", "2")
        assert "Cycle" not in lines(pilot)[3]


async def test_times_are_shown_in_four_ways(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        seen = [lines(pilot)[0][60:]]
        for _ in range(3):
            await press(pilot, "T")
            seen.append(lines(pilot)[0][60:])
        assert "Asia/Shanghai 03:12:41" in seen[0]
        assert "UTC 19:12:41" in seen[1]
        assert "(ages)" in seen[3]
        assert "3h" in lines(pilot)[4]


async def test_a_change_repaints_its_row_and_nothing_moves_under_the_cursor(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "G", "k")
        before, at = list(listed(app).table.ids), listed(app).table.cursor_id
        night.pass_minutes(60)
        await pulse(pilot)
        assert list(listed(app).table.ids) == before
        assert listed(app).table.cursor_id == at
        assert "用户增长_渠道_08" in text(pilot)
        assert "rows moved" not in text(pilot)


async def test_rows_that_come_and_go_are_counted_until_the_operator_asks(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "status:running")
        await press(pilot, "enter")
        assert len(listed(app).table.ids) == 5
        night.pass_minutes(120)
        await pulse(pilot)
        moved = listed(app).table.pending_moves
        assert moved > 0
        assert len(listed(app).table.ids) == 5
        assert f"{moved} rows moved - ctrl+r" in lines(pilot)[-1]
        await press(pilot, "ctrl+r")
        assert "rows moved" not in lines(pilot)[-1]
        assert listed(app).table.pending_moves == 0


async def test_a_screen_that_comes_back_asks_from_its_own_revision(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        known = listed(app).rev
        await press(pilot, "4")
        night.pass_minutes(60)
        await pulse(pilot)
        assert listed(app).rev == known
        await press(pilot, "2")
        await pulse(pilot)
        assert listed(app).rev == night.services.store.rev()


async def test_an_idle_screen_paints_nothing(app: ConsoleApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        await pulse(pilot)
        painted: list[object] = []
        monkeypatch.setattr(ConsoleApp, "_display", lambda _app, _screen, renderable: painted.append(renderable))
        await pulse(pilot)
        await pulse(pilot)
        assert painted == []
