"""What operators' verbs are aimed at in a backfill: its folders, what lies below them, and what is written to them.

Instances below a folder are found through the index of their backfill, those of excluded data timestamps never: they
belong to the backfill no more. The verbs on folders themselves are few rows, checked and written in one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, bindparam, func, or_, select, update

from dpconsole.core.domain.backfills import PENDING, BackfillState, DateState, FlowState, PendingVerb
from dpconsole.core.domain.definitions import Origin, Unit
from dpconsole.core.domain.keys import Layer, TreeId, backfill_key, date_key
from dpconsole.core.domain.statuses import WAITING, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store import backfill_sql
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import Backfill, BackfillDate, Instance, status_is
from dpconsole.core.store.session import Transaction
from dpconsole.core.store.verbs import Change


@dataclass(frozen=True, slots=True)
class Folder:
    """A backfill, a data timestamp of one, or a saved flow, as it was seen: a target without rows of its own to run.

    `words` are its state for a reader, `groups` the number of its queues, `to_begin` how many data timestamps of it
    have not begun; a flow has neither.
    """

    id: int
    key: str
    name: str
    project: str
    state: BackfillState | DateState | FlowState
    groups: int
    to_begin: int
    rev: int
    parts: tuple[()] = ()
    level: int = 0
    origin: Origin = Origin.BACKFILL

    @property
    def likeness(self) -> Folder:
        """All that a verb may look at when it judges it."""
        return self

    @property
    def standing(self) -> BackfillState | DateState | FlowState:
        """The state that guards ask for."""
        return self.state

    @property
    def words(self) -> str:
        """What it is now, for a reader."""
        return self.state.label


# --- folders ----------------------------------------------------------------------------------------------------------

_TO_BEGIN = (
    select(func.count())
    .where(BackfillDate.backfill_id == Backfill.id, BackfillDate.state == DateState.WAITING)
    .correlate(Backfill)
    .scalar_subquery()
)
_OF_BACKFILL = (Backfill.name, Backfill.project, Backfill.groups, _TO_BEGIN.label("to_begin"))
_BACKFILLS = select(Backfill.id, Backfill.state, Backfill.rev, *_OF_BACKFILL).where(Backfill.id.in_(id_set()))
_DATES = (
    select(BackfillDate.id, BackfillDate.state, BackfillDate.rev, BackfillDate.business_date, *_OF_BACKFILL)
    .join(Backfill, Backfill.id == BackfillDate.backfill_id)
    .where(BackfillDate.id.in_(id_set()))
)


def read_backfills(connection: Connection, ids: Collection[int]) -> list[Folder]:
    """The backfills with these ids, in the order asked for; ids that name none are left out."""
    rows = {row.id: row for row in connection.execute(_BACKFILLS, {"ids": bind(ids)})}
    return [_folder(rows[id], backfill_key(id), "", BackfillState(rows[id].state)) for id in ids if id in rows]


def read_dates(connection: Connection, ids: Collection[int]) -> list[Folder]:
    """The data timestamps with these ids, in the order asked for; ids that name none are left out."""
    rows = {row.id: row for row in connection.execute(_DATES, {"ids": bind(ids)})}
    found = (rows[id] for id in ids if id in rows)
    return [_folder(row, date_key(row.id), f" {row.business_date}", DateState(row.state)) for row in found]


def _folder(row: Any, key: str, day: str, state: BackfillState | DateState) -> Folder:
    project = str(row.project)
    return Folder(row.id, key, clean(row.name) + day, project, state, row.groups, row.to_begin, row.rev)


def unchanged(now: Sequence[Folder], seen: Sequence[Folder]) -> list[Folder]:
    """Those of the folders that still stand as they were seen; what else moves below them is none of a verb's."""
    stands = {folder.id: (folder.state, folder.groups) for folder in now}
    return [folder for folder in seen if stands.get(folder.id) == (folder.state, folder.groups)]


# --- below folders ----------------------------------------------------------------------------------------------------

Folders = Collection[TreeId]
"""Backfills and data timestamps, with all that is below them."""

_BELOW = or_(BackfillDate.backfill_id.in_(id_set("backfills")), BackfillDate.id.in_(id_set("dates")))
_SPARED = or_(BackfillDate.backfill_id.in_(id_set("no_backfills")), BackfillDate.id.in_(id_set("no_dates")))
_DATES_BELOW = (
    select(BackfillDate.id, BackfillDate.state)
    .where(_BELOW, ~_SPARED)
    .order_by(BackfillDate.backfill_id, BackfillDate.position, BackfillDate.queue)
)


def _below(*conditions: ColumnElement[bool], column: Any = Instance.id) -> Select[int]:
    """Instances of data timestamps; joined, so that the index of the backfill is what finds them."""
    of_date = and_(
        BackfillDate.backfill_id == Instance.backfill_id,
        BackfillDate.id == Instance.backfill_date_id,
    )
    found = select(column).join(BackfillDate, of_date).where(BackfillDate.id.in_(id_set()), *conditions)
    return found.where(Instance.backfill_id.is_not(None)).order_by(Instance.id)


