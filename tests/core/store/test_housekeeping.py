"""The planner looks at the tables again after much was written, and nothing that was written depends on it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from dpconsole.core.store import housekeeping
from dpconsole.core.store.housekeeping import MANY_ROWS, look_again
from dpconsole.core.store.session import Store
from tests.nights import Night, task

RELTUPLES = "SELECT reltuples FROM pg_class WHERE relname = 'instance'"


def rows_believed(store: Store) -> int:
    """How many instances the planner thinks there are; SQLite keeps that only of what it was asked about."""
    with store.read() as connection:
        if not store.is_sqlite:
            return int(connection.execute(text(RELTUPLES)).scalar_one())
        known = connection.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")).scalar_one()
        asked = text("SELECT stat FROM sqlite_stat1 WHERE tbl = 'instance' LIMIT 1")
        stat = connection.execute(asked).scalar() if known else None
        return int(stat.split()[0]) if stat else 0


def test_the_planner_knows_what_was_made(store: Store) -> None:
    night = Night(store, *(task(f"t{number}") for number in range(40)))
    night.generate()
    before = rows_believed(store)
    look_again(store, MANY_ROWS - 1)
    assert rows_believed(store) == before, "a few rows are not worth it"
    look_again(store, MANY_ROWS)
    assert rows_believed(store) >= 40


def test_it_never_fails_what_was_written(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "_OPTIMIZE", ("optimize(",))
    look_again(sqlite_store, MANY_ROWS)
    with sqlite_store.write():
        pass  # and what comes next is written
