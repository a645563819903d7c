"""Generation: the recurring instances of a business date, with the dependencies between them (sections 3, 9.1, 10).

Arithmetic, not a side effect of a cron: calendars say when a task is due, a unique key makes a second generation of the
same date a no-op, and a watermark catches up any night that was missed. One business date is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from dpconsole.core.domain.clock import Clock, business_date_of, to_datetime
from dpconsole.core.domain.definitions import Environment, Method, Origin, Unit
from dpconsole.core.engine.instances import Layout, Look, Plan, shape_of, shapes_of_nodes
from dpconsole.core.store import generation_sql as sql
from dpconsole.core.store.definition_rows import Facts, StoredTask, read_tasks, read_workspace_facts
from dpconsole.core.store.housekeeping import look_again
from dpconsole.core.store.session import Store
from dpconsole.core.store.settings import WATERMARK, read_setting, write_setting

GENERATION_TIME = time(23, 0)
"""When the next day's instances are generated, in the workspace's zone (section 3)."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What the generation of one business date made, and how many instances were there before."""

    business_date: date
    created: int
    existing: int


def generate(store: Store, clock: Clock, first: date, last: date) -> Iterator[Generated]:
    """Make the recurring instances of the business dates `first`..`last`, in ascending order, one at a time.

    The watermark moves along only where it stood at the date before.
    """
    day = first
    while day <= last:
        yield _generate(store, clock, day)
        day += timedelta(days=1)


def catch_up(store: Store, clock: Clock) -> Iterator[Generated]:
    """Generate every business date since the watermark; before the first night, only the one whose turn it is."""
    with store.read() as connection:
        facts, watermark = read_workspace_facts(connection), read_setting(connection, WATERMARK)
    if facts.timezone is None:
        return
    last = current_business_date(clock.now(), ZoneInfo(facts.timezone))
    day = date.fromisoformat(watermark) + timedelta(days=1) if watermark else last
    while day <= last:
        yield _generate(store, clock, day, mark=True)
        day += timedelta(days=1)


def current_business_date(now: int, zone: ZoneInfo) -> date:
    """The last business date whose instances should exist: today's run day, from 23:00 on tomorrow's (section 3)."""
    local = to_datetime(now, zone)
    run = local.date() + timedelta(days=local.time() >= GENERATION_TIME)
    return business_date_of(run)


def _generate(store: Store, clock: Clock, business_date: date, *, mark: bool = False) -> Generated:
    generated = _write(store, clock, business_date, mark=mark)
    look_again(store, generated.created)
    return generated


def _write(store: Store, clock: Clock, business_date: date, *, mark: bool) -> Generated:
    with store.write() as transaction:
        connection = transaction.connection
        plan = plan_of_night(read_workspace_facts(connection), read_tasks(connection))
        day = business_date.isoformat()
        before = sql.existing(connection, plan.first_needed(business_date).isoformat(), day)
        layout = Layout(plan)
        layout.know(before)
        here = [(row.task_id, row.ordinal) for row in before if row.business_date == day]
        layout.lay_out(transaction, business_date, there=here)
        created = layout.write(transaction, clock.now())
        watermark = read_setting(connection, WATERMARK)
        if mark or watermark == (business_date - timedelta(days=1)).isoformat():
            write_setting(transaction, WATERMARK, day)
        return Generated(business_date, created, len(here))


def plan_of_night(facts: Facts, tasks: Mapping[int, StoredTask]) -> Plan:
    """Every task that has a schedule, as it is defined; in development nothing starts by itself (section 3)."""
    zone = ZoneInfo(facts.timezone or "UTC")
    environment = facts.environment or Environment.PROD
    looks = {}
    for id, stored in tasks.items():
        if stored.task.method is not Method.ONE_TIME:
            listed = shape_of(stored, facts, Origin.RECURRING, environment, zone)
            by_itself = environment is Environment.PROD
            nodes = tuple(shape._replace(autonomous=by_itself) for shape in shapes_of_nodes(listed, stored))
            listed = listed._replace(autonomous=by_itself and stored.task.unit is not Unit.LOGICAL_TABLE)
            method = stored.task.method
            looks[id] = Look(listed, nodes, paused=method is Method.PAUSED, dry_run=method is Method.DRY_RUN)
    return Plan(tasks, looks, zone)
