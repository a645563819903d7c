"""What lists are made of: an ordered snapshot of ids, and pages of rows by primary key.

A list of a million rows is one indexed query for its ids (`snapshot`, eight bytes a row) and then only the rows in
sight. A row is a frozen value that needs nothing else to be drawn; its text has passed `clean`, so that nothing that
came from outside reaches a terminal as it was.
"""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.sql.operators import desc_op

from dpconsole.core.domain.calendars import describe
from dpconsole.core.domain.definitions import Schedule, Unit
from dpconsole.core.domain.fields import chips, normalise
from dpconsole.core.domain.keys import instance_key
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.definition_rows import from_document
from dpconsole.core.store.models import (
    Backfill,
    Base,
    BaselineTask,
    Dependency,
    Instance,
    NodeField,
    Operation,
    Project,
    Task,
)

Listed: TypeAlias = type[Instance] | type[Task] | type[Backfill] | type[Operation]
"""What can be listed: tables with an `id`."""

Chips: TypeAlias = Mapping[Status, int]
FieldChips: TypeAlias = Mapping[NormalisedStatus, int]

shown = lru_cache(maxsize=16_384)(clean)
"""`clean`, remembering the names it has seen: a page repeats its owners, projects and groups."""


class InstanceRow(NamedTuple):
    """One listed instance, as it was read. Times are UTC ms, `business_date` is ISO text (section 4.1).

    `key` is the id operators see, `task` the workspace's id of the task. `reruns` automatic reruns are configured,
    `auto_reruns` of them done. The chips count a logical table's nodes by status and its fields by normalised status,
    in the order of the statuses, and are None for everything else; such a table is paused when one of its nodes is.
    """

    id: int
    name: str
    task: str
    task_id: int
    node_id: int | None
    parent_id: int | None
    project: str
    project_title: str
    owner: str
    origin: str
    unit: str
    listing: str
    environment: str
    type: str
    cycle: str
    ordinal: int
    business_date: str
    zone: str
    due_at: int
    status: Status
    paused: bool
    paused_until: int | None
    dry_run: bool
    forced: bool
    set_by_hand: bool
    priority: int
    effective_priority: int
    pending: int
    attempt: int
    auto_reruns: int
    reruns: int
    retry_at: int | None
    started_at: int | None
    ended_at: int | None
    error: str
    resource_group: str
    tags: tuple[str, ...]
    backfill: str | None
    backfill_id: int | None
    rev: int
    key: str
    baselines: tuple[str, ...]
    node_chips: Chips | None
    field_chips: FieldChips | None

    @property
    def retries(self) -> str:
        """Reruns done, by hand and by itself, and automatic ones configured; a logical table runs nothing (12)."""
        return "" if self.unit == Unit.LOGICAL_TABLE else f"{max(0, self.attempt - 1)}/{self.reruns}"


class TaskRow(NamedTuple):
    """One task as lists show it (section 16). `schedule` is in words; `upstreams`, `downstreams` count other tasks."""

    id: int
    key: str
    name: str
    project: str
    project_title: str
    type: str
    unit: str
    kind: str | None
    method: str
    cycle: str
    schedule: str
    owner: str
    operation_owner: str
    description: str
    folder: str
    tags: tuple[str, ...]
    priority: int
    status: str
    submit_status: str
    published: bool
    lock_holder: str | None
    output_table: str
    template: str
    source_key: str
    created_at: int
    modified_at: int
    rev: int
    upstreams: int
    downstreams: int


# --- which rows -------------------------------------------------------------------------------------------------------


def snapshot(
    connection: Connection,
    condition: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]],
    limit: int | None = None,
    *,
    table: Listed = Instance,
) -> array[int]:
    """The ids of all rows that match, in order; rows that tie follow their ids, in the direction of the first column.

    They come straight from the driver's cursor: a million in well under a second.
    """
    result = connection.execute(select(table.id).where(condition).order_by(*order, _tie(table, order)).limit(limit))
    try:
        rows: Any = result.cursor
        return array("q", chain.from_iterable(rows))
    finally:
        result.close()


def _tie(table: Listed, order: Sequence[ColumnElement[Any]]) -> ColumnElement[int]:
    """An index read backwards gives its ids backwards; asking for them forwards would sort the whole list again."""
    backwards = bool(order) and getattr(order[0], "modifier", None) is desc_op
    return table.id.desc() if backwards else table.id.asc()


