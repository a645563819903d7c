"""Instances of one business date that would wait for each other for ever are refused (RULES.md 10.2 and 10.3)."""

from __future__ import annotations

from datetime import time
from graphlib import CycleError, TopologicalSorter

import pytest
from sqlalchemy import select

from dpconsole.core.domain.definitions import (
    Cycle,
    Dependency,
    DependencyCycle,
    Policy,
    Schedule,
    Task,
    UpstreamKind,
)
from dpconsole.core.store.models import InstanceDependency
from dpconsole.core.store.session import Store
from dpconsole.core.workspace.cycles import dependency_cycles, label
from dpconsole.core.workspace.demo import demo_workspace, starter_workspace
from dpconsole.core.workspace.instance_cycles import instance_cycles
from tests.nights import Night, every, node, on, on_itself, table, task

PREVIOUS = {"cycle": DependencyCycle.PREVIOUS}
LAST_N_DAYS = {"cycle": DependencyCycle.LAST_N_DAYS, "days": 3}
LAST_24H = {"cycle": DependencyCycle.LAST_24H}
FIRST, LAST, NEAREST, BEFORE = ({"policy": policy} for policy in list(Policy)[1:])
ALL = {"policy": Policy.ALL}

HOURLY = every(1)
HALF_PAST = every(1, "00:30")


def sibling(name: str, **more: object) -> Dependency:
    return Dependency(UpstreamKind.NODE, node=name, **more)


def at(*times: str) -> Schedule:
    """Picked times of the day."""
    return Schedule(Cycle.HOUR, at=tuple(map(time.fromisoformat, times)))


def pair(of_a: dict, of_b: dict, a: Schedule | str = HOURLY, b: Schedule | str = HALF_PAST) -> tuple[Task, Task]:
    """Two tasks that wait for each other, by what `a` says of `b` and `b` of `a`."""
    at_a, at_b = ({"at": when} if isinstance(when, str) else {"schedule": when} for when in (a, b))
    return task("a", on("b", **of_a), **at_a), task("b", on("a", **of_b), **at_b)


REFUSED = {
    "the nearest is due later, the one before it is the waiting one": (
        pair({}, PREVIOUS),
        "p.a 00:00 -> p.b 00:30 -> p.a 00:00",
    ),
    "all of the day, and those of the last 24 hours": (
        pair(ALL, LAST_24H),
        "p.a 00:00 -> p.b 00:30 -> p.a 00:00",
    ),
    "one a day that waits for all hours, which wait for it once it is due": (
        pair({}, LAST_24H, "02:00", HOURLY),
        "p.a 02:00 -> p.b 03:00 -> p.a 02:00",
    ),
    "two a day, of which the earlier waits for the later": (
        pair({}, LAST_24H, "01:00", "02:00"),
        "p.a 01:00 -> p.b 02:00 -> p.a 01:00",
    ),
    "the last of the day, which waits for the first": (
        pair(LAST, LAST_24H | FIRST),
        "p.a 00:00 -> p.b 23:30 -> p.a 00:00",
    ),
    "the nearest is due hours later": (
        pair({}, LAST_24H, every(1), every(8)),
        "p.a 01:00 -> p.b 08:00 -> p.a 01:00",
    ),
    "nothing before it, so that the latest is taken": (
        pair(BEFORE, PREVIOUS, every(8), every(8, "00:30")),
        "p.a 00:00 -> p.b 00:30 -> p.a 08:00 -> p.b 08:30 -> p.a 16:00 -> p.b 16:30 -> p.a 00:00",
    ),
    "by way of a third": (
        (
            task("a", on("b"), schedule=HOURLY),
            task("b", on("c"), schedule=HALF_PAST),
            task("c", on("a", **PREVIOUS), schedule=HALF_PAST),
        ),
        "p.a 00:00 -> p.c 00:30 -> p.b 00:30 -> p.a 00:00",
    ),
    "by way of its own instance before": (
        (
            task("a", on_itself(), on("x", **BEFORE), schedule=at("06:00", "12:00")),
            task("x", on("z", **BEFORE), schedule=at("08:00", "20:00")),
            task("z", on("a", **PREVIOUS), schedule=at("05:00", "15:00")),
        ),
        "p.a 06:00 -> p.a 12:00 -> p.z 15:00 -> p.x 20:00 -> p.a 06:00",
    ),
    "the last 24 hours, of which the first are not there yet in the first night": (
        pair({}, LAST_24H | NEAREST),
        "p.a 00:00 -> p.b 00:30 -> p.a 00:00",
    ),
    "times of a cron, whatever days it names": (
        pair({}, PREVIOUS, Schedule(cron="0 9-17 * * 1-5"), Schedule(cron="30 9-17 * * 1-5")),
        "p.a 09:00 -> p.b 09:30 -> p.a 09:00",
    ),
    "a node that waits for an earlier run of another, which waits for it": (
        (
            table("t", node("n", "f", after=[sibling("m", **PREVIOUS), on("x")]), node("m", "g"), schedule=HOURLY),
            task("x", on("t", fields=("f",), **PREVIOUS), schedule=HALF_PAST),
        ),
        "p.t:n 00:00 -> p.x 00:30 -> p.t:n 00:00",
    ),
    "through a table's own upstreams": (
        (
            table("t", node("n", "f"), depends_on=(on("x"),), schedule=HOURLY),
            task("x", on("t", **LAST_24H), at="23:00"),
        ),
        "p.t:n 00:00 -> p.x 23:00 -> p.t:n 00:00",
    ),
}

