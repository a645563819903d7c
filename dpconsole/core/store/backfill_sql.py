"""Backfills in the store: their queues of data timestamps, and what becomes of those that are not to begin.

A data timestamp begins when everything of its queue that began before it has succeeded. That is read from the tally,
so a queue costs a lookup for each of its data timestamps in flight, whatever number of instances they have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import BigInteger, Integer, bindparam, delete, select, update
from sqlalchemy.orm import aliased

from dpconsole.core.domain.backfills import DateState
from dpconsole.core.store.arrays import bind, id_set, row_set
from dpconsole.core.store.journal import OPEN_REQUIREMENTS
from dpconsole.core.store.models import Backfill, BackfillDate, Instance, InstanceDependency
from dpconsole.core.store.session import Transaction

_REV = bindparam("rev", type_=BigInteger)

# --- changed in flight ------------------------------------------------------------------------------------------------

_QUEUED = select(
    BackfillDate.id, BackfillDate.business_date, BackfillDate.queue, BackfillDate.position, BackfillDate.state
).where(BackfillDate.backfill_id == bindparam("backfill"))
_places = row_set("places", id=BigInteger, queue=Integer, position=Integer)
_PLACE = (
    update(BackfillDate)
    .where(BackfillDate.id == _places.c.id)
    .values(queue=_places.c.queue, position=_places.c.position, rev=_REV)
)
_SET_GROUPS = update(Backfill).where(Backfill.id == bindparam("backfill")).values(groups=bindparam("groups"), rev=_REV)
_EXCLUDE = (
    update(BackfillDate)
    .where(BackfillDate.id.in_(id_set()), BackfillDate.state == DateState.WAITING)
    .values(state=DateState.EXCLUDED, rev=_REV)
    .returning(BackfillDate.id)
)
_Downstream = aliased(Instance, name="downstream")
_OF_THEM = (
    select(Instance.id)
    .join(
        BackfillDate,
        (BackfillDate.backfill_id == Instance.backfill_id) & (BackfillDate.id == Instance.backfill_date_id),
    )
    .where(BackfillDate.id.in_(id_set()))
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
_COUNT_ANEW = update(Instance).where(Instance.id.in_(id_set())).values(pending=OPEN_REQUIREMENTS, rev=_REV)


def regroup(transaction: Transaction, backfill_id: int, groups: int) -> None:
    """Deal the data timestamps that have not begun anew into `groups` queues, behind those in flight (section 7).

    One in flight keeps its queue while there is one of that number, and else joins the queue with the fewest in
    flight; a queue with several begins nothing until all of them are done. Queues with none come first in the deal.
    """
    rows = transaction.execute(_QUEUED, {"backfill": backfill_id}).all()
    ascending = transaction.execute(select(Backfill.ascending).where(Backfill.id == backfill_id)).scalar_one()
    in_flight = Counter(dict.fromkeys(range(1, groups + 1), 0))
    places: list[tuple[int, int, int]] = []
    begun = [row for row in rows if row.state == DateState.BEGUN]
    for row in sorted(begun, key=lambda row: (row.queue > groups, row.position)):
        queue = row.queue if row.queue <= groups else min(in_flight, key=lambda queue: (in_flight[queue], queue))
        in_flight[queue] += 1
        places.append((row.id, queue, row.position))
    last = max((row.position for row in rows if row.state != DateState.WAITING), default=0)
    order = sorted(in_flight, key=lambda queue: (in_flight[queue], queue))
    waiting = [row for row in rows if row.state == DateState.WAITING]
    for turn, row in enumerate(sorted(waiting, key=lambda row: str(row.business_date), reverse=not ascending)):
        places.append((row.id, order[turn % groups], last + 1 + turn // groups))
    transaction.execute(_PLACE, {"places": bind(places), "rev": transaction.rev})
    transaction.execute(_SET_GROUPS, {"backfill": backfill_id, "groups": groups, "rev": transaction.rev})
    transaction.touch("backfill_date", [id for id, _, _ in places])
    transaction.touch("backfill", [backfill_id])


def exclude(transaction: Transaction, dates: Collection[int]) -> set[int]:
    """Leave data timestamps out that have not begun, and return which those were; the others change nothing.

    Their instances stay as they are and are never started. What waits for them in later data timestamps does so no
    longer, as for everything outside the backfill.
    """
    excluded = set(transaction.execute(_EXCLUDE, {"ids": bind(dates), "rev": transaction.rev}).scalars())
    below = list(transaction.execute(_BELOW_THEM, {"ids": bind(excluded)}).scalars())
    if below:
        transaction.execute(_WAIT_NO_LONGER, {"ids": bind(excluded), "below": bind(below)})
        transaction.execute(_COUNT_ANEW, {"ids": bind(below), "rev": transaction.rev})
    transaction.touch("instance", below)
    transaction.touch("backfill_date", excluded)
    transaction.touch("backfill", _backfills(transaction, excluded))
    return excluded


def _backfills(transaction: Transaction, dates: Iterable[int]) -> list[Any]:
    of = select(BackfillDate.backfill_id).distinct().where(BackfillDate.id.in_(id_set()))
    return list(transaction.execute(of, {"ids": bind(dates)}).scalars())
