"""Everything about one instance: its attempts, its journal, its neighbours, what operators did to it, its fields.

A logical table stands for its materialization nodes: their attempts and neighbours are its own, and seen from outside
a node is shown as the table it belongs to (section 9.1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from dpconsole.core.domain.definitions import Unit
from dpconsole.core.domain.fields import normalise
from dpconsole.core.domain.keys import instance_key
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import (
    Attempt,
    Dependency,
    Instance,
    InstanceDependency,
    LogicalField,
    Node,
    NodeField,
    Operation,
    OperationItem,
    Transition,
    VacuousDependency,
)
from dpconsole.core.store.pages import InstanceRow, instance_rows, shown


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt; of a logical table, one of its node `node`. Times are UTC ms; `log` says where the log is kept."""

    instance_id: int
    node: str
    number: int
    state: str
    trigger: str
    dispatched_at: int
    started_at: int | None
    ended_at: int | None
    lease_until: int
    deadline_at: int
    exit_code: int | None
    why: str
    log: str
    stop_requested: bool


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """One journal entry; `actor` is empty for the engine (section 2)."""

    id: int
    at: int
    before: Status | None
    after: Status
    cause: str
    actor: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A listed instance up- or downstream. `satisfied`: whether the upstream end has done what the edge waits for.

    `fields` are the ones the dependency was declared for, empty for all of them. `alternative`: any one of several
    nodes will do.
    """

    id: int
    key: str
    name: str
    task: str
    project: str
    owner: str
    unit: str
    business_date: str
    due_at: int
    status: Status
    paused: bool
    started_at: int | None
    ended_at: int | None
    satisfied: bool
    alternative: bool
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperationRow:
    """What one record of the ledger did to the instance, or why it did not (section 19)."""

    record: int
    key: str
    verb: str
    actor: str
    at: int
    reason: str
    command: str
    state: str
    instance_id: int
    before: str
    after: str
    outcome: str
    refusal: str


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of a logical table; `status` is None where no node of this instance carries it (section 9.2)."""

    name: str
    type: str
    is_key: bool
    status: NormalisedStatus | None
    paused: bool
    nodes: tuple[str, ...]
    started_at: int | None
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A materialization node of a logical-table instance."""

    id: int
    key: str
    name: str
    status: Status
    paused: bool
    forced: bool
    set_by_hand: bool
    attempt: int
    fields: tuple[str, ...]
    started_at: int | None
    ended_at: int | None
    error: str


@dataclass(frozen=True, slots=True)
class InstanceDetail:
    """One instance with all that belongs to it. `vacuous` names upstreams that had no instance for it (10.2)."""

    row: InstanceRow
    attempts: tuple[AttemptRow, ...]
    transitions: tuple[TransitionRow, ...]
    upstreams: tuple[Neighbour, ...]
    downstreams: tuple[Neighbour, ...]
    vacuous: tuple[str, ...]
    operations: tuple[OperationRow, ...]
    fields: tuple[FieldRow, ...]
    nodes: tuple[NodeRow, ...]


def instance_detail(connection: Connection, id: int) -> InstanceDetail | None:
    """Everything about one instance, read in one snapshot; None when there is none with this id."""
    rows = instance_rows(connection, [id])
    if not rows:
        return None
    (row,) = rows
    nodes = read_nodes(connection, id) if row.unit == Unit.LOGICAL_TABLE else ()
    parts = {node.id: node.status for node in nodes} or {id: row.status}
    names = {node.id: node.name for node in nodes}
    return InstanceDetail(
        row=row,
        attempts=read_attempts(connection, parts, names),
        transitions=read_transitions(connection, id),
        upstreams=_neighbours(connection, row, parts, _UPWARDS),
        downstreams=_neighbours(connection, row, parts, _DOWNWARDS),
        vacuous=tuple(shown(key) for key in connection.execute(_VACUOUS, {"ids": bind(parts)}).scalars()),
        operations=_operations(connection, {id, *parts}),
        fields=_fields(connection, row, nodes),
        nodes=nodes,
    )


# --- what it did ------------------------------------------------------------------------------------------------------

_ATTEMPTS = (
    select(Attempt.__table__).where(Attempt.instance_id.in_(id_set())).order_by(Attempt.instance_id, Attempt.number)
)
_TRANSITIONS = select(Transition.__table__).where(Transition.instance_id.in_(id_set())).order_by(Transition.id)
_OPERATIONS = (
    select(
        *(Operation.id, Operation.key, Operation.verb, Operation.actor, Operation.at, Operation.reason),
        *(Operation.command, Operation.state, OperationItem.target_id, OperationItem.before, OperationItem.after),
        *(OperationItem.outcome, OperationItem.reason.label("refusal")),
    )
    .join(Operation, Operation.id == OperationItem.operation_id)
    .where(OperationItem.target_id.in_(id_set()), Operation.kind == "instance")
    .order_by(Operation.id, OperationItem.target_id)
)
_VACUOUS = (
    select(VacuousDependency.upstream_key)
    .where(VacuousDependency.downstream_id.in_(id_set()))
    .distinct()
    .order_by(VacuousDependency.upstream_key)
)


def read_attempts(
    connection: Connection, ids: Collection[int], names: Mapping[int, str] | None = None
) -> tuple[AttemptRow, ...]:
    """The attempts of executable instances, oldest first; `names` are nodes' names by instance id."""
    named = names or {}
    return tuple(
        AttemptRow(
            instance_id=row.instance_id,
            node=named.get(row.instance_id, ""),
            number=row.number,
            state=row.state,
            trigger=row.trigger,
            dispatched_at=row.dispatched_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            lease_until=row.lease_until,
            deadline_at=row.deadline_at,
            exit_code=row.exit_code,
            why=shown(row.why),
            log=row.log,
            stop_requested=row.stop_requested,
        )
        for row in connection.execute(_ATTEMPTS, {"ids": bind(ids)})
    )


