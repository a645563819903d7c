"""What stands around an instance: the rows some levels up and down, the edges between them, and what lies beyond.

Everything is looked up from rows that are known already, by index, so that a small neighbourhood costs the same in a
graph of any size. Levels are counted between listed rows, as an operator sees them: inside a logical table there are
none, though the edges run between its nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    bindparam,
    func,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from dpconsole.core.domain.definitions import Unit
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.arrays import bind, id_rows, id_set
from dpconsole.core.store.models import (
    Backfill,
    BackfillDate,
    Instance,
    InstanceDependency,
    Task,
    VacuousDependency,
    or_zero,
)
from dpconsole.core.store.pages import shown
from dpconsole.core.store.prepared import Prepared

FRONTIER = 10_000
"""Neighbours of one row that are counted, and no more: a row in front of a whole platform is only said to have many."""

Edge: TypeAlias = tuple[int, int]
"""Upstream id, downstream id."""

Step: TypeAlias = Callable[[Collection[int], int], Collection[int]]
"""What is directly beside some rows in one direction, at most so many of them."""


def listed_row(connection: Connection, id: int) -> int | None:
    """The listed row an instance belongs to: itself, or the logical table of a node; None when there is none."""
    found = _LISTED_ROW.one(connection, id=id)
    return None if found is None else int(found[0])


_LISTED_ROW = Prepared(
    select(func.coalesce(Instance.parent_id, Instance.id)).where(Instance.id == bindparam("id", type_=Integer))
)


# --- levels -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Levels:
    """How many levels above and below the start each row is, 1 for the nearest; `truncated` when the limit cut some.

    A logical table may be on both sides: one of its nodes before the start, another after it.
    """

    up: Mapping[int, int]
    down: Mapping[int, int]
    truncated: bool


def read_levels(
    connection: Connection,
    start: int,
    up: int | None,
    down: int | None,
    limit: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> Levels:
    """The listed rows at most `up` levels above and `down` below a listed one, None for all, at most `limit` rows.

    `check` is called before every level, and may raise.
    """
    beside = [_Beside(connection, _UP), _Beside(connection, _DOWN)]
    return walk(start, (beside[0], up), (beside[1], down), limit, check)


def walk(
    start: int,
    upwards: tuple[Step, int | None],
    downwards: tuple[Step, int | None],
    limit: int | None,
    check: Callable[[], None] = lambda: None,
) -> Levels:
    """Walk level by level, both directions in turn, so that a limit cuts the farthest of both."""
    sides = [_Side(start, *upwards), _Side(start, *downwards)]
    room = _UNLIMITED if limit is None else limit
    while any(side.goes_on for side in sides):
        for side in sides:
            if side.goes_on:
                check()
                side.advance(room - sum(len(some.levels) - 1 for some in sides))
    up, down = ({id: level for id, level in side.levels.items() if id != start} for side in sides)
    return Levels(up, down, any(side.truncated for side in sides))


_UNLIMITED = 2**31 - 1


class _Side:
    """One direction of a walk: the level of every row found, and the rows found last."""

    def __init__(self, start: int, step: Step, wanted: int | None) -> None:
        self.levels = {start: 0}
        self.truncated = False
        self._frontier: Collection[int] = [start]
        self._step = step
        self._wanted = wanted
        self._level = 0

    @property
    def goes_on(self) -> bool:
        return bool(self._frontier) and (self._wanted is None or self._level < self._wanted)

    def advance(self, room: int) -> None:
        """One level more, of at most `room` rows."""
        self._level += 1
        most = min(_UNLIMITED, room + len(self.levels) + 1)
        found = [id for id in self._step(self._frontier, most) if id not in self.levels]
        self.truncated = self.truncated or len(found) > room
        self._frontier = found[: max(0, room)]
        self.levels.update(dict.fromkeys(self._frontier, self._level))


_There = aliased(Instance, name="there")
_Part = aliased(Instance, name="part")
_LISTED = func.coalesce(_There.parent_id, _There.id)


class _Direction(NamedTuple):
    """The end of an edge we stand on, and the end we look at."""

    here: Any
    there: Any


_UPWARDS = _Direction(InstanceDependency.downstream_id, InstanceDependency.upstream_id)
_DOWNWARDS = _Direction(InstanceDependency.upstream_id, InstanceDependency.downstream_id)


def _next_level(direction: _Direction) -> Prepared:
    """The listed rows beside listed rows: their own edges, and those of their nodes."""
    nodes = select(Instance.id).where(Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set()))
    parts: CompoundSelect[int] = union_all(id_rows(), nodes)
    beside = (
        select(_LISTED.label("listed")).distinct().join_from(InstanceDependency, _There, _There.id == direction.there)
    )
    limited = beside.where(direction.here.in_(parts)).order_by("listed").limit(bindparam("most", type_=Integer))
    return Prepared(limited)


_UP, _DOWN = _next_level(_UPWARDS), _next_level(_DOWNWARDS)


@dataclass(frozen=True, slots=True)
class _Beside:
    """A step along the edges of one connection's snapshot."""

    connection: Connection
    statement: Prepared

    def __call__(self, ids: Collection[int], most: int) -> list[int]:
        return [id for (id,) in self.statement.all(self.connection, ids=bind(ids), most=most)]


