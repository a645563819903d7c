"""The form of a backfill: problems stand beside their fields, the plan follows, and nothing is written too early."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select
from textual.pilot import Pilot

from dpconsole.app import ConsoleApp
from dpconsole.core.domain.backfills import BackfillState
from dpconsole.core.engine.backfilling import submit
from dpconsole.core.operations import backfills
from dpconsole.core.services import BACKFILL_FIELDS, ENVIRONMENT, DateMark, DateStanding, FlightPlan
from dpconsole.core.store.models import Backfill, Instance, Operation
from dpconsole.screens.asking import CreateBackfill
from dpconsole.screens.backfill_form import BASICS, BackfillFormScreen, entries
from dpconsole.screens.downstream import DownstreamPrompt
from dpconsole.screens.flight_lines import MARKS, flight_lines
from dpconsole.screens.submitting import SubmitScreen
from dpconsole.widgets.ink import pieces
from tests.screens.hands import lines, press, settle, text, type_text
from tests.screens.night import Night

START = "trade.ods_trade_order"
WIDE = (120, 40)


pytestmark = pytest.mark.usefixtures("no_pause")


async def open_form(app: ConsoleApp, pilot: Pilot[int], **answers: str) -> BackfillFormScreen:
    """The form with some answers given, as if they had been typed."""
    await settle(pilot)
    app.post_message(CreateBackfill({"task": START}))
    await settle(pilot)
    form = app.screen
    assert isinstance(form, BackfillFormScreen)
    for name, value in answers.items():
        form.form.answer(name.replace("_", "-"), value)
        await settle(pilot)
    return form


def count(night: Night, table: type) -> int:
    with night.services.store.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def beside(pilot: Pilot[int], label: str) -> str:
    """What stands on the line of a field and on the lines of its message."""
    shown = [line[:70] for line in lines(pilot)]
    at = next(number for number, line in enumerate(shown) if label in line)
    more = [line for line in shown[at + 1 : at + 4] if line.startswith(" " * 32)]
    return " ".join(" ".join([shown[at], *more]).split())


# --- the fields -------------------------------------------------------------------------------------------------------


def test_the_form_asks_every_question_once_the_basics_first() -> None:
    names = [entry.name for entry in entries()]
    assert names[: len(BASICS)] == list(BASICS)
    assert sorted([*names, ENVIRONMENT]) == sorted(BACKFILL_FIELDS), "the header says which environment it is"


async def test_only_questions_that_apply_are_asked(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        form = await open_form(app, pilot)
        assert "Massive Mode" not in text(pilot)
        form.form.answer("downstream", "all")
        await settle(pilot)
        assert "Massive Mode" in text(pilot)
        assert "Include: of project" not in text(pilot)
        form.form.answer("massive", "yes")
        await settle(pilot)
        assert "Include: of project" in text(pilot)
        assert "Filter Paused Tasks" not in text(pilot)


# --- bad input: a clear message beside the field, and nothing is created ----------------------------------------------

BAD: tuple[tuple[str, str, str, str], ...] = (
    ("range", "-1d..-7d", "Data Timestamp", "ends before it starts; did you mean -7d..-1d?"),
    ("range", " ", "Data Timestamp", "no data timestamps"),
    ("range", "1999-01-01..2026-05-18", "Data Timestamp", "10,000 data timestamps; one backfill takes at most 1,000"),
    ("task", "trade.ods_trade_odrer", "Start Task", "no task trade.ods_trade_odrer; did you mean trade.ods_trade_ord"),
    ("name", "n" * 200, "Instance Name", "a name has at most 128 characters, this one has 200"),
    ("at", "2026-11-19T02:00", "Runtime", "has passed already"),
    ("groups", "0", "Running Groups", "the number of groups is a whole number from 1"),
    ("hours", "05:00-01:00", "Hour Window", "ends before it starts"),
)


async def test_bad_input_is_told_beside_its_field_and_creates_nothing(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=WIDE) as pilot:
        form = await open_form(app, pilot)
        for name, value, label, words in BAD:
            good = form.form.answers.get(name, "T-1" if name == "range" else "1" if name == "groups" else "")
            form.form.answer(name, value)
            await settle(pilot)
            assert words.replace(" ", "") in beside(pilot, label).replace(" ", ""), name
            await press(pilot, "enter")
            assert app.screen is form
            assert form.form.current == name, "Enter goes to what is to be mended"
            form.form.answer(name, good if name != "hours" else "00:00-23:59")
            await settle(pilot)
            assert form.problems == (), name
    assert (count(night, Backfill), count(night, Operation)) == (0, 0)


# --- the flight plan --------------------------------------------------------------------------------------------------


def test_every_mark_of_the_strip_is_told_without_colour() -> None:
    assert len({glyph for glyph, _, _ in MARKS.values()}) == len(MARKS) == len(DateStanding)


def test_a_year_is_a_line_for_each_month(night: Night) -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    strip = tuple(DateMark(day, DateStanding.MISSING, {}, 0, 0, 1) for day in days)
    plan = FlightPlan(None, strip=strip, instances=365)
    session = ConsoleApp(night.services, live=False).session
    drawn = ["".join(piece for piece, _ in pieces(line)) for line in flight_lines(plan, session, 48)]
    months = [line for line in drawn if line.startswith("2026-")]
    assert [line.count("·") for line in months] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert max(map(len, drawn)) <= 48
    assert "· 365 missing" in drawn[-1]


async def test_the_plan_shows_what_exists_and_what_would_be_made(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await open_form(app, pilot, range="-7d..-1d", downstream="all")
        shown = text(pilot)
    assert "42 instances, 7 data timestamps, 6 tasks" in shown
    assert "·····✓✓" in shown
    assert "✓ 2 succeeded  · 5 missing" in shown
    assert "gmv before six" in shown


# --- tasks downstream -------------------------------------------------------------------------------------------------


async def test_tasks_downstream_are_seen_by_level_and_can_be_let_go(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        form = await open_form(app, pilot, downstream="all")
        await press(pilot, "ctrl+t")
        assert isinstance(app.screen, DownstreamPrompt)
        assert "6 of 6 tasks" in text(pilot)
        await press(pilot, "space")
        assert "6 of 6 tasks" in text(pilot), "the start cannot be let go"
        await press(pilot, "down", "space")
        assert "5 of 6 tasks" in text(pilot)
        dropped = app.screen.rows[1].task.key
        await press(pilot, "enter")
        plan = form.plan
    assert plan is not None
    assert dropped not in {task.key for task in plan.tasks}


# --- drafts -----------------------------------------------------------------------------------------------------------


async def test_what_was_answered_is_kept_for_the_same_tasks(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await open_form(app, pilot, range="-7d..-1d", groups="3")
        await press(pilot, "escape")
        assert not isinstance(app.screen, BackfillFormScreen)
        form = await open_form(app, pilot)
        assert form.form.answers == {"task": START, "range": "-7d..-1d", "groups": "3"}
        await press(pilot, "ctrl+r")
        assert form.plan is not None and form.plan.instances == 1
        assert app.session.drafts == {}


# --- creating ---------------------------------------------------------------------------------------------------------


async def test_few_instances_go_on_one_key(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=WIDE) as pilot:
        before = count(night, Instance)
        await open_form(app, pilot, range="-3d..-1d")
        await press(pilot, "enter")
        assert not isinstance(app.screen, BackfillFormScreen)
    assert (count(night, Backfill), count(night, Instance) - before) == (1, 3)


async def test_many_instances_ask_for_their_number(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await open_form(app, pilot, range="-60d..-1d")
        await press(pilot, "enter")
        assert isinstance(app.screen, SubmitScreen)
        assert "60 instances would be created" in text(pilot)
        await press(pilot, "6", "1", "enter")
        assert isinstance(app.screen, SubmitScreen)
        assert count(night, Backfill) == 0
        await press(pilot, "backspace", "0", "enter")
        assert not isinstance(app.screen, SubmitScreen)
    assert count(night, Backfill) == 1


async def test_the_same_as_a_command(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        form = await open_form(app, pilot, range="-7d..-1d", downstream="all")
        form.form.go_to("order")
        await press(pilot, "y")
        assert app._clipboard.startswith("dpconsole backfill create --task=trade.ods_trade_order")
        form.form.go_to("name")
        await press(pilot, "y")
        assert form.form.answers["name"] == "y", "in a text it is a letter"


# --- where it opens from ----------------------------------------------------------------------------------------------


async def test_several_marked_tasks_are_several_starts(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "4", "space", "space", "b")
        form = app.screen
        assert isinstance(form, BackfillFormScreen)
        assert form.form.answers["task"].count(",") == 1
        assert form.form.current == "range"


async def test_instances_bring_their_tasks_and_data_timestamps(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "2", "enter", "b")
        form = app.screen
        assert isinstance(form, BackfillFormScreen)
        assert form.form.answers["range"] == "2026-11-19"
        await type_text(pilot, "T-2")
        assert form.form.answers["range"] == "T-2", "what is typed takes the place of what was there"


async def test_the_name_of_a_task_is_completed(app: ConsoleApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        form = await open_form(app, pilot)
        await press(pilot, "up")
        await type_text(pilot, f"{START},trade.dwd_p")
        assert f"{START},trade.dwd_pay_di " in beside(pilot, "Start Task")
        assert form.form.answers["task"].endswith(",trade.dwd_p"), "it is only suggested"
        await press(pilot, "right")
        assert form.form.answers["task"] == f"{START},trade.dwd_pay_di"
        await press(pilot, "ctrl+u")
        await type_text(pilot, "trade.nobody")
        await press(pilot, "right")
        assert form.form.answers["task"] == "trade.nobody", "nothing fits"


async def test_a_backfill_belongs_to_the_environment_that_is_shown(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "@")
        form = await open_form(app, pilot)
        assert form.plan is not None and "--environment=dev" in form.plan.command
        await press(pilot, "enter")
    with night.services.store.read() as connection:
        assert connection.execute(select(Backfill.environment)).scalars().all() == ["dev"]
        made = select(Instance.environment).where(Instance.backfill_id.is_not(None)).distinct()
        assert connection.execute(made).scalars().all() == ["dev"]


@pytest.mark.timeout(20)
async def test_a_submission_can_be_left_and_is_told_when_it_is_done(
    app: ConsoleApp, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Event()

    def held_up(*asked: Any) -> BackfillState:
        asked[-1](1, 3)
        left.wait(20)
        return submit(*asked)

    monkeypatch.setattr(backfills, "submit", held_up)
    async with app.run_test(size=WIDE) as pilot:
        await open_form(app, pilot, range="-3d..-1d")
        await pilot.press("enter")
        while "Esc leaves; the engine goes on with the rest." not in text(pilot):
            await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert app.current_mode == "pending"
        left.set()
        while not any("(f_1) is submitted" in note.message for note in app._notifications):
            await pilot.pause()
    assert count(night, Backfill) == 1
