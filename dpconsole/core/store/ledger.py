"""The ledger's rows: one record for each thing an operator did or was refused, and its items (section 19).

A record is opened with every item it plans to touch, its items are settled chunk by chunk in the transactions that
change the instances, and closing it links it to the chain. A record that was never closed is one whose process died;
its items say how far it came, and `read_appliers` which process that was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, delete, insert, select, update

from dpconsole.core.domain.keys import backfill_key, date_key, flow_key, instance_key
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import Instance, Operation, OperationApplier, OperationItem
from dpconsole.core.store.prepared import Insertion, Prepared
from dpconsole.core.store.processes import Process
from dpconsole.core.store.session import Transaction


class LedgerItem(NamedTuple):
    """What one record did to one target. `outcome`: planned, ok, skipped, refused or failed."""

    target_id: int
    name: str
    before: str
    after: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One record without its items. `state`: applying, done, partly_done, failed, cancelled or refused.

    `kind` is what its items are: instances, backfills, their data timestamps, or saved flows. While it is applying,
    `acts` counts what its plan meant to act on.
    """

    id: int
    key: str
    verb: str
    kind: str
    actor: str
    source: str
    at: int
    finished_at: int | None
    reason: str
    command: str
    arguments: dict[str, Any]
    state: str
    acts: int
    skipped: int
    refused: int
    previous_hash: str
    hash: str
    rev: int


_TABLE = Operation.__table__
_ROWS = select(*(_TABLE.c[name] for name in LedgerRow.__slots__))
_APPLIED = _ROWS.join(OperationApplier, OperationApplier.operation_id == _TABLE.c.id)
_OF_RECORD = OperationItem.operation_id == bindparam("record", type_=BigInteger)
_ITEMS = Prepared(
    select(*(getattr(OperationItem, column) for column in LedgerItem._fields))
    .where(_OF_RECORD)
    .order_by(OperationItem.target_id)
)
_WRITE_ITEMS = Insertion(OperationItem.__table__, ("operation_id", *LedgerItem._fields))
_KEYS = (
    select(Instance.id, Instance.task_id, Instance.business_date)
    .join(OperationItem, OperationItem.target_id == Instance.id)
    .where(_OF_RECORD)
)
_PLANNED = Prepared(
    select(OperationItem.target_id).where(
        _OF_RECORD, OperationItem.target_id.in_(id_set()), OperationItem.outcome == "planned"
    )
)
_SETTLE = (
    update(OperationItem)
    .where(OperationItem.operation_id == bindparam("record"), OperationItem.target_id.in_(id_set()))
    .values(
        {
            OperationItem.after: bindparam("status"),
            OperationItem.outcome: bindparam("became"),
            OperationItem.reason: bindparam("why"),
        }
    )
)
_WRITTEN_LAST = ("finished_at", "state", "acts", "skipped", "refused", "previous_hash", "hash")
_CLOSED = Operation.hash != ""


def open_record(
    transaction: Transaction, values: dict[str, Any], items: Sequence[LedgerItem], applier: Process | None = None
) -> int:
    """Write a record and its items; returns its id. `values` are columns of `operation`.

    `applier` is the process that will go on with it; None when this transaction closes it.
    """
    record = transaction.take("operation", 1)
    row = {"state": "applying", **values, "id": record, "rev": transaction.rev}
    transaction.execute(insert(Operation).values(row))
    _WRITE_ITEMS.run(transaction.connection, [(record, item.target_id, *map(str, item[1:])) for item in items])
    if applier is not None:
        who = {"boot_id": applier.boot_id, "pid": applier.pid, "pid_started": applier.started}
        transaction.execute(insert(OperationApplier).values(operation_id=record, **who))
    transaction.touch("operation", [record])
    return record


def planned_items(transaction: Transaction, record: int, ids: Iterable[int]) -> set[int]:
    """Those of the instances that this record has still to deal with."""
    return {id for (id,) in _PLANNED.each(transaction.connection, record=record, ids=bind(ids))}


def settle_items(transaction: Transaction, record: int, outcomes: Iterable[tuple[int, str, str, str]]) -> None:
    """Write what became of items: rows of (instance id, after, outcome, reason), those that are alike together."""
    alike: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for instance, *became in outcomes:
        alike[became[0], became[1], became[2]].append(instance)
    for (after, outcome, reason), ids in alike.items():
        what = {"record": record, "status": after, "became": outcome, "why": reason}
        transaction.execute(_SETTLE, {"ids": bind(ids), **what})


def close_record(transaction: Transaction, closed: LedgerRow) -> None:
    """Finish a record: write its state, its counts and its place in the chain."""
    values = {name: getattr(closed, name) for name in _WRITTEN_LAST}
    transaction.execute(update(Operation).where(Operation.id == closed.id).values(**values, rev=transaction.rev))
    transaction.execute(delete(OperationApplier).where(OperationApplier.operation_id == closed.id))
    transaction.touch("operation", [closed.id])


def read_record(connection: Connection | Transaction, key: str) -> LedgerRow | None:
    """The record a client made under this key, if any."""
    row = connection.execute(_ROWS.where(Operation.key == key)).one_or_none()
    return None if row is None else LedgerRow(*row)


def read_appliers(connection: Connection) -> list[tuple[LedgerRow, Process]]:
    """The records that are still being applied, each with the process that does it, or did."""
    records = {row.id: LedgerRow(*row) for row in connection.execute(_APPLIED)}
    appliers = connection.execute(select(OperationApplier.__table__)).all() if records else ()
    return [(records[row.operation_id], Process("", row.boot_id, row.pid, row.pid_started)) for row in appliers]


def read_items(connection: Connection | Transaction, record: int) -> list[LedgerItem]:
    """The items of a record, by instance id."""
    inner = connection.connection if isinstance(connection, Transaction) else connection
    return list(map(LedgerItem._make, _ITEMS.all(inner, record=record)))


def read_keys(connection: Connection, row: LedgerRow) -> dict[int, str]:
    """The ids that the items of a record are shown under; instances that are gone are left out."""
    if row.kind in _FOLDER_KEYS:
        return {item.target_id: _FOLDER_KEYS[row.kind](item.target_id) for item in read_items(connection, row.id)}
    rows = connection.execute(_KEYS, {"record": row.id})
    return {id: instance_key(task, business_date, id) for id, task, business_date in rows}


_FOLDER_KEYS = {"backfill": backfill_key, "backfill_date": date_key, "backfill_flow": flow_key}


def read_chain(connection: Connection) -> list[LedgerRow]:
    """Every closed record, in the order in which the chain grew."""
    return [LedgerRow(*row) for row in connection.execute(_ROWS.where(_CLOSED).order_by(Operation.rev))]


def last_hash(connection: Connection | Transaction) -> str:
    """The end of the chain; empty before the first record is closed."""
    newest = select(Operation.hash).where(_CLOSED).order_by(Operation.rev.desc()).limit(1)
    return connection.execute(newest).scalar() or ""
