"""Loading definitions: a workspace goes in as a whole, as often as one likes, and says what it changed.

Nothing is ever deleted that an instance may point at: tasks absent from the workspace stay, a materialization node
that left its table becomes inactive. Instances are never touched; a change takes effect with the next generation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import bindparam, delete, insert, select, update

from dpconsole.core.domain.definitions import (
    DEFAULT_GROUP,
    Baseline,
    Project,
    ResourceGroup,
    Task,
    ThrottlingRule,
    Unit,
    Workspace,
)
from dpconsole.core.store import models
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.definition_rows import (
    Coverage,
    Facts,
    StoredTask,
    canonical_baseline,
    canonical_project,
    dependency_columns,
    known_task_keys,
    minutes,
    read_tasks,
    read_workspace_facts,
    task_columns,
    to_document,
)
from dpconsole.core.store.errors import StoreError
from dpconsole.core.store.session import Transaction

__all__ = [
    "Coverage",
    "Facts",
    "LoadReport",
    "StoredTask",
    "known_task_keys",
    "read_tasks",
    "read_workspace_facts",
    "save_workspace",
]

Value = TypeVar("Value")
Names = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did, as names by kind: settings, projects, resource_groups, throttling, baselines, tasks (scripts and
    pipelines) and logical_tables."""

    created: Names
    changed: Names
    unchanged: Names


@dataclass(frozen=True, slots=True)
class _Sorted(Generic[Value]):
    """Values to be saved, told apart by what is stored already."""

    created: tuple[Value, ...]
    changed: tuple[Value, ...]
    unchanged: tuple[Value, ...]

    @property
    def written(self) -> tuple[Value, ...]:
        return self.created + self.changed


def save_workspace(
    transaction: Transaction, workspace: Workspace, now_ms: int, *, keep_settings: bool = False
) -> LoadReport:
    """Save every definition of a workspace that is new or differs (section 1; workspace files).

    With `keep_settings` the zone and environment are taken only where the database has none yet, as an import from
    elsewhere wants it. Raises StoreError when a name stands for nothing: an upstream, an end task, a field of a node.
    """
    facts = read_workspace_facts(transaction.connection)
    stored = read_tasks(transaction.connection, [task.id for task in workspace.tasks])
    sorted_out: dict[str, _Sorted[Any]] = {
        "settings": _sort(_settings(facts), _wanted_settings(workspace, facts, keep_settings), _first),
        "projects": _sort(facts.projects, _all_projects(workspace, facts), _name),
        "resource_groups": _sort(facts.groups, _all_groups(workspace, facts), _name),
        "throttling": _sort(facts.rules, workspace.throttling, _name),
        "baselines": _sort(facts.baselines, map(canonical_baseline, workspace.baselines), _name),
    }
    tasks = _sort({some.task.id: some.task for some in stored.values()}, workspace.tasks, _id)
    for kind, save in _SAVERS.items():
        save(transaction, sorted_out[kind])
    _save_tasks(transaction, tasks, {some.task.id: some for some in stored.values()}, now_ms)
    _save_baselines(transaction, sorted_out["baselines"])
    _spread_baselines(transaction)
    return _report(sorted_out | _by_unit(tasks))


def _sort(stored: Mapping[str, Value], wanted: Iterable[Value], name: Callable[[Value], str]) -> _Sorted[Value]:
    created: list[Value] = []
    changed: list[Value] = []
    unchanged: list[Value] = []
    for value in wanted:
        known = stored.get(name(value))
        (created if known is None else unchanged if known == value else changed).append(value)
    return _Sorted(tuple(created), tuple(changed), tuple(unchanged))


def _first(pair: tuple[str, str]) -> str:
    return pair[0]


def _name(value: Any) -> str:
    return str(value.name)


def _id(task: Task) -> str:
    return task.id


def _by_unit(tasks: _Sorted[Task]) -> dict[str, _Sorted[Task]]:
    def only(tables: bool) -> _Sorted[Task]:
        return _Sorted(
            *(
                tuple(task for task in some if (task.unit is Unit.LOGICAL_TABLE) is tables)
                for some in (tasks.created, tasks.changed, tasks.unchanged)
            )
        )

    return {"tasks": only(False), "logical_tables": only(True)}


_LABELS: dict[str, Callable[[Any], str]] = {"settings": _first, "tasks": _id, "logical_tables": _id}


def _report(kinds: Mapping[str, _Sorted[Any]]) -> LoadReport:
    def names(how: str) -> Names:
        return {
            kind: tuple(_LABELS.get(kind, _name)(value) for value in getattr(values, how))
            for kind, values in kinds.items()
        }

    return LoadReport(names("created"), names("changed"), names("unchanged"))


