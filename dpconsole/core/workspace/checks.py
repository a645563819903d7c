"""What has to hold between the definitions of a workspace, whichever of its files they stand in.

Each check walks the tasks and yields what is wrong with which of them; the checks are the rows of `CHECKS`. Names that
another load brought in already are passed as known, so that a file may refer to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

from dpconsole.core.domain.definitions import (
    Dependency,
    DependencyCycle,
    Task,
    TaskType,
    UpstreamKind,
)
from dpconsole.core.workspace.cycles import dependency_cycles, is_current, label
from dpconsole.core.workspace.documents import Document, Finding, Loc
from dpconsole.core.workspace.instance_cycles import InstanceCycle, instance_cycles
from dpconsole.core.workspace.problems import did_you_mean, shown

MOST_RULES = 50
"""Throttling rules of one database (section 11.1)."""

MOST_GUESSES = 100
"""Unknown names that get the nearest known one for a hint; more of them are a missing file, no typing mistakes."""

MOST_STEPS = 12
"""Instances of a circle that are told; of a longer one those in the middle are counted."""

Fault = tuple[Document, Finding]
"""Something wrong, and the document it is wrong in."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A definition, where it stands, and which of its keys were already refused, so that they are not judged twice."""

    definition: Any
    document: Document
    loc: Loc
    damaged: frozenset[str] = frozenset()

    def fault(self, *loc: int | str, reason: str, hint: str = "") -> Fault:
        """Something wrong at `loc` of this definition."""
        return self.document, Finding((*self.loc, *loc), reason, hint)


@dataclass(frozen=True)
class Scope:
    """The definitions of a load by the part they stand in, and every name there is, known ones included."""

    entries: dict[str, list[Entry]]
    tasks: Collection[str]
    projects: Collection[str]
    groups: Collection[str]
    is_whole: bool = True
    """Whether every file could be read; of one that could not, nobody knows what names it holds."""
    _guesses: Iterator[int] = field(default_factory=count)

    @cached_property
    def by_id(self) -> dict[str, Task]:
        """The tasks of this load."""
        return {entry.definition.id: entry.definition for entry in self.entries["tasks"]}

    def lacks(self, word: str, known: Collection[str]) -> bool:
        """Whether nothing has this name."""
        return self.is_whole and word not in known

    def unknown(self, word: str, what: str, known: Iterable[str], where: str = "") -> dict[str, str]:
        """The reason and the hint for a name that nothing has."""
        hint = did_you_mean(word, known) if next(self._guesses) < MOST_GUESSES else ""
        return {"reason": f"unknown {what} {shown(word)}{where}", "hint": hint}


def find_faults(scope: Scope) -> Iterator[Fault]:
    """Everything that does not hold, check by check."""
    for part, checks in CHECKS.items():
        for check in checks:
            for entry in scope.entries[part]:
                yield from check(entry, scope)
    yield from _too_many_rules(scope)
    yield from _cycles(scope)


def _project_name(entry: Entry, scope: Scope) -> Iterator[Fault]:
    name = entry.definition.name
    if not name.strip() or "." in name:
        yield entry.fault(reason=f"{shown(name)} is no project name", hint="the id of a task is project.name")


def _projects(entry: Entry, scope: Scope) -> Iterator[Fault]:
    project = entry.definition.project
    if scope.lacks(project, scope.projects):
        yield entry.fault("id", **scope.unknown(project, "project", scope.projects))


def _resource_group(entry: Entry, scope: Scope) -> Iterator[Fault]:
    group = entry.definition.run.resource_group
    if scope.lacks(group, scope.groups):
        yield entry.fault("run", "resource_group", **scope.unknown(group, "resource group", scope.groups))


def _dependencies(task: Task) -> Iterator[tuple[Loc, Dependency]]:
    """Every dependency of a task and of its nodes, with its place."""
    for index, dependency in enumerate(task.depends_on):
        yield ("depends_on", index), dependency
    for number, node in enumerate(task.nodes):
        for index, dependency in enumerate(node.depends_on):
            yield ("nodes", number, "depends_on", index), dependency


def _upstreams(entry: Entry, scope: Scope) -> Iterator[Fault]:
    for loc, dependency in _dependencies(entry.definition):
        if dependency.kind is UpstreamKind.TASK and scope.lacks(dependency.task, scope.tasks):
            yield entry.fault(*loc, "task", **scope.unknown(dependency.task, "upstream", scope.tasks))


def _self_dependencies(entry: Entry, scope: Scope) -> Iterator[Fault]:
    for loc, dependency in _dependencies(entry.definition):
        if dependency.enabled and _waits_for_itself(entry.definition, loc, dependency):
            yield entry.fault(*loc, reason="a self-dependency on the current cycle never ends", hint=_EARLIER)


_EARLIER = "depend on an earlier one: {task: self, cycle: previous}"


def _waits_for_itself(task: Task, loc: Loc, dependency: Dependency) -> bool:
    if dependency.kind is UpstreamKind.SELF:
        return dependency.cycle is DependencyCycle.CURRENT
    if not is_current(dependency):
        return False
    if dependency.kind is UpstreamKind.TASK:
        return dependency.task == task.id and not dependency.fields
    return loc[0] == "nodes" and task.nodes[int(loc[1])].name == dependency.node