_LISTED = Instance.listing != ""
_ROW = func.coalesce(Instance.parent_id, Instance.id)
_EXECUTABLE = Instance.unit != Unit.LOGICAL_TABLE
_LIVE = status_is(*sorted(WAITING), Status.RUNNING)
_NOT_STARTED = and_(Instance.unit == Unit.NODE, status_is(Status.NOT_RUNNING))
_INSTANCES_BELOW = _below(_LISTED)
_STOPPABLE_BELOW = _below(_EXECUTABLE, or_(_LIVE, _NOT_STARTED), column=_ROW)
_FAILED_BELOW = _below(_EXECUTABLE, status_is(Status.FAILED), column=_ROW)


def dates_below(connection: Connection, folders: Folders, without: Folders = ()) -> dict[int, DateState]:
    """The data timestamps of folders by id, in the order of their turns, each with its state."""
    bound = {
        "backfills": _bound(folders, Layer.BACKFILL),
        "dates": _bound(folders, Layer.DATE),
        "no_backfills": _bound(without, Layer.BACKFILL),
        "no_dates": _bound(without, Layer.DATE),
    }
    return {id: DateState(state) for id, state in connection.execute(_DATES_BELOW, bound)}


def instances_below(connection: Connection, folders: Folders, without: Folders = ()) -> list[int]:
    """The listed instances below folders."""
    return _found(connection, _INSTANCES_BELOW, folders, without)


def stoppable_below(connection: Connection, folders: Folders, without: Folders = ()) -> list[int]:
    """The listed instances below folders that One-Click Stop may be about (section 8.3)."""
    return _found(connection, _STOPPABLE_BELOW, folders, without)


def failed_below(connection: Connection, folders: Folders, without: Folders = ()) -> list[int]:
    """The listed instances below folders that have failed, or some node of which has (section 8.3)."""
    return _found(connection, _FAILED_BELOW, folders, without)


def dates_to_exclude(connection: Connection, folders: Folders, without: Folders = ()) -> list[int]:
    """The data timestamps that are named, and of backfills those that have not begun."""
    named = {folder.id for folder in folders if folder.layer is Layer.DATE}
    found = dates_below(connection, folders, without)
    return [id for id, state in found.items() if id in named or state is DateState.WAITING]


_OWNERS = select(BackfillDate.backfill_id).where(BackfillDate.id.in_(id_set())).distinct()


def backfills_of(connection: Connection, folders: Folders, without: Folders = ()) -> list[int]:
    """The backfills that are named, or of which a data timestamp is."""
    named = dict.fromkeys(folder.id for folder in folders if folder.layer is Layer.BACKFILL)
    named |= dict.fromkeys(connection.execute(_OWNERS, {"ids": _bound(folders, Layer.DATE)}).scalars())
    spared = {folder.id for folder in without if folder.layer is Layer.BACKFILL}
    return [id for id in named if id not in spared]


def flows_of(_connection: Connection, folders: Folders, without: Folders = ()) -> list[int]:
    """The saved flows that are named."""
    named = dict.fromkeys(folder.id for folder in folders if folder.layer is Layer.FLOW)
    return [id for id in named if TreeId(Layer.FLOW, id) not in without]


def _found(connection: Connection, statement: Select[int], folders: Folders, without: Folders) -> list[int]:
    dates = dates_below(connection, folders, without)
    left = [id for id, state in dates.items() if state is not DateState.EXCLUDED]
    return list(dict.fromkeys(connection.execute(statement, {"ids": bind(left)}).scalars())) if left else []


def _bound(folders: Folders, layer: Layer) -> str:
    return bind(folder.id for folder in folders if folder.layer is layer)


# --- what is written --------------------------------------------------------------------------------------------------

_SET_STATE = (
    update(Backfill)
    .where(Backfill.id.in_(id_set()), Backfill.state == bindparam("before"))
    .values(state=bindparam("after"), error="", rev=bindparam("rev", type_=BigInteger))
    .returning(Backfill.id)
)


def step(verb: PendingVerb, transaction: Transaction, _moves: Sequence[Any], change: Change) -> set[int]:
    """A step of the machine of backfills to be submitted; what it is about the engine does as soon as it has looked.

    One that is resumed after its time has come, or tried again, is submitted then (section 8.4).
    """
    ids = bind(folder.id for folder in change.targets)
    changed: set[int] = set()
    for before, after in _steps(PENDING[verb]).items():
        values = {"ids": ids, "before": before, "after": after, "rev": transaction.rev}
        changed |= set(transaction.execute(_SET_STATE, values).scalars())
    transaction.touch("backfill", changed)
    return changed


def _steps(rule: Mapping[BackfillState, BackfillState | str]) -> dict[BackfillState, BackfillState]:
    return {before: after for before, after in rule.items() if isinstance(after, BackfillState)}


def exclude_dates(transaction: Transaction, _moves: Sequence[Any], change: Change) -> set[int]:
    """Data timestamps that have not begun are left out; what has begun runs to its end."""
    return backfill_sql.exclude(transaction, [folder.id for folder in change.targets])


def set_groups(transaction: Transaction, _moves: Sequence[Any], change: Change) -> set[int]:
    """The data timestamps that have not begun are dealt anew into so many queues (section 7)."""
    for folder in change.targets:
        backfill_sql.regroup(transaction, folder.id, int(change.arguments["to"]), change.now)
    return {folder.id for folder in change.targets}
