"""What a verb asks in its preview, and how it is answered: by key, by number, by typing, from a list."""

from __future__ import annotations

import pytest

from dpconsole.app import ConsoleApp
from dpconsole.core.services import Plan, Record
from dpconsole.screens.preview import PreviewScreen
from dpconsole.screens.prompts import ChoicePrompt, TextPrompt
from tests.screens.hands import press, text, type_text
from tests.screens.night import Night
from tests.screens.test_journeys import last_record, matching


def preview(app: ConsoleApp) -> PreviewScreen:
    assert isinstance(app.screen, PreviewScreen)
    return app.screen


async def test_a_priority_is_chosen_by_its_number(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "*", "P")
        assert "4  Priority: choose first (--to)" in text(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, PreviewScreen)
        await press(pilot, "1")
        assert "[1 highest]" in text(pilot)
        assert "4 act" in text(pilot)
        await press(pilot, "enter")
        record = last_record(night)
        assert (record.verb, record.acts, dict(record.arguments)) == ("priority", 4, {"to": "highest"})


async def test_a_reason_is_kept_with_the_record(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "r", "n")
        await type_text(pilot, "the table is back")
        await press(pilot, "enter")
        assert "Reason  the table is back" in text(pilot)
        await press(pilot, "enter")
        assert last_record(night).reason == "the table is back"


async def test_a_time_is_typed_and_read_as_queries_read_it(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "status:waiting_time project:growth")
        await press(pilot, "enter", "p", "e")
        assert isinstance(app.screen, TextPrompt)
        await type_text(pilot, "06:00")
        await press(pilot, "enter", "enter")
        (row,) = matching(night, "paused:yes project:growth biz:yesterday")
        assert row.paused_until is not None
        assert row.paused_until - night.clock.now() == (2 * 60 + 47) * 60_000 + 19_000


async def test_an_answer_that_cannot_be_meant_is_refused_and_the_plan_stays(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "status:waiting_time project:growth")
        await press(pilot, "enter", "p", "e")
        await type_text(pilot, "soon")
        await press(pilot, "enter")
        assert "soon" in " ".join(str(note.message) for note in app._notifications)
        assert "1 act" in text(pilot)


async def test_upstreams_to_remove_are_chosen_from_those_there_are(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "dws_trade_pay_ord_1d")
        await press(pilot, "enter", "D")
        assert isinstance(app.screen, ChoicePrompt)
        assert "dwd_pay_di" in text(pilot) and "dwd_trade_order" in text(pilot)
        await press(pilot, " ", "enter")
        assert "1 act" in text(pilot)
        assert "remove-upstream --upstream=" in text(pilot)


async def test_questions_follow_from_answers_and_one_is_answered_at_a_time(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "r")
        assert [field.name for field in preview(app).questions.asked] == ["scope"]
        await press(pilot, "]", "]", "]")
        assert "[downstream]" in text(pilot)
        assert preview(app).questions.asked[1].name == "start"
        await press(pilot, "f", "]")
        assert "[dry-run]" in text(pilot)
        assert "--start=dry-run" in text(pilot)
        await press(pilot, "f", "e")
        await type_text(pilot, "1")
        await press(pilot, "enter")
        assert "--levels=1" in text(pilot)


async def test_a_row_that_was_dropped_stays_dropped_when_the_plan_is_made_anew(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "*", "r", " ", "]")
        assert "3 act" in text(pilot)


async def test_a_row_below_that_was_dropped_stays_dropped_too(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "R", "]")
        assert "4 act" in text(pilot)
        await press(pilot, "down", " ", "f", "]")
        assert "[dry-run]" in text(pilot)
        assert "3 act" in text(pilot)
        assert "--except=" in text(pilot)


async def test_all_actions_are_listed_and_one_that_cannot_act_says_why(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", ".")
        assert "Failed: nothing to stop" in text(pilot)
        assert "Not paused: nothing to resume" in text(pilot)
        await press(pilot, "r")
        assert preview(app).operation.name == "rerun"


async def test_the_footer_offers_only_verbs_that_could_act_here(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!")
        offered = {entry.id for entry in app.screen.working_keys}  # type: ignore[attr-defined]
        assert "verb.rerun" in offered
        assert "verb.stop" not in offered


async def test_an_acknowledgement_changes_nothing_but_the_ledger(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        before = matching(night, "status:failed")
        await press(pilot, "2", "!", "a", "n")
        await type_text(pilot, "seen, on it")
        await press(pilot, "enter", "enter")
        record: Record = last_record(night)
        assert (record.verb, record.reason) == ("acknowledge", "seen, on it")
        assert matching(night, "status:failed") == before


async def test_nobody_writes_a_plan_out(app: ConsoleApp, night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows may be a hundred thousand: to describe the work of a thread by its arguments would keep keys waiting."""
    written: list[Plan] = []
    monkeypatch.setattr(Plan, "__repr__", lambda plan: written.append(plan) or "")  # type: ignore[func-returns-value]
    async with app.run_test(size=(120, 40)) as pilot:
        app.session.arming.seconds = 0
        await press(pilot, "2", "!", "R", "1", "enter")
        assert last_record(night).verb == "force-rerun"
        await press(pilot, "down", "r", "enter")
        assert last_record(night).verb == "rerun"
    assert written == []
