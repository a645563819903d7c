"""`ls`, `show`, `log`: the same rows as the screens, in the shape that scripts rely on."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import Result

from dpconsole.cli.exits import Exit
from tests.cli.conftest import DAY, Run, document

INSTANCE_KEYS = [
    "id",
    "name",
    "task",
    "project",
    "owner",
    "origin",
    "unit",
    "cycle",
    "business_date",
    "due",
    "status",
    "paused",
    "dry_run",
    "forced",
    "priority",
    "effective_priority",
    "attempt",
    "auto_reruns",
    "started",
    "ended",
    "duration",
    "resource_group",
    "baselines",
    "tags",
    "backfill",
]
TASK_KEYS = [
    "id",
    "name",
    "project",
    "type",
    "method",
    "cycle",
    "owner",
    "operation_owner",
    "folder",
    "tags",
    "status",
    "submit_status",
    "published",
    "lock_holder",
    "output_table",
    "template",
    "modified",
    "created",
    "upstreams",
    "downstreams",
]


def names(result: Result) -> list[str]:
    return [item["name"] for item in document(result)["items"]]


def test_the_envelope_and_the_keys_of_an_instance(night: Run) -> None:
    told = document(night("ls", "instances", "-q", "name:ods_users", "--json"))
    assert (told["total"], told["truncated"]) == (1, False)
    (item,) = told["items"]
    assert list(item) == INSTANCE_KEYS
    assert item["task"] == "trade.ods_users"
    assert (item["due"], item["status"], item["duration"]) == ("2026-11-20T00:10:00+08:00", "SUCCEEDED", 10.0)


def test_the_keys_of_a_task(night: Run) -> None:
    told = document(night("ls", "tasks", "--json"))
    assert [list(item) for item in told["items"]] == [TASK_KEYS] * 5


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status:failed", {"ods_orders", "secret"}),
        ("status:failed project:trade", {"ods_orders"}),
        ("tag:gold", {"ods_users"}),
        ("dim", {"dim_user"}),
        ("owner:mei or owner:lin", {"ods_users", "ods_orders"}),
    ],
)
def test_a_query_says_which(night: Run, query: str, expected: set[str]) -> None:
    assert set(names(night("ls", "instances", "-q", query, "--json"))) == expected


def test_sorting_both_ways(night: Run) -> None:
    there = names(night("ls", "instances", "--sort", "due", "--json"))
    back = names(night("ls", "instances", "--sort", "-due", "--json"))
    assert there == ["ods_users", "secret", "ods_orders", "dim_user", "ads_gmv"] == back[::-1]


def test_a_limit_is_never_silent(night: Run) -> None:
    result = night("ls", "instances", "--limit", 2, "--json")
    told = document(result)
    assert (len(told["items"]), told["total"], told["truncated"]) == (2, 5, True)
    assert "2 of 5 instances shown; --limit 0 shows all" in result.stderr
    assert len(document(night("ls", "instances", "--limit", 0, "--json"))["items"]) == 5


def test_nothing_that_matches_is_an_exit_code_of_its_own(night: Run) -> None:
    result = night("ls", "instances", "-q", "nobody_is_called_so", "--json")
    assert result.exit_code == Exit.NOTHING
    assert document(result)["items"] == []
    assert result.stderr == "no instances match nobody_is_called_so\n"


def test_a_query_that_makes_no_sense_gets_a_caret(night: Run) -> None:
    result = night("ls", "instances", "-q", "status:faild")
    assert result.exit_code == Exit.USAGE
    first, second = result.stderr.splitlines()
    assert first == "dpconsole: status:faild"
    assert second.index("^") == first.index("faild")
    assert "did you mean failed?" in second


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["instances", "--sort", "colour"], "colour"),
        (["instances", "--columns", "id,nam"], "no column 'nam'; did you mean name?"),
        (["things"], "'things' is not one of"),
    ],
)
def test_wrong_words_are_named(night: Run, words: list[str], said: str) -> None:
    result = night("ls", *words)
    assert result.exit_code == Exit.USAGE
    assert said in result.stderr


def test_text_is_aligned_under_its_titles(night: Run) -> None:
    titles, *rows = night("ls", "instances", "--columns", "name,status,due").stdout.splitlines()
    assert titles.split() == ["name", "status", "due"]
    assert "2026-11-20 00:30:00" in next(row for row in rows if row.startswith("ods_orders"))
    assert len({row.index("2026") for row in rows}) == 1


def test_csv_has_a_header_and_computes_nothing(night: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(night("ls", "instances", "--csv").stdout)))
    assert list(rows[0]) == INSTANCE_KEYS
    assert len(rows) == 5


def test_records_are_listed(night: Run) -> None:
    night("rerun", "-q", "name:ods_orders", "--yes", "--reason", "why not")
    (record,) = document(night("ls", "records", "--json"))["items"]
    assert (record["verb"], record["state"], record["acts"], record["reason"]) == ("rerun", "done", 1, "why not")


# --- show -------------------------------------------------------------------------------------------------------------


def key_of(night: Run, name: str) -> str:
    (item,) = document(night("ls", "instances", "-q", f"name:{name}", "--json"))["items"]
    return str(item["id"])


def test_show_is_the_item_and_what_belongs_to_it(night: Run) -> None:
    told = json.loads(night("show", key_of(night, "ads_gmv"), "--json").stdout)
    assert list(told)[: len(INSTANCE_KEYS)] == INSTANCE_KEYS
    assert {"attempts", "upstreams", "downstreams", "operations"} <= set(told)
    assert [list(up) for up in told["upstreams"]] == [["id", "name", "task", "business_date", "due", "status"]] * 2
    assert told["why"].startswith("waits for 1 upstream: ods_orders (t_")


def test_show_of_a_table_has_its_fields_and_nodes(night: Run) -> None:
    told = json.loads(night("show", key_of(night, "dim_user"), "--json").stdout)
    assert [(field["name"], field["status"]) for field in told["fields"]] == [
        ("user_id", "SUCCEEDED"),
        ("city", "SUCCEEDED"),
        ("ltv", "SUCCEEDED"),
    ]
    assert [node["name"] for node in told["nodes"]] == ["dim_user_base", "dim_user_ltv"]


def test_show_says_in_words_why_an_instance_stands_still(night: Run) -> None:
    assert "why  waits for 1 upstream: ods_orders" in night("show", key_of(night, "ads_gmv")).stdout
    assert "why  failed: " in night("show", key_of(night, "ods_orders")).stdout
    assert "\nwhy" not in night("show", key_of(night, "ods_users")).stdout


def test_show_of_a_task(night: Run) -> None:
    assert json.loads(night("show", "trade.ads_gmv", "--json").stdout)["upstreams"] == 2


@pytest.mark.parametrize(("id", "code"), [("404", Exit.NOTHING), ("trade.none", Exit.NOTHING), ("what", Exit.USAGE)])
def test_show_of_nothing(night: Run, id: str, code: Exit) -> None:
    result = night("show", id)
    assert result.exit_code == code
    assert result.stderr.count("\n") == 1


# --- log --------------------------------------------------------------------------------------------------------------


def test_the_log_of_the_last_attempt(night: Run) -> None:
    result = night("log", key_of(night, "ods_orders"))
    assert result.exit_code == Exit.DONE
    assert "attempt 1 of trade.ods_orders" in result.stdout
    assert result.stdout == night("log", key_of(night, "ods_orders"), "--attempt", 1, "--follow").stdout


def test_the_log_as_json(night: Run) -> None:
    (attempt,) = document(night("log", key_of(night, "ods_orders"), "--json"))["attempts"]
    assert (attempt["number"], attempt["status"], attempt["duration"]) == (1, "failed", 40.0)
    assert attempt["started"].startswith("2026-11-20T00:30:00")
    assert "ods_orders" in attempt["content"]


def test_the_logs_of_a_table_are_those_of_its_nodes(night: Run) -> None:
    lines = night("log", key_of(night, "dim_user")).stdout.splitlines()
    assert [line for line in lines if line.startswith("==>")] == [
        "==> dim_user_base, attempt 1 <==",
        "==> dim_user_ltv, attempt 1 <==",
    ]


@pytest.mark.parametrize("words", [["ads_gmv"], ["ods_orders", "--attempt", "7"]])
def test_without_an_attempt_there_is_no_log(night: Run, words: list[str]) -> None:
    name, *flags = words
    result = night("log", key_of(night, name), *flags)
    assert (result.exit_code, result.stdout) == (Exit.NOTHING, "")


# --- hostile text -----------------------------------------------------------------------------------------------------


def test_hostile_names_reach_no_output_as_they_are(run: Run, home: Path) -> None:
    (home / "work" / "evil.yaml").write_text(
        "version: 1\ntimezone: UTC\nprojects: {p: {}}\ntasks:\n"
        '  - {id: "p.[/]", owner: "\\x1b]52;c;AAAA\\a", schedule: {every: day, at: "00:10"}}\n'
    )
    assert run("load", "evil.yaml").exit_code == Exit.DONE
    assert run("generate", "--date", DAY).exit_code == Exit.DONE
    for words in (["ls", "instances"], ["ls", "instances", "--json"], ["ls", "tasks", "--csv"], ["show", "1"]):
        out = run(*words).stdout
        assert "[/]" in out
        assert not set("\x1b\x07\x9b") & set(out)
