"""What an operator's verb is aimed at: the rows as they were seen, how they hang together, and what lies below them.

A plan is made from these reads in one snapshot, and remembers `Part.rev`, so that applying it can tell a row that moved
in the meantime from one that did not. A night is read whole: targets are tuples, and the words that many of them share
are held once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import starmap
from operator import attrgetter
from sys import intern
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, distinct, func, or_, select
from sqlalchemy.orm import aliased

from dpconsole.core.domain.backfills import DateState
from dpconsole.core.domain.definitions import Origin, Role, TaskType, Unit, UpstreamKind
from dpconsole.core.domain.fields import derive, normalise
from dpconsole.core.domain.keys import instance_key
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_rows, id_set
from dpconsole.core.store.models import (
    BackfillDate,
    BaselineTask,
    Dependency,
    Instance,
    InstanceDependency,
    Member,
    NodeField,
)
from dpconsole.core.store.prepared import Prepared


class Part(NamedTuple):
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


class Target(NamedTuple):
    """One listed row and what would be executed for it: itself, or the nodes of a logical table.

    `status` of a logical table is the derived one, `paused` whether any of its nodes is (section 9.2). `level` is 0 for
    what was chosen, and counts the steps down to what was found below it; of a table found below, `parts` are the nodes
    that were reached and `spared` the statuses of the others. `upstreams` are the executable rows it waits for, each
    with the listed row it belongs to, and `is_rooted` whether the root is one more; both only where a verb asks.
    `left_out`: it never started, and its data timestamp was left out of its backfill.
    """

    id: int
    name: str
    task_id: int
    business_date: str
    project: str
    owner: str
    origin: Origin
    unit: Unit
    status: Status
    paused: bool
    priority: int
    parent_id: int | None
    parts: tuple[Part, ...]
    left_out: bool = False
    spared: tuple[Status, ...] = ()
    level: int = 0
    upstreams: Mapping[int, int] = MappingProxyType({})
    is_rooted: bool = False

    @property
    def key(self) -> str:
        """The id it is shown under."""
        return instance_key(self.task_id, self.business_date, self.id)

    @property
    def likeness(self) -> Hashable:
        """All that a verb may look at when it judges a target; those that are the same in it are judged alike."""
        return _OF_TARGET(self), tuple(map(_OF_PART, self.parts)), tuple(self.upstreams.items())

    @property
    def is_gated(self) -> bool:
        """Whether it belongs to a data timestamp of a backfill that has not begun; only force starts it (section 7)."""
        return self.origin is Origin.BACKFILL and any(not part.autonomous for part in self.parts)

    @property
    def standing(self) -> Status:
        """The status that guards ask for: of a logical table, that of the nodes a verb is aimed at."""
        return derive(part.status for part in self.parts) if self.unit is Unit.LOGICAL_TABLE else self.status

    @property
    def words(self) -> str:
        """What it is now, for a reader."""
        return f"{self.status.label}{', paused' * self.paused}"


_OF_TARGET = attrgetter(
    *("project", "origin", "unit", "status", "paused", "priority", "left_out", "spared", "level", "is_rooted"),
)
_OF_PART = attrgetter("status", "paused", "autonomous", "instant", "follows", "to_come")


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


_PART = (
    Instance.id,
    Instance.status,
    Instance.paused,
    Instance.attempt,
    Instance.rev,
    Instance.due_at,
    Instance.parent_id,
    Instance.autonomous,
    or_(Instance.dry_run, Instance.type == TaskType.VIRTUAL),
)
_LISTED = (
    Instance.name,
    Instance.task_id,
    Instance.business_date,
    Instance.project,
    Instance.owner,
    Instance.origin,
    Instance.unit,
    Instance.priority,
)
_HERE = Instance.id.in_(id_set())
_ROWS = Prepared(select(*_PART, *_LISTED).where(_HERE))
_PARTS = Prepared(select(*_PART).where(_HERE))
_NODES = Prepared(
    select(*_PART).where(Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set())).order_by(Instance.id)
)
_LEFT_OUT = Prepared(
    select(Instance.id)
    .join(BackfillDate, BackfillDate.id == Instance.backfill_date_id)
    .where(_HERE, BackfillDate.state == DateState.EXCLUDED)
)
_EDGES = Prepared(
    select(InstanceDependency.upstream_id, InstanceDependency.downstream_id).where(
        InstanceDependency.upstream_id.in_(id_set())
    )
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
    asked = bind(ids)
    nodes = defaultdict[int | None, list[Part]](list)
    for part in starmap(_part, _NODES.each(connection, ids=asked)):
        nodes[part.parent_id].append(part)
    targets = {row[0]: _target(row, nodes) for row in _ROWS.each(connection, ids=asked)}
    gated = [target.id for target in targets.values() if target.is_gated]
    for (id,) in _LEFT_OUT.all(connection, ids=bind(gated)) if gated else ():
        targets[id] = targets[id]._replace(left_out=True)
    return [targets[id] for id in ids if id in targets]


def read_parts(connection: Connection, ids: Collection[int]) -> dict[int, Part]:
    """Executable rows as they are now, by id."""
    return {part.id: part for part in starmap(_part, _PARTS.each(connection, ids=bind(ids)))}


def edges_below(connection: Connection, ids: Collection[int]) -> list[tuple[int, int]]:
    """The dependencies, as (upstream, downstream), whose upstream is one of these executable rows."""
    return _EDGES.all(connection, ids=bind(ids))


def with_upstreams(connection: Connection, targets: Iterable[Target]) -> list[Target]:
    """The same targets with what they wait for; the nodes of one logical table are not each other's (section 10)."""
    targets = list(targets)
    part_of = {part.id: target.id for target in targets for part in target.parts}
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for downstream, upstream, listed in connection.execute(_UPSTREAMS, {"ids": bind(part_of)}):
        if listed != part_of[downstream]:
            found[part_of[downstream]][upstream] = listed
    rooted = set(connection.execute(_ROOTED, {"ids": bind({target.task_id for target in targets})}).scalars())
    return [t._replace(upstreams=found.get(t.id, {}), is_rooted=t.task_id in rooted) for t in targets]