def matching(
    connection: Connection, condition: ColumnElement[bool], ids: Collection[int], *, table: Listed = Instance
) -> set[int]:
    """Those of the ids that match."""
    chosen = select(table.id).where(table.id.in_(id_set()), condition)
    return set(connection.execute(chosen, {"ids": bind(ids)}).scalars())


def count(connection: Connection, condition: ColumnElement[bool], *, table: Listed = Instance) -> int:
    """How many rows match."""
    return connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()


def count_by_status(connection: Connection, condition: ColumnElement[bool]) -> dict[Status, int]:
    """How many instances that match have each status, in the order of the statuses, none of zero."""
    counted = select(Instance.status, func.count()).where(condition).group_by(Instance.status)
    found = dict(connection.execute(counted).all())
    return {status: found[status] for status in Status if status in found}


# --- rows of instances ------------------------------------------------------------------------------------------------

DERIVED = ("key", "baselines", "node_chips", "field_chips")
"""The last attributes of an `InstanceRow`; all others are columns, read in their order."""

_ELSEWHERE: dict[str, Any] = {
    "task": Instance.task_key,
    "project_title": func.coalesce(Project.title, ""),
    "backfill": Backfill.name,
}


def _column(model: type[Base], name: str) -> Any:
    return _ELSEWHERE[name] if name in _ELSEWHERE else getattr(model, name)


_READ = InstanceRow._fields[: -len(DERIVED)]
_INSTANCES = (
    select(*(_column(Instance, name) for name in _READ))
    .select_from(Instance)
    .outerjoin(Project, Project.name == Instance.project)
    .outerjoin(Backfill, Backfill.id == Instance.backfill_id)
    .where(Instance.id.in_(id_set()))
)
_ID, _TASK_ID, _UNIT, _BUSINESS_DATE = (_READ.index(name) for name in ("id", "task_id", "unit", "business_date"))
_STATUS_AT, _PAUSED, _TAGS, _BACKFILL = (_READ.index(name) for name in ("status", "paused", "tags", "backfill"))
_TEXTS = [
    _READ.index(name) for name in ("name", "task", "project", "project_title", "owner", "error", "resource_group")
]
_COVERED = (
    select(BaselineTask.task_id, BaselineTask.baseline)
    .where(BaselineTask.task_id.in_(id_set()))
    .order_by(BaselineTask.baseline)
)
_NODES = select(Instance.parent_id, Instance.node_id, Instance.status, Instance.paused).where(
    Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set())
)
_CARRIED = select(NodeField.node_id, NodeField.field_id).where(NodeField.node_id.in_(id_set()))


def instance_rows(connection: Connection, ids: Collection[int]) -> list[InstanceRow]:
    """The instances with these ids, in the order of the ids; ids that name nothing are left out."""
    found = {row[_ID]: row for row in connection.execute(_INSTANCES, {"ids": bind(ids)}).all()}
    rows = [found[id] for id in ids if id in found]
    baselines = _baselines(connection, {row[_TASK_ID] for row in rows})
    tables = _tables(connection, [row[_ID] for row in rows if row[_UNIT] == Unit.LOGICAL_TABLE])
    return [_instance_row(row, baselines, tables) for row in rows]


def _instance_row(
    row: Sequence[Any], baselines: Mapping[int, tuple[str, ...]], tables: Mapping[int, _Table]
) -> InstanceRow:
    """By place, not by name: naming forty columns costs more than reading them."""
    values: list[Any] = list(row)
    for place in _TEXTS:
        values[place] = shown(values[place])
    id, task_id = values[_ID], values[_TASK_ID]
    table = tables.get(id, _NO_TABLE)
    values[_STATUS_AT] = _STATUS[values[_STATUS_AT]]
    values[_PAUSED] = values[_PAUSED] or table.paused
    values[_TAGS] = _tags(values[_TAGS])
    values[_BACKFILL] = values[_BACKFILL] and shown(values[_BACKFILL])
    key = instance_key(task_id, values[_BUSINESS_DATE], id)
    values += (key, baselines.get(task_id, ()), table.node_chips, table.field_chips)
    return InstanceRow(*values)


_STATUS = {status.value: status for status in Status}


@lru_cache(maxsize=4_096)
def _tags(document: str) -> tuple[str, ...]:
    return tuple(shown(str(tag)) for tag in json.loads(document))


def _baselines(connection: Connection, tasks: Collection[int]) -> dict[int, tuple[str, ...]]:
    names: dict[int, list[str]] = defaultdict(list)
    for task, baseline in connection.execute(_COVERED, {"ids": bind(tasks)}):
        names[task].append(shown(baseline))
    return {task: tuple(some) for task, some in names.items()}


