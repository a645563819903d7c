"""The journal, and what follows from a change of status wherever it was made.

Whoever moves rows - the engine, an operator's verb - does it in three steps inside one transaction: update the rows,
`record` the steps, then let `release`, `withdraw` and `derive_tables` carry the consequences. The status of a row is
that of its last journal entry, always.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Row,
    String,
    bindparam,
    case,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from dpconsole.core.domain.fields import derive
from dpconsole.core.domain.statuses import WAITING, Cause, Status
from dpconsole.core.store.arrays import bind, id_rows, id_set
from dpconsole.core.store.models import Instance, InstanceDependency, Transition, status_is
from dpconsole.core.store.prepared import Prepared
from dpconsole.core.store.session import Transaction

Step = tuple[Status | None, Status, Cause, int]
"""Before, after, why, and the number of the attempt it belongs to."""


@dataclass
class Steps:
    """Steps to be recorded: many instances take the same one, and the journal is written step by step."""

    taken: dict[Step, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, instance_id: int, before: Status | None, after: Status, cause: Cause, attempt: int) -> None:
        """One instance takes one step."""
        self.taken[before, after, cause, attempt].append(instance_id)

    def add_all(self, ids: Iterable[int], before: Status | None, after: Status, cause: Cause, attempt: int = 0) -> None:
        """Many instances take one step."""
        self.taken[before, after, cause, attempt].extend(ids)


_ids = id_rows().subquery("stepping")
_RECORD = Prepared(
    insert(Transition).from_select(
        ["instance_id", "at", "before", "after", "cause", "actor", "attempt", "rev"],
        select(
            _ids.c.id,
            bindparam("at", type_=BigInteger),
            bindparam("before", type_=String),
            bindparam("after", type_=String),
            bindparam("cause", type_=String),
            bindparam("actor", type_=String),
            bindparam("attempt", type_=Integer),
            bindparam("rev", type_=BigInteger),
        ),
    )
)


def record(transaction: Transaction, steps: Steps, at: int, actor: str = "") -> None:
    """Write steps into the journal, in the order in which they were first taken, and tell the feed.

    An instance that takes several steps in one transaction is recorded after each round of steps, so that its entries
    keep their order.
    """
    for (before, after, cause, attempt), ids in steps.taken.items():
        what = {"before": before, "after": after, "cause": cause, "attempt": attempt, "actor": actor}
        _RECORD.run(transaction.connection, ids=bind(ids), at=at, rev=transaction.rev, **what)
        transaction.touch("instance", ids)
    steps.taken.clear()


# --- upstreams come and go --------------------------------------------------------------------------------------------

_Other = aliased(InstanceDependency)
_OtherUpstream = aliased(Instance)


def _requirements(succeeding: bool) -> Prepared:
    """The statement that counts requirements down (upstreams succeed) or up (they leave Succeeded).

    A requirement counts once, however many of its alternatives take the step together, and not at all while another
    one vouches for it.
    """
    vouched_for_by_another = (
        select(literal(1))
        .join_from(_Other, _OtherUpstream, _OtherUpstream.id == _Other.upstream_id)
        .where(
            _Other.downstream_id == InstanceDependency.downstream_id,
            _Other.requirement == InstanceDependency.requirement,
            _OtherUpstream.status == literal_column(f"'{Status.SUCCEEDED}'"),
            _Other.upstream_id.not_in(id_set("others")),
        )
        .correlate(InstanceDependency)
        .exists()
    )
    counted = (
        select(InstanceDependency.downstream_id, func.count(InstanceDependency.requirement.distinct()).label("number"))
        .where(
            InstanceDependency.upstream_id.in_(id_set()),
            or_(InstanceDependency.alternative.is_(False), ~vouched_for_by_another),
        )
        .group_by(InstanceDependency.downstream_id)
        .subquery("counted")
    )
    return Prepared(
        update(Instance)
        .where(Instance.id == counted.c.downstream_id)
        .values(pending=Instance.pending + (-1 if succeeding else 1) * counted.c.number)
    )


_COUNT_DOWN = _requirements(succeeding=True)
_COUNT_UP = _requirements(succeeding=False)

_UNREADY = select(Instance.id, Instance.status, Instance.attempt, Instance.parent_id).where(
    status_is(*sorted(WAITING)), Instance.pending > 0, Instance.forced.is_(False)
)
_UNREADY_BELOW = _UNREADY.where(
    Instance.id.in_(select(InstanceDependency.downstream_id).where(InstanceDependency.upstream_id.in_(id_set())))
)
_UNREADY_HERE = _UNREADY.where(Instance.id.in_(id_set()))
_STRAND = (
    update(Instance)
    .where(Instance.id.in_(id_set()))
    .values(status=Status.NOT_RUNNING, rev=bindparam("rev", type_=BigInteger))
)


_Required = aliased(Instance, name="upstream")
_OPEN = (
    select(InstanceDependency.requirement)
    .join(_Required, _Required.id == InstanceDependency.upstream_id)
    .where(InstanceDependency.downstream_id == Instance.id)
    .group_by(InstanceDependency.requirement)
    .having(func.sum(case((_Required.status == Status.SUCCEEDED, 1), else_=0)) == 0)
    .correlate(Instance)
    .subquery("unmet")
)
OPEN_REQUIREMENTS = select(func.count()).select_from(_OPEN).scalar_subquery()
"""The requirements of an instance that no upstream satisfies, counted anew: what its `pending` must be."""


def release(transaction: Transaction, succeeded: Collection[int]) -> None:
    """Upstreams became Succeeded: their downstreams have that many requirements fewer (A3, section 9.2)."""
    _count(transaction, _COUNT_DOWN, succeeded, succeeded)


def withdraw(transaction: Transaction, left: Collection[int], at: int, succeeded: Collection[int] = ()) -> None:
    """Upstreams left Succeeded: their downstreams require them again, and those waiting to start go back (A12).

    `succeeded` are others that became so in the same transaction; they vouch for nothing before they are counted.
    """
    _count(transaction, _COUNT_UP, left, {*left, *succeeded})
    release(transaction, succeeded)
    if left:
        _send_back(transaction, transaction.execute(_UNREADY_BELOW, {"ids": bind(left)}).all(), at)


def recheck(transaction: Transaction, ids: Collection[int], at: int) -> None:
    """Requirements of rows were counted anew: those that wait to start and may not go back (A12)."""
    _send_back(transaction, transaction.execute(_UNREADY_HERE, {"ids": bind(ids)}).all(), at)


def _send_back(transaction: Transaction, stranded: Sequence[Row[Any]], at: int) -> None:
    if not stranded:
        return
    steps = Steps()
    for row in stranded:
        steps.add(row.id, Status(row.status), Status.NOT_RUNNING, Cause.WITHDRAWN, row.attempt)
    transaction.execute(_STRAND, {"ids": bind(row.id for row in stranded), "rev": transaction.rev})
    record(transaction, steps, at)
    derive_tables(transaction, {row.parent_id for row in stranded if row.parent_id}, at)


def _count(transaction: Transaction, statement: Prepared, upstreams: Collection[int], others: Collection[int]) -> None:
    if upstreams:
        statement.run(transaction.connection, ids=bind(upstreams), others=bind(others))


# --- tables follow their nodes ----------------------------------------------------------------------------------------

_Table = aliased(Instance, name="folder")
_NODES = (
    select(
        Instance.parent_id,
        _Table.status.label("shown"),
        Instance.status,
        func.min(Instance.started_at).label("started_at"),
        func.max(Instance.ended_at).label("ended_at"),
    )
    .join(_Table, _Table.id == Instance.parent_id)
    .where(Instance.parent_id.in_(id_set()))
    .group_by(Instance.parent_id, _Table.status, Instance.status)
)
_DERIVE = (
    update(Instance)
    .where(Instance.id == bindparam("table_id"))
    .values(
        status=bindparam("status"),
        started_at=bindparam("started_at"),
        ended_at=bindparam("ended_at"),
        rev=bindparam("rev"),
    )
)


def derive_tables(transaction: Transaction, tables: Collection[int], at: int, actor: str = "") -> None:
    """Logical tables some of whose nodes moved: their status, first start and last end follow (section 9.2).

    A table has ended when no node is under way or still to come after the ones that ran.
    """
    if not tables:
        return
    nodes: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in transaction.execute(_NODES, {"ids": bind(tables)}):
        nodes[row.parent_id].append(row)
    steps, updates = Steps(), []
    for table, rows in nodes.items():
        shown, derived = Status(rows[0].shown), derive(Status(row.status) for row in rows)
        started = [row.started_at for row in rows if row.started_at is not None]
        ended = [row.ended_at for row in rows if row.ended_at is not None]
        updates.append(
            {
                "table_id": table,
                "status": derived,
                "started_at": min(started, default=None),
                "ended_at": max(ended, default=None) if derived in (Status.SUCCEEDED, Status.FAILED) else None,
                "rev": transaction.rev,
            }
        )
        if derived is not shown:
            steps.add(table, shown, derived, Cause.DERIVED, 0)
    transaction.execute(_DERIVE, updates)
    transaction.touch("instance", nodes)
    record(transaction, steps, at, actor)


_Node = aliased(Instance, name="node")
_PAUSED_NODES = select(_Node.id).where(_Node.parent_id == Instance.id, _Node.paused.is_(True)).correlate(Instance)
_NEVER = literal(2**62)
_LAST_RESUME = (
    select(func.nullif(func.max(func.coalesce(_Node.paused_until, _NEVER)), _NEVER))
    .where(_Node.parent_id == Instance.id, _Node.paused.is_(True))
    .correlate(Instance)
    .scalar_subquery()
)
_FOLLOW_PAUSE = (
    update(Instance)
    .where(Instance.id.in_(id_set()), or_(Instance.paused.is_(True), _PAUSED_NODES.exists()))
    .values(paused=_PAUSED_NODES.exists(), paused_until=_LAST_RESUME, rev=bindparam("rev", type_=BigInteger))
)


def follow_pause(transaction: Transaction, tables: Collection[int]) -> None:
    """Logical tables some of whose nodes were paused or resumed: a table is paused as long as one of them is."""
    if tables:
        transaction.execute(_FOLLOW_PAUSE, {"ids": bind(tables), "rev": transaction.rev})
        transaction.touch("instance", tables)
