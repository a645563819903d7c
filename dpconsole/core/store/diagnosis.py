"""What a run diagnosis needs to know: what lies upstream, who holds the slots, how long runs take.

The walk goes up through requirements that are not satisfied, visits a row once however many paths lead to it, and ends
at the rows that hold everything up: Failed, paused, running, or ready to go on by themselves (section 13).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from dpconsole.core.domain.definitions import ThrottlingRule
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.arrays import bind, id_set, row_set
from dpconsole.core.store.engine_sql import rule_condition
from dpconsole.core.store.models import (
    QUEUED,
    RUNNING,
    Attempt,
    BackfillDate,
    Instance,
    InstanceDependency,
    or_zero,
    status_is,
)

WALK_LIMIT = 10_000
"""Rows that a walk visits; what lies beyond them is not looked at, and the walk says so."""

RECENT_RUNS = 10
"""Runs of a task that tell how long the next one takes."""

OCCUPANTS = 100
"""Rows that are named as holding slots."""


# --- upstream ---------------------------------------------------------------------------------------------------------


class Walked(NamedTuple):
    """An executable row on the way up, with what decides when it is done; times in UTC milliseconds.

    `turn` is where its data timestamp stands in its queue, None outside backfills.
    """

    id: int
    task_id: int
    node_id: int | None
    type: str
    status: str
    paused: bool
    paused_until: int | None
    autonomous: bool
    dry_run: bool
    pending: int
    due_at: int
    started_at: int | None
    retry_at: int | None
    turn: str | None

    @property
    def waits_for_upstreams(self) -> bool:
        """Whether upstreams have to succeed before it may go on."""
        return self.status == Status.NOT_RUNNING and self.pending > 0

    @property
    def goes_on(self) -> bool:
        """Whether what holds it up is further up."""
        return self.waits_for_upstreams and not self.paused


@dataclass(frozen=True, slots=True)
class Upstream:
    """Everything unfinished that rows wait for, themselves included, and by requirement what each waits for.

    `truncated`: the walk ended at its limit, and there may be more.
    """

    rows: Mapping[int, Walked]
    requirements: Mapping[int, tuple[tuple[int, ...], ...]]
    truncated: bool


_Upstream = aliased(Instance, name="upstream")
_Other = aliased(InstanceDependency, name="other")
_OtherUpstream = aliased(Instance, name="other_upstream")
_MET_BY_ANOTHER = (
    select(literal(1))
    .join_from(_Other, _OtherUpstream, _OtherUpstream.id == _Other.upstream_id)
    .where(
        _Other.downstream_id == InstanceDependency.downstream_id,
        _Other.requirement == InstanceDependency.requirement,
        _OtherUpstream.status == Status.SUCCEEDED,
    )
    .correlate(InstanceDependency)
    .exists()
)
_UNMET = and_(
    _Upstream.status != Status.SUCCEEDED,
    or_(InstanceDependency.alternative.is_(False), not_(_MET_BY_ANOTHER)),
)


def _waits_for_upstreams(row: Any) -> ColumnElement[bool]:
    return and_(row.status == Status.NOT_RUNNING, row.pending > 0)


def _walk() -> Select[*tuple[Any, ...]]:
    """Where the walk begins a pause does not end it: what is above decides when the row could start at the earliest."""
    start = select(Instance.id, _waits_for_upstreams(Instance).label("goes_on")).where(Instance.id.in_(id_set()))
    walk = start.cte("walk", recursive=True)
    step = (
        select(_Upstream.id, and_(_waits_for_upstreams(_Upstream), _Upstream.paused.is_(false())))
        .join_from(walk, InstanceDependency, InstanceDependency.downstream_id == walk.c.id)
        .join(_Upstream, _Upstream.id == InstanceDependency.upstream_id)
        .where(walk.c.goes_on, _UNMET)
    )
    walk = walk.union(step)
    visited = select(walk.c.id).limit(bindparam("limit", type_=Integer)).subquery("visited")
    columns = (BackfillDate.state if name == "turn" else getattr(Instance, name) for name in Walked._fields)
    rows = select(*columns).join_from(visited, Instance, Instance.id == visited.c.id)
    return rows.outerjoin(BackfillDate, BackfillDate.id == Instance.backfill_date_id)


_WALK = _walk()
_EDGES = (
    select(InstanceDependency.downstream_id, InstanceDependency.requirement, InstanceDependency.upstream_id)
    .join(_Upstream, _Upstream.id == InstanceDependency.upstream_id)
    .where(InstanceDependency.downstream_id.in_(id_set()), _UNMET)
)


def walk_up(connection: Connection, ids: Collection[int], limit: int) -> dict[int, Walked]:
    """These rows and the unfinished ones above them, nearest first, `limit` of them and no more."""
    found = connection.execute(_WALK, {"ids": bind(ids), "limit": limit}).all()
    return {row[0]: Walked._make(row) for row in found}


def read_upstream(connection: Connection, ids: Collection[int], limit: int = WALK_LIMIT) -> Upstream:
    """Walk up from executable rows, and read what each of the rows on the way waits for."""
    rows = walk_up(connection, ids, limit)
    waiting = [id for id, row in rows.items() if row.goes_on or (id in ids and row.waits_for_upstreams)]
    return Upstream(rows, _requirements(connection, waiting), truncated=len(rows) >= limit)


def _requirements(connection: Connection, ids: Collection[int]) -> dict[int, tuple[tuple[int, ...], ...]]:
    found: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for downstream, requirement, upstream in connection.execute(_EDGES, {"ids": bind(ids)}).all():
        found[downstream][requirement].append(upstream)
    return {id: tuple(map(tuple, by_number.values())) for id, by_number in found.items()}


# --- slots ------------------------------------------------------------------------------------------------------------

_OURS = Instance.autonomous.is_(True)
_DISPATCHED = or_(RUNNING, and_(QUEUED, status_is(Status.WAITING_RESOURCE)))
_AHEAD = tuple_(Instance.effective_priority, Instance.due_at, Instance.id) < tuple_(
    *(bindparam(name, type_=BigInteger) for name in ("priority", "due_at", "id"))
)


class Turn(NamedTuple):
    """A row's place in queue order: effective priority, due time, id (section 11.1)."""

    priority: int
    due_at: int
    id: int