ACCEPTED = {
    "oneself, the instance before": (task("a", on_itself(), schedule=HOURLY),),
    "oneself, the last 24 hours": (task("a", on_itself(**LAST_24H), schedule=HOURLY),),
    "the instance before, both ways": pair(PREVIOUS, PREVIOUS),
    "the last 24 hours, both ways": pair(LAST_24H, LAST_24H),
    "the nearest is due at once, the one before it earlier": pair({}, PREVIOUS, HOURLY, HOURLY),
    "a policy on the previous day": pair(ALL, PREVIOUS | ALL),
    "the last days, which never hold this one": pair(ALL, LAST_N_DAYS),
    "the day before, one a day": pair({}, PREVIOUS, "01:00", "02:00"),
    "one a day, due before it is looked for": pair({}, LAST_24H, "02:00", "01:00"),
    "one a day at one time": pair({}, LAST_24H, "02:00", "02:00"),
    "hours before, of the day that waits for the first of them": pair(FIRST, LAST_24H, "12:00", every(6)),
    "the latest before": pair(BEFORE, PREVIOUS, HALF_PAST, HOURLY),
    "switched off": pair({}, PREVIOUS | {"enabled": False}),
    "the nearest, due at once, and what is due before it": pair(NEAREST, LAST_24H, "06:00", at("01:00", "06:00")),
    "the circle by way of its own instance before, without that": (
        task("a", on("x", **BEFORE), schedule=at("06:00", "12:00")),
        task("x", on("z", **BEFORE), schedule=at("08:00", "20:00")),
        task("z", on("a", **PREVIOUS), schedule=at("05:00", "15:00")),
    ),
    "two nodes that wait for each other's earlier run": (
        table(
            "t",
            node("n", "f", after=[sibling("m", **PREVIOUS)]),
            node("m", "g", after=[sibling("n", **PREVIOUS)]),
            schedule=HOURLY,
        ),
    ),
    "a node that waits for a sibling, which waits for its earlier run": (
        table("t", node("n", "f", after=["m"]), node("m", "g", after=[sibling("n", **PREVIOUS)]), schedule=HOURLY),
    ),
    "another node of the table": (
        table("t", node("n", "f"), node("m", "g", after=[on("x")]), schedule=HOURLY),
        task("x", on("t", fields=("f",), **PREVIOUS), schedule=HALF_PAST),
    ),
    "the root and a task that is not here": (
        task("a", Dependency(UpstreamKind.ROOT), on("zz"), on("b"), schedule=HOURLY),
        task("b", on("a", **PREVIOUS), schedule=HOURLY),
    ),
}


def told(tasks: tuple[Task, ...]) -> list[str]:
    """The circles as paths."""
    return [
        " -> ".join(f"{label(executable)} {due:%H:%M}" for executable, due in found.path)
        for found in instance_cycles(tasks)
    ]


@pytest.mark.parametrize(("tasks", "path"), REFUSED.values(), ids=REFUSED)
def test_instances_that_wait_for_each_other_are_found(tasks: tuple[Task, ...], path: str) -> None:
    assert dependency_cycles(tasks) == []
    assert told(tasks) == [path]


@pytest.mark.parametrize("tasks", ACCEPTED.values(), ids=ACCEPTED)
def test_tasks_whose_instances_never_meet_are_none(tasks: tuple[Task, ...]) -> None:
    assert told(tasks) == []


