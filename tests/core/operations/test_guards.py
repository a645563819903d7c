"""Every verb of the registry, on every status, paused or not, on every kind of row."""

from __future__ import annotations

from itertools import product

import pytest

from dpconsole.core.domain.definitions import Priority, Unit
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.fields import FieldKind
from dpconsole.core.operations.records import Outcome, State
from dpconsole.core.operations.registry import OPERATIONS, verb_on
from dpconsole.core.operations.selection import Kind, Selection
from dpconsole.core.operations.service import Operations
from tests.core.operations.night import Night

RULES = """
    verb                                   N  W  T  R  Run  S  F  paused
    rerun                                  -  -  -  -  -    y  y  no
    rerun --scope=downstream               -  -  -  -  -    y  y  same
    rerun --scope=downstream-failed        -  -  -  -  -    y  y  same
    force-rerun                            y  y  y  y  y    y  y  same
    force-rerun --start=dry-run            y  y  y  y  y    y  y  same
    force-rerun --scope=downstream         y  y  y  y  y    y  y  same
    force-rerun --scope=all                y  y  y  y  y    y  y  same
    stop                                   -  y  y  y  y    -  -  same
    pause                                  y  y  y  -  -    -  -  no
    resume                                 -  -  -  -  -    -  -  only
    set-success                            y  -  -  -  -    -  y  same
    priority --to=high                     y  y  y  y  y    y  y  same
    remove-upstream --upstream={upstream}  y  y  y  y  y    y  y  same
    acknowledge                            y  y  y  y  y    y  y  same
"""
"""Section 2.4: which status each verb takes, and what a paused row changes about it."""

AFTER = {
    "rerun": "NOT_RUNNING",
    "force-rerun": "THROTTLED",
    "force-rerun --start=dry-run": "SUCCEEDED",
    "stop": "FAILED",
    "set-success": "SUCCEEDED",
    "priority": "high",
}
"""What becomes of a row; the verbs that are not here leave it its status."""

_LINES = [line.rsplit(maxsplit=8) for line in RULES.strip().splitlines()[1:]]
MAY = {verb.strip(): dict(zip(Status, marks, strict=True)) | {"paused": flag} for verb, *marks, flag in _LINES}


def may(command: str, status: Status, paused: bool) -> bool:
    """Whether the table lets a verb act."""
    rule = MAY[command]
    return {"no": not paused and rule[status] == "y", "only": paused, "same": rule[status] == "y"}[rule["paused"]]


def make(night: Night, unit: Unit, status: Status, paused: bool) -> int:
    if unit is Unit.LOGICAL_TABLE:
        return night.table("dim_user", [status, status], paused=paused)[0]
    if unit is Unit.NODE:
        _, nodes = night.table("dim_user", [status, Status.SUCCEEDED])
        night.set(nodes[0], paused=paused)
        return nodes[0]
    return night.instance("ods_orders", status, unit=unit, paused=paused)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("command", MAY)
def test_acts_exactly_where_the_rules_allow(night: Night, operations: Operations, command: str, status: Status) -> None:
    upstreams = [night.instance(name, Status.SUCCEEDED) for name in ("one", "two")]
    for paused, unit in product((False, True), Unit):
        target = make(night, unit, status, paused)
        for upstream in upstreams:
            night.edge(upstream, target if unit is not Unit.LOGICAL_TABLE else target + 1)
        give(night, operations, command.format(upstream=upstreams[0]), target, may(command, status, paused))


def give(night: Night, operations: Operations, command: str, target: int, acts: bool) -> None:
    """Give a command on one row: it acts, and leaves what the table says, or leaves everything as it was."""
    verb, arguments = words_of(command)
    status = Status(night.row(target).status)
    before, steps = night.rows(), night.steps()

    record = operations.apply(operations.plan(verb, Selection.of([target]), arguments))

    (item,) = record.items
    if acts:
        assert (record.state, item.outcome) == (State.DONE, Outcome.OK)
        assert item.after == AFTER.get(command, AFTER.get(verb, status))
        assert night.row(target).status == (item.after if item.after in set(Status) else status)
    else:
        assert (record.state, item.outcome) == (State.REFUSED, Outcome.REFUSED)
        assert (night.rows(), night.steps()) == (before, steps)
        assert len(item.reason) > len("Paused"), "a refusal is a sentence"
        assert (item.reason.startswith(status.label)) != ("aused" in item.reason)