@dataclass(frozen=True, slots=True)
class _Table:
    """What the nodes of one logical-table instance come to."""

    node_chips: Chips | None
    field_chips: FieldChips | None
    paused: bool


_NO_TABLE = _Table(None, None, paused=False)


Nodes: TypeAlias = frozenset[tuple[int, str, bool]]
"""The nodes of one logical-table instance: id in the definition, status, whether it is paused."""


def _tables(connection: Connection, ids: Collection[int]) -> dict[int, _Table]:
    """What the nodes of logical tables come to, in two queries however many tables and fields there are.

    Instances of one task whose nodes stand alike come to the same, which most of a page does.
    """
    if not ids:
        return {}
    nodes: dict[Any, list[tuple[Any, str, bool]]] = defaultdict(list)
    for parent, node, status, paused in connection.execute(_NODES, {"ids": bind(ids)}).all():
        nodes[parent].append((node, status, paused))
    known = {node for some in nodes.values() for node, _, _ in some}
    carried: dict[int, list[int]] = defaultdict(list)
    for node, field in connection.execute(_CARRIED, {"ids": bind(known)}).all():
        carried[node].append(field)
    alike = {table: frozenset(some) for table, some in nodes.items()}
    seen = {some: _table(some, carried) for some in set(alike.values())}
    return {table: seen[some] for table, some in alike.items()}


def _table(nodes: Nodes, carried: Mapping[int, Iterable[int]]) -> _Table:
    """The chips of a logical table (section 9.2)."""
    by_field: dict[int, set[Status]] = defaultdict(set)
    for node, status, _ in nodes:
        for field in carried.get(node, ()):
            by_field[field].add(_STATUS[status])
    normalised = [best for some in by_field.values() if (best := normalise(some)) is not None]
    return _Table(
        node_chips=dict(chips((_STATUS[status] for _, status, _ in nodes), Status)),
        field_chips=dict(chips(normalised, NormalisedStatus)),
        paused=any(paused for _, _, paused in nodes),
    )


# --- rows of tasks ----------------------------------------------------------------------------------------------------

_TASK_READ = TaskRow._fields[: -len(("upstreams", "downstreams"))]
_TASKS = (
    select(*(_column(Task, name) for name in _TASK_READ))
    .select_from(Task)
    .outerjoin(Project, Project.name == Task.project)
    .where(Task.id.in_(id_set()))
)
_SCHEDULE, _TASK_TAGS = _TASK_READ.index("schedule"), _TASK_READ.index("tags")
_TASK_TEXTS = [
    _TASK_READ.index(name)
    for name in (
        *("key", "name", "project", "project_title", "owner", "operation_owner", "description"),
        *("folder", "lock_holder", "output_table", "template", "source_key"),
    )
]
_OTHERS = Dependency.upstream_id != Dependency.task_id
_UPSTREAMS = (
    select(Dependency.task_id.label("id"), func.count(Dependency.upstream_id.distinct()).label("number"))
    .where(Dependency.task_id.in_(id_set()), _OTHERS)
    .group_by(Dependency.task_id)
)
_DOWNSTREAMS = (
    select(Dependency.upstream_id.label("id"), func.count(Dependency.task_id.distinct()).label("number"))
    .where(Dependency.upstream_id.in_(id_set()), _OTHERS)
    .group_by(Dependency.upstream_id)
)


def task_rows(connection: Connection, ids: Collection[int]) -> list[TaskRow]:
    """The tasks with these ids, in the order of the ids; ids that name nothing are left out."""
    bound = {"ids": bind(ids)}
    rows = {row[0]: row for row in connection.execute(_TASKS, bound)}
    upstreams = {row.id: row.number for row in connection.execute(_UPSTREAMS, bound)}
    downstreams = {row.id: row.number for row in connection.execute(_DOWNSTREAMS, bound)}
    return [_task_row(rows[id], upstreams.get(id, 0), downstreams.get(id, 0)) for id in ids if id in rows]


def _task_row(row: Sequence[Any], upstreams: int, downstreams: int) -> TaskRow:
    values: list[Any] = list(row)
    for place in _TASK_TEXTS:
        values[place] = values[place] and shown(values[place])
    values[_SCHEDULE] = describe(from_document(Schedule, values[_SCHEDULE]))
    values[_TASK_TAGS] = tuple(shown(str(tag)) for tag in values[_TASK_TAGS])
    values += (upstreams, downstreams)
    return TaskRow(*values)
