"""`z`: calls off what is armed, and afterwards plans the way back, through the same preview."""

from __future__ import annotations

from dpconsole.app import ConsoleApp
from dpconsole.core.domain.statuses import Status
from dpconsole.core.services import State
from dpconsole.screens.preview import PreviewScreen
from tests.screens.hands import press, pulse, settle, text, type_text
from tests.screens.night import Night
from tests.screens.test_journeys import last_record, matching

RUNAWAY = "name=sync_mysql_0 biz:yesterday"


async def _stop_the_runaway(pilot: object) -> None:
    await press(pilot, "2", "/")  # type: ignore[arg-type]
    await type_text(pilot, "sync_mysql_0")  # type: ignore[arg-type]
    await press(pilot, "enter", "x", "1", "enter")  # type: ignore[arg-type]


async def test_a_destructive_batch_waits_five_seconds_and_says_so(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await _stop_the_runaway(pilot)
        assert "Stop 1: in 5 s - z cancels" in text(pilot)
        night.clock.advance_to(night.clock.now() + 4_999)
        await pulse(pilot)
        assert matching(night, RUNAWAY)[0].status is Status.RUNNING
        assert "Stop 1: in 1 s" in text(pilot)
        night.clock.advance_to(night.clock.now() + 1)
        await pulse(pilot)
        await settle(pilot)
        assert matching(night, RUNAWAY)[0].status is Status.FAILED
        assert "z cancels" not in text(pilot)


async def test_what_is_armed_is_called_off_and_the_ledger_says_cancelled(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await _stop_the_runaway(pilot)
        await press(pilot, "z")
        night.clock.advance_to(night.clock.now() + 10_000)
        await pulse(pilot)
        assert matching(night, RUNAWAY)[0].status is Status.RUNNING
        assert (last_record(night).state, last_record(night).acts) == (State.CANCELLED, 0)


async def test_a_pause_is_undone_by_resuming_the_same_rows(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "status:waiting_time project:growth")
        await press(pilot, "enter", "*", "p", "enter", "z")
        assert isinstance(app.screen, PreviewScreen)
        assert "Resume" in text(pilot)
        await press(pilot, "enter")
        assert last_record(night).reason == "undo of record 1"
        assert matching(night, "paused:yes project:growth") == []


async def test_priorities_go_back_to_what_each_row_had(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "name:trade_order,ads_gmv_board biz:yesterday")
        await press(pilot, "enter", "*")
        before = {row.id: row.priority for row in matching(night, "biz:yesterday")}
        await press(pilot, "P", "5", "enter")
        assert last_record(night).acts == 3
        await press(pilot, "z", "enter", "enter", "enter")
        assert {row.id: row.priority for row in matching(night, "biz:yesterday")} == before


async def test_what_has_run_its_course_cannot_be_undone_and_says_so(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "r", "enter", "z")
        assert not isinstance(app.screen, PreviewScreen)
        assert "Rerun (record 1) cannot be undone" in " ".join(str(note.message) for note in app._notifications)


async def test_leaving_with_something_armed_is_asked_twice_and_drops_it(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await _stop_the_runaway(pilot)
        await press(pilot, "ctrl+q")
        assert "Stop is still armed" in " ".join(str(note.message) for note in app._notifications)
        assert app._exit is False
        await press(pilot, "ctrl+q")
        assert app._exit is True
    assert matching(night, RUNAWAY)[0].status is Status.RUNNING
