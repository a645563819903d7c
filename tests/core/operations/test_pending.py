"""Backfills that are to be submitted: the machine of section 8.4, single and in batches, in the ledger and back."""

from __future__ import annotations

import pytest

from dpconsole.core.domain.backfills import PENDING, BackfillState, DateState, PendingVerb, refuse_pending
from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.operations.history import History
from dpconsole.core.operations.records import Outcome, State
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.operations.undo import retry_of
from tests.core.operations.folders import Folders
from tests.core.operations.night import Night

RULES = """
    verb              waiting   submitting   submitted   failed       paused
    backfill-pause    paused    -            -           -            -
    backfill-resume   -         -            -           -            waiting
    backfill-retry    -         -            -           submitting   -
"""
"""Section 8.4: by verb and state the next state."""

_TITLES, *_LINES = (line.split() for line in RULES.strip().splitlines())
STEPS = [
    (PendingVerb(verb), BackfillState(state), after)
    for verb, *row in _LINES
    for state, after in zip(_TITLES[1:], row, strict=True)
]


@pytest.mark.parametrize(("verb", "state", "after"), STEPS)
def test_the_machine_takes_these_steps(
    night: Night, operations: Operations, verb: PendingVerb, state: BackfillState, after: str
) -> None:
    folders = Folders(night, DateState.WAITING, state=state)
    record = operations.apply(operations.plan(verb, folders.selection))
    (item,) = record.items
    assert (record.kind, item.key) == ("backfill", f"f_{folders.id}")
    if after == "-":
        assert (item.outcome, folders.state()) == (Outcome.REFUSED, state)
        assert item.reason == refuse_pending(verb, state) and item.reason.startswith(f"{state.label}: ")
    else:
        assert (item.outcome, folders.state()) == (Outcome.OK, after)
        assert (item.before, item.after) == (state.label, BackfillState(after).label)


def test_the_machine_knows_every_state() -> None:
    assert all(set(rule) == set(BackfillState) for rule in PENDING.values())
    assert {verb for verb, _, _ in STEPS} == set(PendingVerb)


def many(night: Night, *states: BackfillState) -> tuple[list[Folders], Selection]:
    made = [Folders(night, state=state) for state in states]
    return made, Selection.of_rows([TreeId(Layer.BACKFILL, one.id) for one in made])


def test_a_batch_passes_over_what_it_cannot_take(night: Night, operations: Operations) -> None:
    made, selection = many(night, BackfillState.WAITING, BackfillState.FAILED, BackfillState.WAITING)
    plan = operations.plan("backfill-pause", selection)
    assert plan.command == "dpconsole backfill pause " + " ".join(f"f_{one.id}" for one in made)
    record = operations.apply(plan)
    assert [one.state() for one in made] == ["paused", "failed", "paused"]
    assert (record.state, record.acts, record.skipped) == (State.DONE, 2, 1)


def test_a_query_of_the_list_is_resolved_to_backfills(
    night: Night, clock: VirtualClock, operations: Operations
) -> None:
    made, _ = many(night, BackfillState.PAUSED, BackfillState.PAUSED)
    ids = [one.id for one in made]
    operations = Operations(night.store, clock, operations.actor, lambda _: ids, operations.new_key)
    selection = Selection(query="recurrence:weekly", listing="pending")
    plan = operations.plan("backfill-resume", selection)
    assert [item.id for item in plan.acts] == ids
    less = plan.without(ids[:1])
    assert less.command == f"dpconsole backfill resume -q '(recurrence:weekly) and not id:f_{ids[0]}'"
    assert [item.id for item in operations.plan("backfill-resume", less.selection).acts] == ids[1:]


def test_one_that_is_submitted_in_the_meantime_is_reported(night: Night, operations: Operations) -> None:
    (waiting,), selection = many(night, BackfillState.WAITING)
    plan = operations.plan("backfill-pause", selection)
    waiting.set(state=BackfillState.SUBMITTING)
    record = operations.apply(plan)
    assert (waiting.state(), record.state) == ("submitting", State.FAILED)
    assert record.items[0].reason == "changed since the preview: now Submitting"
    step = retry_of(record)
    assert step is not None and step.selection == selection


def test_the_same_plan_acts_once(night: Night, operations: Operations) -> None:
    (failed,), selection = many(night, BackfillState.FAILED)
    plan = operations.plan("backfill-retry", selection)
    first = operations.apply(plan)
    failed.set(state=BackfillState.FAILED)
    assert operations.apply(plan) == first
    assert failed.state() == "failed"


def test_a_retry_forgets_why_it_failed(night: Night, operations: Operations) -> None:
    (failed,), selection = many(night, BackfillState.FAILED)
    failed.set(error="nothing is covered")
    operations.apply(operations.plan("backfill-retry", selection))
    assert failed.one("error") == ""


@pytest.mark.parametrize(
    ("verb", "state", "answers", "back"),
    [
        ("backfill-pause", BackfillState.WAITING, {}, ("backfill-resume", {})),
        ("backfill-resume", BackfillState.PAUSED, {}, ("backfill-pause", {})),
        ("concurrency", BackfillState.SUBMITTED, {"to": "3"}, ("concurrency", {"to": "1"})),
    ],
)
def test_the_way_back(
    night: Night,
    operations: Operations,
    verb: str,
    state: BackfillState,
    answers: dict[str, str],
    back: tuple[str, dict[str, str]],
) -> None:
    folders = Folders(night, DateState.WAITING, DateState.WAITING, state=state)
    operations.apply(operations.plan(verb, folders.selection, answers))
    way = History(night.store, "lin").way_back()
    assert way is not None
    assert [(step.verb, step.arguments, step.selection) for step in way.steps] == [(*back, folders.selection)]