GENERATED = {name: (tasks, True) for name, (tasks, _) in REFUSED.items()} | {
    name: (tasks, False) for name, tasks in ACCEPTED.items() if "not here" not in name
}


@pytest.mark.parametrize(("tasks", "is_refused"), GENERATED.values(), ids=GENERATED)
def test_it_says_what_generation_would_do(sqlite_store: Store, tasks: tuple[Task, ...], is_refused: bool) -> None:
    Night(sqlite_store, *tasks).generate()
    waits: dict[int, list[int]] = {}
    with sqlite_store.read() as connection:
        edges = connection.execute(select(InstanceDependency.downstream_id, InstanceDependency.upstream_id)).all()
    for downstream, upstream in edges:
        waits.setdefault(downstream, []).append(upstream)
    assert has_circle(waits) is is_refused


def has_circle(waits: dict[int, list[int]]) -> bool:
    try:
        TopologicalSorter(waits).prepare()
    except CycleError:
        return True
    return False


def test_separate_circles_are_told_apart_and_those_that_are_known_left_out() -> None:
    later = task("c", on("d"), schedule=HOURLY), task("d", on("c", **PREVIOUS), schedule=HALF_PAST)
    everything = (*pair({}, PREVIOUS), *later, task("e", on("d"), on("a")))
    assert len(told(everything)) == 2
    (left,) = instance_cycles(everything, {("p.a", "")})
    assert left.task == "p.d"


def test_only_tasks_that_may_meet_on_one_business_date_are_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [task(f"t{n}", f"t{n + 1}", on_itself(), schedule=HOURLY) for n in range(50)]
    back = task("t50", on("t0", **PREVIOUS, **LAST), schedule=HOURLY)
    monkeypatch.delattr("dpconsole.core.workspace.instance_cycles.times_of_day")
    assert instance_cycles([*tasks, back]) == []


@pytest.mark.parametrize("workspace", [demo_workspace, starter_workspace])
def test_what_we_bring_along_has_none(workspace) -> None:
    assert instance_cycles(workspace().tasks) == []


FILE = """\
tasks:
  - id: p.a
    schedule: {every: hour}
    depends_on:
      - p.b
  - id: p.b
    schedule: {every: hour, from: "00:30"}
    depends_on:
      - root
      - {task: p.a, cycle: previous}
"""


def test_a_file_is_refused_at_the_dependency_that_looks_at_an_earlier_cycle(refuse) -> None:
    (problem,) = refuse(FILE)
    assert (problem.line, problem.key) == (10, "tasks[p.b].depends_on[p.a]")
    assert problem.reason == "dependency cycle: p.a 00:00 -> p.b 00:30 -> p.a 00:00"
    assert problem.hint == "cycle: previous with a policy never chooses an instance of the same business date"


def test_the_hint_is_a_way_out(read) -> None:
    assert len(read(FILE.replace("cycle: previous", "cycle: previous, policy: last")).tasks) == 2


def test_a_node_is_named_with_its_table_and_refused_in_its_own_dependency(refuse) -> None:
    (problem,) = refuse("""\
        tasks:
          - id: p.t
            type: logical_table
            schedule: {every: hour}
            fields: [{name: f}]
            nodes:
              - name: n
                fields: [f]
                depends_on: [root, {task: p.x, cycle: last_24h}]
          - {id: p.x, schedule: {every: day, at: "02:00"}, depends_on: [p.t]}
        """)
    assert (problem.line, problem.key) == (9, "tasks[p.t].nodes[n].depends_on[p.x]")
    assert problem.reason == "dependency cycle: p.x 02:00 -> p.t:n 03:00 -> p.x 02:00"


def test_a_long_path_is_told_by_its_ends(refuse) -> None:
    before = FILE.replace("- p.b", "- {task: p.b, policy: before}")
    (problem,) = refuse(before)
    steps = problem.reason.removeprefix("dependency cycle: ").split(" -> ")
    assert (len(steps), steps[0], steps[6]) == (13, "p.a 00:00", "(37 more)")
    assert steps[-3:] == ["p.a 23:00", "p.b 23:30", "p.a 00:00"]


def test_a_circle_of_current_cycles_is_told_once(refuse) -> None:
    (problem,) = refuse(FILE.replace("cycle: previous", "cycle: current"))
    assert problem.reason == "dependency cycle: p.a -> p.b -> p.a"


def test_due_times_are_not_judged_where_a_schedule_was_refused(refuse) -> None:
    (problem,) = refuse(FILE.replace('"00:30"', '"25:30"'))
    assert problem.key == "tasks[p.b].schedule.from"
