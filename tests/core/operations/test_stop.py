"""Stop: what waits or runs is over at once, whatever comes after (O6, AMB-1 to AMB-3, AMB-16, AMB-17)."""

from __future__ import annotations

import pytest

from dpconsole.core.domain.definitions import Origin
from dpconsole.core.domain.statuses import WAITING, Status
from dpconsole.core.executors.protocol import Outcome as Ended
from dpconsole.core.operations.records import Outcome, State
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.session import Store
from tests.checker import check, stuck
from tests.core.operations.night import NOW, Night
from tests.nights import ByHand, RunConfig, node, table, task
from tests.nights import Night as RunningNight

N, W, T, R, RUN, S, F = Status


def stop(operations: Operations, *ids: int) -> State:
    return operations.apply(operations.plan("stop", Selection.of(ids))).state


# --- beside the engine ------------------------------------------------------------------------------------------------


@pytest.fixture
def hands() -> ByHand:
    return ByHand()


@pytest.fixture
def night_in_hand(store: Store, hands: ByHand) -> RunningNight:
    night = RunningNight(store, task("ods", run=RunConfig(reruns=3)), task("dws", "ods"), executor=hands)
    night.generate()
    night.tick("00:00")
    assert night.status("ods") is RUN
    return night


def test_the_attempt_ends_with_the_verb(night_in_hand: RunningNight) -> None:
    night_in_hand.act("stop", "ods")
    row, (attempt,) = night_in_hand.row("ods"), night_in_hand.attempts("ods")
    assert (row.status, row.ended_at, row.retry_at) == (F, night_in_hand.clock.now(), None)
    assert (attempt.state, attempt.ended_at, attempt.stop_requested) == ("stopped", night_in_hand.clock.now(), True)
    assert row.error == attempt.why == "stopped by lin"
    assert check(night_in_hand.store) == []


def test_the_executor_is_told_until_it_has_let_go(night_in_hand: RunningNight, hands: ByHand) -> None:
    (order,) = hands.orders
    night_in_hand.act("stop", "ods")
    night_in_hand.tick()
    night_in_hand.tick()
    assert hands.stopped == [order.handle, order.handle]
    hands.forget()
    night_in_hand.tick()
    assert not night_in_hand.attempts("ods")[0].stop_requested
    night_in_hand.tick()
    assert len(hands.stopped) == 3, "nobody is told of what is gone"


def test_another_engine_hears_of_it_too(night_in_hand: RunningNight) -> None:
    night_in_hand.act("stop", "ods")
    heir = ByHand()
    night_in_hand.restart(heir)
    night_in_hand.tick()
    assert heir.orders == []
    assert len(heir.stopped) == 1


@pytest.mark.parametrize("ended", [Ended.OK, Ended.FAILED, Ended.STOPPED, Ended.LOST])
def test_a_late_report_changes_nothing(night_in_hand: RunningNight, hands: ByHand, ended: Ended) -> None:
    night_in_hand.act("stop", "ods")
    before = (night_in_hand.row("ods"), night_in_hand.whole_journal())
    hands.report(hands.orders[0], night_in_hand.clock.now(), ended)
    night_in_hand.tick()
    assert (night_in_hand.row("ods"), night_in_hand.whole_journal()) == before
    assert check(night_in_hand.store) == []


def test_nothing_follows_by_itself(night_in_hand: RunningNight) -> None:
    night_in_hand.act("stop", "ods")
    night_in_hand.run()
    assert night_in_hand.statuses() == {"ods": F, "dws": N}
    assert check(night_in_hand.store) == []
    assert stuck(night_in_hand.store, night_in_hand.clock.now()) == []


def test_what_was_stopped_can_be_rerun(night_in_hand: RunningNight, hands: ByHand) -> None:
    night_in_hand.act("stop", "ods")
    night_in_hand.act("rerun", "ods")
    night_in_hand.tick()
    hands.report(hands.orders[0], night_in_hand.clock.now())
    hands.report(hands.orders[1], night_in_hand.clock.now())
    night_in_hand.tick()
    assert [attempt.state for attempt in night_in_hand.attempts("ods")] == ["stopped", "ok"]
    assert night_in_hand.statuses() == {"ods": S, "dws": RUN}
    assert check(night_in_hand.store) == []


