"""Rerun: what becomes of the row, of what stands below it, and of a logical table (sections 2.4 and 9.2)."""

from __future__ import annotations

import pytest

from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.records import Outcome, State
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from tests.core.operations.night import NOW, Night

S, F, N, RUN = Status.SUCCEEDED, Status.FAILED, Status.NOT_RUNNING, Status.RUNNING


def rerun(operations: Operations, *ids: int, scope: str = "this") -> State:
    return operations.apply(operations.plan("rerun", Selection.of(ids), {"scope": scope})).state


def test_the_row_starts_afresh_and_keeps_its_attempts(night: Night, operations: Operations) -> None:
    id = night.instance(
        "ods_orders",
        F,
        attempt=3,
        auto_reruns=2,
        retry_at=NOW + 60_000,
        started_at=NOW - 60_000,
        ended_at=NOW,
        error="exit 1",
        forced=True,
        set_by_hand=True,
        autonomous=False,
    )
    assert rerun(operations, id) is State.DONE
    row = night.row(id)
    assert (row.status, row.attempt, row.auto_reruns) == (N, 3, 0)
    assert (row.retry_at, row.started_at, row.ended_at, row.error) == (None, None, None, "")
    assert not (row.forced or row.set_by_hand)
    assert row.autonomous, "what an operator reruns by hand runs, in development too"


def test_the_journal_names_the_operator(night: Night, operations: Operations) -> None:
    id = night.instance("ods_orders", S)
    rerun(operations, id)
    assert night.journal(id)[-1] == (S, N, "rerun", "lin")


@pytest.mark.parametrize(("before", "pending"), [(S, 1), (F, 1)])
def test_downstreams_require_the_upstream_again(
    night: Night, operations: Operations, before: Status, pending: int
) -> None:
    upstream, downstream = night.instance("ods", before), night.instance("dws", S)
    night.edge(upstream, downstream)
    rerun(operations, upstream)
    assert night.row(downstream).pending == pending
    assert night.row(downstream).status == S, "a downstream that has succeeded stays so (AMB-28)"


def test_a_waiting_downstream_goes_back(night: Night, operations: Operations) -> None:
    upstream, downstream = night.instance("ods", S), night.instance("dws", Status.WAITING_TIME)
    night.edge(upstream, downstream)
    rerun(operations, upstream)
    assert night.row(downstream).status == N
    assert night.journal(downstream)[-1] == (Status.WAITING_TIME, N, "withdrawn", "")


def test_a_chain_in_one_batch_waits_for_its_head(night: Night, operations: Operations) -> None:
    ids = [night.instance(name, S) for name in ("a", "b", "c")]
    night.chain(*ids)
    rerun(operations, *reversed(ids))
    assert [(night.row(id).status, night.row(id).pending) for id in ids] == [(N, 0), (N, 1), (N, 1)]


def test_a_logical_table_is_rerun_as_a_whole(night: Night, operations: Operations) -> None:
    table, nodes = night.table("dim_user", [S, F, N])
    below = night.instance("ads", N)
    night.edge(nodes[0], below)
    assert rerun(operations, table) is State.DONE
    assert [night.row(id).status for id in (table, *nodes)] == [N, N, N, N]
    assert night.journal(table)[-1] == (F, N, "derived", "lin")
    assert len(night.journal(nodes[2])) == 1, "a node that has not run has nothing to repeat"
    assert night.row(below).pending == 1


def test_a_node_is_rerun_alone(night: Night, operations: Operations) -> None:
    table, nodes = night.table("dim_user", [S, S])
    rerun(operations, nodes[0])
    assert [night.row(id).status for id in (table, *nodes)] == [N, N, S]


def test_a_node_chosen_with_its_table_is_done_once(night: Night, operations: Operations) -> None:
    table, nodes = night.table("dim_user", [F])
    record = operations.apply(operations.plan("rerun", Selection.of([nodes[0], table])))
    assert record.state is State.DONE
    assert {item.id: (item.outcome, item.reason) for item in record.items} == {
        table: (Outcome.OK, ""),
        nodes[0]: (Outcome.SKIPPED, "done with its table"),
    }


@pytest.mark.parametrize(
    ("scope", "outcomes", "state"),
    [
        ("this", {S: "ok", F: "ok", RUN: "refused"}, State.PARTLY_DONE),
        ("failed", {S: "skipped", F: "ok", RUN: "skipped"}, State.DONE),
        ("desired", {S: "ok", F: "ok", RUN: "skipped"}, State.DONE),
    ],
)
def test_a_scope_says_who_is_meant(
    night: Night, operations: Operations, scope: str, outcomes: dict[Status, str], state: State
) -> None:
    ids = {night.instance(status, status): status for status in outcomes}
    record = operations.apply(operations.plan("rerun", Selection.of(ids), {"scope": scope}))
    assert {ids[item.id]: item.outcome for item in record.items} == outcomes
    assert record.state is state
