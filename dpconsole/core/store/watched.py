"""How far the few things stand that an operator watches: asked whenever anything was committed, so it must cost next to
nothing. Folders are read from their tallies, and of instances only those that are to be rerun by themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from dpconsole.core.domain.backfills import BackfillState
from dpconsole.core.domain.keys import Layer, TreeId, backfill_key, date_key, instance_key
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.store.hints import set_aside
from dpconsole.core.store.models import RETRYING, Backfill, BackfillDate, Instance
from dpconsole.core.store.standings import Standing, backfill_standings, date_standings


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where an instance, a data timestamp or a backfill stands; `ended` once it is Succeeded or Failed (section 8.2).

    A failure that will be rerun by itself is no end, nor is a success before a folder is wholly submitted.
    """

    target: TreeId
    key: str
    name: str
    status: Status | NormalisedStatus
    ended: bool


def sightings(connection: Connection, targets: Collection[TreeId]) -> dict[TreeId, Sighting]:
    """Where each of these stands; what is gone is left out."""
    ids = {layer: [target.id for target in targets if target.layer is layer] for layer in Layer}
    found = [
        *_instances(connection, ids[Layer.INSTANCE]),
        *_dates(connection, ids[Layer.DATE]),
        *_backfills(connection, ids[Layer.BACKFILL]),
    ]
    return {sighting.target: sighting for sighting in found}


def _instances(connection: Connection, ids: Collection[int]) -> list[Sighting]:
    asked = select(
        Instance.id, Instance.task_id, Instance.business_date, Instance.name, Instance.status, Instance.retry_at
    ).where(Instance.id.in_(ids))
    return [
        Sighting(
            TreeId(Layer.INSTANCE, row.id),
            instance_key(row.task_id, row.business_date, row.id),
            clean(row.name),
            status := Status(row.status),
            status is Status.SUCCEEDED or (status is Status.FAILED and row.retry_at is None),
        )
        for row in (connection.execute(asked) if ids else ())
    ]


def _dates(connection: Connection, ids: Collection[int]) -> list[Sighting]:
    asked = (
        select(BackfillDate.id, BackfillDate.business_date, BackfillDate.made, Backfill.name)
        .join(Backfill, Backfill.id == BackfillDate.backfill_id)
        .where(BackfillDate.id.in_(ids))
    )
    below = date_standings(connection, ids)
    retrying = _retrying(connection, Instance.backfill_date_id, below)
    return [
        _folder(
            TreeId(Layer.DATE, row.id),
            date_key(row.id),
            clean(f"{row.name} {row.business_date}"),
            below[row.id],
            retrying.get(row.id, 0),
            is_whole=row.made,
        )
        for row in (connection.execute(asked) if ids else ())
    ]


def _backfills(connection: Connection, ids: Collection[int]) -> list[Sighting]:
    asked = select(Backfill.id, Backfill.name, Backfill.state).where(Backfill.id.in_(ids))
    below = backfill_standings(connection, ids)
    retrying = _retrying(connection, Instance.backfill_id, below)
    return [
        _unsubmitted(row.id, clean(row.name))
        if row.state == BackfillState.FAILED
        else _folder(
            TreeId(Layer.BACKFILL, row.id),
            backfill_key(row.id),
            clean(row.name),
            below[row.id],
            retrying.get(row.id, 0),
            is_whole=row.state == BackfillState.SUBMITTED,
        )
        for row in (connection.execute(asked) if ids else ())
    ]


def _unsubmitted(backfill_id: int, name: str) -> Sighting:
    """A backfill whose submission failed: nothing of it will run."""
    return Sighting(TreeId(Layer.BACKFILL, backfill_id), backfill_key(backfill_id), name, NormalisedStatus.FAILED, True)


def _folder(target: TreeId, key: str, name: str, below: Standing, retrying: int, *, is_whole: bool) -> Sighting:
    failed_for_good = below.counts.get(Status.FAILED, 0) > retrying
    succeeded = is_whole and below.status is NormalisedStatus.SUCCEEDED
    return Sighting(target, key, name, below.status, succeeded or failed_for_good)


def _retrying(connection: Connection, folder: Any, below: Mapping[int, Standing]) -> dict[int, int]:
    """By folder: how many listed rows below it failed and are rerun by themselves; a logical table by its nodes."""
    ids = [id for id, standing in below.items() if Status.FAILED in standing.counts]
    if not ids:
        return {}
    listed = func.coalesce(Instance.parent_id, Instance.id)
    asked = (
        select(folder, func.count(listed.distinct()))
        .where(set_aside(folder).in_(ids), RETRYING, Instance.status == Status.FAILED)
        .group_by(folder)
    )
    return dict(list(connection.execute(asked)))
