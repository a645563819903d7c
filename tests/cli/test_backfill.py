"""`backfill create`: the plan printed, the backfill created, and every answer that is not taken, by its exit code."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dpconsole.cli.exits import Exit
from dpconsole.core.operations.backfill_form import FIELDS
from tests.cli.conftest import Run, document

DAYS = ("--from", "2026-06-01", "--to", "2026-06-07")
USERS = ("backfill", "create", "--task", "trade.ods_users")

Contents = Callable[[], list[Any]]


@pytest.fixture
def contents(loaded: Run, home: Path) -> Contents:
    """Everything that stands in the database."""

    def read() -> list[Any]:
        with sqlite3.connect(home / "data" / "dpconsole" / "dpconsole.db") as connection:
            return list(connection.iterdump())

    return read


def test_a_backfill_is_created_and_entered_in_the_ledger(loaded: Run, home: Path) -> None:
    result = loaded(*USERS, *DAYS, "--downstream", "all", "--name", "june", "--yes", "--reason", "lost", "--json")
    assert result.exit_code == Exit.DONE
    told = document(result)
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
        "backfill",
        "plan",
    ]
    assert (told["operation"], told["dry_run"], told["state"], told["record"]) == ("backfill", False, "done", 1)
    assert (told["acts"], told["skipped"], told["refused"], told["backfill"]) == (1, 0, 0, "f_1")
    assert told["items"] == [
        {"id": "f_1", "name": "june", "before": None, "after": "SUBMITTING", "outcome": "ok", "reason": None}
    ]
    with sqlite3.connect(home / "data" / "dpconsole" / "dpconsole.db") as connection:
        (made,) = connection.execute("SELECT count(*) FROM instance WHERE listing != ''").fetchone()
        (ledger,) = connection.execute("SELECT verb, kind, state, reason, command FROM operation").fetchall()
    assert made == told["plan"]["instances"] == 21
    assert ledger[:4] == ("backfill", "backfill", "done", "lost")
    assert ledger[4] == told["plan"]["command"]


def test_a_dry_run_prints_the_flight_plan_and_creates_nothing(loaded: Run, contents: Contents) -> None:
    before = contents()
    words = ("--downstream", "1", "--groups", 2, "--order", "desc", "--dry-run")
    result = loaded(*USERS, *DAYS, *words)
    assert result.exit_code == Exit.DONE
    for line in (
        "makes       14 instances: 2 tasks on 7 data timestamps",
        "runs        descending, 2 groups side by side",
        "2026-06-01..2026-06-07  missing   7     14",
        "gmv_0800",
    ):
        assert line in result.stdout
    assert (
        "the same: dpconsole backfill create --task=trade.ods_users --downstream=1 --from=2026-06-01" in result.stderr
    )
    plan = document(loaded(*USERS, *DAYS, *words, "--json"))["plan"]
    assert plan["queues"][0] == ["2026-06-07", "2026-06-05", "2026-06-03", "2026-06-01"]
    assert [(layer["level"], layer["instances"]) for layer in plan["layers"]] == [(0, 7), (1, 7)]
    assert plan["dates"][0] == {
        "business_date": "2026-06-01",
        "start": "MISSING",
        "counts": {},
        "queue": 1,
        "position": 4,
        "instances": 2,
    }
    assert plan["estimate"]["unknown"] == 3
    assert contents() == before


BAD = [
    (("--from", "2026-06-07", "--to", "2026-06-01"), "--from/--to: 2026-06-07..2026-06-01 ends before it starts"),
    (("--from", "2026-06-07"), "--from and --to go together"),
    (("--range", ""), "--range: no data timestamps"),
    (("--from", "2000-01-01", "--to", "2027-05-18"), "10,000 data timestamps; one backfill takes at most 1,000"),
    (("--name", "x" * 200), "--name: a name has at most 128 characters, this one has 200"),
    (("--at", "2020-01-01T00:00"), "--at: 2020-01-01T00:00 has passed already"),
    (("--groups", "0"), "--groups: the number of groups is a whole number from 1"),
    (("--groups", "many"), "--groups: the number of groups is a whole number from 1"),
    (("--order", "up"), "--order: up is none of asc, desc"),
    (("--downstream", "11"), "--downstream: downstream is all, none, or a number of levels"),
    (("--hours", "05:00-01:00"), "--hours: 05:00-01:00 ends before it starts"),
    (("--set", "a"), "--set: a sets nothing; write name=value"),
    (("--fields", "x"), "--fields: goes with one logical table as the start"),
    (("--include-name", "x"), "--include-name: goes with massive mode"),
    (("--task", "trade.ods_user"), "--task: no task trade.ods_user; did you mean trade.ods_users?"),
]


def test_bad_input_names_the_option_and_creates_nothing(loaded: Run, contents: Contents) -> None:
    before = contents()
    for words, message in BAD:
        result = loaded(*USERS, *words, "--yes", "--json")
        assert result.exit_code == (Exit.NOTHING if words[0] == "--task" else Exit.USAGE), words
        assert message in result.stderr
        assert result.stdout == ""
    assert contents() == before


def test_without_a_terminal_it_is_to_be_said_that_it_is_meant(loaded: Run, contents: Contents) -> None:
    before = contents()
    unasked = loaded(*USERS, *DAYS)
    assert (unasked.exit_code, "7 instances would be made: add --yes" in unasked.stderr) == (Exit.USAGE, True)
    many = (*USERS, "--range", "2026-05-01..2026-06-30", "--yes")
    unexpected = loaded(*many)
    assert (unexpected.exit_code, "add --expect 61" in unexpected.stderr) == (Exit.USAGE, True)
    assert contents() == before
    assert loaded(*many, "--expect", 61).exit_code == Exit.DONE


def test_another_number_than_expected_is_refused_and_entered(loaded: Run) -> None:
    result = loaded(*USERS, *DAYS, "--yes", "--expect", 5, "--json")
    assert result.exit_code == Exit.REFUSED
    told = document(result)
    assert (told["state"], told["acts"], told["refused"], told["backfill"]) == ("refused", 0, 1, None)
    assert told["items"][0]["reason"] == "expected 5 instances, found 7"
    assert document(loaded("ls", "backfills", "--json"))["total"] == 0


def test_a_project_of_others_and_a_session_that_only_reads_refuse(loaded: Run) -> None:
    secret = ("backfill", "create", "--task", "closed.secret")
    refused = loaded(*secret, "--yes", "--json")
    assert refused.exit_code == Exit.REFUSED
    assert document(refused)["items"][0]["reason"] == "no permission to operate in project closed"
    assert loaded(*secret, "--dry-run").exit_code == Exit.REFUSED
    readonly = loaded("--readonly", *USERS, *DAYS, "--yes")
    assert (readonly.exit_code, "read-only" in readonly.stderr) == (Exit.REFUSED, True)
    assert loaded("--readonly", *USERS, *DAYS, "--dry-run").exit_code == Exit.DONE


def test_fields_bring_what_they_require(loaded: Run) -> None:
    words = ("--task", "trade.dim_user", "--fields", "ltv", "--downstream", "all", "--dry-run", "--json")
    plan = document(loaded("backfill", "create", *words))["plan"]
    assert {one["name"]: one["node"] for one in plan["required_fields"]} == {
        "user_id": "dim_user_ltv",
        "city": "dim_user_base",
    }
    assert [task["id"] for task in plan["tasks"]] == ["trade.dim_user", "trade.ads_gmv"]


def test_massive_mode_is_narrowed_and_takes_all_downstream(loaded: Run) -> None:
    words = ("--massive", "--exclude-name", "dim", "--exclude-name", "none", "--set", "a=1,2", "--dry-run", "--json")
    plan = document(loaded(*USERS, *DAYS, *words))["plan"]
    assert [task["id"] for task in plan["tasks"]] == ["trade.ods_users", "trade.ads_gmv"]
    assert plan["left_out"] == [{"id": "trade.dim_user", "reason": "among the excluded names"}]
    assert "--massive --exclude-name=dim --exclude-name=none" in plan["command"]
    assert plan["command"].endswith("--set=a=1,2")


def test_several_ranges_and_one_for_later(loaded: Run) -> None:
    ranges = ("--range", "2026-06-01..2026-06-03", "--range", "2026-06-10", "--at", "+2h", "--yes", "--json")
    told = document(loaded(*USERS, *ranges))
    assert len(told["plan"]["dates"]) == 4
    assert told["items"][0]["after"] == "WAITING"


def test_a_periodic_one_is_saved_as_a_flow(loaded: Run) -> None:
    told = document(loaded(*USERS, "--every", "weekly", "--on", "mon", "--at", "02:00", "--yes", "--json"))
    assert (told["backfill"], told["items"][0]["after"], told["state"]) == ("flow_1", "SAVED", "done")


def test_every_field_of_the_form_is_an_option(run: Run) -> None:
    told = run("backfill", "create", "--help").stdout
    for name in (*FIELDS, "from", "to", "dry-run", "yes", "expect", "reason", "json"):
        assert f"--{name}" in told
