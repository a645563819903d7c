"""The tree of submitted backfills at the keyboard: folders, marks, verbs, filters, and what is live."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from textual.pilot import Pilot

from dpconsole.app import ConsoleApp
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.domain.statuses import Status
from dpconsole.core.services import InstanceNode
from dpconsole.core.store.models import Instance
from dpconsole.screens.backfill import BackfillScreen
from dpconsole.screens.details import InstanceScreen
from dpconsole.screens.preview import PreviewScreen
from tests.screens.backfills import plant
from tests.screens.hands import lines, press, pulse, settle, text, type_text
from tests.screens.night import Night
from tests.screens.test_journeys import last_record

SIZE = (120, 40)


@pytest.fixture
def night(planted_night: Night) -> Night:
    return planted_night


def tree(pilot: Pilot[int]) -> BackfillScreen:
    assert isinstance(pilot.app.screen, BackfillScreen)
    return pilot.app.screen


def rows(pilot: Pilot[int]) -> list[str]:
    """The first column of what is listed, with its marks."""
    return [line[1:32].rstrip() for line in lines(pilot)[4:-1] if line.strip()]


def change(night: Night, instance_id: int, **columns: object) -> None:
    """Change an instance as the engine would, and tell the feed."""
    with night.services.store.write() as transaction:
        here = update(Instance).where(Instance.id == instance_id)
        transaction.execute(here.values(**columns, rev=transaction.rev))
        transaction.touch("instance", [instance_id])


def instance_below(pilot: Pilot[int], place: int) -> InstanceNode:
    (row,) = tree(pilot).services.tree.rows([tree(pilot).table.ids[place]])
    assert isinstance(row, InstanceNode)
    return row


# --- folders ----------------------------------------------------------------------------------------------------------


async def test_folders_open_and_close_where_they_stand(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3")
        assert rows(pilot) == ["[ ] ▸ refill pay", "[ ] ▸ growth again"]
        await press(pilot, "right", "j", "l")
        opened = rows(pilot)
        assert opened[:3] == ["[ ] ▾ refill pay", "[ ]   ▾ 2026-11-01", "[ ]     ods_trade_order"]
        assert opened[-1] == "[ ] ▸ growth again" and len(opened) == 12
        await press(pilot, "j", "j", "h")
        assert tree(pilot).table.cursor == 1
        await press(pilot, "left")
        assert len(rows(pilot)) == 6
        await press(pilot, "h", "h", "right")
        assert (tree(pilot).table.cursor, len(rows(pilot))) == (0, 6)


async def test_a_whole_backfill_opens_and_closes_and_stays_so_through_a_refresh(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", ")")
        assert len(rows(pilot)) == 2 + 4 + 4 * 6
        before = rows(pilot)
        await press(pilot, *"jjj", "ctrl+r")
        assert rows(pilot) == before
        assert tree(pilot).table.cursor == 3
        await press(pilot, "(")
        assert (tree(pilot).table.cursor, len(rows(pilot))) == (0, 2)


async def test_enter_opens_an_instance_and_tells_how_a_folder_stands(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "enter")
        await settle(pilot)
        shown = text(pilot)
        assert "refill pay   f_2" in shown and "Queue 1  1 in flight, 1 waiting" in shown
        assert "▶ Running   4 of 24 succeeded" in shown and "done in" in shown
        await press(pilot, "q", "right", "j", "right", "j", "enter")
        assert isinstance(pilot.app.screen, InstanceScreen)


async def test_its_backfill_is_found_from_an_instance_even_behind_a_filter(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "right", "j", "right", "j", "enter")
        opened = pilot.app.screen
        assert isinstance(opened, InstanceScreen)
        await press(pilot, "q", *"kk", "left", "/")
        await type_text(pilot, "growth")
        await press(pilot, "enter")
        assert rows(pilot) == ["[ ] ▸ growth again"]
        pilot.app.push_screen(InstanceScreen(opened.session, opened.instance_id))
        await settle(pilot)
        await press(pilot, "g", "b")
        await settle(pilot)
        await settle(pilot)
        assert tree(pilot).table.cursor_id == TreeId(Layer.INSTANCE, opened.instance_id).number
        assert tree(pilot).view.query == ""


# --- marks and verbs --------------------------------------------------------------------------------------------------


async def test_rerunning_only_failures_takes_three_keys(app: ConsoleApp, night: Night) -> None:
    plant(night, "trade.dwd_pay_di", name="fails")
    night.pass_minutes(15)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "r", "enter")
        record = last_record(night)
        assert (record.verb, record.acts, record.state) == ("one-click-rerun-failed", 1, "done")


async def test_a_mark_covers_what_is_in_a_folder_and_a_verb_gets_the_exceptions(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "space", "k", ")", *"jj", "space")
        shown = rows(pilot)
        assert [line[:3] for line in shown[:4]] == ["[-]", "[-]", "[ ]", "[x]"]
        selection = tree(pilot).selection()
        assert selection is not None
        assert [folder.key for folder in selection.folders] == ["f_2"]
        assert len(selection.without) == 1 and not selection.ids
        await press(pilot, "p")
        assert isinstance(pilot.app.screen, PreviewScreen)
        assert "--without=" in text(pilot)
        await press(pilot, "escape", "escape")
        assert {line[:3] for line in rows(pilot)} == {"[ ]"}


async def test_everything_inverted_and_single_rows_shown(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "right", "j", "space", "*")
        assert {line[:3] for line in rows(pilot)} == {"[x]"}
        await press(pilot, "space", "~", "=")
        assert rows(pilot) == ["[-] ▾ refill pay", "[x]   ▸ 2026-11-02"]
        assert "1 data timestamp marked" in lines(pilot)[-1]


async def test_rows_are_marked_by_query_and_like_a_cell_wherever_they_are(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "+")
        await type_text(pilot, "ods_trade_order")
        await press(pilot, "enter", "right")
        assert [line[:3] for line in rows(pilot)] == ["[-]"] * 5 + ["[ ]"]
        await press(pilot, "escape", "j", "right", "j", ",")
        assert tree(pilot).table.marks.count == 4
        await press(pilot, "escape", "k", "right", "right", ",")
        assert "2 data timestamps marked" in lines(pilot)[-1]


# --- what is listed ---------------------------------------------------------------------------------------------------


async def test_quick_filters_are_those_of_the_submitter(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "m")
        assert rows(pilot) == ["[ ] ▸ refill pay"]
        await press(pilot, "m", "8")
        assert rows(pilot) == ["[ ] ▸ refill pay"]
        await press(pilot, "8", "!")
        assert "Nothing matches submitter:me status:failed" in text(pilot)


async def test_folders_hold_what_is_asked_for_and_verbs_act_on_that_alone(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "t", *(["down"] * 4), "space", "enter", "right", "j", "right")
        assert rows(pilot)[:3] == ["[ ] ▾ refill pay", "[ ]   ▾ 2026-11-01", "[ ]     dws_trade_pay_ord_1d"]
        assert len(rows(pilot)) == 6
        assert "inside: status:running" in text(pilot)
        await press(pilot, "p")
        assert "0 act" in text(pilot) and "2  Running: too late to pause" in text(pilot)
        await press(pilot, "escape", "backslash")
        await type_text(pilot, "dry")
        await press(pilot, "enter")
        assert [line[4:].strip() for line in rows(pilot)][2] == "ads_dry_report"
        await press(pilot, "escape")
        assert len(rows(pilot)) == 12


async def test_a_query_that_means_nothing_is_told_and_nothing_is_lost(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "right", "backslash")
        await type_text(pilot, "statsu:failed")
        await press(pilot, "enter")
        assert len(rows(pilot)) == 6
        assert any("did you mean status" in notice.message for notice in app._notifications)


async def test_instances_are_sorted_in_their_folders(app: ConsoleApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "right", "j", "right", *("s", "pagedown", "enter") * 2)
        assert [line[4:].strip() for line in rows(pilot)][2:5] == [
            "ads_dry_report",
            "dws_trade_pay_ord_1d",
            "dim_order",
        ]


# --- live -------------------------------------------------------------------------------------------------------------


async def test_a_change_repaints_its_row_and_its_folders_and_nothing_else(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "right", "j", "right")
        before, running = lines(pilot)[4:-1], instance_below(pilot, 5)
        change(night, running.row.id, status=Status.FAILED, ended_at=night.clock.now())
        await pulse(pilot)
        after = lines(pilot)[4:-1]
        assert [place for place, (old, new) in enumerate(zip(before, after, strict=True)) if old != new] == [0, 1, 5]
        assert "✗ Failed" in after[0] and "✗ Failed" in after[1] and "✗1" in after[0]
        assert "rows moved" not in lines(pilot)[-1]


async def test_what_comes_and_goes_waits_for_a_refresh(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "t", *(["down"] * 4), "space", "enter", "right", "j", "right", "j")
        change(night, instance_below(pilot, 2).row.id, status=Status.FAILED)
        plant(night, name="newer")
        await pulse(pilot)
        assert len(rows(pilot)) == 6
        assert "2 rows moved" in lines(pilot)[-1]
        await press(pilot, "ctrl+r")
        assert rows(pilot)[0] == "[ ] ▸ newer" and len(rows(pilot)) == 6
