"""The DAG at the keyboard: levels, walking, what failed, what blocks, folding, marks and verbs (RULES.md 15)."""

from __future__ import annotations

from threading import Event

import pytest
from openpyxl import load_workbook
from textual import events
from textual.pilot import Pilot

from dpconsole.app import ConsoleApp
from dpconsole.core.domain.definitions import Role
from dpconsole.core.domain.statuses import Status
from dpconsole.core.services import ListRequest
from dpconsole.screens.asking import OpenDag
from dpconsole.screens.base import PATIENCE
from dpconsole.screens.dag import DagScreen
from dpconsole.screens.details import InstanceScreen, TaskScreen
from dpconsole.screens.explain import ExplainScreen
from dpconsole.screens.gantt import GanttScreen
from dpconsole.screens.instance_dag import InstanceDagScreen
from dpconsole.screens.instances import InstancesScreen
from dpconsole.screens.log import LogScreen
from dpconsole.screens.preview import PreviewScreen
from dpconsole.screens.task_dag import TaskDagScreen
from tests.screens.backfills import plant
from tests.screens.hands import lines, press, pulse, resize, settle, text, type_text
from tests.screens.night import Night
from tests.screens.test_journeys import last_record

WIDE = (120, 40)
MORE_UP, MORE_DOWN, ALL_UP, ALL_DOWN = "less_than_sign", "greater_than_sign", "left_parenthesis", "right_parenthesis"


async def open_dag(pilot: Pilot[int], name: str) -> InstanceDagScreen:
    """The DAG of tonight's instance of a task."""
    await settle(pilot)
    assert isinstance(pilot.app, ConsoleApp)
    (found,) = pilot.app.services.lists.snapshot(ListRequest(text=f"biz:yesterday name={name}")).ids
    pilot.app.post_message(OpenDag(found))
    await settle(pilot)
    return dag(pilot)


def said(app: ConsoleApp) -> str:
    """What the console said last, at the edge of the screen."""
    return [notice.message for notice in app._notifications][-1]


def dag(pilot: Pilot[int]) -> InstanceDagScreen:
    assert isinstance(pilot.app.screen, InstanceDagScreen)
    return pilot.app.screen


def names(screen: DagScreen) -> set[str]:
    assert screen.picture is not None
    return {node.name for node in screen.picture.window.nodes.values()}


def here(screen: DagScreen) -> str:
    """The node in focus, or what the box in focus says."""
    assert screen.picture is not None
    node = screen.focused_node
    return node.name if node else "".join(text for text, _ in screen.picture.cell(screen.here, str))


async def test_levels_grow_one_by_one_and_the_focus_walks_along_the_edges(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_dag(pilot, "dws_trade_pay_ord_1d")
        around = {"dwd_pay_di", "dwd_trade_order", "dws_trade_pay_ord_1d", "ads_gmv_board"}
        assert names(screen) == around
        assert "1 up, 1 down   4 nodes, 3 edges" in text(pilot)
        await press(pilot, MORE_UP)
        assert names(screen) == around | {"ods_trade_order"}
        await press(pilot, MORE_UP)
        assert (said(app), screen.asked.up) == ("Nothing more upstream", 2)
        await press(pilot, "j")
        assert here(screen) == "ads_gmv_board"
        await press(pilot, "k", "k", "k")
        assert here(screen) in ("ods_trade_order", "dwd_pay_di")
        await press(pilot, "H")
        assert here(screen) == "dws_trade_pay_ord_1d"
        await press(pilot, "0")
        assert names(screen) == around
        await press(pilot, ALL_UP, ALL_DOWN)
        assert "all up, 1 down" in text(pilot)


async def test_keys_that_are_typed_ahead_of_the_picture_count(app: ConsoleApp, monkeypatch: pytest.MonkeyPatch) -> None:
    is_read, read = Event(), InstanceDagScreen.read
    monkeypatch.setattr(InstanceDagScreen, "read", lambda self, asked: is_read.wait(PATIENCE) and read(self, asked))
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "2")
        listed = app.main("instances")
        assert isinstance(listed, InstancesScreen)
        listed.look_for("biz:yesterday name=ads_gmv_board")
        await settle(pilot)
        for key, char in (("d", "d"), (ALL_UP, "(")):
            app.post_message(events.Key(key, char))
        await pilot.pause()
        is_read.set()
        await settle(pilot)
        assert "all up, 1 down" in text(pilot)
        assert "ods_trade_order" in text(pilot)


