"""How the baselines of a data timestamp stand: what was promised, when it will be kept, and what stands in its way.

All of them are estimated together, in a few statements and one walk up from all their end instances (section 11.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.baselines import BaselineStatus, baseline_status, committed_at
from dpconsole.core.domain.clock import Clock, to_ms
from dpconsole.core.domain.definitions import Baseline, Priority
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.gantt import Finishes
from dpconsole.core.graph.critical import NEVER, critical_path
from dpconsole.core.store.critical_rows import (
    End,
    read_end_owners,
    read_ends,
    read_listed,
    read_parts,
    read_promises,
)
from dpconsole.core.store.definition_rows import read_timezone
from dpconsole.core.store.pages import InstanceRow, instance_rows
from dpconsole.core.store.session import Store


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """A baseline on one data timestamp; moments in UTC milliseconds.

    `finish_at` is when its last end instance was done or will be, None where it never will by itself or where there is
    none. `latest` is that instance, `critical` the one on its critical path that has to move next, None once it is
    done. `owners` are those of its end tasks.
    """

    id: int
    name: str
    status: BaselineStatus
    completed: bool
    committed_at: int
    alert_at: int
    finish_at: int | None
    priority: Priority
    owners: tuple[str, ...]
    latest: InstanceRow | None
    critical: InstanceRow | None
    done: int
    total: int

    @property
    def margin_ms(self) -> int:
        """How long before the committed time the alert is."""
        return self.committed_at - self.alert_at

    @property
    def left_ms(self) -> int | None:
        """How much time is left between its finish and the committed time; less than nothing when it is late."""
        return None if self.finish_at is None else self.committed_at - self.finish_at


WALKED = 50_000
"""Unfinished rows above all end instances that an estimate looks at."""


@dataclass(frozen=True, slots=True)
class _Outlook:
    """The end instance of a baseline that is done last and its finish, and which row has to move for it next."""

    finish: int
    latest: int
    critical: int | None
    done: int
    total: int


def read_baselines(store: Store, clock: Clock, environment: str, business_date: date) -> list[BaselineRow]:
    """Every baseline on a data timestamp, in one snapshot of the store; the earliest committed first."""
    with store.read() as connection:
        promises = read_promises(connection)
        ends = read_ends(connection, environment, business_date.isoformat())
        outlooks = _outlooks(connection, ends, clock.now())
        owners = read_end_owners(connection)
        wanted = {id for one in outlooks.values() for id in (one.latest, one.critical) if id is not None}
        shown = {row.id: row for row in instance_rows(connection, sorted(wanted))}
        zone = ZoneInfo(read_timezone(connection))
    return [
        _row(number, one, to_ms(committed_at(one, business_date, zone)), owners, outlooks.get(one.name), shown)
        for number, one in enumerate(promises, 1)
    ]


def _outlooks(connection: Connection, ends: Mapping[str, Sequence[End]], now: int) -> dict[str, _Outlook]:
    finishes = Finishes(connection, now, WALKED)
    parts = read_parts(connection, {end.id for some in ends.values() for end in some})
    finish = finishes.of(parts)
    listed: dict[int, list[int]] = {}
    for part in parts:
        listed.setdefault(part.listed, []).append(part.id)
    unfinished = {part.listed for part in parts if part.status != Status.SUCCEEDED}
    found = {name: [end.id for end in some if end.id in listed] for name, some in ends.items()}
    critical = {
        name: _last({part: finish[part] for id in ids for part in listed[id]}, finishes)
        for name, ids in found.items()
        if ids
    }
    of_part = read_listed(connection, {id for pair in critical.values() for id in pair})
    return {
        name: _Outlook(
            finish=finish[latest],
            latest=of_part[latest],
            critical=of_part[holder] if unfinished & set(found[name]) else None,
            done=sum(id not in unfinished for id in found[name]),
            total=len(found[name]),
        )
        for name, (latest, holder) in critical.items()
    }


def _last(ends: Mapping[int, int], finishes: Finishes) -> tuple[int, int]:
    """The row that is done last, and the first row that has not been done on the way to it."""
    path = critical_path(ends, finishes.still_required_by).ids
    return path[-1], path[0]


def _row(
    number: int,
    promise: Baseline,
    committed: int,
    owners: Mapping[str, Sequence[str]],
    outlook: _Outlook | None,
    shown: Mapping[int, InstanceRow],
) -> BaselineRow:
    margin_ms = int(promise.margin * 1000)
    finish = None if outlook is None else outlook.finish
    return BaselineRow(
        id=number,
        name=promise.name,
        status=baseline_status(finish, committed, margin_ms),
        completed=outlook is not None and outlook.done == outlook.total,
        committed_at=committed,
        alert_at=committed - margin_ms,
        finish_at=None if finish == NEVER else finish,
        priority=promise.priority,
        owners=tuple(owners.get(promise.name, ())),
        latest=shown.get(outlook.latest) if outlook else None,
        critical=shown.get(outlook.critical) if outlook and outlook.critical is not None else None,
        done=outlook.done if outlook else 0,
        total=outlook.total if outlook else 0,
    )
