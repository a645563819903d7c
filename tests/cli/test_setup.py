"""`config`, `info`, `completion`."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpconsole.cli.exits import Exit
from tests.cli.conftest import Run, document


@pytest.fixture
def user_file(home: Path) -> Path:
    path = home / "config" / "dpconsole" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def test_where_the_settings_are(run: Run, user_file: Path) -> None:
    assert run("config", "path").stdout == f"{user_file}\n"


def test_every_setting_is_shown_with_what_settled_it(run: Run, user_file: Path) -> None:
    user_file.write_text('slow_link = true\n[contexts.prod]\ndatabase = "postgresql://ops:hunter2@db/night"\n')
    result = run("config", "show", "--json", "--context", "prod")
    settings = document(result)["settings"]
    assert settings["slow_link"] == {"value": True, "from": f"{user_file}:1"}
    assert settings["context"] == {"value": "prod", "from": "--context"}
    assert settings["readonly"] == {"value": False, "from": "default"}
    assert "hunter2" not in result.stdout
    assert f"slow_link = true  # {user_file}:1\n" in run("config", "show").stdout


def test_a_good_file_is_good(run: Run, user_file: Path) -> None:
    user_file.write_text("readonly = true\n")
    result = run("config", "validate")
    assert (result.exit_code, result.stdout) == (Exit.DONE, f"{user_file}: good\n")


@pytest.mark.parametrize("words", [["config", "validate"], ["config", "show"], ["info"], ["ls", "instances"]])
def test_a_mistyped_setting_stops_every_command(run: Run, user_file: Path, words: list[str]) -> None:
    user_file.write_text("\nreadonyl = true\n")
    result = run(*words)
    assert result.exit_code == Exit.USAGE
    assert f"{user_file}:2: readonyl: unknown key; did you mean readonly?" in result.stderr


def test_info_without_a_database_says_so(run: Run) -> None:
    told = document(run("info", "--json"))
    assert "there is no database here" in told["database"]["problem"]


def test_info_about_a_database(night: Run) -> None:
    told = document(night("info", "--json"))["database"]
    assert (told["tasks"], told["instances"], told["timezone"], told["environment"]) == (5, 7, "Asia/Shanghai", "prod")
    assert "database timezone: Asia/Shanghai\n" in night("info").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run: Run, shell: str) -> None:
    assert "_DPCONSOLE_COMPLETE" in run("completion", shell).stdout
