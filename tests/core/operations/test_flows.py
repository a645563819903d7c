"""Saved flows: what each says of itself, and that a disabled one makes nothing until it is resumed (section 7)."""

from __future__ import annotations

from datetime import time
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from dpconsole.core.domain.backfill_form import BackfillForm, Offsets, Periodic
from dpconsole.core.domain.backfills import FLOWS, FlowState, FlowVerb, Recurrence, refuse_flow
from dpconsole.core.domain.definitions import Environment
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.engine.backfilling import create_flow, make_periodic
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.flows import SavedFlow, saved_flows
from dpconsole.core.operations.history import History
from dpconsole.core.operations.records import NO_SUCH_FOLDER, Outcome, Record
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.session import Store
from tests.nights import Night, task

DAILY = Periodic(Recurrence.DAILY, time(3))


@pytest.fixture
def night(sqlite_store: Store) -> Night:
    """The evening of 2026-11-19, before 23:00 of its run day has come."""
    return Night(sqlite_store, task("a"))


@pytest.fixture
def operations(night: Night) -> Operations:
    keys = count(1)
    return Operations(night.store, night.clock, Actor("lin", "cli"), lambda _asked: (), lambda: f"lin-{next(keys)}")


def save(night: Night, periodic: Periodic = DAILY, name: str = "again", **more: Any) -> int:
    form = BackfillForm(("p.a",), name=name, offsets=(Offsets(2, 1),), periodic=periodic, **more)
    with night.store.write() as transaction:
        return create_flow(transaction, form, "lin", night.clock.now())


def flows(night: Night, environment: str = "prod") -> list[SavedFlow]:
    with night.store.read() as connection:
        return saved_flows(connection, environment)


def run_days(night: Night, *, until: str) -> list[str]:
    """The run days that backfills were made for, once the engine has come round at a time."""
    night.run(until=until)
    make_periodic(night.store, night.clock)
    with night.store.read() as connection:
        return list(connection.execute(text("SELECT run_day FROM backfill ORDER BY run_day")).scalars())


def ask(operations: Operations, verb: FlowVerb, *ids: int) -> Record:
    selection = Selection.of_rows(TreeId(Layer.FLOW, id) for id in ids)
    return operations.apply(operations.plan(verb, selection))


def test_every_step_is_in_the_table() -> None:
    assert all(set(rule) == set(FlowState) for rule in FLOWS.values()) and FLOWS.keys() == set(FlowVerb)
    assert refuse_flow(FlowVerb.PAUSE, FlowState.ENABLED) is None
    assert refuse_flow(FlowVerb.PAUSE, FlowState.DISABLED) == "Disabled: nothing to pause"
    assert refuse_flow(FlowVerb.RESUME, FlowState.ENABLED) == "Enabled: not paused, nothing to resume"


@pytest.mark.parametrize(
    ("periodic", "when", "next_run"),
    [
        (DAILY, "03:00", "2026-11-21T03:00"),
        (Periodic(Recurrence.WEEKLY, time(2, 30), weekdays=(1, 4)), "mon,thu 02:30", "2026-11-23T02:30"),
        (Periodic(Recurrence.MONTHLY, time(23), month_days=(31,)), "31 23:00", "2026-12-31T23:00"),
        (Periodic(Recurrence.MONTHLY, time(23), month_days=(1, -1)), "1,last 23:00", "2026-11-30T23:00"),
    ],
)
def test_a_flow_says_when_it_runs_next(night: Night, periodic: Periodic, when: str, next_run: str) -> None:
    save(night, periodic)
    (flow,) = flows(night)
    assert (flow.key, flow.owner, flow.project, flow.recurrence) == ("flow_1", "lin", "p", periodic.recurrence)
    assert (flow.when, night.clock_of(flow.next_run or 0)) == (when, next_run)


def test_what_waits_to_be_submitted_is_the_next_run(night: Night, operations: Operations) -> None:
    flow = save(night)
    run_days(night, until="23:00")
    ask(operations, FlowVerb.PAUSE, flow)
    (paused,) = flows(night)
    assert (paused.enabled, night.clock_of(paused.next_run or 0)) == (False, "2026-11-21T03:00")


def test_flows_of_the_other_environment_are_not_listed(night: Night) -> None:
    save(night, environment=Environment.DEV)
    assert (flows(night), [flow.key for flow in flows(night, "dev")]) == ([], ["flow_1"])


def test_a_paused_flow_makes_nothing_and_a_resumed_one_goes_on_with_the_next_run_day(
    night: Night, operations: Operations
) -> None:
    paused, other = save(night), save(night, Periodic(Recurrence.MONTHLY, time(3), month_days=(1,)))
    assert run_days(night, until="23:00") == ["2026-11-21"]
    record = ask(operations, FlowVerb.PAUSE, paused)
    assert [(item.key, item.before, item.after) for item in record.items] == [("flow_1", "Enabled", "Disabled")]
    assert (record.kind, record.command) == ("backfill_flow", "dpconsole backfill pause flow_1")
    assert run_days(night, until="2026-11-24T12:00") == ["2026-11-21"], "what was made stays, and nothing comes"
    ask(operations, FlowVerb.RESUME, paused)
    assert run_days(night, until="2026-11-24T22:59") == ["2026-11-21"], "missed run days are not made up for"
    assert run_days(night, until="2026-11-24T23:00") == ["2026-11-21", "2026-11-25"]
    assert other not in {item.id for item in record.items}


def test_a_resumption_on_the_same_evening_makes_no_run_day_twice(night: Night, operations: Operations) -> None:
    flow = save(night)
    run_days(night, until="23:30")
    ask(operations, FlowVerb.PAUSE, flow)
    ask(operations, FlowVerb.RESUME, flow)
    assert run_days(night, until="2026-11-21T23:00") == ["2026-11-21", "2026-11-22"]


def test_what_cannot_be_done_is_refused_and_what_can_be_undone_is(night: Night, operations: Operations) -> None:
    flow = save(night)
    (item,) = ask(operations, FlowVerb.RESUME, flow).items
    assert (item.outcome, item.reason) == (Outcome.REFUSED, "Enabled: not paused, nothing to resume")
    (gone,) = ask(operations, FlowVerb.PAUSE, 9).items
    assert (gone.outcome, gone.reason) == (Outcome.REFUSED, NO_SUCH_FOLDER)
    record = ask(operations, FlowVerb.PAUSE, flow)
    way = History(night.store, "lin").way_back(record.key)
    assert way is not None
    assert [(step.verb, step.selection.folders) for step in way.steps] == [("flow-resume", (TreeId(Layer.FLOW, flow),))]


def test_a_batch_passes_over_what_is_paused_already(night: Night, operations: Operations) -> None:
    ids = [save(night, name=name) for name in ("one", "two")]
    ask(operations, FlowVerb.PAUSE, ids[0])
    record = ask(operations, FlowVerb.PAUSE, *ids)
    assert (record.acts, record.skipped) == (1, 1)
