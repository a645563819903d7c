"""Saved flows: the periodic backfills there are, which of them are due to make more, and which go on (section 7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, String, Text, bindparam, case, cast, func, insert, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from dpconsole.core.domain.backfills import BackfillState, FlowState
from dpconsole.core.domain.definitions import Environment
from dpconsole.core.domain.keys import flow_key
from dpconsole.core.domain.text import clean
from dpconsole.core.store.arrays import bind, id_set
from dpconsole.core.store.models import UNSUBMITTED, Backfill, BackfillFlow
from dpconsole.core.store.session import Transaction

# --- what they are to make --------------------------------------------------------------------------------------------


class DueFlow(NamedTuple):
    """A flow whose next backfills are to be made; `schedule` and `form` are JSON text."""

    id: int
    name: str
    owner: str
    schedule: str
    form: str
    made_until: str


_DUE = (
    select(
        BackfillFlow.id,
        BackfillFlow.name,
        BackfillFlow.owner,
        cast(BackfillFlow.schedule, Text).label("schedule"),
        cast(BackfillFlow.form, Text).label("form"),
        BackfillFlow.made_until,
    )
    .where(BackfillFlow.enabled.is_(True), BackfillFlow.made_until < bindparam("run_day", type_=String))
    .order_by(BackfillFlow.id)
)
_NOTE_MADE = (
    update(BackfillFlow)
    .where(BackfillFlow.id == bindparam("flow"))
    .values(made_until=bindparam("run_day", type_=String), rev=bindparam("rev", type_=BigInteger))
)


def insert_flow(transaction: Transaction, values: dict[str, Any]) -> int:
    """Write a flow; returns its id."""
    new = insert(BackfillFlow).values(values | {"rev": transaction.rev}).returning(BackfillFlow.id)
    flow = int(transaction.execute(new).scalar_one())
    transaction.touch("backfill_flow", [flow])
    return flow


def due_flows(connection: Connection, run_day: str) -> list[DueFlow]:
    """The enabled flows whose backfills were not made up to this run day (ISO)."""
    return [DueFlow._make(row) for row in connection.execute(_DUE, {"run_day": run_day})]


def note_made_until(transaction: Transaction, flow: int, run_day: str) -> None:
    """Move a flow's watermark to a run day (ISO)."""
    transaction.execute(_NOTE_MADE, {"flow": flow, "run_day": run_day, "rev": transaction.rev})
    transaction.touch("backfill_flow", [flow])


# --- as an operator sees them -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One saved flow; `schedule` is JSON text.

    `made_until` is the last run day that needs no backfill of it any more, as ISO text, and `next_pending` when the
    first of its backfills that wait is submitted, in UTC milliseconds.
    """

    id: int
    key: str
    name: str
    project: str
    owner: str
    recurrence: str
    schedule: str
    state: FlowState
    made_until: str
    next_pending: int | None
    rev: int


_STATE = case((BackfillFlow.enabled, FlowState.ENABLED), else_=FlowState.DISABLED)
_NEXT_PENDING = (
    select(func.min(Backfill.submit_after_at))
    .where(UNSUBMITTED, Backfill.state == BackfillState.WAITING, Backfill.flow_id == BackfillFlow.id)
    .scalar_subquery()
)
_FLOWS = select(
    BackfillFlow.id,
    BackfillFlow.name,
    BackfillFlow.project,
    BackfillFlow.owner,
    BackfillFlow.recurrence,
    cast(BackfillFlow.schedule, Text).label("schedule"),
    _STATE.label("state"),
    BackfillFlow.made_until,
    _NEXT_PENDING.label("next_pending"),
    BackfillFlow.rev,
)
_FORM = select(cast(BackfillFlow.form, Text)).where(BackfillFlow.id == bindparam("flow", type_=BigInteger))
_UNTIL = bindparam("until", type_=String)
_MADE_UNTIL = case((BackfillFlow.made_until > _UNTIL, BackfillFlow.made_until), else_=_UNTIL)


def _switched(*, to: bool) -> ReturningUpdate[tuple[int]]:
    found = update(BackfillFlow).where(BackfillFlow.id.in_(id_set()), BackfillFlow.enabled.is_(not to))
    made_until = {"made_until": _MADE_UNTIL} if to else {}
    return found.values(enabled=to, rev=bindparam("rev", type_=BigInteger), **made_until).returning(BackfillFlow.id)


_ENABLE, _DISABLE = _switched(to=True), _switched(to=False)


def read_flow_rows(connection: Connection, ids: Collection[int]) -> list[FlowRow]:
    """The flows with these ids, in the order of the ids; ids that name none are left out."""
    found = {row.id: row for row in connection.execute(_FLOWS.where(BackfillFlow.id.in_(id_set())), {"ids": bind(ids)})}
    return [_row(found[id]) for id in ids if id in found]


def every_flow(connection: Connection, environment: str) -> list[FlowRow]:
    """The flows of an environment, by name."""
    named = _FLOWS.where(BackfillFlow.environment == Environment(environment))
    return [_row(row) for row in connection.execute(named.order_by(BackfillFlow.name, BackfillFlow.id))]


def read_flow_form(connection: Connection, flow_id: int) -> str | None:
    """The form of a flow as JSON text; None when there is no such flow."""
    return connection.execute(_FORM, {"flow": flow_id}).scalar_one_or_none()


def enable(transaction: Transaction, ids: Collection[int], made_until: str) -> set[int]:
    """Let disabled flows go on from the run day after `made_until` (ISO); returns those that were disabled."""
    return _switch(transaction, _ENABLE, {"ids": bind(ids), "until": made_until})


def disable(transaction: Transaction, ids: Collection[int]) -> set[int]:
    """Make no more backfills of flows; returns those that were enabled."""
    return _switch(transaction, _DISABLE, {"ids": bind(ids)})


def _switch(transaction: Transaction, statement: ReturningUpdate[tuple[int]], bound: dict[str, Any]) -> set[int]:
    changed = set(transaction.execute(statement, bound | {"rev": transaction.rev}).scalars())
    transaction.touch("backfill_flow", changed)
    return changed


def _row(row: Any) -> FlowRow:
    return FlowRow(
        id=row.id,
        key=flow_key(row.id),
        name=clean(row.name),
        project=str(row.project),
        owner=clean(row.owner),
        recurrence=row.recurrence,
        schedule=row.schedule,
        state=FlowState(row.state),
        made_until=row.made_until,
        next_pending=row.next_pending,
        rev=row.rev,
    )
