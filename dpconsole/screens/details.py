"""Everything about one instance, or one task, on one page; its neighbours, attempts and records open from there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from textual import on
from textual.message import Message
from typing_extensions import override

from dpconsole.core.domain.definitions import Dependency, Priority, Task, UpstreamKind
from dpconsole.core.services import (
    AttemptRow,
    Delta,
    FieldRow,
    InstanceDetail,
    InstanceRow,
    ListKind,
    ListRequest,
    Neighbour,
    NodeRow,
    OperationRow,
    TaskRow,
    TransitionRow,
)
from dpconsole.screens.asking import GoTo, OpenInstance, OpenLog, OpenRecord, OpenTask, OpenTaskDag
from dpconsole.screens.instance_columns import instance_name, priority_cell, project_cell, running_status_cell
from dpconsole.screens.instance_rows import quoted
from dpconsole.screens.pages import BLANK, Grid, Line, PageScreen, facts, heading
from dpconsole.screens.session import Session
from dpconsole.screens.starting import Start, Starts
from dpconsole.screens.times import show_moment, show_stamp, show_took
from dpconsole.screens.verbs import Verbs
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.status import status_cell

NEIGHBOURS = Grid((26, 20, 10, 11), ("left", "left", "left", "right"))
ATTEMPTS = Grid((2, 8, 8, 19, 9), ("right", "left", "left", "left", "right"))
JOURNAL = Grid((19, 26, 10, 8))
DONE_TO_IT = Grid((19, 12, 10, 8))
FIELDS = Grid((22, 11, 20))
NODES = Grid((22, 11, 20, 7), ("left", "left", "left", "right"))
TASKS = Grid((44, 10, 10))

ENDED_BADLY = frozenset({"failed", "timeout", "lost", "stopped"})
"""States of an attempt that did not do its work."""

ENGINE = "engine"
"""Who an unnamed actor of the journal is."""

JOURNAL_SHOWN = 100
"""Entries of the journal on the page, the newest first."""


def _titles(grid: Grid, *titles: str) -> Line:
    """The line above the rows of a grid."""
    return Line([(text, Ink.DIM) for text, _ in grid.row(*titles)])


def _sections(*sections: Iterable[Line]) -> Iterator[Line]:
    """The sections that have lines, a blank line between them."""
    begun = False
    for section in map(tuple, sections):
        if section:
            yield from (BLANK,) * begun
            yield from section
            begun = True


class InstanceScreen(Verbs, PageScreen):
    """The details of an instance, live."""

    stack = "instance"
    title_words = "Instance"

    class Read(Message):
        """What was read; the verbs of the screen need it."""

        def __init__(self, detail: InstanceDetail | None) -> None:
            self.detail = detail
            super().__init__()

    def __init__(self, session: Session, instance_id: int) -> None:
        self.instance_id = instance_id
        self.detail: InstanceDetail | None = None
        super().__init__(session)

    @property
    @override
    def page_title(self) -> str:
        return f"{instance_name(self.detail.row)}   {self.detail.row.key}" if self.detail else ""

    @property
    @override
    def row(self) -> InstanceRow | None:
        return self.detail.row if self.detail else None

    @override
    def build(self, width: int) -> Iterable[Line]:
        detail = self.services.lists.detail(self.instance_id)
        self.post_message(self.Read(detail))
        if detail is None:
            return [Line([("This instance is no longer there.", Ink.WARNING)])]
        return _sections(
            self._state_lines(detail.row),
            facts(self._facts(detail.row), width),
            self._field_lines(detail.fields),
            self._node_lines(detail.nodes),
            self._attempt_lines(detail.attempts),
            self._neighbour_lines("Upstreams", detail.upstreams, detail.vacuous),
            self._neighbour_lines("Downstreams", detail.downstreams, ()),
            self._operation_lines(detail.operations),
            self._journal_lines(detail.transitions),
        )

    @on(Read)
    def _keep(self, message: Read) -> None:
        self.detail = message.detail
        self.refresh_keys()

    @override
    def take(self, delta: Delta) -> None:
        if self.detail is None or delta.everything:
            self.rebuild()
            return
        around = {self.instance_id, *(one.id for one in (*self.detail.upstreams, *self.detail.downstreams))}
        around.update(node.id for node in self.detail.nodes)
        if around & delta.ids.get("instance", frozenset()):
            self.rebuild()

    # The page

    def _state_lines(self, row: InstanceRow) -> Iterator[Line]:
        why = self.services.why(self.instance_id)
        yield Line([*running_status_cell(row), (f"   {why}" if why else "", Ink.PLAIN)])

    def _facts(self, row: InstanceRow) -> Iterator[tuple[str, Cell]]:
        yield "Data timestamp", row.business_date
        yield "Task", row.task
        yield "Cycle", row.cycle
        yield "Project", project_cell(row)
        yield "Owner", row.owner
        yield "Priority", priority_cell(row)
        yield "Due", self._stamp(row.due_at)
        yield "Origin", f"{row.origin}, {row.environment}" + (f", {row.backfill}" if row.backfill else "")
        yield "Start", self._stamp(row.started_at)
        yield "End", self._stamp(row.ended_at)
        yield "Took", show_took(row.started_at, row.ended_at, self.session.now)
        yield "Retries", row.retries
        yield "Resource group", row.resource_group
        yield "Baselines", ", ".join(row.baselines)
        yield "Type", row.type.replace("_", " ")
        yield "Tags", ", ".join(row.tags)
        yield "Marks", ", ".join(_flags(row))

    def _field_lines(self, fields: Sequence[FieldRow]) -> Iterator[Line]:
        if not fields:
            return
        yield heading("Fields", f"{len(fields)}")
        yield _titles(FIELDS, "field", "type", "status", "nodes")
        for field in fields:
            status: Cell = "-"
            if field.status:
                status = status_cell(field.status, paused=field.paused, width=FIELDS.widths[2])
            name = f"{field.name} (key)" if field.is_key else field.name
            yield Line(FIELDS.row(name, field.type, status, ", ".join(field.nodes)))

    def _node_lines(self, nodes: Sequence[NodeRow]) -> Iterator[Line]:
        if not nodes:
            return
        yield heading("Materialization nodes", f"{len(nodes)}")
        yield _titles(NODES, "node", "start", "status", "took", "fields")
        for node in nodes:
            took = show_took(node.started_at, node.ended_at, self.session.now)
            status = status_cell(node.status, paused=node.paused, width=NODES.widths[2])
            start = self._moment(node.started_at)
            said: Cell = [(", ".join(node.fields), Ink.PLAIN), (f"   {node.error}", Ink.ERROR)]
            yield Line(NODES.row(node.name, start, status, took, said), OpenInstance(node.id))

    def _attempt_lines(self, attempts: Sequence[AttemptRow]) -> Iterator[Line]:
        if not attempts:
            return
        yield heading("Attempts", f"{len(attempts)}")
        yield _titles(ATTEMPTS, "#", "state", "by", "start", "took", "exit")
        for attempt in reversed(attempts):
            bad = attempt.state in ENDED_BADLY
            took = show_took(attempt.started_at or attempt.dispatched_at, attempt.ended_at, self.session.now)
            code = "" if attempt.exit_code is None else f"{attempt.exit_code}  "
            state: Cell = [(attempt.state, Ink.FAILED if bad else Ink.PLAIN)]
            rest = f"{code}{attempt.node + '  ' if attempt.node else ''}{attempt.why}"
            start = self._stamp(attempt.started_at or attempt.dispatched_at)
            cell = ATTEMPTS.row(str(attempt.number), state, attempt.trigger, start, took, rest)
            yield Line(cell, OpenLog(attempt.instance_id, attempt.number))

    def _neighbour_lines(self, title: str, neighbours: Sequence[Neighbour], vacuous: Sequence[str]) -> Iterator[Line]:
        if not neighbours and not vacuous:
            return
        yield heading(title, f"{len(neighbours)}")
        for one in neighbours:
            notes = [f"fields {', '.join(one.fields)}"] * bool(one.fields) + ["any one node will do"] * one.alternative
            due = show_moment(one.due_at, self.session.times, self.services.zone, self.session.now)
            status = status_cell(one.status, paused=one.paused, width=NEIGHBOURS.widths[1])
            cell = NEIGHBOURS.row(one.name, status, one.business_date, due, [("; ".join(notes), Ink.DIM)])
            yield Line(cell, OpenInstance(one.id))
        for key in vacuous:
            note: Cell = [("had no instance for this one: counts as succeeded", Ink.WARNING)]
            yield Line(NEIGHBOURS.row(key, note), OpenTask(key))

    def _operation_lines(self, operations: Sequence[OperationRow]) -> Iterator[Line]:
        if not operations:
            return
        yield heading("Operations", f"{len(operations)}")
        for one in reversed(operations):
            said = " - ".join(words for words in (one.refusal, one.reason) if words)
            cell = DONE_TO_IT.row(self._stamp(one.at), one.verb, one.actor, one.outcome, said)
            yield Line(cell, OpenRecord(one.key))

    def _journal_lines(self, transitions: Sequence[TransitionRow]) -> Iterator[Line]:
        if not transitions:
            return
        yield heading("Changes of status", f"{len(transitions)}")
        for one in reversed(transitions[-JOURNAL_SHOWN:]):
            actor: Cell = [(one.actor or ENGINE, Ink.PLAIN if one.actor else Ink.DIM)]
            attempt = f"attempt {one.attempt}" if one.attempt else ""
            yield Line(JOURNAL.row(self._stamp(one.at), status_cell(one.after), one.cause, actor, attempt))

    def _stamp(self, ms: int | None) -> str:
        return show_stamp(ms, self.session.times, self.services.zone, self.session.now)

    def _moment(self, ms: int | None) -> str:
        return show_moment(ms, self.session.times, self.services.zone, self.session.now)

    # From here

    def action_open_log(self) -> None:
        """The run log of the instance."""
        self.app.post_message(OpenLog(self.instance_id))

    def action_go_task(self) -> None:
        """The task of the instance."""
        if self.row is not None:
            self.app.post_message(OpenTask(self.row.task))


def _flags(row: InstanceRow) -> Iterator[str]:
    """What the letters beside the name stand for."""
    told = {
        "paused": row.paused,
        "dry-run": row.dry_run,
        "last run forced": row.forced,
        "set to success by hand": row.set_by_hand,
    }
    yield from (words for words, holds in told.items() if holds)


class TaskScreen(Starts, PageScreen):
    """The details of a task: its definition, and the tasks around it."""

    stack = "task"
    title_words = "Computing task"

    def __init__(self, session: Session, key: str) -> None:
        self.key = key
        super().__init__(session)

    @override
    def start(self) -> Start:
        return Start(keys=[self.key])

    @property
    @override
    def page_title(self) -> str:
        return self.key

    @override
    def build(self, width: int) -> Iterable[Line]:
        stored = self.services.task(self.key)
        if stored is None:
            return [Line([("This task is no longer there.", Ink.WARNING)])]
        row = self.services.lists.rows(ListKind.TASKS, [stored.id])[0]
        return _sections(
            [Line([(row.description or row.name, Ink.STRONG)])],
            facts(self._facts(row, stored.task), width),
            _parameters(stored.task),
            _tables(stored.task),
            _dependencies(stored.task),
            self._downstreams(),
            [Line([("Its instances", Ink.ACCENT)], _instances_of(row))],
        )

    @override
    def take(self, delta: Delta) -> None:
        if delta.everything or delta.ids.get("task"):
            self.rebuild()

    def _facts(self, row: TaskRow, task: Task) -> Iterator[tuple[str, Cell]]:
        yield "Project", project_cell(row)
        yield "Type", row.type.replace("_", " ")
        yield "Method", row.method.replace("_", " ")
        yield "Schedule", row.schedule
        yield "Priority", Priority.of(row.priority).capitalize()
        yield "Dev owner", row.owner
        yield "Op owner", row.operation_owner
        yield "Folder", row.folder
        yield "Output table", row.output_table
        yield "Template", row.template
        yield "Tags", ", ".join(row.tags)
        yield "Task status", f"{row.status}, {'published' if row.published else 'not published'}"
        yield "Submission", row.submit_status.replace("_", " ")
        yield "Lock", row.lock_holder or ""
        yield "Command", " ".join(task.run.command)
        yield "Timeout", f"{task.run.timeout / 3600:g} h"
        yield "Automatic reruns", f"{task.run.reruns}, after {task.run.rerun_interval:g} s"
        yield "Resource group", task.run.resource_group
        yield "Created", show_stamp(row.created_at, self.session.times, self.services.zone, self.session.now)
        yield "Modified", show_stamp(row.modified_at, self.session.times, self.services.zone, self.session.now)

    def _downstreams(self) -> Iterator[Line]:
        below = self.services.lists.snapshot(ListRequest(ListKind.TASKS, text=f"{quoted(self.key)}+1"))
        rows = [row for row in self.services.lists.rows(ListKind.TASKS, below.ids) if row.key != self.key]
        if rows:
            yield heading("Downstreams", f"{len(rows)}")
            yield from (Line(TASKS.row(row.key, row.cycle, row.owner), OpenTask(row.key)) for row in rows)

    def action_dag(self) -> None:
        """What the task hangs together with."""
        self.app.post_message(OpenTaskDag(self.key))

    def action_go_instances(self) -> None:
        """Its recurring instances."""
        self.app.post_message(GoTo("instances", f"task:{quoted(self.key)}"))


def _instances_of(row: TaskRow) -> GoTo:
    return GoTo("instances", f"task:{quoted(row.key)}", "modeling" if row.kind else "computing")


def _parameters(task: Task) -> Iterator[Line]:
    if task.parameters:
        yield heading("Parameters", f"{len(task.parameters)}")
        yield from (Line(FIELDS.row(name, value)) for name, value in task.parameters)


def _tables(task: Task) -> Iterator[Line]:
    if task.nodes:
        yield heading(f"{task.kind or ''} logical table".strip().capitalize(), f"{len(task.fields)} fields")
        yield from (Line(FIELDS.row(node.name, "node", ", ".join(node.fields))) for node in task.nodes)


def _dependencies(task: Task) -> Iterator[Line]:
    declared = [*task.depends_on, *(one for node in task.nodes for one in node.depends_on)]
    if declared:
        yield heading("Upstreams", f"{len(declared)}")
        yield from map(_dependency, declared)


def _dependency(one: Dependency) -> Line:
    name = one.task or one.node or one.kind.value
    cycle = one.cycle.replace("_", " ") if one.cycle else "default"
    policy = one.policy.value if one.policy else "default"
    notes = [f"fields {', '.join(one.fields)}"] * bool(one.fields) + ["switched off"] * (not one.enabled)
    opens = OpenTask(one.task) if one.kind is UpstreamKind.TASK else None
    return Line(TASKS.row(name, cycle, policy, [("; ".join(notes), Ink.DIM)]), opens)
