"""The verbs from the command line: planned, asked about, applied, entered in the ledger, told by an exit code."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dpconsole.cli.exits import Exit
from dpconsole.cli.root import ENTRIES
from dpconsole.core.operations.registry import OPERATIONS
from tests.cli.conftest import Run, document


@pytest.fixture
def ids(night: Run, home: Path) -> dict[str, int]:
    """Instance ids by name; the user is no member of project `closed`."""
    with sqlite3.connect(home / "data" / "dpconsole" / "dpconsole.db") as connection:
        return dict(connection.execute("SELECT name, id FROM instance").fetchall())


@pytest.fixture
def ledger(night: Run, home: Path) -> Any:
    def read() -> list[tuple[Any, ...]]:
        with sqlite3.connect(home / "data" / "dpconsole" / "dpconsole.db") as connection:
            return connection.execute("SELECT verb, state, reason FROM operation ORDER BY id").fetchall()

    return read


def shown(night: Run, id: int) -> dict[str, Any]:
    return dict(json.loads(night("show", id, "--json").stdout))


def changed(result: Result) -> dict[str, Any]:
    return document(result)


def test_a_rerun_changes_the_instance_and_says_so(night: Run, ids: dict[str, int], ledger: Any) -> None:
    result = night("rerun", ids["ods_orders"], "--yes", "--reason", "the disk was full", "--json")
    assert result.exit_code == Exit.DONE
    told = changed(result)
    assert list(told) == [
        "schema_version",
        "operation",
        "dry_run",
        "acts",
        "skipped",
        "refused",
        "state",
        "record",
        "items",
    ]
    assert (told["operation"], told["dry_run"], told["state"], told["record"]) == ("rerun", False, "done", 1)
    assert (told["acts"], told["skipped"], told["refused"]) == (1, 0, 0)
    (item,) = told["items"]
    assert item == {
        "id": f"t_1_20261119_{ids['ods_orders']}",
        "name": "ods_orders",
        "before": "FAILED",
        "after": "NOT_RUNNING",
        "outcome": "ok",
        "reason": None,
    }
    assert ledger() == [("rerun", "done", "the disk was full")]


def test_a_dry_run_says_the_same_and_changes_nothing(night: Run, ids: dict[str, int], ledger: Any) -> None:
    result = night("rerun", ids["ods_orders"], "--dry-run")
    assert result.exit_code == Exit.DONE
    assert "planned" in result.stdout
    assert "downstream: 1 instances in 1 projects, 1 baselines" in result.stderr
    assert f"the same: dpconsole rerun t_1_20261119_{ids['ods_orders']}" in result.stderr
    assert ledger() == []


CASES = [
    ("a state that does not allow it", ["ads_gmv"], ["--yes"], Exit.REFUSED, "refused"),
    ("no permission", ["secret"], ["--yes"], Exit.REFUSED, "refused"),
    ("some act, some are refused", ["ods_orders", "ads_gmv"], ["--yes"], Exit.PARTLY, "partly_done"),
    ("some act, some without permission", ["ods_orders", "secret"], ["--yes"], Exit.PARTLY, "partly_done"),
    ("nothing in scope", ["ods_users"], ["--yes", "--scope", "failed"], Exit.NOTHING, None),
    ("another number than expected", ["ods_orders"], ["--yes", "--expect", "2"], Exit.REFUSED, "refused"),
    ("the number expected", ["ods_orders"], ["--yes", "--expect", "1"], Exit.DONE, "done"),
    ("what would be refused, foretold", ["ads_gmv"], ["--dry-run"], Exit.REFUSED, None),
]


@pytest.mark.parametrize(("names", "flags", "code", "state"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_exit_code_tells_what_became_of_it(
    night: Run, ids: dict[str, int], names: list[str], flags: list[str], code: Exit, state: str | None
) -> None:
    result = night("rerun", *(ids[name] for name in names), *flags, "--json")
    assert result.exit_code == code, result.stderr
    assert changed(result)["state"] == state


def test_refused_attempts_stand_in_the_ledger(night: Run, ids: dict[str, int], ledger: Any) -> None:
    night("rerun", ids["ads_gmv"], "--yes", "--reason", "just trying")
    assert ledger() == [("rerun", "refused", "just trying")]


def test_without_a_terminal_nothing_happens_unasked(night: Run, ids: dict[str, int], ledger: Any) -> None:
    result = night("rerun", ids["ods_orders"])
    assert result.exit_code == Exit.USAGE
    assert "1 row would be changed: add --yes" in result.stderr
    assert ledger() == []


def test_a_read_only_session_changes_nothing(night: Run, ids: dict[str, int], ledger: Any) -> None:
    for words in (
        ["--readonly", "rerun", ids["ods_orders"], "--yes"],
        ["rerun", ids["ods_orders"], "--yes", "--readonly"],
    ):
        result = night(*words)
        assert result.exit_code == Exit.REFUSED
        assert "read-only" in result.stderr
    assert ledger() == []


@pytest.mark.parametrize("words", [["404"], ["-q", "nobody_is_called_so"]])
def test_nothing_matched(night: Run, words: list[str]) -> None:
    result = night("rerun", *words, "--yes", "--json")
    assert result.exit_code == Exit.NOTHING
    assert changed(result)["acts"] == 0


@pytest.mark.parametrize("words", [[], ["1", "-q", "x"], ["one"]])
def test_a_selection_is_ids_or_a_query(night: Run, words: list[str]) -> None:
    assert night("rerun", *words, "--yes").exit_code == Exit.USAGE


def test_a_query_means_everything_that_matches(night: Run) -> None:
    told = changed(night("rerun", "-q", "status:failed project:trade", "--yes", "--json"))
    assert [item["name"] for item in told["items"]] == ["ods_orders"]


def test_a_table_is_rerun_with_its_nodes(night: Run, ids: dict[str, int]) -> None:
    told = changed(night("rerun", ids["dim_user"], "--yes", "--json"))
    assert told["items"][0]["after"] == "NOT_RUNNING"


def test_above_fifty_rows_the_number_must_be_named(loaded: Run, home: Path) -> None:
    task = '  - {{id: p.t{:02}, schedule: {{every: day, at: "00:10"}}, simulate: {{fail_rate: 0}}}}\n'
    tasks = "".join(task.format(number) for number in range(51))
    (home / "work" / "many.yaml").write_text(f"version: 1\ntimezone: UTC\nprojects: {{p: {{}}}}\ntasks:\n{tasks}")
    many = ["--db", "many.db"]
    loaded("load", "many.yaml", *many)
    loaded("generate", "--date", "2026-11-19", *many)
    loaded("engine", "run", "--until-idle", "--virtual", "--start", "2026-11-20T00:00", *many)
    refused = loaded("rerun", "-q", "project:p", "--yes", *many)
    assert refused.exit_code == Exit.USAGE
    assert "51 rows would be changed: add --expect 51" in refused.stderr
    assert loaded("rerun", "-q", "project:p", "--yes", "--expect", 51, *many).exit_code == Exit.DONE


def test_a_query_that_makes_no_sense_gets_a_caret(night: Run) -> None:
    result = night("rerun", "-q", "status:faild", "--yes")
    assert result.exit_code == Exit.USAGE
    assert "did you mean failed?" in result.stderr


# --- every verb -------------------------------------------------------------------------------------------------------

VERBS = [
    ("force-rerun", "ads_gmv", [], "NOT_RUNNING", "THROTTLED"),
    ("force-rerun", "ods_users", ["--start", "dry-run"], "SUCCEEDED", "SUCCEEDED"),
    ("pause", "ads_gmv", ["--until", "+2h"], "NOT_RUNNING", "NOT_RUNNING"),
    ("set-success", "ods_orders", ["--scope", "failed"], "FAILED", "SUCCEEDED"),
    ("priority", "ads_gmv", ["--to", "high"], "medium", "high"),
    ("acknowledge", "ods_orders", [], "FAILED", "FAILED"),
]


@pytest.mark.parametrize(("verb", "name", "flags", "before", "after"), VERBS, ids=[" ".join(c[:1]) for c in VERBS])
def test_a_verb_tells_what_it_did(
    night: Run, ids: dict[str, int], ledger: Any, verb: str, name: str, flags: list[str], before: str, after: str
) -> None:
    result = night(verb, ids[name], *flags, "--yes", "--reason", "because", "--json")
    assert result.exit_code == Exit.DONE, result.stderr
    told = changed(result)
    assert (told["operation"], told["state"], told["acts"]) == (verb, "done", 1)
    assert (told["items"][0]["before"], told["items"][0]["after"]) == (before, after)
    assert ledger() == [(verb, "done", "because")]


def test_a_paused_instance_is_resumed(night: Run, ids: dict[str, int]) -> None:
    def paused() -> bool:
        return bool(shown(night, ids["ads_gmv"])["paused"])

    assert night("pause", ids["ads_gmv"], "--yes").exit_code == Exit.DONE
    assert paused()
    assert night("pause", ids["ads_gmv"], "--yes").exit_code == Exit.REFUSED
    assert night("resume", ids["ads_gmv"], "--yes").exit_code == Exit.DONE
    assert not paused()


def test_what_stands_below_goes_with_the_start(night: Run, ids: dict[str, int]) -> None:
    told = changed(night("force-rerun", ids["ods_orders"], "--scope", "downstream", "--dry-run", "--json"))
    assert [(item["name"], item["after"]) for item in told["items"]] == [
        ("ods_orders", "THROTTLED"),
        ("ads_gmv", "NOT_RUNNING"),
    ]
    one = night("rerun", ids["ods_users"], "--scope", "downstream", "--levels", "1", "--dry-run", "--json")
    assert [item["name"] for item in changed(one)["items"]] == ["ods_users", "dim_user"]


def test_an_upstream_is_removed_and_the_last_one_stays(night: Run, ids: dict[str, int]) -> None:
    night("rerun", ids["dim_user"], "--yes")
    words = ["remove-upstream", ids["ads_gmv"], "--upstream"]
    both = night(*words, ids["ods_orders"], ids["dim_user"], "--yes", "--json")
    assert both.exit_code == Exit.REFUSED
    assert changed(both)["items"][0]["reason"] == "at least one upstream must stay"
    assert night(*words, ids["ods_orders"], "--yes").exit_code == Exit.DONE
    upstreams = shown(night, ids["ads_gmv"])["upstreams"]
    assert [upstream["name"] for upstream in upstreams] == ["dim_user"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["priority", "1"], "--to"),
        (["priority", "1", "--to", "urgent"], "urgent"),
        (["remove-upstream", "1"], "--upstream"),
        (["remove-upstream", "1", "--upstream", "x"], "not the id of an instance"),
        (["rerun", "1", "--levels", "2"], "--levels goes with --scope"),
        (["rerun", "1", "--scope", "downstream", "--levels", "no"], "--levels is a whole number"),
        (["rerun", "1", "--scope", "sideways"], "sideways"),
        (["pause", "1", "--until", "someday"], "someday is not a date"),
        (["pause", "1", "--until", "2020-01-01"], "has passed already"),
    ],
)
def test_a_word_that_makes_no_sense_is_named(night: Run, words: list[str], told: str) -> None:
    result = night(*words, "--yes")
    assert result.exit_code == Exit.USAGE
    assert told in result.stderr


@pytest.mark.parametrize("verb", [name for name in OPERATIONS if name in ENTRIES])
def test_no_verb_acts_in_a_read_only_session(night: Run, ids: dict[str, int], ledger: Any, verb: str) -> None:
    needed = {"priority": ["--to", "low"], "remove-upstream": ["--upstream", ids["ods_orders"]]}
    result = night(verb, ids["ads_gmv"], *needed.get(verb, []), "--yes", "--readonly")
    assert result.exit_code == Exit.REFUSED
    assert ledger() == []


@pytest.mark.parametrize("verb", [name for name in OPERATIONS if name in ENTRIES])
def test_no_verb_acts_without_permission(night: Run, ids: dict[str, int], verb: str) -> None:
    needed = {"priority": ["--to", "low"], "remove-upstream": ["--upstream", ids["ods_orders"]]}
    result = night(verb, ids["secret"], *needed.get(verb, []), "--yes", "--json")
    assert result.exit_code == Exit.REFUSED
    (item,) = changed(result)["items"]
    assert (item["outcome"], item["reason"]) == ("skipped", "no permission")