def read_transitions(connection: Connection, id: int) -> tuple[TransitionRow, ...]:
    """The journal of one instance, oldest first."""
    return tuple(
        TransitionRow(
            id=row.id,
            at=row.at,
            before=None if row.before is None else Status(row.before),
            after=Status(row.after),
            cause=row.cause,
            actor=shown(row.actor),
            attempt=row.attempt,
        )
        for row in connection.execute(_TRANSITIONS, {"ids": bind([id])})
    )


def _operations(connection: Connection, ids: Collection[int]) -> tuple[OperationRow, ...]:
    return tuple(
        OperationRow(
            record=row.id,
            key=row.key,
            verb=row.verb,
            actor=shown(row.actor),
            at=row.at,
            reason=shown(row.reason),
            command=shown(row.command),
            state=row.state,
            instance_id=row.target_id,
            before=row.before,
            after=row.after,
            outcome=row.outcome,
            refusal=shown(row.refusal),
        )
        for row in connection.execute(_OPERATIONS, {"ids": bind(ids)})
    )


# --- what it is made of -----------------------------------------------------------------------------------------------

_NODES = (
    select(Instance.__table__, Node.name.label("node"))
    .join(Node, Node.id == Instance.node_id)
    .where(Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set()))
    .order_by(Node.position, Instance.id)
)
_CARRIED = (
    select(NodeField.node_id, LogicalField.name)
    .join(LogicalField, LogicalField.id == NodeField.field_id)
    .where(NodeField.node_id.in_(id_set()))
    .order_by(NodeField.position)
)
_FIELDS = (
    select(LogicalField.__table__).where(LogicalField.task_id.in_(id_set("tasks"))).order_by(LogicalField.position)
)


def read_nodes(connection: Connection, table: int) -> tuple[NodeRow, ...]:
    """The materialization nodes of one logical-table instance, in the order of its definition."""
    rows = connection.execute(_NODES, {"ids": bind([table])}).all()
    carried: dict[int, list[str]] = defaultdict(list)
    for node, name in connection.execute(_CARRIED, {"ids": bind(row.node_id for row in rows)}):
        carried[node].append(shown(name))
    return tuple(
        NodeRow(
            id=row.id,
            key=instance_key(row.task_id, row.business_date, row.id),
            name=shown(row.node),
            status=Status(row.status),
            paused=row.paused,
            forced=row.forced,
            set_by_hand=row.set_by_hand,
            attempt=row.attempt,
            fields=tuple(carried[row.node_id]),
            started_at=row.started_at,
            ended_at=row.ended_at,
            error=shown(row.error),
        )
        for row in rows
    )


def _fields(connection: Connection, row: InstanceRow, nodes: Sequence[NodeRow]) -> tuple[FieldRow, ...]:
    if not nodes:
        return ()
    carriers: dict[str, list[NodeRow]] = defaultdict(list)
    for node in nodes:
        for name in node.fields:
            carriers[name].append(node)
    declared = connection.execute(_FIELDS, {"tasks": bind([row.task_id])})
    return tuple(_field(field, carriers[shown(field.name)]) for field in declared)


def _field(field: Any, nodes: Sequence[NodeRow]) -> FieldRow:
    return FieldRow(
        name=shown(field.name),
        type=shown(field.type),
        is_key=field.is_key,
        status=normalise(node.status for node in nodes),
        paused=any(node.paused for node in nodes),
        nodes=tuple(node.name for node in nodes),
        started_at=min((node.started_at for node in nodes if node.started_at is not None), default=None),
        ended_at=max((node.ended_at for node in nodes if node.ended_at is not None), default=None),
    )


# --- what it hangs together with --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Direction:
    """One way along the edges: the end we stand on and the end we look at, of instances and of definitions."""

    here: Any
    there: Any
    declared_here: Any
    declared_there: Any
    looks_up: bool


