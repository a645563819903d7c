"""Generation: the recurring instances of a business date, with the dependencies between them (sections 3, 9.1, 10).

Arithmetic, not a side effect of a cron: calendars say when a task is due, a unique key makes a second generation of the
same date a no-op, and a watermark catches up any night that was missed. One business date is one transaction.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dpconsole.core.domain.calendars import Occurrence, cycle_of, occurrences
from dpconsole.core.domain.clock import Clock, business_date_of, to_datetime, to_ms
from dpconsole.core.domain.definitions import (
    Dependency,
    DependencyCycle,
    Environment,
    Method,
    Origin,
    Unit,
    UpstreamKind,
)
from dpconsole.core.domain.dependencies import Point, Rule, business_dates, resolve, select
from dpconsole.core.domain.priorities import effective_priority
from dpconsole.core.domain.statuses import Cause, Status
from dpconsole.core.store import generation_sql as sql
from dpconsole.core.store.definition_rows import Facts, StoredTask, read_tasks, read_workspace_facts
from dpconsole.core.store.journal import Steps, record
from dpconsole.core.store.session import Store, Transaction
from dpconsole.core.store.settings import WATERMARK, read_setting, write_setting

GENERATION_TIME = time(23, 0)
"""When the next day's instances are generated, in the workspace's zone (section 3)."""

Executable = tuple[int, int | None]
"""A task, and a materialization node of it or None: what instances are made of."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What the generation of one business date made, and how many instances were there before."""

    business_date: date
    created: int
    existing: int


def generate(store: Store, clock: Clock, first: date, last: date) -> Iterator[Generated]:
    """Make the recurring instances of the business dates `first`..`last`, in ascending order, one at a time.

    The watermark moves along only where it stood at the date before.
    """
    day = first
    while day <= last:
        yield _generate(store, clock, day)
        day += timedelta(days=1)


def catch_up(store: Store, clock: Clock) -> Iterator[Generated]:
    """Generate every business date since the watermark; before the first night, only the one whose turn it is."""
    with store.read() as connection:
        facts, watermark = read_workspace_facts(connection), read_setting(connection, WATERMARK)
    if facts.timezone is None:
        return
    last = current_business_date(clock.now(), ZoneInfo(facts.timezone))
    day = date.fromisoformat(watermark) + timedelta(days=1) if watermark else last
    while day <= last:
        yield _generate(store, clock, day, mark=True)
        day += timedelta(days=1)


def current_business_date(now: int, zone: ZoneInfo) -> date:
    """The last business date whose instances should exist: today's run day, from 23:00 on tomorrow's (section 3)."""
    local = to_datetime(now, zone)
    run = local.date() + timedelta(days=local.time() >= GENERATION_TIME)
    return business_date_of(run)


def _generate(store: Store, clock: Clock, business_date: date, *, mark: bool = False) -> Generated:
    with store.write() as transaction:
        plan = _Plan.read(transaction, business_date)
        night = _Night(plan, clock.now())
        night.make_instances(transaction)
        night.connect()
        night.write(transaction)
        watermark = read_setting(transaction.connection, WATERMARK)
        if mark or watermark == (business_date - timedelta(days=1)).isoformat():
            write_setting(transaction, WATERMARK, business_date.isoformat())
        return Generated(business_date, len(night.rows), night.existing)


@dataclass(frozen=True, slots=True)
class _Edge:
    """A declared dependency of an executable, with its id and its rule; a sibling of the same instance has none."""

    id: int
    declared: Dependency
    upstream: int | None
    rule: Rule | None


@dataclass
class _Plan:
    """What is known before a night is made: definitions, and the instances its dependencies may point at."""

    business_date: date
    facts: Facts
    tasks: Mapping[int, StoredTask]
    edges: Mapping[Executable, tuple[_Edge, ...]]
    before: Sequence[sql.Existing]
    zone: ZoneInfo

    @classmethod
    def read(cls, transaction: Transaction, business_date: date) -> _Plan:
        connection = transaction.connection
        facts, tasks = read_workspace_facts(connection), read_tasks(connection)
        edges = dict(_edges(tasks))
        first = min(
            (
                business_dates(*edge.rule, business_date)[0]
                for some in edges.values()
                for edge in some
                if edge.rule is not None
            ),
            default=business_date,
        )
        before = sql.existing(connection, min(first, business_date).isoformat(), business_date.isoformat())
        return cls(business_date, facts, tasks, edges, before, ZoneInfo(facts.timezone or "UTC"))


