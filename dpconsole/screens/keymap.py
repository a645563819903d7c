"""The key registry: every key of the console, once, as data.

Textual's bindings, the footer, the help screen, the palette and the `:` line are all made from these entries, and
`keymap.toml` rebinds them by id. A key stands here, or with an operation in the core's registry, and nowhere else.

    [keys]
    "list.filter" = "ctrl+f"            # one key
    "move.top" = ["g g", "home"]        # or several; a sequence is written with blanks

`STACKS` says which scopes a screen is under. Within one stack no key means two things and no key begins another's
sequence; `problems` finds what a keymap file breaks, and such a line is left out instead of half working.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol

from textual.binding import Binding, BindingsMap
from textual.keys import _character_to_key


class Scope(StrEnum):
    """Where a key works."""

    ALWAYS = "everywhere"
    APP = "screens"
    MOVE = "lists and texts"
    LIST = "lists"
    MARK = "marks"
    INSTANCE = "on instances"
    VERB = "verbs on instances"
    FOLDER = "backfills and their data timestamps"
    BACKFILL = "submitted backfills"
    PENDING = "backfills to be submitted"
    FLOW = "saved flows"
    SELECTION = "what is marked"
    INSTANCES = "recurring instances"
    TASKS = "computing tasks"
    TABS = "screens with tabs"
    PAGE = "details"
    LOG = "run log"
    DIALOG = "dialogs"
    RECORDS = "records"
    GRAPH = "what has a DAG"
    DAG = "DAG"
    INSTANCE_DAG = "DAG of instances"
    GANTT = "critical path"
    BASELINES = "baselines"
    PREVIEW = "preview"
    SUBMISSIONS = "list of what is to be submitted"
    FLOWS = "list of saved flows"
    START = "on tasks and instances"
    FORM = "form of a backfill"
    WATCH = "what can be watched"
    WATCHED = "what is watched"


class Category(StrEnum):
    """The headings of the help screen, in its order."""

    ACT = "Act"
    LOOK = "Look"
    MARK = "Mark"
    MOVE = "Move"
    GO = "Go"
    CONSOLE = "Console"


ABBREVIATIONS = {"dag": "DAG"}
"""Titles that are written in capitals where they begin a line."""


@dataclass(frozen=True, slots=True)
class Key:
    """One entry. `keys` are alternatives; `rank` is its turn in the footer, 0 never; `action` is Textual's."""

    id: str
    keys: tuple[str, ...]
    title: str
    scope: Scope
    category: Category
    action: str
    rank: int = 0
    help: str = ""

    @property
    def heading(self) -> str:
        """The title as it begins a line."""
        return ABBREVIATIONS.get(self.title, self.title.capitalize())

    @property
    def display(self) -> str:
        """The first key as it is printed on a keyboard."""
        return show_key(self.keys[0]) if self.keys else ""

    @property
    def every_display(self) -> str:
        """All keys, for the help screen."""
        return " ".join(show_key(key) for key in self.keys)


_A, _C = Scope, Category

