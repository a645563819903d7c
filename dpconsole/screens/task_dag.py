"""The DAG of a task: what it waits for, and what waits for it, by definition (RULES.md 15)."""

from __future__ import annotations

from typing_extensions import override

from dpconsole.core.services import (
    Delta,
    Grouping,
    ListKind,
    Window,
    WindowNode,
)
from dpconsole.screens.asking import OpenTask
from dpconsole.screens.dag import Asked, DagScreen
from dpconsole.screens.starting import Start, Starts
from dpconsole.widgets.ink import Cell, Ink


class TaskDagScreen(Starts, DagScreen):
    """The picture around a task: what it waits for, and what waits for it, by definition."""

    stack = "task_dag"
    title_words = "Task DAG"
    kind = ListKind.TASKS
    groupings = tuple(by for by in Grouping if by is not Grouping.STATUS)

    @override
    def read(self, asked: Asked) -> Window | None:
        return self.services.task_window(asked.main, asked.up, asked.down)

    @override
    def hover_cell(self, node: WindowNode) -> Cell:
        method = "paused" if node.paused else "dry-run" if node.dry_run else ""
        facts = (node.type.replace("_", " "), node.cycle, node.owner, method)
        return [(f"{node.name}  ", Ink.STRONG), ("  ".join(filter(None, facts)), Ink.PLAIN)]

    @override
    def hover_note(self, node: WindowNode) -> Cell:
        return [(node.project, Ink.DIM)]

    @override
    def take(self, delta: Delta) -> None:
        if delta.everything or delta.ids.get("task"):
            self._is_stale = True
            self.refresh_keys()

    @override
    def start(self) -> Start:
        nodes = self.picture.window.nodes if self.picture else {}
        ids = self.view.marks.ids or (self.picture.box(self.here).members if self.picture else ())
        return Start(keys=[nodes[id].key for id in ids if id in nodes])

    @override
    def open_node(self, node: WindowNode) -> None:
        self.app.post_message(OpenTask(node.key))

    def action_dag(self) -> None:
        """Make the task in focus the main one."""
        node = self.focused_node
        if node is not None and node.key != self.asked.main:
            self.look(Asked(node.key), wanted=node.id)