# --- settings, projects, limits ---------------------------------------------------------------------------------------


def _settings(facts: Facts) -> dict[str, tuple[str, str]]:
    pairs = (("timezone", facts.timezone), ("environment", facts.environment))
    return {name: (name, str(value)) for name, value in pairs if value is not None}


def _wanted_settings(workspace: Workspace, facts: Facts, keep: bool) -> list[tuple[str, str]]:
    stored = _settings(facts)
    pairs = [("timezone", workspace.timezone), ("environment", str(workspace.environment))]
    return [stored.get(name, (name, value)) if keep else (name, value) for name, value in pairs]


def _all_projects(workspace: Workspace, facts: Facts) -> list[Project]:
    """The projects of the workspace, and those that only its tasks name."""
    declared = {project.name: canonical_project(project) for project in workspace.projects}
    named = {task.project: facts.projects.get(task.project, Project(task.project)) for task in workspace.tasks}
    return list((named | declared).values())


def _all_groups(workspace: Workspace, facts: Facts) -> list[ResourceGroup]:
    """The resource groups of the workspace, and the one that there always is."""
    declared = {group.name: group for group in workspace.resource_groups}
    default = {} if DEFAULT_GROUP.name in facts.groups else {DEFAULT_GROUP.name: DEFAULT_GROUP}
    return list((default | declared).values())


def _save_settings(transaction: Transaction, settings: _Sorted[tuple[str, str]]) -> None:
    _write(transaction, models.Setting, settings, lambda pair: {"name": pair[0], "value": pair[1]})


def _save_projects(transaction: Transaction, projects: _Sorted[Project]) -> None:
    _write(
        transaction,
        models.Project,
        projects,
        lambda some: {"name": some.name, "title": some.title, "mode": some.mode, "rev": transaction.rev},
    )
    for project in projects.changed:
        transaction.execute(delete(models.Member).where(models.Member.project == project.name))
    members = [
        {"project": project.name, "user": user, "role": role}
        for project in projects.written
        for user, role in project.members
    ]
    _insert(transaction, models.Member, members)


def _save_groups(transaction: Transaction, groups: _Sorted[ResourceGroup]) -> None:
    _write(transaction, models.ResourceGroup, groups, lambda group: {"name": group.name, "slots": group.slots})


def _save_rules(transaction: Transaction, rules: _Sorted[ThrottlingRule]) -> None:
    columns = [column.name for column in models.ThrottlingRule.__table__.c]
    _write(
        transaction, models.ThrottlingRule, rules, lambda rule: {column: getattr(rule, column) for column in columns}
    )


_SAVERS: dict[str, Callable[[Transaction, _Sorted[Any]], None]] = {
    "settings": _save_settings,
    "projects": _save_projects,
    "resource_groups": _save_groups,
    "throttling": _save_rules,
}
"""What is saved before the tasks, in this order."""


def _write(
    transaction: Transaction,
    model: type[models.Base],
    values: _Sorted[Value],
    columns: Callable[[Value], dict[str, Any]],
    key: str = "name",
) -> None:
    """Insert what is new and update what changed, each in one statement."""
    _insert(transaction, model, map(columns, values.created))
    _update(transaction, model, map(columns, values.changed), key)


def _insert(transaction: Transaction, model: type[models.Base], rows: Iterable[dict[str, Any]]) -> None:
    listed = list(rows)
    if listed:
        transaction.execute(insert(model.__table__), listed)  # type: ignore[arg-type]


def _update(transaction: Transaction, model: type[models.Base], rows: Iterable[dict[str, Any]], key: str) -> None:
    listed = [{f"_{name}" if name == key else name: value for name, value in row.items()} for row in rows]
    if listed:
        table = model.__table__
        transaction.execute(update(table).where(table.c[key] == bindparam(f"_{key}")), listed)  # type: ignore[arg-type]


# --- tasks ------------------------------------------------------------------------------------------------------------

Child = tuple[str, str]
"""A field or a node: the key of its task, and its own name."""


def _save_tasks(transaction: Transaction, tasks: _Sorted[Task], stored: Mapping[str, StoredTask], now_ms: int) -> None:
    stamp = {"modified_at": now_ms, "rev": transaction.rev}
    first = transaction.take("task", len(tasks.created))
    ids = {task.id: first + number for number, task in enumerate(tasks.created)}
    created = ({"id": ids[task.id], "created_at": now_ms} | stamp | task_columns(task) for task in tasks.created)
    _insert(transaction, models.Task, created)
    _update(transaction, models.Task, (task_columns(task) | stamp for task in tasks.changed), "key")
    ids |= {task.id: stored[task.id].id for task in tasks.changed}
    before = {key: stored.get(key, StoredTask(id, Task(key, "", ""))) for key, id in ids.items()}
    nodes = _save_tables(transaction, tasks.written, before)
    _save_dependencies(transaction, tasks.written, before, nodes)
    transaction.touch("task", ids.values())