KEYS: tuple[Key, ...] = (
    Key("go.home", ("1",), "home", _A.APP, _C.GO, "app.go('home')", 0, "What broke, and why"),
    Key("go.instances", ("2",), "instances", _A.APP, _C.GO, "app.go('instances')", 0, "Recurring instances"),
    Key("go.backfill", ("3",), "backfill", _A.APP, _C.GO, "app.go('backfill')", 0, "Submitted backfills, as a tree"),
    Key("go.tasks", ("4",), "tasks", _A.APP, _C.GO, "app.go('tasks')", 0, "Computing tasks"),
    Key("go.baselines", ("5",), "baselines", _A.APP, _C.GO, "app.go('baselines')", 0, "What was promised"),
    Key("go.queue", ("6",), "queue & holds", _A.APP, _C.GO, "app.go('queue')", 0, "What runs next; what is paused"),
    Key("go.records", ("7",), "records", _A.APP, _C.GO, "app.go('records')", 0, "The ledger of operations"),
    Key("app.help", ("?",), "help", _A.APP, _C.CONSOLE, "app.help", 98, "The keys that work here"),
    Key("app.palette", ("ctrl+p",), "palette", _A.APP, _C.CONSOLE, "app.palette", 0, "Every command by name"),
    Key("app.command", (":",), "command", _A.APP, _C.CONSOLE, "app.command_line", 0, "A screen, a verb or a query"),
    Key("app.environment", ("@",), "environment", _A.APP, _C.CONSOLE, "app.switch_environment", 0, "PROD or DEV"),
    Key("app.undo", ("z",), "undo", _A.APP, _C.ACT, "app.undo", 0, "Call off what is armed, or else plan the way back"),
    Key("app.peel", ("escape",), "back", _A.APP, _C.GO, "peel", 0, "One layer: dialog, range, marks, filter, back"),
    Key("app.back", ("q",), "back", _A.APP, _C.GO, "app.back", 97, "The screen before"),
    Key("app.last", ("-",), "last view", _A.APP, _C.GO, "app.last_view", 0, "The view left last"),
    Key("app.repaint", ("ctrl+l",), "repaint", _A.ALWAYS, _C.CONSOLE, "app.repaint", 0, "Draw the whole screen again"),
    Key("app.suspend", ("ctrl+z",), "suspend", _A.ALWAYS, _C.CONSOLE, "app.suspend_process", 0, "fg brings it back"),
    Key("app.quit", ("ctrl+q",), "quit", _A.ALWAYS, _C.CONSOLE, "app.quit", 99, "Leave the console"),
    Key("move.up", ("up", "k"), "up", _A.MOVE, _C.MOVE, "move('cursor_up')"),
    Key("move.down", ("down", "j"), "down", _A.MOVE, _C.MOVE, "move('cursor_down')"),
    Key(
        "move.left",
        ("left", "h"),
        "left",
        _A.MOVE,
        _C.MOVE,
        "move('column_left')",
        0,
        "A column to the left; in a tree, fold",
    ),
    Key(
        "move.right",
        ("right", "l"),
        "right",
        _A.MOVE,
        _C.MOVE,
        "move('column_right')",
        0,
        "A column to the right; in a tree, unfold",
    ),
    Key("move.page_up", ("pageup",), "page up", _A.MOVE, _C.MOVE, "move('page_up')"),
    Key("move.page_down", ("pagedown",), "page down", _A.MOVE, _C.MOVE, "move('page_down')"),
    Key("move.half_up", ("ctrl+u",), "half a page up", _A.MOVE, _C.MOVE, "move('half_page_up')"),
    Key("move.half_down", ("ctrl+d",), "half a page down", _A.MOVE, _C.MOVE, "move('half_page_down')"),
    Key("move.top", ("home", "g g"), "first row", _A.MOVE, _C.MOVE, "move('home')"),
    Key("move.bottom", ("end", "G"), "last row", _A.MOVE, _C.MOVE, "move('end')"),
    Key("list.open", ("enter",), "open", _A.LIST, _C.GO, "move('open')", 10, "Details of the row"),
    Key("list.filter", ("/",), "filter", _A.LIST, _C.LOOK, "filter", 20, "Filter by the query language, live"),
    Key("list.reset", ("0",), "default filter", _A.LIST, _C.LOOK, "reset_filter", 0, "Back to the default filter"),
    Key("list.sort", ("s",), "sort", _A.LIST, _C.LOOK, "sort", 30, "Sort by a column"),
    Key("list.columns", ("c",), "columns", _A.LIST, _C.LOOK, "columns", 40, "Choose the columns"),
    Key("list.width", ("w",), "width", _A.LIST, _C.LOOK, "move('toggle_width')", 0, "All columns, or those that fit"),
    Key("list.refresh", ("ctrl+r",), "refresh", _A.LIST, _C.LOOK, "refresh_list", 0, "Moved rows take their place"),
    Key("list.time", ("T",), "times", _A.LIST, _C.LOOK, "time_display", 0, "Project zone, UTC, local, age"),
    Key("mark.toggle", ("space",), "mark", _A.MARK, _C.MARK, "move('mark_and_step')", 15, "Mark the row and step down"),
    Key("mark.range", ("v",), "range", _A.LIST, _C.MARK, "move('range')", 0, "Begin a range, or mark it"),
    Key("mark.all", ("*",), "mark all", _A.MARK, _C.MARK, "move('mark_all')", 0, "Everything that matches the filter"),
    Key("mark.invert", ("~",), "invert", _A.MARK, _C.MARK, "move('invert_marks')", 0, "Swap marked and unmarked"),
    Key("mark.query", ("+",), "mark by query", _A.MARK, _C.MARK, "mark_query(True)"),
    Key("unmark.query", ("_",), "unmark by query", _A.MARK, _C.MARK, "mark_query(False)"),
    Key("mark.like", (",",), "mark alike", _A.MARK, _C.MARK, "move('mark_like')", 0, "Rows like this cell"),
    Key("mark.only", ("=",), "only marked", _A.LIST, _C.MARK, "move('only_marked')", 0, "Show only the marked rows"),
    Key("mark.previous", ("{",), "previous mark", _A.MARK, _C.MARK, "move('previous_mark')"),
    Key("mark.next", ("}",), "next mark", _A.MARK, _C.MARK, "move('next_mark')"),
    Key("tab.previous", ("[",), "tab left", _A.TABS, _C.GO, "tab(-1)"),
    Key("tab.next", ("]",), "tab right", _A.TABS, _C.GO, "tab(1)"),
    Key("instances.failed", ("!",), "failed", _A.INSTANCES, _C.LOOK, "quick('failed')", 50, "Only Failed"),
    Key("instances.mine", ("m",), "mine", _A.INSTANCES, _C.LOOK, "quick('mine')", 60, "Only my nodes"),
    Key("instances.incomplete", ("8",), "incomplete", _A.INSTANCES, _C.LOOK, "quick('incomplete')", 0, "Not finished"),
    Key("instances.paused", ("9",), "paused", _A.INSTANCES, _C.LOOK, "quick('paused')", 0, "Only paused"),
    Key("tasks.mine", ("m",), "mine", _A.TASKS, _C.LOOK, "quick('mine')", 60, "Only my tasks"),
    Key("tasks.paused", ("9",), "paused", _A.TASKS, _C.LOOK, "quick('paused')", 0, "Only paused tasks"),
    Key("tasks.dry_run", ("8",), "dry-run", _A.TASKS, _C.LOOK, "quick('dry_run')", 0, "Only dry-run tasks"),
    Key("tasks.instances", ("g i",), "its instances", _A.TASKS, _C.GO, "go_instances", 12, "The instances of the task"),
    Key("instance.log", ("o",), "log", _A.INSTANCE, _C.GO, "open_log", 12, "The run log"),
    Key("instance.explain", ("i",), "explain", _A.INSTANCE, _C.GO, "explain", 11, "Why it stands still"),
    Key("instance.record", ("g r",), "its record", _A.INSTANCE, _C.GO, "go_record", 0, "The last record it is in"),
    Key("selection.actions", (".",), "all", _A.SELECTION, _C.ACT, "actions", 14, "All actions of the row"),
    Key("pending.failed", ("!",), "failed", _A.SUBMISSIONS, _C.LOOK, "quick('failed')", 50, "Only failed submissions"),
    Key("pending.mine", ("m",), "mine", _A.SUBMISSIONS, _C.LOOK, "quick('mine')", 60, "Submitted by me"),
    Key("pending.paused", ("9",), "paused", _A.SUBMISSIONS, _C.LOOK, "quick('paused')", 0, "Only paused"),
    Key("pending.recurrence", ("t",), "recurrence", _A.SUBMISSIONS, _C.LOOK, "recurrences", 22, "Daily, weekly ..."),
    Key("pending.flows", ("g f",), "saved flows", _A.SUBMISSIONS, _C.GO, "flows", 23, "What makes periodic backfills"),
    Key("flows.open", ("enter",), "open", _A.FLOWS, _C.GO, "move('open')", 10, "What is asked for, each time"),
    Key("flows.time", ("T",), "times", _A.FLOWS, _C.LOOK, "time_display", 0, "Project zone, UTC, local, age"),
    Key("row.backfill", ("b",), "backfill", _A.START, _C.ACT, "backfill", 13, "Create a data backfill of its task"),
    Key("form.go", ("enter",), "create", _A.FORM, _C.ACT, "accept", 10, "Create it, when nothing is left to mend"),
    Key("form.next", ("tab", "down"), "next", _A.FORM, _C.MOVE, "step(1)", 11, "The next question"),
    Key("form.previous", ("shift+tab", "up"), "before", _A.FORM, _C.MOVE, "step(-1)", 0, "The question before"),
    Key("form.choice_after", ("space", "right"), "choose", _A.FORM, _C.ACT, "choose(1)", 12, "The next choice"),
    Key("form.choice_before", ("left",), "choice before", _A.FORM, _C.ACT, "choose(-1)"),
    Key("form.tasks", ("ctrl+t",), "tasks", _A.FORM, _C.LOOK, "downstream", 13, "See the tasks; let go of some"),
    Key("form.copy", ("y",), "copy command", _A.FORM, _C.CONSOLE, "copy", 14, "The same as a command"),
    Key("form.anew", ("ctrl+r",), "anew", _A.FORM, _C.ACT, "anew", 20, "Forget the draft, and begin anew"),
    Key("form.plan_up", ("pageup",), "plan up", _A.FORM, _C.MOVE, "scroll_plan(-1)", 0, "Flight plan, a page up"),
    Key("form.plan_down", ("pagedown",), "plan", _A.FORM, _C.MOVE, "scroll_plan(1)", 25, "Flight plan, a page down"),
    Key("form.help", ("f1",), "help", _A.FORM, _C.CONSOLE, "app.help", 30, "The keys that work here"),
    Key("form.leave", ("escape",), "leave", _A.FORM, _C.GO, "peel", 15, "Leave; the answers are kept as a draft"),
    Key("row.watch", ("W",), "watch", _A.WATCH, _C.LOOK, "watch", 0, "Ring, or run a command, when it ends"),
    Key("watched.open", ("g w",), "what is watched", _A.APP, _C.GO, "app.watched", 0, "What rings when it ends"),
    Key("watched.forget", ("W",), "watch no longer", _A.WATCHED, _C.LOOK, "unwatch", 20),
    Key("instances.export", ("X",), "export", _A.INSTANCES, _C.ACT, "export", 0, "Write a workbook of instances"),
    Key("record.retry", ("r",), "retry", _A.RECORDS, _C.ACT, "retry", 5, "Try again what fell short, and nothing else"),
    Key("backfill.failed", ("!",), "failed", _A.BACKFILL, _C.LOOK, "quick('failed')", 50, "Those of mine that failed"),
    Key("backfill.mine", ("m",), "mine", _A.BACKFILL, _C.LOOK, "quick('mine')", 60, "Submitted by me"),
    Key(
        "backfill.incomplete", ("8",), "incomplete", _A.BACKFILL, _C.LOOK, "quick('incomplete')", 61, "Mine, unfinished"
    ),
    Key(
        "backfill.search",
        ("\\",),
        "inside",
        _A.BACKFILL,
        _C.LOOK,
        "search_inside",
        21,
        "Which instances to list inside",
    ),
    Key("backfill.export", ("X",), "export", _A.BACKFILL, _C.ACT, "export", 0, "Write a workbook of their instances"),
    Key("backfill.statuses", ("t",), "statuses", _A.BACKFILL, _C.LOOK, "statuses", 22, "Of which statuses inside"),
    Key(
        "tree.unfold_all", (")",), "unfold all", _A.BACKFILL, _C.GO, "move('unfold_all')", 41, "All below the backfill"
    ),
    Key("tree.fold_all", ("(",), "fold all", _A.BACKFILL, _C.GO, "move('fold_all')", 42, "All below the backfill"),
    Key("instance.backfill", ("g b",), "its backfill", _A.INSTANCE, _C.GO, "go_backfill", 0, "Where it stands in it"),
    Key("instance.task", ("g t",), "its task", _A.INSTANCE, _C.GO, "go_task", 0, "The task of the instance"),
    Key("instance.gantt", ("g c",), "critical path", _A.INSTANCE, _C.GO, "gantt", 0, "A Gantt chart"),
    Key(
        "row.dag", ("d",), "dag", _A.GRAPH, _C.GO, "dag", 12, "What it hangs together with; in a DAG: around this node"
    ),
    Key(
        "dag.open",
        ("enter",),
        "open",
        _A.DAG,
        _C.GO,
        "move('open')",
        10,
        "Details of the node, or what is folded in it",
    ),
    Key("dag.search", ("/",), "search", _A.DAG, _C.LOOK, "search", 4, "To what is called so, live; Enter the next one"),
    Key("dag.up", ("<",), "level up", _A.DAG, _C.LOOK, "more(1, 0)", 2, "One level more upstream"),
    Key("dag.down", (">",), "level down", _A.DAG, _C.LOOK, "more(0, 1)", 2, "One level more downstream"),
    Key("dag.all_up", ("(",), "all up", _A.DAG, _C.LOOK, "all('up')", 0, "All levels upstream"),
    Key("dag.all_down", (")",), "all down", _A.DAG, _C.LOOK, "all('down')", 0, "All levels downstream"),
    Key("dag.fold", ("0",), "one level", _A.DAG, _C.LOOK, "fold_levels", 0, "Back to one level up and one down"),
    Key("dag.main", ("H",), "main node", _A.DAG, _C.MOVE, "main_node", 27, "Back to the main node"),
    Key(
        "dag.aggregate", ("A",), "aggregate", _A.DAG, _C.LOOK, "aggregate", 23, "By status, project, owner or priority"
    ),
    Key("dag.refresh", ("ctrl+r",), "refresh", _A.DAG, _C.LOOK, "refresh_picture", 0, "Read and lay out again"),
    Key("dag.time", ("T",), "times", _A.DAG, _C.LOOK, "time_display", 0, "Project zone, UTC, local, age"),
    Key("dag.failed", ("n",), "next failed", _A.INSTANCE_DAG, _C.MOVE, "failed(1)", 3, "To the next failed node"),
    Key("dag.failed_before", ("N",), "failed before", _A.INSTANCE_DAG, _C.MOVE, "failed(-1)"),
    Key(
        "dag.blocking",
        ("B",),
        "blocked by",
        _A.INSTANCE_DAG,
        _C.MOVE,
        "blocking",
        25,
        "To the start blocking node, or the next",
    ),
    Key(
        "dag.nodes",
        ("M",),
        "nodes",
        _A.INSTANCE_DAG,
        _C.LOOK,
        "toggle_nodes",
        26,
        "Materialization nodes of the table, or fold",
    ),
    Key("dag.all_nodes", ("g m",), "all nodes", _A.INSTANCE_DAG, _C.LOOK, "toggle_all_nodes", 0, "Of all tables"),
    Key("dag.critical", ("C",), "critical path", _A.INSTANCE_DAG, _C.GO, "gantt", 0, "A Gantt chart of the way to it"),
    Key("dag.date_before", ("[",), "date before", _A.INSTANCE_DAG, _C.GO, "date(-1)", 28, "The data timestamp before"),
    Key("dag.date_after", ("]",), "date after", _A.INSTANCE_DAG, _C.GO, "date(1)", 29, "The next data timestamp"),
    Key(
        "dag.export", ("X",), "export", _A.INSTANCE_DAG, _C.ACT, "export", 0, "Write a workbook of what is up and down"
    ),
    Key("gantt.ends", ("C",), "start or end", _A.GANTT, _C.LOOK, "choose_ends", 18, "Set the row as start or end"),
    Key("gantt.in", (">",), "zoom in", _A.GANTT, _C.LOOK, "zoom(0.5)", 31, "Half the time"),
    Key("gantt.out", ("<",), "zoom out", _A.GANTT, _C.LOOK, "zoom(2.0)", 32, "Twice the time"),
    Key("gantt.earlier", ("(",), "earlier", _A.GANTT, _C.LOOK, "pan(-0.25)", 33),
    Key("gantt.later", (")",), "later", _A.GANTT, _C.LOOK, "pan(0.25)", 34),
    Key("gantt.fit", ("H",), "whole path", _A.GANTT, _C.LOOK, "fit", 35, "Everything on the path in sight"),
    Key("baselines.open", ("enter",), "critical path", _A.BASELINES, _C.GO, "move('open')", 10, "What it waits for"),
    Key("baselines.broken", ("!",), "broken", _A.BASELINES, _C.LOOK, "quick('broken')", 20, "Only Broken"),
    Key("baselines.mine", ("m",), "mine", _A.BASELINES, _C.LOOK, "quick('mine')", 21, "An end task is mine"),
    Key("baselines.unfinished", ("8",), "unfinished", _A.BASELINES, _C.LOOK, "quick('unfinished')", 22, "Not done"),
    Key("baselines.earlier", ("[",), "day before", _A.BASELINES, _C.LOOK, "day(-1)", 30, "The data timestamp before"),
    Key("baselines.later", ("]",), "day after", _A.BASELINES, _C.LOOK, "day(1)", 31, "The data timestamp after"),
    Key("baselines.yesterday", ("0",), "yesterday", _A.BASELINES, _C.LOOK, "yesterday", 32, "Tonight's"),
    Key("baselines.time", ("T",), "times", _A.BASELINES, _C.LOOK, "time_display", 0, "Project zone, UTC, local, age"),
    Key("page.open", ("enter",), "open", _A.PAGE, _C.GO, "move('open')", 10, "Open the instance under the cursor"),
    Key("page.next_section", ("tab",), "next section", _A.PAGE, _C.MOVE, "section(1)"),
    Key("page.previous_section", ("shift+tab",), "section before", _A.PAGE, _C.MOVE, "section(-1)"),
    Key("page.time", ("T",), "times", _A.PAGE, _C.LOOK, "time_display", 0, "Project zone, UTC, local, age"),
    Key("log.follow", ("F",), "follow", _A.LOG, _C.LOOK, "move('toggle_follow')", 20, "Stay at the end while it grows"),
    Key("log.search", ("/",), "search", _A.LOG, _C.LOOK, "search", 10, "Search in the log"),
    Key("log.next", ("n",), "next hit", _A.LOG, _C.MOVE, "move('next_match')"),
    Key("log.previous", ("N",), "previous hit", _A.LOG, _C.MOVE, "move('previous_match')"),
    Key("log.next_error", ("e",), "next error", _A.LOG, _C.MOVE, "move('next_error')", 15),
    Key("log.previous_error", ("E",), "previous error", _A.LOG, _C.MOVE, "move('previous_error')"),
    Key("log.previous_attempt", ("[",), "attempt before", _A.LOG, _C.GO, "attempt(-1)", 30),
    Key("log.next_attempt", ("]",), "attempt after", _A.LOG, _C.GO, "attempt(1)", 31),
    Key("log.wrap", ("w",), "wrap", _A.LOG, _C.LOOK, "move('toggle_wrap')", 40),
    Key("log.time", ("T",), "timestamps", _A.LOG, _C.LOOK, "move('toggle_timestamps')"),
    Key("log.copy", ("y",), "copy", _A.LOG, _C.CONSOLE, "copy", 50, "Copy the line to the clipboard"),
    Key("log.save", ("ctrl+s",), "save", _A.LOG, _C.CONSOLE, "save", 60, "Write the log to a file"),
    Key("dialog.accept", ("enter",), "go", _A.DIALOG, _C.ACT, "accept", 10),
    Key("dialog.up", ("up",), "up", _A.DIALOG, _C.MOVE, "move('cursor_up')"),
    Key("dialog.down", ("down",), "down", _A.DIALOG, _C.MOVE, "move('cursor_down')"),
    Key("dialog.toggle", ("space",), "toggle", _A.DIALOG, _C.ACT, "toggle_row", 20),
    Key("dialog.cancel", ("escape",), "leave", _A.DIALOG, _C.GO, "cancel", 90),
    Key("dialog.page_up", ("pageup",), "page up", _A.DIALOG, _C.MOVE, "move('page_up')"),
    Key("dialog.page_down", ("pagedown",), "page down", _A.DIALOG, _C.MOVE, "move('page_down')"),
    Key("preview.choice_before", ("[",), "choice before", _A.PREVIEW, _C.ACT, "choose(-1)"),
    Key("preview.choice_after", ("]",), "next choice", _A.PREVIEW, _C.ACT, "choose(1)", 25),
    Key("preview.other", ("tab",), "acting / skipped", _A.PREVIEW, _C.LOOK, "other_list", 30),
    Key("preview.next", ("f",), "next question", _A.PREVIEW, _C.ACT, "next_question", 26),
    Key("preview.ask", ("e",), "answer", _A.PREVIEW, _C.ACT, "ask", 27, "Answer by typing, or from a list"),
    Key("preview.reason", ("n",), "reason", _A.PREVIEW, _C.ACT, "reason", 28, "Say why; kept with the record"),
    Key("preview.deselect", ("d",), "deselect them", _A.PREVIEW, _C.ACT, "deselect", 12),
    Key("preview.copy", ("y",), "copy command", _A.PREVIEW, _C.CONSOLE, "copy", 40),
    *(
        Key(f"preview.answer_{number}", (str(number),), f"choice {number}", _A.PREVIEW, _C.ACT, f"answer({number})")
        for number in range(1, 10)
    ),
)
"""All keys but those of the verbs, which the core's registry of operations names."""

