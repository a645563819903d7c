"""What only a real process shows: signals, pipes that close, cold starts."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dpconsole.cli.exits import Exit

PROGRAM = (sys.executable, "-m", "dpconsole")


@pytest.fixture
def place(tmp_path: Path, generated_file: Path) -> dict[str, str]:
    """An environment with directories of its own and a generated night."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("DPCONSOLE_")}
    database = shutil.copy(generated_file, tmp_path / "night.db")
    return environ | {"XDG_CONFIG_HOME": str(tmp_path), "DPCONSOLE_DB": str(database)}


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


def test_a_demo_that_is_ended_from_outside_leaves_nothing_behind(place: dict[str, str], tmp_path: Path) -> None:
    """By the signal of a line that drops; that another ends it in the same way, the console's own tests prove."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    pid, screen = pty.fork()
    if pid == 0:
        terminal = {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40", "TMPDIR": str(scratch)}
        os.execve(sys.executable, [*PROGRAM, "demo"], {**place, **terminal})
    assert b"Data timestamp" in _seen_on(screen, until=b"Data timestamp")
    assert [entry.stat().st_mode & 0o777 for entry in scratch.iterdir()] == [0o700]
    os.kill(pid, signal.SIGHUP)
    _seen_on(screen)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == Exit.DONE
    assert list(scratch.iterdir()) == []


def _seen_on(screen: int, until: bytes | None = None) -> bytes:
    """What a terminal is sent, until some words are among it, or until the program has gone."""
    seen = b""
    while until is None or until not in seen:
        try:
            read = os.read(screen, 65_536)
        except OSError:
            break
        if not read:
            break
        seen += read
    return seen
