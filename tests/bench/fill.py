"""A database of any size in seconds: realistic instances for benchmarks and load tests, the same for the same seed.

    python -m tests.bench.fill PATH-OR-URL [INSTANCES]

The definitions go in through `save_workspace`. The last business date is a night in full swing, written row by row;
earlier dates are copies of it that are done, made by the database itself. There is no journal. Every twentieth task is
a logical table, whose nodes come on top of the listed instances.
"""

from __future__ import annotations

import random
import sys
import time as system_time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from sqlalchemy import case, false, func, insert, literal, select, text
from sqlalchemy.orm import aliased

from dpconsole.core.domain.definitions import (
    Baseline,
    Cycle,
    Dependency,
    Field,
    MaterializationNode,
    Priority,
    Project,
    ResourceGroup,
    Schedule,
    TableKind,
    Task,
    TaskType,
    Workspace,
)
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.definitions import StoredTask, read_tasks, save_workspace
from dpconsole.core.store.models import Instance, InstanceDependency
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store, Transaction

LAST = date(2026, 11, 19)
DAY_MS = 86_400_000

PROJECTS = (("trade", "交易"), ("user", "用户"), ("risk", "风控"))
OWNERS = ("lin", "mei", "zhao", "guest", "omar", "ana", "kim", "wei")
TOPICS = ("ord", "pay", "refund", "gmv", "item", "shop", "visit", "cart", "coupon", "stock")
TONIGHT = (
    (Status.SUCCEEDED, 55),
    (Status.NOT_RUNNING, 20),
    (Status.WAITING_TIME, 10),
    (Status.FAILED, 6),
    (Status.RUNNING, 5),
    (Status.THROTTLED, 2),
    (Status.WAITING_RESOURCE, 2),
)
"""How the statuses of the last business date are spread, in parts of a hundred; earlier dates are done."""

ERRORS = ("exit 1: table ods_orders has no partition", "exit 137: killed, out of memory", "timeout after 48h")


@dataclass(frozen=True)
class Filled:
    """What was written: how many listed instances, how many rows with their nodes, how many edges."""

    instances: int
    rows: int
    edges: int


