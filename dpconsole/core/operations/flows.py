"""Saved flows as an operator sees them: when each makes its next backfill, and the two verbs on them (section 7).

A flow that is disabled makes no backfill any more; what it has made already goes its own way. Resumed, it goes on with
the next run day: those that were missed meanwhile are not made up for, as they are after an engine was away.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.backfill_form import Periodic
from dpconsole.core.domain.backfills import FlowState
from dpconsole.core.domain.clock import to_ms
from dpconsole.core.engine.backfilling import due_on, last_run_day
from dpconsole.core.operations.backfill_said import days_of
from dpconsole.core.store.backfill_verbs import Folder
from dpconsole.core.store.definition_rows import from_text, read_timezone
from dpconsole.core.store.saved_flows import FlowRow, disable, enable, every_flow, read_flow_rows
from dpconsole.core.store.session import Transaction
from dpconsole.core.store.verbs import Change

SEARCHED_DAYS = 100
"""Run days ahead among which every recurrence has one: of the 31st the next may be the month after the next."""


@dataclass(frozen=True, slots=True)
class SavedFlow:
    """One saved flow. `when` says on which run days and at what time, `next_run` the next of them in UTC milliseconds.

    There is none of a disabled flow, unless a backfill it has made is still to be submitted.
    """

    id: int
    key: str
    name: str
    project: str
    owner: str
    recurrence: str
    when: str
    next_run: int | None
    state: FlowState
    made_until: str

    @property
    def enabled(self) -> bool:
        """Whether it goes on making backfills."""
        return self.state is FlowState.ENABLED


def saved_flows(connection: Connection, environment: str) -> list[SavedFlow]:
    """Every saved flow of an environment, by name."""
    zone = ZoneInfo(read_timezone(connection))
    return [_shown(row, zone) for row in every_flow(connection, environment)]


def saved_flow(connection: Connection, flow_id: int) -> SavedFlow | None:
    """One saved flow; None when there is none of this id."""
    zone = ZoneInfo(read_timezone(connection))
    return next((_shown(row, zone) for row in read_flow_rows(connection, [flow_id])), None)


def _shown(row: FlowRow, zone: ZoneInfo) -> SavedFlow:
    periodic = from_text(Periodic, row.schedule)
    when = " ".join(filter(None, (days_of(periodic), f"{periodic.at:%H:%M}")))
    ahead = [row.next_pending, _next_to_be_made(periodic, row, zone)]
    next_run = min((moment for moment in ahead if moment is not None), default=None)
    return SavedFlow(
        row.id, row.key, row.name, row.project, row.owner, row.recurrence, when, next_run, row.state, row.made_until
    )


def _next_to_be_made(periodic: Periodic, row: FlowRow, zone: ZoneInfo) -> int | None:
    if row.state is FlowState.DISABLED:
        return None
    made_until = date.fromisoformat(row.made_until)
    days = (made_until + timedelta(days=number) for number in range(1, SEARCHED_DAYS))
    return next((to_ms(due) for day in days if (due := due_on(periodic, day, zone)) is not None), None)


# --- the verbs --------------------------------------------------------------------------------------------------------


def read_flows(connection: Connection, ids: Collection[int]) -> list[Folder]:
    """The flows with these ids as targets of a verb; ids that name none are left out."""
    rows = read_flow_rows(connection, ids)
    return [Folder(row.id, row.key, row.name, row.project, row.state, 0, 0, row.rev) for row in rows]


def pause_flows(transaction: Transaction, _moves: Sequence[Any], change: Change) -> set[int]:
    """No backfill of these flows is made any more."""
    return disable(transaction, [flow.id for flow in change.targets])


def resume_flows(transaction: Transaction, _moves: Sequence[Any], change: Change) -> set[int]:
    """The flows go on with the run day after the last one whose time to be made has passed."""
    zone = ZoneInfo(read_timezone(transaction.connection))
    until = last_run_day(change.now, zone).isoformat()
    return enable(transaction, [flow.id for flow in change.targets], until)