# --- what is between them, and beyond ---------------------------------------------------------------------------------

_NODES_OF = Prepared(
    select(Instance.id, Instance.parent_id)
    .where(Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set()))
    .order_by(Instance.id)
)
_EDGES = Prepared(
    select(InstanceDependency.upstream_id, InstanceDependency.downstream_id).where(
        InstanceDependency.downstream_id.in_(id_set())
    )
)
_VACUOUS = Prepared(
    select(VacuousDependency.downstream_id, VacuousDependency.upstream_key)
    .where(VacuousDependency.downstream_id.in_(id_set()))
    .order_by(VacuousDependency.downstream_id, VacuousDependency.dependency_id)
)


def nodes_of(connection: Connection, ids: Collection[int]) -> dict[int, list[int]]:
    """The materialization nodes of the logical tables among these rows."""
    found: dict[int, list[int]] = defaultdict(list)
    for node, table in _NODES_OF.all(connection, ids=bind(ids)):
        found[table].append(node)
    return dict(found)


def edges_between(connection: Connection, ids: Collection[int]) -> set[Edge]:
    """The dependencies that run between two of these executable rows.

    Only the downstream end is asked for in SQL: with both, SQLite tries every pair of ids.
    """
    inside = set(ids)
    return {(up, down) for up, down in _EDGES.all(connection, ids=bind(ids)) if up in inside}


def vacuous_upstreams(connection: Connection, ids: Collection[int]) -> dict[int, list[str]]:
    """The declared upstreams that had no instance, by the executable row that named them (section 10.2)."""
    found: dict[int, list[str]] = defaultdict(list)
    for id, key in _VACUOUS.all(connection, ids=bind(ids)):
        found[id].append(shown(key))
    return dict(found)


def _count_beside(direction: _Direction, *, folded: bool) -> Prepared:
    """How many listed rows are beside each row, up to the frontier; of a folded table, beside any of its nodes."""
    chosen = id_rows().subquery("chosen")
    beside = (
        select(_LISTED.label("listed")).distinct().join_from(InstanceDependency, _There, _There.id == direction.there)
    )
    if folded:
        beside = beside.join(_Part, _Part.id == direction.here).where(_Part.parent_id == chosen.c.id)
    else:
        beside = beside.where(direction.here == chosen.c.id)
    others = beside.where(chosen.c.id != _LISTED)
    counted = others.limit(FRONTIER).correlate(chosen).subquery("beside")
    return Prepared(select(chosen.c.id, select(func.count()).select_from(counted).scalar_subquery()))


_ABOVE, _BELOW = (
    {folded: _count_beside(direction, folded=folded) for folded in (False, True)}
    for direction in (_UPWARDS, _DOWNWARDS)
)


def count_above(connection: Connection, ids: Iterable[int], tables: Collection[int]) -> dict[int, int]:
    """How many listed rows are directly above each of these, of which `tables` are folded; at most `FRONTIER`."""
    return _count(connection, _ABOVE, ids, tables)


def count_below(connection: Connection, ids: Iterable[int], tables: Collection[int]) -> dict[int, int]:
    """How many listed rows are directly below each of these; see `count_above`."""
    return _count(connection, _BELOW, ids, tables)


def _count(
    connection: Connection, counts: Mapping[bool, Prepared], ids: Iterable[int], tables: Collection[int]
) -> dict[int, int]:
    chosen = {False: [id for id in ids if id not in tables], True: list(tables)}
    asked = ((counts[folded], some) for folded, some in chosen.items() if some)
    return {id: number for statement, some in asked for id, number in statement.all(connection, ids=bind(some))}


