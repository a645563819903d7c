"""Section 7: backfills from the form to the last instance, the turns of their data timestamps, and saved flows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, time
from itertools import count, pairwise
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text

from dpconsole.core.domain.backfill_form import BackfillForm, Handling, Mode, Offsets, Periodic
from dpconsole.core.domain.backfills import BackfillState, Recurrence
from dpconsole.core.domain.definitions import Dependency, Environment, Method, Schedule, ThrottlingRule
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine import backfilling
from dpconsole.core.engine.backfilling import Submission, create_flow, make_periodic, submit
from dpconsole.core.engine.diagnosis import explain as diagnose
from dpconsole.core.engine.why import Moment, count_reasons, explain
from dpconsole.core.operations.selection import Selection
from dpconsole.core.store.backfill_sql import change, exclude, regroup
from dpconsole.core.store.errors import StoreError
from dpconsole.core.store.session import Store
from tests.checker import check
from tests.nights import EVENING, MINUTE, ByHand, Night, every, fails, node, on, on_itself, table, task
from tests.weather import refuse_statement

SUCCEEDED, FAILED, NOT_RUNNING = Status.SUCCEEDED, Status.FAILED, Status.NOT_RUNNING
FIRST = date(2026, 11, 1)


class Stay(NamedTuple):
    """From when to when a data timestamp had something running, by the journal; UTC milliseconds."""

    queue: int
    position: int
    day: int
    start: int
    end: int


def stays(night: Night) -> list[Stay]:
    """Every data timestamp in which something ran, in the order of queue and position."""
    found: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for row in asked(
        night,
        "SELECT queue, position, d.business_date AS day, t.id AS entry FROM transition t"
        " JOIN instance i ON i.id = t.instance_id JOIN backfill_date d ON d.id = i.backfill_date_id"
        " WHERE 'RUNNING' IN (t.before, t.after) ORDER BY t.id",
    ):
        found[row.queue, row.position, int(row.day[-2:])].append(row.entry)
    return [Stay(*place, min(entries), max(entries)) for place, entries in sorted(found.items())]


def asked(night: Night, query: str) -> Any:
    with night.store.read() as connection:
        return connection.execute(text(query)).all()


def dates(night: Night) -> Mapping[int, str]:
    """The state of every data timestamp, by its day of the month."""
    rows = asked(night, "SELECT business_date, state FROM backfill_date ORDER BY business_date")
    return {int(row.business_date[-2:]): row.state for row in rows}


def date_id(night: Night, day: int) -> int:
    return int(asked(night, f"SELECT id FROM backfill_date WHERE business_date LIKE '%-{day:02}'")[0].id)


def state(night: Night) -> tuple[str, str]:
    """The state of the one backfill, and its error."""
    ((state, error),) = asked(night, "SELECT state, error FROM backfill")
    return state, error


# --- turns ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("groups", [1, 2, 5])
def test_no_two_data_timestamps_of_a_queue_overlap_and_the_order_holds(
    sqlite_store: Store, groups: int, ascending: bool
) -> None:
    night = Night(sqlite_store, task("a"), task("b", "a"), task("c", "a"), slots=3)
    night.backfill("a", first=FIRST, days=7, groups=groups, ascending=ascending)
    night.run()
    ran = stays(night)
    assert len(ran) == 7
    for one, after in pairwise(ran):
        if one.queue == after.queue:
            assert one.end <= after.start, "the next begins with the end of the one before it"
            assert (one.day < after.day) is ascending
    assert len({stay.queue for stay in ran}) == groups
    assert set(dates(night).values()) == {"done"}


def test_groups_run_side_by_side(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    night.backfill("a", first=FIRST, days=4, groups=2)
    assert night.run().now == EVENING + 2 * MINUTE
    assert night.start_times("a") == [EVENING, EVENING, EVENING + MINUTE, EVENING + MINUTE]


def test_a_failed_data_timestamp_holds_its_queue_alone_until_it_is_rerun(store: Store) -> None:
    night = Night(store, task("a", simulate=fails(1)))
    night.backfill("a", first=FIRST, days=6, groups=2)
    night.run()
    assert dates(night) == {1: "begun", 2: "begun", 3: "waiting", 4: "waiting", 5: "waiting", 6: "waiting"}
    night.act("rerun", "a@2026-11-03T00:00")
    night.run()
    assert dates(night) == {1: "begun", 2: "done", 3: "waiting", 4: "begun", 5: "waiting", 6: "waiting"}


def test_a_rerun_of_what_failed_lets_the_queue_go_on_to_its_end(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", simulate=fails(1)))
    night.backfill("a", first=FIRST, days=3)
    for day in (2, 3, 4):
        night.run()
        night.act("rerun", f"a@2026-11-{day:02}T00:00")
    night.run()
    assert set(dates(night).values()) == {"done"}


def test_setting_to_success_releases_the_queue_with_the_next_tick(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", simulate=fails()))
    night.backfill("a", first=FIRST, days=2)
    night.run()
    night.act("set-success", "a@2026-11-02T00:00")
    night.tick()
    assert dates(night) == {1: "done", 2: "begun"}
    assert night.status("a@2026-11-03T00:00") is Status.RUNNING


def test_what_is_rerun_after_it_was_done_holds_what_has_not_begun(sqlite_store: Store) -> None:
    executor = ByHand()
    night = Night(sqlite_store, task("a"), executor=executor)
    night.backfill("a", first=FIRST, days=3)
    night.tick()
    finish(night, executor)
    night.act("rerun", "a@2026-11-02T00:00")
    night.tick()
    assert dates(night) == {1: "done", 2: "begun", 3: "waiting"}
    finish(night, executor, of=2)
    assert dates(night) == {1: "begun", 2: "done", 3: "waiting"}
    finish(night, executor, of=1)
    assert dates(night) == {1: "done", 2: "done", 3: "begun"}


def finish(night: Night, executor: ByHand, of: int | None = None) -> None:
    """The last order, or that of a data timestamp, succeeds a minute later."""
    orders = [order for order in executor.orders if of is None or order.business_date.endswith(f"{of:02}")]
    night.clock.advance_to(night.clock.now() + MINUTE)
    executor.report(orders[-1], night.clock.now())
    night.tick()


def test_a_data_timestamp_without_instances_is_done_at_once(sqlite_store: Store) -> None:
    begun = Schedule(effective_from=date(2026, 11, 4))
    night = Night(sqlite_store, task("a", schedule=begun))
    night.backfill("a", first=FIRST, days=4)
    night.tick()
    assert dates(night) == {1: "done", 2: "done", 3: "begun", 4: "waiting"}


def test_dry_runs_and_tables_hand_on_in_one_tick(sqlite_store: Store) -> None:
    whole = table("t", node("n", "f"), method=Method.DRY_RUN)
    night = Night(sqlite_store, task("a", method=Method.DRY_RUN), whole)
    night.backfill("a", "t", first=FIRST, days=3, dry_run_tasks=Handling.KEEP)
    night.tick()
    assert set(dates(night).values()) == {"done"}
    assert {row.status for row in asked(night, "SELECT status FROM instance WHERE name = 't'")} == {SUCCEEDED}


def test_without_backfills_a_pass_begins_nothing(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    night.tick()
    rev = sqlite_store.rev()
    night.tick()
    assert sqlite_store.rev() == rev


# --- what is made -----------------------------------------------------------------------------------------------------


def test_instances_wait_for_their_own_backfill_alone(store: Store) -> None:
    """b waits for a, which is outside; c waits for b of the same data timestamp."""
    night = Night(store, task("a"), task("b", "a"), task("c", "b"))
    night.generate(FIRST)
    night.backfill("b", first=FIRST)
    night.tick()
    rows = asked(
        night, "SELECT name, origin, pending, autonomous FROM instance WHERE backfill_id IS NOT NULL ORDER BY id"
    )
    assert [(row.name, row.origin, row.pending) for row in rows] == [("b", "backfill", 0), ("c", "backfill", 1)]
    night.run()
    assert set(dates(night).values()) == {"done"}


def test_a_task_that_waits_for_itself_keeps_the_order(sqlite_store: Store) -> None:
    """Descending order is not kept then, and one data timestamp waits for another across the queues (10.4)."""
    night = Night(sqlite_store, task("a", on_itself()))
    night.backfill("a", first=FIRST, days=4, groups=4, ascending=False)
    night.run()
    assert night.start_times("a") == [EVENING + n * MINUTE for n in range(4)]
    assert asked(night, "SELECT ascending FROM backfill")[0].ascending


def test_only_what_is_due_in_the_hour_window_is_made(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", schedule=every(hours=6)), timezone="Asia/Shanghai")
    night.backfill("a", first=FIRST, hours=(time(6), time(12)))
    night.tick()
    assert night.points() == ["a@2026-11-02T06:00", "a@2026-11-02T12:00"]
    assert [row.ordinal for row in asked(night, "SELECT ordinal FROM instance ORDER BY id")] == [2, 3]


def test_in_development_a_backfill_runs_because_it_is_by_hand(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"), environment=Environment.DEV)
    night.backfill("a", first=FIRST, environment=Environment.DEV)
    night.run()
    assert night.status("a") is SUCCEEDED


@pytest.mark.parametrize(
    ("method", "asked_for", "flags"),
    [
        (Method.PAUSED, {}, (False, False)),
        (Method.PAUSED, {"paused_tasks": Handling.KEEP}, (True, False)),
        (Method.DRY_RUN, {}, (False, False)),
        (Method.DRY_RUN, {"dry_run_tasks": Handling.KEEP}, (False, True)),
        (Method.NORMAL, {"dry_run_start": True}, (False, True)),
    ],
)
def test_paused_and_dry_run_tasks_are_handled_as_asked(
    sqlite_store: Store, method: Method, asked_for: dict[str, Any], flags: tuple[bool, bool]
) -> None:
    night = Night(sqlite_store, task("a", method=method))
    night.backfill("a", mode=Mode.CURRENT, first=FIRST, **asked_for)
    night.tick()
    row = night.row("a")
    assert (row.paused, row.dry_run) == flags


def test_chosen_fields_make_only_the_nodes_that_carry_them(sqlite_store: Store) -> None:
    whole = table("t", node("n", "f"), node("m", "g"))
    night = Night(sqlite_store, whole, task("c", on("t", fields=("f",))))
    night.backfill("t", first=FIRST, fields=("f",))
    night.run()
    assert night.statuses() == {"t": SUCCEEDED, "n": SUCCEEDED, "c": SUCCEEDED}


def test_parameters_of_the_form_replace_those_of_the_task(sqlite_store: Store) -> None:
    executor = ByHand()
    night = Night(sqlite_store, task("a", parameters=(("x", "1"), ("y", "2"))), executor=executor)
    night.backfill("a", first=FIRST, parameters=(("x", "8"), ("z", "9")), task_parameters=(("p.a", "z", "10"),))
    night.generate()
    night.tick("00:00")
    given = {order.business_date: dict(order.work.parameters) for order in executor.orders}
    assert given == {"2026-11-01": {"x": "8", "y": "2", "z": "10"}, "2026-11-19": {"x": "1", "y": "2"}}


def test_backfills_are_throttled_as_such(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"), throttling=(ThrottlingRule("few", 1, origin="backfill"),))
    night.generate()
    night.backfill("a", first=FIRST, days=3, groups=3)
    night.tick("00:00")
    running = asked(night, "SELECT origin, status FROM instance ORDER BY id")
    assert sorted(map(tuple, running)) == [
        ("backfill", "RUNNING"), ("backfill", "THROTTLED"), ("backfill", "THROTTLED"), ("recurring", "RUNNING"),
    ]  # fmt: skip


# --- submission -------------------------------------------------------------------------------------------------------

WITH_EDGES = (task("a", on_itself()), task("b", "a"), table("t", node("n", "f", after=(Dependency(task="p.b"),))))


def rows_and_edges(night: Night) -> tuple[Any, Any]:
    rows = "SELECT task_key, name, business_date, ordinal, pending, status FROM instance ORDER BY 3, 1, 2"
    edges = (
        "SELECT d.name, d.business_date, requirement, u.name, u.business_date FROM instance_dependency"
        " JOIN instance d ON d.id = downstream_id JOIN instance u ON u.id = upstream_id ORDER BY 2, 1, 3"
    )
    return asked(night, rows), asked(night, edges)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfilling, "CHUNK", 5)


@pytest.mark.usefixtures("small_chunks")
def test_two_submissions_that_take_turns_make_what_one_makes(store: Store) -> None:
    night = Night(store, *WITH_EDGES)
    id = night.backfill("a", first=FIRST, days=6)
    one, other = Submission(store, night.clock, id), Submission(store, night.clock, id)
    while one.go_on() and other.go_on():
        pass
    assert (one.state, other.state) != (BackfillState.SUBMITTING, BackfillState.SUBMITTING)
    first = rows_and_edges(night)
    again = night.backfill("a", first=FIRST, days=6)
    assert submit(store, night.clock, again) is BackfillState.SUBMITTED
    twice = rows_and_edges(night)
    assert [len(some) for some in twice] == [2 * len(some) for some in first]
    assert [list(some)[::2] for some in twice] == [list(some) for some in first]


@pytest.mark.usefixtures("small_chunks")
def test_what_was_broken_off_is_gone_on_with_by_the_engine(sqlite_store: Store) -> None:
    night = Night(sqlite_store, *WITH_EDGES)
    id = night.backfill("a", first=FIRST, days=6)
    assert Submission(sqlite_store, night.clock, id).go_on()
    assert asked(night, "SELECT count(*) AS n FROM backfill_date WHERE made")[0].n == 2
    night.restart()
    night.run()
    assert state(night) == ("submitted", "")
    assert set(dates(night).values()) == {"done"}


@pytest.mark.usefixtures("small_chunks")
def test_whichever_statement_fails_the_engine_goes_on_with_what_is_committed(sqlite_store: Store) -> None:
    night = Night(sqlite_store, *WITH_EDGES)
    night.backfill("a", first=FIRST, days=12)
    for number in count():
        with refuse_statement(sqlite_store, number) as seen, suppress(StoreError):
            night.tick()
        assert check(sqlite_store) == []
        if len(seen) <= number:
            break
    assert number > 20
    broken = rows_and_edges(night)
    night.run()
    submit(sqlite_store, night.clock, night.backfill("a", first=FIRST, days=12))
    assert [len(some) for some in rows_and_edges(night)] == [2 * len(some) for some in broken]


@pytest.mark.usefixtures("small_chunks")
def test_progress_is_told_and_a_second_submission_changes_nothing(sqlite_store: Store) -> None:
    night = Night(sqlite_store, *WITH_EDGES)
    id = night.backfill("a", first=FIRST, days=5)
    told: list[tuple[int, int]] = []
    submit(sqlite_store, night.clock, id, lambda made, total: told.append((made, total)))
    assert told == [(2, 5), (4, 5), (5, 5)]
    rev = sqlite_store.rev()
    assert submit(sqlite_store, night.clock, id) is BackfillState.SUBMITTED
    assert sqlite_store.rev() == rev


def test_the_gate_opens_only_for_the_first_of_each_queue(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    submit(sqlite_store, night.clock, night.backfill("a", first=FIRST, days=4, groups=2))
    assert [bool(row.autonomous) for row in asked(night, "SELECT autonomous FROM instance ORDER BY business_date")] == [
        True, True, False, False,
    ]  # fmt: skip


# --- to be submitted --------------------------------------------------------------------------------------------------


def test_a_scheduled_backfill_is_submitted_when_its_time_has_come(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    night.backfill("a", first=FIRST, at=night.moment("03:00"))
    night.tick()
    assert (state(night), night.points()) == (("waiting", ""), [])
    night.run()
    assert night.start_times("a") == [night.moment("03:00")]


def test_while_it_is_paused_time_does_nothing_and_then_it_is_submitted_at_once(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    id = night.backfill("a", first=FIRST, at=night.moment("03:00"))
    to_state(night, id, BackfillState.PAUSED)
    night.run(until="04:00")
    assert state(night) == ("paused", "")
    to_state(night, id, BackfillState.WAITING)
    night.run()
    assert night.start_times("a") == [night.moment("04:00")]


def test_a_submission_that_fails_says_why_and_may_be_tried_again(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    id = night.backfill("a", first=FIRST, at=night.moment("03:00"))
    night.load(task("a", method=Method.ONE_TIME))
    night.run()
    failed, error = state(night)
    assert failed == "failed"
    assert error.startswith("no task is left to run (p.a: ")
    night.load(task("a"))
    to_state(night, id, BackfillState.SUBMITTING)
    night.run()
    assert state(night) == ("submitted", "")
    assert night.status("a") is SUCCEEDED


def to_state(night: Night, id: int, state: BackfillState) -> None:
    with night.store.write() as transaction:
        change(transaction, id, state=state)


def periodic(night: Night, recurrence: Recurrence = Recurrence.DAILY, at: time = time(3), **days: Any) -> None:
    """A saved flow: the last two data timestamps of a, on every run day."""
    when = Periodic(recurrence, at, **days)
    form = BackfillForm(("p.a",), name="again", offsets=(Offsets(2, 1),), periodic=when)
    with night.store.write() as transaction:
        create_flow(transaction, form, "lin", night.clock.now())


def pending(night: Night) -> list[tuple[str, str, str]]:
    rows = asked(night, "SELECT name, state, run_day FROM backfill ORDER BY id")
    return [tuple(row) for row in rows]


def test_a_periodic_backfill_is_made_at_23_the_day_before_and_submitted_when_due(store: Store) -> None:
    night = Night(store, task("a"))
    periodic(night)
    assert make_periodic(store, night.clock) == [], "the flow is younger than this run day's backfills"
    night.run(until="22:59")
    assert make_periodic(store, night.clock) == []
    night.run(until="23:00")
    assert len(make_periodic(store, night.clock)) == 1
    assert make_periodic(store, night.clock) == []
    assert pending(night) == [("again_20261121", "waiting", "2026-11-21")]
    night.run()
    assert night.clock_of(night.start_times("a")[0] or 0) == "2026-11-21T03:00"
    assert dates(night) == {19: "done", 20: "done"}


def test_missed_run_days_are_made_up_for_and_other_days_are_none_of_a_weekly_flow(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    periodic(night, Recurrence.WEEKLY, weekdays=(1, 6))  # 2026-11-21 is a Saturday
    night.run(until="2026-11-29T12:00")
    make_periodic(sqlite_store, night.clock)
    assert [day for _, _, day in pending(night)] == ["2026-11-21", "2026-11-23", "2026-11-28"]


# --- changed in flight ------------------------------------------------------------------------------------------------


def places(night: Night) -> list[tuple[int, int, str]]:
    """(day, queue, state) in the order of queue and turn."""
    query = "SELECT business_date, queue, state FROM backfill_date ORDER BY queue, position"
    return [(int(row.business_date[-2:]), row.queue, row.state) for row in asked(night, query)]


def test_more_groups_begin_at_once_with_the_next_in_order(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    id = night.backfill("a", first=FIRST, days=6)
    night.tick()
    with sqlite_store.write() as transaction:
        regroup(transaction, id, 3, night.clock.now())
    assert places(night) == [
        (1, 1, "begun"), (4, 1, "waiting"), (2, 2, "begun"), (5, 2, "waiting"), (3, 3, "begun"), (6, 3, "waiting"),
    ]  # fmt: skip
    assert night.run().now == EVENING + 2 * MINUTE


def test_fewer_groups_begin_nothing_before_all_in_flight_are_done(sqlite_store: Store) -> None:
    executor = ByHand()
    night = Night(sqlite_store, task("a"), executor=executor)
    id = night.backfill("a", first=FIRST, days=5, groups=3)
    night.tick()
    with sqlite_store.write() as transaction:
        regroup(transaction, id, 1, night.clock.now())
    for day in (1, 3):
        finish(night, executor, of=day)
        assert dates(night)[4] == "waiting"
    finish(night, executor, of=2)
    assert dates(night) == {1: "done", 2: "done", 3: "done", 4: "begun", 5: "waiting"}


@pytest.mark.parametrize("groups", [1, 3])
def test_what_one_in_flight_waits_for_goes_before_it_whatever_the_groups(store: Store, groups: int) -> None:
    night = Night(store, task("a", on_itself()), task("b"))
    id = night.backfill("a", "b", first=FIRST, days=7, groups=2)
    submit(store, night.clock, id)
    night.act("pause", "b@2026-11-03T00:00")
    night.run()
    assert dates(night) == {1: "done", 2: "begun", 3: "done", 4: "waiting", 5: "begun", 6: "waiting", 7: "waiting"}
    verbs, folder = night.operations(), Selection.of_rows([TreeId(Layer.BACKFILL, id)])
    verbs.apply(verbs.plan("concurrency", folder, {"to": str(groups)}))
    night.act("resume", "b@2026-11-03T00:00")
    night.run()
    assert set(dates(night).values()) == {"done"}


def test_an_excluded_data_timestamp_never_runs_and_nobody_waits_for_it(store: Store) -> None:
    night = Night(store, task("a", on_itself()))
    night.backfill("a", first=FIRST, days=4)
    night.tick()
    with store.write() as transaction:
        assert exclude(transaction, [date_id(night, 1), date_id(night, 3)]) == {date_id(night, 3)}
    night.run()
    assert dates(night) == {1: "done", 2: "done", 3: "excluded", 4: "done"}
    assert night.status("a@2026-11-04T00:00") is NOT_RUNNING


# --- why it waits -----------------------------------------------------------------------------------------------------


def why(night: Night, name: str) -> str:
    with night.store.read() as connection:
        return explain(connection, night.id(name), Moment(night.clock.now(), night.zone))


def test_an_instance_says_that_its_data_timestamp_waits_and_behind_which(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", simulate=fails()))
    id = night.backfill("a", first=FIRST, days=5, groups=2)
    night.tick()
    turn = "its data timestamp waits for its turn: queue"
    assert why(night, "a@2026-11-05T00:00") == f"{turn} 2, behind 2026-11-02"
    night.run()
    assert why(night, "a@2026-11-06T00:00") == f"{turn} 1, behind 2026-11-01, which has failed and 1 more that waits"
    with sqlite_store.write() as transaction:
        exclude(transaction, [date_id(night, 5)])
        change(transaction, id, state=BackfillState.SUBMITTED)
    assert why(night, "a@2026-11-06T00:00").startswith("its data timestamp was left out of the backfill")


def test_what_was_left_out_is_said_to_be_left_out_and_not_to_wait(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    night.backfill("a", first=FIRST, days=2)
    night.tick()
    with sqlite_store.write() as transaction:
        exclude(transaction, [date_id(night, 2)])
    night.run()
    found = diagnose(sqlite_store, night.clock, night.id("a@2026-11-03T00:00"))
    assert found is not None
    assert found.eta.words == "will not start before it is forced to run"
    with sqlite_store.read() as connection:
        assert count_reasons(connection) == {"its data timestamp was left out of the backfill": 1}


def test_its_diagnosis_names_the_turn_and_promises_no_end(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", simulate=fails()), task("b", "a"))
    night.backfill("a", first=FIRST, days=2)
    night.run()
    found = diagnose(sqlite_store, night.clock, night.id("a@2026-11-03T00:00"))
    assert found is not None
    assert found.eta.at is None
    assert found.eta.words == "will not start before it has its turn in the backfill"
    assert "behind 2026-11-01, which has failed" in found.summary
    with sqlite_store.read() as connection:
        assert count_reasons(connection) == {"its data timestamp waits for its turn": 2, "an upstream failed": 1}
