"""A disk that refuses, a disk that is full, a lock that somebody else holds: nothing is half done, and it mends itself.

The errors an engine or a reader gets are the store's own, in words; the driver's never come through (F4, F5).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dpconsole.core.domain.clock import SystemClock, VirtualClock
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import generate
from dpconsole.core.engine.lease import Lease
from dpconsole.core.engine.running import run_until_idle
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store import session
from dpconsole.core.store.errors import StoreBusy, StoreError, StoreReadOnly, translate
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.checker import check, stuck
from tests.faults.processes import Witness, integrity, make_database
from tests.faults.sizes import FULL, SWEEP
from tests.simulation import FIRST_DATE, START
from tests.weather import MINUTE, refuse_statement


class Scenario:
    """A small night from generation to rest, with an operator's rerun in it. Each step may fail and be tried again."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, VirtualClock(START)
        self.lease = Lease(store, SystemClock())
        self.engine = Engine(store, self.clock, SimulatedExecutor(3), lease=self.lease, slice_=8)
        self.tried = 0

    def play(self) -> None:
        """All of it; every step that is refused is tried again until it is not."""
        self.persist(self.lease.acquire)
        self.persist(lambda: list(generate(self.store, self.clock, FIRST_DATE, FIRST_DATE)))
        self.persist(lambda: run_until_idle(self.engine, self.clock))
        self.persist(self.rerun)
        self.persist(lambda: run_until_idle(self.engine, self.clock))

    def persist(self, step: Callable[[], object]) -> None:
        """Try until it works."""
        while True:
            try:
                step()
            except StoreError:
                self.tried += 1
                assert check(self.store) == []
            else:
                return

    def rerun(self) -> None:
        """An operator reruns everything that has ended."""
        with self.store.read() as connection:
            ids = list(connection.execute(text("SELECT id FROM instance ORDER BY id LIMIT 12")).scalars())
        verbs = Operations(self.store, self.clock, Actor("an"), lambda _: (), lambda: "the one rerun")
        verbs.apply(verbs.plan("rerun", Selection.of(ids)))

    def outcome(self) -> list[tuple[object, ...]]:
        """Where every instance came to rest, and after how many attempts."""
        with self.store.read() as connection:
            return [
                tuple(row) for row in connection.execute(text("SELECT id, status, attempt FROM instance ORDER BY id"))
            ]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with definitions, to be copied."""
    return make_database(tmp_path_factory.mktemp("drawn") / "night.db", seed=8, tasks=7)


@pytest.fixture
def database(drawn: Path, tmp_path: Path) -> Path:
    return Path(copy(drawn, tmp_path / "night.db"))


def copy(source: Path, target: Path) -> Path:
    target.write_bytes(source.read_bytes())
    return target


# --- every statement once ---------------------------------------------------------------------------------------------


STRIDE = 1 if SWEEP >= FULL else 40
"""Every how many statements one is refused; the three errors begin at different ones."""


@pytest.mark.sweep
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("error", ["SQLITE_IOERR", "SQLITE_FULL", "SQLITE_BUSY"])
def test_each_statement_may_fail_once(drawn: Path, tmp_path: Path, error: str) -> None:
    """However the n-th write statement fails, the rules hold at once, and trying again comes to the same end."""
    with closing(open_store(copy(drawn, tmp_path / "calm.db"), synchronous="OFF")) as store:
        calm = Scenario(store)
        with refuse_statement(store, -1) as statements:
            calm.play()
    for number in range(len(error) % 3, len(statements), STRIDE):
        path = copy(drawn, tmp_path / f"{number}.db")
        with closing(open_store(path, synchronous="OFF")) as store:
            scenario = Scenario(store)
            with refuse_statement(store, number, error):
                scenario.play()
            tried_by_the_store = error == "SQLITE_BUSY" and statements[number].startswith("BEGIN")
            assert scenario.tried == (not tried_by_the_store), f"statement {number}: {statements[number]}"
            assert check(store) == [], f"statement {number}: {statements[number]}"
            assert stuck(store, scenario.clock.now()) == [], f"statement {number}: {statements[number]}"
            assert scenario.outcome() == calm.outcome(), f"statement {number}: {statements[number]}"
        path.unlink()


# --- a full disk ------------------------------------------------------------------------------------------------------


@contextmanager
def full_disk(store: Store, spare_pages: int) -> Iterator[None]:
    """As if the disk had room for so many pages more."""
    pages = _pragma(store, "page_count")
    _pragma(store, f"max_page_count = {pages + spare_pages}")
    yield
    _pragma(store, "max_page_count = 1000000")


def _pragma(store: Store, words: str) -> int:
    """Ask or tell the writer's own connection, outside any transaction."""
    with store.writer.connect() as connection:
        driver: Any = connection.connection.driver_connection
        return int(driver.execute(f"PRAGMA {words}").fetchone()[0])


