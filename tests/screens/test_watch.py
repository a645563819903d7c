"""Watching: told once when it ends, by the bell or by a command that is no line for a shell."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from textual.pilot import Pilot

from dpconsole.app import ConsoleApp
from dpconsole.core.domain.backfills import BackfillState, DateState
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.services import Layer, Sighting, TreeId
from dpconsole.core.settings import Settled
from dpconsole.core.store.models import Backfill, BackfillDate, BackfillTally
from dpconsole.screens.listing import ListScreen
from dpconsole.screens.watch import WatchedScreen
from dpconsole.screens.watching import Look, Running, Watch, Watched, run_command
from tests.screens.hands import press, pulse, settle, text, type_text
from tests.screens.night import Night

ONE = TreeId(Layer.INSTANCE, 7)


def sighting(status: Status = Status.RUNNING, *, ended: bool = False, target: TreeId = ONE) -> Sighting:
    return Sighting(target, "t_1_20261119_7", "dws_pay", status, ended)


def told(app: ConsoleApp) -> list[str]:
    return [notification.message for notification in app._notifications]


# --- what is kept in mind ---------------------------------------------------------------------------------------------


def test_an_end_is_told_once() -> None:
    watch = Watch()
    watch.add([sighting()], ())
    assert watch.take(Look(5, [ONE], {ONE: sighting()})) == []
    over = Look(6, [ONE], {ONE: sighting(Status.FAILED, ended=True)})
    assert [one.sighting.status for one in watch.take(over)] == [Status.FAILED]
    assert (watch.take(over), len(watch), watch.words) == ([], 0, "")


def test_what_is_gone_is_watched_no_longer() -> None:
    watch = Watch()
    watch.add([sighting()], ())
    assert watch.take(Look(5, [ONE], {})) == []
    assert len(watch) == 0


def test_what_was_added_after_the_last_look_is_looked_at_again() -> None:
    watch = Watch()
    watch.take(Look(9, [], {}))
    watch.add([sighting()], ())
    assert watch.rev < 9


# --- commands ---------------------------------------------------------------------------------------------------------


def finished(command: Sequence[str], name: str = "dws_pay") -> Running:
    running = run_command(Watched(replace(sighting(Status.FAILED, ended=True), name=name), tuple(command)))
    running.process.wait(timeout=20)
    return running


def test_a_command_is_told_what_ended_in_its_arguments_and_its_environment(tmp_path: Path) -> None:
    script = "import os, sys; open(sys.argv[1], 'w').write(' '.join((*sys.argv[2:], os.environ['DPCONSOLE_KIND'])))"
    finished([sys.executable, "-c", script, str(tmp_path / "said"), "{id}", "{name}: {status}"])
    assert (tmp_path / "said").read_text() == "t_1_20261119_7 dws_pay: FAILED instance"


def test_a_name_from_outside_is_an_argument_and_never_a_command(tmp_path: Path) -> None:
    script = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    name = f"$(touch {tmp_path}/hacked); {{id}} `id` \"'"
    finished([sys.executable, "-c", script, str(tmp_path / "said"), "{name}"], name)
    assert (tmp_path / "said").read_text() == name
    assert not (tmp_path / "hacked").exists()


def test_a_command_that_fails_is_told_of_once() -> None:
    watch = Watch()
    watch.started(finished([sys.executable, "-c", "raise SystemExit(3)"]))
    assert [words.endswith("because dws_pay ended, failed itself: exit code 3") for words in watch.failures()] == [True]
    assert watch.failures() == []


# --- how backfills stand ----------------------------------------------------------------------------------------------

_N, _R, _S, _F = Status.NOT_RUNNING, Status.RUNNING, Status.SUCCEEDED, Status.FAILED


@pytest.fixture
def folders(night: Night) -> Iterator[Night]:
    """A backfill of three data timestamps, of which the last is excluded, without instances: only tallies count."""
    with night.services.store.write() as transaction:
        run = transaction.connection.execute
        asked = {"id": 1, "name": "pay again", "project": "trade", "submitter": "lin", "submitted_at": 0, "form": {}}
        run(Backfill.__table__.insert(), asked | {"state": BackfillState.SUBMITTED})
        for number in (1, 2, 3):
            state = DateState.EXCLUDED if number == 3 else DateState.BEGUN
            day = {"business_date": f"2026-11-1{number}", "queue": 1, "position": number, "state": state, "made": True}
            run(BackfillDate.__table__.insert(), {"id": number, "backfill_id": 1, **day})
    yield night


@pytest.mark.parametrize(
    ("below", "state", "expected"),
    [
        ({1: [_S], 2: [_S]}, BackfillState.SUBMITTED, (NormalisedStatus.SUCCEEDED, True)),
        ({1: [_S], 2: [_S], 3: [_N]}, BackfillState.SUBMITTED, (NormalisedStatus.SUCCEEDED, True)),
        ({1: [_S], 2: [_S]}, BackfillState.SUBMITTING, (NormalisedStatus.SUCCEEDED, False)),
        ({1: [_S], 2: [_R]}, BackfillState.SUBMITTED, (NormalisedStatus.RUNNING, False)),
        ({1: [_S], 2: [_N]}, BackfillState.SUBMITTED, (NormalisedStatus.RUNNING, False)),
        ({1: [_F], 2: [_R]}, BackfillState.SUBMITTED, (NormalisedStatus.FAILED, True)),
        ({}, BackfillState.WAITING, (NormalisedStatus.NOT_RUNNING, False)),
        ({}, BackfillState.FAILED, (NormalisedStatus.FAILED, True)),
    ],
)
def test_a_backfill_ends_as_its_data_timestamps_do(
    folders: Night, below: dict[int, list[Status]], state: BackfillState, expected: tuple[NormalisedStatus, bool]
) -> None:
    with folders.services.store.write() as transaction:
        transaction.connection.execute(sql("update backfill set state = :state"), {"state": state})
        for day, statuses in below.items():
            for status in statuses:
                row = {"backfill_id": 1, "backfill_date_id": day, "status": status, "paused": False, "number": 1}
                transaction.connection.execute(BackfillTally.__table__.insert(), row)
    target = TreeId(Layer.BACKFILL, 1)
    found = folders.services.sightings([target, TreeId(Layer.DATE, 1), TreeId(Layer.DATE, 99)])
    assert (found[target].status, found[target].ended) == expected
    assert found[target].key == "f_1"
    assert found[TreeId(Layer.DATE, 1)].name == "pay again 2026-11-11"
    assert len(found) == 2


# --- at the keyboard --------------------------------------------------------------------------------------------------


async def go_to_a_running_one(app: ConsoleApp, pilot: Pilot[int]) -> None:
    await settle(pilot)
    await press(pilot, "2")
    screen = app.screen
    assert isinstance(screen, ListScreen)
    screen.look_for("biz:yesterday status:running")
    await settle(pilot)


async def test_the_end_of_an_instance_rings_once(
    app: ConsoleApp, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[bool] = []
    monkeypatch.setattr(app, "bell", lambda: rung.append(True))
    async with app.run_test(size=(120, 40)) as pilot:
        await go_to_a_running_one(app, pilot)
        await press(pilot, "W", "enter")
        await pulse(pilot)
        assert "watching 1" in text(pilot)
        assert rung == []
        night.pass_minutes(60)
        await pulse(pilot)
        await pulse(pilot)
        assert rung == [True]
        assert any("✓ Succeeded" in words or "✗ Failed" in words for words in told(app))
        assert "watching" not in text(pilot).splitlines()[0]


async def test_the_same_key_watches_no_longer_and_the_list_says_what_is_watched(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await go_to_a_running_one(app, pilot)
        await press(pilot, "W", "enter", "g", "w")
        assert isinstance(app.screen, WatchedScreen)
        assert "▶ Running" in text(pilot)
        await press(pilot, "W")
        assert "Nothing is watched" in text(pilot)
        await press(pilot, "escape", "W", "enter")
        assert len(app.session.watch) == 1
        await press(pilot, "W")
        assert len(app.session.watch) == 0


async def test_what_has_ended_is_not_watched(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "2", "!", "W", "enter")
        assert any("✗ Failed already: nothing to wait for" in words for words in told(app))
        assert len(app.session.watch) == 0


async def test_the_command_of_the_settings_runs_when_it_ends(app: ConsoleApp, night: Night, tmp_path: Path) -> None:
    settled = night.services.settings.settled
    settled["watch.command"] = Settled(("touch", f"{tmp_path}/{{status}}"), "here")  # type: ignore[index]
    async with app.run_test(size=(120, 40)) as pilot:
        await go_to_a_running_one(app, pilot)
        await press(pilot, "W", "down", "enter")
        night.pass_minutes(60)
        await pulse(pilot)
        for running in app.session.watch._running:
            running.process.wait(timeout=20)
    assert {path.name for path in tmp_path.iterdir()} & {"SUCCEEDED", "FAILED"}


async def test_a_typed_command_that_is_not_there_is_told_of(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await go_to_a_running_one(app, pilot)
        await press(pilot, "W", "down", "enter")
        await type_text(pilot, "/no/such")
        await press(pilot, "enter")
        night.pass_minutes(60)
        await pulse(pilot)
        assert any("/no/such was not run" in words for words in told(app))
