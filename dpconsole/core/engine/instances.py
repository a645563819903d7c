"""How instances are laid out: the rows of a business date, and the dependencies between them (sections 3, 9.1, 10).

A night and a backfill are laid out alike. A `Plan` says what is made: of which tasks, and how they look; a `Layout`
makes one business date after the other, in ascending order, and knows the instances that later ones may depend on. A
night knows the nights before it; a backfill knows nothing but itself, so what lies outside it is never waited for.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from dpconsole.core.domain.calendars import Occurrence, cycle_of, occurrences
from dpconsole.core.domain.clock import to_datetime, to_ms
from dpconsole.core.domain.definitions import (
    Dependency,
    DependencyCycle,
    Environment,
    Origin,
    Schedule,
    Unit,
    UpstreamKind,
)
from dpconsole.core.domain.dependencies import Point, Rule, business_dates, resolve, select
from dpconsole.core.domain.priorities import effective_priority
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.definition_rows import Facts, StoredTask
from dpconsole.core.store.generation_sql import Edge, Existing, Fresh, Shape, Vacuous, write_instances
from dpconsole.core.store.session import Transaction

Executable = tuple[int, int | None]
"""A task, and a materialization node of it or None: what instances are made of."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the instances of one task are like: the row that is listed, its nodes, and whether they are held or unreal.

    A placeholder is neither held nor real, whatever is said here (A2).
    """

    listed: Shape
    nodes: tuple[Shape, ...]
    paused: bool
    dry_run: bool


def shape_of(stored: StoredTask, facts: Facts, origin: Origin, environment: Environment, zone: ZoneInfo) -> Shape:
    """What the instances of a task have in common; nothing here starts by itself yet."""
    task = stored.task
    is_table = task.unit is Unit.LOGICAL_TABLE
    promised = [coverage.priority.number for coverage in facts.covered.get(stored.id, ())]
    return Shape(
        task_id=stored.id,
        node_id=None,
        backfill_id=None,
        origin=origin.value,
        unit=task.unit.value,
        listing="modeling" if is_table else "computing",
        environment=environment.value,
        name=task.name,
        task_key=task.id,
        project=task.project,
        owner=task.owner,
        type=task.type.value,
        tags=json.dumps(task.tags, ensure_ascii=False),
        resource_group="" if is_table else task.run.resource_group,
        zone=zone.key,
        cycle=cycle_of(task.schedule).value,
        autonomous=False,
        priority=task.priority.number,
        effective_priority=effective_priority(task.priority.number, promised),
        reruns=task.run.reruns,
        rerun_interval_ms=int(task.run.rerun_interval * 1000),
        rerun_after_timeout=task.run.rerun_after_timeout,
        timeout_ms=int(task.run.timeout * 1000),
    )


def shapes_of_nodes(listed: Shape, stored: StoredTask) -> Iterator[Shape]:
    """The same of its materialization nodes, which say less than their table and run in its resource group."""
    group = stored.task.run.resource_group
    for name, node in stored.node_ids.items():
        yield listed._replace(node_id=node, unit=Unit.NODE.value, listing="", name=name, resource_group=group)


@dataclass(frozen=True, slots=True)
class Upstream:
    """A declared dependency of an executable, with its id and its rule; a sibling of the same instance has none."""

    id: int
    declared: Dependency
    task: int | None
    rule: Rule | None


@dataclass(frozen=True)
class Plan:
    """What is made: the tasks, all of whose upstreams are known by id, and the looks of those that take part.

    `occurs` says when; dependencies on tasks without a look are left out.
    """

    tasks: Mapping[int, StoredTask]
    looks: Mapping[int, Look]
    zone: ZoneInfo
    occurs: Callable[[Schedule, date, ZoneInfo], Sequence[Occurrence]] = occurrences
    upstreams: Mapping[Executable, Sequence[Upstream]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "upstreams", dict(self._upstreams()))

    def first_needed(self, business_date: date) -> date:
        """The earliest business date that an instance of this one may depend on."""
        rules = {some.rule for upstreams in self.upstreams.values() for some in upstreams if some.rule is not None}
        return min((business_dates(*rule, business_date)[0] for rule in rules), default=business_date)

    def due(self, task: int, business_date: date) -> Sequence[Occurrence]:
        """The occurrences of a task on a business date that are to be made."""
        return self.occurs(self.tasks[task].task.schedule, business_date, self.zone)

    def _upstreams(self) -> Iterator[tuple[Executable, Sequence[Upstream]]]:
        """The enabled dependencies of every executable; a table's own hold for each of its nodes."""
        ids = {stored.task.id: id for id, stored in self.tasks.items()}
        for id, look in self.looks.items():
            stored = self.tasks[id]
            own = list(zip(stored.dependency_ids, stored.task.depends_on, strict=True))
            if stored.task.unit is not Unit.LOGICAL_TABLE:
                yield (id, None), tuple(self._resolved(own, id, ids))
            nodes = {node.name: node for node in stored.task.nodes}
            for shape in look.nodes:
                node = nodes[shape.name]
                declared = [*zip(stored.node_dependency_ids[node.name], node.depends_on, strict=True), *own]
                yield (id, shape.node_id), tuple(self._resolved(declared, id, ids))

    def _resolved(
        self, declared: Iterable[tuple[int, Dependency]], task: int, ids: Mapping[str, int]
    ) -> Iterator[Upstream]:
        cycle = cycle_of(self.tasks[task].task.schedule)
        for id, dependency in declared:
            if not dependency.enabled or dependency.kind is UpstreamKind.ROOT:
                continue
            if dependency.kind is UpstreamKind.NODE and dependency.cycle in (None, DependencyCycle.CURRENT):
                yield Upstream(id, dependency, None, None)
                continue
            upstream = ids[dependency.task] if dependency.kind is UpstreamKind.TASK else task
            if upstream not in self.looks:
                continue
            other = self.tasks[upstream].task
            rule = resolve(dependency, cycle, cycle_of(other.schedule), other.is_self_dependent)
            yield Upstream(id, dependency, upstream, rule)


