"""What a workspace file means, key by key; everything not written has its default."""

from __future__ import annotations

import json
from datetime import date, time
from pathlib import Path

import pytest

from dpconsole.core.domain.definitions import (
    ALWAYS,
    LAST_DAY,
    Baseline,
    Cycle,
    Dependency,
    DependencyCycle,
    Environment,
    Field,
    MaterializationNode,
    Method,
    Mode,
    Origin,
    Policy,
    Priority,
    Project,
    ResourceGroup,
    Role,
    RunConfig,
    Schedule,
    Simulation,
    TableKind,
    Task,
    TaskType,
    ThrottlingRule,
    UpstreamKind,
    Workspace,
)

EXAMPLE = (Path(__file__).parent / "example.yaml").read_text(encoding="utf-8")

EXAMPLE_WORKSPACE = Workspace(
    timezone="Asia/Shanghai",
    environment=Environment.PROD,
    projects=(
        Project("trade", "交易", Mode.DEV_PROD, (("lin", Role.ADMIN), ("mei", Role.OPERATOR), ("guest", Role.VIEWER))),
    ),
    resource_groups=(ResourceGroup("default", 16),),
    throttling=(ThrottlingRule("backfills at night", 4, project="trade", origin=Origin.BACKFILL),),
    baselines=(Baseline("gmv_0800", ("trade.ads_gmv",), time(8), 1800.0, Priority.HIGHEST),),
    tasks=(
        Task(
            "trade.ods_orders",
            "trade",
            "ods_orders",
            TaskType.SHELL,
            owner="lin",
            operation_owner="lin",
            schedule=Schedule(at=(time(0, 30),)),
            tags=("gold",),
            folder="/ods/trade",
            run=RunConfig(command=("python", "load.py", "${bizdate}")),
            simulate=Simulation((40.0, 40.0), (("2026-11-19", 1),), 0.0),
        ),
        Task(
            "trade.dws_orders_1h",
            "trade",
            "dws_orders_1h",
            TaskType.MAXCOMPUTE_SQL,
            schedule=Schedule(Cycle.HOUR),
            depends_on=(
                Dependency(task="trade.ods_orders"),
                Dependency(task="trade.ods_events_1h", cycle=DependencyCycle.CURRENT, policy=Policy.NEAREST),
                Dependency(UpstreamKind.SELF, cycle=DependencyCycle.PREVIOUS),
            ),
        ),
        Task(
            "trade.dim_user",
            "trade",
            "dim_user",
            TaskType.LOGICAL_TABLE,
            schedule=Schedule(at=(time(1),)),
            kind=TableKind.DIMENSION,
            fields=(Field("user_id", "bigint", True), Field("city"), Field("ltv", "decimal(18,2)")),
            nodes=(
                MaterializationNode(
                    "dim_user_base",
                    ("user_id", "city"),
                    (Dependency(task="trade.ods_orders"),),
                    "insert overwrite ...",
                ),
                MaterializationNode(
                    "dim_user_ltv", ("user_id", "ltv"), (Dependency(UpstreamKind.NODE, node="dim_user_base"),)
                ),
            ),
        ),
        Task(
            "trade.ads_gmv",
            "trade",
            "ads_gmv",
            TaskType.MAXCOMPUTE_SQL,
            schedule=Schedule(at=(time(2),)),
            depends_on=(
                Dependency(task="trade.dws_orders_1h"),
                Dependency(task="trade.dim_user", fields=("user_id", "ltv")),
            ),
        ),
    ),
)


def test_the_example_loads_exactly(read):
    assert read(EXAMPLE, known=("trade.ods_events_1h",)) == EXAMPLE_WORKSPACE


def test_what_is_not_written_has_its_default(read):
    (task,) = read("tasks: [{id: p.a}]").tasks
    assert task == Task("p.a", "p", "a")


def test_a_key_without_a_value_counts_as_absent(read):
    (task,) = read(
        "tasks:\n  - id: p.a\n    owner:\n    depends_on:\n    schedule: ~\n    run: {timeout: null}\n"
    ).tasks
    assert task == Task("p.a", "p", "a")


SCHEDULES = [
    ("{every: minute, interval: 15m}", Schedule(Cycle.MINUTE, interval=15)),
    (
        '{every: minute, from: "08:00", to: "20:00", interval: 1h30m}',
        Schedule(Cycle.MINUTE, (), time(8), time(20), 90),
    ),
    ("{every: hour}", Schedule(Cycle.HOUR)),
    ("{every: hour, from: 02:15, interval: 4h}", Schedule(Cycle.HOUR, start=time(2, 15), interval=240)),
    ("{every: hour, at: [08:00, 12:30]}", Schedule(Cycle.HOUR, (time(8), time(12, 30)))),
    ("{}", Schedule()),
    ("{at: 00:30}", Schedule(at=(time(0, 30),))),
    ("{at: 12:30}", Schedule(at=(time(12, 30),))),
    ('{every: day, at: "9:05"}', Schedule(at=(time(9, 5),))),
    ("{every: week, on: [mon, Thursday], at: 02:00}", Schedule(Cycle.WEEK, (time(2),), weekdays=(1, 4))),
    ("{every: week, on: sun}", Schedule(Cycle.WEEK, weekdays=(7,))),
    ("{every: month, on: [1, 15, last]}", Schedule(Cycle.MONTH, month_days=(1, 15, LAST_DAY))),
    ("{every: year, on: [06-18, '11-11', 02-29]}", Schedule(Cycle.YEAR, year_days=((6, 18), (11, 11), (2, 29)))),
    ('{cron: "30 2 * * 1-5"}', Schedule(Cycle.WEEK, cron="30 2 * * 1-5")),
    ('{cron: "*/10 * * * *"}', Schedule(Cycle.MINUTE, cron="*/10 * * * *")),
    (
        "{effective: {from: 2026-11-01, to: 2026-11-30}}",
        Schedule(effective_from=date(2026, 11, 1), effective_to=date(2026, 11, 30)),
    ),
]


