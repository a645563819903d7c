"""Engines that are killed, raced and frozen while they work. What was committed stays, and every rule holds."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from dpconsole.core.store.opening import open_store
from tests.checker import check
from tests.faults.processes import Witness, engine_process, integrity, make_database, orders
from tests.faults.sizes import size

HOUR = "3600000"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return make_database(tmp_path / "night.db")


@pytest.mark.sweep
@pytest.mark.timeout(600)
def test_kill_9_at_any_moment_loses_nothing_that_was_shown(database: Path) -> None:
    rng = Random(1)
    store = open_store(database)
    witness = Witness(store)
    for cycle in range(size(4, 50)):
        with engine_process(database, "one") as engine:
            engine.read(rng.randint(0, 60))
            witness.look()
            engine.kill()
        assert integrity(store) == "ok", cycle
        assert witness.lost() == [], cycle
        assert check(store) == [], cycle
    witness.look()
    assert len(witness.journal) > 100
    assert set(orders(database).values()) == {1}


def test_two_engines_never_dispatch_an_attempt_twice_and_the_second_takes_over(database: Path) -> None:
    """The lease would last an hour: the second engine takes over because the first one's process is gone."""
    store = open_store(database)
    with engine_process(database, "one", "--ttl", HOUR) as first:
        assert first.read_until("leading") == "leading 1"
        with engine_process(database, "two", "--ttl", HOUR) as second:
            first.read(60)
            first.kill()
            assert second.read_until("leading") == "leading 2"
            second.read(60)
            second.kill()
    assert set(orders(database).values()) == {1}
    assert check(store) == []


def test_engines_that_are_killed_in_turn_hand_over_each_time(database: Path) -> None:
    rng = Random(2)
    store = open_store(database)
    engines = [engine_process(database, str(number), "--ttl", HOUR) for number in range(size(3, 12))]
    for number, starting in enumerate(engines):
        with starting as engine:
            assert engine.read_until("leading") == f"leading {number + 1}"
            engine.read(rng.randint(1, 40))
    assert set(orders(database).values()) == {1}
    assert check(store) == []


def test_a_frozen_engine_is_replaced_and_finds_itself_fenced(database: Path) -> None:
    store = open_store(database)
    with engine_process(database, "one", "--ttl", "300", "--freeze-after", "5") as first:
        first.read_until("frozen")
        with engine_process(database, "two", "--ttl", HOUR) as second:
            assert second.read_until("leading") == "leading 2"
            second.read(10)
            first.thaw()
            first.read_until("fenced")
            second.read(10)
            first.kill()
    assert set(orders(database).values()) == {1}
    assert check(store) == []
