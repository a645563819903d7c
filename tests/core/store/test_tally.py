"""The tally of a data timestamp is kept by the database, whoever writes and however many rows at once (section 8.2)."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from sqlalchemy import delete, text, update

from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.backfilling import submit
from dpconsole.core.store.models import Instance, InstanceDependency
from dpconsole.core.store.session import Store
from tests.nights import EVENING, Night, fails, node, table, task

COUNTED = """
    SELECT backfill_id, backfill_date_id, status, paused, count(*) FROM instance
    WHERE backfill_date_id IS NOT NULL AND listing <> '' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
TALLIED = """
    SELECT backfill_id, backfill_date_id, status, paused, number FROM backfill_tally
    WHERE number <> 0 ORDER BY 1, 2, 3, 4"""


def both(store: Store) -> tuple[list[Any], list[Any]]:
    with store.read() as connection:
        return tuple(list(connection.execute(text(query)).all()) for query in (COUNTED, TALLIED))  # type: ignore[return-value]


def made(store: Store) -> Night:
    """Two backfills of a script and a table beside a night of the same."""
    night = Night(store, task("a"), table("t", node("n", "f"), node("m", "g")))
    night.generate()
    for days in (3, 4):
        submit(store, night.clock, night.backfill("a", "t", first=date(2026, 11, 1), days=days))
    return night


def test_it_is_what_counting_gives_after_any_work(store: Store) -> None:
    night, rng = made(store), Random(4)
    for _ in range(60):
        with store.write() as transaction:
            ids = list(transaction.execute(text("SELECT id FROM instance ORDER BY id")).scalars())
            chosen = Instance.id.in_(rng.sample(ids, rng.choice((1, 3, len(ids)))))
            change: dict[str, Any] = rng.choice(
                (
                    {"status": rng.choice(tuple(Status))},
                    {"paused": rng.choice((True, False))},
                    {"status": rng.choice(tuple(Status)), "paused": rng.choice((True, False))},
                    {"priority": 3},
                )
            )
            transaction.execute(update(Instance).where(chosen).values(**change))
        counted, tallied = both(store)
        assert counted == tallied
    assert len(counted) > 7
    forget(night)


def forget(night: Night) -> None:
    """What is deleted is counted no more; nothing is left for the checker to look at."""
    with night.store.write() as transaction:
        transaction.execute(delete(InstanceDependency))
        transaction.execute(delete(Instance).where(Instance.parent_id.is_not(None)))
        transaction.execute(delete(Instance).where(Instance.origin == "backfill"))
    assert both(night.store) == ([], [])


def test_a_data_timestamp_spans_its_first_start_and_its_last_end(store: Store) -> None:
    night = Night(store, task("a"), task("b", "a", simulate=fails(seconds=90)))
    night.backfill("a", first=date(2026, 11, 1))
    night.run()
    with store.read() as connection:
        ((started, ended),) = connection.execute(text("SELECT started_at, ended_at FROM backfill_date")).all()
    assert (started, ended) == (EVENING, EVENING + 150_000)