# --- what is told of them ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What is told of one node of a picture; of a task's node nothing behind `dry_run`. Times are UTC ms.

    `task` is a key, `description` the task's, `backfill` a name, `parent` the logical table of a materialization node.
    """

    id: int
    task_id: int
    unit: str
    type: str
    name: str
    task: str
    project: str
    owner: str
    description: str
    cycle: str
    priority: int
    effective_priority: int
    paused: bool
    dry_run: bool
    parent: int | None = None
    origin: str = ""
    business_date: str = ""
    ordinal: int = 0
    due_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    status: Status | None = None
    forced: bool = False
    set_by_hand: bool = False
    backfill: str | None = None
    backfill_id: int | None = None
    backfill_date_id: int | None = None


_COLUMNS = [field.name for field in fields(NodeFacts)]
_ELSEWHERE: Mapping[str, Any] = {
    "task": Instance.task_key,
    "parent": Instance.parent_id,
    "description": Task.description,
    "backfill": Backfill.name,
}


def _facts_column(name: str) -> ColumnElement[Any]:
    column: ColumnElement[Any] = _ELSEWHERE[name] if name in _ELSEWHERE else getattr(Instance, name)
    return column


_FACTS = Prepared(
    select(*(_facts_column(name) for name in _COLUMNS))
    .select_from(Instance)
    .join(Task, Task.id == Instance.task_id)
    .outerjoin(Backfill, Backfill.id == Instance.backfill_id)
    .where(Instance.id.in_(id_set()))
)
_HELD_TABLES = Prepared(
    select(Instance.parent_id)
    .distinct()
    .where(Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set()), Instance.paused.is_(True))
)
_TEXTS = [_COLUMNS.index(name) for name in ("name", "task", "project", "owner", "description", "backfill")]
_FLAGS = [_COLUMNS.index(name) for name in ("paused", "dry_run", "forced", "set_by_hand")]
_STATUS = _COLUMNS.index("status")


def read_facts(connection: Connection, ids: Collection[int]) -> dict[int, NodeFacts]:
    """What is told of these instances, by id; a logical table is paused when one of its nodes is (section 9.2)."""
    found = {row[0]: _facts(row) for row in _FACTS.all(connection, ids=bind(ids))}
    tables = [id for id, facts in found.items() if facts.unit == Unit.LOGICAL_TABLE]
    for (id,) in _HELD_TABLES.all(connection, ids=bind(tables)) if tables else ():
        found[id] = replace(found[id], paused=True)
    return found


def _facts(row: Any) -> NodeFacts:
    values = list(row)
    for place in _TEXTS:
        values[place] = values[place] and shown(values[place])
    for place in _FLAGS:
        values[place] = bool(values[place])
    values[_STATUS] = Status(values[_STATUS])
    return NodeFacts(*values)


# --- the other data timestamps of a backfill --------------------------------------------------------------------------


class Timestamp(NamedTuple):
    """A data timestamp of a backfill: the id of its folder, and the business date as ISO text."""

    id: int
    business_date: str


_TIMESTAMPS = (
    select(BackfillDate.id, BackfillDate.business_date)
    .where(BackfillDate.backfill_id == bindparam("backfill"))
    .order_by(BackfillDate.business_date)
)
_Twin = aliased(Instance, name="twin")


def _twins() -> Select[int, int]:
    there = BackfillDate.id == bindparam("date", type_=Integer)
    return (
        select(Instance.id, _Twin.id)
        .join_from(Instance, BackfillDate, there & (BackfillDate.backfill_id == Instance.backfill_id))
        .join(
            _Twin,
            (_Twin.task_id == Instance.task_id)
            & (or_zero(_Twin.node_id) == or_zero(Instance.node_id))
            & (_Twin.business_date == BackfillDate.business_date)
            & (_Twin.ordinal == Instance.ordinal)
            & (or_zero(_Twin.backfill_id) == Instance.backfill_id),
        )
        .where(Instance.id.in_(id_set()))
    )


_TWINS = _twins()


def timestamps(connection: Connection, backfill_id: int) -> list[Timestamp]:
    """The data timestamps of a backfill, the earliest first."""
    return [Timestamp(*row) for row in connection.execute(_TIMESTAMPS, {"backfill": backfill_id})]


def twins(connection: Connection, ids: Collection[int], backfill_date_id: int) -> dict[int, int]:
    """The instances that stand where these do on another data timestamp of their backfill (section 15).

    Those that do not belong to that backfill, or were not made for that date, are left out.
    """
    found = connection.execute(_TWINS, {"ids": bind(ids), "date": backfill_date_id}).all()
    return dict(found)
