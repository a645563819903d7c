"""Verbs beside a working engine: what operators do keeps every invariant, and the night still comes to its end."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from sqlalchemy import select

from dpconsole.core.domain.clock import VirtualClock, parse_iso
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import generate
from dpconsole.core.engine.running import run_until_idle
from dpconsole.core.engine.why import count_reasons
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.operations.selection import Selection
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.models import Instance
from dpconsole.core.store.session import Store
from dpconsole.core.store.waits import count_statuses
from dpconsole.core.workspace.demo import starter_workspace
from tests.checker import check
from tests.core.operations.night import Night, operations_of


@pytest.mark.parametrize("seed", range(4))
def test_reruns_in_the_middle_of_a_night_keep_every_invariant(sqlite_store: Store, seed: int) -> None:
    clock, random = VirtualClock(parse_iso("2026-11-19T23:00+08:00")), Random(seed)
    with sqlite_store.write() as transaction:
        save_workspace(transaction, starter_workspace(), clock.now())
    list(generate(sqlite_store, clock, date(2026, 11, 18), date(2026, 11, 19)))
    operations = operations_of(Night(sqlite_store), clock, "lin")
    engine = Engine(sqlite_store, clock, SimulatedExecutor(seed))
    for _ in range(30):
        next_at = engine.tick().next_at
        with sqlite_store.read() as connection:
            ids = list(connection.execute(select(Instance.id).order_by(Instance.id)).scalars())
        plan = operations.plan("rerun", Selection.of(random.sample(ids, min(5, len(ids)))))
        if random.random() < 0.5:
            engine.tick()  # the world moves between preview and apply
        operations.apply(plan)
        if next_at is not None:
            clock.advance_to(max(clock.now(), next_at))
    run_until_idle(engine, clock)

    assert check(sqlite_store) == []
    with sqlite_store.read() as connection:
        counts, reasons = count_statuses(connection), count_reasons(connection)
    assert not {Status.RUNNING, Status.WAITING_TIME} & set(counts)
    assert set(reasons) <= {"an upstream failed", "an upstream has not run"}
