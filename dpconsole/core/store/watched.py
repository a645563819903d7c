"""How far the few things stand that an operator watches: asked whenever anything was committed, so it must cost next to
nothing. Folders are read from their tallies, never from their instances.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Select, func, select

from dpconsole.core.domain.backfills import BackfillState, DateState, normalise
from dpconsole.core.domain.keys import Layer, TreeId, backfill_key, date_key, instance_key
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.models import Backfill, BackfillDate, BackfillTally, Instance


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an instance, a data timestamp or a backfill stands; `ended` once it is Succeeded or Failed (section 8.2).

    A failure that will be rerun by itself is no end, nor is a success before a folder is wholly submitted.
    """

    target: TreeId
    key: str
    name: str
    status: Status | NormalisedStatus
    ended: bool


def standings(connection: Connection, targets: Collection[TreeId]) -> dict[TreeId, Standing]:
    """Where each of these stands; what is gone is left out."""
    ids = {layer: [target.id for target in targets if target.layer is layer] for layer in Layer}
    found = [
        *_instances(connection, ids[Layer.INSTANCE]),
        *_dates(connection, ids[Layer.DATE]),
        *_backfills(connection, ids[Layer.BACKFILL]),
    ]
    return {standing.target: standing for standing in found}


def _instances(connection: Connection, ids: Collection[int]) -> list[Standing]:
    asked = select(
        Instance.id, Instance.task_id, Instance.business_date, Instance.name, Instance.status, Instance.retry_at
    ).where(Instance.id.in_(ids))
    return [
        Standing(
            TreeId(Layer.INSTANCE, row.id),
            instance_key(row.task_id, row.business_date, row.id),
            clean(row.name),
            status := Status(row.status),
            status is Status.SUCCEEDED or (status is Status.FAILED and row.retry_at is None),
        )
        for row in (connection.execute(asked) if ids else ())
    ]


def _dates(connection: Connection, ids: Collection[int]) -> list[Standing]:
    asked = (
        select(BackfillDate.id, BackfillDate.business_date, BackfillDate.made, Backfill.name)
        .join(Backfill, Backfill.id == BackfillDate.backfill_id)
        .where(BackfillDate.id.in_(ids))
    )
    rows = connection.execute(asked).all() if ids else ()
    below = _Below.of(connection, BackfillTally.backfill_date_id, Instance.backfill_date_id, ids)
    return [
        below.standing(
            TreeId(Layer.DATE, row.id), date_key(row.id), clean(f"{row.name} {row.business_date}"), is_whole=row.made
        )
        for row in rows
    ]


def _backfills(connection: Connection, ids: Collection[int]) -> list[Standing]:
    asked = select(Backfill.id, Backfill.name, Backfill.state).where(Backfill.id.in_(ids))
    rows = connection.execute(asked).all() if ids else ()
    below = _Below.of(connection, BackfillTally.backfill_id, Instance.backfill_id, ids)
    return [
        _unsubmitted(row.id, clean(row.name))
        if row.state == BackfillState.FAILED
        else below.standing(
            TreeId(Layer.BACKFILL, row.id),
            backfill_key(row.id),
            clean(row.name),
            is_whole=row.state == BackfillState.SUBMITTED,
        )
        for row in rows
    ]


def _unsubmitted(backfill_id: int, name: str) -> Standing:
    """A backfill whose submission failed: nothing of it will run."""
    return Standing(TreeId(Layer.BACKFILL, backfill_id), backfill_key(backfill_id), name, NormalisedStatus.FAILED, True)


@dataclass(frozen=True, slots=True)
class _Below:
    """What stands below some folders: how many instances by status, and how many of them are rerun by themselves."""

    counts: Mapping[int, Mapping[Status, int]]
    retrying: Mapping[int, int]

    @classmethod
    def of(cls, connection: Connection, tallied: Any, column: Any, ids: Collection[int]) -> _Below:
        if not ids:
            return cls({}, {})
        counts: dict[int, dict[Status, int]] = {}
        for folder, status, number in connection.execute(_tallies(tallied, ids)):
            counts.setdefault(folder, {})[Status(status)] = number
        return cls(counts, dict(list(connection.execute(_retrying(column, ids)))))

    def standing(self, target: TreeId, key: str, name: str, *, is_whole: bool) -> Standing:
        counts = self.counts.get(target.id, {})
        status = normalise(one.normalised for one, number in counts.items() if number)
        failed_for_good = counts.get(Status.FAILED, 0) > self.retrying.get(target.id, 0)
        succeeded = is_whole and status is NormalisedStatus.SUCCEEDED
        return Standing(target, key, name, status, succeeded or failed_for_good)


def _tallies(folder: Any, ids: Collection[int]) -> Select[Any]:
    """Excluded data timestamps count in nothing."""
    return (
        select(folder, BackfillTally.status, func.sum(BackfillTally.number, type_=Integer))
        .join(BackfillDate, BackfillDate.id == BackfillTally.backfill_date_id)
        .where(folder.in_(ids), BackfillDate.state != DateState.EXCLUDED)
        .group_by(folder, BackfillTally.status)
    )


def _retrying(folder: Any, ids: Collection[int]) -> Select[Any]:
    """Listed rows below, counted by those that a rerun is due for: a logical table by its nodes."""
    listed = func.coalesce(Instance.parent_id, Instance.id)
    return (
        select(folder, func.count(listed.distinct()))
        .where(folder.in_(ids), Instance.retry_at.is_not(None), Instance.status == Status.FAILED)
        .group_by(folder)
    )
