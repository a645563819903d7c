"""The way back from a record, as far as the night has not gone on; and what of it is worth trying again."""

from __future__ import annotations

from collections.abc import Mapping

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.definitions import Priority
from dpconsole.core.domain.statuses import Cause, Status
from dpconsole.core.operations.history import History
from dpconsole.core.operations.records import Record
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.operations.undo import Step, WayBack
from dpconsole.core.store.journal import Steps, record
from tests.core.operations.night import NOW, Night

N, W, S, F = Status.NOT_RUNNING, Status.WAITING_TIME, Status.SUCCEEDED, Status.FAILED


def act(operations: Operations, verb: str, *ids: int, **arguments: str) -> Record:
    return operations.apply(operations.plan(verb, Selection.of(ids), arguments))


def back(night: Night, key: str | None = None) -> WayBack:
    way = History(night.store, "lin").way_back(key)
    assert way is not None
    return way


def steps(way: WayBack) -> list[tuple[str, tuple[int, ...], Mapping[str, str]]]:
    return [(step.verb, step.selection.ids, step.arguments) for step in way.steps]


def take(operations: Operations, step: Step) -> Record:
    return operations.apply(operations.plan(step.verb, step.selection, step.arguments), step.reason)


def test_a_pause_is_undone_by_resuming_what_it_paused_and_nothing_else(night: Night, operations: Operations) -> None:
    waiting, done = night.instance("a", N), night.instance("b", S)
    act(operations, "pause", waiting, done)
    assert steps(back(night)) == [("resume", (waiting,), {})]


def test_a_resume_is_undone_by_pausing_again(night: Night, operations: Operations) -> None:
    held = night.instance("a", N, paused=True)
    act(operations, "resume", held)
    assert steps(back(night)) == [("pause", (held,), {})]


def test_priorities_are_undone_one_step_for_each_that_there_was(night: Night, operations: Operations) -> None:
    names = {"a": Priority.LOW, "b": Priority.HIGH, "c": Priority.HIGHEST}
    low, high, same = (night.instance(name, priority=priority.number) for name, priority in names.items())
    act(operations, "priority", low, high, same, to="highest")
    assert steps(back(night)) == [("priority", (low,), {"to": "low"}), ("priority", (high,), {"to": "high"})]


def test_set_to_success_is_undone_while_nothing_downstream_has_started(night: Night, operations: Operations) -> None:
    failed, below = night.instance("a", F), night.instance("b", N)
    night.edge(failed, below)
    act(operations, "set-success", failed)
    (step,) = back(night).steps
    assert (step.verb, step.selection.ids) == ("rerun", (failed,))
    assert take(operations, step).acts == 1
    assert night.row(failed).status == N


def test_set_to_success_stands_once_something_downstream_has_started(night: Night, operations: Operations) -> None:
    failed, lone, below = night.instance("a", F), night.instance("b", F), night.instance("c", N)
    night.edge(failed, below)
    act(operations, "set-success", failed, lone)
    with night.store.write() as transaction:
        started = Steps()
        started.add(below, W, Status.RUNNING, Cause.DUE, 1)
        record(transaction, started, NOW + 1)
    way = back(night)
    assert steps(way) == [("rerun", (lone,), {})]
    assert "1 of 2 are past undoing" in way.words


def test_what_was_run_since_is_left_alone(night: Night, operations: Operations) -> None:
    failed = night.instance("a", F)
    act(operations, "set-success", failed)
    night.set(failed, set_by_hand=False)
    way = back(night)
    assert way.steps == ()
    assert "cannot be undone" in way.words


def test_a_rerun_has_no_way_back_and_says_so(night: Night, operations: Operations) -> None:
    act(operations, "rerun", night.instance("a", F))
    way = back(night)
    assert way.steps == ()
    assert way.words == "Rerun (record 1) cannot be undone: what was done has run its course"


def test_the_last_record_is_the_operators_own_that_changed_something(night: Night, operations: Operations) -> None:
    assert History(night.store, "lin").way_back() is None
    waiting = night.instance("a", N)
    act(operations, "pause", waiting)
    act(operations, "rerun", waiting)
    assert back(night).record.verb == "pause"
    assert History(night.store, "somebody").way_back() is None


def test_only_what_fell_short_is_tried_again_with_the_same_answers(night: Night, operations: Operations) -> None:
    first, second, wrong = night.instance("a", F), night.instance("b", F), night.instance("c", N)
    plan = operations.plan("rerun", Selection.of((first, second, wrong)), {"scope": "failed"})
    night.set(second, error="somebody was here")
    made = operations.apply(plan)
    step = History(night.store, "lin").retry(made.key)
    assert step is not None
    assert (step.verb, step.selection.ids, step.arguments["scope"]) == ("rerun", (second,), "failed")
    assert take(operations, step).acts == 1


def test_a_record_that_did_everything_leaves_nothing_to_try_again(night: Night, operations: Operations) -> None:
    made = act(operations, "rerun", night.instance("a", F))
    assert History(night.store, "lin").retry(made.key) is None


def test_a_sound_chain_counts_its_records(night: Night, operations: Operations, clock: VirtualClock) -> None:
    act(operations, "rerun", night.instance("a", F))
    act(operations, "rerun", night.instance("b", F))
    assert History(night.store, "lin").verify().words == "hash chain verified, 2 records"
