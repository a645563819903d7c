"""Pause and resume: a flag over a status, by a person or until a moment (O7, O8, AMB-7)."""

from __future__ import annotations

from dpconsole.core.domain.clock import parse_iso
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.records import Outcome, State
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.chain import first_broken
from dpconsole.core.store.models import Operation
from dpconsole.core.store.session import Store
from tests.checker import check, stuck
from tests.core.operations.night import Night
from tests.nights import Night as RunningNight
from tests.nights import node, table, task

N, W, T, R, RUN, S, F = Status


def test_a_paused_row_does_not_start_and_a_resumed_one_does_at_once(store: Store) -> None:
    night = RunningNight(store, task("ods", at="01:00"), task("dws", "ods"))
    night.generate()
    night.tick("00:00")
    assert night.status("ods") is W
    night.act("pause", "ods")
    night.run("03:00")
    assert night.statuses() == {"ods": W, "dws": N}
    night.act("resume", "ods")
    night.tick()
    assert night.status("ods") is RUN
    night.run()
    assert night.statuses() == {"ods": S, "dws": S}
    assert check(store) == []


def test_a_resumed_row_whose_upstream_is_missing_waits(store: Store) -> None:
    night = RunningNight(store, task("ods", at="05:00"), task("dws", "ods"))
    night.generate()
    night.act("pause", "dws")
    night.act("resume", "dws")
    night.tick("02:00")
    assert night.status("dws") is N
    assert check(store) == []


def test_the_engine_resumes_when_the_moment_comes(store: Store) -> None:
    night = RunningNight(store, task("ods", at="10:00"), timezone="Asia/Shanghai")
    night.generate()
    night.tick("09:30")
    record = night.act("pause", "ods", until="11:00")
    assert record.arguments == {"until": "2026-11-20T11:00:00+08:00"}
    assert night.row("ods").paused_until == parse_iso("2026-11-20T11:00+08:00")

    assert night.tick("10:59").next_at == parse_iso("2026-11-20T11:00+08:00")
    assert night.status("ods") is W
    night.tick("11:00")
    assert night.status("ods") is RUN
    assert (night.row("ods").paused, night.row("ods").paused_until) == (False, None)
    night.run()
    assert check(store) == []


def test_the_engine_enters_its_resume_in_the_ledger(store: Store) -> None:
    night = RunningNight(store, task("ods", at="01:00"))
    night.generate()
    night.act("pause", "ods", until="02:00")
    night.run()
    with store.read() as connection:
        records = connection.execute(Operation.__table__.select().order_by(Operation.id)).all()
        assert [(r.verb, r.actor, r.state, r.acts) for r in records] == [
            ("pause", "lin", "done", 1),
            ("resume", "engine", "done", 1),
        ]
        assert first_broken(connection) is None


def test_a_time_of_day_that_has_passed_is_tomorrows(store: Store) -> None:
    night = RunningNight(store, task("ods", at="23:30"))
    night.generate()
    night.tick("2026-11-20T23:00")
    record = night.act("pause", "ods", until="06:00")
    assert record.arguments["until"] == "2026-11-21T06:00:00+00:00"


def test_a_pause_can_be_ended_before_its_moment(store: Store) -> None:
    night = RunningNight(store, task("ods", at="01:00"))
    night.generate()
    night.act("pause", "ods", until="06:00")
    night.act("resume", "ods")
    night.run("02:00")
    assert night.status("ods") is S
    assert check(store) == []


def test_a_table_is_paused_as_long_as_one_of_its_nodes_is(store: Store) -> None:
    night = RunningNight(store, table("dim", node("a", "x"), node("b", "y")))
    night.generate()
    night.act("pause", "dim")
    assert [night.row(name).paused for name in ("dim", "a", "b")] == [True, True, True]
    night.act("resume", "a")
    assert night.row("dim").paused
    night.act("resume", "b")
    assert not night.row("dim").paused
    assert check(store) == []


def test_a_table_resumes_by_itself_when_all_of_it_was_to(store: Store) -> None:
    night = RunningNight(store, table("dim", node("a", "x"), node("b", "y")))
    night.generate()
    night.act("pause", "dim", until="2026-11-20T03:00")
    night.run("02:00")
    assert night.statuses() == {"dim": N, "a": N, "b": N}
    night.run()
    assert night.statuses() == {"dim": S, "a": S, "b": S}
    assert check(store) == []


def test_an_early_end_of_a_nodes_pause_leaves_the_tables(store: Store) -> None:
    night = RunningNight(store, table("dim", node("a", "x"), node("b", "y")))
    night.generate()
    night.act("pause", "a", until="2026-11-20T03:00")
    night.act("pause", "b")
    assert night.row("dim").paused_until is None
    night.run()
    assert (night.row("dim").paused, night.row("b").paused, night.status("a")) == (True, True, S)
    assert stuck(store, night.clock.now()) == []


def test_a_batch_needs_one_row_that_qualifies_and_skips_the_rest(night: Night, operations: Operations) -> None:
    ids = {night.instance(status, status): status for status in Status}
    record = operations.apply(operations.plan("pause", Selection.of(ids)))
    assert record.state is State.DONE
    assert {ids[item.id] for item in record.items if item.outcome is Outcome.OK} == {N, W, T}
    assert operations.apply(operations.plan("pause", Selection.of(ids))).state is State.REFUSED


def test_resuming_a_batch_skips_what_is_not_paused(night: Night, operations: Operations) -> None:
    held, free = night.instance("held", N, paused=True), night.instance("free", N)
    record = operations.apply(operations.plan("resume", Selection.of([held, free])))
    assert record.state is State.DONE
    assert {item.id: item.reason for item in record.items} == {held: "", free: "Not paused: nothing to resume"}


def test_both_are_mild(night: Night, operations: Operations) -> None:
    ids = [night.instance(str(number), N) for number in range(50)]
    assert operations.plan("pause", Selection.of(ids)).is_mild
