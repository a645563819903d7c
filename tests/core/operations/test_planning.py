"""The plan: worked out over a snapshot, writes nothing, and says everything the operator should know."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from dpconsole.core.domain.definitions import Origin, Role, Unit
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.fields import FieldKind
from dpconsole.core.operations.records import Outcome
from dpconsole.core.operations.registry import OPERATIONS, Operation
from dpconsole.core.operations.selection import Kind, Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.targets import Part, Reach, Target
from tests.core.operations.night import Night

S, F, N = Status.SUCCEEDED, Status.FAILED, Status.NOT_RUNNING


def test_a_plan_writes_nothing(night: Night, operations: Operations) -> None:
    id = night.instance("ods")
    rev = night.store.rev()
    plan = operations.plan("rerun", Selection.of([id]))
    assert night.store.rev() == rev
    assert plan.fingerprint == ((id, night.row(id).rev),)


def test_what_acts_stands_upstream_first_whatever_the_order_asked(night: Night, operations: Operations) -> None:
    late, early, middle = (night.instance(name, due_at=due) for name, due in (("c", 1), ("a", 3), ("b", 2)))
    night.chain(early, middle, late)
    plan = operations.plan("rerun", Selection.of([late, middle, early]))
    assert [item.id for item in plan.acts] == [early, middle, late]


def test_tables_that_feed_each_other_node_by_node_can_be_ordered(night: Night, operations: Operations) -> None:
    (first, (a1, a2)), (second, (b1,)) = night.table("a", [F, F]), night.table("b", [F])
    night.chain(a1, b1, a2)
    assert [item.id for item in operations.plan("rerun", Selection.of([second, first])).acts] == [first, second]


def test_rows_go_by_due_time_but_never_before_an_upstream(night: Night, operations: Operations) -> None:
    dice = random.Random(7)
    ids = [night.instance(f"t{number}", due_at=dice.randrange(5)) for number in range(12)]
    edges = [(ids[up], ids[down]) for up in range(12) for down in range(up + 1, 12) if dice.random() < 0.2]
    for edge in edges:
        night.edge(*edge)
    acts = [item.id for item in operations.plan("rerun", Selection.of(dice.sample(ids, 12))).acts]
    assert sorted(acts) == ids
    assert all(acts.index(up) < acts.index(down) for up, down in edges)


def test_reasons_are_grouped(night: Night, operations: Operations) -> None:
    ids = [night.instance(str(number), status) for number, status in enumerate([N, N, Status.RUNNING, F])]
    plan = operations.plan("rerun", Selection.of(ids))
    assert plan.reasons(Outcome.REFUSED) == [
        ("Not Running: only Succeeded or Failed can be rerun", 2),
        ("Running: only Succeeded or Failed can be rerun", 1),
    ]


def test_reach_counts_rows_projects_and_promises_below(night: Night, operations: Operations) -> None:
    start = night.instance("ods")
    dws, ads = night.instance("dws", N), night.instance("ads", N, project="board")
    _, nodes = night.table("dim", [N, N])
    for down in (dws, *nodes):
        night.edge(start, down)
    night.chain(dws, ads)
    night.chain(nodes[0], ads)
    night.baseline("gmv_0800", ads)
    plan = operations.plan("rerun", Selection.of([start]))
    assert plan.reach == Reach(instances=3, projects=2, baselines=1)


def test_reach_leaves_out_what_is_selected(night: Night, operations: Operations) -> None:
    ids = [night.instance(name) for name in "ab"]
    night.chain(*ids)
    assert operations.plan("rerun", Selection.of(ids)).reach == Reach()


def test_the_equivalent_command_line(night: Night, operations: Operations) -> None:
    ids = [night.instance("ods one"), night.instance("ods two")]
    keys = [item.key for item in operations.plan("rerun", Selection.of(ids)).items]
    assert keys[0].startswith("t_") and keys[0].endswith(f"_20261119_{ids[0]}")

    def command(selection: Selection, **arguments: str) -> str:
        return operations.plan("rerun", selection, arguments).command

    assert command(Selection.of(ids)) == f"dpconsole rerun {keys[0]} {keys[1]}"
    assert command(Selection(query="ods one"), scope="failed") == "dpconsole rerun --scope=failed -q 'ods one'"
    spared = Selection(query="ods", without=frozenset({ids[1]}))
    assert command(spared) == f"dpconsole rerun -q '(ods) and not id:{ids[1]}'"


def test_a_query_means_everything_that_matches_less_what_was_spared(night: Night, operations: Operations) -> None:
    ids = [night.instance(f"ods_{number:03}") for number in range(60)]
    plan = operations.plan("rerun", Selection(query="ods", without=frozenset(ids[:5])))
    assert [item.id for item in plan.acts] == ids[5:]
    assert "--expect=55" in plan.command


def test_a_row_can_be_dropped_from_the_preview(night: Night, operations: Operations) -> None:
    ids = [night.instance(f"ods_{number}") for number in range(3)]
    plan = operations.plan("rerun", Selection(query="ods")).without([ids[1]])
    assert [item.id for item in plan.acts] == [ids[0], ids[2]]
    assert "not id:" in plan.command
    assert operations.apply(plan).acts == 2
    assert night.row(ids[1]).status == F


def test_rerunning_the_failed_is_mild_up_to_fifty(night: Night, operations: Operations) -> None:
    failed = [night.instance(f"f{number}") for number in range(51)]
    succeeded = night.instance("s", S)
    assert operations.plan("rerun", Selection.of(failed[:50])).is_mild
    assert not operations.plan("rerun", Selection.of(failed)).is_mild
    assert not operations.plan("rerun", Selection.of([succeeded])).is_mild


def test_an_unknown_id_is_refused_by_name(operations: Operations) -> None:
    (item,) = operations.plan("rerun", Selection.of([404])).items
    assert (item.outcome, item.reason) == (Outcome.REFUSED, "no such instance")


def test_rows_without_permission_are_skipped_not_hidden(night: Night, operations: Operations) -> None:
    night.members("closed", mei=Role.ADMIN)
    night.members("read", lin=Role.VIEWER)
    night.members("mine", lin=Role.OPERATOR)
    ids = [night.instance("a", project=project) for project in ("closed", "read", "mine", "open")]
    plan = operations.plan("rerun", Selection.of(ids))
    assert {item.id: item.outcome for item in plan.items} == {
        ids[0]: Outcome.SKIPPED,
        ids[1]: Outcome.SKIPPED,
        ids[2]: Outcome.PLANNED,
        ids[3]: Outcome.PLANNED,
    }
    assert plan.reasons(Outcome.SKIPPED) == [("no permission", 2)]


# --- alike rows are judged once ---------------------------------------------------------------------------------------


def _hidden(name: str) -> Any:
    def look(_self: object) -> None:
        raise AssertionError(f"a verb that looks at {name} judges rows differently that are alike")

    return property(look)


class FacelessPart(Part):
    id, attempt, rev, due_at, parent_id = map(_hidden, ("id", "attempt", "rev", "due_at", "parent_id"))


class FacelessTarget(Target):
    id, name, task_id, key, owner = map(_hidden, ("id", "name", "task_id", "key", "owner"))
    business_date, parent_id = map(_hidden, ("business_date", "parent_id"))


def faceless() -> Iterator[Target]:
    whole = {"name": "", "task_id": 1, "business_date": "", "project": "trade", "owner": "lin", "priority": 5}
    for status, paused, unit, origin, level in product(Status, (False, True), Unit, Origin, (0, 2)):
        parts = [FacelessPart(1, one, paused, 1, 1, 1, None, origin is Origin.RECURRING, False) for one in Status]
        mine = tuple(parts) if unit is Unit.LOGICAL_TABLE else (parts[list(Status).index(status)],)
        kind = {"origin": origin, "unit": unit, "status": status, "paused": paused, "level": level}
        yield FacelessTarget(id=1, parent_id=None, parts=mine, upstreams={7: 7}, **kind, **whole)  # type: ignore[arg-type]


def every_answer(operation: Operation) -> Iterator[dict[str, str]]:
    asked = {field.name: "7" for field in operation.fields if field.kind is FieldKind.IDS and field.required}
    choices = [field for field in operation.fields if field.choices and not field.goes_with]
    for answers in product(*(field.choices for field in choices)):
        chosen = {field.name: answer for field, answer in zip(choices, answers, strict=True)}
        yield operation.complete(asked | chosen)


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS.values() if one.kind is Kind.INSTANCE], ids=lambda one: one.name
)
def test_no_verb_looks_at_what_alike_rows_may_differ_in(operation: Operation) -> None:
    for arguments, target in product(every_answer(operation), faceless()):
        operation.shows(target)
        operation.passes_over(target, arguments)
        if operation.refuse(target, arguments) is None and operation.may_change(target, arguments):
            operation.after(target, arguments)


def test_rows_that_differ_in_their_nodes_alone_are_not_alike() -> None:
    part = Part(1, Status.FAILED, False, 1, 1, 1, None, True, False)
    table = Target(1, "t", 1, "", "trade", "lin", Origin.RECURRING, Unit.NODE, Status.FAILED, False, 5, None, (part,))
    others = [part._replace(**change) for change in ({"status": Status.SUCCEEDED}, {"paused": True}, {"to_come": True})]
    assert len({table.likeness, *(table._replace(parts=(other,)).likeness for other in others)}) == 4
    assert table._replace(id=2, parts=(part._replace(id=2, rev=9),)).likeness == table.likeness