def with_order(connection: Connection, targets: Iterable[Target]) -> list[Target]:
    """The same targets, with the nodes of logical tables that follow another node of their table marked."""
    targets = list(targets)
    table_of = {part.id: target.id for target in targets if target.unit is Unit.LOGICAL_TABLE for part in target.parts}
    edges = edges_below(connection, table_of) if table_of else ()
    following = {down for up, down in edges if table_of[up] == table_of.get(down)}
    return [
        t._replace(parts=tuple(part._replace(follows=part.id in following) for part in t.parts))
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
        t._replace(parts=tuple(p._replace(to_come=p.id in marked or p.id not in carrying) for p in t.parts))
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


def read_reach(connection: Connection, targets: Iterable[Target], edges: Iterable[tuple[int, int]]) -> Reach:
    """What hangs below targets, counted in one walk; a logical table counts once.

    `edges` are the dependencies below their parts: the walk begins where these leave the targets.
    """
    targets = list(targets)
    chosen = {part.id for target in targets for part in target.parts}
    asked = {
        "ids": bind({downstream for _, downstream in edges} - chosen),
        "chosen": bind(chosen),
        "tasks": bind({target.task_id for target in targets}),
    }
    return Reach(*_REACH.one(connection, **asked))


def _reach() -> Select[int, int, int]:
    below = id_rows().cte("below", recursive=True)
    below = below.union(
        select(InstanceDependency.downstream_id)
        .join(below, InstanceDependency.upstream_id == below.c.id)
        .where(InstanceDependency.downstream_id.not_in(id_set("chosen")))
    )
    reached = select(Instance.task_id, Instance.project, func.coalesce(Instance.parent_id, Instance.id).label("row"))
    rows = reached.join(below, Instance.id == below.c.id).cte("reached")
    baselines = select(func.count(distinct(BaselineTask.baseline))).where(
        or_(BaselineTask.task_id.in_(select(rows.c.task_id)), BaselineTask.task_id.in_(id_set("tasks")))
    )
    return select(func.count(distinct(rows.c.row)), func.count(distinct(rows.c.project)), baselines.scalar_subquery())


_REACH = Prepared(_reach())

_STATUSES = {str(status): status for status in Status}
_ORIGINS = {str(origin): origin for origin in Origin}
_UNITS = {str(unit): unit for unit in Unit}


def _part(
    id: int,
    status: str,
    paused: bool,
    attempt: int,
    rev: int,
    due_at: int,
    parent_id: int | None,
    autonomous: bool,
    instant: bool,
) -> Part:
    """A row of `_PART` as the driver gives it."""
    known = _STATUSES[status]
    return Part(id, known, bool(paused), attempt, rev, due_at, parent_id, bool(autonomous), bool(instant))


def _target(row: tuple[Any, ...], nodes: Mapping[int | None, list[Part]]) -> Target:
    """A row of `_PART` and `_LISTED`, with the nodes of tables by the table's id."""
    own, parts = _part(*row[: len(_PART)]), None
    name, task_id, business_date, project, owner, origin, unit, priority = row[len(_PART) :]
    paused = own.paused
    if unit == Unit.LOGICAL_TABLE:
        parts = tuple(nodes.get(own.id, ()))
        paused = paused or any(part.paused for part in parts)
    return Target(
        own.id,
        intern(clean(name)),
        task_id,
        intern(business_date),
        intern(project),
        intern(owner),
        _ORIGINS[origin],
        _UNITS[unit],
        own.status,
        paused,
        priority,
        own.parent_id,
        (own,) if parts is None else parts,
    )
