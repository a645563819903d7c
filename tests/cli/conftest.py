"""The command line in this process, with directories of its own and a small night to work on.

What a night is made by is played once, and copied for whoever asks for it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dpconsole.cli.root import dpconsole

WORKSPACE = """\
version: 1
timezone: Asia/Shanghai
projects:
  trade: {title: 交易}
  closed: {members: {somebody: admin}}
resource_groups:
  default: {slots: 8}
baselines:
  - {name: gmv_0800, priority: highest, tasks: [trade.ads_gmv], committed: "08:00"}
tasks:
  - id: trade.ods_orders
    owner: lin
    schedule: {every: day, at: "00:30"}
    simulate: {duration: 40s, fail: {"*": always}}
    run: {reruns: 0}
  - id: trade.ods_users
    owner: mei
    tags: [gold]
    schedule: {every: day, at: "00:10"}
    simulate: {duration: 10s, fail_rate: 0}
  - id: trade.dim_user
    type: logical_table
    kind: dimension
    schedule: {every: day, at: "01:00"}
    simulate: {duration: 10s, fail_rate: 0}
    fields: [{name: user_id, type: bigint, key: true}, {name: city, type: string}, {name: ltv, type: double}]
    nodes:
      - {name: dim_user_base, fields: [user_id, city], depends_on: [trade.ods_users]}
      - {name: dim_user_ltv, fields: [user_id, ltv], depends_on: [{node: dim_user_base}]}
  - id: trade.ads_gmv
    type: maxcompute_sql
    schedule: {every: day, at: "02:00"}
    depends_on: [trade.ods_orders, {task: trade.dim_user, fields: [ltv]}]
  - id: closed.secret
    owner: somebody
    schedule: {every: day, at: "00:20"}
    simulate: {duration: 5s, fail: {"*": always}}
    run: {reruns: 0}
"""
"""A day of it: ods_users and dim_user succeed, ods_orders and secret fail, ads_gmv waits for ods_orders."""

DAY = "2026-11-19"

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    for name in ("DB", "READONLY", "CONTEXT", "TIMES", "SLOW_LINK", "SYNCHRONOUS", "ACCENT"):
        monkeypatch.delenv(f"DPCONSOLE_{name}", raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    def run(*words: object, **extra: Any) -> Result:
        return CliRunner().invoke(dpconsole, [str(word) for word in words], prog_name="dpconsole", **extra)

    return run


@pytest.fixture(scope="session")
def definitions_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with definitions, to be copied."""
    place = tmp_path_factory.mktemp("definitions")
    (place / "ws.yaml").write_text(WORKSPACE, encoding="utf-8")
    return _made(place / "night.db", "load", str(place / "ws.yaml"))


@pytest.fixture(scope="session")
def generated_file(definitions_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with the instances of one business date."""
    copied = shutil.copy(definitions_file, tmp_path_factory.mktemp("generated") / "night.db")
    return _made(copied, "generate", "--date", DAY)


@pytest.fixture(scope="session")
def night_file(generated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, run to its end."""
    copied = shutil.copy(generated_file, tmp_path_factory.mktemp("night") / "night.db")
    return _made(copied, "engine", "run", "--until-idle", "--virtual", "--start", "2026-11-19T23:30", "--seed", "1")


def _made(database: Path, *words: str) -> Path:
    """A database after a command has worked on it."""
    result = CliRunner().invoke(dpconsole, ["--db", str(database), *words], prog_name="dpconsole")
    assert result.exit_code == 0, result.output
    return database


def _bring(database: Path, home: Path) -> None:
    """Put a database where the settings look for it, and beside it the workspace that it was loaded from."""
    (home / "data" / "dpconsole").mkdir(parents=True)
    shutil.copy(database, home / "data" / "dpconsole" / "dpconsole.db")
    (home / "work" / "ws.yaml").write_text(WORKSPACE, encoding="utf-8")


@pytest.fixture
def loaded(run: Run, home: Path, definitions_file: Path) -> Run:
    """A database with definitions."""
    _bring(definitions_file, home)
    return run


@pytest.fixture
def generated(run: Run, home: Path, generated_file: Path) -> Run:
    """The instances of one business date, none of them begun."""
    _bring(generated_file, home)
    return run


@pytest.fixture
def night(run: Run, home: Path, night_file: Path) -> Run:
    """The same night, run to its end."""
    _bring(night_file, home)
    return run


def document(result: Result) -> dict[str, Any]:
    """The one JSON object a command wrote."""
    parsed = json.loads(result.stdout)
    assert parsed["schema_version"] == 1
    return dict(parsed)
