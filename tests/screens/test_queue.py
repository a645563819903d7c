"""Queue & holds: the order in which things would run, what holds them, and who paused what until when."""

from __future__ import annotations

from dpconsole.app import ConsoleApp
from dpconsole.core.domain.statuses import Status
from dpconsole.screens.queue import QueueScreen
from tests.screens.hands import lines, press, text, type_text
from tests.screens.night import Night
from tests.screens.test_journeys import last_record


def queue(app: ConsoleApp) -> QueueScreen:
    assert isinstance(app.screen, QueueScreen)
    return app.screen


async def test_what_waits_for_a_slot_stands_before_what_waits_for_its_time(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "6")
        rows = queue(app).fetch(queue(app).table.ids)
        assert [row.place for row in rows] == list(range(1, len(rows) + 1))
        statuses = [row.row.status for row in rows]
        assert Status.WAITING_RESOURCE in statuses
        assert statuses.index(Status.WAITING_TIME) > max(
            at for at, status in enumerate(statuses) if status is Status.WAITING_RESOURCE
        )
        assert "resource group 'narrow' is full" in text(pilot)


async def test_a_higher_priority_goes_first(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "6", "j")
        second = queue(app).row
        assert second is not None
        await press(pilot, "P", "1", "enter", "ctrl+r")
        assert queue(app).fetch(queue(app).table.ids)[0].id == second.id


async def test_what_is_paused_says_by_whom_why_and_until_when(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "status:waiting_time project:growth")
        await press(pilot, "enter", "p", "n")
        await type_text(pilot, "wait for the vendor")
        await press(pilot, "enter", "e")
        await type_text(pilot, "06:00")
        await press(pilot, "enter", "enter", "6", "]")
        (held,) = [line for line in lines(pilot) if "wait for the vendor" in line]
        assert "lin" in held and "06:00" in held
        (by_task,) = [line for line in lines(pilot) if "ads_refund_report" in line and "2026-11-19" in line]
        assert "its task" in by_task


async def test_the_same_verbs_and_marks_work_on_what_is_held(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "6", "]", "*", "u", "enter")
        record = last_record(night)
        assert (record.verb, record.acts) == ("resume", 2)
        assert "paused:yes" in record.command


async def test_a_filter_narrows_the_queue_and_a_wrong_one_is_marked_where_it_was_typed(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "6", "/")
        await type_text(pilot, "prio>=hihg")
        await press(pilot, "enter")
        (error,) = [line for line in lines(pilot) if "^" in line]
        assert error.index("^") == len("/ prio>=")


async def test_rows_like_this_cell_are_marked_in_the_queue_too(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "6", "right", "right", "right", ",")
        waiting = [row for row in queue(app).fetch(queue(app).table.ids) if row.row.status is Status.WAITING_RESOURCE]
        assert queue(app).table.marks.count == len(waiting) > 0
