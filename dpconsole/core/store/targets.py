"""What an operator's verb is aimed at: the rows as they were seen, how they hang together, and what lies below them.

A plan is made from these reads in one snapshot, and remembers `Part.rev`, so that applying it can tell a row that moved
in the meantime from one that did not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, distinct, func, select

from dpconsole.core.domain.definitions import Role, Unit
from dpconsole.core.domain.keys import instance_key
from dpconsole.core.domain.statuses import Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_rows, id_set
from dpconsole.core.store.models import BaselineTask, Instance, InstanceDependency, Member


@dataclass(frozen=True, slots=True)
class Part:
    """One executable row, as it was seen."""

    id: int
    status: Status
    paused: bool
    attempt: int
    rev: int
    due_at: int
    parent_id: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """One listed row and what would be executed for it: itself, or the nodes of a logical table.

    `status` of a logical table is the derived one, `paused` whether any of its nodes is (section 9.2).
    """

    id: int
    key: str
    name: str
    project: str
    unit: Unit
    status: Status
    paused: bool
    parent_id: int | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What stands downstream of a selection and is not part of it; baselines count the selection's own too."""

    instances: int = 0
    projects: int = 0
    baselines: int = 0


_COLUMNS = (
    Instance.id,
    Instance.task_id,
    Instance.business_date,
    Instance.name,
    Instance.project,
    Instance.unit,
    Instance.status,
    Instance.paused,
    Instance.attempt,
    Instance.rev,
    Instance.due_at,
    Instance.parent_id,
)
_ROWS = select(*_COLUMNS).where(Instance.id.in_(id_set()))
_NODES = (
    select(*_COLUMNS).where(Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set())).order_by(Instance.id)
)
_EDGES = select(InstanceDependency.upstream_id, InstanceDependency.downstream_id).where(
    InstanceDependency.upstream_id.in_(id_set())
)
_MEMBERS = select(Member.project, Member.user, Member.role)


def read_targets(connection: Connection, ids: Collection[int]) -> list[Target]:
    """The targets with these ids, in the order asked for; ids that name no row are left out."""
    rows = {row.id: row for row in connection.execute(_ROWS, {"ids": bind(ids)})}
    tables = [row.id for row in rows.values() if row.unit == Unit.LOGICAL_TABLE]
    nodes: dict[int, list[Part]] = defaultdict(list)
    for node in connection.execute(_NODES, {"ids": bind(tables)}) if tables else ():
        nodes[node.parent_id].append(_part(node))
    return [_target(rows[id], nodes) for id in ids if id in rows]


def edges_among(connection: Connection, ids: Collection[int]) -> list[tuple[int, int]]:
    """The dependencies, as (upstream, downstream), that run between two of these executable rows.

    Only one end is asked for in SQL: with both, SQLite tries every pair of ids.
    """
    inside = set(ids)
    edges = connection.execute(_EDGES, {"ids": bind(ids)}).all()
    return [(up, down) for up, down in edges if down in inside]


def read_members(connection: Connection) -> dict[str, dict[str, Role]]:
    """Who may do what: the roles by OS user, by project; a project without members is absent (section 20)."""
    members: dict[str, dict[str, Role]] = defaultdict(dict)
    for project, user, role in connection.execute(_MEMBERS):
        members[project][user] = Role(role)
    return dict(members)


def read_reach(connection: Connection, parts: Iterable[int]) -> Reach:
    """What hangs below these executable rows, counted in one walk; a logical table counts once."""
    instances, projects, baselines = connection.execute(_REACH, {"ids": bind(parts)}).one()
    return Reach(instances, projects, baselines)


def _reach() -> Select[int, int, int]:
    below = id_rows().cte("below", recursive=True)
    below = below.union(
        select(InstanceDependency.downstream_id).join(below, InstanceDependency.upstream_id == below.c.id)
    )
    reached = select(Instance.task_id, Instance.project, func.coalesce(Instance.parent_id, Instance.id).label("row"))
    reached = reached.add_columns(Instance.id.in_(id_set()).label("chosen"))
    rows = reached.join(below, Instance.id == below.c.id).cte("reached")
    baselines = select(func.count(distinct(BaselineTask.baseline))).where(
        BaselineTask.task_id.in_(select(rows.c.task_id))
    )
    return select(
        func.count(distinct(rows.c.row)).filter(~rows.c.chosen),
        func.count(distinct(rows.c.project)).filter(~rows.c.chosen),
        baselines.scalar_subquery(),
    )


_REACH = _reach()


def _part(row: Row[*tuple[Any, ...]]) -> Part:
    return Part(row.id, Status(row.status), row.paused, row.attempt, row.rev, row.due_at, row.parent_id)


def _target(row: Row[*tuple[Any, ...]], nodes: dict[int, list[Part]]) -> Target:
    parts = tuple(nodes[row.id]) if row.unit == Unit.LOGICAL_TABLE else (_part(row),)
    return Target(
        id=row.id,
        key=instance_key(row.task_id, row.business_date, row.id),
        name=clean(row.name),
        project=row.project,
        unit=Unit(row.unit),
        status=Status(row.status),
        paused=row.paused or any(part.paused for part in parts),
        parent_id=row.parent_id,
        parts=parts,
    )
