"""Durable completions a second: the whole path of the engine, beside what SQLite itself can do.

A night is a layered DAG of simulated tasks that take no time, each depending on three of the layer above, so that all
that is measured is the engine: journal, attempts, dependencies, lease, feed. The floor is raw `sqlite3` doing one
guarded update and one journal row for each transition, one commit for each, and one for each group of 32: on the
tables and indexes of the engine itself, and on bare ones that hold nothing but what the two statements touch. A
completion of the engine is three such transitions, an attempt, and the release of what waits for it.

Floors and nights take turns in one run, and the best of each counts: whatever else the machine does only takes away.
"""

from __future__ import annotations

import gc
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, cycle, islice
from pathlib import Path
from typing import NamedTuple, TextIO

from sqlalchemy import create_engine, make_url, text

from dpconsole.core.domain.clock import SystemClock, VirtualClock, parse_iso
from dpconsole.core.domain.definitions import Dependency, Project, ResourceGroup, Schedule, Simulation, Task, Workspace
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import generate
from dpconsole.core.engine.lease import Lease
from dpconsole.core.engine.running import run_until_idle
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.bench.fill import fill
from tests.bench.tables import Column, Table
from tests.postgres import NoPostgres, running_server

FIRST = date(2026, 11, 18)
START = parse_iso("2026-11-19T00:00")
DAY_MS = 86_400_000
AT_ONCE = Simulation(duration=(0, 0), fail_rate=0.0)
GROUP = 32


class Dag(NamedTuple):
    """A layered DAG, and how many nights of it are run; the first one reads the definitions."""

    layers: int
    width: int
    nights: int


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured, and how long each floor is, in seconds."""

    dags: tuple[Dag, ...]
    floor_seconds: float


WHOLE = Size((Dag(10, 100, nights=5), Dag(100, 1000, nights=2)), floor_seconds=1.0)
QUICK = Size((Dag(10, 100, nights=3),), floor_seconds=0.3)


# --- the DAG ----------------------------------------------------------------------------------------------------------


EVERY_DAY = Schedule()
ONCE = Schedule(effective_to=FIRST + timedelta(days=1))
FAN = 3


def layered(layers: int, width: int, schedule: Schedule = EVERY_DAY, name: str = "t") -> Workspace:
    """`layers` x `width` tasks, each depending on `FAN` of the layer above; slots for all of them."""

    def task(layer: int, place: int) -> Task:
        upstreams = [f"bench.{name}{layer - 1}_{(place + other) % width}" for other in range(FAN if layer else 0)]
        depends_on = tuple(Dependency(task=upstream) for upstream in upstreams)
        own = f"{name}{layer}_{place}"
        return Task(f"bench.{own}", "bench", own, schedule=schedule, depends_on=depends_on, simulate=AT_ONCE)

    return Workspace(
        projects=(Project("bench"),),
        resource_groups=(ResourceGroup("default", 10 * width),),
        tasks=tuple(task(layer, place) for layer in range(layers) for place in range(width)),
    )


# --- the engine -------------------------------------------------------------------------------------------------------


class Rate(NamedTuple):
    """What a night came to, in a second."""

    tasks: float
    transitions: float


class Subject:
    """A store with an engine that has run before: statements are compiled, pages are cached.

    `synchronous` names the floor it stands beside; a server has none.
    """

    def __init__(self, name: str, store: Store, workspace: Workspace, synchronous: str = "") -> None:
        self.name = name
        self.synchronous = synchronous
        self.best = Rate(0.0, 0.0)
        self._store = store
        self._clock = VirtualClock(START)
        self._dates = (FIRST + timedelta(days=n) for n in count())
        lease = Lease(store, SystemClock())
        lease.acquire()
        self._engine = Engine(store, self._clock, SimulatedExecutor(1), lease=lease)
        self._load(layered(5, 20, ONCE, "warm"))
        self.night()
        self.best = Rate(0.0, 0.0)
        self._load(workspace)

    def night(self) -> None:
        """Run the next business date, from the first task to the last; the best so far is kept."""
        day = next(self._dates)
        made = sum(night.created for night in generate(self._store, self._clock, day, day))
        before = self._transitions()
        gc.collect()
        began = time.perf_counter()
        run_until_idle(self._engine, self._clock)
        took = time.perf_counter() - began
        self._clock.advance_to(self._clock.now() + DAY_MS)
        assert self._left() == 0, "every task of the night succeeds"
        self.best = max(self.best, Rate(made / took, (self._transitions() - before) / took))

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _load(self, workspace: Workspace) -> None:
        with self._store.write() as transaction:
            save_workspace(transaction, workspace, self._clock.now())

    def _transitions(self) -> int:
        return self._number("SELECT count(*) FROM transition")

    def _left(self) -> int:
        return self._number("SELECT count(*) FROM instance WHERE status <> 'SUCCEEDED'")

    def _number(self, query: str) -> int:
        with self._store.read() as connection:
            return int(connection.execute(text(query)).scalar_one())


# --- the floor --------------------------------------------------------------------------------------------------------

_ROWS = 20_000
_BARE = f"""
    PRAGMA journal_mode = WAL;
    CREATE TABLE instance (id INTEGER PRIMARY KEY, status TEXT, rev INTEGER);
    CREATE TABLE transition (
        id INTEGER PRIMARY KEY, instance_id INTEGER, at INTEGER, before TEXT, after TEXT, cause TEXT, actor TEXT,
        attempt INTEGER, rev INTEGER
    );
    WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < {_ROWS})
    INSERT INTO instance SELECT id, 'RUNNING', 0 FROM ids;
