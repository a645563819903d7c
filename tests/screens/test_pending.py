"""Backfills to be submitted: each with its state and why it failed, and the verbs of its machine (RULES.md 8.4)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import text as sql

from dpconsole.app import ConsoleApp
from dpconsole.core.domain.backfills import BackfillState
from dpconsole.core.operations.backfill_said import said
from dpconsole.core.services import ListKind, ListRequest, read_form
from dpconsole.screens.flows import FlowScreen, FlowsScreen
from dpconsole.screens.pending import FACES, dates_words
from dpconsole.screens.submission import SubmissionScreen
from tests.screens.hands import press, settle, text
from tests.screens.night import Night

WIDE = (120, 40)
WHY = "task trade.dwd_pay_di is gone"


def plant(night: Night) -> None:
    """One that waits, one that failed, and one of mei's that is paused."""
    backfills = night.services.backfills
    for name, answers in {
        "pay again": {"range": "-7d..-1d", "downstream": "all", "at": "+2h"},
        "no more": {"at": "06:00"},
        "of mei": {"at": "07:00"},
    }.items():
        backfills.create(backfills.plan({"task": "trade.ods_trade_order", "name": name} | answers))
    with night.services.store.write() as transaction:
        run = transaction.connection.execute
        run(sql("update backfill set state = 'failed', error = :why where name = 'no more'"), {"why": WHY})
        run(sql("update backfill set state = 'paused', submitter = 'mei', recurrence = 'daily' where name = 'of mei'"))


def states(night: Night) -> dict[str, BackfillState]:
    lists = night.services.lists
    ids = lists.snapshot(ListRequest(ListKind.BACKFILLS)).ids
    return {row.name: row.state for row in lists.rows(ListKind.BACKFILLS, ids)}


def test_every_state_has_a_glyph_of_its_own() -> None:
    assert FACES.keys() == set(BackfillState)
    assert len({glyph for glyph, _ in FACES.values()}) == len(FACES)


def test_data_timestamps_in_a_few_words() -> None:
    assert dates_words(()) == "-"
    assert dates_words(("2026-11-01",)) == "2026-11-01"
    assert dates_words(("2026-11-01", "2026-11-03")) == "2026-11-01..2026-11-03 (2)"


@pytest.mark.parametrize(
    "answers",
    [
        {"range": "2026-11-01..2026-11-07,2026-11-10", "downstream": "3", "hide-paused": "no", "name": "again"},
        {"downstream": "all", "massive": "yes", "include-project": "trade", "exclude-source": "trade.dwd_pay_di"},
        {"hours": "02:00-05:59", "groups": "4", "order": "desc", "set": "ds=1,trade.dwd_pay_di:mode=a\\,b"},
        {"paused-tasks": "keep", "dry-run-tasks": "keep", "dry-run-start": "yes", "at": "+2h"},
        {"every": "weekly", "on": "mon,thu", "at": "02:00", "range": "T-7..T-1,T-14"},
        {"every": "monthly", "on": "1,last", "at": "23:30"},
        {"task": "trade.dim_order", "fields": "amount,city"},
    ],
)
def test_what_is_said_of_a_form_gives_the_same_form_again(night: Night, answers: Mapping[str, str]) -> None:
    facts = night.services.backfills.facts()
    form = read_form({"task": "trade.ods_trade_order"} | dict(answers), facts).form
    assert form is not None
    assert read_form(said(form, facts.zone), facts).form == form


async def test_the_list_its_filters_and_what_was_asked_for(app: ConsoleApp, night: Night) -> None:
    plant(night)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "3", "]")
        assert "3 of 3" in text(pilot)
        for words in ("◔ Waiting to submit", "✗ Submission Failed", "⏸ Paused", "2026-11-13..2026-11-19 (7)"):
            assert words in text(pilot)
        await press(pilot, "m")
        assert "2 of 3" in text(pilot)
        await press(pilot, "m", "t", "space", "enter")
        assert "recurrence:daily" in text(pilot)
        assert "of mei" in text(pilot)
        await press(pilot, "escape", "!", "enter")
        assert isinstance(app.screen, SubmissionScreen)
        assert WHY in text(pilot)
        assert "Start Task" in text(pilot)


async def test_pause_resume_and_retry_one_by_one_and_together(app: ConsoleApp, night: Night) -> None:
    plant(night)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(pilot, "3", "]", "*", "p", "enter")
        assert states(night) == {"pay again": "paused", "no more": "failed", "of mei": "paused"}
        await press(pilot, "u", "enter")
        assert states(night)["pay again"] == "waiting"
        await press(pilot, "!", "r", "enter")
        assert states(night)["no more"] == "submitting"


async def test_a_saved_flow_is_paused_and_resumed_and_shows_its_form(app: ConsoleApp, night: Night) -> None:
    backfills = night.services.backfills
    answers = {"task": "trade.ods_trade_order", "name": "again", "every": "weekly", "on": "mon", "at": "02:00"}
    backfills.create(backfills.plan(answers))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "3", "]", "g", "f")
        assert isinstance(app.screen, FlowsScreen)
        for words in ("again", "✓ Enabled", "mon 02:00", "1 of 1 enabled"):
            assert words in text(pilot)
        await press(pilot, "p", "enter")
        assert "⏸ Disabled" in text(pilot)
        await press(pilot, "u", "enter", "enter")
        assert isinstance(app.screen, FlowScreen)
        for words in ("✓ Enabled", "Start Task", "trade.ods_trade_order", "weekly"):
            assert words in text(pilot)
