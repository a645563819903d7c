"""The program as a whole: help, refusals in one line, and the console that needs a terminal."""

from __future__ import annotations

import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from dpconsole import __version__
from dpconsole.cli import main
from dpconsole.cli.exits import Exit
from dpconsole.cli.root import ENTRIES
from dpconsole.core.operations.registry import OPERATIONS
from tests.cli.conftest import Run


def test_the_help_names_every_command(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == Exit.DONE
    for name in ENTRIES:
        assert f"  {name} " in result.stdout


@pytest.mark.parametrize("name", ENTRIES)
def test_every_command_has_its_own_help_and_takes_the_global_options(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == Exit.DONE
    for option in ("--db", "--context", "--readonly", "--slow-link"):
        assert option in result.stdout


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name in ENTRIES])
def test_the_commands_of_verbs_come_from_their_registry(run: Run, name: str) -> None:
    assert ENTRIES[name].help == OPERATIONS[name].help
    words = run(name, "--help").stdout
    for field in OPERATIONS[name].fields:
        assert f"--{field.name} " in words
        assert all(word in "".join(words.split()) for word in field.choices)


def test_the_version(run: Run) -> None:
    assert run("--version").stdout == f"dpconsole {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lss"], "No such command 'lss'. Did you mean 'ls'? (see dpconsole --help)"),
        (["load"], "Missing argument 'FILES...'. (see dpconsole load --help)"),
        (["load", "--jsn", "x"], "No such option '--jsn'."),
        (["engine", "rnu"], "No such command 'rnu'. Did you mean 'run'? (see dpconsole engine --help)"),
        (["engine"], "Missing command. (see dpconsole engine --help)"),
        (["rerun", "1", "--scope", "everything"], "'everything' is not one of 'this', 'failed', 'desired'"),
    ],
)
def test_wrong_words_are_answered_in_one_line(run: Run, words: list[str], said: str) -> None:
    result = run(*words)
    assert result.exit_code == Exit.USAGE
    assert said in result.stderr
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)


@pytest.mark.parametrize("words", [[], ["demo"]])
def test_the_console_needs_a_terminal(run: Run, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == Exit.USAGE
    assert result.stderr.startswith("dpconsole: the console needs a terminal")
    assert result.stderr.count("\n") == 1


def test_without_a_database_the_next_step_is_named(run: Run) -> None:
    result = run("generate", "--date", "today")
    assert result.exit_code == Exit.USAGE
    assert "there is no database here; `dpconsole load` makes one" in result.stderr


def test_a_file_that_is_no_database_is_refused(run: Run) -> None:
    Path("junk.db").write_bytes(b"this is not a database" * 100)
    result = run("ls", "instances", "--db", "junk.db")
    assert result.exit_code == Exit.FAILED
    assert "junk.db" in result.stderr and result.stderr.count("\n") == 1


def test_a_name_that_standard_output_cannot_take_is_spelled_out(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded("backfill", "create", "--task", "trade.ods_users", "--name", "補数", "--yes").exit_code == Exit.DONE
    monkeypatch.setattr(sys, "argv", ["dpconsole", "backfill", "ls", "--csv", "--columns", "id,name"])
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(written := BytesIO(), encoding="ascii", write_through=True))
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, written.getvalue()) == (Exit.DONE, b"id,name\nf_1,\\u88dc\\u6570\n")
