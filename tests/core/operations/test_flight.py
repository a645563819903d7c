"""Flight plans: what a backfill would make, on which data timestamps, by when, whom it disturbs - and creating it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, time
from itertools import count
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.definitions import (
    Baseline,
    Cycle,
    DependencyCycle,
    Environment,
    Method,
    Origin,
    ResourceGroup,
    Role,
    RunConfig,
    Schedule,
    Simulation,
    Task,
    ThrottlingRule,
)
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.backfills import DRIFTED, NO_LONGER_ALLOWED, Backfills
from dpconsole.core.operations.flight import FlightPlan, Standing, Superseded
from dpconsole.core.operations.records import Outcome, State
from dpconsole.core.store.errors import StoreReadOnly
from dpconsole.core.store.models import Backfill, BackfillDate, BackfillFlow, Base, Instance, Member
from dpconsole.core.store.session import Store
from tests.nights import BUSINESS_DATE, Night, fails, node, on, on_itself, table, task

HOURLY = Schedule(Cycle.HOUR, interval=60)
WEEKLY = Schedule(Cycle.WEEK, at=(time(3, 0),), weekdays=(5,))
"""On Fridays; on every other day a placeholder, which is an instance too."""

WEEK = "2026-11-12..2026-11-18"


def takes(seconds: float) -> Simulation:
    return Simulation(duration=(seconds, seconds), fail_rate=0.0)


class Desk:
    """Definitions in a store at 23:00 on the evening before the run day, and an operator called lin."""

    def __init__(self, store: Store, *tasks: Task, **limits: Any) -> None:
        self.night = Night(store, *tasks, **limits)
        self.store = store
        self.clock: VirtualClock = self.night.clock
        self.keys = count(1)
        self.backfills = Backfills(store, self.clock, Actor("lin", "test"), lambda: f"key {next(self.keys)}")

    def plan(self, start: str, range: str = WEEK, downstream: str = "all", **answers: str) -> FlightPlan:
        named = {name.replace("_", "-"): answer for name, answer in answers.items()}
        return self.backfills.plan({"task": start, "range": range, "downstream": downstream} | named)

    def counts(self) -> dict[str, int]:
        """How many rows every table has."""
        with self.store.read() as connection:
            tables = Base.metadata.sorted_tables
            return {one.name: connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables}

    def instances(self, *conditions: Any) -> int:
        """Listed instances of backfills."""
        ours = select(func.count()).where(Instance.origin == Origin.BACKFILL, Instance.listing != "", *conditions)
        with self.store.read() as connection:
            return connection.execute(ours).scalar_one()


NewDesk = Callable[..., Desk]


@pytest.fixture
def desk(sqlite_store: Store) -> Iterator[NewDesk]:
    yield lambda *tasks, **limits: Desk(sqlite_store, *tasks, **limits)


# --- what it makes ----------------------------------------------------------------------------------------------------


def test_instances_are_counted_by_layer_by_task_and_by_data_timestamp(desk: NewDesk) -> None:
    plan = desk(task("a"), task("h", "a", schedule=HOURLY), task("w", "a", schedule=WEEKLY), task("e", "h")).plan("a")
    assert [(one.level, one.tasks, one.instances) for one in plan.layers] == [(0, 1, 7), (1, 2, 7 * 25), (2, 1, 7)]
    assert {one.name: one.instances for one in plan.tasks} == {"a": 7, "h": 168, "w": 7, "e": 7}
    assert plan.instances == sum(mark.instances for mark in plan.strip) == 189
    assert {mark.instances for mark in plan.strip} == {27}
    assert plan.may_go


@pytest.mark.parametrize(("hours", "hourly"), [("00:00-23:59", 24), ("00:00-05:59", 6), ("06:00-06:00", 1)])
def test_the_hour_window_narrows_hourly_tasks_alone(desk: NewDesk, hours: str, hourly: int) -> None:
    plan = desk(task("a", at="12:00"), task("h", "a", schedule=HOURLY)).plan("a", "T-1", hours=hours)
    assert {one.name: one.instances for one in plan.tasks} == {"a": 1, "h": hourly}


def test_what_is_planned_is_what_is_made(desk: NewDesk) -> None:
    here = desk(
        task("a", at="12:00"),
        task("h", "a", schedule=HOURLY),
        table("t", node("n1", "x", after=[on("h")]), node("n2", "y")),
        task("w", "t", schedule=WEEKLY),
    )
    plan = here.plan("a", hours="03:00-08:00", groups="2")
    here.backfills.create(plan)
    assert here.instances() == plan.instances == 7 * (1 + 6 + 1 + 1)
    for mark in plan.strip:
        assert here.instances(Instance.business_date == str(mark.day)) == mark.instances


def test_data_timestamps_are_dealt_to_queues_in_order(desk: NewDesk) -> None:
    here = desk(task("a"))
    plan = here.plan("a", "2026-11-15..2026-11-19", groups="2", order="desc")
    assert [[day.day for day in queue] for queue in plan.queues] == [[19, 17, 15], [18, 16]]
    assert [(mark.day.day, mark.queue, mark.position) for mark in plan.strip] == [
        (15, 0, 2),
        (16, 1, 1),
        (17, 0, 1),
        (18, 1, 0),
        (19, 0, 0),
    ]


def test_the_strip_says_how_the_start_stands(desk: NewDesk) -> None:
    here = desk(task("a", simulate=Simulation(duration=(60, 60), fail=(("2026-11-18", -1),))), task("b"))
    here.night.generate(date(2026, 11, 17), BUSINESS_DATE)
    here.night.run(until="2026-11-19T23:30")
    plan = here.plan("a", "2026-11-16..2026-11-20")
    assert [mark.standing for mark in plan.strip] == [
        Standing.MISSING,
        Standing.SUCCEEDED,
        Standing.FAILED,
        Standing.RUNNING,
        Standing.MISSING,
    ]
    assert [sum(mark.counts.values()) for mark in plan.strip] == [0, 1, 1, 1, 0]


def test_chosen_fields_come_with_what_they_require(desk: NewDesk) -> None:
    plan = desk(table("t", node("n1", "x", "y"), node("n2", "z"))).plan("t", downstream="none", fields="x")
    assert plan.required == {"y": "n1"}
    assert plan.tasks[0].nodes == ("n1",)


# --- by when ----------------------------------------------------------------------------------------------------------


def lately(*tasks: Task, **limits: Any) -> Callable[[NewDesk], Desk]:
    """Tasks that have run once."""

    def make(desk: NewDesk) -> Desk:
        here = desk(*tasks, **limits)
        here.night.generate(date(2026, 11, 18))
        here.night.run(until="2026-11-19T23:10")
        return here

    return make


def minutes(plan: FlightPlan) -> float:
    assert plan.estimate is not None
    return (plan.estimate.ends_at - plan.estimate.begins_at) / 60_000


CHAIN = (
    task("a", simulate=takes(60)),
    task("b", "a", simulate=takes(120)),
    task("c", "a", simulate=takes(30)),
)


@pytest.mark.parametrize(("groups", "expected"), [("1", 7 * 3), ("2", 4 * 3), ("7", 3), ("100", 3)])
def test_the_longest_path_one_after_the_other_in_every_queue(desk: NewDesk, groups: str, expected: int) -> None:
    plan = lately(*CHAIN)(desk).plan("a", groups=groups)
    assert minutes(plan) == expected
    assert plan.estimate is not None
    assert (plan.estimate.longest_ms, plan.estimate.unknown) == (180_000, 0)


def test_all_the_work_goes_through_the_slots(desk: NewDesk) -> None:
    here = lately(task("a", simulate=takes(60)), *(task(f"b{n}", "a", simulate=takes(60)) for n in range(5)), slots=2)(
        desk
    )
    assert minutes(here.plan("a", groups="7")) == 7 * 6 / 2
    assert minutes(here.plan("a", "2026-11-18")) == 3


def test_a_throttling_rule_for_backfills_is_as_narrow(desk: NewDesk) -> None:
    rule = ThrottlingRule("backfills", 1, origin=Origin.BACKFILL)
    assert minutes(lately(*CHAIN, throttling=(rule,))(desk).plan("a", groups="7")) == 7 * 3.5


def test_a_task_that_waits_for_itself_runs_its_hours_in_a_row(desk: NewDesk) -> None:
    here = lately(task("h", on_itself(), schedule=Schedule(Cycle.HOUR, interval=360), simulate=takes(60)))(desk)
    assert minutes(here.plan("h", "2026-11-10")) == 4


def test_what_is_dry_or_never_ran_takes_no_time(desk: NewDesk) -> None:
    here = lately(*CHAIN)(desk)
    assert minutes(here.plan("a", "2026-11-18", dry_run_start="yes")) == 2
    here.night.load(*CHAIN, task("new", "b"))
    plan = here.plan("a", "2026-11-18")
    assert minutes(plan) == 3
    assert plan.estimate is not None
    assert plan.estimate.unknown == 1


def test_data_timestamps_to_come_wait_for_their_time(desk: NewDesk) -> None:
    here = lately(task("a", at="03:00", simulate=takes(60)))(desk)
    plan = here.plan("a", "2026-11-19..2026-11-20")
    assert plan.estimate is not None
    assert plan.estimate.ends_at == here.night.moment("2026-11-21T03:01")
    assert plan.warnings == ("2 data timestamps still to come: the instances wait for their time",)


def test_it_begins_when_it_is_submitted(desk: NewDesk) -> None:
    here = desk(task("a"))
    for answers, begins in (
        ({"at": "06:00"}, "06:00"),
        ({"every": "daily", "at": "06:00"}, "2026-11-21T06:00"),
        ({"every": "weekly", "on": "fri", "at": "06:00"}, "2026-11-27T06:00"),
        ({"every": "monthly", "on": "last", "at": "06:00"}, "2026-11-30T06:00"),
    ):
        plan = here.plan("a", "T-1", **answers)
        assert plan.estimate is not None
        assert plan.estimate.begins_at == here.night.moment(begins)


def test_the_data_timestamps_of_a_periodic_one_are_those_of_its_first_run(desk: NewDesk) -> None:
    plan = desk(task("a")).plan("a", "T-2..T-1", every="daily", at="06:00")
    assert [str(mark.day) for mark in plan.strip] == ["2026-11-19", "2026-11-20"]


# --- whom it disturbs -------------------------------------------------------------------------------------------------


def test_baselines_that_share_its_slots_are_named(desk: NewDesk) -> None:
    apart = RunConfig(resource_group="apart", reruns=0)
    promises = (
        Baseline("near", ("p.b",), time(0, 10), margin=300),
        Baseline("late", ("p.b",), time(8, 0)),
        Baseline("other", ("p.z",), time(7, 0)),
    )
    groups = (ResourceGroup("apart", 4),)
    here = lately(*CHAIN, task("z", run=apart), baselines=promises, groups=groups, slots=5)(desk)
    plan = here.plan("a", "2026-10-01..2026-10-30", groups="3")
    assert [effect.name for effect in plan.baselines] == ["near", "late"]
    near, late = plan.baselines
    assert (near.committed_at, near.alert_at) == (here.night.moment("00:10"), here.night.moment("00:05"))
    assert [tuple(slots) for slots in near.shared] == [("resource group", "default", 5, 5)]
    assert (minutes(plan), near.ends_before, late.ends_before) == (30, True, True)
    assert not here.plan("a", "2026-09-01..2026-10-30", groups="2").baselines[0].ends_before


def test_a_rule_for_all_origins_is_shared_and_one_for_backfills_is_not(desk: NewDesk) -> None:
    rules = (ThrottlingRule("all", 3, project="p"), ThrottlingRule("ours", 2, origin=Origin.BACKFILL))
    promises = (Baseline("gmv", ("p.b",), time(8, 0)),)
    plan = desk(task("a"), task("b", "a"), baselines=promises, throttling=rules).plan("a")
    assert {slots.name for slots in plan.baselines[0].shared} == {"default", "all"}


DAILY_BEFORE = on("a", cycle=DependencyCycle.PREVIOUS)

WARNINGS = [
    ((task("a"), task("b", DAILY_BEFORE)), {"order": "desc"}, "runs in ascending order: p.b waits for earlier"),
    ((task("a", on_itself()),), {"order": "desc"}, "runs in ascending order: p.a waits for earlier"),
    ((task("a"), task("b", "a", project="p"), task("c", "a", project="q")), {}, "1 task of other projects: q"),
    (
        (task("a"), task("b", "a", method=Method.PAUSED)),
        {"hide_paused": "no"},
        "1 Skip-Execution task will run normally",
    ),
    (
        (task("a"), task("b", "a", method=Method.PAUSED)),
        {"hide_paused": "no", "paused_tasks": "keep"},
        "1 Skip-Execution task will stay paused",
    ),
    ((task("a"), task("b", "a", method=Method.PAUSED), task("c", "b")), {}, "2 tasks left out: paused, or below"),
    ((task("a"), task("b", "a")), {"massive": "yes", "exclude_name": "bb"}, "nothing more is left out by the excluded"),
    ((task("a", parameters=(("x", "1"),)),), {"set": "X=2"}, "no task of these has a parameter X"),
    ((task("a"), task("b", "a")), {"set": "p.b:x=1"}, "p.b has no parameter x"),
    ((task("a"), task("z")), {"set": "p.z:x=1"}, "p.z is not covered: its parameter x changes nothing"),
]


@pytest.mark.parametrize(("tasks", "answers", "warning"), WARNINGS)
def test_a_warning_stops_nobody(desk: NewDesk, tasks: tuple[Task, ...], answers: dict[str, str], warning: str) -> None:
    plan = desk(*tasks).plan("a", "2026-11-01..2026-11-02", **answers)
    assert any(one.startswith(warning) for one in plan.warnings), plan.warnings
    assert plan.may_go


def test_parameters_that_are_declared_or_referred_to_need_no_warning(desk: NewDesk) -> None:
    reads = task("b", "a", run=RunConfig(command=("load", "${ y }", "$[yyyyMMdd]")))
    here = desk(task("a", parameters=(("x", "1"),)), reads, table("t", node("n", "f", after=[on("a")], code="${z}")))
    assert here.plan("a", set="x=2,y=3,z=4,p.b:y=5").warnings == ()


SLIPS = [
    ({"exclude_project": "q"}, "exclude-project", "no task is of project q"),
    ({"include_project": "p,pp"}, "include-project", "no task is of project pp; did you mean p?"),
    ({"exclude_id": "p.aa,99"}, "exclude-id", "no task p.aa; did you mean p.a?; no task 99"),
    ({"set": "p.a:bizdate=20260101"}, "set", "bizdate cannot be set: the data timestamp and the scheduled time say it"),
]


@pytest.mark.parametrize(("answers", "field", "words"), SLIPS)
def test_what_names_nothing_is_a_problem_beside_its_field(
    desk: NewDesk, answers: dict[str, str], field: str, words: str
) -> None:
    plan = desk(task("a")).plan("a", massive="yes", **answers)
    assert [tuple(problem) for problem in plan.problems] == [(field, words)]


def test_descending_order_is_not_kept_where_a_task_waits_for_itself(desk: NewDesk) -> None:
    plan = desk(task("a", on_itself())).plan("a", order="desc")
    assert list(plan.queues[0]) == sorted(plan.queues[0])


def test_another_backfill_of_the_same_is_told_until_it_is_done(desk: NewDesk) -> None:
    here = desk(task("a"), task("b", "a"))
    here.backfills.create(here.plan("a", "2026-11-10..2026-11-12", name="first"))
    assert here.plan("b", "2026-11-11..2026-11-18").warnings == (
        "first (f_1) is not done yet with 1 task of these, on 2 data timestamps",
    )
    with here.store.write() as transaction:
        transaction.execute(update(BackfillDate).values(state="done"))
    assert here.plan("b").warnings == ()


# --- what is not let through ------------------------------------------------------------------------------------------


def test_a_list_takes_two_thousand_tasks(desk: NewDesk) -> None:
    many = (task("s"), *(task(f"t{number}", "s") for number in range(2000)))
    here = desk(*many)
    plan = here.plan("s", "T-1")
    assert [problem.field for problem in plan.problems] == ["downstream"]
    assert "2,001 tasks: the list takes 2,000; use massive mode (--massive)" in plan.problems[0].message
    assert here.plan("s", "T-1", massive="yes").may_go
    assert (
        "200,100 instances; one backfill takes at most 200,000"
        in here.plan("s", "T-100..T-1", massive="yes").problems[0].message
    )


PROBLEMS = [
    ({"range": "2026-11-02", "start": "gone"}, "range", "no instances: the tasks have no scheduled time"),
    ({"only": "other"}, "only", "p.other is not downstream of the start"),
    ({"start": "empty"}, "task", "p.empty: it has no materialization nodes"),
    ({"start": "nobody"}, "task", "no task nobody"),
]


@pytest.mark.parametrize(("answers", "field", "message"), PROBLEMS)
def test_a_plan_with_a_problem_creates_nothing(
    desk: NewDesk, answers: dict[str, str], field: str, message: str
) -> None:
    gone = Schedule(effective_to=date(2020, 1, 1))
    here = desk(task("a"), task("other"), task("gone", schedule=gone), table("empty"))
    before = here.counts()
    plan = here.plan(**({"start": "a"} | answers))
    assert [problem.field for problem in plan.problems] == [field]
    assert message in plan.problems[0].message
    with pytest.raises(ValueError, match=field):
        here.backfills.create(plan)
    assert here.counts() == before


def join(store: Store, project: str, **roles: Role) -> None:
    with store.write() as transaction:
        members = [{"project": project, "user": user, "role": role} for user, role in roles.items()]
        transaction.execute(insert(Member), members)


def test_one_project_without_permission_refuses_the_whole(desk: NewDesk, sqlite_store: Store) -> None:
    here = desk(
        task("a"), task("b", "a", project="p"), task("c", on("a"), project="q"), task("d", on("a"), project="r")
    )
    join(sqlite_store, "p", lin=Role.OPERATOR)
    join(sqlite_store, "q", lin=Role.VIEWER)
    join(sqlite_store, "r", mei=Role.ADMIN)
    plan = here.plan("p.a")
    assert plan.refusals == ("no permission to operate in projects q, r",)
    record = here.backfills.create(plan, "try")
    assert (record.state, record.acts, record.reason) == (State.REFUSED, 0, "try")
    assert here.counts()["backfill"] == 0
    assert here.plan("p.a", only="b").may_go


# --- creating it ------------------------------------------------------------------------------------------------------


def test_creating_enters_what_was_asked_in_the_ledger(desk: NewDesk) -> None:
    here = desk(task("a"))
    record = here.backfills.create(here.plan("a", "-2d..-1d", name="fix"), "disk was full")
    (item,) = record.items
    assert (record.verb, record.kind, record.state, record.reason) == (
        "backfill",
        "backfill",
        State.DONE,
        "disk was full",
    )
    assert record.arguments == {"task": "p.a", "name": "fix", "downstream": "all", "range": "2026-11-17..2026-11-18"}
    assert record.command.endswith("--name=fix --downstream=all --from=2026-11-17 --to=2026-11-18")
    assert (item.key, item.name, item.outcome) == ("f_1", "fix", Outcome.OK)
    assert here.instances() == 2


def test_the_same_plan_creates_once(desk: NewDesk) -> None:
    here = desk(task("a"))
    plan = here.plan("a", "T-1")
    assert here.backfills.create(plan).id == here.backfills.create(plan).id
    assert (here.counts()["backfill"], here.instances()) == (1, 1)
    here.backfills.create(here.plan("a", "T-1"))
    assert here.counts()["backfill"] == 2


def test_a_disk_that_fills_up_afterwards_does_not_hide_what_was_created(
    desk: NewDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreReadOnly("night.db: the disk is full")

    here = desk(task("a"))
    monkeypatch.setattr("dpconsole.core.operations.backfills.submit", full)
    with pytest.raises(StoreReadOnly, match="f_1 is created, and the engine makes the rest of it"):
        here.backfills.create(here.plan("a", "T-1"))
    assert here.counts()["backfill"] == 1


def test_one_for_later_makes_no_instance_yet(desk: NewDesk) -> None:
    here = desk(task("a"))
    here.backfills.create(here.plan("a", "T-1", at="06:00"))
    with here.store.read() as connection:
        row = connection.execute(select(Backfill.state, Backfill.submit_after_at)).one()
    assert (row.state, row.submit_after_at, here.instances()) == ("waiting", here.night.moment("06:00"), 0)


def test_a_periodic_one_is_saved_as_a_flow(desk: NewDesk) -> None:
    here = desk(task("a"))
    record = here.backfills.create(here.plan("a", "T-7..T-1", every="daily", at="06:00", name="weekly"))
    assert (record.kind, record.items[0].key) == ("backfill_flow", "flow_1")
    with here.store.read() as connection:
        assert connection.execute(select(BackfillFlow.name, BackfillFlow.recurrence)).one() == ("weekly", "daily")
    assert here.counts()["backfill"] == 0


def test_what_a_load_has_overtaken_is_looked_at_again(desk: NewDesk) -> None:
    here = desk(task("a"))
    plan = here.plan("a")
    here.night.load(task("a"), task("b", "a"))
    record = here.backfills.create(plan)
    assert (record.state, record.items[0].reason) == (State.REFUSED, DRIFTED)
    assert here.counts()["backfill"] == 0
    assert len(here.plan("a").tasks) == 2


def test_a_permission_taken_in_the_meantime_counts(desk: NewDesk, sqlite_store: Store) -> None:
    here = desk(task("a"))
    plan = here.plan("a")
    join(sqlite_store, "p", mei=Role.ADMIN)
    assert here.backfills.create(plan).items[0].reason == NO_LONGER_ALLOWED
    assert here.counts()["backfill"] == 0


def test_a_plan_that_nobody_waits_for_is_given_up(desk: NewDesk) -> None:
    here = desk(task("a"))
    with pytest.raises(Superseded):
        here.backfills.plan({"task": "a"}, lambda: True)


def test_a_failing_task_is_planned_like_any_other(desk: NewDesk) -> None:
    here = lately(task("a", simulate=fails()), task("b", "a"))(desk)
    plan = here.plan("a", "2026-11-18")
    assert plan.estimate is not None
    assert plan.estimate.unknown == 2
    assert plan.form is not None
    assert plan.form.environment is Environment.PROD
