"""Backfills in the store: what is to be submitted, which data timestamps run, and what becomes of those that wait.

The next data timestamp of a queue begins when everything before it there has succeeded. That is read from the tally,
so a pass costs a lookup for each data timestamp in flight, whatever number of instances they have, and nothing where
none is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Row,
    Text,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from dpconsole.core.domain.backfills import BackfillState, DateState
from dpconsole.core.domain.definitions import Unit
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.arrays import bind, id_set, row_set
from dpconsole.core.store.journal import OPEN_REQUIREMENTS
from dpconsole.core.store.models import (
    IN_FLIGHT,
    UNSUBMITTED,
    Backfill,
    BackfillDate,
    BackfillTally,
    Instance,
    InstanceDependency,
)
from dpconsole.core.store.prepared import Insertion, Prepared
from dpconsole.core.store.session import Transaction

_REV = bindparam("rev", type_=BigInteger)
_NOW = bindparam("now", type_=BigInteger)
_BACKFILL = bindparam("backfill", type_=BigInteger)


# --- making one -------------------------------------------------------------------------------------------------------

_DATES = Insertion(BackfillDate.__table__, ("backfill_id", "business_date", "queue", "position", "rev"))


def insert_backfill(transaction: Transaction, values: dict[str, Any], queues: Sequence[Sequence[str]]) -> int:
    """Write a backfill and its data timestamps (ISO text), queue by queue; returns its id."""
    made = transaction.execute(insert(Backfill).values(values | {"rev": transaction.rev}).returning(Backfill.id))
    backfill = int(made.scalar_one())
    places = [
        (backfill, day, queue, position, transaction.rev)
        for queue, days in enumerate(queues, start=1)
        for position, day in enumerate(days, start=1)
    ]
    _DATES.run(transaction.connection, places)
    transaction.touch("backfill", [backfill])
    transaction.touch("backfill_date", [row.id for row in dates_of(transaction.connection, backfill)])
    return backfill


# --- submission -------------------------------------------------------------------------------------------------------

_ORDER = select(
    Backfill.id,
    Backfill.state,
    Backfill.environment,
    Backfill.groups,
    Backfill.ascending,
    cast(Backfill.form, Text).label("form"),
).where(Backfill.id == _BACKFILL)
_DATES_OF: Any = (
    select(
        BackfillDate.id,
        BackfillDate.business_date,
        BackfillDate.queue,
        BackfillDate.position,
        BackfillDate.state,
        BackfillDate.made,
        BackfillDate.begun_at,
    )
    .where(BackfillDate.backfill_id == _BACKFILL)
    .order_by(BackfillDate.business_date)
)
_MADE = update(BackfillDate).where(BackfillDate.id.in_(id_set())).values(made=True, rev=_REV)
_CHANGE = update(Backfill).where(Backfill.id == _BACKFILL)
_DUE = Prepared(
    select(Backfill.id)
    .where(
        UNSUBMITTED,
        or_(
            Backfill.state == BackfillState.SUBMITTING,
            (Backfill.state == BackfillState.WAITING) & (Backfill.submit_after_at <= _NOW),
        ),
    )
    .order_by(Backfill.submit_after_at, Backfill.id)
)
_NEXT = Prepared(select(func.min(Backfill.submit_after_at)).where(UNSUBMITTED, Backfill.state == BackfillState.WAITING))
_PARAMETERS = select(cast(Backfill.form, Text)).where(Backfill.id == _BACKFILL)


def read_backfill(connection: Connection, backfill_id: int) -> Any:
    """id, state, environment, groups, ascending, and the form as JSON text; None when there is none."""
    return connection.execute(_ORDER, {"backfill": backfill_id}).first()


def read_form(connection: Connection, backfill_id: int) -> str:
    """What the operator asked for, as JSON text."""
    return str(connection.execute(_PARAMETERS, {"backfill": backfill_id}).scalar_one())


def dates_of(connection: Connection, backfill_id: int) -> Sequence[Row[Any]]:
    """The data timestamps in ascending order: id, business_date, queue, position, state, made, begun_at."""
    return connection.execute(_DATES_OF, {"backfill": backfill_id}).all()


def change(transaction: Transaction, backfill_id: int, **columns: Any) -> None:
    """Change columns of a backfill: its state (section 8.4), what goes with it."""
    transaction.execute(_CHANGE.values(rev=transaction.rev, **columns), {"backfill": backfill_id})
    transaction.touch("backfill", [backfill_id])


def note_made(transaction: Transaction, dates: Collection[int]) -> None:
    """The instances of these data timestamps are written."""
    transaction.execute(_MADE, {"ids": bind(dates), "rev": transaction.rev})
    transaction.touch("backfill_date", dates)


def due_submissions(connection: Connection, now: int) -> list[int]:
    """Backfills whose time has come, and those whose submission has begun and not ended."""
    return [id for (id,) in _DUE.all(connection, now=now)]


def next_submission(connection: Connection) -> int | None:
    """The next moment at which a backfill is to be submitted, UTC milliseconds."""
    moment: int | None = _NEXT.one(connection)[0]
    return moment


# --- queues -----------------------------------------------------------------------------------------------------------

_UNFINISHED = exists().where(
    BackfillTally.backfill_id == BackfillDate.backfill_id,
    BackfillTally.backfill_date_id == BackfillDate.id,
    BackfillTally.status != Status.SUCCEEDED,
    BackfillTally.number > 0,
)
_FINISHED = Prepared(select(BackfillDate.id, BackfillDate.backfill_id).where(IN_FLIGHT, ~_UNFINISHED))
_END = Prepared(update(BackfillDate).where(BackfillDate.id.in_(id_set())).values(state=DateState.DONE, rev=_REV))
_HEAD, _IN_THE_WAY = (
    func.min(case((BackfillDate.state == state, BackfillDate.position)))
    for state in (DateState.WAITING, DateState.BEGUN)
)
_IDLE = Prepared(
    select(BackfillDate.backfill_id, BackfillDate.queue, _HEAD)
    .where(BackfillDate.backfill_id.in_(id_set("backfills")))
    .group_by(BackfillDate.backfill_id, BackfillDate.queue)
    .having(_HEAD.is_not(None), or_(_IN_THE_WAY.is_(None), _IN_THE_WAY > _HEAD))
)
_idle = row_set("idle", backfill_id=BigInteger, queue=Integer, position=Integer)
_IN_IDLE = (BackfillDate.backfill_id == _idle.c.backfill_id) & (BackfillDate.queue == _idle.c.queue)
_TAKE_UP_AGAIN = Prepared(
    update(BackfillDate)
    .where(_IN_IDLE, BackfillDate.state == DateState.DONE, _UNFINISHED)
    .values(state=DateState.BEGUN, rev=_REV)
    .returning(BackfillDate.id, BackfillDate.backfill_id, BackfillDate.queue)
)
_BEGIN = Prepared(
    update(BackfillDate)
    .where(_IN_IDLE, BackfillDate.position == _idle.c.position, BackfillDate.state == DateState.WAITING)
    .values(state=DateState.BEGUN, begun_at=_NOW, rev=_REV)
    .returning(BackfillDate.id)
)
_LET_GO = Prepared(
    update(Instance)
    .where(
        Instance.backfill_id.is_not(None),
        Instance.backfill_id.in_(id_set("backfills")),
        Instance.backfill_date_id.in_(id_set()),
        Instance.unit != Unit.LOGICAL_TABLE,
        Instance.autonomous.is_(False),
    )
    .values(autonomous=True, rev=_REV)
    .returning(Instance.id)
)


def end_finished(transaction: Transaction) -> dict[int, int]:
    """Data timestamps in flight that have succeeded are done; returns them with the backfills they are of."""
    finished: dict[int, int] = dict(_FINISHED.all(transaction.connection))
    if finished:
        _END.run(transaction.connection, ids=bind(finished), rev=transaction.rev)
        transaction.touch("backfill_date", finished)
    return finished


def begin_next(transaction: Transaction, backfills: Collection[int], now: int) -> int:
    """The next data timestamp of every queue begins that has none in flight before it; how many did (section 7).

    One that was done and has been rerun since holds its queue again instead.
    """
    bound, rev = bind(backfills), transaction.rev
    idle = [tuple(row) for row in _IDLE.all(transaction.connection, backfills=bound)] if backfills else []
    if not idle:
        return 0
    again = _TAKE_UP_AGAIN.all(transaction.connection, idle=bind(idle), rev=rev)
    taken = {(backfill, queue) for _, backfill, queue in again}
    heads = bind([head for head in idle if head[:2] not in taken])
    begun = [id for (id,) in _BEGIN.all(transaction.connection, idle=heads, now=now, rev=rev)]
    released = _LET_GO.all(transaction.connection, ids=bind(begun), backfills=bound, rev=rev)
    transaction.touch("backfill_date", [*begun, *(id for id, _, _ in again)])
    transaction.touch("instance", [id for (id,) in released])
    return len(begun)


_LEFT_TO_RUN = (
    select(BackfillDate.id, Instance.id)
    .join(
        BackfillDate,
        (BackfillDate.backfill_id == Instance.backfill_id) & (BackfillDate.id == Instance.backfill_date_id),
    )
    .where(
        BackfillDate.id.in_(id_set()),
        Instance.backfill_id.is_not(None),
        Instance.unit != Unit.LOGICAL_TABLE,
        Instance.status != Status.SUCCEEDED,
    )
)


def left_to_run(connection: Connection, dates: Collection[int]) -> dict[int, list[int]]:
    """By data timestamp: the executable instances of it that have not succeeded."""
    found: dict[int, list[int]] = {id: [] for id in dates}
    for date, instance in connection.execute(_LEFT_TO_RUN, {"ids": bind(dates)}) if dates else ():
        found[date].append(instance)
    return found


# --- changed in flight ------------------------------------------------------------------------------------------------

_places = row_set("places", id=BigInteger, queue=Integer, position=Integer)
_PLACE = (
    update(BackfillDate)
    .where(BackfillDate.id == _places.c.id)
    .values(queue=_places.c.queue, position=_places.c.position, rev=_REV)
)
_EXCLUDE = (
    update(BackfillDate)
    .where(BackfillDate.id.in_(id_set()), BackfillDate.state == DateState.WAITING)
    .values(state=DateState.EXCLUDED, rev=_REV)
    .returning(BackfillDate.id, BackfillDate.backfill_id)
)
_Downstream = aliased(Instance, name="downstream")
_Behind = aliased(BackfillDate, name="behind")
_OF_THEM = select(Instance.id).where(
    Instance.backfill_id.is_not(None),
    Instance.backfill_id.in_(id_set("backfills")),
    Instance.backfill_date_id.in_(id_set()),
)
_BELOW_THEM = (
    select(InstanceDependency.downstream_id)
    .distinct()
    .join(_Downstream, _Downstream.id == InstanceDependency.downstream_id)
    .where(InstanceDependency.upstream_id.in_(_OF_THEM), _Downstream.backfill_date_id.not_in(id_set()))
)
_WAIT_NO_LONGER = delete(InstanceDependency).where(
    InstanceDependency.downstream_id.in_(id_set("below")), InstanceDependency.upstream_id.in_(_OF_THEM)
)
_Upstream = aliased(Instance, name="upstream")
_HELD_FROM = (
    select(func.min(BackfillDate.business_date))
    .join(Instance, (Instance.backfill_id == BackfillDate.backfill_id) & (Instance.backfill_date_id == BackfillDate.id))
    .join(InstanceDependency, InstanceDependency.downstream_id == Instance.id)
    .join(_Upstream, _Upstream.id == InstanceDependency.upstream_id)
    .join(_Behind, _Behind.id == _Upstream.backfill_date_id)
    .where(BackfillDate.backfill_id == _BACKFILL, BackfillDate.state == DateState.BEGUN)
    .where(Instance.backfill_id.is_not(None), _Behind.state == DateState.WAITING)
)
_COUNT_ANEW = update(Instance).where(Instance.id.in_(id_set())).values(pending=OPEN_REQUIREMENTS, rev=_REV)


def regroup(transaction: Transaction, backfill_id: int, groups: int, now: int) -> None:
    """Deal the data timestamps that have not begun anew into `groups` queues, behind those in flight (section 7).

    One in flight keeps its queue while there is one of that number, and else joins the queue with the fewest in
    flight; a queue with several begins nothing until all of them are done, but for what one of them waits for. Queues
    with none come first in the deal, and their first ones begin at once.
    """
    backfill = read_backfill(transaction.connection, backfill_id)
    assert backfill is not None
    redeal(transaction, backfill_id, groups, ascending=backfill.ascending)
    change(transaction, backfill_id, groups=groups)
    if backfill.state == BackfillState.SUBMITTED:
        begin_next(transaction, [backfill_id], now)


def redeal(transaction: Transaction, backfill_id: int, groups: int, *, ascending: bool) -> None:
    """Give every data timestamp in flight and waiting its queue and its turn there.

    Where one in flight waits for one that has not begun, it and later ones in flight let earlier ones go before them:
    in one queue, each would wait for the other for ever (section 10.4).
    """
    held_from = transaction.execute(_HELD_FROM, {"backfill": backfill_id}).scalar_one()
    places = _dealt_anew(dates_of(transaction.connection, backfill_id), groups, ascending, held_from)
    transaction.execute(_PLACE, {"places": bind(places), "rev": transaction.rev})
    transaction.touch("backfill_date", [id for id, _, _ in places])


def _dealt_anew(
    rows: Sequence[Row[Any]], groups: int, ascending: bool, held_from: str | None
) -> list[tuple[int, int, int]]:
    """Id, queue and position of those in flight and waiting; from `held_from` on, ones in flight lie in the order."""
    places: list[tuple[int, int, int]] = []
    to_come: dict[int, list[Row[Any]]] = {queue: [] for queue in range(1, groups + 1)}
    in_flight = Counter(dict.fromkeys(to_come, 0))
    begun = [row for row in rows if row.state == DateState.BEGUN]
    for row in sorted(begun, key=lambda row: (row.queue > groups, row.position)):
        queue = row.queue if row.queue <= groups else min(in_flight, key=lambda queue: (in_flight[queue], queue))
        in_flight[queue] += 1
        if held_from is None or row.business_date < held_from:
            places.append((row.id, queue, row.position))
        else:
            to_come[queue].append(row)
    order = sorted(in_flight, key=lambda queue: (in_flight[queue], queue))
    waiting = [row for row in rows if row.state == DateState.WAITING]
    for turn, row in enumerate(waiting if ascending else reversed(waiting)):
        to_come[order[turn % groups]].append(row)
    first = 1 + max((row.position for row in rows if row.state != DateState.WAITING), default=0)
    for queue, some in to_come.items():
        some.sort(key=lambda row: row.business_date, reverse=not ascending)
        places += [(row.id, queue, position) for position, row in enumerate(some, first)]
    return places


def exclude(transaction: Transaction, dates: Collection[int]) -> set[int]:
    """Leave data timestamps out that have not begun, and return which those were; the others change nothing.

    Their instances stay as they are and are never started. What waits for them in later data timestamps does so no
    longer, as for everything outside the backfill.
    """
    gone = transaction.execute(_EXCLUDE, {"ids": bind(dates), "rev": transaction.rev}).all()
    excluded, backfills = {row.id for row in gone}, {row.backfill_id for row in gone}
    these = {"ids": bind(excluded), "backfills": bind(backfills)}
    below = list(transaction.execute(_BELOW_THEM, these).scalars())
    if below:
        transaction.execute(_WAIT_NO_LONGER, these | {"below": bind(below)})
        transaction.execute(_COUNT_ANEW, {"ids": bind(below), "rev": transaction.rev})
    transaction.touch("instance", below)
    transaction.touch("backfill_date", excluded)
    transaction.touch("backfill", backfills)
    return excluded


# --- whose turn it is -------------------------------------------------------------------------------------------------


class Holding(NamedTuple):
    """A data timestamp in flight that holds its queue up, and whether something below it has failed."""

    business_date: str
    failed: bool


class Gate(NamedTuple):
    """What keeps the instances of a data timestamp from starting: its place in its queue, or that it was left out.

    `holding` are in flight before it in its queue, `ahead` is how many wait there.
    """

    submitted: bool
    excluded: bool
    queue: int
    holding: tuple[Holding, ...]
    ahead: int


_SHUT = (
    select(BackfillDate.id, BackfillDate.backfill_id, BackfillDate.queue, BackfillDate.position, BackfillDate.state)
    .add_columns(Backfill.state.label("backfill_state"))
    .join(Backfill, Backfill.id == BackfillDate.backfill_id)
    .where(BackfillDate.id.in_(id_set()), BackfillDate.state.in_((DateState.WAITING, DateState.EXCLUDED)))
)
_FAILED_BELOW = exists().where(
    BackfillTally.backfill_id == BackfillDate.backfill_id,
    BackfillTally.backfill_date_id == BackfillDate.id,
    BackfillTally.status == Status.FAILED,
    BackfillTally.number > 0,
)
_BEFORE = (
    select(BackfillDate.business_date, BackfillDate.state, _FAILED_BELOW.label("failed"))
    .where(BackfillDate.backfill_id == _BACKFILL, BackfillDate.queue == bindparam("queue"))
    .where(BackfillDate.position < bindparam("position"))
    .where(BackfillDate.state.in_((DateState.WAITING, DateState.BEGUN)))
    .order_by(BackfillDate.position)
)


def read_gates(connection: Connection, dates: Collection[int]) -> dict[int, Gate]:
    """Those of these data timestamps whose turn has not come, by id."""
    found: dict[int, Gate] = {}
    for row in connection.execute(_SHUT, {"ids": bind(dates)}).all() if dates else ():
        place = {"backfill": row.backfill_id, "queue": row.queue, "position": row.position}
        before = connection.execute(_BEFORE, place).all()
        found[row.id] = Gate(
            submitted=row.backfill_state == BackfillState.SUBMITTED,
            excluded=row.state == DateState.EXCLUDED,
            queue=row.queue,
            holding=tuple(Holding(one.business_date, one.failed) for one in before if one.state == DateState.BEGUN),
            ahead=sum(one.state == DateState.WAITING for one in before),
        )
    return found
