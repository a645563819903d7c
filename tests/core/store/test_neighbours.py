"""What stands around a row, as the store finds it; and the same row on another data timestamp of its backfill (15)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import insert, text

from dpconsole.core.store.models import Backfill, BackfillDate, Instance
from dpconsole.core.store.neighbours import (
    count_above,
    count_below,
    listed_row,
    read_facts,
    read_levels,
    timestamps,
    twins,
)
from dpconsole.core.store.session import Store
from tests.core.store.night import ADS, BASE, DIM, LTV, ODS, instance, set_instance, write_night


def test_levels_are_between_listed_rows_and_a_table_s_edges_are_its_nodes(store: Store) -> None:
    write_night(store)
    with store.read() as connection:
        around = read_levels(connection, DIM, None, None)
        above = read_levels(connection, ADS, 1, None)
    assert (around.up, around.down, around.truncated) == ({ODS: 1}, {ADS: 1}, False)
    assert (above.up, above.down) == ({DIM: 1, ODS: 1}, {})


def test_neighbours_are_counted_as_listed_rows(store: Store) -> None:
    write_night(store)
    with store.read() as connection:
        assert count_above(connection, [ODS, DIM, ADS], [DIM]) == {ODS: 0, DIM: 1, ADS: 2}
        assert count_below(connection, [ODS, DIM, ADS], [DIM]) == {ODS: 2, DIM: 1, ADS: 0}
        assert count_below(connection, [BASE, LTV], []) == {BASE: 1, LTV: 1}


def test_a_limit_is_shared_by_both_sides_and_cuts_the_farthest(sqlite_store: Store) -> None:
    write_night(sqlite_store)
    with sqlite_store.read() as connection:
        cut = read_levels(connection, DIM, None, None, limit=1)
        nothing = read_levels(connection, DIM, None, None, limit=0)
    assert (cut.up, cut.down, cut.truncated) == ({ODS: 1}, {}, True)
    assert (nothing.up, nothing.down, nothing.truncated) == ({}, {}, True)


def test_whoever_waits_can_call_it_off_before_each_level(sqlite_store: Store) -> None:
    write_night(sqlite_store)
    with sqlite_store.read() as connection, pytest.raises(InterruptedError):
        read_levels(connection, DIM, None, None, check=_interrupt(after=1))


def _interrupt(after: int) -> Callable[[], None]:
    asked = iter(range(after))

    def check() -> None:
        if next(asked, None) is None:
            raise InterruptedError

    return check


def test_a_node_belongs_to_its_table(sqlite_store: Store) -> None:
    write_night(sqlite_store)
    with sqlite_store.read() as connection:
        assert [listed_row(connection, id) for id in (ODS, DIM, LTV, 99)] == [ODS, DIM, DIM, None]


def test_a_table_is_paused_when_a_node_of_it_is(store: Store) -> None:
    write_night(store)
    set_instance(store, LTV, paused=True)
    with store.read() as connection:
        facts = read_facts(connection, [ODS, DIM, BASE, LTV])
    assert {id: some.paused for id, some in facts.items()} == {ODS: False, DIM: True, BASE: False, LTV: True}


def test_what_came_from_outside_is_cleaned(sqlite_store: Store) -> None:
    write_night(sqlite_store)
    set_instance(sqlite_store, ODS, name="o\x1b[31mds", owner="l\x07in")
    with sqlite_store.read() as connection:
        facts = read_facts(connection, [ODS])[ODS]
    assert "\x1b" not in facts.name + facts.owner
    assert "\x07" not in facts.owner


# --- backfills --------------------------------------------------------------------------------------------------------

DATES = ("2026-11-01", "2026-11-02")


@pytest.fixture
def backfill(store: Store) -> Store:
    """A backfill of two data timestamps: a script twice a day, and a table with a node; the second date lacks a run."""
    tasks = write_night(store)
    with store.write() as transaction:
        form = {"id": 1, "name": "b", "project": "trade", "submitter": "lin", "submitted_at": 0, "form": {}}
        transaction.execute(insert(Backfill), [form | {"state": "submitted"}])
        date = {"backfill_id": 1, "queue": 0}
        days = [date | {"id": 10 + n, "business_date": day, "position": n} for n, day in enumerate(DATES)]
        transaction.execute(insert(BackfillDate), days)
        node_id = transaction.execute(text("SELECT min(id) FROM node")).scalar_one()
        for number, day in enumerate(DATES):
            of = {"origin": "backfill", "backfill_id": 1, "backfill_date_id": 10 + number, "business_date": day}
            first = 100 * (number + 1)
            rows = [
                instance(first, tasks["trade.ods"], "trade.ods", **of),
                instance(first + 1, tasks["trade.ods"], "trade.ods", ordinal=2, **of),
                instance(first + 2, tasks["trade.dim"], "trade.dim", unit="logical_table", listing="modeling", **of),
                instance(first + 3, tasks["trade.dim"], "trade.dim", parent_id=first + 2, node_id=node_id, **of),
            ]
            transaction.execute(insert(Instance), rows[:1] + rows[2:] if number else rows)
    return store


def test_a_twin_is_the_same_task_node_and_ordinal_on_another_date(backfill: Store) -> None:
    with backfill.read() as connection:
        assert [some.business_date for some in timestamps(connection, 1)] == list(DATES)
        assert twins(connection, [100, 101, 102, 103, ODS], 11) == {100: 200, 102: 202, 103: 203}
        assert twins(connection, [203], 10) == {203: 103}
        assert timestamps(connection, 2) == []
