"""One instance: its attempts, journal, neighbours, operations, and the fields and nodes of a logical table."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.store.details import InstanceDetail, Neighbour, instance_detail
from dpconsole.core.store.models import Operation, OperationItem
from dpconsole.core.store.session import Store
from tests.core.store.night import (
    ADS,
    BASE,
    DIM,
    LTV,
    ODS,
    add_attempt,
    add_transition,
    add_vacuous,
    set_instance,
    write_night,
)


@pytest.fixture
def night(store: Store) -> Store:
    write_night(store)
    return store


def detail(store: Store, id: int) -> InstanceDetail:
    with store.read() as connection:
        found = instance_detail(connection, id)
    assert found is not None
    return found


def test_an_id_that_names_nothing_has_no_detail(night: Store) -> None:
    with night.read() as connection:
        assert instance_detail(connection, 99) is None


def test_attempts_and_journal_come_oldest_first(night: Store) -> None:
    add_attempt(night, ODS, 2, state="ok", trigger="rerun", exit_code=0)
    add_attempt(night, ODS, 1, exit_code=137, why="killed\x1b[2J")
    add_transition(night, ODS, None, "NOT_RUNNING", "generated")
    add_transition(night, ODS, "NOT_RUNNING", "WAITING_TIME", "released")
    found = detail(night, ODS)
    assert [(some.number, some.state, some.exit_code) for some in found.attempts] == [(1, "failed", 137), (2, "ok", 0)]
    assert found.attempts[0].why == "killed␛[2J"
    assert [(some.before, some.after) for some in found.transitions] == [
        (None, Status.NOT_RUNNING),
        (Status.NOT_RUNNING, Status.WAITING_TIME),
    ]


def test_a_logical_table_has_the_attempts_of_its_nodes(night: Store) -> None:
    add_attempt(night, LTV, 1)
    add_attempt(night, BASE, 1)
    assert [(some.node, some.instance_id) for some in detail(night, DIM).attempts] == [("base", BASE), ("ltv", LTV)]
    assert [some.node for some in detail(night, LTV).attempts] == [""]


def ids(neighbours: tuple[Neighbour, ...]) -> list[int]:
    return [some.id for some in neighbours]


@pytest.mark.parametrize(
    ("seen_from", "upstreams", "downstreams"),
    [
        (ODS, [], [DIM, ADS]),  # a node is shown as its table
        (DIM, [ODS], [ADS]),  # and the table stands for its nodes, without the edges between them
        (BASE, [ODS], [LTV]),  # siblings see each other
        (LTV, [BASE], [ADS]),
        (ADS, [ODS, DIM], []),
    ],
)
def test_neighbours_are_listed_instances(
    night: Store, seen_from: int, upstreams: list[int], downstreams: list[int]
) -> None:
    found = detail(night, seen_from)
    assert ids(found.upstreams) == upstreams
    assert ids(found.downstreams) == downstreams


def test_a_neighbour_says_which_fields_are_wanted_of_it(night: Store) -> None:
    ods, dim = detail(night, ADS).upstreams
    assert (ods.fields, ods.alternative) == ((), False)
    assert (dim.fields, dim.alternative) == (("ltv",), True)
    (ads,) = detail(night, DIM).downstreams
    assert ads.fields == ("ltv",)


def test_a_neighbour_is_satisfied_by_what_the_edge_waits_for_not_by_the_whole_table(night: Store) -> None:
    def waits() -> list[bool]:
        return [some.satisfied for some in detail(night, ADS).upstreams]

    assert waits() == [False, False]
    set_instance(night, ODS, status="SUCCEEDED")
    set_instance(night, LTV, status="SUCCEEDED")
    assert waits() == [True, True]
    assert detail(night, ADS).upstreams[1].status is Status.NOT_RUNNING
    assert [some.satisfied for some in detail(night, DIM).downstreams] == [True]


def test_upstreams_that_had_no_instance_are_named(night: Store) -> None:
    add_vacuous(night, ADS, "trade.weekly")
    add_vacuous(night, BASE, "trade.monthly")
    assert detail(night, ADS).vacuous == ("trade.weekly",)
    assert detail(night, DIM).vacuous == ("trade.monthly",)


def test_fields_are_normalised_over_the_nodes_that_carry_them(night: Store) -> None:
    set_instance(night, BASE, status="FAILED", started_at=10, ended_at=20)
    set_instance(night, LTV, status="RUNNING", started_at=30)
    found = detail(night, DIM)
    assert [(some.name, some.status, some.nodes) for some in found.fields] == [
        ("id", NormalisedStatus.RUNNING, ("base", "ltv")),
        ("city", NormalisedStatus.FAILED, ("base",)),
        ("ltv", NormalisedStatus.RUNNING, ("ltv",)),
        ("new", None, ()),
    ]
    assert (found.fields[0].started_at, found.fields[0].ended_at, found.fields[0].is_key) == (10, 20, True)
    assert [(some.name, some.status, some.fields) for some in found.nodes] == [
        ("base", Status.FAILED, ("id", "city")),
        ("ltv", Status.RUNNING, ("ltv", "id")),
    ]


def test_a_script_has_neither_fields_nor_nodes(night: Store) -> None:
    found = detail(night, ODS)
    assert (found.fields, found.nodes) == ((), ())


def test_what_operators_did_is_told_with_the_reason_of_a_refusal(night: Store) -> None:
    record = {"id": 1, "key": "k1", "verb": "stop", "actor": "lin", "at": 5, "reason": "runaway", "command": "stop 3"}
    item = {"operation_id": 1, "target_id": LTV, "name": "ltv", "before": "SUCCEEDED", "after": "SUCCEEDED"}
    with night.write() as transaction:
        transaction.execute(insert(Operation), record | {"arguments": {}, "state": "done", "rev": transaction.rev})
        transaction.execute(insert(OperationItem), item | {"outcome": "refused", "reason": "nothing to stop"})
    for seen_from in (DIM, LTV):
        (done,) = detail(night, seen_from).operations
        assert (done.verb, done.actor, done.reason, done.outcome) == ("stop", "lin", "runaway", "refused")
        assert (done.instance_id, done.refusal) == (LTV, "nothing to stop")
    assert detail(night, ODS).operations == ()
