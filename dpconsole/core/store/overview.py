"""What an operator wants to know first: what broke and whether it is one cause, how far the night is, what is late.

One read of one data timestamp in one environment; logical tables are left out, their nodes stand for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select
from sqlalchemy.orm import aliased

from dpconsole.core.domain.definitions import Origin, Unit
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.models import Baseline, BaselineTask, Instance, InstanceDependency, Task

GROUPS = 50
"""Groups of failures that are told apart."""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures with one error signature: how many, in how many tasks, the first one (id, name, end in UTC ms).

    `behind` counts the instances that have not run because of them: downstream, through nothing but what has not run.
    """

    error: str
    count: int
    tasks: int
    first_id: int
    first_name: str
    first_at: int
    behind: int = 0


@dataclass(frozen=True, slots=True)
class BaselineProgress:
    """A baseline on one data timestamp; `committed` and `margin_ms` count from the run day's midnight, in ms."""

    name: str
    committed_ms: int
    margin_ms: int
    done: int
    failed: int
    total: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The night at a glance. `blocked` is how many Not Running instances wait for an upstream.

    `is_loaded`: whether there is any task at all, without which there never is an instance.
    """

    counts: Mapping[Status, int]
    paused: int
    blocked: int
    failures: tuple[FailureGroup, ...]
    baselines: tuple[BaselineProgress, ...]
    is_loaded: bool

    @property
    def total(self) -> int:
        """All instances."""
        return sum(self.counts.values())


def read_overview(connection: Connection, environment: str, business_date: str) -> Overview:
    """The recurring instances of a data timestamp (ISO) in an environment."""
    scope = and_(
        Instance.business_date == business_date,
        Instance.environment == environment,
        Instance.origin == Origin.RECURRING,
        Instance.unit != Unit.LOGICAL_TABLE,
    )
    counted = connection.execute(select(Instance.status, func.count()).where(scope).group_by(Instance.status))
    waiting = (Instance.status == Status.NOT_RUNNING) & (Instance.pending > 0)
    held = connection.execute(
        select(func.count(case((Instance.paused, 1))), func.count(case((waiting, 1)))).where(scope)
    ).one()
    behind = dict(connection.execute(_behind(scope)).all())
    failures = [FailureGroup(*row) for row in connection.execute(_failures(scope))]
    groups = [replace(group, behind=behind.get(group.error, 0)) for group in failures]
    return Overview(
        counts={Status(status): count for status, count in counted},
        paused=held[0],
        blocked=held[1],
        failures=tuple(sorted(groups, key=lambda group: (group.first_at, group.first_id))),
        baselines=tuple(BaselineProgress(*row) for row in connection.execute(_baselines(scope))),
        is_loaded=connection.execute(select(Task.id).limit(1)).first() is not None,
    )


def _failures(scope: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The biggest groups; the first failure of each is the one that ended earliest."""
    failed = (
        select(
            Instance.error,
            Instance.task_id,
            Instance.id,
            Instance.name,
            func.coalesce(Instance.ended_at, Instance.due_at).label("at"),
            func.row_number()
            .over(
                partition_by=Instance.error, order_by=(func.coalesce(Instance.ended_at, Instance.due_at), Instance.id)
            )
            .label("place"),
        )
        .where(scope, Instance.status == Status.FAILED)
        .subquery()
    )
    first = case((failed.c.place == 1, failed.c.id))
    return (
        select(
            failed.c.error,
            func.count(),
            func.count(failed.c.task_id.distinct()),
            func.max(first),
            func.max(case((failed.c.place == 1, failed.c.name))),
            func.min(failed.c.at),
        )
        .group_by(failed.c.error)
        .order_by(func.count().desc(), func.min(failed.c.at))
        .limit(GROUPS)
    )


def _behind(scope: ColumnElement[bool]) -> Select[str, int]:
    """By error signature, how many instances wait behind the failures, a logical table once; one walk for all."""
    reached = aliased(Instance, name="reached")
    failed = and_(scope, Instance.status == Status.FAILED)
    starts = select(Instance.error.label("error"), Instance.id.label("id")).where(failed)
    walk = starts.cte("below", recursive=True)
    edges = InstanceDependency.__table__
    onwards = (
        select(walk.c.error, edges.c.downstream_id)
        .join(edges, edges.c.upstream_id == walk.c.id)
        .join(reached, and_(reached.id == edges.c.downstream_id, reached.status == Status.NOT_RUNNING))
    )
    walk = walk.union(onwards)
    row = func.coalesce(reached.parent_id, reached.id)
    return (
        select(walk.c.error, func.count(row.distinct()))
        .join(reached, and_(reached.id == walk.c.id, reached.status == Status.NOT_RUNNING))
        .group_by(walk.c.error)
    )


def _baselines(scope: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    done = func.count(case((Instance.status == Status.SUCCEEDED, 1)))
    failed = func.count(case((Instance.status == Status.FAILED, 1)))
    return (
        select(Baseline.name, Baseline.committed * 60_000, Baseline.margin_ms, done, failed, func.count())
        .join(BaselineTask, BaselineTask.baseline == Baseline.name)
        .join(Instance, Instance.task_id == BaselineTask.task_id)
        .where(scope)
        .group_by(Baseline.name, Baseline.committed, Baseline.margin_ms)
        .order_by(Baseline.committed, Baseline.name)
    )
