"""What a flight plan asks of the store: how the start stands on each data timestamp, and who else is at work there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, String, bindparam, func, select

from dpconsole.core.domain.backfills import BackfillState, DateState
from dpconsole.core.domain.definitions import Origin
from dpconsole.core.domain.statuses import Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.hints import set_aside
from dpconsole.core.store.models import Backfill, BackfillDate, Instance, Task, or_zero

_BETWEEN = (bindparam("first", type_=String), bindparam("last", type_=String))
_STANDING = (
    select(Instance.business_date, Instance.status, func.count())
    .where(
        Instance.task_id.in_(id_set()),
        or_zero(Instance.node_id) == 0,
        Instance.business_date.between(*_BETWEEN),
        set_aside(Instance.origin) == Origin.RECURRING,
        set_aside(Instance.environment) == bindparam("environment"),
    )
    .group_by(Instance.business_date, Instance.status)
)
_AT_WORK = (
    select(Backfill.id, Backfill.name, BackfillDate.business_date, func.count(Instance.task_id.distinct()))
    .join_from(BackfillDate, Backfill, Backfill.id == BackfillDate.backfill_id)
    .join(
        Instance,
        (Instance.backfill_id == BackfillDate.backfill_id) & (Instance.backfill_date_id == BackfillDate.id),
    )
    .where(
        BackfillDate.state.in_([DateState.WAITING, DateState.BEGUN]),
        BackfillDate.business_date.between(*_BETWEEN),
        Backfill.state.in_([BackfillState.SUBMITTING, BackfillState.SUBMITTED]),
        Backfill.environment == bindparam("environment"),
        Instance.task_id.in_(id_set()),
        Instance.status != Status.SUCCEEDED,
    )
    .group_by(Backfill.id, Backfill.name, BackfillDate.business_date)
    .order_by(Backfill.id, BackfillDate.business_date)
)
_DEFINED = select(func.count(), func.max(Task.rev))


class AtWork(NamedTuple):
    """A backfill that has not done some tasks on a data timestamp (ISO) yet."""

    id: int
    name: str
    business_date: str
    tasks: int


def read_standing(
    connection: Connection, environment: str, tasks: Collection[int], first: str, last: str
) -> dict[str, Counter[Status]]:
    """By data timestamp (ISO): how many recurring instances of these tasks stand where; one without any is absent."""
    asked = {"ids": bind(tasks), "environment": environment, "first": first, "last": last}
    standing: dict[str, Counter[Status]] = defaultdict(Counter)
    for business_date, status, number in connection.execute(_STANDING, asked):
        standing[business_date][Status(status)] = number
    return standing


def read_at_work(
    connection: Connection, environment: str, tasks: Collection[int], first: str, last: str
) -> list[AtWork]:
    """The submitted backfills that have not done these tasks yet, by data timestamp; names are cleaned."""
    asked = {"ids": bind(tasks), "environment": environment, "first": first, "last": last}
    return [AtWork(id, clean(name), day, tasks) for id, name, day, tasks in connection.execute(_AT_WORK, asked)]


def definitions_stamp(connection: Connection) -> tuple[int, int]:
    """A mark that moves whenever a load changes, adds or takes a task."""
    number, rev = connection.execute(_DEFINED).one()
    return number, rev or 0
