"""Computing tasks: the definitions behind the instances (RULES.md 16), on the same list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from textual import on
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.domain.definitions import Method, Priority
from dpconsole.core.services import ListKind, TaskRow
from dpconsole.screens.asking import GoTo, OpenTask, OpenTaskDag
from dpconsole.screens.instance_columns import project_cell
from dpconsole.screens.instance_rows import quoted
from dpconsole.screens.listing import ListScreen
from dpconsole.screens.session import Session
from dpconsole.screens.starting import Start, Starts
from dpconsole.screens.times import show_moment
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.line import Line
from dpconsole.widgets.row_table import RowTable, Sort

METHOD_INKS: dict[str, Ink] = {Method.PAUSED: Ink.WARNING, Method.DRY_RUN: Ink.ACCENT}


def _words(value: str) -> str:
    """An enum's value as the operator reads it."""
    return value.replace("_", " ")


def _method(row: TaskRow) -> Cell:
    return [(_words(row.method), METHOD_INKS.get(row.method, Ink.PLAIN))]


def _modified(session: Session, value: Callable[[TaskRow], int]) -> Callable[[TaskRow], Cell]:
    return lambda row: show_moment(value(row), session.times, session.services.zone, session.now)


def task_columns(session: Session) -> tuple[Column, ...]:
    """Every column of the task list."""
    return (
        Column("name", "Task", 30, lambda row: row.name, min_width=16, flex=3, sortable=True),
        Column("id", "Task ID", 34, lambda row: row.key, priority=16, min_width=16, sortable=True),
        Column("project", "Project", 20, project_cell, priority=3, min_width=8, sortable=True),
        Column("type", "Type", 14, lambda row: _words(row.type), priority=2, min_width=10),
        Column("method", "Method", 8, _method, priority=1, sortable=True),
        Column("cycle", "Cycle", 6, lambda row: row.cycle, sortable=True),
        Column("schedule", "Schedule", 24, lambda row: row.schedule, priority=4, min_width=12, flex=1),
        Column("prio", "Prio", 8, lambda row: Priority.of(row.priority).capitalize(), priority=7, sortable=True),
        Column("owner", "Dev owner", 10, lambda row: row.owner, priority=5, min_width=6, sortable=True),
        Column("opowner", "Op owner", 10, lambda row: row.operation_owner, priority=8, min_width=6),
        Column("upstreams", "Up", 4, lambda row: str(row.upstreams), "right", priority=9),
        Column("downstreams", "Down", 4, lambda row: str(row.downstreams), "right", priority=10),
        Column("modified", "Modified", 11, _modified(session, lambda row: row.modified_at), "right", 11, True),
        Column("status", "Task status", 10, lambda row: row.status, priority=12),
        Column("submit", "Last submission", 20, lambda row: _words(row.submit_status), priority=17),
        Column("published", "Published", 9, lambda row: {True: "yes", False: "no"}[row.published], priority=18),
        Column("lock", "Lock", 10, lambda row: row.lock_holder or "-", priority=15),
        Column("tag", "Tags", 16, lambda row: ", ".join(row.tags), priority=13, min_width=8),
        Column("folder", "Folder", 20, lambda row: row.folder, priority=14, min_width=8),
        Column("table", "Output table", 22, lambda row: row.output_table, priority=19, min_width=10),
        Column("template", "Template", 14, lambda row: row.template, priority=20),
        Column("created", "Created", 11, _modified(session, lambda row: row.created_at), "right", 21, True),
    )


class TasksScreen(Starts, ListScreen):
    """The list of computing tasks."""

    stack = "tasks"
    title_words = "Computing tasks"
    kind = ListKind.TASKS
    table_name = "task"
    placeholder = "everything - for instance: method:paused owner:me project:trade"
    default_sort: ClassVar[Sort] = Sort("name")
    settled_sorts = frozenset({"name", "created"})
    like_terms: ClassVar[Mapping[str, Callable[[Any], str]]] = {
        "name": lambda row: f"name={quoted(row.name)}",
        "project": lambda row: f"project:{quoted(row.project)}",
        "type": lambda row: f"type:{row.type}",
        "method": lambda row: f"method:{row.method}",
        "cycle": lambda row: f"cycle:{row.cycle}",
        "prio": lambda row: f"prio:{Priority.of(row.priority)}",
        "owner": lambda row: f"owner:{quoted(row.owner)}",
        "opowner": lambda row: f"opowner:{quoted(row.operation_owner)}",
        "folder": lambda row: f"folder={quoted(row.folder)}",
    }

    def __init__(self, session: Session, query: str | None = None) -> None:
        super().__init__(session, query)
        self.count_line = Line()

    @override
    def every_column(self) -> tuple[Column, ...]:
        return task_columns(self.session)

    @override
    def body(self) -> Iterable[Widget]:
        yield self.count_line
        yield from super().body()

    @override
    def show_count(self, words: str) -> None:
        self.count_line.show([("Offline tasks", Ink.DIM)], words)

    @on(RowTable.Opened)
    def _open(self, _message: RowTable.Opened) -> None:
        if self.row is not None:
            self.app.post_message(OpenTask(self.row.key))

    @override
    def start(self) -> Start:
        marks = self.table.targets()
        ids = self.table.ids if marks.everything else marks.ids
        return Start(ListKind.TASKS, [id for id in ids if id in marks])

    def action_go_instances(self) -> None:
        """The recurring instances of the task under the cursor."""
        if self.row is not None:
            listing = "modeling" if self.row.kind else "computing"
            self.app.post_message(GoTo("instances", f"task:{quoted(self.row.key)}", listing))

    def action_dag(self) -> None:
        """What the task under the cursor hangs together with."""
        if self.row is not None:
            self.app.post_message(OpenTaskDag(self.row.key))

    @property
    def row(self) -> TaskRow | None:
        """The task under the cursor."""
        return self.table.cursor_row  # type: ignore[return-value]
