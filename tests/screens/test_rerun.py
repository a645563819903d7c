"""A verb from the keyboard: preview, refusal, count, apply, ledger."""

from __future__ import annotations

from dpconsole.app import ConsoleApp
from dpconsole.core.services import ListKind, ListRequest
from dpconsole.screens.instances import InstancesScreen
from dpconsole.screens.preview import PreviewScreen
from tests.screens.hands import press, pulse, text, type_text
from tests.screens.night import Night


def records(night: Night) -> list[object]:
    lists = night.services.lists
    return list(lists.rows(ListKind.RECORDS, lists.snapshot(ListRequest(ListKind.RECORDS)).ids))


async def test_everything_that_failed_is_rerun_in_five_keys(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "*", "r")
        assert isinstance(app.screen, PreviewScreen)
        assert "4 act" in text(pilot)
        assert records(night) == []
        await press(pilot, "enter")
        (record,) = records(night)
        assert (record.verb, record.state, record.acts) == ("rerun", "done", 4)  # type: ignore[attr-defined]
        assert not app.main("instances").table.marks  # type: ignore[attr-defined]


async def test_a_verb_without_marks_is_about_the_row_under_the_cursor(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "j", "r")
        assert "1 act" in text(pilot)
        assert "risk_score_00" in text(pilot)


async def test_rows_that_may_not_act_are_counted_by_reason(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "*", "r")
        assert "36  Waiting for Scheduled Time: only Succeeded or Failed can be rerun" in text(pilot)
        await press(pilot, "tab")
        assert "only Succeeded or Failed" in text(pilot)


async def test_what_is_not_mild_wants_its_number_typed(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "*", "r", "enter")
        assert isinstance(app.screen, PreviewScreen)
        await type_text(pilot, "13")
        await press(pilot, "enter")
        assert records(night) == []
        await press(pilot, "backspace")
        await type_text(pilot, "4")
        await press(pilot, "enter")
        (record,) = records(night)
        assert (record.acts, record.state) == (14, "partly_done")  # type: ignore[attr-defined]


async def test_a_row_is_dropped_from_the_plan_and_stays_as_it_was(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "*", "r", "space")
        assert "3 act" in text(pilot)
        await press(pilot, "enter")
        (record,) = records(night)
        assert record.acts == 3  # type: ignore[attr-defined]


async def test_another_scope_makes_another_plan_and_another_command(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "*", "r", "]")
        assert "[failed]" in text(pilot)
        assert "4 act   58 skipped" in text(pilot)
        assert "dpconsole rerun --scope=failed" in text(pilot)


async def test_escape_leaves_without_a_trace(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "*", "r", "escape")
        assert isinstance(app.screen, InstancesScreen)
        assert app.screen.table.marks.count == 4
        assert records(night) == []


async def test_a_row_that_changed_since_the_preview_is_left_alone_and_told(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "r")
        operations = night.services.operations
        screen = app.screen
        assert isinstance(screen, PreviewScreen) and screen.plan is not None
        operations.apply(operations.plan("rerun", screen.plan.selection))
        await press(pilot, "enter")
        assert [record.acts for record in records(night)] == [0, 1]  # type: ignore[attr-defined]


async def test_the_list_shows_what_the_verb_did(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "r", "enter")
        await pulse(pilot)
        assert "○ Not Running" in text(pilot)
        assert "1 rows moved" in text(pilot)


async def test_a_verb_is_asked_from_details_and_from_the_log(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "enter", "r")
        assert "1 act" in text(pilot)
        await press(pilot, "escape", "o", "r")
        assert "1 act" in text(pilot)
