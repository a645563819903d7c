"""The engine's questions and writes: each one statement over an index, built once.

Every function works inside a write transaction. Writers take turns, so what a transaction has read does not change
under it, and a row read as ready is updated by its id alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    String,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    union_all,
    update,
)

from dpconsole.core.domain.definitions import ThrottlingRule, Unit
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.arrays import bind, bind_map, id_map, id_rows, id_set, row_set
from dpconsole.core.store.models import (
    OPEN_ATTEMPT,
    PAUSED,
    QUEUED,
    READY,
    RETRYING,
    RUNNING,
    TO_BE_STOPPED,
    WAITING,
    Attempt,
    Instance,
    Node,
    Task,
    status_is,
)
from dpconsole.core.store.prepared import Prepared
from dpconsole.core.store.session import Transaction

_REV = bindparam("rev", type_=BigInteger)
_NOW = bindparam("now", type_=BigInteger)
_LIMIT: Any = bindparam("limit", type_=Integer)


class Candidate(NamedTuple):
    """A row the engine may move now: what its admission, its attempt and its journal entry need."""

    id: int
    status: str
    due_at: int
    effective_priority: int
    resource_group: str
    project: str
    origin: str
    environment: str
    type: str
    tags: str
    dry_run: bool
    attempt: int
    timeout_ms: int
    parent_id: int | None
    task_id: int
    node_id: int | None
    task_key: str
    business_date: str
    ordinal: int
    backfill_id: int | None


_OURS = Instance.autonomous.is_(True)
"""A folder takes its nodes' statuses, waiting and running ones too, and is never to be started or counted for it."""
_CANDIDATE = select(*(getattr(Instance, column) for column in Candidate._fields))
_BY_DUE = (Instance.due_at, Instance.id)
_READY = Prepared(_CANDIDATE.where(READY).order_by(*_BY_DUE).limit(_LIMIT))
_DUE = Prepared(_CANDIDATE.where(WAITING, _OURS, Instance.due_at <= _NOW).order_by(*_BY_DUE).limit(_LIMIT))
_QUEUE = _CANDIDATE.where(QUEUED, _OURS).order_by(Instance.effective_priority, *_BY_DUE).limit(_LIMIT)


def ready(transaction: Transaction, limit: int) -> list[Candidate]:
    """Not Running, nothing pending, not paused, and the engine's to start."""
    return _candidates(_READY.all(transaction.connection, limit=limit))


def due(transaction: Transaction, now: int, limit: int) -> list[Candidate]:
    """Waiting for a scheduled time that has come."""
    return _candidates(_DUE.all(transaction.connection, now=now, limit=limit))


def throttled(transaction: Transaction, full: Sequence[ThrottlingRule], limit: int) -> list[Candidate]:
    """The head of the throttling queue, without the rows that a full rule holds back."""
    return _candidates(_throttled(tuple(full)).all(transaction.connection, limit=limit))


@lru_cache(64)
def _throttled(full: tuple[ThrottlingRule, ...]) -> Prepared:
    return Prepared(_QUEUE.where(status_is(Status.THROTTLED), *(~rule_condition(rule) for rule in full)))


_FULL = row_set("full", name=String)
_WAITING_FOR_RESOURCES = Prepared(
    _QUEUE.where(status_is(Status.WAITING_RESOURCE), Instance.resource_group.not_in(select(_FULL.c.name)))
)


def waiting_for_resources(transaction: Transaction, full: Collection[str], limit: int) -> list[Candidate]:
    """The head of the resource queue, without the rows of full groups."""
    groups = bind([[name] for name in full])
    return _candidates(_WAITING_FOR_RESOURCES.all(transaction.connection, full=groups, limit=limit))