def _save_tables(transaction: Transaction, tasks: Iterable[Task], before: Mapping[str, StoredTask]) -> dict[Child, int]:
    """Save the fields and nodes of the logical tables whose structure changed; returns the ids of all their nodes."""
    tables = [task for task in tasks if _structure(task) != _structure(before[task.id].task)]
    old_fields = {(task.id, name): id for task in tables for name, id in before[task.id].field_ids.items()}
    old_nodes = {
        (task.id, name): id
        for task in tables
        for name, id in (*before[task.id].retired.items(), *before[task.id].node_ids.items())
    }
    carried = models.NodeField.node_id.in_(id_set())
    transaction.execute(delete(models.NodeField).where(carried), {"ids": bind(old_nodes.values())})
    fields = _save_children(transaction, models.LogicalField, _field_rows(tables, before), old_fields)
    nodes = _save_children(transaction, models.Node, _node_rows(tables, before), old_nodes)
    _drop_fields(transaction, [id for child, id in old_fields.items() if child not in fields])
    _retire_nodes(transaction, [id for child, id in old_nodes.items() if child not in nodes])
    _insert(transaction, models.NodeField, _carried_rows(tables, fields, nodes))
    return nodes


def _structure(task: Task) -> Any:
    return task.fields, tuple(replace(node, depends_on=()) for node in task.nodes)


def _field_rows(tables: Iterable[Task], before: Mapping[str, StoredTask]) -> dict[Child, dict[str, Any]]:
    return {
        (task.id, field.name): {
            "task_id": before[task.id].id,
            "position": position,
            "name": field.name,
            "type": field.type,
            "is_key": field.key,
        }
        for task in tables
        for position, field in enumerate(task.fields)
    }


def _node_rows(tables: Iterable[Task], before: Mapping[str, StoredTask]) -> dict[Child, dict[str, Any]]:
    return {
        (task.id, node.name): {
            "task_id": before[task.id].id,
            "position": position,
            "name": node.name,
            "code": node.code,
            "simulate": None if node.simulate is None else to_document(node.simulate),
            "active": True,
        }
        for task in tables
        for position, node in enumerate(task.nodes)
    }


def _carried_rows(
    tables: Iterable[Task], fields: Mapping[Child, int], nodes: Mapping[Child, int]
) -> list[dict[str, Any]]:
    return [
        {"node_id": nodes[task.id, node.name], "field_id": _named(fields, task.id, name, "field"), "position": position}
        for task in tables
        for node in task.nodes
        for position, name in enumerate(node.fields)
    ]


def _save_children(
    transaction: Transaction,
    model: type[models.Base],
    wanted: Mapping[Child, dict[str, Any]],
    known: Mapping[Child, int],
) -> dict[Child, int]:
    """Insert the children that are new, update those known by name; returns the ids of all that are wanted."""
    new = [child for child in wanted if child not in known]
    first = transaction.take(model.__tablename__, len(new))
    ids = {child: known[child] for child in wanted if child in known}
    _update(transaction, model, ({"id": id} | wanted[child] for child, id in ids.items()), "id")
    ids |= {child: first + number for number, child in enumerate(new)}
    _insert(transaction, model, ({"id": ids[child]} | wanted[child] for child in new))
    return ids


def _drop_fields(transaction: Transaction, ids: list[int]) -> None:
    if ids:
        gone = models.LogicalField.id.in_(id_set())
        transaction.execute(delete(models.LogicalField).where(gone), {"ids": bind(ids)})


def _retire_nodes(transaction: Transaction, ids: list[int]) -> None:
    """Nodes that left their table stay for their instances, inactive, and wait for nothing any more."""
    if ids:
        gone = models.Node.id.in_(id_set())
        transaction.execute(update(models.Node).where(gone).values(active=False), {"ids": bind(ids)})


def _save_dependencies(
    transaction: Transaction, tasks: Iterable[Task], before: Mapping[str, StoredTask], nodes: Mapping[Child, int]
) -> None:
    """Replace the declared upstreams of the tasks that declare others than before."""
    rewired = [task for task in tasks if _declared(task) != _declared(before[task.id].task)]
    old = models.Dependency.task_id.in_(id_set())
    transaction.execute(delete(models.Dependency).where(old), {"ids": bind(before[task.id].id for task in rewired)})
    keys = known_task_keys(transaction.connection)
    rows = [row for task in rewired for row in _dependency_rows(task, keys, _node_ids(before[task.id], nodes))]
    first = transaction.take("dependency", len(rows))
    _insert(transaction, models.Dependency, ({"id": first + number} | row for number, row in enumerate(rows)))


