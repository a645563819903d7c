"""The three layers of submitted backfills: who stands under whom, and what each row shows (sections 4.2 and 8.1).

Every row of the tree has a number (`keys.TreeId`). Ids are listed a layer at a time, the third only of folders that
somebody unfolds; rows are read by number, whatever layer they are of.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, CursorResult, Select, case, func, select

from dpconsole.core.domain.backfills import BackfillState, DateState
from dpconsole.core.domain.keys import Layer, TreeId, backfill_key, date_key
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import Backfill, BackfillDate, Instance
from dpconsole.core.store.pages import InstanceRow, instance_rows, shown
from dpconsole.core.store.standings import Standing, backfill_standings, date_standings

Condition: TypeAlias = ColumnElement[bool]
Children: TypeAlias = "dict[int, array[int]]"
"""By number of a folder: the numbers of the rows in it, in their order."""


@dataclass(frozen=True, slots=True)
class BackfillNode:
    """Layer 1. `dates` counts its data timestamps that are not left out, from `first_date` to `last_date`."""

    id: int
    backfill_id: int
    key: str
    name: str
    project: str
    state: BackfillState
    standing: Standing
    flow: str
    submitter: str
    submitted_at: int
    first_date: str
    last_date: str
    dates: int
    tags: tuple[str, ...]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class DateNode:
    """Layer 2: a data timestamp, and its turn in its queue, which came at `begun_at` (UTC ms)."""

    id: int
    backfill_id: int
    key: str
    business_date: str
    state: DateState
    standing: Standing
    queue: int
    position: int
    begun_at: int | None
    depth: int = 1


@dataclass(frozen=True, slots=True)
class InstanceNode:
    """Layer 3: an instance; `excluded` when its data timestamp was left out."""

    id: int
    row: InstanceRow
    excluded: bool
    depth: int = 2


TreeRow: TypeAlias = BackfillNode | DateNode | InstanceNode

# --- who stands under whom --------------------------------------------------------------------------------------------


def numbers(layer: Layer, ids: Iterable[int]) -> array[int]:
    """The numbers of rows of one layer."""
    return array("q", [id * 4 + layer for id in ids])


def by_layer(rows: Iterable[int]) -> dict[Layer, list[int]]:
    """The ids behind numbers, by layer."""
    found: dict[Layer, list[int]] = {layer: [] for layer in Layer}
    for row in rows:
        layer, id = TreeId.of(row)
        found[layer].append(id)
    return found


_TURN = case((Backfill.ascending, BackfillDate.business_date))
_DATES = (
    select(BackfillDate.id)
    .join(Backfill, Backfill.id == BackfillDate.backfill_id)
    .order_by(_TURN, BackfillDate.business_date.desc(), BackfillDate.id)
)
_BACKFILLS_OF = (
    select(BackfillDate.backfill_id, BackfillDate.id)
    .where(BackfillDate.id.in_(id_set()))
    .order_by(BackfillDate.backfill_id)
)
_PLACES = select(Instance.id, Instance.backfill_date_id).where(
    Instance.id.in_(id_set()), Instance.backfill_date_id.is_not(None), Instance.listing != ""
)


_DATE_NUMBER = Instance.backfill_date_id * 4 + Layer.DATE
_INSTANCE_NUMBER = Instance.id * 4 + Layer.INSTANCE


def dates_below(connection: Connection, backfills: Iterable[int], inside: Condition | None = None) -> Children:
    """The data timestamps of backfills, in the order they are worked through.

    With a condition `inside`, only those that hold an instance which meets it.
    """
    found = {}
    for backfill in backfills:
        dates = _DATES.where(BackfillDate.backfill_id == backfill)
        if inside is not None:
            dates = dates.where(BackfillDate.id.in_(_listed(backfill, Instance.backfill_date_id).where(inside)))
        ids = connection.execute(dates).scalars()
        found[TreeId(Layer.BACKFILL, backfill).number] = numbers(Layer.DATE, ids)
    return found


def instances_below(
    connection: Connection, dates: Collection[int], inside: Condition | None, order: Sequence[ColumnElement[Any]]
) -> Children:
    """The listed instances of data timestamps that meet a condition, in an order; a query for each backfill."""
    found: Children = {TreeId(Layer.DATE, date).number: array("q") for date in dates}
    backfills = connection.execute(_BACKFILLS_OF, {"ids": bind(dates)}).all()
    for backfill, some in groupby(backfills, key=itemgetter(0)):
        of_them = _listed(backfill, _DATE_NUMBER, _INSTANCE_NUMBER).order_by(Instance.backfill_date_id, *order)
        of_them = of_them.where(Instance.backfill_date_id.in_(id_set()))
        if inside is not None:
            of_them = of_them.where(inside)
        rows = _raw(connection.execute(of_them, {"ids": bind(date for _, date in some)}))
        found |= {date: array("q", map(itemgetter(1), row)) for date, row in groupby(rows, key=itemgetter(0))}
    return found


def parents(connection: Connection, instances: Collection[int]) -> dict[int, int]:
    """By number: the parent of each of these instances that belongs to a backfill, and of each of its folders."""
    places: dict[int, int] = dict(connection.execute(_PLACES, {"ids": bind(instances)}).all())  # type: ignore[arg-type]
    return _above({TreeId(Layer.INSTANCE, id): TreeId(Layer.DATE, date) for id, date in places.items()}) | folders_of(
        connection, set(places.values())
    )


def folders_of(connection: Connection, dates: Collection[int]) -> dict[int, int]:
    """By number of a data timestamp: the number of its backfill."""
    found = connection.execute(_BACKFILLS_OF, {"ids": bind(dates)})
    return _above({TreeId(Layer.DATE, date): TreeId(Layer.BACKFILL, backfill) for backfill, date in found})


def _above(places: Mapping[TreeId, TreeId]) -> dict[int, int]:
    return {row.number: folder.number for row, folder in places.items()}


def _listed(backfill: int, *columns: Any) -> Select[Any]:
    return select(*columns).where(Instance.backfill_id == backfill, Instance.listing != "")


def _raw(result: CursorResult[Any]) -> Iterator[Any]:
    """The rows as the driver has them: two hundred thousand in a fraction of the time."""
    rows: Any = result.cursor
    return iter(rows.fetchall())


# --- rows -------------------------------------------------------------------------------------------------------------

_BACKFILLS = select(
    Backfill.id,
    Backfill.name,
    Backfill.project,
    Backfill.state,
    Backfill.flow,
    Backfill.submitter,
    Backfill.submitted_at,
    Backfill.tags,
).where(Backfill.id.in_(id_set()))
_EXTENTS = (
    select(
        BackfillDate.backfill_id,
        func.min(BackfillDate.business_date),
        func.max(BackfillDate.business_date),
        func.count(),
    )
    .where(BackfillDate.backfill_id.in_(id_set()), BackfillDate.state != DateState.EXCLUDED)
    .group_by(BackfillDate.backfill_id)
)
_DATE_ROWS = select(
    BackfillDate.id,
    BackfillDate.backfill_id,
    BackfillDate.business_date,
    BackfillDate.state,
    BackfillDate.queue,
    BackfillDate.position,
    BackfillDate.begun_at,
).where(BackfillDate.id.in_(id_set()))
_EXCLUDED = (
    select(Instance.id)
    .join(BackfillDate, BackfillDate.id == Instance.backfill_date_id)
    .where(Instance.id.in_(id_set()), BackfillDate.state == DateState.EXCLUDED)
)
_NO_DATES = ("", "", 0)


def tree_rows(connection: Connection, rows: Collection[int]) -> list[TreeRow]:
    """The rows with these numbers, in the order of the numbers; those that name nothing are left out."""
    found: dict[int, TreeRow] = {}
    for layer, ids in by_layer(rows).items():
        if ids:
            found.update((row.id, row) for row in _READ[layer](connection, ids))
    return [found[row] for row in rows if row in found]


def _backfill_nodes(connection: Connection, ids: Collection[int]) -> Iterator[BackfillNode]:
    bound = {"ids": bind(ids)}
    standings = backfill_standings(connection, ids)
    extents = {id: (first, last, number) for id, first, last, number in connection.execute(_EXTENTS, bound)}
    for row in connection.execute(_BACKFILLS, bound):
        first, last, number = extents.get(row.id, _NO_DATES)
        folder = TreeId(Layer.BACKFILL, row.id)
        yield BackfillNode(
            id=folder.number,
            backfill_id=row.id,
            key=backfill_key(row.id),
            name=shown(row.name),
            project=shown(row.project),
            state=BackfillState(row.state),
            standing=standings[row.id],
            flow=shown(row.flow),
            submitter=shown(row.submitter),
            submitted_at=row.submitted_at,
            first_date=first,
            last_date=last,
            dates=number,
            tags=tuple(shown(str(tag)) for tag in json.loads(row.tags)),
        )


def _date_nodes(connection: Connection, ids: Collection[int]) -> Iterator[DateNode]:
    standings = date_standings(connection, ids)
    for row in connection.execute(_DATE_ROWS, {"ids": bind(ids)}):
        yield DateNode(
            id=TreeId(Layer.DATE, row.id).number,
            backfill_id=row.backfill_id,
            key=date_key(row.id),
            business_date=row.business_date,
            state=DateState(row.state),
            standing=standings[row.id],
            queue=row.queue,
            position=row.position,
            begun_at=row.begun_at,
        )


def _instance_nodes(connection: Connection, ids: Collection[int]) -> Iterator[InstanceNode]:
    excluded = set(connection.execute(_EXCLUDED, {"ids": bind(ids)}).scalars())
    for row in instance_rows(connection, ids):
        yield InstanceNode(TreeId(Layer.INSTANCE, row.id).number, row, row.id in excluded)


_READ: dict[Layer, Callable[[Connection, Collection[int]], Iterator[TreeRow]]] = {
    Layer.BACKFILL: _backfill_nodes,
    Layer.DATE: _date_nodes,
    Layer.INSTANCE: _instance_nodes,
}
"""By layer, how its rows are read."""