def rule_condition(rule: ThrottlingRule) -> ColumnElement[bool]:
    """A throttling rule as a condition on instances (section 11.1)."""
    asked = {
        Instance.project: rule.project,
        Instance.origin: rule.origin,
        Instance.type: rule.type,
        Instance.environment: rule.environment,
    }
    named = [column == value for column, value in asked.items() if value is not None]
    if rule.tag is not None:
        named.append(Instance.tags.contains(json.dumps(rule.tag, ensure_ascii=False), autoescape=True))
    return and_(literal_column("1") == literal_column("1"), *named)


def _candidates(rows: Iterable[Any]) -> list[Candidate]:
    return list(map(Candidate._make, rows))


# --- limits and what they hold ----------------------------------------------------------------------------------------


class Held(NamedTuple):
    """A number of instances that hold a throttling slot and look alike to every rule."""

    project: str
    origin: str
    environment: str
    type: str
    tags: str
    number: int


_ALIKE = (Instance.project, Instance.origin, Instance.environment, Instance.type, Instance.tags)
_HELD = union_all(
    select(*_ALIKE, func.count()).where(RUNNING, _OURS).group_by(*_ALIKE),
    select(*_ALIKE, func.count()).where(QUEUED, _OURS, status_is(Status.WAITING_RESOURCE)).group_by(*_ALIKE),
)
_RUNNING_BY_GROUP = (
    select(Instance.resource_group, func.count().label("number")).where(RUNNING).group_by(Instance.resource_group)
)


def running_by_group(transaction: Transaction | Connection) -> dict[str, int]:
    """How many instances run in each resource group."""
    return {row.resource_group: row.number for row in transaction.execute(_RUNNING_BY_GROUP)}


def held_slots(transaction: Transaction | Connection) -> list[Held]:
    """What holds throttling slots: dispatched, that is waiting for resources or running (section 11.1)."""
    return [Held._make(row) for row in transaction.execute(_HELD)]


class Crowd(NamedTuple):
    """How many run in each resource group, and how many stand in each queue."""

    running: dict[str, int]
    throttled: int
    waiting_for_resources: int


_CROWD = Prepared(
    union_all(
        select(literal_column(f"'{Status.RUNNING}'"), Instance.resource_group, func.count())
        .where(RUNNING)
        .group_by(Instance.resource_group),
        select(Instance.status, literal_column("''"), func.count()).where(QUEUED, _OURS).group_by(Instance.status),
    )
)


def crowd(transaction: Transaction) -> Crowd:
    """Who is under way and who is held up, at this moment."""
    rows = _CROWD.all(transaction.connection)
    running = {group: number for status, group, number in rows if status == Status.RUNNING}
    queued = {status: number for status, _, number in rows if status != Status.RUNNING}
    return Crowd(running, queued.get(Status.THROTTLED, 0), queued.get(Status.WAITING_RESOURCE, 0))


# --- moves ------------------------------------------------------------------------------------------------------------

_HERE = Instance.id.in_(id_set())
_CHANGE = update(Instance).where(_HERE)
_MOVE = Prepared(_CHANGE.values(status=bindparam("status", type_=String), rev=_REV))
_START = Prepared(
    _CHANGE.values(
        status=Status.RUNNING,
        attempt=Instance.attempt + 1,
        started_at=_NOW,
        ended_at=null(),
        set_by_hand=False,
        rev=_REV,
    )
)
_SUCCEED = Prepared(_CHANGE.values(status=Status.SUCCEEDED, started_at=null(), ended_at=null(), error="", rev=_REV))
_RETRY = Prepared(
    _CHANGE.values(
        status=Status.NOT_RUNNING, auto_reruns=Instance.auto_reruns + 1, retry_at=null(), forced=False, rev=_REV
    )
)


def move(transaction: Transaction, ids: Collection[int], status: Status) -> None:
    """Rows go to a status in which nothing has started."""
    _update(transaction, _MOVE, ids, status=status)


def start(transaction: Transaction, ids: Collection[int], now: int) -> None:
    """Rows start a new attempt: its row is the order the executor gets after the commit."""
    _update(transaction, _START, ids, now=now)