def test_a_table_is_stopped_with_the_nodes_that_have_not_started(store: Store) -> None:
    night = RunningNight(
        store,
        table("dim", node("base", "id"), node("ltv", "ltv", after=["base"])),
        task("ads", "dim"),
        executor=ByHand(),
    )
    night.generate()
    night.tick("00:00")
    night.act("stop", "dim")
    night.run()
    assert night.statuses() == {"dim": F, "base": F, "ltv": F, "ads": N}
    assert night.row("ltv").error == "stopped before start by lin"
    assert check(store) == []


# --- which rows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", sorted(WAITING))
def test_a_paused_row_that_waits_loses_its_pause(night: Night, operations: Operations, status: Status) -> None:
    id = night.instance("ods", status, paused=True, paused_until=NOW + 1)
    assert stop(operations, id) is State.DONE
    row = night.row(id)
    assert (row.status, row.paused, row.paused_until) == (F, False, None)


def test_a_recurring_batch_skips_what_cannot_be_stopped(night: Night, operations: Operations) -> None:
    ids = {night.instance(status, status): status for status in Status}
    record = operations.apply(operations.plan("stop", Selection.of(ids)))
    assert record.state is State.DONE
    assert {ids[item.id]: item.outcome for item in record.items} == {
        status: Outcome.OK if status in {W, T, R, RUN} else Outcome.SKIPPED for status in Status
    }


def test_a_recurring_batch_in_which_nothing_can_be_stopped_is_refused(night: Night, operations: Operations) -> None:
    assert stop(operations, *(night.instance(status, status) for status in (N, S, F))) is State.REFUSED


@pytest.mark.parametrize("offender", [N, S])
def test_a_backfill_batch_is_refused_for_what_has_not_run_or_has_succeeded(
    night: Night, operations: Operations, offender: Status
) -> None:
    runs = night.instance("runs", RUN, origin=Origin.BACKFILL)
    offends = night.instance("done", offender, origin=Origin.BACKFILL)
    plan = operations.plan("stop", Selection.of([runs, offends]))
    assert plan.acts == ()
    assert plan.offenders == (offends,)
    reasons = [reason for reason, _ in plan.reasons(Outcome.REFUSED)]
    assert any("deselect done" in reason for reason in reasons)
    assert plan.command_without_offenders.endswith(f"_{runs}")
    assert operations.apply(plan).state is State.REFUSED
    assert night.row(runs).status == RUN

    again = operations.plan("stop", plan.selection.less(plan.offenders))
    assert operations.apply(again).state is State.DONE


def test_a_failed_row_does_not_block_a_backfill_batch(night: Night, operations: Operations) -> None:
    runs, failed = (night.instance(status, status, origin=Origin.BACKFILL) for status in (RUN, F))
    record = operations.apply(operations.plan("stop", Selection.of([runs, failed])))
    assert {item.id: (item.outcome, item.reason) for item in record.items} == {
        runs: (Outcome.OK, ""),
        failed: (Outcome.SKIPPED, "Failed: nothing to stop"),
    }


def test_many_offenders_are_counted(night: Night, operations: Operations) -> None:
    ids = [night.instance(f"t{number}", S, origin=Origin.BACKFILL) for number in range(5)]
    plan = operations.plan("stop", Selection.of([night.instance("runs", RUN, origin=Origin.BACKFILL), *ids]))
    assert any("deselect t0, t1, t2 and 2 more" in reason for reason, _ in plan.reasons(Outcome.REFUSED))


def test_the_preview_names_the_work_that_would_be_killed(night: Night, operations: Operations) -> None:
    ids = [night.instance(status, status) for status in (RUN, W)]
    plan = operations.plan("stop", Selection.of(ids))
    assert plan.killed == (ids[0],)
    assert not plan.is_mild
