"""Graph operators: a name, and what stands upstream and downstream of it, as recursive SQL.

The walk starts from the instances of the tasks that bear the name - exactly, or else in part; a number is an id -
within the data timestamp, backfill and origin that stand beside the operator, so `+board biz:2026-11-19` means that
day's board. Edges run between executable instances; a logical table is listed when any node of it is reached. Without
a number of levels every row is visited once, whatever the number of paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, exists, literal, not_, or_, select, union
from sqlalchemy.orm import aliased

from dpconsole.core.query.language import Walk
from dpconsole.core.query.matching import Column, contains, is_pattern
from dpconsole.core.query.values import QueryContext, read_id
from dpconsole.core.store.hints import set_aside
from dpconsole.core.store.models import Dependency, Instance, InstanceDependency, Task


@dataclass(frozen=True, slots=True)
class _Edges:
    """The columns of a table of dependencies, and which of its rows count."""

    upstream: Column
    downstream: Column
    counts: ColumnElement[bool] | None = None


_INSTANCE_EDGES = _Edges(InstanceDependency.upstream_id, InstanceDependency.downstream_id)
_TASK_EDGES = _Edges(
    Dependency.upstream_id, Dependency.task_id, and_(Dependency.upstream_id.is_not(None), Dependency.enabled)
)


def instances_around(walk: Walk, context: QueryContext, beside: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Instances of the name and around it; `beside` narrows where the walk starts."""
    number = read_id(walk.name.text, prefix="t")
    by_task = Instance.task_id.in_(select(Task.id).where(_bears(walk)))
    named = by_task if number is None else or_(Instance.id == number, Instance.parent_id == number)
    start = select(Instance.id).where(set_aside(Instance.environment) == context.environment, named, *beside)
    reached = _reached(walk, start, _INSTANCE_EDGES)
    tables = select(Instance.parent_id).where(Instance.parent_id.is_not(None), Instance.id.in_(reached))
    return or_(Instance.id.in_(reached), Instance.id.in_(tables))


def tasks_around(walk: Walk) -> ColumnElement[bool]:
    """Tasks of the name and around it, along the dependencies that are switched on."""
    number = read_id(walk.name.text, prefix="n")
    named = _bears(walk) if number is None else Task.id == number
    return Task.id.in_(_reached(walk, select(Task.id).where(named), _TASK_EDGES))


def _bears(walk: Walk) -> ColumnElement[bool]:
    """The tasks that bear the name or workspace id; when there are none, those that have it in their names."""
    if is_pattern(walk.name):
        return contains(Task.name, walk.name)
    exactly = or_(Task.name == walk.name.text, Task.key == walk.name.text)
    other = aliased(Task)
    some = exists().where(or_(other.name == walk.name.text, other.key == walk.name.text))
    return or_(exactly, and_(not_(some), contains(Task.name, walk.name)))


def _reached(walk: Walk, start: Select[int], edges: _Edges) -> Select[Any]:
    """The ids of the start and of everything within the levels asked for."""
    sides = (
        (walk.up, edges.downstream, edges.upstream),
        (walk.down, edges.upstream, edges.downstream),
    )
    walked = [_side(start, here, there, edges, levels) for levels, here, there in sides if levels != 0]
    return select(union(*(select(side.c.id) for side in walked)).subquery().c.id) if walked else start


def _side(start: Select[int], here: Column, there: Column, edges: _Edges, levels: int | None) -> CTE:
    """One direction of the walk. Only a limited walk carries the level, and so may visit a row once for each."""
    level = [] if levels is None else [literal(0).label("level")]
    side = start.add_columns(*level).cte(recursive=True)
    step = select(there).join(side, here == side.c.id)
    if edges.counts is not None:
        step = step.where(edges.counts)
    if levels is not None:
        step = step.add_columns(side.c.level + 1).where(side.c.level < levels)
    return side.union(step)