def succeed_at_once(transaction: Transaction, ids: Collection[int]) -> None:
    """Dry runs succeed with no work, no attempt, no duration (A9, section 3)."""
    _update(transaction, _SUCCEED, ids)


def retry(transaction: Transaction, ids: Collection[int]) -> None:
    """Automatic reruns begin (A11)."""
    _update(transaction, _RETRY, ids)


def _update(transaction: Transaction, statement: Prepared, ids: Collection[int], **values: Any) -> None:
    if ids:
        statement.run(transaction.connection, ids=bind(ids), rev=transaction.rev, **values)


# --- attempts ---------------------------------------------------------------------------------------------------------

_starting = id_rows().subquery("starting")
_TRIGGER = case(
    (Instance.forced.is_(True), literal("forced")),
    (Instance.auto_reruns > 0, literal("retry")),
    (Instance.attempt > 1, literal("rerun")),
    else_=literal("schedule"),
)
_OPEN = Prepared(
    insert(Attempt).from_select(
        [
            "instance_id",
            "number",
            "token",
            "state",
            "trigger",
            "dispatched_at",
            "started_at",
            "lease_until",
            "deadline_at",
            "why",
            "log",
            "stop_requested",
        ],
        select(
            Instance.id,
            Instance.attempt,
            _REV,
            literal("running"),
            _TRIGGER,
            _NOW,
            _NOW,
            bindparam("lease_until", type_=BigInteger),
            _NOW + Instance.timeout_ms,
            literal(""),
            literal(""),
            literal(False),
        ).join_from(_starting, Instance, Instance.id == _starting.c.id),
    )
)

_ended = row_set("ended", id=BigInteger, number=Integer, token=BigInteger, at=BigInteger)
_CLOSE = Prepared(
    update(Attempt)
    .where(
        Attempt.instance_id == _ended.c.id,
        Attempt.number == _ended.c.number,
        Attempt.token == _ended.c.token,
        Attempt.ended_at.is_(None),
    )
    .values(
        state=bindparam("state", type_=String),
        ended_at=_ended.c.at,
        exit_code=bindparam("exit_code", type_=Integer),
        why=bindparam("why", type_=Attempt.why.type),
    )
    .returning(Attempt.instance_id, Attempt.number, Attempt.token)
)
_finished = id_map("finished")
_FINISH = Prepared(
    update(Instance)
    .where(Instance.id == _finished.c.id, Instance.attempt == bindparam("number", type_=Integer), RUNNING)
    .values(status=Status.SUCCEEDED, ended_at=_finished.c.value, error="", rev=_REV)
    .returning(Instance.id, Instance.parent_id)
)
_failed = row_set("failed", id=BigInteger, number=Integer, at=BigInteger, retry_at=BigInteger, error=String)
_FAIL = Prepared(
    update(Instance)
    .where(Instance.id == _failed.c.id, Instance.attempt == _failed.c.number, RUNNING)
    .values(status=Status.FAILED, ended_at=_failed.c.at, retry_at=_failed.c.retry_at, error=_failed.c.error, rev=_REV)
    .returning(Instance.id, Instance.attempt, Instance.parent_id)
)
_RETRY_RULES = select(
    Instance.id,
    Instance.auto_reruns,
    Instance.reruns,
    Instance.rerun_interval_ms,
    Instance.rerun_after_timeout,
).where(_HERE)


class Moved(NamedTuple):
    """A row that took a step: the number of its attempt, and the logical table it belongs to."""

    id: int
    attempt: int
    parent_id: int | None


def open_attempts(transaction: Transaction, ids: Collection[int], now: int, lease_until: int) -> None:
    """Write the attempts of rows that just started; the token is this transaction's revision."""
    _OPEN.run(transaction.connection, ids=bind(ids), rev=transaction.rev, now=now, lease_until=lease_until)


