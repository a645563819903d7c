"""What only a real process shows: signals, pipes that close, cold starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dpconsole.cli.exits import Exit
from tests.cli.conftest import DAY, WORKSPACE

PROGRAM = (sys.executable, "-m", "dpconsole")


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """An environment with directories of its own and a generated night."""
    (tmp_path / "ws.yaml").write_text(WORKSPACE, encoding="utf-8")
    environ = {key: value for key, value in os.environ.items() if not key.startswith("DPCONSOLE_")}
    environ |= {"XDG_CONFIG_HOME": str(tmp_path), "DPCONSOLE_DB": str(tmp_path / "night.db")}
    for words in (["load", str(tmp_path / "ws.yaml")], ["generate", "--date", DAY]):
        subprocess.run([*PROGRAM, *words], env=environ, check=True, capture_output=True)
    return environ


def test_ctrl_c_ends_a_run_with_130_and_gives_the_lease_back(place: dict[str, str]) -> None:
    running = subprocess.Popen([*PROGRAM, "serve"], env=place, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert running.stderr.readline().startswith("driving ")
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == Exit.INTERRUPTED
    status = subprocess.run([*PROGRAM, "engine", "status"], env=place, capture_output=True, text=True)
    assert status.returncode == Exit.RETRY


def test_a_term_signal_ends_a_service_in_order(place: dict[str, str]) -> None:
    running = subprocess.Popen([*PROGRAM, "serve"], env=place, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    running.stderr.readline()
    running.terminate()
    assert running.wait(30) == Exit.DONE


def test_a_reader_that_goes_away_is_no_failure(place: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run([*PROGRAM, "config", "show"], env=place, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (result.returncode, result.stderr) == (Exit.DONE, "")


def test_a_dumb_terminal_is_refused_with_a_hint(place: dict[str, str]) -> None:
    master, slave = os.openpty()
    result = subprocess.run(
        PROGRAM, env={**place, "TERM": "dumb"}, stdin=slave, stdout=slave, stderr=subprocess.PIPE, text=True
    )
    os.close(slave)
    os.close(master)
    assert result.returncode == Exit.USAGE
    assert result.stderr.startswith("dpconsole: TERM=dumb")
