"""Set to success, priority, upstreams, notes (O5, O9, O10)."""

from __future__ import annotations

from datetime import time

import pytest
from sqlalchemy import select

from dpconsole.core.domain.definitions import Baseline, Priority, Role
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.records import Outcome, State
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.models import Dependency, Task
from dpconsole.core.store.session import Store
from tests.checker import check
from tests.core.operations.night import NOW, Night
from tests.nights import Night as RunningNight
from tests.nights import fails, node, on, on_root, table, task

N, W, T, R, RUN, S, F = Status


# --- set to success ---------------------------------------------------------------------------------------------------


def test_what_only_it_blocked_goes_on(store: Store) -> None:
    night = RunningNight(store, task("ods", simulate=fails()), task("dws", "ods"), task("ads", "dws"))
    night.generate()
    night.run()
    assert night.statuses() == {"ods": F, "dws": N, "ads": N}
    night.act("set-success", "ods")
    row = night.row("ods")
    assert (row.status, row.set_by_hand, row.error) == (S, True, "")
    night.run()
    assert night.statuses() == {"ods": S, "dws": S, "ads": S}
    assert check(store) == []


def test_a_pause_and_a_retry_end_with_it(night: Night, operations: Operations) -> None:
    paused = night.instance("held", N, paused=True, paused_until=NOW + 1)
    retrying = night.instance("retrying", F, retry_at=NOW + 1)
    assert operations.apply(operations.plan("set-success", Selection.of([paused, retrying]))).state is State.DONE
    assert (night.row(paused).paused, night.row(paused).paused_until) == (False, None)
    assert night.row(retrying).retry_at is None


@pytest.mark.parametrize(
    ("scope", "outcomes"),
    [
        ("failed", {F: "ok", N: "skipped", RUN: "refused"}),
        ("not-run", {F: "skipped", N: "ok", RUN: "refused"}),
        ("both", {F: "ok", N: "ok", RUN: "refused"}),
    ],
)
def test_a_scope_says_who_is_meant(
    night: Night, operations: Operations, scope: str, outcomes: dict[Status, str]
) -> None:
    ids = {night.instance(status, status): status for status in outcomes}
    record = operations.apply(operations.plan("set-success", Selection.of(ids), {"scope": scope}))
    assert {ids[item.id]: item.outcome for item in record.items} == outcomes


@pytest.mark.parametrize(
    ("scope", "after", "nodes"), [("failed", N, [S, S, N]), ("not-run", F, [S, F, S]), ("both", S, [S, S, S])]
)
def test_of_a_table_the_nodes_that_are_meant(
    night: Night, operations: Operations, scope: str, after: Status, nodes: list[Status]
) -> None:
    folder, parts = night.table("dim", [S, F, N])
    record = operations.apply(operations.plan("set-success", Selection.of([folder]), {"scope": scope}))
    assert (record.items[0].after, night.row(folder).status) == (after, after)
    assert [night.row(id).status for id in parts] == nodes