@pytest.mark.parametrize("spare_pages", [0, 1, 5, 12])
def test_a_full_disk_leaves_no_half_batch_and_is_got_over(database: Path, spare_pages: int) -> None:
    store = open_store(database)
    scenario = Scenario(store)
    assert scenario.lease.acquire()
    with full_disk(store, spare_pages), pytest.raises(StoreReadOnly, match="the disk is full"):
        for day in (FIRST_DATE + timedelta(days=number) for number in range(60)):
            list(generate(store, scenario.clock, day, day))
            run_until_idle(scenario.engine, scenario.clock)
    assert integrity(store) == "ok"
    assert check(store) == []
    scenario.play()
    assert check(store) == []
    assert stuck(store, scenario.clock.now()) == []


# --- somebody else's lock ---------------------------------------------------------------------------------------------


@contextmanager
def foreign_lock(database: Path) -> Iterator[None]:
    """Another program holds the write lock, and takes its time."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a lock takes milliseconds instead of seconds."""
    monkeypatch.setattr(session, "BUSY_TIMEOUT_MS", 20)


@pytest.mark.usefixtures("impatient")
def test_a_long_foreign_lock_is_met_with_words_and_got_over(database: Path) -> None:
    store = open_store(database)
    scenario = Scenario(store)
    scenario.lease.acquire()
    list(generate(store, scenario.clock, FIRST_DATE, FIRST_DATE))
    with foreign_lock(database):
        for refused in (scenario.engine.tick, scenario.lease.renew, scenario.rerun):
            with pytest.raises(StoreBusy) as words:
                scenario.clock.advance_to(scenario.clock.now() + MINUTE)
                refused()
            assert "database is locked" not in str(words.value)
            assert "try again" in str(words.value)
    scenario.play()
    assert check(store) == []
    assert stuck(store, scenario.clock.now()) == []


@pytest.mark.usefixtures("impatient")
def test_readers_never_notice_a_foreign_lock(database: Path) -> None:
    store = open_store(database)
    scenario = Scenario(store)
    scenario.play()
    witness = Witness(store)
    with foreign_lock(database):
        witness.look()
    assert len(witness.journal) == len(_journal(store))
    assert witness.lost() == []


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_is_let_go_in_time_is_not_noticed_by_anybody(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The begin is tried again; the second try finds the lock free."""
    store = open_store(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        tries = []

        def let_go_first(error: DBAPIError, where: str) -> StoreError | None:
            tries.append(other.execute("ROLLBACK"))
            return translate(error, where)

        monkeypatch.setattr(session, "translate", let_go_first)
        assert [made.created > 0 for made in generate(store, VirtualClock(START), FIRST_DATE, FIRST_DATE)] == [True]
    assert len(tries) == 1


def _journal(store: Store) -> list[int]:
    with store.read() as connection:
        return list(connection.execute(text("SELECT id FROM transition")).scalars())
