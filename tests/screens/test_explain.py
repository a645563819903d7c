"""Explain: the five checks, what blocks at the root, and a verb on that root from where it is named."""

from __future__ import annotations

from dpconsole.app import ConsoleApp
from dpconsole.screens.details import InstanceScreen
from dpconsole.screens.explain import ExplainScreen
from dpconsole.screens.preview import PreviewScreen
from tests.screens.hands import lines, press, text, type_text
from tests.screens.night import Night


async def _explain(pilot: object, name: str) -> None:
    await press(pilot, "2", "/")  # type: ignore[arg-type]
    await type_text(pilot, name)  # type: ignore[arg-type]
    await press(pilot, "enter", "i")  # type: ignore[arg-type]


async def test_the_checks_after_the_one_it_stands_at_are_not_reached(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await _explain(pilot, "ads_gmv_board")
        checks = [line.split()[1:] for line in lines(pilot) if line.strip()[:1] in "12345" and "  " in line]
        assert "Blocked" in " ".join(checks[0])
        assert all("reached" in " ".join(check) for check in checks[1:5])


async def test_enter_on_a_blocking_root_opens_it_and_a_verb_there_is_about_it(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await _explain(pilot, "ads_gmv_board")
        await press(pilot, "tab", "tab", "j")
        assert isinstance(app.screen, ExplainScreen)
        await press(pilot, "r")
        assert isinstance(app.screen, PreviewScreen)
        assert "dwd_pay_di" in text(pilot)
        await press(pilot, "escape", "enter")
        assert isinstance(app.screen, InstanceScreen)
        assert "dwd_pay_di" in text(pilot)


async def test_a_verb_at_the_top_is_about_the_instance_itself(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await _explain(pilot, "ads_gmv_board")
        await press(pilot, "p")
        assert isinstance(app.screen, PreviewScreen)
        assert "ads_gmv_board" in text(pilot)


async def test_what_waits_for_a_slot_has_a_turn_and_knows_who_holds_the_slots(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await _explain(pilot, "sync_mysql_3")
        assert "Its turn  1 goes before it" in text(pilot)
        assert "Slots held by  2" in text(pilot)
        assert "sync_mysql_0" in text(pilot)
