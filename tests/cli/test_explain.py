"""`explain`: the keys of the contract, and what a person reads."""

from __future__ import annotations

import pytest

from dpconsole.cli.exits import Exit
from tests.cli.conftest import Run, document

STEPS = ["upstream", "scheduled_time", "throttling", "schedule_resources", "run"]


@pytest.fixture
def ids(night: Run) -> dict[str, str]:
    items = document(night("ls", "instances", "--json"))["items"]
    return {item["name"]: item["id"] for item in items}


def test_the_five_checks_the_root_and_the_estimate(night: Run, ids: dict[str, str]) -> None:
    told = document(night("explain", ids["ads_gmv"], "--json"))
    assert {"id", "name", "checks", "start_blocking", "eta", "queue_position", "summary"} <= set(told)
    assert [check["step"] for check in told["checks"]] == STEPS
    assert [check["verdict"] for check in told["checks"]] == ["blocked", *["not_reached"] * 4]
    assert all(list(check) == ["step", "verdict", "detail"] for check in told["checks"])
    (root,) = told["start_blocking"]
    assert list(root) == ["id", "name", "task", "business_date", "due", "status", "paused"]
    assert (root["id"], root["status"], root["due"]) == (ids["ods_orders"], "FAILED", "2026-11-20T00:30:00+08:00")
    assert (told["eta"], told["eta_detail"]) == (None, "will not start before trade.ods_orders is mended")


def test_an_estimate_is_a_time_with_its_offset(generated: Run) -> None:
    """The night has not begun by its own clock, and is long past by ours: what is ready could be done at once."""
    items = document(generated("ls", "instances", "-q", "ods_users", "--json"))["items"]
    told = document(generated("explain", items[0]["id"], "--json"))
    assert told["checks"][1]["verdict"] == "waiting"
    assert told["eta"].endswith("+08:00")


def test_a_table_names_its_node(night: Run, ids: dict[str, str]) -> None:
    told = document(night("explain", ids["dim_user"], "--json"))
    assert (told["node"], told["nodes"], told["checks"][4]["verdict"]) == ("dim_user_base", [], "passed")


def test_a_person_reads_words(night: Run, ids: dict[str, str]) -> None:
    told = night("explain", ids["ads_gmv"]).stdout
    assert told.startswith(f"ads_gmv ({ids['ads_gmv']})  Not Running\n")
    assert "Upstream dependency  Blocked      waits for 1 upstream: ods_orders" in told
    assert "Schedule resources   Not reached  -" in told
    assert "\nstart blocking\n" in told
    assert told.rstrip().endswith("will not start before trade.ods_orders is mended")


@pytest.mark.parametrize(("id", "code"), [("t_9_20261119_999", Exit.NOTHING), ("nonsense", Exit.USAGE)])
def test_an_id_that_names_nothing_is_refused(night: Run, id: str, code: Exit) -> None:
    result = night("explain", id)
    assert (result.exit_code, result.stdout) == (code, "")
    assert len(result.stderr.splitlines()) == 1
