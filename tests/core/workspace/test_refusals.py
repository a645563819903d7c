"""What is refused, and how it is said: file, line, key, a plain reason, and the nearest word that was meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dpconsole.core.workspace.documents import LARGEST
from dpconsole.core.workspace.problems import WorkspaceRefused
from dpconsole.core.workspace.reading import read_workspace
from tests.faults.sizes import size

TASK = "tasks:\n  - id: p.a\n"
SCHEDULE = f"{TASK}    schedule: "
TABLE = """\
tasks:
  - id: p.t
    type: logical_table
    fields: [{name: a}, {name: b}]
    nodes:
      - {name: n, fields: [a, b]}
"""

SHAPE = [
    ("version: 2", 1, "version", "has to be '1'"),
    ("taks: []", 1, "taks", "unknown key 'taks' (did you mean 'tasks'?)"),
    ("tasks: {}", 1, "tasks", "has to be a list"),
    ("tasks: [p.a]", 1, "tasks[1]", "has to be a mapping of keys"),
    ("[]", 0, "", "has to be a mapping of keys"),
    ("", 0, "", "holds nothing"),
    ("timezone: Asia/Shangai", 1, "timezone", "'Asia/Shangai' is no time zone (did you mean 'Asia/Shanghai'?)"),
    ("timezone: ../../etc/passwd", 1, "timezone", "is no time zone"),
    ("environment: prd", 1, "environment", "no environment: prod, dev (did you mean 'prod'?)"),
    ("projects:\n  p: {mode: dev_prod}", 2, "projects.p.mode", "(did you mean 'dev-prod'?)"),
    ("projects:\n  p: {members: {lin: admn}}", 2, "projects.p.members.lin", "(did you mean 'admin'?)"),
    ("resource_groups:\n  sql: {slots: 3, slot: 3}", 2, "resource_groups.sql.slot", "(did you mean 'slots'?)"),
    ("projects:\n  a.b: {}", 2, "projects.a.b", "'a.b' is no project name (the id of a task is project.name)"),
    ("resource_groups:\n  sql: {slots: 0}", 2, "resource_groups.sql.slots", "at least 1"),
    ("resource_groups:\n  sql: {slots: few}", 2, "resource_groups.sql.slots", "has to be a whole number"),
    ("resource_groups:\n  sql:", 2, "resource_groups.sql.slots", "is missing"),
    ("throttling:\n  - {limit: 1}", 2, "throttling[1].name", "is missing"),
    ("throttling:\n  - {name: n, limit: 1, when: {orgin: manual}}", 2, "throttling[n].when.orgin", "'origin'?"),
    ("throttling:\n  - {name: n, limit: 1, when: {origin: manuel}}", 2, "throttling[n].when.origin", "'manual'?"),
    (f"throttling:\n  - {{name: {'n' * 129}, limit: 1}}", 2, ".name", "longer than 128 characters"),
    ("tasks:\n  - {}", 2, "tasks[1].id", "is missing"),
    ("tasks:\n  - id: orders", 2, "tasks[orders].id", "'orders' is no task id (write project.name)"),
    ("tasks:\n  - id: .orders", 2, "tasks[.orders].id", "is no task id"),
    (f"tasks:\n  - id: p.{'x' * 1023}", 2, ".id", "longer than 1024 characters"),
    (f"{TASK}    typ: shell", 3, "tasks[p.a].typ", "(did you mean 'type'?)"),
    (f"{TASK}    type: shel", 3, "tasks[p.a].type", "(did you mean 'shell'?)"),
    (f"{TASK}    priority: hihgest", 3, "tasks[p.a].priority", "(did you mean 'highest'?)"),
    (f"{TASK}    priority: 5", 3, "tasks[p.a].priority", "no priority: highest, high, medium, low, lowest"),
    (f"{TASK}    tags: gold", 3, "tasks[p.a].tags", "has to be a list"),
    (f"{TASK}    owner: [lin]", 3, "tasks[p.a].owner", "has to be text"),
    (f"{TASK}    folder: 'a|b'", 3, "tasks[p.a].folder", "is no folder: it holds |"),
    (f"{TASK}    parameters: {{a-b: 1}}", 3, "tasks[p.a].parameters.a-b", "is no parameter name"),
    (f"{TASK}    parameters: {{dp_glb_x: 1}}", 3, "tasks[p.a].parameters.dp_glb_x", "kept for global"),
    (f"{TASK}    parameters: {{x: {'y' * 257}}}", 3, "tasks[p.a].parameters.x", "longer than 256"),
    (f"{TASK}    method: dryrun", 3, "tasks[p.a].method", "(did you mean 'dry_run'?)"),
    (f"{TASK}    method: paused\n    schedule: {{method: normal}}", 3, "tasks[p.a].method", "the schedule says normal"),
    (f"{TASK}    nodes: [{{name: n, fields: [a]}}]", 3, "tasks[p.a].nodes", "a task of type shell has no nodes"),
]

RUNNING = [
    ("run: {timeout: 30s}", "run.timeout", "from 0.01 to 168 hours"),
    ("run: {timeout: 169h}", "run.timeout", "from 0.01 to 168 hours"),
    ("run: {timeout: soon}", "run.timeout", "'soon' is no duration (write 40s, 5m or 1h30m)"),
    ("run: {reruns: 11}", "run.reruns", "at most 10"),
    ("run: {reruns: -1}", "run.reruns", "at least 0"),
    ("run: {reruns: 1.5}", "run.reruns", "has to be a whole number"),
    ("run: {rerun_interval: 59s}", "run.rerun_interval", "from 1 to 60 minutes"),
    ("run: {rerun_interval: 61m}", "run.rerun_interval", "from 1 to 60 minutes"),
    ("run: {rerun_after_timeout: perhaps}", "run.rerun_after_timeout", "has to be true or false"),
    ("run: {command: python load.py}", "run.command", "has to be a list"),
    (
        "run: {resource_group: defualt}",
        "run.resource_group",
        "unknown resource group 'defualt' (did you mean 'default'?)",
    ),
    ("simulate: {duration: [2m, 1m]}", "simulate.duration", "begins with the longer duration"),
    ("simulate: {duration: [1m, 2m, 3m]}", "simulate.duration", "the least and the most"),
    ("simulate: {fail: {2026-02-30: 1}}", "simulate.fail.2026-02-30", "is no date (write YYYY-MM-DD)"),
    ("simulate: {fail: {'*': alway}}", "simulate.fail.*", "has to be a whole number"),
    ("simulate: {fail_rate: 1.1}", "simulate.fail_rate", "at most 1"),
    ("simulate: {fail_rate: .nan}", "simulate.fail_rate", "has to be a number"),
]

SCHEDULES = [
    ("{every: dayly}", "every", "no schedule period: minute, hour, day, week, month, year (did you mean 'day'?)"),
    ("{at: '25:00'}", "at", "'25:00' is no time of day"),
    ("{at: 24:00}", "at", 'the last minute of the day is "23:59"'),
    ("{at: 90}", "at", "'90' is no time of day"),
    ("{at: [00:30, 01:30]}", "at", "runs once"),
    ("{at: []}", "at", "names no time"),
    ("{from: 01:00}", "from", "every day takes no from (it takes at)"),
    ("{on: [mon]}", "on", "every day takes no on"),
    ("{every: hour, interval: 0}", "interval", "is out of range"),
    ("{every: hour, interval: 30m}", "interval", "every: minute takes shorter ones"),
    ("{every: hour, at: [01:00], interval: 1h}", "interval", "picked times take no interval"),
    ("{every: hour, from: 08:00, to: 07:00}", "to", "ends at 07:00, before it begins at 08:00"),
    ("{every: minute}", "", "needs an interval"),
    ("{every: minute, interval: 0}", "interval", "is out of range"),
    ("{every: minute, interval: 90s}", "interval", "whole minutes"),
    ("{every: week}", "on", "needs the days it runs on (write on: [mon, thu])"),
    ("{every: week, on: []}", "on", "needs the days it runs on"),
    ("{every: week, on: [mon, thur]}", "on[2]", "'thur' is no weekday (did you mean 'thu'?)"),
    ("{every: week, on: [1]}", "on[1]", "write mon, tue, wed, thu, fri, sat or sun"),
    ("{every: month, at: 01:00}", "on", "needs the days it runs on"),
    ("{every: month, on: [0]}", "on[1]", "'0' is no day of a month"),
    ("{every: month, on: [32]}", "on[1]", "write 1 to 31, or last"),
    ("{every: year}", "on", "needs the days it runs on"),
    ("{every: year, on: [02-30]}", "on[1]", "'02-30' is no day of a year"),
    ("{cron: '* *'}", "cron", "is no cron expression (five fields: minute hour day month weekday)"),
    ("{cron: '99 2 * * *'}", "cron", "is no cron expression"),
    ("{cron: '30 2 * * *', at: 01:00}", "at", "a cron schedule takes no at"),
    ("{cron: '30 2 * * *', every: week}", "every", "comes every day"),
    ("{effective: {from: 2026-12-01, to: 2026-11-01}}", "effective.to", "before it begins on 2026-12-01"),
    ("{effective: {from: 2026-02-30}}", "effective.from", "'2026-02-30' is no date"),
    ("{method: one-time}", "method", "(did you mean 'one_time'?)"),
]

UPSTREAMS = [
    ("[p.zz]", "[1]", "unknown upstream 'p.zz'"),
    ("[p.orders_1]", "[1]", "unknown upstream 'p.orders_1' (did you mean 'p.orders_1d'?)"),
    ("[orders_1d]", "[1]", "unknown upstream 'orders_1d' (did you mean 'p.orders_1d'?)"),
    ("[{task: self, cycle: current}]", "[self]", "a self-dependency on the current cycle never ends"),
    ("[p.a]", "[1]", "a self-dependency on the current cycle never ends"),
    ("[{task: p.orders_1d, cycle: yesterday}]", "[p.orders_1d].cycle", "no dependency cycle: current, previous"),
    ("[{task: p.orders_1d, policy: newest}]", "[p.orders_1d].policy", "(did you mean 'nearest'?)"),
    ("[{task: p.orders_1d, cycle: last_n_days}]", "[p.orders_1d].cycle", "last_n_days needs days"),
    ("[{task: p.orders_1d, days: 3}]", "[p.orders_1d].days", "only goes with cycle: last_n_days"),
    ("[{task: root, cycle: previous}]", "[root].cycle", "the root has no cycle and no policy"),
    ("[{cycle: previous}]", "[1]", "names neither a task nor a node"),
    ("[{task: p.orders_1d, node: n}]", "[p.orders_1d]", "names both a task and a node"),
    ("[{node: n}]", "[1].node", "only a node of a logical table has siblings"),
    (
        "[{task: p.orders_1d, fields: [x]}]",
        "[p.orders_1d].fields",
        "'p.orders_1d' is no logical table and has no fields",
    ),
    ("[{task: p.orders_1d, enable: no}]", "[p.orders_1d].enable", "(did you mean 'enabled'?)"),
]


@pytest.mark.parametrize(("text", "line", "key", "reason"), SHAPE)
def test_a_mistake_is_named_with_its_line_key_and_reason(refuse, text, line, key, reason):
    (problem,) = refuse(text)
    assert (problem.line, problem.key[-len(key) :] if key.startswith(".") else problem.key) == (line, key)
    assert reason in str(problem)


@pytest.mark.parametrize(("text", "key", "reason"), RUNNING)
def test_a_run_configuration_out_of_its_range_is_refused(refuse, text, key, reason):
    (problem,) = refuse(f"{TASK}    {text}\n")
    assert (problem.line, problem.key) == (3, f"tasks[p.a].{key}")
    assert reason in str(problem)


@pytest.mark.parametrize(("text", "key", "reason"), SCHEDULES)
def test_a_schedule_that_contradicts_itself_is_refused(refuse, text, key, reason):
    (problem,) = refuse(f"{SCHEDULE}{text}\n")
    assert (problem.line, problem.key) == (3, f"tasks[p.a].schedule.{key}".rstrip("."))
    assert reason in str(problem)


@pytest.mark.parametrize(("text", "key", "reason"), UPSTREAMS)
def test_a_dependency_that_cannot_be_is_refused(refuse, text, key, reason):
    (problem,) = refuse(f"{TASK}    depends_on: {text}\n  - id: p.orders_1d\n")
    assert (problem.line, problem.key) == (3, f"tasks[p.a].depends_on{key}")
    assert reason in str(problem)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "reason"),
    [
        ("{name: n, fields: [a, b]}", "{name: n, fields: [a]}", 4, "fields[b]", "the field 'b' is in no node"),
        ("fields: [a, b]}", "fields: [a, b]}\n      - {name: m, fields: []}", 7, "nodes[m].fields", "'m' is empty"),
        ("fields: [a, b]}", "fields: [a, b]}\n      - {name: m}", 7, "nodes[m].fields", "the node 'm' is empty"),
        ("fields: [a, b]}", "fields: [a, b, c]}", 6, "nodes[n].fields[3]", "unknown field 'c'"),
        (
            "fields: [a, b]}",
            "fields: [a, b]}\n      - {name: n, fields: [a]}",
            7,
            "nodes[n].name",
            "duplicate name 'n'",
        ),
        ("{name: b}]", "{name: b}, {name: a}]", 4, "fields[a].name", "duplicate name 'a' (first on line 4)"),
        ("[a, b]}", "[a, b], depends_on: [{node: m}]}", 6, "nodes[n].depends_on[1].node", "unknown node 'm'"),
        (
            "[a, b]}",
            "[a, b], depends_on: [{node: n}]}",
            6,
            "nodes[n].depends_on[1]",
            "a self-dependency on the current",
        ),
        ("[a, b]}", "[a, b], depends_on: [p.t]}", 6, "nodes[n].depends_on[1]", "a self-dependency on the current"),
        ("[a, b]}", "[a, b], depends_on: [p.u]}", 6, "nodes[n].depends_on[1]", "unknown upstream 'p.u'"),
        ("{name: b}]", "{nam: b}]", 4, "fields[2].name", "is missing"),
    ],
)
def test_a_logical_table_has_fields_in_nodes_and_nodes_with_fields(refuse, old, new, line, key, reason):
    found = {(problem.line, problem.key): str(problem) for problem in refuse(TABLE.replace(old, new))}
    assert reason in found[line, f"tasks[p.t].{key}"]


@pytest.mark.parametrize("part", ["fields", "nodes"])
def test_a_logical_table_needs_both_parts(refuse, part):
    lines = TABLE.splitlines(keepends=True)
    text = "".join(lines[:3] + (lines[3:4] if part == "nodes" else lines[4:]))
    (problem,) = refuse(text)
    assert (problem.key, problem.reason) == (f"tasks[p.t].{part}", f"a logical table needs {part}")


def test_the_fields_a_dependency_names_are_fields_of_its_upstream(refuse):
    (problem,) = refuse(f"{TABLE}  - id: p.x\n    depends_on: [{{task: p.t, fields: [a, c]}}]")
    assert (problem.line, problem.key) == (8, "tasks[p.x].depends_on[p.t].fields[2]")
    assert problem.reason == "unknown field 'c' of 'p.t'"


def test_names_that_others_refer_to_have_to_be_known(refuse):
    found = refuse("""\
        projects: {trade: {}}
        throttling:
          - {name: night, limit: 4, when: {project: trad}}
        baselines:
          - {name: gmv, tasks: [trade.ads_gmw], committed: "08:00"}
        tasks:
          - id: trade.ads_gmv
          - id: trede.ads_gmv
        """)
    assert [(problem.line, problem.key, problem.reason, problem.hint) for problem in found] == [
        (3, "throttling[night].when.project", "unknown project 'trad'", "did you mean 'trade'?"),
        (5, "baselines[gmv].tasks[1]", "unknown task 'trade.ads_gmw'", "did you mean 'trade.ads_gmv'?"),
        (8, "tasks[trede.ads_gmv].id", "unknown project 'trede'", "did you mean 'trade'?"),
    ]


def test_a_baseline_is_high_or_highest(refuse):
    (problem,) = refuse("baselines:\n  - {name: b, tasks: [p.a], committed: 08:00, priority: low}\n" + TASK)
    assert (problem.key, problem.reason) == ("baselines[b].priority", "a baseline is high or highest")


def test_there_are_at_most_fifty_throttling_rules(refuse):
    rules = "".join(f"  - {{name: rule {number}, limit: 1}}\n" for number in range(51))
    (problem,) = refuse(f"throttling:\n{rules}")
    assert (problem.line, problem.key) == (52, "throttling[rule 50]")


def test_a_duplicate_key_names_both_lines(refuse):
    (problem,) = refuse(f"{TASK}    owner: lin\n    owner: mei\n")
    assert str(problem).endswith(":4: tasks[p.a].owner: duplicate key 'owner' (first on line 3)")


def test_a_duplicate_id_names_both_places_across_files(refuse, tmp_path):
    (problem,) = refuse(TASK, f"version: 1\n{TASK}")
    assert problem.file.endswith("1.yaml")
    assert (problem.line, problem.key, problem.reason) == (3, "tasks[p.a].id", "duplicate id 'p.a'")
    assert problem.hint == f"first in {tmp_path / '0.yaml'}:2"


def test_one_workspace_has_one_zone(refuse, tmp_path):
    (problem,) = refuse("timezone: Asia/Shanghai", "timezone: UTC")
    assert (problem.key, problem.reason) == ("timezone", f"is 'Asia/Shanghai' in {tmp_path / '0.yaml'}:1")


CIRCLES = {
    "of two": ("{id: p.a, depends_on: [p.b]}, {id: p.b, depends_on: [p.a]}", "p.a -> p.b -> p.a"),
    "of three": (
        "{id: p.a, depends_on: [p.b]}, {id: p.b, depends_on: [p.c]}, {id: p.c, depends_on: [p.a]}",
        "p.a -> p.c -> p.b -> p.a",
    ),
    "of nodes of one table": (
        "{id: p.t, type: logical_table, fields: [{name: a}, {name: b}], nodes: ["
        "{name: n, fields: [a], depends_on: [{node: m}]}, {name: m, fields: [b], depends_on: [{node: n}]}]}",
        "p.t:n -> p.t:m -> p.t:n",
    ),
    "through a table": (
        "{id: p.t, type: logical_table, fields: [{name: a}], nodes: [{name: n, fields: [a], depends_on: [p.x]}]},"
        "{id: p.x, depends_on: [p.t]}",
        "p.t:n -> p.x -> p.t:n",
    ),
    "through a table's own upstreams": (
        "{id: p.t, type: logical_table, depends_on: [p.x], fields: [{name: a}], nodes: [{name: n, fields: [a]}]},"
        "{id: p.x, depends_on: [{task: p.t, fields: [a]}]}",
        "p.t:n -> p.x -> p.t:n",
    ),
}


@pytest.mark.parametrize("name", CIRCLES)
def test_a_dependency_cycle_is_printed_as_its_path(refuse, name):
    tasks, path = CIRCLES[name]
    (problem,) = refuse(f"tasks: [{tasks}]")
    assert problem.reason == f"dependency cycle: {path}"


def test_every_separate_dependency_cycle_is_found(refuse):
    pairs = [f"{{id: p.a{n}, depends_on: [p.b{n}]}}, {{id: p.b{n}, depends_on: [p.a{n}]}}" for n in range(3)]
    assert len(refuse(f"tasks: [{', '.join(pairs)}]")) == 3


@pytest.mark.parametrize(
    "tasks",
    [
        "{id: p.a, depends_on: [{task: p.b, cycle: previous}]}, {id: p.b, depends_on: [p.a]}",
        "{id: p.a, depends_on: [{task: p.b, cycle: last_24h}]}, {id: p.b, depends_on: [p.a]}",
        "{id: p.a, depends_on: [{task: p.b, enabled: false}]}, {id: p.b, depends_on: [p.a]}",
        "{id: p.t, type: logical_table, fields: [{name: a}, {name: b}], nodes: ["
        "{name: n, fields: [a]}, {name: m, fields: [b], depends_on: [p.x]}]},"
        "{id: p.x, depends_on: [{task: p.t, fields: [a]}]}",
    ],
    ids=["the previous day", "the last day", "switched off", "another node of the table"],
)
def test_what_only_looks_like_a_cycle_is_none(read, tasks):
    assert len(read(f"tasks: [{tasks}]").tasks) == 2


DOCUMENTS = [
    (b"tasks: &a []\n", 1, "anchor '&a': aliases are not allowed"),
    (b"version: 1\ntasks: *a\n", 2, "alias '*a': aliases are not allowed"),
    (b"a: &x 1\nb: *x\n", 2, "alias '*x': aliases are not allowed"),
    (b"tasks: !!python/object/apply:os.system [ls]\n", 1, "is not allowed (leave the tag out)"),
    (b"tasks: []\n---\ntasks: []\n", 2, "holds more than one document"),
    (b"version: 1\ntasks: [\n", 3, "is not YAML"),
    (b"version: 1\n\tx: 2\n", 2, "is not YAML"),
    (b"version: 1\nprojects: {\xff: {}}\n", 2, "is not UTF-8 text"),
    (b"version: 1\nprojects: {\x1b: {}}\n", 2, "holds the control character U+001B"),
    (b'version: 1\nprojects: {p: {title: "\\0"}}\n', 2, "holds a character that cannot be stored"),
    (b"version: 1\n? [a]\n: b\n", 2, "a key has to be plain text"),
    (b"version: 1\ntasks: " + b"[" * 60, 2, "is nested more than 50 levels deep"),
    (b"version: 1\ntasks: " + b"[" * 100_000, 2, "is nested more than 50 levels deep"),
    (b"#" * (LARGEST + 1), 0, "is larger than 16 MiB"),
]


@pytest.mark.parametrize(("content", "line", "reason"), DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_what_is_not_one_plain_document_is_refused(tmp_path, content, line, reason):
    path = tmp_path / "workspace.yaml"
    path.write_bytes(content)
    with pytest.raises(WorkspaceRefused) as caught:
        read_workspace([path])
    assert any(problem.line == line and reason in str(problem) for problem in caught.value.problems), str(caught.value)


def test_a_file_that_is_not_there_is_a_problem_like_any_other(tmp_path):
    with pytest.raises(WorkspaceRefused, match=r"none\.yaml: cannot be read: No such file or directory"):
        read_workspace([tmp_path / "none.yaml"])


def test_all_problems_of_all_files_are_found_at_once_and_in_order(refuse):
    found = refuse(
        """\
        timezone: Asia/Shangai
        tasks:
          - id: p.a
            typ: shell
            run: {reruns: 11, resource_group: sql}
            depends_on: [p.zz, {task: p.b, polcy: all}]
          - id: p.b
            depends_on: [p.a]
            schedule: {every: week, at: 25:00}
        """,
        "tasks: [{id: p.c, owner: [], depends_on: [p.d]}]",
        "version: 1\ntaks: []",
    )
    places = [(problem.file[-6:], problem.line, problem.key.rpartition("]")[2]) for problem in found]
    assert places == [
        ("0.yaml", 1, "timezone"),
        ("0.yaml", 4, ".typ"),
        ("0.yaml", 5, ".run.reruns"),
        ("0.yaml", 5, ".run.resource_group"),
        ("0.yaml", 6, ".depends_on"),
        ("0.yaml", 6, ""),
        ("0.yaml", 6, ".polcy"),
        ("0.yaml", 9, ".schedule.at"),
        ("1.yaml", 1, ".owner"),
        ("1.yaml", 1, ""),
        ("2.yaml", 2, "taks"),
    ]


def test_two_mistakes_in_one_part_do_not_hide_what_is_wrong_elsewhere(refuse):
    found = refuse("""\
        tasks:
          - id: p.a
            type: logical_table
            depends_on: [p.b]
            fields: [{type: int}, {type: int}]
            nodes: [{name: n, fields: [a]}]
            run: {reruns: 11, rerun_interval: 1s}
        """)
    assert {problem.line for problem in found} == {4, 5, 7}
    assert [problem.reason for problem in found] == [
        "unknown upstream 'p.b'",
        "is missing",
        "is missing",
        "is out of range: at most 10",
        "is out of range: from 1 to 60 minutes",
    ]


def test_names_are_not_judged_while_a_file_cannot_be_read(refuse):
    (problem,) = refuse("tasks: [{id: p.a, depends_on: [p.b]}]", "tasks: [{id: p.b}")
    assert problem.file.endswith("1.yaml")


def test_a_message_holds_no_control_characters(refuse):
    (problem,) = refuse('tasks: [{id: "p.a", "\\e]52;c;AAAA\\a": 1}]')
    assert str(problem).isprintable()


WORDS = re.findall(
    r"\S+",
    "version tasks id schedule every at from to interval on cron method effective depends_on task node cycle policy "
    "days fields enabled run command timeout reruns rerun_interval resource_group simulate duration fail fail_rate "
    "hang log type kind nodes name code priority tags owner parameters projects members mode resource_groups slots "
    "throttling limit when origin baselines committed margin timezone environment",
)
VALUES = re.findall(
    r"\S+",
    "1 0 -1 1e400 .nan 999999999999999999999 p.a p.b p. day week hour minute mon last 06-18 00:30 25:00 30m 0s "
    "self root current previous last_n_days nearest logical_table shell dimension high always true no null * UTC",
)
MARKS = [*"[]{},:-?|>&!'\"#%@~\n\0\x85\u2028", "\n  ", "\n    ", "- ", ": ", "!!int ", "<<: "]

VALUE = st.recursive(
    st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS + VALUES), inner, max_size=4),
    max_leaves=12,
)
TASKS = st.lists(st.dictionaries(st.sampled_from(WORDS), VALUE, max_size=6).map(lambda task: {"id": "p.a"} | task))
CONTENTS = st.one_of(
    st.text(),
    st.binary(),
    st.lists(st.sampled_from(WORDS + VALUES + MARKS)).map("".join),
    st.dictionaries(st.sampled_from(WORDS), VALUE).map(yaml.safe_dump),
    TASKS.map(lambda tasks: yaml.safe_dump({"tasks": tasks})),
)


@settings(max_examples=size(80, 800), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CONTENTS)
@example("tasks: [{id: p.a, schedule: {every: week, on: {a: b}}}]")
@example("tasks: [{id: p.a, simulate: {fail: [1], duration: {}}, run: []}]")
@example("projects: {'': {}, 'a.b': {}}")
@example("a" * 5000 + ": {" + "b" * 5000 + ": c}")
def test_whatever_a_file_holds_only_workspace_refused_is_raised(tmp_path: Path, content: str | bytes):
    path = tmp_path / "workspace.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        read_workspace([path])
    except WorkspaceRefused as refusal:
        assert refusal.problems
