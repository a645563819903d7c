"""Who paused what, why and when: the last pause in the ledger of each row that is paused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from dpconsole.core.domain.statuses import Verb
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import Operation, OperationItem


@dataclass(frozen=True, slots=True)
class Hold:
    """One pause: who, why, when (UTC milliseconds), and the key of the record."""

    actor: str
    reason: str
    at: int
    record: str


_PAUSES = (
    select(OperationItem.target_id, Operation.actor, Operation.reason, Operation.at, Operation.key)
    .join(Operation, Operation.id == OperationItem.operation_id)
    .where(OperationItem.target_id.in_(id_set()), Operation.verb == Verb.PAUSE, OperationItem.outcome == "ok")
    .where(Operation.kind == "instance")
    .order_by(Operation.id)
)


def read_holds(connection: Connection, ids: Collection[int]) -> dict[int, Hold]:
    """The last pause of each of these rows; one that nobody paused is left out: its task was when it was made."""
    rows = connection.execute(_PAUSES, {"ids": bind(ids)})
    return {id: Hold(clean(actor), clean(reason), at, key) for id, actor, reason, at, key in rows}
