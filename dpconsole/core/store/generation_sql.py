"""What laying instances out asks and writes: those that are there, and new ones with their edges and first entries.

Thousands of rows are written at once, so they go to the driver as plain tuples: statuses and flags as their columns
hold them, and what all instances of a task have in common once (`Shape`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from dpconsole.core.domain.definitions import Origin
from dpconsole.core.domain.statuses import Cause, Status
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.journal import Steps, record
from dpconsole.core.store.models import Instance, InstanceDependency, VacuousDependency
from dpconsole.core.store.prepared import Insertion
from dpconsole.core.store.session import Transaction


class Existing(NamedTuple):
    """An instance that dependencies may point at, or that need not be made again."""

    id: int
    task_id: int
    node_id: int | None
    parent_id: int | None
    business_date: str
    ordinal: int
    due_at: int
    status: str


_EXISTING = select(*(getattr(Instance, column) for column in Existing._fields)).order_by(
    Instance.business_date, Instance.due_at, Instance.ordinal
)
_NIGHTS = _EXISTING.where(
    Instance.origin == Origin.RECURRING, Instance.business_date.between(bindparam("first"), bindparam("last"))
)
_OF_BACKFILL = _EXISTING.where(
    Instance.backfill_id.is_not(None),
    Instance.backfill_id == bindparam("backfill"),
    Instance.backfill_date_id.in_(id_set()),
)


def existing(connection: Connection, first: str, last: str) -> list[Existing]:
    """The recurring instances of these business dates, in order of business date, due time, ordinal."""
    return [Existing._make(row) for row in connection.execute(_NIGHTS, {"first": first, "last": last})]


def existing_of_backfill(connection: Connection, backfill_id: int, dates: Collection[int]) -> list[Existing]:
    """The instances of some data timestamps of a backfill, in the same order."""
    return [
        Existing._make(row) for row in connection.execute(_OF_BACKFILL, {"backfill": backfill_id, "ids": bind(dates)})
    ]


class Shape(NamedTuple):
    """What all new instances of a task, or of a materialization node, have in common."""

    task_id: int
    node_id: int | None
    backfill_id: int | None
    origin: str
    unit: str
    listing: str
    environment: str
    name: str
    task_key: str
    project: str
    owner: str
    type: str
    tags: str
    resource_group: str
    zone: str
    cycle: str
    autonomous: bool
    priority: int
    effective_priority: int
    reruns: int
    rerun_interval_ms: int
    rerun_after_timeout: bool
    timeout_ms: int


@dataclass(slots=True)
class Fresh:
    """A new instance; `pending` is counted while its edges are drawn."""

    shape: Shape
    id: int
    parent_id: int | None
    backfill_date_id: int | None
    business_date: str
    ordinal: int
    due_at: int
    status: Status
    paused: bool
    dry_run: bool
    pending: int = 0


Edge = tuple[int, int, int, bool]
"""Downstream, requirement, upstream, and whether the upstream is one of several that would do."""

Vacuous = tuple[int, int, str]
"""Downstream, the declared dependency, and the upstream it names."""

_OWN = ("id", "parent_id", "backfill_date_id", "business_date", "ordinal", "due_at", "status", "paused", "dry_run")
_INSTANCES = Insertion(Instance.__table__, (*_OWN, "pending", "rev", *Shape._fields))
_EDGES = Insertion(InstanceDependency.__table__, ("downstream_id", "requirement", "upstream_id", "alternative"))
_VACUOUS = Insertion(VacuousDependency.__table__, ("downstream_id", "dependency_id", "upstream_key"))


def write_instances(
    transaction: Transaction, rows: Sequence[Fresh], edges: Sequence[Edge], vacuous: Sequence[Vacuous], at: int
) -> None:
    """Write new instances, their edges, and the first journal entry of each (A1, A2); ids were taken before."""
    rev = transaction.rev
    _INSTANCES.run(
        transaction.connection,
        [
            (
                row.id,
                row.parent_id,
                row.backfill_date_id,
                row.business_date,
                row.ordinal,
                row.due_at,
                row.status.value,
                row.paused,
                row.dry_run,
                row.pending,
                rev,
                *row.shape,
            )
            for row in rows
        ],
    )
    _EDGES.run(transaction.connection, edges)
    _VACUOUS.run(transaction.connection, vacuous)
    record(transaction, _first_steps(rows), at)


def _first_steps(rows: Iterable[Fresh]) -> Steps:
    steps = Steps()
    for row in rows:
        steps.add(row.id, None, row.status, Cause.GENERATED, 0)
    return steps
