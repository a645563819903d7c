"""How every screen and dialog looks, on a wide terminal and on a small one.

The night stands still at 03:12:41, no cursor blinks, nothing is animated, no timer runs, and every thread has answered.
After a change that is meant: `make snapshots`, look at the report, commit the pictures.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from dpconsole.app import ConsoleApp
from dpconsole.screens.asking import CreateBackfill
from tests.screens.hands import press, pulse, settle, type_text
from tests.screens.night import Night
from tests.screens.test_pending import plant

WIDE, SMALL = (120, 40), (80, 24)

SCREENS: dict[str, tuple[str, ...]] = {
    "home": (),
    "instances": ("2",),
    "instances_marked": ("2", "j", "space", "space", "v", "j", "j"),
    "instances_modeling": ("2", "]"),
    "instances_sequence": ("2", "g"),
    "instances_age": ("2", "T", "T", "T"),
    "tasks": ("4",),
    "records": ("2", "!", "r", "enter", "7"),
    "record": ("2", "!", "r", "enter", "7", "enter"),
    "instance": ("2", "!", "enter"),
    "instance_waiting": ("2", *"jjjjjj", "enter"),
    "instance_table": ("2", "]", "enter"),
    "task": ("4", "j", "enter"),
    "log": ("2", "!", "o"),
    "help": ("2", "?"),
    "palette": ("2", "ctrl+p"),
    "command_line": ("2", ":"),
    "sort": ("2", "s"),
    "columns": ("2", "c"),
    "mark_by_query": ("2", "+"),
    "preview": ("2", "!", "*", "r"),
    "preview_counted": ("2", "*", "r"),
    "preview_refused": ("2", "*", "r", "tab"),
    "preview_questions": ("2", "!", "R", "]", "f"),
    "preview_priority": ("2", "!", "*", "P", "2"),
    "preview_killing": ("2", *"jjjjjjjjjjjjj", "x"),
    "preview_upstreams": ("2", *"jjjjj", "D"),
    "armed": ("2", *"jjjjjjjjjjjjj", "x", "1", "enter"),
    "actions": ("2", "!", "."),
    "explain": ("2", *"jjjjjj", "i"),
    "explain_turn": ("2", *"jjjjjjjjjjjjjjjj", "i"),
    "queue": ("6",),
    "holds": ("6", "]"),
    "baselines": ("5",),
    "critical_path": ("5", "enter", "j", "space"),
    "export": ("2", "X"),
    "export_where": ("2", "X", "enter"),
    "development": ("2", "@"),
}
"""Every screen and dialog, by the keys that lead to it."""


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x40", "80x24"])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(snap_compare: Callable[..., bool], app: ConsoleApp, name: str, size: tuple[int, int]) -> None:
    async def go_there(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await pulse(pilot)
        await press(pilot, *SCREENS[name])
        app.clear_notifications()
        await settle(pilot)

    assert snap_compare(app, terminal_size=size, run_before=go_there)


PLANTED: dict[str, tuple[str, ...]] = {
    "backfill": ("3", "right", "j", "right", "j", "space", "*", "j", "space"),
    "backfill_standing": ("3", "enter"),
}
"""What is seen of backfills, by the keys that lead to it."""


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x40", "80x24"])
@pytest.mark.parametrize("name", PLANTED)
def test_backfills(snap_compare: Callable[..., bool], planted_night: Night, name: str, size: tuple[int, int]) -> None:
    async def go_there(pilot: Pilot[int]) -> None:
        await press(pilot, *PLANTED[name])
        await settle(pilot)

    assert snap_compare(ConsoleApp(planted_night.services, live=False), terminal_size=size, run_before=go_there)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x40", "80x24"])
@pytest.mark.parametrize("typed", ["statsu:failed", "nobody"], ids=["wrong", "nothing"])
def test_filter(snap_compare: Callable[..., bool], app: ConsoleApp, typed: str, size: tuple[int, int]) -> None:
    async def filtered(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await press(pilot, "2", "/")
        await type_text(pilot, typed)
        await press(pilot, "enter")

    assert snap_compare(app, terminal_size=size, run_before=filtered)


def test_no_color(snap_compare: Callable[..., bool], night: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = ConsoleApp(night.services, live=False)  # type: ignore[attr-defined]

    async def go_there(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await press(pilot, "2", "space")

    assert snap_compare(app, terminal_size=SMALL, run_before=go_there)


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x40", "80x24"])
@pytest.mark.parametrize("typed", ["-10d..-1d", "-1d..-10d"], ids=["plan", "wrong"])
def test_backfill_form(
    snap_compare: Callable[..., bool],
    app: ConsoleApp,
    typed: str,
    size: tuple[int, int],
) -> None:
    async def filled_in(pilot: Pilot[int]) -> None:
        await settle(pilot)
        app.post_message(CreateBackfill({"task": "trade.ods_trade_order", "downstream": "all", "range": typed}))
        await settle(pilot)
        await pulse(pilot)
        await settle(pilot)

    assert snap_compare(app, terminal_size=size, run_before=filled_in)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x40", "80x24"])
def test_pending(snap_compare: Callable[..., bool], app: ConsoleApp, night: Night, size: tuple[int, int]) -> None:
    plant(night)

    async def go_there(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await press(pilot, "3", "]")
        await pulse(pilot)

    assert snap_compare(app, terminal_size=size, run_before=go_there)
