"""Backfills whose engine is killed while it makes them: the next one goes on, and everything is made once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text

from dpconsole.core.domain.backfill_form import BackfillForm, DateRange, Mode
from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.engine.backfilling import create, submit
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.checker import check
from tests.faults.processes import engine_process, integrity, make_database
from tests.simulation import FIRST_DATE, START

DAYS = 20
TASKS = 12


def ask(store: Store) -> int:
    """A backfill of every task, on some weeks of data timestamps."""
    with store.read() as connection:
        keys = tuple(connection.execute(text("SELECT key FROM task ORDER BY id")).scalars())
    ranges = (DateRange(FIRST_DATE, FIRST_DATE + timedelta(days=DAYS - 1)),)
    with store.write() as transaction:
        return create(transaction, BackfillForm(keys, mode=Mode.CURRENT, ranges=ranges, groups=3), "lin", START)


def made(store: Store) -> tuple[list[Any], list[Any]]:
    """Every instance and every edge, by what they stand for."""
    instances = "SELECT task_key, name, business_date, ordinal FROM instance ORDER BY 3, 1, 2, 4"
    edges = (
        "SELECT d.task_key, d.name, d.business_date, d.ordinal, requirement, u.task_key, u.name, u.business_date,"
        " u.ordinal FROM instance_dependency JOIN instance d ON d.id = downstream_id"
        " JOIN instance u ON u.id = upstream_id ORDER BY 3, 1, 2, 4, 5, 8, 9"
    )
    with store.read() as connection:
        return list(connection.execute(text(instances)).all()), list(connection.execute(text(edges)).all())


def left_to_make(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM backfill_date WHERE NOT made")).scalar_one())


def test_a_submission_that_is_killed_again_and_again_is_finished_once(tmp_path: Path) -> None:
    rng = Random(3)
    store = open_store(make_database(tmp_path / "killed.db", tasks=TASKS))
    ask(store)
    kills = 0
    while left_to_make(store):
        with engine_process(tmp_path / "killed.db", "one", "--no-nights") as engine:
            engine.read_until("leading")
            engine.read(rng.randint(2, 9))
            engine.kill()
        kills += left_to_make(store) < DAYS
        assert integrity(store) == "ok"
        assert check(store) == []
    assert kills > 1, "it is killed in the middle"

    whole = open_store(make_database(tmp_path / "whole.db", tasks=TASKS))
    submit(whole, VirtualClock(START), ask(whole))
    assert made(store) == made(whole)
