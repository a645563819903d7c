"""Every verb of the registry, on every status, paused or not, on every kind of row."""

from __future__ import annotations

import pytest

from dpconsole.core.domain.definitions import Unit
from dpconsole.core.domain.statuses import GUARDS, TERMINAL, Status, Verb
from dpconsole.core.operations.records import Outcome, State
from dpconsole.core.operations.registry import OPERATIONS
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from tests.core.operations.night import Night

MAY = {
    "rerun": {(status, False) for status in TERMINAL},
}
"""The (status, paused) pairs each verb takes, written out from section 2.4."""


def make(night: Night, unit: Unit, status: Status, paused: bool) -> int:
    if unit is Unit.LOGICAL_TABLE:
        return night.table("dim_user", [status, status], paused=paused)[0]
    if unit is Unit.NODE:
        _, nodes = night.table("dim_user", [status, Status.SUCCEEDED])
        night.set(nodes[0], paused=paused)
        return nodes[0]
    return night.instance("ods_orders", status, unit=unit, paused=paused)


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("verb", OPERATIONS)
def test_acts_exactly_where_the_rules_allow(
    night: Night, operations: Operations, verb: str, status: Status, paused: bool, unit: Unit
) -> None:
    target = make(night, unit, status, paused)
    before, steps = night.rows(), night.steps()

    record = operations.apply(operations.plan(verb, Selection.of([target])))

    (item,) = record.items
    if (status, paused) in MAY[verb]:
        assert (record.state, item.outcome) == (State.DONE, Outcome.OK)
        assert night.row(target).status == item.after != status
    else:
        assert (record.state, item.outcome) == (State.REFUSED, Outcome.REFUSED)
        assert item.reason == GUARDS[Verb(verb)].refuse(status, paused)
        assert (night.rows(), night.steps()) == (before, steps)


def test_every_verb_has_its_own_key_and_words() -> None:
    assert len({operation.key for operation in OPERATIONS.values()}) == len(OPERATIONS)
    for name, operation in OPERATIONS.items():
        assert name == operation.name
        assert operation.title and operation.help.endswith(".")
        assert all(field.default in field.choices for field in operation.fields)


@pytest.mark.parametrize("arguments", [{"scope": "everything"}, {"colour": "red"}])
def test_an_argument_the_verb_does_not_take_is_named(operations: Operations, arguments: dict[str, str]) -> None:
    (word,) = arguments
    with pytest.raises(ValueError, match=word):
        operations.plan("rerun", Selection.of([1]), arguments)
