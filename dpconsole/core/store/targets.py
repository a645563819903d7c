"""What an operator's verb is aimed at: the rows as they were seen, how they hang together, and what lies below them.

A plan is made from these reads in one snapshot, and remembers `Part.rev`, so that applying it can tell a row that moved
in the meantime from one that did not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, distinct, func, select
from sqlalchemy.orm import aliased

from dpconsole.core.domain.definitions import Origin, Role, TaskType, Unit, UpstreamKind
from dpconsole.core.domain.fields import derive, normalise
from dpconsole.core.domain.keys import instance_key
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_rows, id_set
from dpconsole.core.store.models import BaselineTask, Dependency, Instance, InstanceDependency, Member, NodeField


@dataclass(frozen=True, slots=True)
class Part:
    """One executable row, as it was seen.

    `instant`: it succeeds without work, a dry run or a virtual node. `follows`: another part of its target is upstream.
    `to_come`: it carries a field that has neither succeeded nor failed, or no field at all. The last two only where a
    verb asks.
    """

    id: int
    status: Status
    paused: bool
    attempt: int
    rev: int
    due_at: int
    parent_id: int | None
    autonomous: bool
    instant: bool
    follows: bool = False
    to_come: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One listed row and what would be executed for it: itself, or the nodes of a logical table.

    `status` of a logical table is the derived one, `paused` whether any of its nodes is (section 9.2). `level` is 0 for
    what was chosen, and counts the steps down to what was found below it; of a table found below, `parts` are the nodes
    that were reached and `spared` the statuses of the others. `upstreams` are the executable rows it waits for, each
    with the listed row it belongs to, and `is_rooted` whether the root is one more; both only where a verb asks.
    """

    id: int
    key: str
    name: str
    task_id: int
    project: str
    owner: str
    origin: Origin
    unit: Unit
    status: Status
    paused: bool
    priority: int
    parent_id: int | None
    parts: tuple[Part, ...]
    spared: tuple[Status, ...] = ()
    level: int = 0
    upstreams: Mapping[int, int] = field(default_factory=dict)
    is_rooted: bool = False

    @property
    def standing(self) -> Status:
        """The status that guards ask for: of a logical table, that of the nodes a verb is aimed at."""
        return derive(part.status for part in self.parts) if self.unit is Unit.LOGICAL_TABLE else self.status

    @property
    def words(self) -> str:
        """What it is now, for a reader."""
        return f"{self.status.label}{', paused' * self.paused}"


class Move(NamedTuple):
    """A row a verb changes, and the status it then has, which may be the one it had."""

    part: Part
    after: Status


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
    Instance.owner,
    Instance.origin,
    Instance.unit,
    Instance.type,
    Instance.status,
    Instance.paused,
    Instance.dry_run,
    Instance.autonomous,
    Instance.priority,
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
_Upstream = aliased(Instance, name="upstream")
_UPSTREAMS = (
    select(InstanceDependency.downstream_id, _Upstream.id, func.coalesce(_Upstream.parent_id, _Upstream.id))
    .join(_Upstream, _Upstream.id == InstanceDependency.upstream_id)
    .where(InstanceDependency.downstream_id.in_(id_set()))
)
_ROOTED = select(Dependency.task_id).where(
    Dependency.task_id.in_(id_set()), Dependency.kind == UpstreamKind.ROOT, Dependency.enabled
)
_CARRIED = (
    select(Instance.id, Instance.parent_id, Instance.status, NodeField.field_id)
    .join(NodeField, NodeField.node_id == Instance.node_id)
    .where(Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set()))
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


def read_parts(connection: Connection, ids: Collection[int]) -> dict[int, Part]:
    """Executable rows as they are now, by id."""
    return {row.id: _part(row) for row in connection.execute(_ROWS, {"ids": bind(ids)})}


def edges_among(connection: Connection, ids: Collection[int]) -> list[tuple[int, int]]:
    """The dependencies, as (upstream, downstream), that run between two of these executable rows.

    Only one end is asked for in SQL: with both, SQLite tries every pair of ids.
    """
    inside = set(ids)
    edges = connection.execute(_EDGES, {"ids": bind(ids)}).all()
    return [(up, down) for up, down in edges if down in inside]


def with_upstreams(connection: Connection, targets: Iterable[Target]) -> list[Target]:
    """The same targets with what they wait for; the nodes of one logical table are not each other's (section 10)."""
    targets = list(targets)
    part_of = {part.id: target.id for target in targets for part in target.parts}
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for downstream, upstream, listed in connection.execute(_UPSTREAMS, {"ids": bind(part_of)}):
        if listed != part_of[downstream]:
            found[part_of[downstream]][upstream] = listed
    rooted = set(connection.execute(_ROOTED, {"ids": bind({target.task_id for target in targets})}).scalars())
    return [replace(t, upstreams=found.get(t.id, {}), is_rooted=t.task_id in rooted) for t in targets]


def with_order(connection: Connection, targets: Iterable[Target]) -> list[Target]:
    """The same targets, with the nodes of logical tables that follow another node of their table marked."""
    targets = list(targets)
    table_of = {part.id: target.id for target in targets if target.unit is Unit.LOGICAL_TABLE for part in target.parts}
    edges = edges_among(connection, table_of) if table_of else ()
    following = {down for up, down in edges if table_of[up] == table_of[down]}
    return [
        replace(t, parts=tuple(replace(part, follows=part.id in following) for part in t.parts))
        if t.unit is Unit.LOGICAL_TABLE
        else t
        for t in targets
    ]


_TO_COME = frozenset({NormalisedStatus.NOT_RUNNING, NormalisedStatus.WAITING, NormalisedStatus.RUNNING})


def with_fields_to_come(connection: Connection, targets: Iterable[Target]) -> list[Target]:
    """The same targets, with the nodes of logical tables marked that carry a field still to come (section 8.3)."""
    targets = list(targets)
    tables = [target.id for target in targets if target.unit is Unit.LOGICAL_TABLE]
    rows = connection.execute(_CARRIED, {"ids": bind(tables)}).all() if tables else ()
    carriers: dict[tuple[int, int], list[Status]] = defaultdict(list)
    for row in rows:
        carriers[row.parent_id, row.field_id].append(Status(row.status))
    to_come = {field for field, statuses in carriers.items() if normalise(statuses) in _TO_COME}
    carrying = {row.id for row in rows}
    marked = {row.id for row in rows if (row.parent_id, row.field_id) in to_come}
    return [
        replace(t, parts=tuple(replace(p, to_come=p.id in marked or p.id not in carrying) for p in t.parts))
        if t.unit is Unit.LOGICAL_TABLE
        else t
        for t in targets
    ]


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
    instant = row.dry_run or row.type == TaskType.VIRTUAL
    return Part(
        row.id,
        Status(row.status),
        row.paused,
        row.attempt,
        row.rev,
        row.due_at,
        row.parent_id,
        row.autonomous,
        instant,
    )


def _target(row: Row[*tuple[Any, ...]], nodes: dict[int, list[Part]]) -> Target:
    parts = tuple(nodes[row.id]) if row.unit == Unit.LOGICAL_TABLE else (_part(row),)
    return Target(
        id=row.id,
        key=instance_key(row.task_id, row.business_date, row.id),
        name=clean(row.name),
        task_id=row.task_id,
        project=row.project,
        owner=row.owner,
        origin=Origin(row.origin),
        unit=Unit(row.unit),
        status=Status(row.status),
        paused=row.paused or any(part.paused for part in parts),
        priority=row.priority,
        parent_id=row.parent_id,
        parts=parts,
    )
