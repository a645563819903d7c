"""The demo shows everything a workspace can say, and the starter is short enough to be read."""

from __future__ import annotations

import pytest

from dpconsole.core.domain.definitions import (
    ALWAYS,
    Cycle,
    DependencyCycle,
    Method,
    Mode,
    Policy,
    Priority,
    Role,
    TableKind,
    TaskType,
    UpstreamKind,
)
from dpconsole.core.workspace.demo import demo_workspace, starter_workspace


@pytest.fixture(scope="module")
def demo():
    return demo_workspace()


@pytest.fixture(scope="module")
def dependencies(demo):
    return [each for task in demo.tasks for part in (task, *task.nodes) for each in part.depends_on]


def test_it_has_three_projects_and_about_120_tasks(demo):
    assert len(demo.projects) == 3
    assert 110 <= len(demo.tasks) <= 130


@pytest.mark.parametrize(
    ("words", "used"),
    [
        (Cycle, lambda task: task.schedule.cycle),
        (Method, lambda task: task.method),
        (Priority, lambda task: task.priority),
        (TaskType, lambda task: task.type),
    ],
    ids=["cycles", "methods", "priorities", "types"],
)
def test_every_word_is_used(demo, words, used):
    assert {used(task) for task in demo.tasks} == set(words)


def test_every_kind_of_dependency_is_used(dependencies):
    assert {each.kind for each in dependencies} == set(UpstreamKind)
    assert {each.cycle for each in dependencies} == {None, *DependencyCycle}
    assert {each.policy for each in dependencies} == {None, *Policy}
    assert any(each.fields for each in dependencies)
    assert not all(each.enabled for each in dependencies)


def test_tables_of_each_kind_share_fields_between_nodes(demo):
    tables = [task for task in demo.tasks if task.nodes]
    shared = [task for task in tables if sum(len(node.fields) for node in task.nodes) > len(task.fields)]
    assert {task.kind for task in tables} == set(TableKind)
    assert shared


def test_a_cron_and_projects_of_both_modes_are_there(demo):
    assert any(task.schedule.cron for task in demo.tasks)
    assert {project.mode for project in demo.projects} == set(Mode)


def test_names_are_chinese_too(demo):
    assert any(not task.name.isascii() for task in demo.tasks)
    assert all(not project.title.isascii() for project in demo.projects)


def test_any_business_date_has_failures_that_stay_and_failures_that_a_rerun_heals(demo):
    told = [dict(task.simulate.fail).get("*") for task in demo.tasks]
    assert told.count(ALWAYS) >= 5
    assert told.count(1) >= 5
    assert any(task.simulate.hang for task in demo.tasks)


def test_failures_have_different_causes(demo):
    causes = {task.simulate.log.rstrip().rpartition("\n")[2] for task in demo.tasks if task.simulate.log}
    assert len(causes) >= 6


def test_what_is_told_to_heal_has_a_rerun_to_heal_with(demo):
    healing = [task for task in demo.tasks if dict(task.simulate.fail).get("*") == 1]
    assert all(task.run.reruns >= 1 for task in healing)


def test_the_operator_may_operate_every_project():
    projects = demo_workspace("ops").projects
    assert all(not project.members or dict(project.members)["ops"] is Role.ADMIN for project in projects)


def test_the_starter_is_a_handful_of_tasks():
    assert 6 <= len(starter_workspace().tasks) <= 10
