"""Verbs on thousands of instances, through the real path: plan, chunks, journal, ledger, chain; beside raw SQL.

Each instance runs, depends on the two before it, and is stopped, rerun, set to success and rerun again: what a verb
leaves is what the next one takes. The floor is `sqlite3` writing the same rows into a copy of the same file, statement
by statement, as many to a commit as a chunk has: the guarded update, the journal, the attempt, the counters of what
waits below, the ledger's item and its outcome; no plan, no check, no chain.
"""

from __future__ import annotations

import gc
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TextIO

from sqlalchemy import insert, select, update

from dpconsole.core.domain.clock import SystemClock
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.applying import CHUNK
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.models import Attempt, Instance
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.bench.fill import fill
from tests.bench.tables import Column, Table

WHOLE = (1_000, 10_000)
QUICK = (1_000,)
ROUNDS = 3
"""The best of so many is taken: whatever else the machine does only takes away."""

STEPS: Sequence[tuple[str, Mapping[str, str]]] = (
    ("stop", {}),
    ("rerun", {"scope": "failed"}),
    ("set-success", {}),
    ("rerun", {}),
)
"""What is done one after the other, from Running: to Failed, Not Running, Succeeded, Not Running."""


# --- the real path ----------------------------------------------------------------------------------------------------


def make_night(path: Path, rows: int, tasks: int | None = None) -> Store:
    """A database whose scripts all run; of one data timestamp, or of as many as it takes with so many `tasks`."""
    store = open_store(path)
    listed = rows * 20 // 19 + 1  # every twentieth is a logical table
    fill(store, listed, tasks=tasks or listed, edges=True)
    with store.write() as transaction:
        running = {"status": Status.RUNNING, "paused": False, "attempt": 1, "pending": 2}
        transaction.execute(update(Instance).values(**running))
        scripts = select(Instance.id).where(Instance.listing == "computing")
        attempts = [_attempt(id) for id in transaction.execute(scripts).scalars()]
        transaction.execute(insert(Attempt), attempts)
    return store


def _attempt(id: int) -> dict[str, object]:
    lease = {"lease_until": 2**60, "deadline_at": 2**60, "why": "", "log": "", "stop_requested": False}
    return {"instance_id": id, "number": 1, "token": 1, "state": "running", "trigger": "schedule"} | {
        "dispatched_at": 0,
        "started_at": 0,
        **lease,
    }


def measure(store: Store, rows: int) -> list[tuple[float, float]]:
    """Seconds that planning and applying take, for each step."""
    keys = count()
    operations = Operations(store, SystemClock(), Actor("bench"), lambda _: (), lambda: f"bench-{next(keys)}")
    with store.read() as connection:
        scripts = select(Instance.id).where(Instance.listing == "computing").order_by(Instance.id).limit(rows)
        ids = list(connection.execute(scripts).scalars())
    took = []
    for verb, arguments in STEPS:
        gc.collect()
        began = time.perf_counter()
        plan = operations.plan(verb, Selection.of(ids), arguments)
        planned = time.perf_counter()
        record = operations.apply(plan)
        took.append((planned - began, time.perf_counter() - planned))
        assert record.acts == rows, f"{verb}: {record.acts} of {rows}"
    return took


# --- the floor --------------------------------------------------------------------------------------------------------

JOURNAL = (
    "INSERT INTO transition (instance_id, at, before, after, cause, actor, attempt, rev)"
    " VALUES (:id, 0, :before, :after, :cause, 'bench', 1, :rev)"
)
PLANNED = "INSERT INTO operation_item VALUES (:record, :id, 'name', :before, :before, 'planned', '')"
SETTLED = "UPDATE operation_item SET after = :after, outcome = 'ok' WHERE operation_id = :record AND target_id = :id"
FRESH = (
    "UPDATE instance SET status = :after, autonomous = 1, forced = 0, set_by_hand = 0, auto_reruns = 0,"
    " retry_at = NULL, started_at = NULL, ended_at = NULL, error = '', rev = :rev WHERE id = :id AND status = :before"
)
BELOW = (
    "UPDATE instance SET pending = pending {} 1"
    " WHERE id IN (SELECT downstream_id FROM instance_dependency WHERE upstream_id = :id)"
)
FLOORS: Sequence[tuple[str, str, str, tuple[str, ...]]] = (
    (
        "RUNNING",
        "FAILED",
        "stopped",
        (
            "UPDATE instance SET status = :after, paused = 0, paused_until = NULL, retry_at = NULL, ended_at = 1,"
            " error = 'stopped', rev = :rev WHERE id = :id AND status = :before",
            "UPDATE attempt SET state = 'stopped', ended_at = 1, why = 'stopped', stop_requested = 1"
            " WHERE instance_id = :id AND number = 1 AND ended_at IS NULL",
        ),
    ),
    ("FAILED", "NOT_RUNNING", "rerun", (FRESH,)),
    (
        "NOT_RUNNING",
        "SUCCEEDED",
        "set_success",
        (
            "UPDATE instance SET status = :after, paused = 0, paused_until = NULL, set_by_hand = 1, retry_at = NULL,"
            " error = '', rev = :rev WHERE id = :id AND status = :before",
            BELOW.format("-"),
        ),
    ),
    ("SUCCEEDED", "NOT_RUNNING", "rerun", (FRESH, BELOW.format("+"))),
)
"""From, to, cause, and what is written besides journal and ledger; in the order of `STEPS`."""


