"""`dag` and `export neighbours`: nodes and edges for scripts, a picture for a reader, a workbook for everyone else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from dpconsole.cli.exits import Exit
from tests.cli.conftest import Run, document


@pytest.fixture
def ids(generated: Run) -> dict[str, str]:
    items = document(generated("ls", "instances", "--json"))["items"]
    return {item["name"]: item["id"] for item in items}


def drawn(told: dict[str, Any]) -> set[str]:
    """The edges by name."""
    names = {node["id"]: node["name"] for node in told["nodes"]}
    return {f"{names[up]}>{names[down]}" for up, down in told["edges"]}


def test_nodes_are_those_of_show_and_edges_run_from_up_to_down(generated: Run, ids: dict[str, str]) -> None:
    told = document(generated("dag", ids["ads_gmv"], "--json"))
    assert list(told)[:4] == ["schema_version", "id", "nodes", "edges"]
    assert told["id"] == ids["ads_gmv"]
    assert drawn(told) == {"ods_orders>ads_gmv", "dim_user>ads_gmv"}
    assert all(list(node) == ["id", "name", "task", "business_date", "due", "status"] for node in told["nodes"])
    shown = json.loads(generated("show", ids["ads_gmv"], "--json").stdout)
    assert [node for node in told["nodes"] if node["id"] != ids["ads_gmv"]] == shown["upstreams"]
    number = ids["ads_gmv"].rpartition("_")[2]
    assert document(generated("dag", number, "--json")) == told
    assert told["hidden"] == [{"id": ids["dim_user"], "up": 1, "down": 0}]


def test_levels_are_asked_for_on_each_side(generated: Run, ids: dict[str, str]) -> None:
    for everything in ("2", "all", "Unlimited"):
        up = document(generated("dag", ids["ads_gmv"], "--json", "--up", everything, "--down", 0))
        assert drawn(up) == {"ods_users>dim_user", "ods_orders>ads_gmv", "dim_user>ads_gmv"}
    down = document(generated("dag", ids["ods_users"], "--json", "--up", 0, "--down", "all"))
    assert drawn(down) == {"ods_users>dim_user", "dim_user>ads_gmv"}
    for levels in ("-1", "some", "1.5", "99999999999"):
        result = generated("dag", "trade.dim_user", f"--up={levels}")
        assert result.exit_code == Exit.USAGE
        assert "all or unlimited" in result.stderr


def test_a_task_has_a_dag_of_its_own(generated: Run) -> None:
    told = document(generated("dag", "trade.dim_user", "--json"))
    assert told["edges"] == [["trade.dim_user", "trade.ads_gmv"], ["trade.ods_users", "trade.dim_user"]]
    (first, *_) = told["nodes"]
    assert first == {
        "id": "trade.ods_users",
        "name": "ods_users",
        "task": "trade.ods_users",
        "business_date": None,
        "due": None,
        "status": None,
    }


def test_a_person_gets_a_picture_with_what_is_beyond_it(generated: Run, ids: dict[str, str]) -> None:
    told = generated("dag", ids["ads_gmv"]).stdout
    assert "○ ods_orders 00:30" in told
    assert "+1 ○ dim_user 01:00" in told
    assert "○ [ads_gmv] 02:00" in told
    assert told.count("▾") + told.count("▸") >= 1


def test_without_glyphs_a_picture_is_letters(
    generated: Run, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPCONSOLE_ASCII", "1")
    told = generated("dag", ids["dim_user"]).stdout
    assert told.isascii()
    assert "o ods_users 00:10" in told


def test_what_a_picture_cannot_hold_is_said_below_it(run: Run, home: Path) -> None:
    (home / "work" / "ws.yaml").write_text(LOOP, encoding="utf-8")
    assert run("load", "ws.yaml").exit_code == 0
    assert run("generate", "--date", "2026-11-19").exit_code == 0
    told = run("dag", "trade.late").stdout
    assert told.endswith("not drawn, for it leads back: early waits for late\n")
    edges = document(run("dag", "trade.late", "--json"))["edges"]
    assert edges == [["trade.early", "trade.late"], ["trade.late", "trade.early"]]
    items = document(run("ls", "instances", "-q", "name=early", "--json"))["items"]
    assert run("dag", items[0]["id"]).stdout.endswith("early: no upstream instance of trade.late\n")


LOOP = """\
version: 1
projects: {trade: {}}
tasks:
  - {id: trade.early, schedule: {every: day}, depends_on: [{task: trade.late, cycle: previous}]}
  - {id: trade.late, schedule: {every: day}, depends_on: [trade.early]}
"""


def test_more_than_fits_is_owned_up_to(generated: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dpconsole.cli.commands.dag.MOST_NODES", 2)
    result = generated("dag", "trade.dim_user", "--json")
    assert document(result)["truncated"] is True
    assert "2 nodes shown, and there are more" in result.stderr


NOTHING = {
    "trade.ods_order": "no instance or task trade.ods_order; did you mean trade.ods_orders",
    "ads_gvm": "did you mean trade.ads_gmv?",
    "zzzzzz": "`dpconsole ls tasks` lists the tasks",
    "t_9_20261119_999": "no instance t_9_20261119_999",
    "n_999": "no instance or task n_999",
}


def test_an_id_that_names_nothing_is_answered_with_the_nearest(generated: Run) -> None:
    for id, words in NOTHING.items():
        result = generated("dag", id, "--json")
        assert (result.exit_code, result.stdout) == (Exit.NOTHING, "")
        assert words in result.stderr
        assert len(result.stderr.splitlines()) == 1


def rows(path: str) -> list[tuple[Any, ...]]:
    return list(load_workbook(path.strip(), read_only=True).worksheets[0].iter_rows(values_only=True))


def test_the_neighbours_are_written_and_the_path_is_told(generated: Run, ids: dict[str, str], home: Path) -> None:
    result = generated("export", "neighbours", ids["dim_user"], "--out", home / "out")
    assert result.exit_code == 0
    assert Path(result.stdout.strip()).name.startswith("dim_user_upstream_and_downstream_nodes_")
    assert {row[0] for row in rows(result.stdout)[1:]} == {"ods_users", "ads_gmv"}


def test_an_export_goes_as_many_levels_as_it_is_told(generated: Run, ids: dict[str, str], home: Path) -> None:
    words = ("export", "neighbours", ids["ads_gmv"], "--up", "unlimited", "--down", "10", "--out", home / "out")
    assert [row[0] for row in rows(generated(*words).stdout)[1:]] == ["ods_users", "ods_orders", "dim_user"]
    assert generated(*words[:3], "--up", "11", "--out", home / "out").exit_code == Exit.USAGE
    alone = generated("export", "neighbours", ids["secret"], "--out", home / "nowhere")
    assert (alone.exit_code, alone.stdout, (home / "nowhere").exists()) == (Exit.NOTHING, "", False)
