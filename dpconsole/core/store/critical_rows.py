"""What a critical path and its bars are made of: the upstreams of a row with their finish, and the journal's moments.

Paths run between executable rows; a logical table is shown as a whole, so each row comes with the one that is listed
for it (section 14).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, ScalarSelect, Select, bindparam, func, select
from sqlalchemy.orm import aliased

from dpconsole.core.domain.definitions import Baseline as Promise
from dpconsole.core.domain.definitions import Origin, Priority, Unit
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.arrays import bind, id_rows, id_set
from dpconsole.core.store.hints import set_aside
from dpconsole.core.store.models import Baseline, BaselineTask, Instance, InstanceDependency, Task, Transition, or_zero
from dpconsole.core.store.pages import shown

RECENT_SPANS = 10
"""Runs of a logical table that tell how long it usually takes."""


class Part(NamedTuple):
    """An executable row and the one that is listed for it; `finished_at` is when it last succeeded, by the journal."""

    id: int
    listed: int
    status: str
    finished_at: int | None


class Held(NamedTuple):
    """An upstream of a row, and which of its requirements it serves."""

    requirement: int
    id: int
    listed: int
    status: str
    finished_at: int | None


_Upstream = aliased(Instance, name="upstream")
_listed = func.coalesce(Instance.parent_id, Instance.id)


def _finished(row: Any) -> ScalarSelect[Any]:
    """When a row last came to Succeeded: also by hand, or without a run."""
    return (
        select(func.max(Transition.at))
        .where(Transition.instance_id == row.id, Transition.after == Status.SUCCEEDED)
        .correlate(row)
        .scalar_subquery()
    )


_PARTS = (
    select(Instance.id, _listed, Instance.status, _finished(Instance))
    .where(Instance.unit != Unit.LOGICAL_TABLE)
    .order_by(Instance.id)
)
_OWN = _PARTS.where(Instance.id.in_(id_set()))
_NODES = _PARTS.where(Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set()))
_HELD = (
    select(
        InstanceDependency.requirement,
        _Upstream.id,
        func.coalesce(_Upstream.parent_id, _Upstream.id),
        _Upstream.status,
        _finished(_Upstream),
    )
    .join(_Upstream, _Upstream.id == InstanceDependency.upstream_id)
    .where(InstanceDependency.downstream_id == bindparam("id", type_=BigInteger))
)
_MADE = select(func.min(Transition.at)).where(Transition.instance_id == bindparam("id", type_=BigInteger))
_LISTED = select(Instance.id, _listed).where(Instance.id.in_(id_set()))
_MOMENTS = (
    select(Transition.instance_id, Transition.at, Transition.after)
    .where(Transition.instance_id.in_(id_set()))
    .order_by(Transition.instance_id, Transition.id)
)


def read_parts(connection: Connection, ids: Collection[int]) -> list[Part]:
    """The executable rows behind listed ones: themselves, or the nodes of a logical table."""
    bound = {"ids": bind(ids)}
    return [Part._make(row) for statement in (_OWN, _NODES) for row in connection.execute(statement, bound)]


def read_held(connection: Connection, id: int) -> list[Held]:
    """The upstreams of an executable row, satisfied or not."""
    return [Held._make(row) for row in connection.execute(_HELD, {"id": id})]


def made_at(connection: Connection, id: int) -> int:
    """When a row came to be, by its journal; 0 where that says nothing."""
    return connection.execute(_MADE, {"id": id}).scalar_one() or 0


def read_listed(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """By row: the row that is listed for it."""
    return dict(connection.execute(_LISTED, {"ids": bind(ids)}).all())


def read_moments(connection: Connection, ids: Collection[int]) -> dict[int, list[tuple[int, Status]]]:
    """By row: when it came to which status, oldest first."""
    found: dict[int, list[tuple[int, Status]]] = defaultdict(list)
    for id, at, after in connection.execute(_MOMENTS, {"ids": bind(ids)}):
        found[id].append((at, Status(after)))
    return found


# --- up and down ------------------------------------------------------------------------------------------------------


def _walk(here: Any, there: Any) -> Select[int]:
    walk = id_rows().cte("walk", recursive=True)
    walk = walk.union(select(there).join_from(walk, InstanceDependency, here == walk.c.id))
    return select(walk.c.id)


_BELOW = _walk(InstanceDependency.upstream_id, InstanceDependency.downstream_id)
_ABOVE = _walk(InstanceDependency.downstream_id, InstanceDependency.upstream_id)


def read_below(connection: Connection, ids: Collection[int]) -> set[int]:
    """Executable rows and everything downstream of them."""
    return set(connection.execute(_BELOW, {"ids": bind(ids)}).scalars())


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """A listed row that may be the other end of a path."""

    id: int
    task_id: int
    name: str
    due_at: int
    status: Status


def _candidates(walk: Select[int]) -> Select[*tuple[Any, ...]]:
    """Listed rows once, however many of their nodes were reached."""
    reached = select(_listed.label("id")).where(Instance.id.in_(walk)).distinct().subquery("reached")
    columns = (Instance.id, Instance.task_id, Instance.name, Instance.due_at, Instance.status)
    return select(*columns).join(reached, reached.c.id == Instance.id).order_by(Instance.due_at, Instance.id)


_CANDIDATES_BELOW = _candidates(_BELOW)
_CANDIDATES_ABOVE = _candidates(_ABOVE)


def read_candidates(connection: Connection, ids: Collection[int], *, below: bool, limit: int) -> list[CandidateRow]:
    """Every listed row downstream, or upstream, of these executable rows, the earliest due first; with themselves."""
    found = _CANDIDATES_BELOW if below else _CANDIDATES_ABOVE
    rows = connection.execute(found.limit(limit), {"ids": bind(ids)})
    return [CandidateRow(row.id, row.task_id, shown(row.name), row.due_at, Status(row.status)) for row in rows]


# --- how long a logical table takes -----------------------------------------------------------------------------------

_SPANS = (
    select((Instance.ended_at - Instance.started_at).label("span"))
    .where(
        Instance.task_id == bindparam("task", type_=BigInteger),
        Instance.unit == Unit.LOGICAL_TABLE,
        Instance.status == Status.SUCCEEDED,
        Instance.started_at.is_not(None),
    )
    .order_by(Instance.business_date.desc(), Instance.ordinal.desc())
    .limit(RECENT_SPANS)
)


def recent_spans(connection: Connection, task: int) -> list[int]:
    """How long the last runs of a logical table took from its first node to its last, in milliseconds."""
    return [span for span in connection.execute(_SPANS, {"task": task}).scalars() if span is not None]


# --- baselines --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class End:
    """An instance that a baseline promises."""

    id: int
    name: str


_PROMISES = select(Baseline.name, Baseline.priority, Baseline.committed, Baseline.margin_ms).order_by(
    Baseline.committed, Baseline.name
)
_COVERING = (
    _PROMISES.add_columns(BaselineTask.is_end)
    .join(BaselineTask, BaselineTask.baseline == Baseline.name)
    .where(BaselineTask.task_id == bindparam("task", type_=BigInteger))
)
_COVERED = select(BaselineTask.task_id, BaselineTask.baseline).where(BaselineTask.task_id.in_(id_set()))
_ENDS = (
    select(BaselineTask.baseline, Instance.id, Instance.name)
    .join(Instance, Instance.task_id == BaselineTask.task_id)
    .where(
        BaselineTask.is_end,
        or_zero(Instance.node_id) == 0,
        set_aside(Instance.origin) == Origin.RECURRING,
        set_aside(Instance.environment) == bindparam("environment"),
        Instance.business_date == bindparam("business_date"),
    )
    .order_by(BaselineTask.baseline, Instance.due_at, Instance.id)
)
_OWNERS = (
    select(BaselineTask.baseline, Task.owner)
    .join(Task, Task.id == BaselineTask.task_id)
    .where(BaselineTask.is_end)
    .order_by(BaselineTask.baseline, Task.owner)
    .distinct()
)


def read_promises(connection: Connection) -> list[Promise]:
    """Every baseline, the earliest committed first; their end tasks are left out."""
    return [_promise(*row) for row in connection.execute(_PROMISES)]


def read_promises_over(connection: Connection, task: int) -> list[tuple[Promise, bool]]:
    """The baselines that protect a task, the earliest committed first, and whether it is one of their end tasks."""
    return [(_promise(*row), is_end) for *row, is_end in connection.execute(_COVERING, {"task": task})]


def _promise(name: str, priority: int, committed: int, margin_ms: int) -> Promise:
    return Promise(shown(name), (), time(*divmod(committed, 60)), margin_ms / 1000, Priority.of(priority))


def read_covered(connection: Connection, tasks: Collection[int]) -> dict[int, list[str]]:
    """By task that a baseline protects, as an end or an ancestor of one: the names of those baselines."""
    covered: dict[int, list[str]] = defaultdict(list)
    for task, baseline in connection.execute(_COVERED, {"ids": bind(tasks)}):
        covered[task].append(shown(baseline))
    return covered


def read_ends(connection: Connection, environment: str, business_date: str) -> Mapping[str, Sequence[End]]:
    """By baseline: the recurring instances of its end tasks on one data timestamp (ISO)."""
    asked = {"environment": environment, "business_date": business_date}
    ends: dict[str, list[End]] = defaultdict(list)
    for row in connection.execute(_ENDS, asked):
        ends[shown(row.baseline)].append(End(row.id, shown(row.name)))
    return ends


def read_end_owners(connection: Connection) -> Mapping[str, Sequence[str]]:
    """By baseline: who owns its end tasks."""
    owners: dict[str, list[str]] = defaultdict(list)
    for baseline, owner in connection.execute(_OWNERS):
        owners[shown(baseline)].append(shown(owner))
    return owners