def measure_floor(path: Path, rows: int) -> list[float]:
    """Seconds that the same writes take, for each step."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536")
    found = connection.execute("SELECT id FROM instance WHERE listing = 'computing' ORDER BY id LIMIT ?", (rows,))
    ids = [id for (id,) in found]
    took = []
    for record, (before, after, cause, statements) in enumerate(FLOORS, 1):
        connection.execute(
            "INSERT INTO operation (id, key, verb, kind, actor, source, at, reason, command, arguments, state, acts,"
            " skipped, refused, previous_hash, hash, rev)"
            " VALUES (?, ?, '', 'instance', '', '', 0, '', '', '{}', '', 0, 0, 0, '', '', 0)",
            (record, str(record)),
        )
        common = {"before": before, "after": after, "cause": cause, "record": record}
        items = [{"id": id, "rev": 10 + record, **common} for id in ids]
        began = time.perf_counter()
        for start in range(0, rows, CHUNK):
            connection.execute("BEGIN IMMEDIATE")
            for statement in (PLANNED, *statements, JOURNAL, SETTLED):
                connection.executemany(statement, items[start : start + CHUNK])
            connection.execute("COMMIT")
        took.append(time.perf_counter() - began)
    connection.close()
    return took


# --- one beside the other ---------------------------------------------------------------------------------------------

COLUMNS = (
    Column("verb", 14, words=True),
    Column("rows", 8, "{:,}"),
    Column("plan ms", 10, "{:,.0f}"),
    Column("apply ms", 10, "{:,.0f}"),
    Column("us/row", 8, "{:,.0f}"),
    Column("floor ms", 10, "{:,.0f}"),
    Column("times", 7, "{:.1f}"),
    Column("growth", 8, "{:.1f}"),
)
NOTE = """
floor: the same rows written by raw sqlite3, as many to a commit; times: apply over that floor
growth: how many times longer than the line of the same verb above it, for ten times the rows"""


def run(sizes: Sequence[int] = WHOLE, out: TextIO | None = None) -> None:
    """Measure every verb at every size, and print a table."""
    table = Table(*COLUMNS, out=out)
    before: dict[int, float] = {}
    for rows in sizes:
        plans, applied, floors = _best(_rounds(rows))
        for step, (verb, _) in enumerate(STEPS):
            plan, took, floor = plans[step], applied[step], floors[step]
            growth = took / before[step] if step in before else None
            shown = (plan * 1e3, took * 1e3, took / rows * 1e6, floor * 1e3, took / floor, growth)
            table.line(verb, rows, *shown)
            before[step] = took
    print(NOTE, file=out)


def _rounds(rows: int) -> Iterator[tuple[list[float], list[float], list[float]]]:
    with tempfile.TemporaryDirectory(prefix="dpconsole-bench-") as directory:
        template = Path(directory) / "template.db"
        make_night(template, rows).close()
        for number in range(ROUNDS):
            floor = measure_floor(Path(shutil.copy(template, Path(directory) / f"floor{number}.db")), rows)
            store = open_store(shutil.copy(template, Path(directory) / f"real{number}.db"))
            took = measure(store, rows)
            store.close()
            yield [plan for plan, _ in took], [apply for _, apply in took], floor


def _best(rounds: Iterator[tuple[list[float], ...]]) -> list[list[float]]:
    least: Callable[..., list[float]] = lambda *some: list(map(min, *some))  # noqa: E731
    return [least(*column) for column in zip(*rounds, strict=True)]


if __name__ == "__main__":
    run()
