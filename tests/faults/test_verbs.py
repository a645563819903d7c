"""Verbs against a working engine: races, batches in the middle of the churn, an operator's process that is killed.

Whatever the order, every row is changed or reported, exactly one of two wins, and the ledger tells which (F10, F13).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import count
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
from sqlalchemy import select

from dpconsole.core.domain.clock import SystemClock
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.planning import Plan
from dpconsole.core.operations.records import Outcome, Record, State
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.chain import first_broken
from dpconsole.core.store.models import Instance
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.bench.verbs import make_night
from tests.checker import check
from tests.faults.processes import REPOSITORY
from tests.faults.sizes import size
from tests.nights import ByHand, Night, task

RACES = size(20, 200)
BATCH = size(500, 5_000)


def operations_of(store: Store, user: str = "lin") -> Operations:
    keys = count()
    return Operations(store, SystemClock(), Actor(user), lambda _: (), lambda: f"{user}-{next(keys)}")


def together(*acts: Thread) -> None:
    for act in acts:
        act.start()
    for act in acts:
        act.join()


# --- stop against finish ----------------------------------------------------------------------------------------------


@pytest.mark.sweep
def test_stop_against_finish_has_exactly_one_outcome(store: Store) -> None:
    hands = ByHand()
    night = Night(store, *(task(f"t{number}") for number in range(RACES)), slots=RACES, executor=hands)
    night.generate()
    night.tick("00:00")
    operations, outcomes = operations_of(store), Counter[str]()
    for order in list(hands.orders):
        plan = operations.plan("stop", Selection.of([order.handle.instance_id]))
        hands.report(order, night.clock.now())
        start, records = Barrier(2), list[Record]()

        def finish(start: Barrier = start) -> None:
            start.wait()
            night.tick()

        def stop(start: Barrier = start, records: list[Record] = records, plan: Plan = plan) -> None:
            start.wait()
            records.append(operations.apply(plan))

        together(Thread(target=finish), Thread(target=stop))
        night.tick()
        outcomes[outcome_of(night, records[0])] += 1
    assert sum(outcomes.values()) == RACES
    assert check(store) == []


def outcome_of(night: Night, record: Record) -> str:
    """Who won, as the row, the attempt and the ledger all say."""
    (item,) = record.items
    row, (attempt,) = night.row(item.name), night.attempts(item.name)
    told = (row.status, attempt.state, item.outcome)
    assert told in {
        (Status.FAILED, "stopped", Outcome.OK),
        (Status.SUCCEEDED, "ok", Outcome.SKIPPED),
    }
    if item.outcome is Outcome.SKIPPED:
        assert item.reason == "changed since the preview: now Succeeded"
    return str(item.outcome)


# --- two operators ----------------------------------------------------------------------------------------------------


def test_of_two_operators_somebody_is_first_and_the_other_is_told(store: Store) -> None:
    night = Night(store, *(task(f"t{number}") for number in range(50)), executor=ByHand(), slots=50)
    night.generate()
    night.tick("00:00")
    both = [operations_of(store, user) for user in ("lin", "mei")]
    ids = [night.id(f"t{number}") for number in range(50)]
    plans = [both[0].plan("stop", Selection.of(ids)), both[1].plan("force-rerun", Selection.of(ids))]
    records: dict[int, Record] = {}

    def apply(number: int) -> None:
        records[number] = both[number].apply(plans[number])

    together(*(Thread(target=apply, args=(number,)) for number in (0, 1)))
    done = [{item.id for item in records[n].items if item.outcome is Outcome.OK} for n in (0, 1)]
    assert done[0] | done[1] == set(ids)
    assert not done[0] & done[1]
    for record in records.values():
        assert all(item.outcome is Outcome.OK or item.reason.startswith("changed since") for item in record.items)
    assert check(store) == []


# --- a batch in the middle of the churn -------------------------------------------------------------------------------


@pytest.mark.sweep
@pytest.mark.parametrize("verb", ["stop", "rerun", "set-success", "force-rerun", "pause"])
def test_a_batch_while_the_engine_runs_flat_out(store: Store, verb: str) -> None:
    width = BATCH // 5
    layers = [
        task(f"t{layer}_{place}", *([f"t{layer - 1}_{place}"] if layer else []))
        for layer in range(5)
        for place in range(width)
    ]
    night = Night(store, *layers, slots=width // 2)
    night.generate()
    night.tick("00:00")
    night.tick("00:01")
    over, moved = Event(), Counter[str]()

    def churn() -> None:
        while not over.is_set():
            tick = night.engine.tick()
            moved["rows"] += tick.moved
            if tick.next_at is not None:
                night.clock.advance_to(max(night.clock.now(), tick.next_at))

    engine = Thread(target=churn)
    operations = operations_of(store)
    with store.read() as connection:
        ids = list(connection.execute(select(Instance.id)).scalars())
    plan = operations.plan(verb, Selection.of(ids), {"scope": "desired"} if verb == "rerun" else {})
    engine.start()
    try:
        record = operations.apply(plan)
    finally:
        over.set()
        engine.join()

    assert len(record.items) == len(ids)
    assert all(item.outcome in (Outcome.OK, Outcome.SKIPPED, Outcome.REFUSED) for item in record.items)
    assert all(item.reason for item in record.items if item.outcome is not Outcome.OK)
    assert record.acts == sum(item.outcome is Outcome.OK for item in record.items)
    assert check(store) == []


# --- killed in the middle ---------------------------------------------------------------------------------------------

OPERATOR = """
import os, sys
from dpconsole.core.operations.selection import Selection
from dpconsole.core.store.opening import open_store
from tests.faults.test_verbs import operations_of, scripts
store = open_store(sys.argv[1])
operations = operations_of(store)
plan = operations.plan("stop", Selection.of(scripts(store)))
def tell(done, total):
    print(done, flush=True)
operations.apply(plan, progress=tell)
"""


def scripts(store: Store) -> list[int]:
    with store.read() as connection:
        found = select(Instance.id).where(Instance.listing == "computing").order_by(Instance.id)
        return list(connection.execute(found).scalars())


def test_kill_9_in_the_middle_leaves_a_ledger_that_says_so_and_can_be_retried(tmp_path: Path) -> None:
    path = tmp_path / "night.db"
    make_night(path, 2_000).close()
    operator = subprocess.Popen(
        [sys.executable, "-c", OPERATOR, str(path)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert operator.stdout is not None
    operator.stdout.readline()
    operator.kill()
    operator.wait()
    operator.stdout.close()

    listed = [sys.executable, "-m", "dpconsole", "--db", str(path), "ls", "records", "--json"]
    told = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, text=True, check=True, env={**os.environ})
    (item,) = json.loads(told.stdout)["items"]
    assert item["state"] == "partly_done"

    store = open_store(path)
    operations = operations_of(store, "mei")
    record = operations.record("lin-0")
    assert record is not None
    missed = [item.id for item in record.items if item.outcome is Outcome.FAILED]
    assert record.acts + len(missed) == len(record.items) >= 2_000
    retried = operations.apply(operations.plan("stop", Selection.of(missed)))
    assert (retried.state, retried.acts) == (State.DONE, len(missed))
    with store.read() as connection:
        statuses = connection.execute(select(Instance.status).where(Instance.listing == "computing").distinct())
        assert statuses.scalars().all() == [Status.FAILED]
        assert first_broken(connection) is None
    store.close()