def _edges(tasks: Mapping[int, StoredTask]) -> Iterator[tuple[Executable, tuple[_Edge, ...]]]:
    """The enabled dependencies of every executable; a table's own hold for each of its nodes."""
    ids = {stored.task.id: id_ for id_, stored in tasks.items()}
    for id_, stored in tasks.items():
        own = list(zip(stored.dependency_ids, stored.task.depends_on, strict=True))
        if stored.task.unit is not Unit.LOGICAL_TABLE:
            yield (id_, None), tuple(_resolved(own, id_, ids, tasks))
        for node in stored.task.nodes:
            declared = [*zip(stored.node_dependency_ids[node.name], node.depends_on, strict=True), *own]
            yield (id_, stored.node_ids[node.name]), tuple(_resolved(declared, id_, ids, tasks))


def _resolved(
    declared: Iterable[tuple[int, Dependency]], task: int, ids: Mapping[str, int], tasks: Mapping[int, StoredTask]
) -> Iterator[_Edge]:
    cycle = cycle_of(tasks[task].task.schedule)
    for id_, dependency in declared:
        if not dependency.enabled or dependency.kind is UpstreamKind.ROOT:
            continue
        if dependency.kind is UpstreamKind.NODE and dependency.cycle in (None, DependencyCycle.CURRENT):
            yield _Edge(id_, dependency, None, None)
            continue
        upstream = ids[dependency.task] if dependency.kind is UpstreamKind.TASK else task
        other = tasks[upstream].task
        rule = resolve(dependency, cycle, cycle_of(other.schedule), other.is_self_dependent)
        yield _Edge(id_, dependency, upstream, rule)