@pytest.mark.parametrize(("text", "schedule"), SCHEDULES)
def test_a_schedule_says_when_a_task_runs(read, text, schedule):
    (task,) = read(f"tasks:\n  - id: p.a\n    schedule: {text}\n").tasks
    assert task.schedule == schedule


@pytest.mark.parametrize("where", ["schedule: {method: dry_run}", "method: dry_run"])
def test_the_method_stands_in_the_schedule_or_beside_it(read, where):
    (task,) = read(f"tasks:\n  - id: p.a\n    {where}\n").tasks
    assert task.method is Method.DRY_RUN


DEPENDENCIES = [
    ("p.b", Dependency(task="p.b")),
    ("root", Dependency(UpstreamKind.ROOT)),
    ("{task: root}", Dependency(UpstreamKind.ROOT)),
    ("self", Dependency(UpstreamKind.SELF, cycle=DependencyCycle.PREVIOUS)),
    ("{task: self}", Dependency(UpstreamKind.SELF, cycle=DependencyCycle.PREVIOUS)),
    ("{task: p.a, cycle: previous}", Dependency(UpstreamKind.SELF, cycle=DependencyCycle.PREVIOUS)),
    ("{task: self, cycle: last_24h}", Dependency(UpstreamKind.SELF, cycle=DependencyCycle.LAST_24H)),
    (
        "{task: p.b, cycle: last_n_days, days: 7, policy: all}",
        Dependency(task="p.b", cycle=DependencyCycle.LAST_N_DAYS, policy=Policy.ALL, days=7),
    ),
    ("{task: p.b, policy: before, enabled: no}", Dependency(task="p.b", policy=Policy.BEFORE, enabled=False)),
]


@pytest.mark.parametrize(("text", "dependency"), DEPENDENCIES)
def test_a_dependency_is_written_short_or_long(read, text, dependency):
    first, _ = read(f"tasks:\n  - id: p.a\n    depends_on: [{text}]\n  - id: p.b\n").tasks
    assert first.depends_on == (dependency,)


def test_a_single_upstream_needs_no_list(read):
    first, _ = read("tasks:\n  - {id: p.a, depends_on: p.b}\n  - id: p.b\n").tasks
    assert first.depends_on == (Dependency(task="p.b"),)


def test_a_simulation_says_what_happens(read):
    (task,) = read("""\
        tasks:
          - id: p.a
            simulate: {duration: [20s, 2m], fail: {2026-11-19: 2, "*": always}, fail_rate: .5, hang: yes, log: "a\\nb"}
        """).tasks
    assert task.simulate == Simulation((20.0, 120.0), (("2026-11-19", 2), ("*", ALWAYS)), 0.5, True, "a\nb")


def test_words_that_yaml_would_turn_into_something_else_stay_text(read):
    (task,) = read(
        """\
        tasks:
          - id: p.on
            owner: no
            tags: [2024, 1e3, 0x10, on, 2026-11-19]
            description: 10:30
            parameters: {day: 2026-11-19, empty: , "null": "null"}
            run: {command: [sleep, 5, ~]}
        """.replace(", ~", "")
    ).tasks
    assert (task.name, task.owner, task.description) == ("on", "no", "10:30")
    assert task.tags == ("2024", "1e3", "0x10", "on", "2026-11-19")
    assert task.parameters == (("day", "2026-11-19"), ("empty", ""), ("null", "null"))
    assert task.run.command == ("sleep", "5")


HOSTILE = ["[/]", "\x1b]52;c;AAAA\x07", "汉" * 300, "=1+1", "=cmd|'/c calc'!A1", "a.b.c", "../../etc/passwd", "'; --"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_data(read, name):
    (task,) = read(f"tasks: [{{id: {json.dumps('p.' + name)}, owner: {json.dumps(name)}}}]").tasks
    assert (task.id, task.project, task.name, task.owner) == (f"p.{name}", "p", name, name)


def test_several_files_are_one_workspace(read):
    workspace = read(
        "timezone: Asia/Tokyo\nprojects: {p: {title: P}}\ntasks: [{id: p.a, depends_on: [p.b]}]",
        "timezone: Asia/Tokyo\nenvironment: dev\ntasks: [{id: p.b}]",
    )
    assert [task.id for task in workspace.tasks] == ["p.a", "p.b"]
    assert (workspace.timezone, workspace.environment, workspace.projects) == (
        "Asia/Tokyo",
        Environment.DEV,
        (Project("p", "P"),),
    )


def test_tasks_of_an_earlier_load_may_be_upstreams(read):
    (task,) = read("tasks: [{id: p.a, depends_on: [q.b]}]", known=("q.b", "p.c")).tasks
    assert task.depends_on == (Dependency(task="q.b"),)


def test_projects_that_nobody_describes_are_taken_from_the_ids(read):
    assert read("tasks: [{id: p.a}, {id: q.a}, {id: p.b}]").projects == (Project("p"), Project("q"))


def test_a_new_project_may_come_without_a_description(read):
    assert read("tasks: [{id: p.a}, {id: q.a}]", known=("p.b",)).projects == (Project("q"),)


def test_projects_of_an_earlier_load_are_not_described_again(read):
    assert read("tasks: [{id: p.a}]", known=("p.b",)).projects == ()


def test_a_byte_order_mark_is_no_part_of_the_first_key(read):
    assert read("\ufeffversion: 1\ntasks: [{id: p.a}]").tasks == (Task("p.a", "p", "a"),)
