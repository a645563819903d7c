"""Records: what became of each item, a retry of what fell short, and the chain that tells on whoever rewrites it."""

from __future__ import annotations

from sqlalchemy import text as sql

from dpconsole.app import ConsoleApp
from dpconsole.core.services import Layer, Selection, State
from dpconsole.screens.folder import FolderScreen
from dpconsole.screens.preview import PreviewScreen
from tests.screens.backfills import plant
from tests.screens.hands import press, text
from tests.screens.night import Night
from tests.screens.test_journeys import last_record


async def test_the_chain_is_shown_as_verified(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "r", "enter", "7")
        assert "Hash chain verified, 1 record" in text(pilot)


async def test_a_record_that_was_rewritten_is_named(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "r", "enter")
        with night.services.store.write() as transaction:
            transaction.connection.execute(sql("drop trigger if exists operation_stays_closed"))
            for (trigger,) in transaction.connection.execute(
                sql("select name from sqlite_master where type = 'trigger' and tbl_name like 'operation%'")
            ).all():
                transaction.connection.execute(sql(f"drop trigger {trigger}"))
            transaction.connection.execute(sql("update operation set reason = 'somebody else did it'"))
        await press(pilot, "7")
        assert "The hash chain is broken at record 1" in text(pilot)


async def test_only_what_fell_short_is_tried_again(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "*", "r")
        screen = app.screen
        assert isinstance(screen, PreviewScreen) and screen.plan is not None
        operations, acts = night.services.operations, screen.plan.acts
        with night.services.store.write() as transaction:
            touch = sql("update instance set rev = :rev where id = :id")
            transaction.connection.execute(touch, {"rev": transaction.rev, "id": acts[0].id})
        await press(pilot, "enter")
        assert (last_record(night).state, last_record(night).acts) == (State.PARTLY_DONE, 3)
        await press(pilot, "7", "r")
        assert isinstance(app.screen, PreviewScreen)
        assert "1 act" in text(pilot)
        await press(pilot, "enter")
        assert [item.id for item in last_record(night).items] == [acts[0].id]
        assert last_record(night).reason == "retry of record 1"
        assert operations.record(last_record(night).key) is not None


async def test_a_record_without_a_failure_has_nothing_to_try_again(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "r", "enter", "7", "enter", "r")
        assert not isinstance(app.screen, PreviewScreen)


async def test_the_last_record_of_an_instance_is_two_keys_away(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "r", "enter", "g", "r")
        assert f"Record {last_record(night).id}" in text(pilot)


async def test_the_items_of_a_record_lead_to_what_was_acted_on(app: ConsoleApp, night: Night) -> None:
    target = plant(night)
    operations = night.services.operations
    operations.apply(operations.plan("exclude-dates", Selection.of_rows([target])), "not needed")
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "7", "enter", "enter")
        assert isinstance(pilot.app.screen, FolderScreen)
        assert pilot.app.screen.folder.layer is Layer.DATE
