"""A small night written by hand: two scripts around a logical table of two nodes, so that a test can count it."""

from __future__ import annotations

from datetime import time
from typing import Any

from sqlalchemy import insert, update

from dpconsole.core.domain.definitions import (
    Baseline,
    Dependency,
    Field,
    MaterializationNode,
    Project,
    TableKind,
    Task,
    TaskType,
    UpstreamKind,
    Workspace,
)
from dpconsole.core.store.definitions import read_tasks, save_workspace
from dpconsole.core.store.models import Attempt, Instance, InstanceDependency, Transition, VacuousDependency
from dpconsole.core.store.session import Store

ODS, DIM, BASE, LTV, ADS = range(1, 6)
"""Instance ids: a script, a logical table, its two nodes, and a script that wants the table's field `ltv`."""

WORKSPACE = Workspace(
    projects=(Project("trade", "交易"),),
    baselines=(Baseline("gmv", ("trade.ads",), time(8, 0)),),
    tasks=(
        Task("trade.ods", "trade", "ods", owner="lin", tags=("gold",)),
        Task(
            "trade.dim",
            "trade",
            "dim",
            TaskType.LOGICAL_TABLE,
            owner="mei",
            kind=TableKind.DIMENSION,
            fields=(Field("id", "bigint", key=True), Field("city"), Field("ltv", "decimal"), Field("new")),
            nodes=(
                MaterializationNode("base", ("id", "city"), (Dependency(task="trade.ods"),)),
                MaterializationNode("ltv", ("ltv", "id"), (Dependency(UpstreamKind.NODE, node="base"),)),
            ),
        ),
        Task(
            "trade.ads",
            "trade",
            "ads",
            owner="lin",
            depends_on=(Dependency(task="trade.dim", fields=("ltv",)), Dependency(task="trade.ods")),
        ),
    ),
)


def instance(id: int, task_id: int, task: str, **more: Any) -> dict[str, Any]:
    """One row of `instance`, listed with the scripts unless told otherwise."""
    return {
        "id": id,
        "task_id": task_id,
        "node_id": None,
        "parent_id": None,
        "origin": "recurring",
        "unit": "script",
        "listing": "computing",
        "environment": "prod",
        "name": task.partition(".")[2],
        "task_key": task,
        "project": task.partition(".")[0],
        "owner": "lin",
        "type": "shell",
        "tags": "[]",
        "resource_group": "default",
        "business_date": "2026-11-19",
        "zone": "UTC",
        "cycle": "day",
        "ordinal": 1,
        "due_at": 1_000 * id,
        "status": "NOT_RUNNING",
        "priority": 5,
        "effective_priority": 5,
        "rev": 1,
        **more,
    }


def write_night(store: Store) -> dict[str, int]:
    """Write the night; returns the task ids by key."""
    with store.write() as transaction:
        save_workspace(transaction, WORKSPACE, 0)
        tasks = {some.task.id: some for some in read_tasks(transaction.connection).values()}
        ods, dim, ads = (tasks[f"trade.{name}"] for name in ("ods", "dim", "ads"))
        transaction.take("instance", ADS)
        node = {"task_id": dim.id, "task": "trade.dim", "unit": "node", "listing": "", "parent_id": DIM}
        transaction.execute(
            insert(Instance),
            [
                instance(ODS, ods.id, "trade.ods", tags='["gold"]'),
                instance(DIM, dim.id, "trade.dim", unit="logical_table", listing="modeling", type="logical_table"),
                instance(BASE, node_id=dim.node_ids["base"], **node),
                instance(LTV, node_id=dim.node_ids["ltv"], **node),
                instance(ADS, ads.id, "trade.ads"),
            ],
        )
        edges = [(BASE, 1, ODS, False), (LTV, 1, BASE, False), (ADS, 1, LTV, True), (ADS, 2, ODS, False)]
        names = ("downstream_id", "requirement", "upstream_id", "alternative")
        transaction.execute(insert(InstanceDependency), [dict(zip(names, edge, strict=True)) for edge in edges])
    return {key: some.id for key, some in tasks.items()}


def set_instance(store: Store, id: int, **values: Any) -> int:
    """Change columns of one instance; returns the revision."""
    with store.write() as transaction:
        transaction.execute(update(Instance).where(Instance.id == id).values(**values, rev=transaction.rev))
        transaction.touch("instance", [id])
    return transaction.rev


def add_attempt(store: Store, id: int, number: int, **values: Any) -> None:
    """One attempt of an instance."""
    defaults = {"token": 1, "state": "failed", "trigger": "schedule", "dispatched_at": 0, "lease_until": 0}
    with store.write() as transaction:
        row = defaults | {"instance_id": id, "number": number, "deadline_at": 0} | values
        transaction.execute(insert(Attempt), row)


def add_transition(store: Store, id: int, before: str | None, after: str, cause: str) -> None:
    """One journal entry of an instance."""
    row = {"instance_id": id, "at": 0, "before": before, "after": after, "cause": cause, "actor": "", "attempt": 0}
    with store.write() as transaction:
        transaction.execute(insert(Transition), row | {"rev": transaction.rev})


def add_vacuous(store: Store, id: int, upstream: str) -> None:
    """A declared upstream that had no instance."""
    with store.write() as transaction:
        row = {"downstream_id": id, "dependency_id": 1, "upstream_key": upstream}
        transaction.execute(insert(VacuousDependency), row)