def holders_of_rules(connection: Connection, rules: Sequence[ThrottlingRule]) -> list[int]:
    """The dispatched instances that hold a slot of any of these rules, the longest running first."""
    return _first(connection, _DISPATCHED, _any(rules))


def holders_of_group(connection: Connection, group: str) -> list[int]:
    """The instances that run in a resource group, the longest running first."""
    return _first(connection, RUNNING, Instance.resource_group == group)


def ahead_in_throttling(connection: Connection, rules: Sequence[ThrottlingRule], turn: Turn) -> int:
    """How many throttled rows that wait for any of these rules go before this one."""
    return _count_ahead(connection, turn, status_is(Status.THROTTLED), _any(rules))


def ahead_in_group(connection: Connection, group: str, turn: Turn) -> int:
    """How many rows that wait for a slot of this resource group go before this one."""
    return _count_ahead(connection, turn, status_is(Status.WAITING_RESOURCE), Instance.resource_group == group)


def _any(rules: Sequence[ThrottlingRule]) -> ColumnElement[bool]:
    return or_(false(), *(rule_condition(rule) for rule in rules))


def _first(connection: Connection, *conditions: ColumnElement[bool]) -> list[int]:
    started = func.coalesce(Instance.started_at, Instance.due_at)
    held = select(Instance.id).where(_OURS, *conditions).order_by(Instance.status, started, Instance.id)
    return list(connection.execute(held.limit(OCCUPANTS)).scalars())


def _count_ahead(connection: Connection, turn: Turn, *conditions: ColumnElement[bool]) -> int:
    ahead = select(func.count()).select_from(Instance).where(QUEUED, _OURS, _AHEAD, *conditions)
    return connection.execute(ahead, turn._asdict()).scalar_one()


# --- durations --------------------------------------------------------------------------------------------------------

_asked = row_set("asked", task_id=BigInteger, node_id=BigInteger)
_took = Attempt.ended_at - func.coalesce(Attempt.started_at, Attempt.dispatched_at)
_recent = (
    select(cast(_took, Text).label("took"))
    .join_from(Instance, Attempt, Attempt.instance_id == Instance.id)
    .where(
        Instance.task_id == _asked.c.task_id,
        or_zero(Instance.node_id) == _asked.c.node_id,
        Attempt.state == "ok",
        Attempt.ended_at.is_not(None),
    )
    .order_by(Instance.business_date.desc(), Instance.ordinal.desc(), Attempt.number.desc())
    .limit(RECENT_RUNS)
    .correlate(_asked)
    .subquery("recent")
)
_RECENT = select(
    _asked.c.task_id,
    _asked.c.node_id,
    select(func.aggregate_strings(_recent.c.took, ",")).scalar_subquery().label("took"),
)

Runner = tuple[int, int]
"""What runs again and again: a task's id, and its node's, or 0."""


def recent_durations(connection: Connection, runners: Collection[Runner]) -> dict[Runner, list[int]]:
    """How long the last runs that succeeded took, in milliseconds; what never succeeded is left out."""
    rows = connection.execute(_RECENT, {"asked": bind([list(runner) for runner in runners])})
    return {(row.task_id, row.node_id): [int(took) for took in row.took.split(",")] for row in rows if row.took}