"""
_UPDATE = "UPDATE instance SET status = ?, rev = ? WHERE id = ? AND status = ?"
_INSERT = (
    "INSERT INTO transition (instance_id, at, before, after, cause, actor, attempt, rev)"
    " VALUES (?, ?, ?, ?, 'finished', '', 1, ?)"
)


def bare_tables(path: Path) -> None:
    """Tables that hold nothing but what a transition touches."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(_BARE)


def own_tables(path: Path) -> None:
    """The engine's own tables and indexes, with as many instances under way."""
    store = open_store(path)
    fill(store, _ROWS)
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE instance SET status = 'RUNNING'")


class Floor:
    """SQLite without anything around it, at one setting of `synchronous`, `group` transitions a commit."""

    def __init__(self, path: Path, prepare: Callable[[Path], None], synchronous: str, group: int) -> None:
        prepare(path)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")
        self._connection.execute("PRAGMA cache_size = -65536")
        self._group = group
        self._steps = self._back_and_forth()
        self.best = 0.0

    def measure(self, seconds: float) -> None:
        """Transitions a second, committed; the best so far is kept."""
        done, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            self._commit()
            done += self._group
        self.best = max(self.best, done / took)

    def _commit(self) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        for rev, id, before, after in islice(self._steps, self._group):
            execute(_UPDATE, (after, rev, id, before))
            execute(_INSERT, (id, START, before, after, rev))
        execute("COMMIT")

    def _back_and_forth(self) -> Iterator[tuple[int, int, str, str]]:
        revs = count(1)
        for before, after in cycle((("RUNNING", "SUCCEEDED"), ("SUCCEEDED", "RUNNING"))):
            for id in range(1, _ROWS + 1):
                yield next(revs), id, before, after


# --- one beside the other ---------------------------------------------------------------------------------------------

COLUMNS = (
    Column("DAG", 11, words=True),
    Column("store", 14, words=True),
    Column("tasks/s", 8, "{:,.0f}"),
    Column("steps/s", 8, "{:,.0f}"),
    Column("own one", 8, "{:,.0f}"),
    Column("tasks", 6, "{:.2f}"),
    Column("own 32", 8, "{:,.0f}"),
    Column("tasks", 6, "{:.2f}"),
    Column("bare one", 9, "{:,.0f}"),
    Column("steps", 6, "{:.2f}"),
    Column("bare 32", 9, "{:,.0f}"),
    Column("steps", 6, "{:.2f}"),
)
NOTE = f"""
own one   transitions a second of raw sqlite3 on the engine's own tables, each in a commit of its own
own 32    the same, {GROUP} to a commit; bare: on tables without an index that hold only what a transition touches
tasks     tasks a second over that floor. A task is three transitions, an attempt, and the release of what waits for it
steps     transitions a second over that floor: each a guarded update and a journal row, as the floor's are"""


def run(size: Size = WHOLE, out: TextIO | None = None) -> None:
    """Measure every DAG on every database, floors and nights by turns, and print a table."""
    table = Table(*COLUMNS, out=out)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dpconsole-bench-")))
        try:
            server = stack.enter_context(running_server())
        except NoPostgres as reason:
            server, missing = None, f"\nPostgreSQL is not measured: {reason}"
        for dag in size.dags:
            _measure(dag, size, directory / f"{dag.layers}x{dag.width}", server, table)
        print((missing if server is None else "") + NOTE, file=out)


def _measure(dag: Dag, size: Size, directory: Path, server: str | None, table: Table) -> None:
    directory.mkdir()
    floors = {
        (synchronous, tables, group): Floor(
            directory / f"floor-{synchronous}-{tables.__name__}-{group}.db", tables, synchronous, group
        )
        for synchronous in ("NORMAL", "FULL")
        for tables in (own_tables, bare_tables)
        for group in (1, GROUP)
    }
    subjects = list(_subjects(layered(dag.layers, dag.width), directory, server))
    for _ in range(dag.nights):
        for floor in floors.values():
            floor.measure(size.floor_seconds)
        for subject in subjects:
            subject.night()
    for subject in subjects:
        beside: list[float | None] = []
        for tables, rate in ((own_tables, subject.best.tasks), (bare_tables, subject.best.transitions)):
            for group in (1, GROUP):
                floor = floors.get((subject.synchronous, tables, group))
                beside += (None, None) if floor is None else (floor.best, rate / floor.best)
        table.line(f"{dag.layers} x {dag.width}", subject.name, *subject.best, *beside)
        subject.close()


def _subjects(workspace: Workspace, directory: Path, server: str | None) -> Iterator[Subject]:
    for synchronous in ("NORMAL", "FULL"):
        store = open_store(directory / f"{synchronous}.db", synchronous=synchronous)
        yield Subject(f"SQLite {synchronous}", store, workspace, synchronous)
    if server is not None:
        yield Subject("PostgreSQL", open_store(_create_database(server, f"bench_{directory.name}")), workspace)


def _create_database(server: str, name: str) -> str:
    url = make_url(server).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


if __name__ == "__main__":
    run()
