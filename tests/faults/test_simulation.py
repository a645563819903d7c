"""Random nights with everything that goes wrong in them; the checker must find nothing to say.

A failing night prints its seed: `DPCONSOLE_SEED=n pytest tests/faults/test_simulation.py` plays that one again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from dpconsole.core.engine import backfilling
from dpconsole.core.engine import engine as engine_module
from dpconsole.core.engine.admission import Capacity
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.instances import shape_of
from dpconsole.core.engine.lease import Lease
from dpconsole.core.store import engine_sql
from dpconsole.core.store.engine_sql import due
from dpconsole.core.store.journal import release
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store, Transaction
from tests.faults.sizes import size
from tests.simulation import Night, play
from tests.weather import QUIET, Weather

SEEDS = [int(os.environ["DPCONSOLE_SEED"])] if "DPCONSOLE_SEED" in os.environ else range(size(10, 300))
STORM = Weather(duplicated=0.3, late=0.2, lost=0.1, forged=0.3, crash=0.1, takeover=0.1, refused=0.1)


@pytest.mark.sweep
@pytest.mark.parametrize("seed", SEEDS)
def test_no_weather_breaks_an_invariant(seed: int, sqlite_store: Store) -> None:
    night = play(seed, sqlite_store)
    assert not night.violations, str(night)


@pytest.mark.parametrize("seed", [3, 11])
def test_a_storm_breaks_no_invariant_on_either_database(seed: int, store: Store) -> None:
    night = play(seed, store, STORM)
    assert not night.violations, str(night)


@pytest.mark.parametrize("weather", [QUIET, STORM], ids=["quiet", "storm"])
def test_the_same_seed_gives_the_same_journal(weather: Weather, tmp_path: Path) -> None:
    journals = [_fresh_night(tmp_path / f"{number}.db", seed=9, weather=weather).journal() for number in range(2)]
    assert journals[0] == journals[1]
    assert len(journals[0]) > 100


def _fresh_night(path: Path, seed: int, weather: Weather) -> Night:
    store = open_store(path, synchronous="OFF")
    night = play(seed, store, weather)
    store.close()
    return night


# --- a simulation that cannot fail is worth nothing ------------------------------------------------------------------


def _believe_every_report(transaction: Any, ended: Any, state: str, exit_code: int | None, why: str) -> set[Any]:
    return {(instance, number, token) for instance, number, token, _ in ended if instance < NOBODY}


def _never_notice_time(transaction: Any, now: int, limit: int) -> list[Any]:
    return list(due(transaction, now + 10**9, limit))


def _forget_a_downstream(transaction: Any, succeeded: Any) -> None:
    release(transaction, list(succeeded)[1:])


def _forget_tables(transaction: Any, tables: Any, at: int) -> None:
    pass


def _leave_the_gate_open(*asked: Any) -> Any:
    return shape_of(*asked)._replace(autonomous=True)


NOBODY = 100_000
"""Ids from here on are forged ones: there is no such instance to believe anything of."""

BROKEN = {
    "slots do not count": (Capacity, "take_resources", lambda self, row: True, "I6"),
    "throttling does not count": (Capacity, "pass_throttling", lambda self, row: True, "I6"),
    "every report is believed": (engine_sql, "close_attempts", _believe_every_report, "I4"),
    "time is not looked at": (engine_sql, "due", _never_notice_time, "I5"),
    "a downstream is forgotten": (engine_module, "release", _forget_a_downstream, "pending"),
    "tables do not follow": (engine_module, "derive_tables", _forget_tables, "derived"),
    "the lease is not checked": (Lease, "check", lambda self, transaction: None, "fence"),
    "the feed is not told": (Transaction, "touch", lambda self, table, ids: None, "feed"),
    "queues do not wait": (backfilling, "shape_of", _leave_the_gate_open, "queue"),
    "nothing expires": (Engine, "_expire", lambda self, this: None, "I12"),
}


TELLING = range(9, 21)
"""Nights to find them by; the first has so much in it that it finds most of them alone."""


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_engine_is_found_out(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, broken, rule = BROKEN[fault]
    monkeypatch.setattr(place, name, broken)
    monkeypatch.setattr("tests.simulation.Stage.MOST_STEPS", 300)
    nights = (_fresh_night(tmp_path / f"{seed}.db", seed, STORM) for seed in TELLING)
    assert any(rule in {violation.rule for violation in night.violations} for night in nights)