Points = dict[date, list[Point[int]]]
"""The instances of one executable by business date, each in order of due time and ordinal."""


class Layout:
    """Business dates in the making: what is laid out and not written yet, and what may be pointed at."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._rows: list[Fresh] = []
        self._edges: list[Edge] = []
        self._vacuous: list[Vacuous] = []
        self._points: defaultdict[Executable, Points] = defaultdict(dict)
        self._nodes: defaultdict[int, dict[int, int]] = defaultdict(dict)
        self._tables: dict[int, int] = {}
        self._succeeded: set[int] = set()

    def __len__(self) -> int:
        """How many rows are laid out and not written yet."""
        return len(self._rows)

    def know(self, rows: Iterable[Existing]) -> None:
        """Instances that are there: dependencies may point at them."""
        for row in rows:
            day = date.fromisoformat(row.business_date)
            point = Point(day, to_datetime(row.due_at), row.id)
            self._place(point, (row.task_id, row.node_id), row.parent_id)
            if row.status == Status.SUCCEEDED:
                self._succeeded.add(row.id)

    def forget(self, before: date) -> None:
        """Nothing that is laid out from now on depends on anything earlier."""
        for points in self._points.values():
            for day in [day for day in points if day < before]:
                for point in points.pop(day):
                    self._nodes.pop(point.key, None)
                    self._tables.pop(point.key, None)
                    self._succeeded.discard(point.key)

    # --- instances ----------------------------------------------------------------------------------------------------

    def lay_out(
        self,
        transaction: Transaction,
        business_date: date,
        date_id: int | None = None,
        there: Iterable[tuple[int, int]] = (),
    ) -> int:
        """Lay out one business date but for what is there, given as (task, ordinal); returns the number of rows.

        `date_id` is the data timestamp of a backfill. Ids are of one block, each table before its nodes.
        """
        there = set(there)
        wanted = [
            (look, occurrence)
            for task, look in self.plan.looks.items()
            for occurrence in self.plan.due(task, business_date)
            if (task, occurrence.ordinal) not in there
        ]
        number = sum(1 + len(look.nodes) for look, _ in wanted)
        next_id = transaction.take("instance", number) if number else 0
        made: list[tuple[Fresh, Point[int]]] = []
        day = business_date.isoformat()
        for look, occurrence in wanted:
            status = Status.SUCCEEDED if occurrence.placeholder else Status.NOT_RUNNING
            paused, dry_run = look.paused and not occurrence.placeholder, occurrence.placeholder or look.dry_run
            due_at, parent = to_ms(occurrence.due), next_id
            for shape in (look.listed, *look.nodes):
                above = None if next_id == parent else parent
                row = Fresh(shape, next_id, above, date_id, day, occurrence.ordinal, due_at, status, paused, dry_run)
                point = Point(business_date, occurrence.due, next_id)
                self._place(point, (shape.task_id, shape.node_id), above)
                made.append((row, point))
                next_id += 1
            if occurrence.placeholder:
                self._succeeded.update(range(parent, next_id))
        self._connect(made, business_date, mixed=bool(there))
        self._rows += [row for row, _ in made]
        return number

    def _place(self, point: Point[int], executable: Executable, parent: int | None) -> None:
        self._points[executable].setdefault(point.business_date, []).append(point)
        task, node = executable
        if node is not None and parent is not None:
            self._nodes[parent][node] = point.key
            self._tables[parent] = task

    # --- dependencies -------------------------------------------------------------------------------------------------

    def _connect(self, made: Sequence[tuple[Fresh, Point[int]]], business_date: date, *, mixed: bool) -> None:
        """Select the upstream instances of every new executable row, and count what each still waits for."""
        if mixed:
            for points in self._points.values():
                points.get(business_date, []).sort(key=lambda point: point.due)
        candidates: dict[tuple[Executable, Rule], list[Point[int]]] = {}
        for row, point in made:
            shape = row.shape
            requirement = pending = 0
            for upstream in self.plan.upstreams.get((shape.task_id, shape.node_id), ()):
                requirements = self._requirements(upstream, row, point, candidates)
                if not requirements:
                    self._vacuous.append((row.id, upstream.id, self._named(upstream)))
                for alternatives in requirements:
                    requirement += 1
                    many = len(alternatives) > 1
                    self._edges += [(row.id, requirement, id, many) for id in alternatives]
                    pending += self._succeeded.isdisjoint(alternatives)
            row.pending = pending

    def _requirements(
        self,
        upstream: Upstream,
        row: Fresh,
        point: Point[int],
        candidates: dict[tuple[Executable, Rule], list[Point[int]]],
    ) -> list[list[int]]:
        """Lists of upstream ids; of each list one must succeed."""
        task, declared = row.shape.task_id, upstream.declared
        sibling = self.plan.tasks[task].node_ids.get(declared.node)
        if upstream.task is None or upstream.rule is None:
            here = self._nodes[row.parent_id or 0]
            return [[here[sibling]]] if sibling is not None and sibling in here else []
        node = row.shape.node_id if declared.kind is UpstreamKind.SELF else sibling
        where = (upstream.task, node), upstream.rule
        if where not in candidates:
            points = self._points[where[0]]
            days = business_dates(*upstream.rule, point.business_date)
            candidates[where] = [one for day in days for one in points.get(day, ())]
        chosen = select(*upstream.rule, point, candidates[where], self.plan.zone).chosen
        return [one for up in chosen if up.key != row.id for one in self._executed(declared, up.key)]

    def _executed(self, declared: Dependency, upstream: int) -> Iterable[list[int]]:
        """What of a chosen upstream instance is executed: itself, the nodes of a table, or those of some fields."""
        nodes = self._nodes.get(upstream)
        if not nodes:
            return ([upstream],)
        if not declared.fields:
            return ([node] for node in nodes.values())
        return self._carriers(self.plan.tasks[self._tables[upstream]], declared.fields, nodes)

    @staticmethod
    def _carriers(table: StoredTask, fields: Iterable[str], nodes: Mapping[int, int]) -> Iterator[list[int]]:
        carriers = {table.node_ids[node.name]: set(node.fields) for node in table.task.nodes}
        for name in fields:
            if made := [nodes[node] for node, carried in carriers.items() if name in carried and node in nodes]:
                yield made

    def _named(self, upstream: Upstream) -> str:
        return upstream.declared.node or self.plan.tasks[upstream.task or 0].task.id

    # --- the store ----------------------------------------------------------------------------------------------------

    def write(self, transaction: Transaction, now: int) -> int:
        """Write what is laid out, and return the number of rows."""
        written = len(self._rows)
        if written:
            write_instances(transaction, self._rows, self._edges, self._vacuous, now)
        self._rows, self._edges, self._vacuous = [], [], []
        return written
