"""What stands around a task: its upstream and downstream tasks, as they are declared and switched on (section 10).

A logical table is one task here, whichever of its nodes declared a dependency; what a task expects of its own earlier
cycles is no edge.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, func, select

from dpconsole.core.domain.definitions import DependencyCycle, Method
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import Dependency, Node, Task
from dpconsole.core.store.neighbours import Edge, Levels, NodeFacts, walk
from dpconsole.core.store.pages import shown
from dpconsole.core.store.prepared import Prepared

_COUNTS_EDGE = (
    Dependency.enabled.is_(True) & Dependency.upstream_id.is_not(None) & (Dependency.upstream_id != Dependency.task_id)
)
_NODES = (
    select(Node.task_id, func.count()).where(Node.task_id.in_(id_set()), Node.active.is_(True)).group_by(Node.task_id)
)
_FACTS = select(
    Task.id,
    Task.id.label("task_id"),
    Task.unit,
    Task.type,
    Task.name,
    Task.key.label("task"),
    Task.project,
    Task.owner,
    Task.description,
    Task.cycle,
    Task.priority,
    Task.priority.label("effective_priority"),
    (Task.method == Method.PAUSED).label("paused"),
    (Task.method == Method.DRY_RUN).label("dry_run"),
).where(Task.id.in_(id_set()))
_EDGES = select(Dependency.upstream_id, Dependency.task_id, Dependency.cycle).where(
    Dependency.task_id.in_(id_set()), _COUNTS_EDGE
)
_FIND = Prepared(select(Task.id).where(Task.key == bindparam("key")))


@dataclass(frozen=True, slots=True)
class _Direction:
    """The end of a dependency we stand on, and the end we look at."""

    here: Any
    there: Any

    def step(self) -> Prepared:
        beside = select(self.there).distinct().where(self.here.in_(id_set()), _COUNTS_EDGE)
        return Prepared(beside.order_by(self.there).limit(bindparam("most", type_=Integer)))

    def count(self) -> Prepared:
        number = func.count(self.there.distinct())
        return Prepared(select(self.here, number).where(self.here.in_(id_set()), _COUNTS_EDGE).group_by(self.here))


_UPWARDS = _Direction(Dependency.task_id, Dependency.upstream_id)
_DOWNWARDS = _Direction(Dependency.upstream_id, Dependency.task_id)
_UP, _DOWN = _UPWARDS.step(), _DOWNWARDS.step()
_COUNT_UP, _COUNT_DOWN = _UPWARDS.count(), _DOWNWARDS.count()


def find_task(connection: Connection, key: str) -> int | None:
    """The task with this key `project.name`, if there is one."""
    found = _FIND.one(connection, key=key)
    return None if found is None else int(found[0])


def read_task_levels(connection: Connection, start: int, up: int | None, down: int | None, limit: int) -> Levels:
    """The tasks at most `up` levels above and `down` below one, None for all, at most `limit` of them."""

    def step(statement: Prepared, ids: Collection[int], most: int) -> list[int]:
        return [id for (id,) in statement.all(connection, ids=bind(ids), most=most)]

    return walk(
        start,
        (lambda ids, most: step(_UP, ids, most), up),
        (lambda ids, most: step(_DOWN, ids, most), down),
        limit,
    )


def task_edges(connection: Connection, ids: Collection[int]) -> dict[Edge, bool]:
    """The edges between two of these tasks, each with whether any of its dependencies is on the current cycle."""
    inside, edges = set(ids), dict[Edge, bool]()
    for up, down, cycle in connection.execute(_EDGES, {"ids": bind(ids)}):
        if up in inside:
            current = cycle in (None, DependencyCycle.CURRENT)
            edges[up, down] = edges.get((up, down), False) or current
    return edges


def count_tasks_beside(connection: Connection, ids: Collection[int]) -> tuple[dict[int, int], dict[int, int]]:
    """How many tasks are directly above, and below, each of these; those with none are left out."""
    bound = bind(ids)
    return dict(_COUNT_UP.all(connection, ids=bound)), dict(_COUNT_DOWN.all(connection, ids=bound))


def count_nodes(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """How many materialization nodes each of these tasks has; those with none are left out."""
    return dict(connection.execute(_NODES, {"ids": bind(ids)}).all())


def read_task_facts(connection: Connection, ids: Collection[int]) -> dict[int, NodeFacts]:
    """What is told of these tasks, by id."""
    return {row.id: _facts(row) for row in connection.execute(_FACTS, {"ids": bind(ids)})}


_TEXTS = ("task", "name", "project", "owner", "description")


def _facts(row: Any) -> NodeFacts:
    values: dict[str, Any] = {name: shown(value) if name in _TEXTS else value for name, value in row._mapping.items()}
    return NodeFacts(**values)
