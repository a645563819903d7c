"""`load` and `import`: what went in is told, and what cannot go in is refused as a whole."""

from __future__ import annotations

import json
from pathlib import Path

from dpconsole.cli.exits import Exit
from tests.cli.conftest import WORKSPACE, Run, document


def test_a_load_says_what_it_did_and_a_second_one_that_nothing_changed(loaded: Run, home: Path) -> None:
    again = document(loaded("load", "ws.yaml", "--json"))
    assert (again["created"], again["changed"]) == (0, 0)
    (home / "work" / "ws.yaml").write_text(WORKSPACE.replace("00:30", "00:45"))
    assert "tasks: 0 created, 1 changed, 3 unchanged (changed: trade.ods_orders)" in loaded("load", "ws.yaml").stdout


def test_a_load_creates_the_database_where_the_settings_say(run: Run, home: Path) -> None:
    Path("ws.yaml").write_text(WORKSPACE, encoding="utf-8")
    assert run("load", "ws.yaml").exit_code == Exit.DONE
    database = home / "data" / "dpconsole" / "dpconsole.db"
    assert database.stat().st_mode & 0o777 == 0o600


def test_db_is_taken_before_and_after_the_command(loaded: Run, home: Path) -> None:
    for words in (["--db", "one.db", "load", "ws.yaml"], ["load", "ws.yaml", "--db", "two.db"]):
        assert loaded(*words).exit_code == Exit.DONE
    assert (home / "work" / "one.db").exists() and (home / "work" / "two.db").exists()
    (home / "work" / "none.db").unlink(missing_ok=True)
    assert loaded("--db", "none.db", "generate", "--date", "today", "--db", "one.db").exit_code == Exit.DONE


def test_every_problem_is_told_with_its_place_and_nothing_goes_in(loaded: Run, home: Path) -> None:
    bad = WORKSPACE.replace("[trade.ods_orders,", "[trade.ods_order,").replace("owner: mei", "ownr: mei")
    (home / "work" / "bad.yaml").write_text(bad)
    result = loaded("load", "bad.yaml", "--json")
    assert result.exit_code == Exit.USAGE
    told = {(some["line"], some["key"].rpartition(".")[2]) for some in document(result)["refusals"]}
    places = {number for number, line in enumerate(bad.splitlines(), 1) if "ods_order," in line or "ownr" in line}
    assert {line for line, _ in told} == places
    for line in places:
        assert f"bad.yaml:{line}: " in result.stderr
    assert document(loaded("load", "ws.yaml", "--json"))["changed"] == 0


def test_a_missing_file_is_refused(run: Run) -> None:
    result = run("load", "nowhere.yaml")
    assert result.exit_code == Exit.USAGE
    assert "nowhere.yaml" in result.stderr


def test_a_manifest_becomes_tasks(run: Run, home: Path) -> None:
    node = {
        "resource_type": "model",
        "package_name": "shop",
        "depends_on": {"nodes": []},
        "config": {},
        "fqn": ["shop"],
    }
    nodes = {
        f"model.shop.{name}": {**node, "name": name, "unique_id": f"model.shop.{name}", "fqn": ["shop", name]}
        for name in ("a", "b")
    }
    nodes["model.shop.b"]["depends_on"] = {"nodes": ["model.shop.a"]}
    schema = "https://schemas.getdbt.com/dbt/manifest/v12.json"
    manifest = {"metadata": {"dbt_schema_version": schema, "project_name": "shop"}, "nodes": nodes, "sources": {}}
    (home / "work" / "manifest.json").write_text(json.dumps(manifest))
    result = run("import", "dbt", "manifest.json", "--command", "dbt run --select {name}", "--json")
    assert result.exit_code == Exit.DONE, result.stderr
    assert document(result)["names"]["created"]["tasks"] == ["shop.a", "shop.b"]


def test_a_manifest_that_is_none_is_refused(run: Run, home: Path) -> None:
    (home / "work" / "manifest.json").write_text("[]")
    assert run("import", "dbt", "manifest.json").exit_code == Exit.USAGE
