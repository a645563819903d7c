"""The console around its screens: where keys lead, what Esc and q take away, the header, other colours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from dpconsole.app import PAGES, ConsoleApp
from dpconsole.core.services import ListKind
from dpconsole.core.settings import Settled
from dpconsole.core.store.models import Instance
from dpconsole.screens.asking import OpenPage
from dpconsole.screens.command_line import Order, read_order
from dpconsole.screens.details import InstanceScreen, TaskScreen
from dpconsole.screens.help import HelpScreen
from dpconsole.screens.instances import InstancesScreen
from dpconsole.screens.log import LogScreen
from tests.screens.hands import lines, press, pulse, settle, text, type_text
from tests.screens.night import Night


async def test_number_keys_lead_to_the_screens_and_q_leads_back(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "4", "7")
        assert app.current_mode == "records"
        await press(pilot, "q")
        assert app.current_mode == "tasks"
        await press(pilot, "q", "q")
        assert app.current_mode == "home"
        await press(pilot, "q")
        assert app.current_mode == "home"


async def test_minus_changes_between_the_last_two_views(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "4", "-")
        assert app.current_mode == "instances"
        await press(pilot, "-")
        assert app.current_mode == "tasks"


async def test_a_number_key_leads_to_the_list_from_what_was_opened_on_it(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "enter", "o")
        assert isinstance(app.screen, LogScreen)
        await press(pilot, "2")
        assert isinstance(app.screen, InstancesScreen)


async def test_a_sequence_shows_how_it_goes_on_and_escape_gives_it_up(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "G", "g")
        assert lines(pilot)[-1].startswith("g …")
        assert "t its task" in lines(pilot)[-1]
        await press(pilot, "escape")
        assert app.current_mode == "instances" and "explain" in lines(pilot)[-1]
        await press(pilot, "g", "g")
        assert app.screen.table.cursor == 0  # type: ignore[attr-defined]
        await press(pilot, "g", "t")
        assert isinstance(app.screen, TaskScreen)


async def test_a_task_leads_to_its_instances(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "4", "g", "i")
        screen = app.screen
        assert isinstance(screen, InstancesScreen)
        assert screen.view.query == 'task:"trade.ads_dry_report"'
        assert len(screen.table.ids) == 2


async def test_home_answers_what_broke_and_its_groups_are_selections(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "5 failed, 2 causes" in text(pilot)
        assert "at risk: 1 failed on its way" in text(pilot)
        await press(pilot, "enter")
        screen = app.screen
        assert isinstance(screen, InstancesScreen)
        assert len(screen.table.ids) == 3


async def test_home_is_live(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        before = text(pilot)
        night.pass_minutes(60)
        await pulse(pilot)
        assert text(pilot) != before


async def test_the_header_names_environment_zone_and_engine(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pulse(pilot)
        assert " PROD " in lines(pilot)[0]
        assert "Asia/Shanghai 03:12:41" in lines(pilot)[0]
        assert "engine ops@night #41 live" in lines(pilot)[0]


async def test_the_other_environment_lists_other_instances_and_lets_marks_go(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "space", "@")
        assert " DEV " in lines(pilot)[0]
        assert "Nothing matches biz:yesterday" in text(pilot)
        assert not app.screen.table.marks  # type: ignore[attr-defined]
        await press(pilot, "@")
        assert " PROD " in lines(pilot)[0]


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("instances", Order("go", "instances")),
        ("inst", Order("go", "instances")),
        ("rerun", Order("verb", "rerun")),
        ("q", Order("action", "quit")),
        ("status:failed owner:me", Order("query", "status:failed owner:me")),
    ],
)
def test_the_command_line_understands_screens_verbs_actions_and_queries(line: str, order: Order) -> None:
    assert read_order(line, ("home", "instances", "tasks"), ("rerun",)) == order


async def test_a_query_on_the_command_line_opens_the_instances(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, ":")
        await type_text(pilot, "status:failed")
        await press(pilot, "enter")
        assert isinstance(app.screen, InstancesScreen)
        assert app.screen.view.query == "status:failed"


async def test_the_palette_runs_what_the_registry_names(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "ctrl+p")
        await type_text(pilot, "computing tasks")
        await press(pilot, "enter")
        assert app.current_mode == "tasks"


async def test_help_shows_the_keys_of_the_screen_and_is_searched(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "?")
        assert isinstance(app.screen, HelpScreen)
        await type_text(pilot, "invert")
        assert "~" in text(pilot) and "Sort by a column" not in text(pilot)
        await press(pilot, "escape")
        assert isinstance(app.screen, InstancesScreen)


async def test_details_say_why_an_instance_waits_and_lead_to_its_neighbours(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", *"jjjjjj", "enter")
        assert isinstance(app.screen, InstanceScreen)
        assert "waits for 1 upstream: dws_trade_pay_ord_1d" in text(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, InstanceScreen)
        assert "dws_trade_pay_ord_1d   t_" in lines(pilot)[1]
        await press(pilot, "q", "q")
        assert isinstance(app.screen, InstancesScreen)


async def test_details_follow_what_happens(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "sync_mysql_0")
        await press(pilot, "enter", "enter")
        assert "▶ Running" in lines(pilot)[2]
        night.pass_minutes(60)
        await pulse(pilot)
        assert "✓ Succeeded" in lines(pilot)[2]


async def test_a_logical_table_shows_its_fields_and_nodes(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "]", "enter")
        shown = text(pilot)
        assert "Fields  4" in shown and "Materialization nodes  2" in shown


async def test_the_log_opens_at_the_first_error_of_the_failed_attempt(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "o")
        screen = app.screen
        assert isinstance(screen, LogScreen)
        assert "ERROR ODPS-0130131" in screen.log_view.line_text()
        assert "line 33 of 34" in lines(pilot)[1]


async def test_the_log_is_searched_and_a_miss_is_told(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "o", "/")
        await type_text(pilot, "line 7")
        await press(pilot, "enter")
        assert app.screen.log_view.line_text().endswith("line 7")  # type: ignore[attr-defined]


async def test_the_log_is_saved_as_it_is_and_never_over_a_file(app: ConsoleApp, tmp_path: Path) -> None:
    path = tmp_path / "saved.log"
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", "o")
        for told in (f"bytes written to {path}", f"{path} is there already; choose another name"):
            await press(pilot, "ctrl+s", "ctrl+u")
            await type_text(pilot, str(path))
            await press(pilot, "enter")
            assert any(told in note.message for note in app._notifications)
        assert path.read_bytes().splitlines()[-1].endswith(b"cleaning up")


async def test_an_instance_that_never_ran_has_no_log(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", *"jjjjjj", "o")
        assert "it has never run: there is no log" in lines(pilot)[1]


async def test_a_rebound_key_works_and_its_old_one_does_not(night: Night, tmp_path: Path) -> None:
    keymap = tmp_path / "keymap.toml"
    keymap.write_text('[keys]\n"go.tasks" = "ctrl+t"\n"nonsense" = "x"\n')
    app = ConsoleApp(night.services, live=False, keymap_file=keymap)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "4")
        assert app.current_mode == "home"
        await press(pilot, "ctrl+t")
        assert app.current_mode == "tasks"
        assert [note.message for note in app._notifications] == [f"{keymap}:3: no key is called 'nonsense'"]


async def test_without_colour_the_terminals_own_palette_is_used(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = ConsoleApp(night.services, live=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "2")
        assert app.theme == "ansi-dark"
        assert "✗ Failed" in text(pilot)


async def test_no_color_without_a_value_says_nothing(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    app = ConsoleApp(night.services, live=False)
    assert not app.no_color
    assert app.theme != "ansi-dark"


async def test_hostile_names_reach_the_screen_without_a_control_byte(app: ConsoleApp, night: Night) -> None:
    with night.services.store.write() as transaction:
        hostile = "[/]\x1b]52;c;AAAA\x07" + "界" * 300
        transaction.execute(update(Instance).where(Instance.name == "dwd_pay_di").values(name=hostile))
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!")
        assert "[/]␛]52;c;AAAA␇" in text(pilot)
        await press(pilot, "enter", "q", "*", "r")
        assert not {"\x1b", "\x07"} & set(text(pilot))


async def test_the_timer_asks_only_for_the_screen_on_top(app: ConsoleApp, night: Night) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "4")
        night.pass_minutes(30)
        await pulse(pilot)
        assert app.main("tasks").rev == night.services.store.rev()
        assert app.main("instances").rev < night.services.store.rev()
        assert night.services.lists.rows(ListKind.TASKS, app.main("tasks").table.ids)  # type: ignore[attr-defined]


async def test_a_read_only_session_offers_no_verbs_and_says_so(night: Night) -> None:
    settings = night.services.settings
    readonly = {**settings.settled, "readonly": Settled(True, "--readonly"), "times": Settled("utc", "test")}
    services = replace(night.services, settings=replace(settings, settled=readonly))
    app = ConsoleApp(services, live=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "r")
        assert isinstance(app.screen, InstancesScreen)
        assert "read-only" in lines(pilot)[0] and "UTC 19:12:41" in lines(pilot)[0]
        assert "rerun" not in lines(pilot)[-1]


def test_every_page_that_can_be_asked_for_has_a_screen() -> None:
    assert set(PAGES) == set(OpenPage.__subclasses__())
