"""The checker is itself held to account: it passes a good night, and names every way in which one can be spoilt.

The good night is written by hand, row by row, so that it owes nothing to the engine: a retry, a rerun and a stop by
an operator, a logical table with alternatives, a dry run, a virtual task, a placeholder, a paused instance, a full
group. Each case then damages one thing with a line of SQL, and the checker must say which rule that breaks.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from dpconsole.core.store import models
from dpconsole.core.store.session import Store
from tests.checker import RUN, F, N, R, S, T, W, blocked, check, read, stuck

MINUTE = 60_000
DUE = 1_000_000_000
ENDED = {"finished": {S: "ok", F: "failed"}, "stopped": {F: "stopped"}, "timed_out": {F: "timeout"}}

LOAD, CLEAN, HELD, REPORT, BUSY, QUEUED, THROTTLED, DRY, ROOT, HOLIDAY = range(1, 11)
TABLE, FIRST_NODE, SECOND_NODE = 20, 21, 22
DONE, BEGUN, WAITING = 25, 26, 27
"""Instances of the three data timestamps of a backfill's one queue; each has the id of its instance less 24."""


class Night:
    """Writes a database as an engine should: rows, journal, attempts and edges of one revision in one transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.rev = self.entries = 0
        self.rows: dict[int, dict[str, Any]] = {}
        models.Base.metadata.create_all(store.writer)
        with store.writer.begin() as connection:
            connection.execute(insert(models.Counter).values(name="rev", value=0))
            connection.execute(insert(models.Project).values(name="p"))
            connection.execute(
                insert(models.ResourceGroup), [{"name": "default", "slots": 2}, {"name": "one", "slots": 1}]
            )
            connection.execute(insert(models.ThrottlingRule).values(name="slow", limit=1, tag="slow"))
            for number in range(1, 31):
                connection.execute(insert(models.Task).values(_task(number)))
                connection.execute(insert(models.Node).values(id=number, task_id=number, position=1, name="n", code=""))

    def backfill(self) -> None:
        """A backfill of three data timestamps, one after the other: done, begun, waiting."""
        form = {"form": {}, "project": "p", "submitter": "an", "submitted_at": DUE, "groups": 1, "name": "b"}
        with self.store.writer.begin() as connection:
            connection.execute(insert(models.Backfill).values(form | {"id": 1, "state": "submitted"}))
            for id, state in ((1, "done"), (2, "begun"), (3, "waiting")):
                turn = {"id": id, "backfill_id": 1, "queue": 1, "position": id, "state": state, "made": True}
                connection.execute(insert(models.BackfillDate).values(turn | {"business_date": f"2026-11-0{id}"}))

    def tally(self) -> None:
        """What the triggers would have counted."""
        with self.store.writer.begin() as connection:
            connection.execute(text(COUNT_LISTED))

    def generate(self, id: int, status: str = N, **columns: Any) -> None:
        """Make an instance, due at `DUE`."""
        values = _instance(id) | columns | {"status": status, "rev": self.rev + 1}
        self.rows[id] = values
        with self.store.writer.begin() as connection:
            connection.execute(insert(models.Instance).values(values))
        self.move(DUE - MINUTE, (id, None, status, "generated"))

    def need(self, downstream: int, requirement: int, *upstreams: int) -> None:
        """Make a requirement of one or several alternatives."""
        several = len(upstreams) > 1
        keys = {"downstream_id": downstream, "requirement": requirement, "alternative": several}
        with self.store.writer.begin() as connection:
            for upstream in upstreams:
                connection.execute(insert(models.InstanceDependency).values(keys | {"upstream_id": upstream}))

    def move(self, at: int, *moves: tuple[int, str | None, str, str], actor: str = "") -> None:
        """Let instances make steps (id, from, to, cause), in one commit."""
        self.rev += 1
        with self.store.writer.begin() as connection:
            connection.execute(update(models.Counter).values(value=self.rev))
            for number, (id, before, after, cause) in enumerate(moves):
                row = self.rows[id]
                at_once = (id, RUN, S, "finished") in moves[number + 1 :]
                if after == RUN and not at_once and row["unit"] != "logical_table":
                    row["attempt"] += 1
                    connection.execute(insert(models.Attempt).values(_attempt(row, self.rev, at)))
                if before == RUN and cause in ENDED and row["attempt"]:
                    self._end(connection, row, ENDED[cause][after], at)
                self.entries += 1
                entry = {"id": self.entries, "instance_id": id, "at": at, "before": before, "after": after}
                rest = {"cause": cause, "actor": actor, "attempt": row["attempt"], "rev": self.rev}
                connection.execute(insert(models.Transition).values(entry | rest))
                row |= {"status": after, "rev": self.rev}
                connection.execute(update(models.Instance).where(models.Instance.id == id).values(row))

    def act(self, verb: str, actor: str, *ids: int, at: int = DUE) -> None:
        """Enter what an operator did to some instances, with the revision of the last move."""
        with self.store.writer.begin() as connection:
            keys = {"key": f"{verb}-{self.rev}", "verb": verb, "actor": actor, "at": at, "finished_at": at}
            record = insert(models.Operation).values(keys | {"arguments": {}, "state": "done", "rev": self.rev})
            operation = connection.execute(record).inserted_primary_key[0]
            for id in ids:
                item = {"operation_id": operation, "target_id": id, "name": "x", "before": "", "after": ""}
                connection.execute(insert(models.OperationItem).values(item | {"outcome": "ok"}))

    def set(self, id: int, **columns: Any) -> None:
        """Change columns that leave no trace in the journal."""
        self.rows[id] |= columns
        with self.store.writer.begin() as connection:
            connection.execute(update(models.Instance).where(models.Instance.id == id).values(columns))

    @staticmethod
    def _end(connection: Any, row: dict[str, Any], state: str, at: int) -> None:
        last = (models.Attempt.instance_id == row["id"]) & (models.Attempt.number == row["attempt"])
        connection.execute(update(models.Attempt).where(last).values(state=state, ended_at=at))


COUNT_LISTED = """
    INSERT INTO backfill_tally SELECT backfill_id, backfill_date_id, status, paused, count(*) FROM instance
    WHERE backfill_id IS NOT NULL GROUP BY 1, 2, 3, 4"""


def _task(number: int) -> dict[str, Any]:
    texts = ("owner", "operation_owner", "description", "folder", "output_table", "template")
    fixed = {"project": "p", "type": "shell", "unit": "script", "method": "normal", "cycle": "day", "priority": 5}
    empty = {"schedule": {}, "tags": [], "run": {}, "simulate": {}, "parameters": [], "created_at": 0, "modified_at": 0}
    return {"id": number, "key": f"p.{number}", "name": str(number)} | dict.fromkeys(texts, "") | fixed | empty


def _instance(id: int) -> dict[str, Any]:
    return {
        "id": id, "task_id": id, "node_id": None, "parent_id": None, "origin": "recurring", "unit": "script",
        "listing": "computing", "environment": "prod", "name": f"t{id}", "task_key": f"p.{id}", "project": "p",
        "owner": "an", "type": "shell", "tags": "[]", "resource_group": "default", "business_date": "2026-11-19",
        "zone": "UTC", "cycle": "day", "ordinal": 1, "due_at": DUE, "priority": 5, "effective_priority": 5,
        "pending": 0, "attempt": 0, "reruns": 1, "rerun_interval_ms": MINUTE,
    }  # fmt: skip


def _attempt(row: dict[str, Any], rev: int, at: int) -> dict[str, Any]:
    keys = {"instance_id": row["id"], "number": row["attempt"], "token": rev, "state": "running"}
    return keys | {
        "trigger": "schedule",
        "dispatched_at": at,
        "lease_until": at + 9 * MINUTE,
        "deadline_at": at + 60 * MINUTE,
    }


@pytest.fixture(scope="module")
def good_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the good night, to be copied."""
    path = tmp_path_factory.mktemp("checker") / "night.db"
    opened = Store(path, synchronous="OFF")
    tell(Night(opened))
    opened.close()
    return path