def close_attempts(
    transaction: Transaction, ended: Sequence[tuple[int, int, int, int]], state: str, exit_code: int | None, why: str
) -> set[tuple[int, int, int]]:
    """End open attempts given as (instance, number, token, ended at); returns those whose report counted, without it.

    A late or repeated report finds no open attempt with its number and token, and changes nothing.
    """
    return set(_CLOSE.all(transaction.connection, ended=bind(ended), state=state, exit_code=exit_code, why=why))


def finish(transaction: Transaction, number: int, ended: Mapping[int, int]) -> list[Moved]:
    """Rows running their `number`-th attempt succeed, given as the moment they ended by id; returns those that did."""
    rows = _FINISH.all(transaction.connection, number=number, finished=bind_map(ended), rev=transaction.rev)
    return [Moved(id, number, parent) for id, parent in rows]


def fail(transaction: Transaction, ended: Sequence[tuple[int, int, int, int | None, str]]) -> list[Moved]:
    """Running rows fail, given as (id, attempt, ended at, retry at, error); returns those that did."""
    return list(map(Moved._make, _FAIL.all(transaction.connection, failed=bind(ended), rev=transaction.rev)))


def retry_rules(transaction: Transaction, ids: Collection[int]) -> Mapping[int, Row[Any]]:
    """What decides whether a failed row is rerun automatically, by id."""
    return {row.id: row for row in transaction.execute(_RETRY_RULES, {"ids": bind(ids)})}


# --- what time brings -------------------------------------------------------------------------------------------------

_RETRIES_DUE = Prepared(
    select(Instance.id, Instance.attempt, Instance.parent_id)
    .where(RETRYING, Instance.retry_at <= _NOW)
    .order_by(Instance.retry_at, Instance.id)
    .limit(_LIMIT)
)
_OVERDUE = (
    select(Attempt.instance_id, Attempt.number, Attempt.token, Attempt.deadline_at, Attempt.lease_until)
    .where(OPEN_ATTEMPT, or_(Attempt.deadline_at <= _NOW, Attempt.lease_until <= _NOW))
    .limit(_LIMIT)
)
_RENEW = update(Attempt).where(OPEN_ATTEMPT, Attempt.instance_id.in_(id_set())).values(lease_until=bindparam("until"))
_EXECUTED = Instance.unit != literal_column(f"'{Unit.LOGICAL_TABLE}'")
_MATURED = Prepared(
    select(
        or_(
            select(Instance.id).where(RETRYING, Instance.retry_at <= _NOW).exists(),
            select(Attempt.instance_id).where(OPEN_ATTEMPT, Attempt.deadline_at <= _NOW).exists(),
            select(Attempt.instance_id).where(OPEN_ATTEMPT, Attempt.lease_until <= _NOW).exists(),
            select(Attempt.instance_id).where(TO_BE_STOPPED).exists(),
            select(Instance.id).where(PAUSED, Instance.paused_until <= _NOW, _EXECUTED).exists(),
        )
    )
)
_NEXT = Prepared(
    select(
        select(func.min(Instance.due_at)).where(WAITING, _OURS).scalar_subquery(),
        select(func.min(Instance.retry_at)).where(RETRYING).scalar_subquery(),
        select(func.min(Attempt.deadline_at)).where(OPEN_ATTEMPT).scalar_subquery(),
        select(func.min(Instance.paused_until)).where(PAUSED, _EXECUTED).scalar_subquery(),
    )
)
_STOPS = select(Attempt.instance_id, Attempt.number).where(TO_BE_STOPPED)
_STOPPED = (
    update(Attempt)
    .where(Attempt.instance_id == bindparam("instance"), Attempt.number == bindparam("attempt"))
    .values(stop_requested=False)
)
_PAUSES_OVER = select(Instance.id, Instance.parent_id, Instance.name, Instance.status).where(
    PAUSED, Instance.paused_until <= _NOW, _EXECUTED
)
_RESUME = Prepared(_CHANGE.values(paused=False, paused_until=null(), rev=_REV))


def retries_due(transaction: Transaction, now: int, limit: int) -> list[Moved]:
    """Failed rows whose automatic rerun has come."""
    return list(map(Moved._make, _RETRIES_DUE.all(transaction.connection, now=now, limit=limit)))


