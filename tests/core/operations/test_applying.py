"""Applying: in chunks, once, on rows as they were seen, and always in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Update, update

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.definitions import Role
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations import applying
from dpconsole.core.operations.records import Outcome, Record, State
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.chain import first_broken
from dpconsole.core.store.errors import StoreReadOnly
from dpconsole.core.store.models import Operation, OperationItem
from dpconsole.core.store.processes import Process
from dpconsole.core.store.session import Store
from tests.core.operations.night import NOW, Night, operations_of

S, F, N = Status.SUCCEEDED, Status.FAILED, Status.NOT_RUNNING


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "CHUNK", 2)


def outcomes(record: Record) -> dict[int, tuple[Outcome, str]]:
    return {item.id: (item.outcome, item.reason) for item in record.items}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"status": Status.RUNNING}, "changed since the preview: now Running"),
        ({"paused": True}, "changed since the preview: now Failed, paused"),
        ({"attempt": 7}, "changed since the preview: now Failed"),
        ({}, "changed since the preview: now Failed"),
    ],
)
def test_a_row_that_moved_since_the_preview_is_reported_and_left(
    night: Night, operations: Operations, columns: dict[str, object], words: str
) -> None:
    moved, still = night.instance("a"), night.instance("b")
    plan = operations.plan("rerun", Selection.of([moved, still]))
    night.set(moved, **columns)
    before = night.row(moved)

    record = operations.apply(plan)

    assert record.state is State.PARTLY_DONE
    assert outcomes(record) == {moved: (Outcome.SKIPPED, words), still: (Outcome.OK, "")}
    assert night.row(moved) == before
    assert night.row(still).status == N


def test_a_table_one_of_whose_nodes_moved_is_left_whole(night: Night, operations: Operations) -> None:
    table, nodes = night.table("dim", [F, S])
    plan = operations.plan("rerun", Selection.of([table]))
    night.set(nodes[1], status=Status.RUNNING)
    record = operations.apply(plan)
    assert record.state is State.FAILED
    assert night.row(nodes[0]).status == F


def test_permission_is_asked_again_at_commit(night: Night, operations: Operations) -> None:
    id = night.instance("a", project="trade")
    plan = operations.plan("rerun", Selection.of([id]))
    night.members("trade", mei=Role.OPERATOR)
    record = operations.apply(plan)
    assert outcomes(record) == {id: (Outcome.SKIPPED, "no permission")}
    assert night.row(id).status == F


def test_the_same_plan_acts_once(night: Night, operations: Operations) -> None:
    id = night.instance("a")
    plan = operations.plan("rerun", Selection.of([id]))
    first, steps = operations.apply(plan), night.steps()
    night.set(id, status=F)
    assert operations.apply(plan) == first
    assert (night.row(id).status, night.steps()) == (F, steps)


@pytest.mark.usefixtures("small_chunks")
def test_a_batch_that_died_between_chunks_goes_on_where_it_stopped(night: Night, operations: Operations) -> None:
    ids = [night.instance(str(number)) for number in range(5)]
    plan = operations.plan("rerun", Selection.of(ids))

    class Died(Exception):
        pass

    def die(done: int, _total: int) -> None:
        if done == 2:
            raise Died

    with pytest.raises(Died):
        operations.apply(plan, progress=die)
    unfinished = operations.record(plan.key)
    assert unfinished is not None and unfinished.state is State.APPLYING
    assert [night.row(id).status for id in ids] == [N, N, F, F, F]

    steps = night.steps()
    record = operations.apply(plan)
    assert (record.state, record.acts) == (State.DONE, 5)
    assert night.steps() == steps + 3


@pytest.mark.usefixtures("small_chunks")
def test_a_record_whose_process_is_gone_says_how_far_it_came(
    night: Night, operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [night.instance(str(number)) for number in range(5)]
    plan = operations.plan("rerun", Selection.of(ids))
    gone = replace(Process.current(), started="0")
    with monkeypatch.context() as patch:
        patch.setattr(Process, "current", lambda: gone)
        with pytest.raises(KeyboardInterrupt):
            operations.apply(plan, progress=interrupt)

    assert operations.close_abandoned() == 1
    record = operations.record(plan.key)
    assert record is not None
    assert (record.state, record.acts) == (State.PARTLY_DONE, 2)
    missed = [item for item in record.items if item.outcome is Outcome.FAILED]
    assert {item.reason for item in missed} == {"not reached: whoever applied this is gone"}
    with night.store.read() as connection:
        assert first_broken(connection) is None

    retried = operations.apply(operations.plan("rerun", Selection.of([item.id for item in missed])))
    assert (retried.state, retried.acts) == (State.DONE, 3)
    assert [night.row(id).status for id in ids] == [N] * 5


def interrupt(_done: int, _total: int) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(("age", "closed"), [(3_599_999, 0), (3_600_001, 1)])
def test_the_process_of_another_host_is_given_an_hour(
    night: Night, operations: Operations, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, age: int, closed: int
) -> None:
    plan = operations.plan("rerun", Selection.of([night.instance(str(number)) for number in range(5)]))
    elsewhere = replace(Process.current(), boot_id="another")
    monkeypatch.setattr(Process, "current", lambda: elsewhere)
    with pytest.raises(KeyboardInterrupt):
        operations.apply(plan, progress=interrupt)
    clock.advance_to(NOW + age)
    assert operations.close_abandoned() == closed


@pytest.mark.usefixtures("small_chunks")
def test_a_batch_reports_progress_and_can_be_cancelled_between_chunks(night: Night, operations: Operations) -> None:
    ids = [night.instance(str(number)) for number in range(5)]
    seen: list[tuple[int, int]] = []
    record = operations.apply(
        operations.plan("rerun", Selection.of(ids)),
        progress=lambda done, total: seen.append((done, total)),
        is_cancelled=lambda: bool(seen),
    )
    assert seen[0] == (2, 5)
    assert (record.state, record.acts, record.skipped) == (State.PARTLY_DONE, 2, 3)
    assert [night.row(id).status for id in ids] == [N, N, F, F, F]


def test_a_batch_cancelled_at_once_changes_nothing(night: Night, operations: Operations) -> None:
    id = night.instance("a")
    record = operations.apply(operations.plan("rerun", Selection.of([id])), is_cancelled=lambda: True)
    assert (record.state, outcomes(record)) == (State.CANCELLED, {id: (Outcome.SKIPPED, "cancelled")})


@pytest.mark.usefixtures("small_chunks")
def test_chunks_do_not_race_their_own_chain(night: Night, operations: Operations) -> None:
    ids = [night.instance(str(number), S) for number in range(7)]
    night.chain(*ids)
    record = operations.apply(operations.plan("rerun", Selection.of(reversed(ids))))
    assert record.state is State.DONE
    assert [night.row(id).pending for id in ids] == [0, 1, 1, 1, 1, 1, 1]


def test_the_record_says_who_what_when_and_why(night: Night, operations: Operations, clock: VirtualClock) -> None:
    id = night.instance("a")
    record = operations.apply(operations.plan("rerun", Selection.of([id]), {"scope": "failed"}), "disk was full")
    assert (record.verb, record.actor, record.source, record.reason) == ("rerun", "lin", "cli", "disk was full")
    assert (record.at, record.finished_at, record.arguments) == (NOW, NOW, {"scope": "failed"})
    assert record.command.startswith("dpconsole rerun --scope=failed t_")


def test_a_refusal_is_entered_too(night: Night, operations: Operations) -> None:
    id = night.instance("a", Status.RUNNING)
    record = operations.apply(operations.plan("rerun", Selection.of([id])))
    assert (record.state, record.acts, record.refused) == (State.REFUSED, 0, 1)


def test_a_plan_refused_as_a_whole_changes_nothing(night: Night, operations: Operations) -> None:
    id = night.instance("a")
    rows = night.rows()
    record = operations.refuse(operations.plan("rerun", Selection.of([id])), "expected 2 rows, found 1")
    assert (record.state, outcomes(record)) == (
        State.REFUSED,
        {id: (Outcome.REFUSED, "expected 2 rows, found 1")},
    )
    assert night.rows() == rows


def test_a_read_only_session_writes_nothing_at_all(night: Night, clock: VirtualClock) -> None:
    id = night.instance("a")
    store = Store(str(night.store.path), readonly=True)
    looking = operations_of(Night(store), clock, "lin")
    with pytest.raises(StoreReadOnly):
        looking.apply(looking.plan("rerun", Selection.of([id])))
    store.close()


# --- the chain --------------------------------------------------------------------------------------------------------


@pytest.fixture
def chain(night: Night, operations: Operations) -> list[Record]:
    return [operations.apply(operations.plan("rerun", Selection.of([night.instance(name)]))) for name in "abc"]


def test_every_record_follows_from_the_one_before(night: Night, chain: list[Record]) -> None:
    with night.store.read() as connection:
        assert first_broken(connection) is None


@pytest.mark.parametrize(
    "forgery",
    [
        lambda id: update(Operation).where(Operation.id == id).values(actor="mei"),
        lambda id: update(Operation).where(Operation.id == id).values(hash="0" * 64),
        lambda id: update(OperationItem).where(OperationItem.operation_id == id).values(outcome="skipped"),
    ],
)
def test_a_forged_record_breaks_the_chain(night: Night, chain: list[Record], forgery: Callable[[int], Update]) -> None:
    with night.store.write() as transaction:
        guards = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for trigger in transaction.connection.exec_driver_sql(guards).scalars().all():
            transaction.connection.exec_driver_sql(f"DROP TRIGGER {trigger}")  # whoever owns the file can
        transaction.execute(forgery(chain[1].id))
    with night.store.read() as connection:
        assert first_broken(connection) == chain[1].id


def test_both_databases_keep_the_same_ledger(store: Store, clock: VirtualClock) -> None:
    night = Night(store)
    operations = operations_of(night, clock, "lin")
    table, nodes = night.table("dim", [F, S])
    script = night.instance("ads", Status.WAITING_RESOURCE, pending=0)
    night.edge(nodes[1], script)
    record = operations.apply(operations.plan("rerun", Selection.of([script, table])), "why not")
    assert (record.state, record.acts, record.refused) == (State.PARTLY_DONE, 1, 1)
    assert [night.row(id).status for id in (table, *nodes, script)] == [N, N, N, N]
    with store.read() as connection:
        assert first_broken(connection) is None