@pytest.fixture
def store(tmp_path: Path, good_night: Path) -> Iterator[Store]:
    opened = Store(shutil.copy(good_night, tmp_path / "night.db"), synchronous="OFF")
    yield opened
    opened.close()


def tell(night: Night) -> None:
    """The good night."""
    night.generate(LOAD)
    night.generate(CLEAN, pending=0)
    night.need(CLEAN, 1, LOAD)
    night.generate(HELD, paused=True)
    night.need(HELD, 1, LOAD)
    night.generate(TABLE, unit="logical_table", type="logical_table")
    for node in (FIRST_NODE, SECOND_NODE):
        night.generate(node, task_id=TABLE, node_id=node, parent_id=TABLE, unit="node", type="logical_table")
    night.generate(REPORT)
    night.need(REPORT, 1, FIRST_NODE, SECOND_NODE)
    night.generate(BUSY, resource_group="one")
    night.generate(QUEUED, resource_group="one", tags='["slow"]')
    night.generate(THROTTLED, tags='["slow"]')
    night.generate(DRY, dry_run=True)
    night.generate(ROOT, type="virtual")
    night.generate(HOLIDAY, S, dry_run=True)
    night.backfill()
    for id in (DONE, BEGUN, WAITING):
        day, begun = id - 24, id != WAITING
        night.generate(
            id, task_id=1, origin="backfill", backfill_id=1, backfill_date_id=day, business_date=f"2026-11-0{day}"
        )
        night.set(id, autonomous=begun)

    # A load that fails, is retried, succeeds; then somebody reruns what stands below it.
    night.move(DUE, (LOAD, N, W, "released"), (LOAD, W, RUN, "due"))
    night.move(DUE + MINUTE, (LOAD, RUN, F, "finished"))
    night.move(DUE + 2 * MINUTE, (LOAD, F, N, "retried"), (LOAD, N, W, "released"), (LOAD, W, RUN, "due"))
    night.set(LOAD, auto_reruns=1)
    night.move(DUE + 3 * MINUTE, (LOAD, RUN, S, "finished"), (CLEAN, N, W, "released"), (CLEAN, W, RUN, "due"))
    night.move(DUE + 4 * MINUTE, (CLEAN, RUN, S, "finished"))
    night.move(DUE + 5 * MINUTE, (CLEAN, S, N, "rerun"), actor="an")
    night.act("rerun", "an", CLEAN)
    night.move(DUE + 6 * MINUTE, (CLEAN, N, W, "released"), (CLEAN, W, RUN, "due"))
    night.move(DUE + 7 * MINUTE, (CLEAN, RUN, F, "stopped"), actor="bo")
    night.act("stop", "bo", CLEAN)

    # A table: one node is enough for what needs either, and the table follows its nodes.
    night.move(DUE, (FIRST_NODE, N, W, "released"), (FIRST_NODE, W, RUN, "due"), (TABLE, N, RUN, "derived"))
    night.move(
        DUE + MINUTE,
        (FIRST_NODE, RUN, S, "finished"),
        (REPORT, N, W, "released"),
        (REPORT, W, RUN, "due"),
        (TABLE, RUN, N, "derived"),
    )
    night.move(DUE + 2 * MINUTE, (REPORT, RUN, S, "finished"))

    # A full group, a full rule, and what needs neither.
    night.move(DUE, (BUSY, N, W, "released"), (BUSY, W, RUN, "due"))
    night.move(DUE, (QUEUED, N, W, "released"), (QUEUED, W, R, "no_resource"))
    night.move(DUE, (THROTTLED, N, W, "released"), (THROTTLED, W, T, "throttled"))
    night.move(DUE, (DRY, N, W, "released"), (DRY, W, RUN, "due"), (DRY, RUN, S, "finished"))
    night.move(DUE, (ROOT, N, W, "released"), (ROOT, W, RUN, "due"), (ROOT, RUN, S, "finished"))

    # A backfill: the second data timestamp begins when the first has succeeded, and is then a failure.
    night.move(DUE, (DONE, N, W, "released"), (DONE, W, RUN, "due"))
    night.move(DUE + MINUTE, (DONE, RUN, S, "finished"), (BEGUN, N, W, "released"), (BEGUN, W, RUN, "due"))
    night.move(DUE + 2 * MINUTE, (BEGUN, RUN, F, "stopped"), actor="bo")
    night.act("stop", "bo", BEGUN)
    night.tally()