_PAGE = (_A.ALWAYS, _A.APP, _A.MOVE)
_LIST = (_A.LIST, _A.MARK)
_ROW = (_A.INSTANCE, _A.VERB, _A.SELECTION, _A.WATCH, _A.START, _A.GRAPH)

STACKS: dict[str, tuple[Scope, ...]] = {
    "home": (*_PAGE, _A.PAGE, _A.GRAPH),
    "instances": (*_PAGE, *_LIST, _A.TABS, *_ROW, _A.INSTANCES),
    "backfill": (*_PAGE, *_LIST, _A.TABS, *_ROW, _A.FOLDER, _A.BACKFILL),
    "folder": (*_PAGE, _A.PAGE),
    "queue": (*_PAGE, *_LIST, _A.TABS, *_ROW),
    "gantt": (*_PAGE, *_LIST, *_ROW, _A.GANTT),
    "dag": (*_PAGE, _A.MARK, _A.DAG, *_ROW, _A.INSTANCE_DAG),
    "task_dag": (*_PAGE, _A.MARK, _A.DAG, _A.START, _A.GRAPH),
    "baselines": (*_PAGE, _A.BASELINES),
    "tasks": (*_PAGE, *_LIST, _A.TASKS, _A.START, _A.GRAPH),
    "records": (*_PAGE, *_LIST, _A.RECORDS),
    "record": (*_PAGE, _A.PAGE, _A.RECORDS),
    "instance": (*_PAGE, _A.PAGE, *_ROW),
    "explain": (*_PAGE, _A.PAGE, *_ROW),
    "task": (*_PAGE, _A.PAGE, _A.START, _A.GRAPH),
    "log": (*_PAGE, _A.LOG, _A.VERB, _A.SELECTION),
    "dialog": (_A.ALWAYS, _A.DIALOG),
    "pending": (*_PAGE, *_LIST, _A.TABS, _A.PENDING, _A.SELECTION, _A.WATCH, _A.SUBMISSIONS),
    "submission": (*_PAGE, _A.PAGE),
    "flows": (*_PAGE, _A.FLOW, _A.FLOWS),
    "backfill_form": (_A.ALWAYS, _A.FORM),
    "watched": (_A.ALWAYS, _A.DIALOG, _A.WATCHED),
    "actions": (_A.ALWAYS, _A.DIALOG, _A.VERB),
    "preview": (_A.ALWAYS, _A.DIALOG, _A.PREVIEW),
}
"""Which scopes each screen is under; a screen names its stack, and nothing else, to get its keys."""

