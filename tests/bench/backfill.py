"""Backfills: making a year of one, and running many data timestamps, beside what SQLite and a plain DAG take.

The floor of making is raw `sqlite3` writing the very same rows - instances, edges, journal - into the very same tables
with their indexes and triggers, in one transaction and with nothing computed.

A backfill that runs stands beside a recurring night of as many tasks that has its shape: all data timestamps side by
side are as many chains as there are groups, one after the other they are one long DAG. Tasks take no time, so all that
is measured is the engine. Subject and floor take turns in one run, and the best of each counts.
"""

from __future__ import annotations

import gc
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO

from sqlalchemy import text

from dpconsole.core.domain.backfill_form import BackfillForm, DateRange, Mode
from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.definitions import ResourceGroup, Workspace
from dpconsole.core.engine.backfilling import create, submit
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import generate
from dpconsole.core.engine.running import run_until_idle
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.bench.engine import FIRST as NIGHT
from tests.bench.engine import START, layered
from tests.bench.tables import Column, Table

FIRST = date(2025, 11, 20)
TABLES = ("instance", "instance_dependency", "transition")
MAKING_LIMIT = 4.0
RUNNING_LIMIT = 0.5


@dataclass(frozen=True, slots=True)
class Size:
    """How many data timestamps of how many tasks are made, and are run; and how often."""

    made: tuple[int, int] = (365, 50)
    run: tuple[int, int] = (100, 10)
    rounds: int = 3


WHOLE = Size()
QUICK = Size((100, 50), (30, 10), rounds=2)


# --- what is measured -------------------------------------------------------------------------------------------------


def fresh(directory: Path, name: str, workspace: Workspace) -> Store:
    """A new database with these definitions."""
    store = open_store(directory / f"{name}.db")
    with store.write() as transaction:
        save_workspace(transaction, workspace, START)
    return store


def form(workspace: Workspace, days: int) -> BackfillForm:
    """Everything that stands below the first layer, for as many data timestamps; one after the other."""
    first = tuple(task.id for task in workspace.tasks if not task.depends_on)
    dates = (DateRange(FIRST, FIRST + timedelta(days=days - 1)),)
    return BackfillForm(first, name="year", mode=Mode.MASSIVE, ranges=dates)


def make(store: Store, asked: BackfillForm) -> float:
    """Seconds from the form to the last instance, committed."""
    clock = VirtualClock(START)
    began = time.perf_counter()
    with store.write() as transaction:
        backfill = create(transaction, asked, "lin", START)
    submit(store, clock, backfill)
    return time.perf_counter() - began


def make_raw(path: Path, template: Path) -> float:
    """Seconds in which raw `sqlite3` writes what is in `template` into the same tables of `path`, which have none."""
    with closing(sqlite3.connect(template)) as source:
        rows = {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        for table, some in rows.items():
            connection.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(some[0]))})", some)
        connection.execute("COMMIT")
        return time.perf_counter() - began


def run_all(store: Store) -> float:
    """Tasks a second until the engine has nothing left to do; everything succeeds."""
    clock = VirtualClock(START)
    engine = Engine(store, clock, SimulatedExecutor(1))
    gc.collect()
    began = time.perf_counter()
    run_until_idle(engine, clock)
    took = time.perf_counter() - began
    with store.read() as connection:
        statuses = dict(connection.execute(text("SELECT status, count(*) FROM instance GROUP BY status")).all())
    assert set(statuses) == {"SUCCEEDED"}, statuses
    return statuses["SUCCEEDED"] / took


def slotted(layers: int, width: int) -> Workspace:
    """The layered DAG, with slots for whatever runs at once."""
    return replace(layered(layers, width), resource_groups=(ResourceGroup("default", 1_000_000),))


# --- one beside the other ---------------------------------------------------------------------------------------------

LAYERS = 5


def run(size: Size = WHOLE, out: TextIO | None = None) -> None:
    """Measure making and running, each beside its floor, and print two tables."""
    with tempfile.TemporaryDirectory(prefix="dpconsole-bench-") as folder:
        directory = Path(folder)
        make(fresh(directory, "warm", slotted(2, 5)), form(slotted(2, 5), 5))
        _making(size, directory, out)
        print(file=out)
        _running(size, directory, out)
    print(NOTE, file=out)


def _making(size: Size, directory: Path, out: TextIO | None) -> None:
    days, tasks = size.made
    workspace = slotted(LAYERS, tasks // LAYERS)
    ours, floor = [], []
    for number in range(size.rounds):
        store = fresh(directory, f"made-{number}", workspace)
        ours.append(make(store, form(workspace, days)))
        store.close()
        fresh(directory, f"raw-{number}", workspace).close()
        floor.append(make_raw(directory / f"raw-{number}.db", directory / f"made-{number}.db"))
    table = Table(
        Column("made", 12, words=True),
        Column("instances", 10, "{:,}"),
        Column("seconds", 9, "{:.2f}"),
        Column("raw", 7, "{:.2f}"),
        Column("times raw", 11, "{:.1f}"),
        Column("limit", 7, "{:.1f}"),
        out=out,
    )
    best, raw = min(ours), min(floor)
    table.line(f"{days} x {tasks}", days * tasks, best, raw, best / raw, MAKING_LIMIT)


def _running(size: Size, directory: Path, out: TextIO | None) -> None:
    days, tasks = size.run
    table = Table(
        Column("run", 12, words=True),
        Column("groups", 7),
        Column("tasks/s", 9, "{:,.0f}"),
        Column("night", 12),
        Column("tasks/s", 9, "{:,.0f}"),
        Column("of it", 7, "{:.2f}"),
        Column("limit", 7, "{:.1f}"),
        out=out,
    )
    shapes = ((days, (tasks, 1), (tasks, days)), (1, (1, tasks), (days, tasks)))
    for groups, of_a_day, of_a_night in shapes:
        ours, plain = [], []
        for number in range(2 * size.rounds):
            name = f"{groups}-{number}"
            ours.append(run_all(_backfill(directory, f"backfill-{name}", slotted(*of_a_day), days, groups)))
            plain.append(run_all(_night(directory, f"night-{name}", slotted(*of_a_night))))
        best, beside = max(ours), max(plain)
        shape = "{} x {}".format(*of_a_night)
        table.line(f"{days} x {tasks}", groups, best, shape, beside, best / beside, RUNNING_LIMIT)


def _backfill(directory: Path, name: str, workspace: Workspace, days: int, groups: int) -> Store:
    store = fresh(directory, name, workspace)
    make(store, replace(form(workspace, days), groups=groups))
    return store


def _night(directory: Path, name: str, workspace: Workspace) -> Store:
    store = fresh(directory, name, workspace)
    list(generate(store, VirtualClock(START), NIGHT, NIGHT))
    return store


NOTE = """
times raw  seconds over those of raw sqlite3 writing the same rows into the same tables; at most the limit
of it      tasks a second over those of a recurring night of that many layers x tasks; at least the limit"""
