"""Definitions as rows: which column holds which attribute, both ways.

What is written here is read back equal (`read_tasks`), which is also how a load tells a changed definition from one
that stayed: it compares the values, not the columns. Nested values (schedule, run, form, ...) are JSON documents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, String, select

from dpconsole.core.domain.backfill_form import BackfillForm, Periodic
from dpconsole.core.domain.calendars import cycle_of
from dpconsole.core.domain.definitions import (
    Baseline,
    Dependency,
    DependencyCycle,
    Environment,
    Field,
    MaterializationNode,
    Method,
    Mode,
    Origin,
    Policy,
    Priority,
    Project,
    ResourceGroup,
    Role,
    RunConfig,
    Schedule,
    Simulation,
    TableKind,
    Task,
    TaskType,
    ThrottlingRule,
    UpstreamKind,
)
from dpconsole.core.store import models
from dpconsole.core.store.arrays import bind, id_set, row_set
from dpconsole.core.store.settings import TIMEZONE, read_setting

Nested = TypeVar("Nested", Schedule, RunConfig, Simulation, BackfillForm, Periodic)
Enumeration = TypeVar("Enumeration", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A task as it stands in the store: its definition, and the ids behind the names in it.

    `node_ids` are the materialization nodes it has, `retired` those that left it and may still have instances.
    `dependency_ids` run beside `task.depends_on`, `node_dependency_ids[name]` beside that node's.
    """

    id: int
    task: Task
    node_ids: Mapping[str, int] = field(default_factory=dict)
    retired: Mapping[str, int] = field(default_factory=dict)
    field_ids: Mapping[str, int] = field(default_factory=dict)
    dependency_ids: tuple[int, ...] = ()
    node_dependency_ids: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A baseline over a task: as one of the end tasks it promises, or as an ancestor of one (section 11.4)."""

    baseline: str
    priority: Priority
    is_end: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything of a workspace that is not a task. `timezone` and `environment` are None before the first load."""

    timezone: str | None
    environment: Environment | None
    projects: Mapping[str, Project]
    groups: Mapping[str, ResourceGroup]
    rules: Mapping[str, ThrottlingRule]
    baselines: Mapping[str, Baseline]
    covered: Mapping[int, tuple[Coverage, ...]]
    """What covers a task, by its id; a task that nothing covers is absent."""


# --- values to columns ------------------------------------------------------------------------------------------------


@cache
def _adapters() -> dict[Any, Any]:
    from pydantic import TypeAdapter

    return {kind: TypeAdapter(kind) for kind in (Schedule, RunConfig, Simulation, BackfillForm, Periodic)}


def to_document(value: Schedule | RunConfig | Simulation | BackfillForm | Periodic) -> dict[str, Any]:
    """A nested value as a JSON document."""
    return dict(_adapters()[type(value)].dump_python(value, mode="json"))


def from_document(kind: type[Nested], document: Mapping[str, Any]) -> Nested:
    """The nested value of a JSON document."""
    value: Nested = _adapters()[kind].validate_python(document)
    return value


@lru_cache(4096)
def from_text(kind: type[Nested], document: str) -> Nested:
    """The nested value of a JSON document as the database keeps it; equal documents are read once."""
    value: Nested = _adapters()[kind].validate_json(document)
    return value


def task_columns(task: Task) -> dict[str, Any]:
    """What the `task` row says about a definition; ValueError for a bad cron expression."""
    return {
        "key": task.id,
        "project": task.project,
        "name": task.name,
        "type": task.type,
        "unit": task.unit,
        "method": task.method,
        "cycle": cycle_of(task.schedule),
        "schedule": to_document(task.schedule),
        "owner": task.owner,
        "operation_owner": task.operation_owner,
        "description": task.description,
        "priority": task.priority.number,
        "tags": list(task.tags),
        "folder": task.folder,
        "run": to_document(task.run),
        "simulate": to_document(task.simulate),
        "parameters": [list(pair) for pair in task.parameters],
        "output_table": task.output_table,
        "template": task.template,
        "kind": task.kind,
        "code": task.code,
        "source_key": task.source_key,
    }


def dependency_columns(
    dependency: Dependency, position: int, tasks: Mapping[str, int], nodes: Mapping[str, int]
) -> dict[str, Any]:
    """What a `dependency` row says; KeyError when it names a task or a sibling node that is not there."""
    return {
        "position": position,
        "kind": dependency.kind,
        "upstream_id": tasks[dependency.task] if dependency.task else None,
        "upstream_node_id": nodes[dependency.node] if dependency.node else None,
        "cycle": dependency.cycle,
        "policy": dependency.policy,
        "days": dependency.days,
        "fields": list(dependency.fields),
        "enabled": dependency.enabled,
    }


def minutes(at: time) -> int:
    """Minutes after midnight."""
    return at.hour * 60 + at.minute


