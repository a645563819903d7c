"""What holds instances back, as the rows say it: their own state, and the upstreams that are not there yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Subquery, case, func, literal, select
from sqlalchemy.orm import aliased

from dpconsole.core.domain.definitions import Unit
from dpconsole.core.domain.keys import instance_key
from dpconsole.core.domain.statuses import TERMINAL, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import BackfillDate, Instance, InstanceDependency, Transition, status_is


class Standing(NamedTuple):
    """An executable row and what may hold it back; times in UTC milliseconds."""

    id: int
    parent_id: int | None
    name: str
    status: str
    paused: bool
    paused_until: int | None
    autonomous: bool
    pending: int
    due_at: int
    retry_at: int | None
    auto_reruns: int
    reruns: int
    error: str
    resource_group: str
    project: str
    origin: str
    environment: str
    type: str
    tags: str
    backfill_date_id: int | None


@dataclass(frozen=True, slots=True)
class Missing:
    """An upstream that has not succeeded and is needed."""

    id: int
    key: str
    name: str
    status: Status
    paused: bool


_Upstream = aliased(Instance, name="upstream")
_STANDING = select(*(getattr(Instance, column) for column in Standing._fields)).order_by(Instance.due_at, Instance.id)
_CHOSEN = _STANDING.where(Instance.id.in_(id_set()), Instance.unit != Unit.LOGICAL_TABLE)
_NODES = _STANDING.where(Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set()))


def _unmet(*condition: Any) -> Subquery:
    """Requirements none of whose alternatives has succeeded, and how their upstreams stand."""
    edge = InstanceDependency
    return (
        select(
            edge.downstream_id,
            edge.requirement,
            func.max(case((_Upstream.status == Status.FAILED, 1), else_=0)).label("failed"),
            func.max(case((_Upstream.paused, 1), else_=0)).label("paused"),
        )
        .join(_Upstream, _Upstream.id == edge.upstream_id)
        .where(*condition)
        .group_by(edge.downstream_id, edge.requirement)
        .having(func.sum(case((_Upstream.status == Status.SUCCEEDED, 1), else_=0)) == 0)
        .subquery("unmet")
    )


def _missing() -> Select[*tuple[Any, ...]]:
    unmet, edge = _unmet(InstanceDependency.downstream_id.in_(id_set())), InstanceDependency
    return (
        select(
            edge.downstream_id,
            _Upstream.id,
            _Upstream.task_id,
            _Upstream.business_date,
            _Upstream.name,
            _Upstream.status,
            _Upstream.paused,
        )
        .join(unmet, (unmet.c.downstream_id == edge.downstream_id) & (unmet.c.requirement == edge.requirement))
        .join(_Upstream, _Upstream.id == edge.upstream_id)
        .order_by(_Upstream.due_at, _Upstream.id)
    )


_MISSING = _missing()


def read_standing(connection: Connection, ids: Collection[int]) -> list[Standing]:
    """The executable rows behind these instances: themselves, or the nodes of a logical table."""
    bound = {"ids": bind(ids)}
    return [Standing._make(row) for statement in (_CHOSEN, _NODES) for row in connection.execute(statement, bound)]


def read_missing(connection: Connection, ids: Collection[int]) -> Mapping[int, list[Missing]]:
    """The upstreams that each of these executable rows still needs, the earliest due first."""
    missing: dict[int, list[Missing]] = defaultdict(list)
    for row in connection.execute(_MISSING, {"ids": bind(ids)}):
        key = instance_key(row.task_id, row.business_date, row.id)
        missing[row.downstream_id].append(Missing(row.id, key, clean(row.name), Status(row.status), row.paused))
    return missing


class Alike(NamedTuple):
    """A number of executable rows that have not begun and are held by the same; 1 and 0 say yes and no, -1 neither.

    `turn` is where the data timestamp stands in its queue, None outside backfills.
    """

    status: Status
    paused: bool
    autonomous: bool
    turn: str | None
    upstream_failed: int
    upstream_paused: int
    number: int


def count_standing(connection: Connection) -> list[Alike]:
    """Executable rows that have not begun, counted by what holds them."""
    return [Alike(Status(status), *rest) for status, *rest in connection.execute(_COUNTED)]


def _counted() -> Select[*tuple[Any, ...]]:
    blocked = select(Instance.id).where(status_is(Status.NOT_RUNNING), Instance.pending > 0)
    unmet = _unmet(InstanceDependency.downstream_id.in_(blocked))
    by_row = (
        select(unmet.c.downstream_id, func.max(unmet.c.failed).label("failed"), func.max(unmet.c.paused).label("waits"))
        .group_by(unmet.c.downstream_id)
        .subquery("by_row")
    )
    failed, waits = (func.coalesce(column, literal(-1)) for column in (by_row.c.failed, by_row.c.waits))
    held = (Instance.status, Instance.paused, Instance.autonomous, BackfillDate.state, failed, waits)
    return (
        select(*held, func.count())
        .outerjoin(by_row, by_row.c.downstream_id == Instance.id)
        .outerjoin(BackfillDate, BackfillDate.id == Instance.backfill_date_id)
        .where(Instance.status.not_in(sorted(TERMINAL | {Status.RUNNING})), Instance.unit != Unit.LOGICAL_TABLE)
        .group_by(*held)
    )


_COUNTED = _counted()


def count_statuses(connection: Connection) -> dict[Status, int]:
    """How many executable rows have each status, in the order of the statuses."""
    rows = dict(connection.execute(_STATUSES).all())
    return {status: rows[status] for status in Status if status in rows}


def last_step_at(connection: Connection) -> int | None:
    """When the journal's last entry was written; None for an empty journal."""
    return connection.execute(_LAST_STEP).scalar_one_or_none()


_STATUSES = select(Instance.status, func.count()).where(Instance.unit != Unit.LOGICAL_TABLE).group_by(Instance.status)
_LAST_STEP = select(Transition.at).order_by(Transition.id.desc()).limit(1)