_UPWARDS = _Direction(
    InstanceDependency.downstream_id,
    InstanceDependency.upstream_id,
    Dependency.task_id,
    Dependency.upstream_id,
    looks_up=True,
)
_DOWNWARDS = _Direction(
    InstanceDependency.upstream_id,
    InstanceDependency.downstream_id,
    Dependency.upstream_id,
    Dependency.task_id,
    looks_up=False,
)
_ENDS = select(
    *(Instance.id, Instance.parent_id, Instance.task_id, Instance.name, Instance.task_key, Instance.project),
    *(Instance.owner, Instance.unit, Instance.business_date, Instance.due_at, Instance.status, Instance.paused),
    *(Instance.started_at, Instance.ended_at),
).where(Instance.id.in_(id_set()))


def read_upstreams(connection: Connection, row: InstanceRow) -> tuple[Neighbour, ...]:
    """The direct upstreams of an executable instance, the earliest due first."""
    return _neighbours(connection, row, {row.id: row.status}, _UPWARDS)


def read_unsatisfied(connection: Connection, ids: Sequence[int]) -> tuple[Neighbour, ...]:
    """These executable instances, in this order, as what others wait for."""
    ends = _ends(connection, set(ids))
    return tuple(_neighbour(ends[id], satisfied=False, alternative=False, fields=()) for id in ids if id in ends)


def _neighbours(
    connection: Connection, row: InstanceRow, parts: Mapping[int, Status], direction: _Direction
) -> tuple[Neighbour, ...]:
    edges = [edge for edge in _edges(connection, parts, direction) if edge.there not in parts]
    ends = _ends(connection, {edge.there for edge in edges})
    met = _met(edges, {id: Status(end.status) for id, end in ends.items()} | dict(parts), direction)
    by_listed: dict[int, list[Any]] = defaultdict(list)
    for edge in edges:
        by_listed[_listed(ends[edge.there], row)].append(edge)
    ends |= _ends(connection, by_listed.keys() - ends.keys())
    fields = _declared_fields(connection, row, direction)
    found = (
        _neighbour(
            ends[id],
            satisfied=all(_requirement(edge, direction) in met for edge in some),
            alternative=any(edge.alternative for edge in some),
            fields=fields.get(ends[id].task_id, ()),
        )
        for id, some in by_listed.items()
    )
    return tuple(sorted(found, key=lambda some: (some.due_at, some.id)))


def _edges(connection: Connection, parts: Collection[int], direction: _Direction) -> Sequence[Any]:
    columns = (direction.here.label("here"), direction.there.label("there"))
    edges = select(*columns, InstanceDependency.requirement, InstanceDependency.alternative)
    return connection.execute(edges.where(direction.here.in_(id_set())), {"ids": bind(parts)}).all()


def _ends(connection: Connection, ids: Collection[int]) -> dict[int, Any]:
    return {row.id: row for row in connection.execute(_ENDS, {"ids": bind(ids)})} if ids else {}


def _listed(end: Any, seen_from: InstanceRow) -> int:
    """A node is shown as its table, except to its siblings."""
    return int(end.id if end.parent_id is None or end.parent_id == seen_from.parent_id else end.parent_id)


def _requirement(edge: Any, direction: _Direction) -> tuple[int, int]:
    """What an edge counts towards: a requirement of its downstream end."""
    return (edge.here if direction.looks_up else edge.there), edge.requirement


def _met(edges: Sequence[Any], statuses: Mapping[int, Status], direction: _Direction) -> set[tuple[int, int]]:
    """The requirements of which at least one upstream has Succeeded."""
    return {
        _requirement(edge, direction)
        for edge in edges
        if statuses[edge.there if direction.looks_up else edge.here] is Status.SUCCEEDED
    }


def _declared_fields(connection: Connection, row: InstanceRow, direction: _Direction) -> dict[int, tuple[str, ...]]:
    """The fields that dependencies between this task and its neighbours were declared for, by the other task."""
    declared = select(direction.declared_there.label("other"), Dependency.fields).where(
        direction.declared_here == row.task_id, direction.declared_there.is_not(None)
    )
    fields: dict[int, dict[str, None]] = defaultdict(dict)
    for other, names in connection.execute(declared):
        fields[other].update((shown(str(name)), None) for name in names)
    return {other: tuple(names) for other, names in fields.items()}


def _neighbour(end: Any, *, satisfied: bool, alternative: bool, fields: tuple[str, ...]) -> Neighbour:
    return Neighbour(
        id=end.id,
        key=instance_key(end.task_id, end.business_date, end.id),
        name=shown(end.name),
        task=shown(end.task_key),
        project=shown(end.project),
        owner=shown(end.owner),
        unit=end.unit,
        business_date=end.business_date,
        due_at=end.due_at,
        status=Status(end.status),
        paused=end.paused,
        started_at=end.started_at,
        ended_at=end.ended_at,
        satisfied=satisfied,
        alternative=alternative,
        fields=fields,
    )