def test_a_good_night_breaks_no_rule(store: Store) -> None:
    assert check(store) == []


ENTRY = "UPDATE transition SET {} WHERE instance_id = {} AND cause = '{}'"
ROW = "UPDATE instance SET {} WHERE id = {}"
ATTEMPT = "UPDATE attempt SET {} WHERE instance_id = {} AND number = {}"
ADD = (
    'INSERT INTO transition (id, instance_id, at, "before", "after", cause, actor, attempt, rev) '
    "VALUES (900, {}, {}, '{}', '{}', '{}', '{}', {}, 900)"
)
COUNT = "UPDATE counter SET value = 900"

DAMAGE: list[tuple[str, str, str]] = [
    ("I1", "an arrow that does not exist", ENTRY.format("\"after\" = 'RUNNING'", HELD, "generated")),
    ("I1", "a cause that allows another arrow", ENTRY.format("cause = 'admitted'", BUSY, "due")),
    ("I1", "a cause nobody knows", ENTRY.format("cause = 'whim'", BUSY, "due")),
    ("I1", "a table that moves by itself", ENTRY.format("cause = 'released'", TABLE, "derived")),
    ("I1", "a script that follows nodes", ENTRY.format("cause = 'derived'", BUSY, "released")),
    ("I1", "a journal of nobody", ENTRY.format("instance_id = 999", HELD, "generated")),
    ("I1", "a script stopped before it started", ADD.format(HELD, DUE, N, F, "stopped", "an", 0)),
    ("I2", "a row that knows better", ROW.format(f"status = '{S}'", HELD)),
    ("I2", "a row the journal never heard of", f"DELETE FROM transition WHERE instance_id = {HOLIDAY}"),
    ("I2", "a link of the chain gone", f"DELETE FROM transition WHERE instance_id = {BUSY} AND cause = 'released'"),
    ("I2", "a generation gone", f"DELETE FROM transition WHERE instance_id = {BUSY} AND cause = 'generated'"),
    ("I2", "a row without the revision of its change", ROW.format("rev = 1", BUSY)),
    ("I2", "an entry of a revision nobody took", "UPDATE counter SET value = 3"),
    ("I2", "entries out of the order of their commits", ENTRY.format("rev = 1", BUSY, "due")),
    ("I3", "an attempt too few", f"DELETE FROM attempt WHERE instance_id = {LOAD} AND number = 2"),
    ("I3", "an attempt left out", ATTEMPT.format("number = 5", LOAD, 2)),
    ("I3", "a row that forgot an attempt", ROW.format("attempt = 1", LOAD)),
    ("I3", "two live attempts", ATTEMPT.format("ended_at = NULL, stop_requested = 1", LOAD, 1)),
    ("I3", "an attempt with a foreign token", ATTEMPT.format("token = 1", LOAD, 2)),
    ("I3", "an attempt without a start", f"DELETE FROM transition WHERE instance_id = {BUSY} AND cause = 'due'"),
    ("I3", "an entry that names another attempt", ENTRY.format("attempt = 7", BUSY, "due")),
    ("I4", "a run whose attempt is over", ATTEMPT.format(f"ended_at = {DUE}", BUSY, 1)),
    ("I4", "a run without a lease", ATTEMPT.format("lease_until = 0", BUSY, 1)),
    ("I4", "a live attempt of what succeeded", ATTEMPT.format("ended_at = NULL", LOAD, 2)),
    ("I4", "an attempt that ended otherwise", ATTEMPT.format("state = 'failed'", LOAD, 2)),
    ("I4", "a stop that ended nothing", ATTEMPT.format("stop_requested = 1", LOAD, 2)),
    ("I4", "a real task that ran nothing", ROW.format("dry_run = 0", DRY)),
    ("I4", "a time-out before the deadline", ENTRY.format("cause = 'timed_out'", LOAD, "finished")),
    ("I5", "a start before its upstream", f"INSERT INTO instance_dependency VALUES ({BUSY}, 1, {HELD}, 0)"),
    ("I5", "a start before its time", ROW.format(f"due_at = {DUE + 9 * MINUTE}", BUSY)),
    ("I5", "a start when no alternative had succeeded",
     f"DELETE FROM instance_dependency WHERE downstream_id = {REPORT} AND upstream_id = {FIRST_NODE}"),
    ("I6", "more runs than slots", "UPDATE resource_group SET slots = 0 WHERE name = 'one'"),
    ("I6", "more dispatched than a rule allows", "UPDATE throttling_rule SET \"limit\" = 0"),
    ("I6", "more dispatched than a project may",
     "INSERT INTO throttling_rule (name, \"limit\", project, enabled) VALUES ('p', 1, 'p', 1)"),
    ("I7", "a paused instance that runs", ROW.format("paused = 1", BUSY)),
    ("I7", "a paused instance that ran before", ROW.format(f"paused = 1, status = '{N}'", CLEAN)),
    ("I7", "a start after a pause in the ledger",
     "UPDATE operation SET verb = 'pause', rev = 2 WHERE verb = 'rerun'; UPDATE operation SET at = 2000000000"),
    ("I7", "a table that hides the pause of its node", ROW.format("paused = 1", SECOND_NODE)),
    ("I7", "a table that is paused by nothing", ROW.format("paused = 1", TABLE)),
    ("I8", "an occurrence made twice", ROW.format(f"task_id = {LOAD}", CLEAN)),
    ("I8", "an edge to a folder", f"INSERT INTO instance_dependency VALUES ({HELD}, 7, {TABLE}, 0)"),
    ("I8", "an edge to nothing", f"INSERT INTO instance_dependency VALUES ({HELD}, 7, 999, 0)"),
    ("I8", "an edge to itself", f"INSERT INTO instance_dependency VALUES ({HELD}, 7, {HELD}, 0)"),
    ("pending", "a requirement miscounted", ROW.format("pending = 1", HELD)),
    ("pending", "a folder that waits", ROW.format("pending = 1", TABLE)),
    ("derived", "a table that did not follow",
     f"DELETE FROM transition WHERE instance_id = {TABLE} AND \"before\" = '{RUN}'"),
    ("derived", "a table with another's status",
     f"UPDATE transition SET \"after\" = '{F}' WHERE instance_id = {TABLE} AND \"before\" = '{RUN}'"),
    ("A11", "a retry too many", ROW.format("reruns = 0", LOAD)),
    ("A11", "a retry too soon", ROW.format(f"rerun_interval_ms = {5 * MINUTE}", LOAD)),
    ("A11", "a retry after a stop", ENTRY.format("cause = 'retried'", CLEAN, "rerun")),
    ("A11", "a retry miscounted", ROW.format("auto_reruns = 0", LOAD)),
    ("A11", "a retry after a person's stop in store", ROW.format(f"retry_at = {DUE}", CLEAN)),
    ("A11", "a failure with retries left and none in store",
     f"DELETE FROM transition WHERE instance_id = {LOAD} AND at > {DUE + MINUTE}"),
    ("I9", "an act by nobody", ENTRY.format("actor = ''", CLEAN, "rerun")),
    ("I9", "an act that is not in the ledger", "DELETE FROM operation_item"),
    ("I9", "an act that was refused", "UPDATE operation_item SET outcome = 'refused'"),
    ("I9", "an act of another person", "UPDATE operation SET actor = 'eve'"),
    ("I9", "an act without effect", f"INSERT INTO operation_item SELECT 1, {HELD}, '', '{F}', '{N}', 'ok', ''"),
    ("queue", "a data timestamp that began before its turn",
     "UPDATE backfill_date SET position = 4 - position; UPDATE backfill_date SET state = 'done'"),
    ("queue", "a data timestamp done that never succeeded", "UPDATE backfill_date SET state = 'done' WHERE id = 2"),
    ("queue", "a start behind a failure", ADD.format(WAITING, DUE + 3 * MINUTE, W, RUN, "due", "", 0)),
    ("queue", "a gate left open", ROW.format("autonomous = 1", WAITING)),
    ("queue", "a gate left shut", ROW.format("autonomous = 0", BEGUN)),
    ("queue", "a backfill that waits for a night", f"INSERT INTO instance_dependency VALUES ({WAITING}, 1, {HELD}, 0)"),
    ("queue", "a night that waits for a backfill", f"INSERT INTO instance_dependency VALUES ({HELD}, 7, {WAITING}, 0)"),
    ("tally", "an instance that is not counted", "UPDATE backfill_tally SET number = number + 1"),
    ("tally", "a pause that is not counted", ROW.format("paused = 1", WAITING)),
    ("I9", "an engine with a name", ENTRY.format("actor = 'an'", BUSY, "due")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "sql"), [(rule, sql) for rule, _, sql in DAMAGE], ids=[words for _, words, _ in DAMAGE]
)
def test_it_names_what_is_wrong(store: Store, rule: str, sql: str) -> None:
    damage(store, sql)
    assert rule in {violation.rule for violation in check(store)}