def canonical_project(project: Project) -> Project:
    """The project with its members in the order the store gives them."""
    return Project(project.name, project.title, project.mode, tuple(sorted(project.members)))


def canonical_baseline(baseline: Baseline) -> Baseline:
    """The baseline with its end tasks in the order the store gives them."""
    return Baseline(
        baseline.name, tuple(sorted(set(baseline.tasks))), baseline.committed, baseline.margin, baseline.priority
    )


# --- columns to values ------------------------------------------------------------------------------------------------

Rows = Mapping[int, Sequence[Any]]
"""Rows, in their order, by the id of what they belong to."""

_TASKS = select(models.Task.__table__).order_by(models.Task.id)
_WANTED = _TASKS.where(models.Task.key.in_(select(row_set("keys", key=String).c.key)))
_KEYS = select(models.Task.key, models.Task.id)
_FIELDS = select(models.LogicalField.__table__).order_by(models.LogicalField.position)
_NODES = select(models.Node.__table__).order_by(models.Node.position)
_CARRIED = (
    select(models.NodeField.node_id, models.LogicalField.name)
    .join(models.LogicalField, models.LogicalField.id == models.NodeField.field_id)
    .order_by(models.NodeField.position)
)
_DEPENDENCIES = select(models.Dependency.__table__).order_by(models.Dependency.position)


def known_task_keys(connection: Connection) -> dict[str, int]:
    """Every task's id by its key: what a workspace may name as an upstream besides its own tasks."""
    return dict(connection.execute(_KEYS).all())


def read_tasks(connection: Connection, keys: Collection[str] | None = None) -> dict[int, StoredTask]:
    """The definitions with these keys, or all of them, by id; keys that name no task are left out."""
    rows = _tasks(connection, keys)
    ids = None if keys is None else [row.id for row in rows]
    parts = _Parts(
        names={id: key for key, id in known_task_keys(connection).items()},
        fields=_group(_of(connection, _FIELDS, models.LogicalField.task_id, ids), "task_id"),
        nodes=_group(_of(connection, _NODES, models.Node.task_id, ids), "task_id"),
        carried=_group(_of(connection, _CARRIED, models.LogicalField.task_id, ids), "node_id"),
        dependencies=_group(_of(connection, _DEPENDENCIES, models.Dependency.task_id, ids), "task_id"),
    )
    return {row.id: _stored_task(row, parts) for row in rows}


def _tasks(connection: Connection, keys: Collection[str] | None) -> Sequence[Any]:
    if keys is None:
        return connection.execute(_TASKS).all()
    return connection.execute(_WANTED, {"keys": bind([[key] for key in keys])}).all()


def _of(
    connection: Connection, statement: Select[*tuple[Any, ...]], task_id: Any, ids: Collection[int] | None
) -> Sequence[Any]:
    if ids is None:
        return connection.execute(statement).all()
    return connection.execute(statement.where(task_id.in_(id_set())), {"ids": bind(ids)}).all()


def _group(rows: Iterable[Any], by: str) -> Rows:
    grouped: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[getattr(row, by)].append(row)
    return grouped


@dataclass(frozen=True, slots=True)
class _Parts:
    """What belongs to tasks, by task id, but `carried` by node id; `names` are the keys of all tasks by id."""

    names: Mapping[int, str]
    fields: Rows
    nodes: Rows
    carried: Rows
    dependencies: Rows


def _stored_task(row: Any, parts: _Parts) -> StoredTask:
    nodes = {node.id: node for node in parts.nodes[row.id]}
    dependencies: dict[int | None, list[Any]] = defaultdict(list)
    for dependency in parts.dependencies[row.id]:
        dependencies[dependency.node_id].append(dependency)
    declared = {
        node: tuple(_dependency(some, parts.names, nodes) for some in rows) for node, rows in dependencies.items()
    }
    fields = parts.fields[row.id]
    active = [node for node in nodes.values() if node.active]
    return StoredTask(
        id=row.id,
        task=_task(
            row,
            declared.get(None, ()),
            tuple(Field(some.name, some.type, some.is_key) for some in fields),
            tuple(_node(node, declared.get(node.id, ()), parts.carried[node.id]) for node in active),
        ),
        node_ids={node.name: node.id for node in active},
        retired={node.name: node.id for node in nodes.values() if not node.active},
        field_ids={some.name: some.id for some in fields},
        dependency_ids=tuple(some.id for some in dependencies[None]),
        node_dependency_ids={node.name: tuple(some.id for some in dependencies[node.id]) for node in active},
    )


