"""The key registry: one meaning for a key, every key with an action behind it, and a keymap file that may be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.actions import parse

from dpconsole.app import MAIN, ConsoleApp
from dpconsole.core.services import OPERATIONS, Kind
from dpconsole.screens.actions import ActionsScreen
from dpconsole.screens.backfill import BackfillScreen
from dpconsole.screens.backfill_form import BackfillFormScreen
from dpconsole.screens.backfill_tabs import TABS
from dpconsole.screens.base import Keyed
from dpconsole.screens.baselines import BaselinesScreen
from dpconsole.screens.details import InstanceScreen, TaskScreen
from dpconsole.screens.explain import ExplainScreen
from dpconsole.screens.flows import FlowsScreen
from dpconsole.screens.folder import FolderScreen
from dpconsole.screens.gantt import GanttScreen
from dpconsole.screens.help import help_lines
from dpconsole.screens.home import HomeScreen
from dpconsole.screens.instance_dag import InstanceDagScreen
from dpconsole.screens.instances import InstancesScreen
from dpconsole.screens.keymap import KEYS, STACKS, Keymap, Scope, read_keymap, show_key, verb_keys
from dpconsole.screens.log import LogScreen
from dpconsole.screens.pending import PendingScreen
from dpconsole.screens.preview import PreviewScreen
from dpconsole.screens.prompts import ChoicePrompt
from dpconsole.screens.queue import QueueScreen
from dpconsole.screens.records import RecordScreen, RecordsScreen
from dpconsole.screens.submission import SubmissionScreen
from dpconsole.screens.task_dag import TaskDagScreen
from dpconsole.screens.tasks import TasksScreen
from dpconsole.screens.watch import WatchedScreen
from dpconsole.widgets.dag_view import DagView
from dpconsole.widgets.log_view import LogView
from dpconsole.widgets.row_table import RowTable
from dpconsole.widgets.tree_table import TreeTable

KEYMAP = Keymap((*KEYS, *verb_keys(OPERATIONS.values())))

SCREENS: tuple[type[Keyed], ...] = (
    HomeScreen,
    InstancesScreen,
    BackfillScreen,
    FolderScreen,
    TasksScreen,
    RecordsScreen,
    InstanceScreen,
    TaskScreen,
    RecordScreen,
    LogScreen,
    ExplainScreen,
    QueueScreen,
    GanttScreen,
    InstanceDagScreen,
    TaskDagScreen,
    BaselinesScreen,
    PendingScreen,
    SubmissionScreen,
    FlowsScreen,
    BackfillFormScreen,
    WatchedScreen,
    ChoicePrompt,
    ActionsScreen,
    PreviewScreen,
)


def test_ids_are_unique() -> None:
    assert len({entry.id for entry in KEYMAP.entries}) == len(KEYMAP.entries)


def test_no_key_means_two_things_on_one_screen() -> None:
    assert KEYMAP.clashes() == []


def test_every_stack_is_some_screens() -> None:
    assert {screen.stack for screen in SCREENS} == set(STACKS)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.stack)
def test_every_key_has_an_action_behind_it(screen: type[Keyed]) -> None:
    view = {LogScreen: LogView, BackfillScreen: TreeTable, InstanceDagScreen: DagView, TaskDagScreen: DagView}.get(
        screen, RowTable
    )
    for entry in KEYMAP.on(screen.stack):
        namespace, name, parameters = parse(entry.action)
        owner = {"app": ConsoleApp}.get(namespace, screen)
        assert hasattr(owner, f"action_{name}"), entry.id
        if name == "move":
            step = {"column_left": "left", "column_right": "right"}.get(parameters[0], parameters[0])
            assert hasattr(view, f"action_{step if view is LogView else parameters[0]}"), entry.id


@pytest.mark.parametrize("name", [name for name, verb in OPERATIONS.items() if Kind.INSTANCE in verb.scopes])
def test_a_verb_has_its_key_wherever_instances_are(name: str) -> None:
    for stack in ("instances", "instance", "log"):
        assert f"verb.{name}" in {entry.id for entry in KEYMAP.on(stack)}


def test_a_number_key_leads_to_every_main_screen_or_to_the_tab_beside_it() -> None:
    _, *other_tabs = TABS
    assert {parse(entry.action)[2][0] for entry in KEYS if entry.id.startswith("go.")} == set(MAIN) - set(other_tabs)


@pytest.mark.parametrize("stack", STACKS)
def test_help_names_every_key_that_works(stack: str) -> None:
    entries = KEYMAP.on(stack)
    written = ["".join(text for text, _ in line.cell) for line in help_lines(entries, "")]
    for entry in entries:
        assert any(entry.title in line and entry.display in line for line in written), entry.id


def test_help_is_searched_by_key_title_and_words() -> None:
    found = help_lines(KEYMAP.on("instances"), "clipboard") + help_lines(KEYMAP.on("log"), "clipboard")
    assert [line.heading for line in found] == [True, False]


def test_nothing_destructive_lies_on_keys_that_terminals_swallow() -> None:
    lost = {"ctrl+space", "ctrl+d", "ctrl+k", "ctrl+a", "ctrl+b", "space", "h", "j", "k", "l"}
    assert not [entry.id for entry in KEYMAP.entries if entry.scope is Scope.VERB and lost & set(entry.keys)]


# The keymap file


def read(tmp_path: Path, text: str) -> tuple[Keymap, list[str]]:
    path = tmp_path / "keymap.toml"
    path.write_text(text)
    keymap, problems = read_keymap(path, KEYMAP)
    return keymap, [str(problem).removeprefix(f"{path}:") for problem in problems]


def test_no_file_changes_nothing(tmp_path: Path) -> None:
    assert read_keymap(tmp_path / "none.toml", KEYMAP) == (KEYMAP, [])


def test_a_key_is_rebound_by_id_to_one_or_several(tmp_path: Path) -> None:
    keymap, problems = read(tmp_path, '[keys]\n"list.filter" = "ctrl+f"\n"move.top" = ["g g", "ctrl+home"]\n')
    assert problems == []
    assert keymap["list.filter"].keys == ("ctrl+f",)
    assert keymap.bindings("instances").key_to_bindings["ctrl+f"][0].id == "list.filter"
    assert keymap.sequences("instances")["g g"].id == "move.top"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[keys]\n"list.filtr" = "x"\n', "2: no key is called 'list.filtr'; did you mean 'list.filter'?"),
        ('[keys]\n\n"list.filter" = "s"\n', "3: list.filter: s is taken by list.sort (sort)"),
        ('[keys]\n"list.filter" = "g"\n', "2: list.filter: g is taken by move.top (first row)"),
        ('[keys]\n"list.filter" = 7\n', "2: list.filter: give a key, or a list of keys"),
        ('[kyes]\n"list.filter" = "x"\n', "1: no table [kyes]; use [keys]"),
    ],
)
def test_a_wrong_line_is_told_with_its_place_and_left_out(tmp_path: Path, text: str, problem: str) -> None:
    keymap, problems = read(tmp_path, text)
    assert problems == [problem]
    assert keymap["list.filter"].keys == KEYMAP["list.filter"].keys


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    keymap, problems = read(tmp_path, "[keys\n")
    assert keymap is KEYMAP and len(problems) == 1


def test_two_keys_may_change_places(tmp_path: Path) -> None:
    keymap, problems = read(tmp_path, '[keys]\n"list.filter" = "s"\n"list.sort" = "/"\n')
    assert problems == []
    assert (keymap["list.filter"].keys, keymap["list.sort"].keys) == (("s",), ("/",))


@pytest.mark.parametrize(("key", "shown"), [("escape", "Esc"), ("g g", "g g"), ("ctrl+r", "ctrl+r"), ("up", "↑")])
def test_keys_are_written_as_on_a_keyboard(key: str, shown: str) -> None:
    assert show_key(key) == shown
