"""Critical paths and baselines at the keyboard: from a promise to the rows that decide it (RULES.md 11.4, 14)."""

from __future__ import annotations

from dpconsole.app import ConsoleApp
from dpconsole.core.domain.statuses import Status
from dpconsole.screens.baselines import BaselinesScreen
from dpconsole.screens.gantt import GanttScreen
from dpconsole.widgets.gantt_chart import ChartColumn
from tests.screens.hands import lines, press, pulse, settle, text, type_text
from tests.screens.night import Night

PATH = ["dwd_pay_di", "dws_trade_pay_ord_1d", "ads_gmv_board"]


def gantt(app: ConsoleApp) -> GanttScreen:
    assert isinstance(app.screen, GanttScreen)
    return app.screen


def names(app: ConsoleApp) -> list[str]:
    screen = gantt(app)
    return [shown.row.name for shown in screen.fetch(screen.table.ids)]


# --- baselines --------------------------------------------------------------------------------------------------------


async def test_a_baseline_says_how_it_stands_and_what_has_to_move(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "5")
        (row,) = [line for line in lines(pilot) if "gmv before six" in line]
        for words in ("✗ Broken", "06:00", "never", "dwd_pay_di"):
            assert words in row


async def test_its_quick_filters_and_another_data_timestamp(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "5", "!")
        assert "1 of 1" in text(pilot)
        await press(pilot, "!", "m")
        assert "No baseline is mine." in text(pilot)
        await press(pilot, "escape", "[")
        assert "2026-11-18" in text(pilot)
        await press(pilot, "[")
        assert "- Other" in text(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, BaselinesScreen)
        await press(pilot, "0")
        assert "2026-11-19" in text(pilot)


async def test_home_leads_to_the_baselines(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "G", "enter")
        assert isinstance(app.screen, BaselinesScreen)


async def test_a_baseline_follows_the_night(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "5", "enter", "S", *"1", "enter")
        night.pass_minutes(0.1)
        await pulse(pilot)
        night.pass_minutes(30)
        await press(pilot, "q")
        await pulse(pilot)
        (row,) = [line for line in lines(pilot) if "gmv before six" in line]
        assert "Broken" not in row


# --- the chart --------------------------------------------------------------------------------------------------------


async def test_the_critical_path_of_a_row_from_its_start_to_its_end(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "ads_gmv_board biz:yesterday")
        await press(pilot, "enter", "g", "c")
        assert names(app) == PATH
        assert "never done by itself: dwd_pay_di ✗ Failed" in text(pilot)
        await press(pilot, "enter", "g", "c")
        assert names(app) == PATH[:1]


async def test_a_filter_keeps_the_order_of_the_path_and_marks_are_of_what_is_listed(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "5", "enter", "/")
        await type_text(pilot, "status:not_running")
        await press(pilot, "enter", "*")
        assert names(app) == PATH[1:]
        selection = gantt(app).selection()
        assert selection is not None
        assert list(selection.ids) == list(gantt(app).table.ids)
        await press(pilot, "escape", "escape", "+")
        await type_text(pilot, "status:failed")
        await press(pilot, "enter")
        assert gantt(app).table.marks.count == 1
        assert names(app) == PATH


async def test_the_start_is_chosen_among_what_lies_above(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "5", "enter", "G", "C", "enter")
        assert "the tenant root: the whole path" in text(pilot)
        await type_text(pilot, "ods")
        assert "ods_trade_order(n_1, 2026-11-20 02:00:00)" in text(pilot)
        await press(pilot, "enter")
        assert names(app) == ["ods_trade_order", "dwd_trade_order", *PATH[1:]]
        assert "Start ods_trade_order" in text(pilot)


async def test_the_end_is_chosen_among_what_lies_below_and_there_may_be_no_way_out(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "5", "enter", "C", "up", "enter")
        await type_text(pilot, "refund")
        await press(pilot, "enter")
        assert names(app) == ["dwd_pay_di", "ads_refund_report"]
        await press(pilot, "C", "escape")
        assert names(app) == ["dwd_pay_di", "ads_refund_report"]


async def test_zoom_and_pan_move_the_window_and_h_brings_it_all_back(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:

        def window() -> tuple[int, int]:
            (chart,) = [column for column in gantt(app).table.columns if isinstance(column, ChartColumn)]
            return chart.window.begins_at, chart.window.ends_at

        await press(pilot, "5", "enter")
        whole = window()
        await press(pilot, "greater_than_sign")
        assert window()[1] - window()[0] == (whole[1] - whole[0]) // 2
        closer = window()
        await press(pilot, "left_parenthesis")
        assert window()[0] < closer[0]
        await press(pilot, "H")
        assert window() == whole


async def test_bars_follow_the_night_and_a_path_that_leads_elsewhere_waits_for_a_refresh(
    app: ConsoleApp, night: Night
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "5", "enter")
        listed = list(gantt(app).table.ids)
        await press(pilot, "S", "1", "enter")
        night.pass_minutes(0.1)
        await pulse(pilot)
        night.pass_minutes(30)
        await pulse(pilot)
        assert list(gantt(app).table.ids) == listed
        assert [shown.row.status for shown in gantt(app).fetch(listed)] == [Status.SUCCEEDED] * 3
        await press(pilot, "ctrl+r")
        assert "done at " in text(pilot)
