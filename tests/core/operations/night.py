"""A small night written straight into the store, and the verbs of one operator on it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, pairwise
from typing import Any

from sqlalchemy import func, insert, select, update

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.definitions import Role, Unit
from dpconsole.core.domain.fields import derive
from dpconsole.core.domain.statuses import Cause, Status
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.journal import Steps, record
from dpconsole.core.store.models import (
    Baseline,
    BaselineTask,
    Instance,
    InstanceDependency,
    Member,
    Project,
    Task,
    Transition,
)
from dpconsole.core.store.session import Store

NOW = 1_795_114_800_000
"""2026-11-20T03:00:00+08:00."""


class Night:
    """Writes projects, instances and their dependencies; every row comes with the journal that explains it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._projects: set[str] = set()

    def members(self, project: str, **roles: Role) -> None:
        self.project(project)
        with self.store.write() as transaction:
            rows = [{"project": project, "user": user, "role": role} for user, role in roles.items()]
            transaction.execute(insert(Member), rows)

    def instance(self, name: str, status: Status = Status.FAILED, project: str = "trade", **columns: Any) -> int:
        self.project(project)
        with self.store.write() as transaction:
            id = transaction.take("instance", 1)
            task = columns.pop("task_id", None) or self._task(transaction, name, project)
            values = _INSTANCE | {"task_id": task, "name": name, "task_key": f"{project}.{name}", "project": project}
            values |= {"id": id, "status": status, "rev": transaction.rev, "due_at": NOW + id} | columns
            transaction.execute(insert(Instance).values(values))
            steps = Steps()
            steps.add(id, None, status, Cause.GENERATED, values["attempt"])
            record(transaction, steps, NOW)
        return id

    def table(self, name: str, nodes: Sequence[Status], **columns: Any) -> tuple[int, list[int]]:
        status = derive(nodes)
        folder = self.instance(name, status, unit=Unit.LOGICAL_TABLE, autonomous=False, **columns)
        with self.store.read() as connection:
            task = connection.execute(select(Instance.task_id).where(Instance.id == folder)).scalar_one()
        ordinals = count(2)
        return folder, [
            self.instance(
                f"{name}#{node}",
                node,
                unit=Unit.NODE,
                parent_id=folder,
                task_id=task,
                ordinal=next(ordinals),
                listing="",
                paused=columns.get("paused", False),
            )
            for node in nodes
        ]

    def edge(self, upstream: int, downstream: int) -> None:
        with self.store.write() as transaction:
            row = {"downstream_id": downstream, "requirement": upstream, "upstream_id": upstream}
            transaction.execute(insert(InstanceDependency).values(row))
            status = select(Instance.status).where(Instance.id == upstream)
            if transaction.execute(status).scalar_one() != Status.SUCCEEDED:
                bump = update(Instance).where(Instance.id == downstream).values(pending=Instance.pending + 1)
                transaction.execute(bump)

    def chain(self, *instances: int) -> None:
        for upstream, downstream in pairwise(instances):
            self.edge(upstream, downstream)

    def baseline(self, name: str, instance: int) -> None:
        with self.store.write() as transaction:
            task = transaction.execute(select(Instance.task_id).where(Instance.id == instance)).scalar_one()
            row = {"name": name, "priority": 1, "committed": 480, "margin_ms": 0}
            transaction.execute(insert(Baseline).values(row))
            transaction.execute(insert(BaselineTask).values(baseline=name, task_id=task, is_end=True))

    def set(self, instance: int, **columns: Any) -> None:
        """What somebody else does to a row in the meantime."""
        with self.store.write() as transaction:
            values = {**columns, "rev": transaction.rev}
            transaction.execute(update(Instance).where(Instance.id == instance).values(values))

    def row(self, instance: int) -> Any:
        with self.store.read() as connection:
            return connection.execute(select(Instance.__table__).where(Instance.id == instance)).one()

    def rows(self) -> list[tuple[Any, ...]]:
        """Every instance, whole."""
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(select(Instance.__table__).order_by(Instance.id))]

    def journal(self, instance: int) -> list[tuple[str | None, str, str, str]]:
        """Before, after, cause and actor of an instance's steps."""
        with self.store.read() as connection:
            found = select(Transition.before, Transition.after, Transition.cause, Transition.actor)
            rows = connection.execute(found.where(Transition.instance_id == instance).order_by(Transition.id))
            return [tuple(row) for row in rows]

    def steps(self) -> int:
        """How long the journal is."""
        with self.store.read() as connection:
            return connection.execute(select(func.count()).select_from(Transition)).scalar_one()

    def project(self, name: str) -> None:
        if name not in self._projects:
            self._projects.add(name)
            with self.store.write() as transaction:
                transaction.execute(insert(Project).values(name=name))

    def _task(self, transaction: Any, name: str, project: str) -> int:
        id = transaction.take("task", 1)
        values = _TASK | {"id": id, "key": f"{project}.{name}.{id}", "project": project, "name": name}
        transaction.execute(insert(Task).values(values))
        return id


_TASK = {
    "type": "shell",
    "unit": "script",
    "method": "normal",
    "cycle": "day",
    "schedule": {},
    "owner": "lin",
    "operation_owner": "lin",
    "description": "",
    "priority": 5,
    "tags": [],
    "folder": "/",
    "run": {},
    "simulate": {},
    "parameters": [],
    "output_table": "",
    "template": "",
    "created_at": NOW,
    "modified_at": NOW,
}
_INSTANCE = {
    "origin": "recurring",
    "unit": "script",
    "listing": "computing",
    "environment": "prod",
    "owner": "lin",
    "type": "shell",
    "resource_group": "default",
    "business_date": "2026-11-19",
    "zone": "Asia/Shanghai",
    "cycle": "day",
    "ordinal": 1,
    "priority": 5,
    "effective_priority": 5,
    "attempt": 0,
}


def operations_of(night: Night, clock: VirtualClock, user: str) -> Operations:
    """The verbs of one user; keys are numbered, and a query matches every instance whose name holds its text."""
    keys = count(1)

    def matching(selection: Selection) -> list[int]:
        with night.store.read() as connection:
            found = select(Instance.id).where(Instance.name.contains(selection.query or ""), Instance.listing != "")
            return list(connection.execute(found.order_by(Instance.id)).scalars())

    return Operations(night.store, clock, Actor(user, "cli"), matching, lambda: f"{user}-{next(keys)}")
