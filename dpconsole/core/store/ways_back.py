"""Whether something can still be taken back: what stands as an operator left it, and what has gone on from there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, select

from dpconsole.core.domain.statuses import Cause, Status
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import Instance, InstanceDependency, Operation, Transition

_ROWS = select(Instance.id, Instance.id, Instance.status, Instance.set_by_hand).where(Instance.id.in_(id_set()))
_NODES = select(Instance.id, Instance.parent_id, Instance.status, Instance.set_by_hand).where(
    Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set())
)
_STARTED = (
    select(InstanceDependency.upstream_id)
    .join(Transition, Transition.instance_id == InstanceDependency.downstream_id)
    .where(
        InstanceDependency.upstream_id.in_(id_set()),
        Transition.at >= bindparam("since", type_=BigInteger),
        Transition.after.in_((Status.RUNNING, Status.SUCCEEDED)),
        Transition.cause.in_((Cause.DUE, Cause.ADMITTED, Cause.FINISHED)),
    )
    .distinct()
)
_LAST = (
    select(Operation.key)
    .where(Operation.actor == bindparam("actor"), Operation.hash != "", Operation.acts > 0)
    .order_by(Operation.id.desc())
    .limit(1)
)


def standing_by_hand(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of the instances that stand Succeeded because somebody said so; of a table, because of one of its nodes."""
    succeeded, by_hand = set[int](), set[int]()
    for _, row, status, hand in _parts(connection, ids):
        succeeded |= {row} if status == Status.SUCCEEDED else set()
        by_hand |= {row} if hand else set()
    return succeeded & by_hand


def gone_on_from(connection: Connection, ids: Collection[int], since_ms: int) -> set[int]:
    """Those of the instances directly below which something has started since a moment, in UTC milliseconds."""
    row_of = {part: row for part, row, _, _ in _parts(connection, ids)}
    started = connection.execute(_STARTED, {"ids": bind(row_of), "since": since_ms}).scalars()
    return {row_of[part] for part in started}


def last_record_of(connection: Connection, actor: str) -> str | None:
    """The key of the newest record in which this operator changed something."""
    return connection.execute(_LAST, {"actor": actor}).scalar_one_or_none()


def _parts(connection: Connection, ids: Collection[int]) -> list[Row[*tuple[Any, ...]]]:
    """The executable rows, and the tables themselves: id, the listed row, status, whether it was set by hand."""
    bound = {"ids": bind(ids)}
    return [row for statement in (_ROWS, _NODES) for row in connection.execute(statement, bound)]