def _declared(task: Task) -> Any:
    return task.depends_on, [(node.name, node.depends_on) for node in task.nodes]


def _node_ids(before: StoredTask, saved: Mapping[Child, int]) -> dict[str, int]:
    key = before.task.id
    return dict(before.node_ids) | {name: id for (task, name), id in saved.items() if task == key}


def _dependency_rows(task: Task, keys: Mapping[str, int], nodes: Mapping[str, int]) -> Iterable[dict[str, Any]]:
    declared = [(None, task.depends_on), *((nodes[node.name], node.depends_on) for node in task.nodes)]
    for node_id, depends_on in declared:
        for position, dependency in enumerate(depends_on):
            try:
                columns = dependency_columns(dependency, position, keys, nodes)
            except KeyError as unknown:
                raise StoreError(f"{task.id}: it depends on {unknown}, which is nowhere defined.") from None
            yield {"task_id": keys[task.id], "node_id": node_id} | columns


def _named(known: Mapping[Child, int], task: str, name: str, kind: str) -> int:
    if (task, name) not in known:
        raise StoreError(f"{task}: it has no {kind} {name!r}.")
    return known[task, name]


# --- baselines --------------------------------------------------------------------------------------------------------


def _save_baselines(transaction: Transaction, baselines: _Sorted[Baseline]) -> None:
    _write(
        transaction,
        models.Baseline,
        baselines,
        lambda some: {
            "name": some.name,
            "priority": some.priority.number,
            "committed": minutes(some.committed),
            "margin_ms": round(some.margin * 1000),
            "rev": transaction.rev,
        },
    )
    for baseline in baselines.changed:
        transaction.execute(delete(models.BaselineTask).where(models.BaselineTask.baseline == baseline.name))
    keys = known_task_keys(transaction.connection)
    ends = [
        {"baseline": baseline.name, "task_id": _end_task(baseline, key, keys), "is_end": True}
        for baseline in baselines.written
        for key in baseline.tasks
    ]
    _insert(transaction, models.BaselineTask, ends)


def _end_task(baseline: Baseline, key: str, keys: Mapping[str, int]) -> int:
    if key not in keys:
        raise StoreError(f"baseline {baseline.name}: its end task {key!r} is nowhere defined.")
    return keys[key]


def _spread_baselines(transaction: Transaction) -> None:
    """Let every baseline protect the ancestors its end tasks have now (section 11.4)."""
    rows = transaction.execute(select(models.BaselineTask.__table__)).all()
    ends = {(row.baseline, row.task_id) for row in rows if row.is_end}
    before = {(row.baseline, row.task_id) for row in rows if not row.is_end}
    upstreams = _upstreams(transaction)
    after = {(name, task) for name in {name for name, _ in ends} for task in _ancestors(name, ends, upstreams)} - ends
    for name, task in before - after:
        table = models.BaselineTask
        transaction.execute(delete(table).where(table.baseline == name, table.task_id == task))
    new = [{"baseline": name, "task_id": task, "is_end": False} for name, task in sorted(after - before)]
    _insert(transaction, models.BaselineTask, new)
    _stamp_tasks(transaction, {task for _, task in before ^ after})


def _upstreams(transaction: Transaction) -> dict[int, set[int]]:
    edges = select(models.Dependency.task_id, models.Dependency.upstream_id).where(
        models.Dependency.upstream_id.is_not(None), models.Dependency.enabled
    )
    upstreams: dict[int, set[int]] = defaultdict(set)
    for task, upstream in transaction.execute(edges):
        upstreams[task].add(upstream)
    return upstreams


def _ancestors(baseline: str, ends: Iterable[tuple[str, int]], upstreams: Mapping[int, set[int]]) -> set[int]:
    reached: set[int] = set()
    waiting = [task for name, task in ends if name == baseline]
    while waiting:
        task = waiting.pop()
        if task not in reached:
            reached.add(task)
            waiting.extend(upstreams.get(task, ()))
    return reached


def _stamp_tasks(transaction: Transaction, ids: Iterable[int]) -> None:
    """Tasks that came under a baseline, or left one, are shown differently: tell the feed."""
    listed = sorted(ids)
    if listed:
        stamped = update(models.Task).where(models.Task.id.in_(id_set())).values(rev=transaction.rev)
        transaction.execute(stamped, {"ids": bind(listed)})
        transaction.touch("task", listed)
