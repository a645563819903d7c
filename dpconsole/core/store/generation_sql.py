"""What generation asks and writes: the instances of a business date, their dependencies, their first journal entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from dpconsole.core.domain.definitions import Origin
from dpconsole.core.store.models import Base, Instance, InstanceDependency, VacuousDependency
from dpconsole.core.store.session import Transaction


class Existing(NamedTuple):
    """A recurring instance that dependencies may point at, or that need not be made again."""

    id: int
    task_id: int
    node_id: int | None
    business_date: str
    ordinal: int
    due_at: int
    status: str


_EXISTING = select(*(getattr(Instance, column) for column in Existing._fields)).where(
    Instance.origin == Origin.RECURRING,
    Instance.business_date.between(bindparam("first"), bindparam("last")),
)


def existing(connection: Connection, first: str, last: str) -> list[Existing]:
    """The recurring instances of these business dates, in order of business date, due time, ordinal."""
    ordered = _EXISTING.order_by(Instance.business_date, Instance.due_at, Instance.ordinal)
    return [Existing._make(row) for row in connection.execute(ordered, {"first": first, "last": last})]


def insert_instances(transaction: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new instances; their ids were taken from the `instance` counter."""
    if rows:
        transaction.execute(insert(Instance), rows)
        transaction.touch("instance", (row["id"] for row in rows))


def insert_dependencies(
    transaction: Transaction, edges: Iterable[tuple[int, int, int, bool]], vacuous: Iterable[tuple[int, int, str]]
) -> None:
    """Write edges as (downstream, requirement, upstream, alternative), and vacuous ones as (downstream, id, key)."""
    _insert(transaction, InstanceDependency, ("downstream_id", "requirement", "upstream_id", "alternative"), edges)
    _insert(transaction, VacuousDependency, ("downstream_id", "dependency_id", "upstream_key"), vacuous)


def _insert(
    transaction: Transaction, model: type[Base], columns: tuple[str, ...], values: Iterable[tuple[Any, ...]]
) -> None:
    if rows := [dict(zip(columns, some, strict=True)) for some in values]:
        transaction.execute(insert(model), rows)