def fill(store: Store, instances: int, *, tasks: int = 1_000, edges: bool = False, seed: int = 0) -> Filled:
    """Write `instances` listed instances of `tasks` tasks, on as many business dates up to LAST as that takes.

    With `edges` each depends on the two before it of the same date.
    """
    tasks = max(1, min(tasks, instances))
    with store.write() as transaction:
        save_workspace(transaction, workspace(tasks), 0)
        stored = sorted(read_tasks(transaction.connection).values(), key=lambda some: some.id)
        tonight = _tonight(stored, random.Random(seed))
        dates = -(-instances // tasks)
        first = transaction.take("instance", dates * len(tonight))
        _insert(transaction, tonight, first)
    with _indexes_later(store):
        for back in range(1, dates):
            with store.write() as transaction:
                _repeat(transaction, first, len(tonight), back, min(tasks, instances - back * tasks))
    return Filled(instances, dates * len(tonight), _edges(store, first, len(tonight)) if edges else 0)


@contextmanager
def _indexes_later(store: Store) -> Iterator[None]:
    """Build the indexes once at the end, which is several times faster than to keep them with every row."""
    indexes = Instance.__table__.indexes  # type: ignore[attr-defined]
    with store.write() as transaction:
        for index in indexes:
            index.drop(transaction.connection)
    yield
    with store.write() as transaction:
        for index in indexes:
            index.create(transaction.connection)
        if not store.is_sqlite:
            transaction.execute(text("ANALYZE instance"))  # as PostgreSQL does by itself, a minute later


def workspace(tasks: int) -> Workspace:
    """The definitions behind the instances."""
    return Workspace(
        timezone="Asia/Shanghai",
        projects=tuple(Project(name, title) for name, title in PROJECTS),
        resource_groups=(ResourceGroup("default", 16),),
        baselines=(Baseline("morning", (_key(min(tasks - 1, 30)),), time(8, 0)),),
        tasks=tuple(_task(number) for number in range(tasks)),
    )


def _key(number: int) -> str:
    return f"{PROJECTS[number % 3][0]}.{_name(number)}"


def _name(number: int) -> str:
    return f"dws_{TOPICS[number % 10]}_{TOPICS[number // 10 % 10]}_{number:04}_1d"


def _task(number: int) -> Task:
    upstreams = tuple(Dependency(task=_key(other)) for other in range(max(0, number - 2), number))
    table = number % 20 == 19
    return Task(
        id=_key(number),
        project=PROJECTS[number % 3][0],
        name=_name(number),
        type=TaskType.LOGICAL_TABLE if table else TaskType.MAXCOMPUTE_SQL,
        owner=OWNERS[number % 8],
        operation_owner=OWNERS[number % 8],
        schedule=Schedule(Cycle.DAY, at=(time(number // 60 % 6, number % 60),)),
        priority=list(Priority)[number % 5],
        tags=("gold",) if number % 7 == 0 else (),
        depends_on=upstreams,
        kind=TableKind.FACT if table else None,
        fields=tuple(Field(f"f{field}") for field in range(6)) if table else (),
        nodes=(
            MaterializationNode("base", ("f0", "f1", "f2")),
            MaterializationNode("wide", ("f2", "f3", "f4", "f5"), code="insert overwrite ..."),
        )
        if table
        else (),
    )


# --- tonight, row by row ----------------------------------------------------------------------------------------------

Values = dict[str, Any]


def _tonight(tasks: Sequence[StoredTask], dice: random.Random) -> list[Values]:
    """One instance of every task, then the nodes of the logical tables; `id` and `parent_id` count from 0."""
    listed = [_instance(task, number, dice) for number, task in enumerate(tasks)]
    nodes = [
        folder | {"node_id": node, "parent_id": folder["id"], "unit": "node", "listing": "", "autonomous": True}
        for task, folder in zip(tasks, listed, strict=True)
        for node in task.node_ids.values()
    ]
    return [*listed, *(node | {"id": len(listed) + number} for number, node in enumerate(nodes))]


def _instance(stored: StoredTask, number: int, dice: random.Random) -> Values:
    task = stored.task
    table = task.type is TaskType.LOGICAL_TABLE
    at = task.schedule.at[0]
    due = (LAST - date(1970, 1, 1)).days * DAY_MS + DAY_MS + (at.hour * 60 + at.minute) * 60_000
    return _run(_STATUSES[dice.randrange(len(_STATUSES))], due, dice) | {
        "id": number,
        "task_id": stored.id,
        "node_id": None,
        "parent_id": None,
        "origin": "recurring",
        "unit": task.unit,
        "listing": "modeling" if table else "computing",
        "environment": "prod",
        "name": task.name,
        "task_key": task.id,
        "project": task.project,
        "owner": task.owner,
        "type": task.type,
        "tags": '["gold"]' if task.tags else "[]",
        "resource_group": task.run.resource_group,
        "business_date": LAST.isoformat(),
        "zone": "Asia/Shanghai",
        "cycle": task.schedule.cycle,
        "ordinal": 1,
        "due_at": due,
        "priority": task.priority.number,
        "effective_priority": task.priority.number,
        "reruns": 1,
        "autonomous": not table,
    }


_STATUSES = [status for status, weight in TONIGHT for _ in range(weight)]


def _run(status: Status, due: int, dice: random.Random) -> Values:
    """A status and what goes with it."""
    begun = status in (Status.RUNNING, Status.SUCCEEDED, Status.FAILED)
    started = due + dice.randrange(900_000) if begun else None
    return {
        "status": status,
        "paused": status is Status.NOT_RUNNING and dice.random() < 0.1,
        "pending": int(status is Status.NOT_RUNNING),
        "attempt": int(begun),
        "started_at": started,
        "ended_at": started + dice.randrange(1_000, 1_800_000) if started and status is not Status.RUNNING else None,
        "error": dice.choice(ERRORS) if status is Status.FAILED else "",
    }


def _insert(transaction: Transaction, rows: Iterable[Values], first: int) -> None:
    for row in rows:
        row["id"] += first
        row["parent_id"] = None if row["parent_id"] is None else row["parent_id"] + first
        row["rev"] = transaction.rev
    transaction.execute(insert(Instance), list(rows))


# --- earlier dates, each a copy of tonight that is done ---------------------------------------------------------------


def _repeat(transaction: Transaction, first: int, block: int, back: int, listed: int) -> None:
    """Copy the first `listed` instances of tonight, with their nodes, to the date so many days before."""
    fate = (func.coalesce(Instance.parent_id, Instance.id) * 7_919 + back * 104_729) % 211
    begun = Instance.due_at - back * DAY_MS + Instance.id * 7_919 % 900_000
    changed: dict[str, Any] = {
        "id": Instance.id + back * block,
        "parent_id": Instance.parent_id + back * block,
        "business_date": literal((LAST - timedelta(days=back)).isoformat()),
        "due_at": Instance.due_at - back * DAY_MS,
        "status": case((fate == 0, Status.FAILED), else_=Status.SUCCEEDED),
        "error": case((fate == 0, ERRORS[back % 3]), else_=""),
        "paused": false(),
        "pending": literal(0),
        "attempt": literal(1),
        "started_at": begun,
        "ended_at": begun + 1_000 + (Instance.id * 104_729 + back * 7_919) % 1_800_000,
        "rev": literal(transaction.rev),
    }
    columns = {column.name: changed.get(column.name, column) for column in Instance.__table__.c}
    place = func.coalesce(Instance.parent_id, Instance.id) - first
    tonight = Instance.id.between(first, first + block - 1) & (place < listed)
    transaction.execute(insert(Instance).from_select(list(columns), select(*columns.values()).where(tonight)))


def _edges(store: Store, first: int, block: int) -> int:
    """Each executable row waits for the two before it of its date; every date is a block of ids."""
    upstream = aliased(Instance)
    with store.write() as transaction:
        for behind in (1, 2):
            pairs = (
                select(Instance.id, literal(behind), upstream.id, false())
                .join(upstream, upstream.id == Instance.id - behind)
                .where(Instance.unit != "logical_table", upstream.unit != "logical_table")
                .where((Instance.id - first) % block >= behind)
            )
            columns = ["downstream_id", "requirement", "upstream_id", "alternative"]
            transaction.execute(insert(InstanceDependency).from_select(columns, pairs))
        return transaction.execute(select(func.count()).select_from(InstanceDependency)).scalar_one()


def main(target: str, instances: str = "1000000") -> None:
    """Fill a database and say how long it took."""
    begun = system_time.perf_counter()
    filled = fill(open_store(target, synchronous="NORMAL"), int(instances))
    print(f"{filled.instances:,} instances ({filled.rows:,} rows) in {system_time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
