"""Definitions go in as often as one likes, come back equal, and a load says what it changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

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
from dpconsole.core.store.definitions import (
    Coverage,
    LoadReport,
    known_task_keys,
    read_tasks,
    read_workspace_facts,
    save_workspace,
)
from dpconsole.core.store.errors import StoreError
from dpconsole.core.store.models import Node
from dpconsole.core.store.models import Task as models_task
from dpconsole.core.store.session import Store
from tests.faults.sizes import size


def save(store: Store, workspace: Workspace, now_ms: int = 1_000, **how: Any) -> LoadReport:
    with store.write() as transaction:
        return save_workspace(transaction, workspace, now_ms, **how)


def tasks_of(store: Store) -> dict[str, Task]:
    with store.read() as connection:
        return {some.task.id: some.task for some in read_tasks(connection).values()}


def task(key: str, *upstreams: str, **more: Any) -> Task:
    project, _, name = key.partition(".")
    return Task(key, project, name, depends_on=tuple(Dependency(task=upstream) for upstream in upstreams), **more)


BASE = MaterializationNode("base", ("user_id", "city"), (Dependency(task="trade.ods"),), "insert", Simulation((1, 2)))
LTV = MaterializationNode("ltv", ("ltv", "user_id"), (Dependency(UpstreamKind.NODE, node="base"),))
TABLE = task(
    "trade.dim_user",
    type=TaskType.LOGICAL_TABLE,
    kind=TableKind.DIMENSION,
    fields=(Field("user_id", "bigint", key=True), Field("city"), Field("ltv", "decimal(18,2)")),
    nodes=(BASE, LTV),
)
FULL = Workspace(
    timezone="Asia/Shanghai",
    projects=(Project("trade", "交易", Mode.DEV_PROD, (("lin", Role.ADMIN), ("mei", Role.OPERATOR))),),
    resource_groups=(ResourceGroup("default", 16),),
    throttling=(ThrottlingRule("at night", 4, project="trade", origin=Origin.BACKFILL, type=TaskType.SHELL),),
    baselines=(Baseline("gmv_0800", ("trade.ads",), time(8, 0), 1800.0, Priority.HIGHEST),),
    tasks=(
        task("trade.ods", owner="lin", tags=("gold",), parameters=(("day", "${bizdate}"),), source_key="model.ods"),
        TABLE,
        task("trade.ads", "trade.dim_user", code="select 1"),
        task("trade.aside"),
    ),
)


# --- what comes back --------------------------------------------------------------------------------------------------


def test_a_workspace_comes_back_as_it_went_in(store: Store) -> None:
    save(store, FULL)
    assert tasks_of(store) == {some.id: some for some in FULL.tasks}
    with store.read() as connection:
        facts = read_workspace_facts(connection)
    assert (facts.timezone, facts.environment) == ("Asia/Shanghai", Environment.PROD)
    assert tuple(facts.projects.values()) == FULL.projects
    assert tuple(facts.groups.values()) == FULL.resource_groups
    assert tuple(facts.rules.values()) == FULL.throttling
    assert tuple(facts.baselines.values()) == FULL.baselines


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=8)
hours = st.times(timezones=st.none()).map(lambda at: at.replace(second=0, microsecond=0))
simulations = st.builds(
    Simulation,
    duration=st.none() | st.tuples(st.floats(0, 10), st.floats(10, 99)),
    fail=st.lists(st.tuples(st.sampled_from(["*", "2026-11-19"]), st.integers(ALWAYS, 3)), max_size=2).map(tuple),
    fail_rate=st.none() | st.floats(0, 1),
    hang=st.booleans(),
    log=words,
)
schedules = st.builds(
    Schedule,
    cycle=st.sampled_from(Cycle),
    at=st.lists(hours, max_size=3).map(tuple),
    start=hours,
    end=hours,
    interval=st.integers(1, 720),
    weekdays=st.sampled_from([(), (1, 5)]),
    month_days=st.sampled_from([(), (1, LAST_DAY)]),
    year_days=st.sampled_from([(), ((6, 18), (11, 11))]),
    cron=st.sampled_from([None, "30 2 * * 1-5"]),
    effective_from=st.none() | st.dates(),
    effective_to=st.none() | st.just(date(2026, 12, 31)),
)
runs = st.builds(
    RunConfig, command=st.lists(words).map(tuple), timeout=st.floats(36, 604_800), reruns=st.integers(0, 9)
)


@st.composite
def dependencies(draw: st.DrawFn, earlier: list[str]) -> tuple[Dependency, ...]:
    kinds = [UpstreamKind.SELF, UpstreamKind.ROOT, *([UpstreamKind.TASK] if earlier else [])]
    return tuple(
        Dependency(
            kind=(kind := draw(st.sampled_from(kinds))),
            task=draw(st.sampled_from(earlier)) if kind is UpstreamKind.TASK else "",
            cycle=draw(st.none() | st.sampled_from(DependencyCycle)),
            policy=draw(st.none() | st.sampled_from(Policy)),
            days=draw(st.integers(1, 7)),
            fields=draw(st.lists(words, max_size=2).map(tuple)),
            enabled=draw(st.booleans()),
        )
        for _ in range(draw(st.integers(0, 3)))
    )


@st.composite
def workspaces(draw: st.DrawFn) -> Workspace:
    tasks: list[Task] = []
    for number in range(draw(st.integers(1, 4))):
        earlier = [some.id for some in tasks]
        fields = draw(st.lists(words, max_size=4, unique=True))
        names = draw(st.lists(words, max_size=3, unique=True)) if fields else []
        nodes = tuple(
            MaterializationNode(
                name,
                tuple(draw(st.permutations(fields))[: draw(st.integers(1, len(fields)))]),
                draw(dependencies(earlier))
                + tuple(Dependency(UpstreamKind.NODE, node=sibling) for sibling in names[:at]),
                draw(words),
                draw(st.none() | simulations),
            )
            for at, name in enumerate(names)
        )
        tasks.append(
            Task(
                id=f"p.t{number}",
                project=draw(st.sampled_from(["p", "q"])),
                name=draw(words),
                type=TaskType.LOGICAL_TABLE if fields else draw(st.sampled_from(TaskType)),
                owner=draw(words),
                schedule=draw(schedules),
                method=draw(st.sampled_from(Method)),
                priority=draw(st.sampled_from(Priority)),
                tags=tuple(draw(st.lists(words, max_size=2))),
                depends_on=draw(dependencies(earlier)),
                run=draw(runs),
                simulate=draw(simulations),
                parameters=tuple(draw(st.lists(st.tuples(words, words), max_size=2))),
                kind=draw(st.none() | st.sampled_from(TableKind)),
                fields=tuple(Field(name, draw(words), draw(st.booleans())) for name in fields),
                nodes=nodes,
            )
        )
    return Workspace(tasks=tuple(tasks))


@settings(max_examples=size(20, 200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workspace=workspaces())
def test_whatever_is_saved_over_whatever_was_there_is_read_back(store: Store, workspace: Workspace) -> None:
    save(store, workspace)
    read = tasks_of(store)
    assert {some.id: read[some.id] for some in workspace.tasks} == {some.id: some for some in workspace.tasks}
    again = save(store, workspace)
    assert not any((*again.created.values(), *again.changed.values()))


# --- what a load reports ----------------------------------------------------------------------------------------------

NAMES = {
    "settings": ("timezone", "environment"),
    "projects": ("trade",),
    "resource_groups": ("default",),
    "throttling": ("at night",),
    "baselines": ("gmv_0800",),
    "tasks": ("trade.ods", "trade.ads", "trade.aside"),
    "logical_tables": ("trade.dim_user",),
}
NOTHING: dict[str, tuple[str, ...]] = dict.fromkeys(NAMES, ())


def test_the_first_load_creates_and_the_second_changes_nothing(store: Store) -> None:
    assert save(store, FULL) == LoadReport(NAMES, NOTHING, NOTHING)
    assert save(store, FULL) == LoadReport(NOTHING, NOTHING, NAMES)


ODS, DIM, ADS, ASIDE = FULL.tasks


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"timezone": "UTC"}, {"settings": ("timezone",)}),
        ({"environment": Environment.DEV}, {"settings": ("environment",)}),
        ({"projects": (Project("trade", "交易", Mode.BASIC),)}, {"projects": ("trade",)}),
        ({"projects": (replace(FULL.projects[0], members=()),)}, {"projects": ("trade",)}),
        ({"resource_groups": (ResourceGroup("default", 17),)}, {"resource_groups": ("default",)}),
        ({"throttling": (ThrottlingRule("at night", 5),)}, {"throttling": ("at night",)}),
        ({"baselines": (Baseline("gmv_0800", ("trade.ads",), time(9, 0)),)}, {"baselines": ("gmv_0800",)}),
        ({"baselines": (Baseline("gmv_0800", ("trade.ods",), time(8, 0)),)}, {"baselines": ("gmv_0800",)}),
        ({"tasks": (replace(ODS, owner="mei"),)}, {"tasks": ("trade.ods",)}),
        ({"tasks": (replace(ADS, depends_on=(Dependency(task="trade.ods"),)),)}, {"tasks": ("trade.ads",)}),
        ({"tasks": (replace(DIM, fields=DIM.fields[::-1]),)}, {"logical_tables": ("trade.dim_user",)}),
        ({"tasks": (replace(DIM, nodes=(BASE, replace(LTV, code="x"))),)}, {"logical_tables": ("trade.dim_user",)}),
        (
            {"tasks": (replace(DIM, nodes=(BASE, replace(LTV, depends_on=()))),)},
            {"logical_tables": ("trade.dim_user",)},
        ),
    ],
)
def test_a_change_is_reported_once_and_read_back(
    store: Store, change: dict[str, Any], reported: dict[str, tuple[str, ...]]
) -> None:
    save(store, FULL)
    changed = replace(FULL, **change)
    assert save(store, changed, 2_000).changed == NOTHING | reported
    assert save(store, changed, 3_000).changed == NOTHING
    assert tasks_of(store) == {some.id: some for some in (*FULL.tasks, *changed.tasks)}


def test_the_feed_names_the_tasks_that_changed_and_no_others(store: Store) -> None:
    save(store, FULL)
    before = store.rev()
    with store.read() as connection:
        ids = known_task_keys(connection)
    save(store, replace(FULL, tasks=(replace(ASIDE, owner="mei"), ODS)))
    assert store.ring.since(before, store.rev()) == {"task": {ids["trade.aside"]}}


def test_an_import_keeps_the_zone_the_database_has(store: Store) -> None:
    assert save(store, Workspace(timezone="UTC"), keep_settings=True).created["settings"] == ("timezone", "environment")
    save(store, FULL)
    report = save(store, Workspace(timezone="Europe/Berlin"), keep_settings=True)
    assert report.unchanged["settings"] == ("timezone", "environment")
    with store.read() as connection:
        assert read_workspace_facts(connection).timezone == "Asia/Shanghai"


# --- what stays -------------------------------------------------------------------------------------------------------


def test_tasks_absent_from_a_workspace_stay_and_may_be_upstreams(store: Store) -> None:
    save(store, FULL)
    save(store, Workspace(tasks=(task("other.late", "trade.ads"),)))
    assert set(tasks_of(store)) == {"trade.ods", "trade.dim_user", "trade.ads", "trade.aside", "other.late"}
    with store.read() as connection:
        assert set(read_workspace_facts(connection).projects) == {"trade", "other"}


def test_a_node_that_leaves_its_table_becomes_inactive_and_returns_as_itself(store: Store) -> None:
    def stored() -> Any:
        with store.read() as connection:
            (found,) = read_tasks(connection, ["trade.dim_user"]).values()
        return found

    save(store, FULL)
    first = stored()
    save(store, replace(FULL, tasks=(replace(DIM, nodes=(BASE,), fields=DIM.fields[:2]),)))
    without = stored()
    assert without.retired == {"ltv": first.node_ids["ltv"]}
    assert without.node_ids == {"base": first.node_ids["base"]}
    save(store, FULL)
    back = stored()
    assert (back.task, back.node_ids, back.retired) == (DIM, first.node_ids, {})


def test_created_at_stays_and_modified_at_moves_only_with_a_change(store: Store) -> None:
    def times() -> dict[str, tuple[int, int]]:
        with store.read() as connection:
            rows = connection.execute(select(models_task.key, models_task.created_at, models_task.modified_at))
            return {row.key: (row.created_at, row.modified_at) for row in rows}

    save(store, FULL, 1_000)
    save(store, replace(FULL, tasks=(replace(ODS, owner="mei"), ADS)), 2_000)
    assert times()["trade.ods"] == (1_000, 2_000)
    assert times()["trade.ads"] == (1_000, 1_000)


def test_dependency_ids_run_beside_what_is_declared(store: Store) -> None:
    save(store, FULL)
    with store.read() as connection:
        stored = read_tasks(connection, ["trade.dim_user", "trade.ads"]).values()
        nodes = dict(connection.execute(select(Node.id, Node.name)).all())
    for some in stored:
        assert len(some.dependency_ids) == len(some.task.depends_on)
        assert {name: nodes[id] for name, id in some.node_ids.items()} == {name: name for name in some.node_ids}
        for node in some.task.nodes:
            assert len(some.node_dependency_ids[node.name]) == len(node.depends_on)


# --- baselines --------------------------------------------------------------------------------------------------------


def covered(store: Store) -> dict[str, tuple[Coverage, ...]]:
    with store.read() as connection:
        keys = {id: key for key, id in known_task_keys(connection).items()}
        return {keys[id]: some for id, some in read_workspace_facts(connection).covered.items()}


def test_a_baseline_protects_its_end_tasks_and_all_their_ancestors(store: Store) -> None:
    save(store, FULL)
    ancestor = (Coverage("gmv_0800", Priority.HIGHEST, is_end=False),)
    assert covered(store) == {
        "trade.ads": (Coverage("gmv_0800", Priority.HIGHEST, is_end=True),),
        "trade.dim_user": ancestor,
        "trade.ods": ancestor,
    }


def test_a_baseline_follows_the_graph_when_other_workspaces_change_it(store: Store) -> None:
    save(store, FULL)
    save(store, Workspace(tasks=(task("trade.ads", "trade.aside"),)))
    assert set(covered(store)) == {"trade.ads", "trade.aside"}


def test_a_dependency_that_is_switched_off_is_no_ancestry(store: Store) -> None:
    off = replace(ADS, depends_on=(Dependency(task="trade.dim_user", enabled=False),))
    save(store, replace(FULL, tasks=(ODS, DIM, off, ASIDE)))
    assert set(covered(store)) == {"trade.ads"}


# --- what stands for nothing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workspace", "words"),
    [
        (Workspace(tasks=(task("p.a", "p.nowhere"),)), "p.a: it depends on 'p.nowhere'"),
        (Workspace(baselines=(Baseline("b", ("p.nowhere",), time(8)),)), "baseline b: its end task 'p.nowhere'"),
        (Workspace(tasks=(replace(TABLE, fields=(), nodes=(LTV,)),)), "trade.dim_user: it has no field 'ltv'"),
        (Workspace(tasks=(replace(TABLE, nodes=(LTV,)),)), "trade.dim_user: it depends on 'base'"),
    ],
)
def test_a_name_that_stands_for_nothing_stops_the_load_as_a_whole(
    store: Store, workspace: Workspace, words: str
) -> None:
    with pytest.raises(StoreError, match=words):
        save(store, replace(workspace, tasks=(task("p.good"), *workspace.tasks)))
    assert tasks_of(store) == {}
    assert store.rev() == 0