@dataclass
class _Night:
    """One business date in the making: rows, edges and the points that edges are selected from."""

    plan: _Plan
    now: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    edges: list[tuple[int, int, int, bool]] = field(default_factory=list)
    vacuous: list[tuple[int, int, str]] = field(default_factory=list)
    points: dict[Executable, list[Point[int]]] = field(default_factory=lambda: defaultdict(list))
    nodes: dict[tuple[int, str, int], dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    places: dict[int, tuple[int, str, int]] = field(default_factory=dict)
    succeeded: set[int] = field(default_factory=set)
    existing: int = 0

    def __post_init__(self) -> None:
        for row in self.plan.before:
            self._place(
                row.id, row.task_id, row.node_id, date.fromisoformat(row.business_date), row.ordinal, row.due_at
            )
            if row.status == Status.SUCCEEDED:
                self.succeeded.add(row.id)

    # --- instances ----------------------------------------------------------------------------------------------------

    def make_instances(self, transaction: Transaction) -> None:
        """The rows that are not there yet, with ids of one block."""
        here = self.plan.business_date.isoformat()
        there = {(row.task_id, row.ordinal) for row in self.plan.before if row.business_date == here}
        self.existing = sum(row.business_date == here for row in self.plan.before)
        wanted = [
            (stored, occurrence)
            for stored in self.plan.tasks.values()
            if stored.task.method is not Method.ONE_TIME
            for occurrence in occurrences(stored.task.schedule, self.plan.business_date, self.plan.zone)
            if (stored.id, occurrence.ordinal) not in there
        ]
        number = sum(1 + len(stored.node_ids) for stored, _ in wanted)
        next_id = transaction.take("instance", number) if number else 0
        for stored, occurrence in wanted:
            folder = next_id
            self._add(self._row(folder, stored, occurrence, transaction.rev))
            next_id += 1
            for name, node in stored.node_ids.items():
                row = self._row(next_id, stored, occurrence, transaction.rev)
                self._add(row | self._of_node(name, node, folder))
                next_id += 1

    def _row(self, id_: int, stored: StoredTask, occurrence: Occurrence, rev: int) -> dict[str, Any]:
        task, facts = stored.task, self.plan.facts
        environment = facts.environment or Environment.PROD
        is_table = task.unit is Unit.LOGICAL_TABLE
        promised = [coverage.priority.number for coverage in facts.covered.get(stored.id, ())]
        return {
            "id": id_,
            "task_id": stored.id,
            "node_id": None,
            "parent_id": None,
            "origin": Origin.RECURRING,
            "unit": task.unit,
            "listing": "modeling" if is_table else "computing",
            "environment": environment,
            "name": task.name,
            "task_key": task.id,
            "project": task.project,
            "owner": task.owner,
            "type": task.type,
            "tags": json.dumps(task.tags, ensure_ascii=False),
            "resource_group": "" if is_table else task.run.resource_group,
            "business_date": self.plan.business_date.isoformat(),
            "zone": self.plan.zone.key,
            "cycle": cycle_of(task.schedule),
            "ordinal": occurrence.ordinal,
            "due_at": to_ms(occurrence.due),
            "status": Status.SUCCEEDED if occurrence.placeholder else Status.NOT_RUNNING,
            "paused": task.method is Method.PAUSED and not occurrence.placeholder,
            "dry_run": occurrence.placeholder or task.method is Method.DRY_RUN,
            "autonomous": environment is Environment.PROD and not is_table,
            "priority": task.priority.number,
            "effective_priority": effective_priority(task.priority.number, promised),
            "pending": 0,
            "reruns": task.run.reruns,
            "rerun_interval_ms": int(task.run.rerun_interval * 1000),
            "rerun_after_timeout": task.run.rerun_after_timeout,
            "timeout_ms": int(task.run.timeout * 1000),
            "rev": rev,
        }

    def _of_node(self, name: str, node: int, folder: int) -> dict[str, Any]:
        """What a materialization node's row says instead of its table's."""
        group = self.plan.tasks[self.rows[-1]["task_id"]].task.run.resource_group
        environment = self.plan.facts.environment or Environment.PROD
        return {
            "node_id": node,
            "parent_id": folder,
            "unit": Unit.NODE,
            "listing": "",
            "name": name,
            "resource_group": group,
            "autonomous": environment is Environment.PROD,
        }

    def _add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        day = self.plan.business_date
        self._place(row["id"], row["task_id"], row["node_id"], day, row["ordinal"], row["due_at"])
        if row["status"] == Status.SUCCEEDED:
            self.succeeded.add(row["id"])

    def _place(self, id_: int, task: int, node: int | None, day: date, ordinal: int, due_at: int) -> None:
        point = Point(day, to_datetime(due_at), id_)
        place = (task, day.isoformat(), ordinal)
        self.points[task, node].append(point)
        self.places[id_] = place
        if node is not None:
            self.nodes[place][node] = id_

    # --- dependencies -------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Select the upstream instances of every new executable row, and count what each still waits for."""
        for points in self.points.values():
            points.sort(key=lambda point: (point.business_date, point.due))
        for row in self.rows:
            if row["unit"] != Unit.LOGICAL_TABLE:
                row["pending"] = self._connect(row)

    def _connect(self, row: Mapping[str, Any]) -> int:
        executable = (row["task_id"], row["node_id"])
        requirement = pending = 0
        for edge in self.plan.edges.get(executable, ()):
            requirements = list(self._requirements(edge, row))
            if not requirements:
                self.vacuous.append((row["id"], edge.id, self._upstream_key(edge)))
            for alternatives in requirements:
                requirement += 1
                many = len(alternatives) > 1
                self.edges += [(row["id"], requirement, upstream, many) for upstream in alternatives]
                pending += self.succeeded.isdisjoint(alternatives)
        return pending

    def _requirements(self, edge: _Edge, row: Mapping[str, Any]) -> Iterator[list[int]]:
        """Lists of upstream ids; of each list one must succeed."""
        sibling = self.plan.tasks[row["task_id"]].node_ids.get(edge.declared.node)
        if edge.upstream is None or edge.rule is None:
            here = self.nodes[self.places[row["id"]]]
            if sibling is not None and sibling in here:
                yield [here[sibling]]
            return
        node = row["node_id"] if edge.declared.kind is UpstreamKind.SELF else sibling
        own = Point(self.plan.business_date, to_datetime(row["due_at"]), row["id"])
        for chosen in select(*edge.rule, own, self.points[edge.upstream, node], self.plan.zone).chosen:
            if chosen.key != row["id"]:
                yield from self._executables(edge, chosen.key)

    def _executables(self, edge: _Edge, upstream: int) -> Iterator[list[int]]:
        """What of a chosen upstream instance is executed: itself, the nodes of a table, or those of some fields."""
        nodes = self.nodes.get(self.places[upstream], {})
        if not nodes or upstream in nodes.values():
            yield [upstream]
        elif not edge.declared.fields:
            yield from ([node] for node in nodes.values())
        else:
            task = self.plan.tasks[self.places[upstream][0]]
            carriers = {node.name: set(node.fields) for node in task.task.nodes}
            for name in edge.declared.fields:
                carrying = [task.node_ids[node] for node, fields in carriers.items() if name in fields]
                if made := [nodes[node] for node in carrying if node in nodes]:
                    yield made

    def _upstream_key(self, edge: _Edge) -> str:
        return edge.declared.node or self.plan.tasks[edge.upstream or 0].task.id

    # --- the store ----------------------------------------------------------------------------------------------------

    def write(self, transaction: Transaction) -> None:
        """Rows, edges, and the first journal entry of each row (A1, A2)."""
        if not self.rows:
            return
        sql.insert_instances(transaction, self.rows)
        sql.insert_dependencies(transaction, self.edges, self.vacuous)
        steps = Steps()
        for row in self.rows:
            steps.add(row["id"], None, row["status"], Cause.GENERATED, 0)
        record(transaction, steps, self.now)