def words_of(command: str) -> tuple[str, dict[str, str]]:
    """A verb and its arguments, from a line of the command line."""
    verb, *flags = command.split()
    return verb, dict(flag.removeprefix("--").split("=", 1) for flag in flags)


def test_every_verb_on_instances_is_in_the_table() -> None:
    on_instances = {name for name, operation in OPERATIONS.items() if Kind.INSTANCE in operation.scopes}
    assert {words_of(command)[0] for command in MAY} == on_instances


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (Kind.INSTANCE, "rRxpuSPDa"),
        (Kind.BACKFILL, "RpuSPxrE%"),
        (Kind.BACKFILL_DATE, "RpuSPxrE%"),
        (Kind.PENDING, "pur"),
        (Kind.BACKFILL_FLOW, "pu"),
    ],
)
def test_on_every_kind_of_row_each_verb_has_its_own_key(kind: Kind, keys: str) -> None:
    assert "".join(operation.key for operation in OPERATIONS.values() if kind in operation.scopes) == keys
    assert len(set(keys)) == len(keys)


def test_a_key_stands_for_another_verb_on_folders_alone() -> None:
    folder, instance = TreeId(Layer.BACKFILL, 12), TreeId(Layer.INSTANCE, 345)
    assert verb_on("stop", Selection.of_rows([folder])) == "one-click-stop"
    assert verb_on("rerun", Selection.of_rows([folder])) == "one-click-rerun-failed"
    assert verb_on("rerun", Selection.of_rows([folder, instance])) == "rerun"
    assert verb_on("pause", Selection.of_rows([folder])) == "pause"
    for operation in OPERATIONS.values():
        assert not operation.on_folders or OPERATIONS[operation.on_folders].key == operation.key


def test_every_verb_has_its_words() -> None:
    for name, operation in OPERATIONS.items():
        assert name == operation.name
        assert operation.title and operation.help.endswith(".")
        for field in operation.fields:
            assert field.title
            assert bool(field.choices) == (field.kind is FieldKind.CHOICE)
            assert field.default in ("", *field.choices)


@pytest.mark.parametrize(
    ("verb", "arguments", "words"),
    [
        ("rerun", {"scope": "everything"}, "--scope is one of this, failed"),
        ("rerun", {"colour": "red"}, "rerun has no colour"),
        ("rerun", {"levels": "2"}, "--levels goes with --scope downstream or downstream-failed"),
        ("rerun", {"scope": "downstream", "levels": "none"}, "--levels is a whole number from 1"),
        ("rerun", {"scope": "downstream", "levels": "0"}, "--levels is a whole number from 1"),
        ("rerun", {"scope": "downstream", "status": "failed,broken"}, "not 'broken'"),
        ("rerun", {"start": "dry-run"}, "--start goes with --scope"),
        ("priority", {"to": "urgent"}, "--to is one of highest"),
        ("remove-upstream", {"upstream": "one"}, "not the id of an instance"),
        ("pause", {"until": "soon"}, "soon is not a date"),
        ("pause", {"until": "2026-11-19T18:59"}, "has passed already"),
    ],
)
def test_an_argument_the_verb_does_not_take_is_named(
    operations: Operations, verb: str, arguments: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        operations.plan(verb, Selection.of([1]), arguments)


@pytest.mark.parametrize(("verb", "words"), [("priority", "--to"), ("remove-upstream", "--upstream")])
def test_a_verb_does_not_act_before_its_question_is_answered(
    night: Night, operations: Operations, verb: str, words: str
) -> None:
    (item,) = operations.plan(verb, Selection.of([night.instance("a")])).items
    assert item.outcome is Outcome.REFUSED
    assert words in item.reason


def test_five_priorities_are_offered() -> None:
    (field,) = OPERATIONS["priority"].fields
    assert field.choices == tuple(Priority) == ("highest", "high", "medium", "low", "lowest")