NAMES: dict[str, str] = {
    "enter": "Enter",
    "escape": "Esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}
"""How keys with a name are printed on a keyboard."""


class Verb(Protocol):
    """What an operation must say of itself to get a key."""

    @property
    def name(self) -> str:
        """Its name, as on the command line."""

    @property
    def key(self) -> str:
        """Its key, or nothing."""

    @property
    def title(self) -> str:
        """Its title."""

    @property
    def help(self) -> str:
        """What it does, in a sentence."""

    @property
    def scopes(self) -> Collection[str]:
        """What it is asked of."""

    @property
    def on_folders(self) -> str:
        """The verb its key stands for on a folder, or nothing."""


OFTEN = 5
SELDOM: Mapping[str, int] = {
    "priority": 12,
    "force-rerun": 16,
    "remove-upstream": 26,
    "acknowledge": 27,
    "concurrency": 28,
    "exclude-dates": 29,
}
"""The turn of verbs in the footer: those of every night first, where there is room the others after the views."""


def show_key(key: str) -> str:
    """A key, or a sequence, as the operator reads it."""
    return " ".join(NAMES.get(step, step) for step in key.split())


def verb_keys(operations: Iterable[Verb]) -> tuple[Key, ...]:
    """The keys of the core's operations: one letter is one verb on every screen that shows instances.

    A verb that another one stands for on folders has that one's key.
    """
    every = tuple(operations)
    stood_for = {op.on_folders for op in every}
    return tuple(_verb_key(op) for op in every if op.name not in stood_for)


def _verb_key(op: Verb) -> Key:
    title, action = _WHOSE.sub("", op.name).replace("-", " "), f"verb('{op.name}')"
    scope = next(scope for kind, scope in _SCOPES.items() if kind in op.scopes)
    return Key(f"verb.{op.name}", (op.key,), title, scope, _C.ACT, action, SELDOM.get(op.name, OFTEN), op.help)


_WHOSE = re.compile("^(backfill|flow)-")
"""In the name of a verb what it is asked of; its key stands where that goes without saying."""

_SCOPES: Mapping[str, Scope] = {
    "instance": _A.VERB,
    "backfill": _A.FOLDER,
    "pending": _A.PENDING,
    "backfill_flow": _A.FLOW,
}
"""Where a verb has its key, by the first of what it is asked of."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A line of a keymap file that was left out, and why."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class Keymap:
    """The entries of a running console, with the operator's own keys put in."""

    def __init__(self, entries: Iterable[Key]) -> None:
        self.entries = tuple(entries)
        self._by_id = {entry.id: entry for entry in self.entries}

    def __getitem__(self, entry_id: str) -> Key:
        return self._by_id[entry_id]

    def on(self, stack: str) -> list[Key]:
        """The entries that work under a stack, in the order of the registry."""
        return [entry for entry in self.entries if entry.scope in STACKS[stack]]

    def bindings(self, stack: str) -> BindingsMap:
        """Textual's bindings of a stack; sequences are not among them."""
        return BindingsMap(
            Binding(textual_key(key), entry.action, entry.title, show=entry.rank > 0, id=entry.id)
            for entry in self.on(stack)
            for key in entry.keys
            if not _is_sequence(key)
        )

    def sequences(self, stack: str) -> dict[str, Key]:
        """The entries of a stack that take more than one key, by their keys."""
        return {key: entry for entry in self.on(stack) for key in entry.keys if _is_sequence(key)}

    def rebound(self, wanted: Mapping[str, Sequence[str]]) -> Keymap:
        """The same entries with other keys for some ids."""
        return Keymap(
            replace(entry, keys=tuple(wanted[entry.id])) if entry.id in wanted else entry for entry in self.entries
        )

    def clashes(self) -> list[Clash]:
        """Pairs of entries that want the same key in one stack, or of which one begins the other's sequence."""
        found = {
            (first.id, second.id): Clash((first, key), (second, other))
            for stack in STACKS
            for first, second in combinations(self.on(stack), 2)
            for key in first.keys
            for other in second.keys
            if _collide(key, other)
        }
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Clash:
    """Two entries, each with the key that stands in the other's way."""

    first: tuple[Key, str]
    second: tuple[Key, str]

    def blamed_on(self, wanted: Container[str]) -> tuple[str, str] | None:
        """The id of the entry whose wish is to be dropped, and why; None where nobody wished for it."""
        for (entry, key), (other, _) in ((self.first, self.second), (self.second, self.first)):
            if entry.id in wanted:
                return entry.id, f"{entry.id}: {show_key(key)} is taken by {other.id} ({other.title})"
        return None


def read_keymap(path: Path, keymap: Keymap) -> tuple[Keymap, list[Problem]]:
    """The keymap with the `[keys]` of a TOML file put in, and what was wrong with the file; no file changes nothing."""
    if not path.is_file():
        return keymap, []
    text = path.read_text(encoding="utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return keymap, [Problem(path, getattr(error, "lineno", 1), str(error))]
    strangers = (name for name in document if name != "keys")
    problems = [Problem(path, _line_of(text, name), f"no table [{name}]; use [keys]") for name in strangers]
    wanted: dict[str, Sequence[str]] = {}
    for entry_id, keys in document.get("keys", {}).items():
        message = _refuse(keymap, entry_id, keys)
        if message:
            problems.append(Problem(path, _line_of(text, entry_id), message))
        else:
            wanted[entry_id] = _as_keys(keys)
    while blamed := _first_blamed(keymap.rebound(wanted), wanted):
        entry_id, message = blamed
        del wanted[entry_id]
        problems.append(Problem(path, _line_of(text, entry_id), message))
    return keymap.rebound(wanted), problems


def _first_blamed(keymap: Keymap, wanted: Container[str]) -> tuple[str, str] | None:
    return next((blamed for clash in keymap.clashes() if (blamed := clash.blamed_on(wanted))), None)


def _refuse(keymap: Keymap, entry_id: str, keys: Any) -> str:
    """Why one line of a keymap file says nothing; empty when it does."""
    known = [entry.id for entry in keymap.entries]
    if entry_id not in known:
        near = get_close_matches(entry_id, known, 1)
        return f"no key is called {entry_id!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    return "" if _as_keys(keys) else f"{entry_id}: give a key, or a list of keys"


def _as_keys(keys: Any) -> tuple[str, ...]:
    listed = [keys] if isinstance(keys, str) else keys
    good = isinstance(listed, list) and all(isinstance(key, str) and key.strip() for key in listed)
    return tuple(key.strip() for key in listed) if good else ()


def _line_of(text: str, name: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1) if name in line), 1)


def textual_key(key: str) -> str:
    """The name Textual gives to a key of the registry."""
    return _character_to_key(key) if len(key) == 1 else key


def _is_sequence(key: str) -> bool:
    return len(key.split()) > 1


def _collide(key: str, other: str) -> bool:
    first, second = key.split(), other.split()
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]