def _siblings(entry: Entry, scope: Scope) -> Iterator[Fault]:
    task = entry.definition
    names = [node.name for node in task.nodes]
    for loc, dependency in _dependencies(task):
        if dependency.kind is not UpstreamKind.NODE or "nodes" in entry.damaged:
            continue
        if loc[0] != "nodes":
            reason, hint = "only a node of a logical table has siblings", "name a task"
            yield entry.fault(*loc, "node", reason=reason, hint=hint)
        elif dependency.node not in names:
            yield entry.fault(*loc, "node", **scope.unknown(dependency.node, "node", names))


def _upstream_fields(entry: Entry, scope: Scope) -> Iterator[Fault]:
    for loc, dependency in _dependencies(entry.definition):
        upstream = scope.by_id.get(dependency.task)
        if upstream is None or not dependency.fields:
            continue
        if upstream.type is not TaskType.LOGICAL_TABLE:
            reason = f"{shown(upstream.id)} is no logical table and has no fields"
            yield entry.fault(*loc, "fields", reason=reason)
            continue
        names = [column.name for column in upstream.fields]
        for index, name in enumerate(dependency.fields):
            if name not in names:
                yield entry.fault(
                    *loc, "fields", index, **scope.unknown(name, "field", names, f" of {shown(upstream.id)}")
                )


def _table(entry: Entry, scope: Scope) -> Iterator[Fault]:
    """A node produces at least one field, and every field is produced by at least one node (section 9.1)."""
    task = entry.definition
    if task.type is not TaskType.LOGICAL_TABLE or entry.damaged & {"fields", "nodes"}:
        return
    for part, items in (("fields", task.fields), ("nodes", task.nodes)):
        if not items:
            yield entry.fault(part, reason=f"a logical table needs {part}")
        yield from _twice(entry, part, [item.name for item in items])
    if task.fields and task.nodes:
        yield from _coverage(entry, scope)


def _twice(entry: Entry, part: str, names: list[str]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if first.setdefault(name, index) != index:
            line = entry.document.locate((*entry.loc, part, first[name]))[1].line
            yield entry.fault(part, index, "name", reason=f"duplicate name {shown(name)}", hint=f"first on line {line}")


def _coverage(entry: Entry, scope: Scope) -> Iterator[Fault]:
    task = entry.definition
    names = [column.name for column in task.fields]
    produced = Counter(name for node in task.nodes for name in node.fields)
    for number, node in enumerate(task.nodes):
        if not node.fields:
            yield entry.fault(
                "nodes", number, "fields", reason=f"the node {shown(node.name)} is empty: it has no fields"
            )
        for index, name in enumerate(node.fields):
            if name not in names:
                yield entry.fault("nodes", number, "fields", index, **scope.unknown(name, "field", names))
    for index, name in enumerate(names):
        if name not in produced:
            yield entry.fault("fields", index, reason=f"the field {shown(name)} is in no node", hint="add it to a node")


def _cycles(scope: Scope) -> Iterator[Fault]:
    entries = {entry.definition.id: entry for entry in scope.entries["tasks"]}
    circles = dependency_cycles(scope.by_id.values())
    for circle in circles:
        if len(circle) > 2:
            path = " -> ".join(label(executable) for executable in circle)
            entry = entries[circle[0][0]]
            yield entry.fault(*_waiting_part(entry, circle[0][1]), reason=f"dependency cycle: {path}")
    timed = [entry.definition for entry in entries.values() if "schedule" not in entry.damaged]
    for found in instance_cycles(timed, {executable for circle in circles for executable in circle}):
        yield _instance_cycle(entries[found.task], found)


def _waiting_part(entry: Entry, node: str) -> Loc:
    """Where the first one of a circle says what it waits for."""
    for number, each in enumerate(entry.definition.nodes):
        if each.name == node and each.depends_on:
            return ("nodes", number, "depends_on")
    return ("depends_on",)


def _instance_cycle(entry: Entry, found: InstanceCycle) -> Fault:
    loc = next(loc for loc, dependency in _dependencies(entry.definition) if dependency is found.dependency)
    steps = [f"{label(executable)} {str(due).removesuffix(':00')}" for executable, due in found.path]
    if len(steps) > MOST_STEPS:
        steps[MOST_STEPS // 2 : -MOST_STEPS // 2] = [f"({len(steps) - MOST_STEPS} more)"]
    return entry.fault(*loc, reason=f"dependency cycle: {' -> '.join(steps)}", hint=_DAY_BEFORE)


_DAY_BEFORE = "cycle: previous with a policy never chooses an instance of the same business date"


def _baseline_tasks(entry: Entry, scope: Scope) -> Iterator[Fault]:
    for index, task in enumerate(entry.definition.tasks):
        if scope.lacks(task, scope.tasks):
            yield entry.fault("tasks", index, **scope.unknown(task, "task", scope.tasks))


def _rule_project(entry: Entry, scope: Scope) -> Iterator[Fault]:
    project = entry.definition.project
    if project is not None and scope.lacks(project, scope.projects):
        yield entry.fault("when", "project", **scope.unknown(project, "project", scope.projects))


def _too_many_rules(scope: Scope) -> Iterator[Fault]:
    for entry in scope.entries["throttling"][MOST_RULES : MOST_RULES + 1]:
        yield entry.fault(reason=f"there are more than {MOST_RULES} throttling rules")


CHECKS: dict[str, tuple[Callable[[Entry, Scope], Iterator[Fault]], ...]] = {
    "projects": (_project_name,),
    "tasks": (
        _projects,
        _resource_group,
        _upstreams,
        _self_dependencies,
        _siblings,
        _upstream_fields,
        _table,
    ),
    "baselines": (_baseline_tasks,),
    "throttling": (_rule_project,),
}
"""What is looked at, part by part and definition by definition."""