def damage(store: Store, sql: str) -> None:
    """Change the database behind every constraint's back."""
    with store.writer.connect() as connection:
        raw = connection.connection.driver_connection
        raw.executescript(f"PRAGMA foreign_keys=OFF; DROP INDEX uq_instance_business_key; {sql}")


def test_a_forced_start_may_come_before_its_upstream_and_its_time(store: Store) -> None:
    night_goes_on = (
        f"INSERT INTO instance_dependency VALUES ({BUSY}, 1, {HELD}, 0);"
        + ROW.format(f"due_at = {DUE + 9 * MINUTE}, pending = 1", BUSY)
        + ";"
        + ENTRY.format("cause = 'forced', actor = 'an', \"after\" = 'THROTTLED'", BUSY, "released")
        + ";"
        + ENTRY.format("cause = 'admitted', \"before\" = 'THROTTLED'", BUSY, "due")
        + f"; INSERT INTO operation_item SELECT 1, {BUSY}, '', '', '', 'ok', ''"
    )
    damage(store, night_goes_on)
    assert check(store) == []


def test_every_row_that_waits_has_a_reason(store: Store) -> None:
    waiting = {row.id: reason for row, reason in blocked(read(store), DUE + 2 * MINUTE).items()}
    assert waiting == {
        HELD: "paused",
        SECOND_NODE: None,
        BUSY: "running",
        QUEUED: "group one is full",
        THROTTLED: "rule slow is full",
        WAITING: "not started by itself (prod)",
    }
    assert [violation.instance for violation in stuck(store, DUE + 2 * MINUTE)] == [SECOND_NODE]