def _task(
    row: Any, depends_on: tuple[Dependency, ...], fields: tuple[Field, ...], nodes: tuple[MaterializationNode, ...]
) -> Task:
    return Task(
        id=row.key,
        project=row.project,
        name=row.name,
        type=TaskType(row.type),
        owner=row.owner,
        operation_owner=row.operation_owner,
        description=row.description,
        schedule=from_document(Schedule, row.schedule),
        method=Method(row.method),
        priority=Priority.of(row.priority),
        tags=tuple(row.tags),
        folder=row.folder,
        depends_on=depends_on,
        run=from_document(RunConfig, row.run),
        simulate=from_document(Simulation, row.simulate),
        parameters=tuple((name, value) for name, value in row.parameters),
        output_table=row.output_table,
        template=row.template,
        kind=_optional(TableKind, row.kind),
        fields=fields,
        nodes=nodes,
        code=row.code,
        source_key=row.source_key,
    )


def _node(row: Any, depends_on: tuple[Dependency, ...], carried: Sequence[Any]) -> MaterializationNode:
    return MaterializationNode(
        name=row.name,
        fields=tuple(some.name for some in carried),
        depends_on=depends_on,
        code=row.code,
        simulate=None if row.simulate is None else from_document(Simulation, row.simulate),
    )


def _dependency(row: Any, tasks: Mapping[int, str], nodes: Mapping[int, Any]) -> Dependency:
    return Dependency(
        kind=UpstreamKind(row.kind),
        task=tasks[row.upstream_id] if row.upstream_id is not None else "",
        node=nodes[row.upstream_node_id].name if row.upstream_node_id is not None else "",
        cycle=_optional(DependencyCycle, row.cycle),
        policy=_optional(Policy, row.policy),
        days=row.days,
        fields=tuple(row.fields),
        enabled=row.enabled,
    )


def _optional(kind: type[Enumeration], value: str | None) -> Enumeration | None:
    return None if value is None else kind(value)


# --- the rest of a workspace ------------------------------------------------------------------------------------------


def read_workspace_facts(connection: Connection) -> Facts:
    """Zone, environment, projects, limits and promises, as the loads so far left them."""
    settings = dict(connection.execute(select(models.Setting.name, models.Setting.value)).all())
    baselines = _baselines(connection)
    return Facts(
        timezone=settings.get("timezone"),
        environment=_optional(Environment, settings.get("environment")),
        projects=_projects(connection),
        groups=read_groups(connection),
        rules=read_rules(connection),
        baselines=baselines,
        covered=_covered(connection, baselines),
    )


def read_timezone(connection: Connection) -> str:
    """The workspace's zone; UTC before the first load."""
    return read_setting(connection, TIMEZONE) or "UTC"


def read_groups(connection: Connection) -> dict[str, ResourceGroup]:
    """The resource groups by name (section 11.2)."""
    return {row.name: ResourceGroup(row.name, row.slots) for row in _all(connection, models.ResourceGroup)}


def read_rules(connection: Connection) -> dict[str, ThrottlingRule]:
    """The throttling rules by name (section 11.1)."""
    return {row.name: _rule(row) for row in _all(connection, models.ThrottlingRule)}


def _all(connection: Connection, model: type[models.Base]) -> Sequence[Any]:
    return connection.execute(select(model.__table__)).all()


def _projects(connection: Connection) -> dict[str, Project]:
    members: dict[str, list[tuple[str, Role]]] = defaultdict(list)
    for row in _all(connection, models.Member):
        members[row.project].append((row.user, Role(row.role)))
    return {
        row.name: canonical_project(Project(row.name, row.title, Mode(row.mode), tuple(members[row.name])))
        for row in _all(connection, models.Project)
    }


def _rule(row: Any) -> ThrottlingRule:
    return ThrottlingRule(
        name=row.name,
        limit=row.limit,
        project=row.project,
        origin=_optional(Origin, row.origin),
        type=_optional(TaskType, row.type),
        tag=row.tag,
        environment=_optional(Environment, row.environment),
        enabled=row.enabled,
    )


def _baselines(connection: Connection) -> dict[str, Baseline]:
    promised = select(models.BaselineTask.baseline, models.Task.key).join(models.Task).where(models.BaselineTask.is_end)
    ends: dict[str, list[str]] = defaultdict(list)
    for name, key in connection.execute(promised):
        ends[name].append(key)
    return {row.name: _baseline(row, ends[row.name]) for row in _all(connection, models.Baseline)}


def _baseline(row: Any, ends: Iterable[str]) -> Baseline:
    committed = time(*divmod(row.committed, 60))
    return canonical_baseline(
        Baseline(row.name, tuple(ends), committed, row.margin_ms / 1000, Priority.of(row.priority))
    )


def _covered(connection: Connection, baselines: Mapping[str, Baseline]) -> dict[int, tuple[Coverage, ...]]:
    covered: dict[int, list[Coverage]] = defaultdict(list)
    for row in connection.execute(select(models.BaselineTask.__table__).order_by(models.BaselineTask.baseline)):
        covered[row.task_id].append(Coverage(row.baseline, baselines[row.baseline].priority, row.is_end))
    return {task: tuple(some) for task, some in covered.items()}
