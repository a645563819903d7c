"""Real consoles on real terminals, and the workspaces they are proved on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from dpconsole.cli.root import dpconsole
from tests.terminal import Terminal
from tests.widgets import hostile_app

PROGRAM = (sys.executable, "-m", "dpconsole")
NASTIES = tuple(nasty.replace("\0", "") for nasty in hostile_app.NASTIES)
"""All but the one character that no database takes; `load` refuses it."""

KEY_LIMIT = 128
"""Characters a tag, a field or a node may have."""


def console(database: Path, *arguments: str, width: int = 120, height: int = 40, **env: str) -> Terminal:
    """A console on a database, with nobody's settings."""
    place = {f"XDG_{kind}_HOME": str(database.parent / kind) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    argv = [*PROGRAM, "--db", str(database), *arguments]
    return Terminal(argv, width=width, height=height, env={**place, "LANG": "C.UTF-8", **env})


def load(database: Path, workspace: dict[str, Any]) -> Path:
    """A database with the definitions of a workspace file, which is JSON here: YAML has every escape of it."""
    file = database.with_suffix(".yaml")
    file.write_text(json.dumps(workspace), encoding="utf-8")
    done = CliRunner().invoke(dpconsole, ["--db", str(database), "load", str(file)], prog_name="dpconsole")
    assert done.exit_code == 0, done.output
    return database


def chain(tasks: int) -> dict[str, Any]:
    """Tasks that run one after the other, a second each: for as many seconds, something changes every second."""
    return _workspace(
        *(
            {
                "id": f"p.step_{number:02}",
                "schedule": {"every": "day", "at": "00:00"},
                "simulate": {"duration": "1s", "fail_rate": 0.0},
                "depends_on": [f"p.step_{number - 1:02}"] if number else [],
            }
            for number in range(tasks)
        )
    )


def hostile() -> dict[str, Any]:
    """Every text that an operator ever sees is a nasty one; every other task fails, with a log that is no better."""
    midnight = {"every": "day", "at": "00:00"}
    tasks = [
        {
            "id": f"p.{nasty}",
            "owner": nasty,
            "operation_owner": nasty,
            "description": nasty,
            "tags": [nasty[:KEY_LIMIT]],
            "schedule": midnight,
            "depends_on": [f"p.{NASTIES[number - 1]}"] if number % 2 else [],
            "simulate": {"duration": "1s", "log": f"ERROR {nasty}", "fail": {"*": "always"} if number % 2 else {}},
            "run": {"reruns": 0},
        }
        for number, nasty in enumerate(NASTIES)
    ]
    fields = [nasty[:KEY_LIMIT] for nasty in NASTIES]
    table = {
        "id": "p.table " + NASTIES[1],
        "type": "logical_table",
        "kind": "fact",
        "schedule": midnight,
        "simulate": {"duration": "1s", "fail_rate": 0.0},
        "fields": [{"name": field, "type": "bigint"} for field in fields],
        "nodes": [{"name": field, "fields": [field], "code": field} for field in fields],
    }
    everything = _workspace(*tasks, table)
    everything["projects"]["p"]["title"] = "".join(NASTIES)
    everything["baselines"] = [{"name": NASTIES[1], "tasks": [tasks[0]["id"]], "committed": "08:00"}]
    return everything


def _workspace(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, "timezone": "UTC", "projects": {"p": {"title": "p"}}, "tasks": list(tasks)}
