"""What is asked of backfills on the command line: every command but `create`, by its exit code and its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dpconsole.cli.exits import Exit
from tests.cli.conftest import Run, document

CREATE = ("backfill", "create", "--task", "trade.ods_orders", "--from", "2026-11-01", "--to", "2026-11-04")


@pytest.fixture
def broken(loaded: Run) -> Run:
    """A submitted backfill of four data timestamps, the first of which has failed, and one to be submitted."""
    assert loaded(*CREATE, "--name", "orders", "--yes").exit_code == Exit.DONE
    assert loaded("engine", "run", "--until-idle", "--virtual", "--seed", 1).exit_code == Exit.DONE
    assert loaded(*CREATE, "--name", "later", "--at", "+2h", "--yes").exit_code == Exit.DONE
    return loaded


def changed(run: Run, *words: str) -> tuple[int, dict[str, Any]]:
    result = run(*words, "--yes", "--json")
    return result.exit_code, document(result)


def test_submitted_ones_and_those_to_be_are_two_lists(broken: Run) -> None:
    (submitted,) = document(broken("backfill", "ls", "--json"))["items"]
    assert " ".join(submitted) == "id name status paused submitter submitted dates nodes counts"
    assert (submitted["name"], submitted["status"], submitted["nodes"]) == ("orders", "FAILED", 4)
    assert submitted["counts"] == {"NOT_RUNNING": 3, "FAILED": 1}
    (pending,) = document(broken("backfill", "ls", "--pending", "--json"))["items"]
    assert (pending["id"], pending["name"], pending["state"], len(pending["dates"])) == ("f_2", "later", "waiting", 4)
    assert pending["submit_after"] is not None
    assert broken("backfill", "ls", "--pending", "-q", "recurrence:weekly").exit_code == Exit.NOTHING
    assert "2026-11-01 .. 2026-11-04 (4)" in broken("backfill", "ls").stdout


def test_show_says_how_far_every_data_timestamp_is(broken: Run) -> None:
    item, *same = (json.loads(broken("backfill", "show", name, "--json").stdout) for name in ("f_1", "1", "orders"))
    assert same == [item, item]
    assert (item["id"], item["status"], item["done"], item["eta"], item["groups"]) == ("f_1", "FAILED", 0, None, 1)
    first, second, *_ = item["data_timestamps"]
    assert (first["id"], first["state"], first["status"], first["counts"]) == ("dr_1", "begun", "FAILED", {"FAILED": 1})
    assert (second["state"], second["queue"], second["nodes"], second["eta"]) == ("waiting", 1, 1, None)


def test_one_click_rerun_and_stop(broken: Run) -> None:
    dry = broken("backfill", "rerun-failed", "orders", "--dry-run")
    assert "the same: dpconsole backfill rerun-failed f_1" in dry.stderr
    code, told = changed(broken, "backfill", "rerun-failed", "f_1")
    assert (code, told["operation"], told["acts"], told["state"]) == (Exit.DONE, "one-click-rerun-failed", 1, "done")
    nothing = broken("backfill", "stop", "dr_2", "--yes")
    assert (nothing.exit_code, "nothing to act on" in nothing.stderr) == (Exit.NOTHING, True)


def test_pause_means_the_submission_or_the_instances(broken: Run) -> None:
    code, told = changed(broken, "backfill", "pause", "later")
    assert (code, told["operation"], told["items"][0]["after"]) == (Exit.DONE, "backfill-pause", "Paused")
    code, told = changed(broken, "backfill", "resume", "later")
    assert (code, told["operation"], told["items"][0]["id"]) == (Exit.DONE, "backfill-resume", "f_2")
    code, told = changed(broken, "backfill", "pause", "f_1")
    assert (code, told["operation"], told["acts"], told["skipped"]) == (Exit.DONE, "pause", 3, 1)
    code, told = changed(broken, "resume", "dr_2")
    assert (code, told["acts"]) == (Exit.DONE, 1)
    assert broken("backfill", "pause", "f_1", "f_2", "--yes").exit_code == Exit.USAGE
    assert broken("backfill", "pause", "f_2", "--until", "+1h", "--yes").exit_code == Exit.USAGE
    assert changed(broken, "backfill", "retry", "f_2")[0] == Exit.REFUSED


def test_in_flight(broken: Run) -> None:
    code, told = changed(broken, "backfill", "concurrency", "f_1", "--to", "2")
    assert (code, told["items"][0]["before"], told["items"][0]["after"]) == (Exit.DONE, "1", "2")
    code, told = changed(broken, "backfill", "exclude", "f_1", "--dates", "2026-11-01", "2026-11-03..2026-11-04")
    assert (code, told["acts"], told["skipped"]) == (Exit.DONE, 2, 1)
    after = {item["id"]: item["after"] for item in told["items"]}
    assert after == {"dr_1": "Begun", "dr_3": "Excluded", "dr_4": "Excluded"}
    (item,) = document(broken("ls", "backfills", "-q", "orders", "--json"))["items"]
    assert (item["nodes"], item["dates"]) == (2, ["2026-11-01", "2026-11-02"])
    assert "hash chain verified" in broken("ls", "records", "--verify").stderr


REFUSED = (
    ("stop f_9", Exit.NOTHING, "no backfill f_9"),
    ("stop nobody", Exit.NOTHING, "no backfill nobody"),
    ("show dr_99", Exit.NOTHING, "no backfill dr_99"),
    ("stop", Exit.USAGE, "one of the two"),
    ("concurrency f_1 --yes", Exit.USAGE, "--to"),
    ("concurrency f_1 --to 0 --yes", Exit.USAGE, "whole number from 1"),
    ("exclude f_1 --dates 2027-01-01", Exit.NOTHING, "f_1 has no data timestamp 2027-01-01"),
    ("exclude f_1 --dates 2026-11-02,2027-01-01..2027-02-01", Exit.NOTHING, "no data timestamp 2027-01-01..2027-02-01"),
    ("exclude f_1 --dates 2026-11-04..2026-11-02", Exit.USAGE, "did you mean 2026-11-02..2026-11-04?"),
    ("exclude f_1 --dates 2026-11-04..", Exit.USAGE, "--dates:  is not a date"),
    ("exclude f_1 --dates ,", Exit.USAGE, "--dates: name data timestamps"),
    ("exclude f_1 --dates soon", Exit.USAGE, "--dates: soon is not a date"),
    ("rerun-failed f_1", Exit.USAGE, "add --yes"),
    ("rerun-failed f_1 --yes --expect 3", Exit.REFUSED, "expected 3 rows, found 1"),
)


def test_what_cannot_be_is_said(broken: Run) -> None:
    for words, code, said in REFUSED:
        result = broken("backfill", *words.split())
        assert (result.exit_code, said in result.stderr) == (code, True), words


def test_backfills_are_downloaded_under_their_own_name(broken: Run, home: Path) -> None:
    written = broken("export", "backfill", "orders", "--out", home / "out")
    assert written.exit_code == Exit.DONE
    assert Path(written.stdout.strip()).name.startswith("Dataphin_data_backfill_instance_2")
    assert broken("export", "backfill", "f_2", "--out", home / "out").exit_code == Exit.NOTHING


def test_saved_flows_are_listed_and_paused_and_resumed(loaded: Run) -> None:
    assert loaded("backfill", "flows").exit_code == Exit.NOTHING
    every = ("--task", "trade.ods_orders", "--every", "weekly", "--on", "mon", "--at", "02:00", "--range", "T-1")
    assert loaded("backfill", "create", *every, "--name", "again", "--yes").exit_code == Exit.DONE
    (flow,) = document(loaded("backfill", "flows", "--json"))["items"]
    assert " ".join(flow) == "id name project owner recurrence when next_run enabled made_until"
    assert (flow["id"], flow["name"], flow["when"], flow["enabled"]) == ("flow_1", "again", "mon 02:00", True)
    code, told = changed(loaded, "backfill", "pause", "flow_1")
    assert (code, told["operation"], told["items"][0]["after"]) == (Exit.DONE, "flow-pause", "Disabled")
    (flow,) = document(loaded("backfill", "flows", "--json"))["items"]
    assert (flow["enabled"], flow["next_run"]) == (False, None)
    assert changed(loaded, "backfill", "pause", "flow_1")[0] == Exit.REFUSED
    assert changed(loaded, "backfill", "resume", "flow_1")[1]["operation"] == "flow-resume"
    assert loaded("backfill", "pause", "flow_2", "--yes").exit_code == Exit.NOTHING
    assert loaded("backfill", "stop", "flow_1", "--yes").exit_code == Exit.USAGE
    assert "flow_1" in loaded("backfill", "flows").stdout
    shown = json.loads(loaded("backfill", "show", "flow_1", "--json").stdout)
    assert shown["id"] == "flow_1"
    assert {"field": "task", "answer": "trade.ods_orders"} in shown["form"]
    assert loaded("backfill", "show", "flow_2").exit_code == Exit.NOTHING


def test_a_list_without_a_submitted_backfill_points_to_the_pending_ones(loaded: Run) -> None:
    assert loaded("backfill", "ls").stderr == ""
    created = loaded(
        *("backfill", "create", "--task", "trade.ods_orders", "--range", "2026-06-01"),
        "--at",
        "2999-01-01T00:00",
        "--yes",
    )
    assert created.exit_code == Exit.DONE
    listed = loaded("backfill", "ls")
    assert listed.exit_code == Exit.NOTHING
    assert listed.stderr.strip() == "none is submitted; 1 backfill to be submitted, listed with --pending"