def test_it_names_a_queue_that_nobody_moves_on(store: Store) -> None:
    damage(store, "UPDATE backfill_date SET state = 'done'  WHERE id = 2")
    assert "data timestamp 3 waits behind nothing" in {violation.words for violation in stuck(store, DUE + 2 * MINUTE)}


@pytest.mark.parametrize(
    ("words", "sql", "found"),
    [
        ("released by nobody", "", SECOND_NODE),
        ("running past its lease", ATTEMPT.format("lease_until = 1", BUSY, 1), BUSY),
        ("a slot free, and nobody takes it", "UPDATE resource_group SET slots = 5", QUEUED),
        ("a rule with room, and nobody passes", "UPDATE throttling_rule SET \"limit\" = 5", THROTTLED),
        ("due, and nobody looks", ROW.format(f"status = '{W}'", THROTTLED), THROTTLED),
        ("a retry that nobody makes", ROW.format("retry_at = 5", CLEAN), CLEAN),
        ("two that wait for each other",
         f"INSERT INTO instance_dependency VALUES ({THROTTLED}, 1, {SECOND_NODE}, 0);"
         f"INSERT INTO instance_dependency VALUES ({SECOND_NODE}, 1, {THROTTLED}, 0);"
         + ROW.format(f"status = '{N}'", THROTTLED), THROTTLED),
    ],
)  # fmt: skip
def test_it_names_what_nobody_moves(store: Store, words: str, sql: str, found: int) -> None:
    damage(store, sql)
    assert found in {violation.instance for violation in stuck(store, DUE + 2 * MINUTE)}


def test_whoever_waits_for_a_failure_is_blocked_and_not_stuck(store: Store) -> None:
    damage(store, f"INSERT INTO instance_dependency VALUES ({SECOND_NODE}, 1, {CLEAN}, 0)")
    assert stuck(store, DUE + 2 * MINUTE) == []


def test_it_reads_one_snapshot(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    read_once = Store.read
    monkeypatch.setattr(Store, "read", lambda self: reads.append(self) or read_once(self))
    check(store)
    assert len(reads) == 1