async def test_from_a_node_to_everything_else(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await open_dag(pilot, "dwd_pay_di")
        for keys, kind in (
            (("enter",), InstanceScreen),
            (("i",), ExplainScreen),
            (("o",), LogScreen),
            (("C",), GanttScreen),
            (("g", "c"), GanttScreen),
            (("g", "t"), TaskDagScreen),
        ):
            await press(pilot, *keys)
            assert isinstance(app.screen, kind), keys
            await press(pilot, "q")
        await press(pilot, "j")
        chosen = here(dag(pilot))
        await press(pilot, "d")
        assert f"DAG of {chosen}" in text(pilot)
        assert here(dag(pilot)) == chosen != "dwd_pay_di"


async def test_a_task_has_a_dag_of_its_own(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "4", "d")
        assert isinstance(app.screen, TaskDagScreen)
        assert names(app.screen) == {"ads_dry_report", "dwd_trade_order"}
        await press(pilot, "A")
        assert "by project" in text(pilot)
        assert "by status" not in text(pilot)
        await press(pilot, "escape")
        assert "Task DAG of ads_dry_report" in text(pilot)
        await press(pilot, "k", "d", "enter")
        assert isinstance(app.screen, TaskScreen)
        assert app.screen.key == "trade.dwd_trade_order"


async def test_search_is_live_and_enter_goes_on(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_dag(pilot, "dws_trade_pay_ord_1d")
        await press(pilot, "/")
        await type_text(pilot, "dwd")
        first = here(screen)
        assert "2 found" in text(pilot)
        await press(pilot, "enter")
        assert {first, here(screen)} == {"dwd_pay_di", "dwd_trade_order"}
        await type_text(pilot, "xyz")
        assert "0 found" in text(pilot)
        await press(pilot, "escape")
        assert "found" not in text(pilot)
        assert isinstance(app.screen, InstanceDagScreen)


async def test_next_failed_and_what_blocks_at_the_root(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_dag(pilot, "ads_gmv_board")
        assert names(screen) == {"ads_gmv_board", "dws_trade_pay_ord_1d"}
        await press(pilot, "n")
        assert said(app) == "Nothing failed in this picture"
        await press(pilot, "B")
        assert here(screen) == "dwd_pay_di"
        assert (screen.asked.up, screen.picture and screen.picture.main) == (2, screen.asked.main)
        await press(pilot, "H", "n")
        assert here(screen) == "dwd_pay_di"
        await press(pilot, "H", "N")
        assert here(screen) == "dwd_pay_di"


async def test_verbs_go_to_the_marks_or_to_the_node_in_focus(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_dag(pilot, "dwd_pay_di")
        await press(pilot, "r")
        assert isinstance(app.screen, PreviewScreen)
        await press(pilot, "escape", "*", "~", "~")
        assert "3 marked (0 off screen)" in text(pilot)
        await press(pilot, "P", "4", "enter")
        assert last_record(night).verb == "priority"
        assert not screen.view.marks
        await press(pilot, ",")
        assert screen.view.marks.ids == {screen.asked.main}
        await press(pilot, "escape", "+")
        await type_text(pilot, "paused:yes")
        await press(pilot, "enter", "}")
        assert here(screen) == "ads_refund_report"


async def test_statuses_follow_the_night_and_nothing_moves(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_dag(pilot, "dws_trade_pay_ord_1d")
        assert screen.picture is not None
        layout = screen.picture.layout
        await press(pilot, MORE_UP)
        layout = screen.picture.layout
        await press(pilot, "n", "S", "1", "enter")
        night.pass_minutes(0.1)
        await pulse(pilot)
        night.pass_minutes(8)
        await pulse(pilot)
        statuses = {node.name: node.status for node in screen.picture.window.nodes.values()}
        assert statuses["dwd_pay_di"] is Status.SUCCEEDED
        assert statuses["dws_trade_pay_ord_1d"] is not Status.NOT_RUNNING
        assert screen.picture.layout is layout
        assert "✓ dwd_pay_di" in text(pilot)


async def test_groups_open_and_their_members_are_what_verbs_go_to(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_dag(pilot, "dwd_pay_di")
        await press(pilot, "A", "down", "down", "enter")
        assert "by project" in text(pilot)
        await press(pilot, "j")
        assert here(screen).startswith("trade (2)")
        selection = screen.selection()
        assert selection is not None
        assert len(selection.ids) == 2
        await press(pilot, "space")
        assert "2 marked" in text(pilot)
        await press(pilot, "escape", "enter")
        assert here(screen) in ("dws_trade_pay_ord_1d", "ads_refund_report")
        await press(pilot, "escape")
        assert here(screen).startswith("trade (2)")


async def test_materialization_nodes_unfold_inside_their_table(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "2", "]", "d")
        screen = dag(pilot)
        folded = names(screen)
        await press(pilot, "M")
        assert names(screen) - folded == {"base", "amounts"}
        await press(pilot, "M")
        assert names(screen) == folded
        assert here(screen) == "dim_order"
        await press(pilot, "g", "m", "g", "m")
        assert names(screen) == folded


async def test_the_other_data_timestamps_of_a_backfill_stand_in_the_same_places(app: ConsoleApp, night: Night) -> None:
    plant(night, groups=2)
    night.pass_minutes(9)
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "3", "l", "j", "l", "j", "d")
        screen = dag(pilot)
        assert screen.picture is not None
        assert "2026-11-01   1 of 4 data timestamps" in text(pilot)
        await press(pilot, "j")
        before, focus = screen.picture, here(screen)
        await press(pilot, "]")
        assert "2026-11-02   2 of 4 data timestamps" in text(pilot)
        assert here(screen) == focus
        assert sorted(screen.picture.layout.places.values(), key=str) == sorted(before.layout.places.values(), key=str)
        assert not screen.picture.window.nodes.keys() & before.window.nodes.keys()
        await press(pilot, "[", "[")
        assert said(app) == "This is the first data timestamp"
        assert screen.picture.window.main == before.window.main


async def test_where_the_operator_may_not_act_verbs_say_so(
    app: ConsoleApp, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpconsole.core.services.read_members", lambda _connection: {"trade": {"somebody": Role.ADMIN}})
    async with app.run_test(size=WIDE) as pilot:
        screen = await open_dag(pilot, "dwd_pay_di")
        for words in ("dwd_pay_di", "✗ Failed", "maxcompute sql", "day", "zhao", "due 02:00", "took 1m37s"):
            assert words in lines(pilot)[-3]
        assert "no permission in trade" in lines(pilot)[-3]
        assert not [entry.id for entry in screen.working_keys if entry.id.startswith("verb.")]


async def test_download_asks_for_levels_of_each_side(app: ConsoleApp, tmp_path: object) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await open_dag(pilot, "dws_trade_pay_ord_1d")
        await press(pilot, "X", "down", "enter", "end", "enter", "backspace")
        await type_text(pilot, str(tmp_path))
        await press(pilot, "enter")
        (path,) = tmp_path.glob("dws_trade_pay_ord_1d_upstream_and_downstream_nodes_*.xlsx")  # type: ignore[attr-defined]
        sheet = load_workbook(path).worksheets[0]
        assert {row[0].value for row in sheet.iter_rows(min_row=2)} >= {"ods_trade_order", "ads_gmv_board"}


async def test_what_is_gone_says_so(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.push_screen(InstanceDagScreen(app.session, 999_999))
        await settle(pilot)
        await press(pilot, "l", "space", "n", "A", "escape", MORE_UP, "r")
        assert "It is no longer there." in text(pilot)


async def test_another_window_gets_another_layout_and_keeps_the_focus(app: ConsoleApp) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await open_dag(pilot, "dws_trade_pay_ord_1d")
        await press(pilot, "j")
        chosen = here(screen)
        assert screen.picture is not None and screen.picture.layout.top_down
        await resize(pilot, 60, 12)
        screen._fit_window()
        await settle(pilot)
        assert not screen.picture.layout.top_down
        assert here(screen) == chosen
        assert screen.view.in_sight(screen.here)