def overdue_attempts(transaction: Transaction, now: int, limit: int) -> list[Row[Any]]:
    """Open attempts past their timeout or their lease: instance_id, number, token, deadline_at, lease_until."""
    return list(transaction.execute(_OVERDUE, {"now": now, "limit": limit}).all())


def renew_attempts(transaction: Transaction, instances: Collection[int], until: int) -> None:
    """The executor vouches for these: their leases run on."""
    transaction.execute(_RENEW, {"ids": bind(instances), "until": until})


def stops(transaction: Transaction) -> list[Row[Any]]:
    """The attempts that operators have ended and somebody may still work on: instance_id, number."""
    return list(transaction.execute(_STOPS).all())


def note_stopped(transaction: Transaction, attempts: Iterable[tuple[int, int]]) -> None:
    """Nobody works on these attempts, given as (instance, number), any more."""
    gone = [{"instance": instance, "attempt": number} for instance, number in attempts]
    if gone:
        transaction.execute(_STOPPED, gone)


def pauses_over(transaction: Transaction, now: int) -> list[Row[Any]]:
    """Executable rows whose pause was to last until now: id, parent_id, name, status."""
    return list(transaction.execute(_PAUSES_OVER, {"now": now}).all())


def resume(transaction: Transaction, ids: Collection[int]) -> None:
    """Rows are held back no longer (O8)."""
    _update(transaction, _RESUME, ids)
    transaction.touch("instance", ids)


def has_matured(connection: Connection, now: int) -> bool:
    """Whether an automatic rerun is due, an attempt past its timeout or its lease, a pause over, a stop asked for."""
    return bool(_MATURED.one(connection, now=now)[0])


def next_instant(connection: Connection) -> int | None:
    """The next moment at which time alone moves something: a due time, an automatic rerun, a timeout, a resume."""
    return min((moment for moment in _NEXT.one(connection) if moment is not None), default=None)


# --- what is done, and what is under way ------------------------------------------------------------------------------

_WORK_REV = Prepared(select(func.coalesce(func.max(Task.rev), 0)))


def _raw(column: Any) -> Any:
    """A JSON column as the text it is: many tasks share one document, which is then read once."""
    return cast(column, Text).label(column.key)


_TASKS = select(Task.id, Task.key, Task.type, _raw(Task.run), _raw(Task.parameters), _raw(Task.simulate)).where(
    Task.id.in_(id_set())
)
_NODES = select(Node.id, Node.task_id, Node.name, _raw(Node.simulate)).where(Node.task_id.in_(id_set()))
_ORDERS: Select[Any] = select(
    *(getattr(Instance, column) for column in Candidate._fields),
    Attempt.number,
    Attempt.token,
    Attempt.started_at,
    Attempt.deadline_at,
    Attempt.ended_at,
).join_from(Attempt, Instance, Instance.id == Attempt.instance_id)
_OPEN_ORDERS = _ORDERS.where(OPEN_ATTEMPT)
_ONE_ORDER = _ORDERS.where(Attempt.instance_id == bindparam("id"), Attempt.number == bindparam("number"))


def definitions_rev(connection: Connection) -> int:
    """Grows whenever a task's definition changes."""
    return int(_WORK_REV.one(connection)[0])


def task_work(connection: Connection, task_ids: Collection[int]) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """What is needed to run tasks and their materialization nodes."""
    ids = {"ids": bind(task_ids)}
    return list(connection.execute(_TASKS, ids).all()), list(connection.execute(_NODES, ids).all())


def open_orders(connection: Connection) -> list[Row[Any]]:
    """Every open attempt beside its instance."""
    return list(connection.execute(_OPEN_ORDERS).all())


def one_order(connection: Connection, instance_id: int, number: int) -> Row[Any] | None:
    """One attempt beside its instance."""
    return connection.execute(_ONE_ORDER, {"id": instance_id, "number": number}).one_or_none()
