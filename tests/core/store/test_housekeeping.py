"""A server looks at its tables again after much was written, and nothing that was written depends on it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from dpconsole.core.store import housekeeping
from dpconsole.core.store.housekeeping import MANY_ROWS, look_again
from dpconsole.core.store.session import Store
from tests.nights import Night, task

BELIEVED = text("SELECT reltuples FROM pg_class WHERE relname = 'instance'")


def believed(store: Store) -> int:
    """How many instances the planner thinks there are."""
    with store.read() as connection:
        return int(connection.execute(BELIEVED).scalar_one())


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_planner_knows_what_was_made_and_a_failure_is_nobodys(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    Night(store, *(task(f"t{number}") for number in range(40))).generate()
    look_again(store, MANY_ROWS - 1)
    assert believed(store) < 40, "a few rows are not worth it"
    look_again(store, MANY_ROWS)
    assert believed(store) == 40
    monkeypatch.setattr(housekeeping, "_ANALYZE", ("ANALYZE nothing_of_the_kind",))
    look_again(store, MANY_ROWS)
    assert believed(store) == 40