def test_a_chain_in_one_batch_starts_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine looks in after every chunk, and finds nothing that its upstream has just released."""
    monkeypatch.setattr("dpconsole.core.operations.applying.CHUNK", 1)
    night = RunningNight(store, task("a", simulate=fails()), task("b", "a"), task("c", "b"))
    night.generate()
    night.run()
    operations = night.operations()
    plan = operations.plan("set-success", Selection.of([night.id(name) for name in "abc"]))
    record = operations.apply(plan, progress=lambda _done, _total: night.tick() and None)
    assert (record.state, record.acts) == (State.DONE, 3)
    assert night.started() == ["a"]
    assert check(store) == []


# --- priority ---------------------------------------------------------------------------------------------------------


def test_the_queue_follows_from_the_next_dispatch_on(store: Store) -> None:
    night = RunningNight(store, task("first"), task("second"), task("third"), slots=1)
    night.generate()
    night.tick("00:00")
    assert night.statuses() == {"first": RUN, "second": R, "third": R}
    record = night.act("priority", "third", to="highest")
    assert (record.items[0].before, record.items[0].after) == ("medium", "highest")
    night.run()
    assert night.started() == ["first", "third", "second"]
    assert check(store) == []


def test_a_baseline_overrides_what_is_stored(store: Store) -> None:
    promise = Baseline("morning", ("p.ads",), time(8), priority=Priority.HIGH)
    night = RunningNight(store, task("ods"), task("ads", "ods"), task("other"), baselines=(promise,))
    night.generate()
    night.act("priority", "ods", "other", to="lowest")
    stored = {name: (night.row(name).priority, night.row(name).effective_priority) for name in ("ods", "other")}
    assert stored == {"ods": (9, 3), "other": (9, 9)}


def test_a_table_and_its_nodes_have_one_priority(night: Night, operations: Operations) -> None:
    folder, nodes = night.table("dim", [N, RUN])
    operations.apply(operations.plan("priority", Selection.of([folder]), {"to": "low"}))
    assert {night.row(id).priority for id in (folder, *nodes)} == {7}


# --- upstreams --------------------------------------------------------------------------------------------------------


def test_the_row_no_longer_waits_and_its_task_stays_as_it_is(store: Store) -> None:
    night = RunningNight(store, task("good"), task("bad", simulate=fails()), task("dws", "good", "bad"))
    night.generate()
    night.run()
    assert night.status("dws") is N
    assert night.act("remove-upstream", "dws", upstream=str(night.id("bad"))).state is State.DONE
    assert night.row("dws").pending == 0
    night.run()
    assert night.status("dws") is S
    assert check(store) == []
    with store.read() as connection:
        (task_id,) = connection.execute(select(Task.id).where(Task.name == "dws")).one()
        declared = connection.execute(select(Dependency.id).where(Dependency.task_id == task_id)).all()
    assert len(declared) == 2


def test_the_last_upstream_stays(store: Store) -> None:
    night = RunningNight(store, task("a"), task("b"), task("dws", "a", "b"), task("ads", "dws"))
    night.generate()
    both = ",".join(str(night.id(name)) for name in "ab")
    for name, upstream in (("dws", both), ("ads", str(night.id("dws")))):
        record = night.act("remove-upstream", name, upstream=upstream)
        assert (record.state, record.items[0].reason) == (State.REFUSED, "at least one upstream must stay")


def test_the_root_counts_as_the_one_that_stays(store: Store) -> None:
    night = RunningNight(store, task("a"), task("dws", "a", on_root()), task("alone", on_root()))
    night.generate()
    assert night.act("remove-upstream", "dws", upstream=str(night.id("a"))).state is State.DONE
    record = night.act("remove-upstream", "alone", upstream=str(night.id("a")))
    assert record.items[0].reason == "it has no upstream that could be removed"


def test_what_is_no_upstream_is_named(store: Store) -> None:
    night = RunningNight(store, task("a"), task("b"), task("dws", "a", "b"), task("far"))
    night.generate()
    wrong = f"{night.id('a')},{night.id('far')}"
    record = night.act("remove-upstream", "dws", upstream=wrong)
    assert record.items[0].reason == f"{night.id('far')}: not an upstream of it"
    assert night.row("dws").pending == 2


def test_a_table_is_an_upstream_with_all_its_nodes(store: Store) -> None:
    night = RunningNight(store, table("dim", node("x", "a"), node("y", "b")), task("ods"), task("dws", "dim", "ods"))
    night.generate()
    assert night.row("dws").pending == 3
    night.act("remove-upstream", "dws", upstream=str(night.id("dim")))
    assert night.upstreams("dws") == ["ods@00:00"]
    assert night.row("dws").pending == 1


def test_a_row_that_waits_on_another_of_several_that_would_do_goes_back(store: Store) -> None:
    either = on("dim", fields=("a",))
    nodes = (node("x", "a"), node("y", "a", simulate=fails()))
    night = RunningNight(store, table("dim", *nodes), task("ods"), task("dws", either, "ods", at="09:00"))
    night.generate()
    night.run("08:00")
    assert night.status("dws") is W
    night.act("remove-upstream", "dws", upstream=str(night.id("x")))
    assert (night.status("dws"), night.row("dws").pending) == (N, 1)
    night.run()
    assert night.status("dws") is N
    assert check(store) == []


# --- notes ------------------------------------------------------------------------------------------------------------


def test_a_note_changes_nothing_but_the_ledger(night: Night, operations: Operations) -> None:
    ids = [night.instance("a"), night.instance("b", RUN)]
    before, steps = night.rows(), night.steps()
    record = operations.apply(operations.plan("acknowledge", Selection.of(ids)), "the vendor knows")
    assert (record.state, record.reason, record.acts) == (State.DONE, "the vendor knows", 2)
    assert (night.rows(), night.steps()) == (before, steps)


def test_who_may_look_may_leave_a_note(night: Night, operations: Operations) -> None:
    night.members("read", lin=Role.VIEWER)
    night.members("closed", mei=Role.ADMIN)
    ids = [night.instance("a", project=project) for project in ("read", "closed")]
    outcomes = [item.outcome for item in operations.plan("acknowledge", Selection.of(ids)).items]
    assert outcomes == [Outcome.PLANNED, Outcome.SKIPPED]
    assert operations.plan("stop", Selection.of(ids)).acts == ()
