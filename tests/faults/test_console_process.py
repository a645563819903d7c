"""The whole console as an operator has it: a real process on a real terminal, and what may happen to them."""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from dpconsole.cli.exits import Exit
from dpconsole.cli.root import dpconsole
from dpconsole.core.domain.clock import SystemClock
from dpconsole.core.store import leases
from dpconsole.core.store.opening import open_store
from tests.bench import wire
from tests.bench.console_app import make_database
from tests.faults.consoles import NASTIES, PROGRAM, chain, console, hostile, load
from tests.terminal import ROOT, Terminal, strangers

TAKE_OVER = 10.0
"""Seconds until a second console drives the database: less than the lease lasts, so its death was what was noticed."""


def wait_for_progress(terminal: Terminal) -> None:
    """Wait until two more rows of a list have succeeded."""
    done = terminal.wait_for("✓ Succeeded").count("✓ Succeeded")
    terminal.wait_until(lambda text: text.count("✓ Succeeded") > done + 1, "rows that move on", TAKE_OVER)


def leave(terminal: Terminal) -> None:
    """Quit, and be sure that it went in order."""
    terminal.press(b"\x11")
    assert terminal.wait_for_end() == Exit.DONE


# --- two consoles -----------------------------------------------------------------------------------------------------


def test_the_second_console_follows_and_takes_over_when_the_first_is_killed(tmp_path: Path) -> None:
    night = load(tmp_path / "night.db", chain(60))
    with console(night) as first:
        first.wait_for("#1 live")
        first.press(b"2")
        with console(night) as second:
            second.wait_for("#1 live")
            second.press(b"2")
            wait_for_progress(first)
            wait_for_progress(second)
            first.signal(signal.SIGKILL)
            first.wait_for_end()
            second.wait_for("#2 live", TAKE_OVER)
            wait_for_progress(second)
            leave(second)
        assert all(b"locked" not in terminal.sent for terminal in (first, second))


# --- hostile text -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nasty_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return load(tmp_path_factory.mktemp("nasty") / "night.db", hostile())


LIST_DIALOGS: tuple[tuple[bytes, str], ...] = (
    (b"s", "Sort by"),
    (b"c", "Columns"),
    (b"?", "Keys that work here"),
    (b"\x10", "Search for commands"),
    (b":", "Command"),
    (b"+", "Mark by query"),
    (b"r", "Downstream"),
)
"""Keys on the list of instances, and the words by which one knows that their dialog is open."""

ENTER, ESCAPE = b"\r", b"\x1b"


def look(terminal: Terminal, keys: bytes, words: str) -> None:
    """Press keys, and wait until they were answered."""
    terminal.press(keys)
    terminal.wait_for(words)


def leave_behind(terminal: Terminal, keys: bytes, words: str) -> None:
    """Press keys, and wait until what they leave is gone."""
    terminal.press(keys)
    terminal.wait_until(lambda text: words not in text, f"anything but {words}")


def walk_instances(terminal: Terminal) -> None:
    """Through the list, its dialogs, a filter that is wrong, and what opens from a row."""
    look(terminal, b"2", f"{len(NASTIES)} of {len(NASTIES)}")
    for keys, words in LIST_DIALOGS:
        look(terminal, keys, words)
        leave_behind(terminal, ESCAPE, words)
    terminal.press(b"/")
    terminal.settle()
    look(terminal, b'"[/]" stat:x', "^")
    leave_behind(terminal, b"\x15" + ENTER, "^")
    look(terminal, b"0", "biz:yesterday")
    look(terminal, b"G" + ENTER, "Changes of status")
    look(terminal, b"o", "Run log")
    leave_behind(terminal, b"q", "Run log")
    leave_behind(terminal, b"q", "Changes of status")
    look(terminal, b"]", "[Modeling]")
    look(terminal, b"\x12", "1 of 1")
    look(terminal, ENTER, "Materialization nodes")
    leave_behind(terminal, b"q", "Materialization nodes")
    look(terminal, b"[g", "…")
    look(terminal, b"t", "Modified")
    leave_behind(terminal, b"q", "Modified")


def rerun_everything(terminal: Terminal) -> None:
    """A record for the ledger, of all that is nasty."""
    look(terminal, b"*r", "to go ahead")
    look(terminal, str(len(NASTIES)).encode() + ENTER, "Rerun: done")


def test_no_name_and_no_log_reaches_the_terminal_as_anything_but_text(nasty_night: Path) -> None:
    with console(nasty_night) as terminal:
        terminal.wait_until(lambda text: "▶" not in text and "✗" in text, "a night that is over")
        look(terminal, b"ggjj" + ENTER, "Changes of status")
        leave_behind(terminal, b"q", "Changes of status")
        walk_instances(terminal)
        rerun_everything(terminal)
        look(terminal, b"4", f"{len(NASTIES) + 1} of {len(NASTIES) + 1}")
        look(terminal, b"G" + ENTER, "Its instances")
        look(terminal, b"7", "1 of 1")
        look(terminal, ENTER, "Finished")
        leave(terminal)
        assert strangers(bytes(terminal.sent)) == []
        assert "交" in terminal.sent.decode("utf-8")


# --- few bytes --------------------------------------------------------------------------------------------------------

WATCHED = (
    wire.Step("idle at home", budget=0, seconds=2.0),
    wire.Step("to the list", b"2"),
    wire.Step("idle in a list", budget=0, seconds=2.0),
    wire.Step("cursor down", b"j", budget=1_000, times=2),
    wire.Step("page down", b"\x1b[6~", budget=13_000),
    wire.Step("command line", b":"),
    wire.Step("command line left", b"\x1b", budget=4_000),
)


def test_the_console_sends_few_bytes_and_none_while_nothing_changes(tmp_path: Path) -> None:
    database = make_database(tmp_path / "night.db", 200)
    with Terminal([sys.executable, "-m", "tests.bench.console_app", str(database)]) as terminal:
        terminal.wait_for("What broke")
        terminal.settle(1.5)
        answers = [wire.take(terminal, step) for step in WATCHED]
        leave(terminal)
    sent = {answer.step.name: answer.bytes for answer in answers}
    assert {name: sent[name] for name, budget in budgets().items() if sent[name] > budget} == {}
    assert all(sent[step.name] for step in WATCHED if step.keys)


def budgets() -> dict[str, int]:
    """What each step may send."""
    return {step.name: step.budget for step in WATCHED if step.budget is not None}


# --- databases that are none ------------------------------------------------------------------------------------------


def _nothing(place: Path) -> Path:
    return place / "there_is_none.db"


def _directory(place: Path) -> Path:
    return place


def _junk(place: Path) -> Path:
    file = place / "junk.db"
    file.write_bytes(Random(1).randbytes(8192))
    return file


def _note(place: Path) -> Path:
    file = place / "note.db"
    file.write_text("not a database\n")
    return file


def _stranger(place: Path) -> Path:
    file = place / "other.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE song (title TEXT)")
    connection.close()
    return file


def _no_such_place(place: Path) -> Path:
    return place / "nowhere" / "night.db"


def _unreadable(place: Path) -> Path:
    file = load(place / "secret.db", chain(1))
    file.chmod(0)
    return file


def _read_only(place: Path) -> Path:
    room = place / "sealed"
    room.mkdir()
    file = load(room / "night.db", chain(1))
    room.chmod(0o500)
    return file


WITHOUT_PRIVILEGE = """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; whoever is not root may not, and need not
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Permissions mean nothing to root: a program that goes on without that."""

REFUSALS = {
    _nothing: (Exit.USAGE, "there is no database here; `dpconsole load` makes one."),
    _no_such_place: (Exit.USAGE, "there is no database here; `dpconsole load` makes one."),
    _directory: (Exit.USAGE, "a directory; give the path of a database file."),
    _junk: (Exit.FAILED, "it is not a database"),
    _note: (Exit.FAILED, "it is not a database; check the path, or move the file away."),
    _stranger: (Exit.USAGE, "it holds other tables (song); give it a database of its own."),
}
"""What is given as a database, and how the console ends instead of beginning."""

PROHIBITIONS = {
    _unreadable: (Exit.REFUSED, "cannot be"),
    _read_only: (Exit.REFUSED, "it is read-only; check its permissions and its directory's"),
}
"""The same, where only another process has no permission."""


@pytest.mark.parametrize("make", REFUSALS)
def test_what_is_no_database_is_refused_in_one_line(
    make: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpconsole.cli.commands.console.need_terminal", lambda: None)
    code, words = REFUSALS[make]
    place = make(tmp_path)
    done = CliRunner().invoke(dpconsole, ["--db", str(place)], prog_name="dpconsole")
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.startswith(f"dpconsole: {place}: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("make", PROHIBITIONS)
def test_a_database_one_may_not_use_is_refused_in_one_line(make: Callable[[Path], Path], tmp_path: Path) -> None:
    code, words = PROHIBITIONS[make]
    place = make(tmp_path)
    argv = [sys.executable, "-c", WITHOUT_PRIVILEGE, *PROGRAM, "--db", str(place)]
    with Terminal(argv, width=1000, height=4) as terminal:
        assert terminal.wait_for_end() == code
        assert [line for line in terminal.lines if line] == [terminal.lines[0]]
        assert terminal.lines[0].startswith(f"dpconsole: {place}: ")
        assert words in terminal.lines[0]


# --- the line drops, the window changes -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return load(tmp_path_factory.mktemp("night") / "night.db", chain(40))


def nobody_drives(night: Path) -> bool:
    """Whether the lease was given back, and did not only run out with its holder's death."""
    store = open_store(night, readonly=True)
    with store.read() as connection:
        row = leases.read(connection)
        now = leases.now(connection, SystemClock())
    store.close()
    assert row is not None
    return row.expires_at <= now


RESTORED = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l")
"""The alternate screen left, the cursor shown, the mouse let go, pasted text no longer bracketed."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_console_in_order(night: Path, number: int) -> None:
    with console(night) as terminal:
        terminal.wait_for(" live")
        terminal.signal(number)
        assert terminal.wait_for_end() == Exit.DONE
        assert all(sequence in terminal.sent for sequence in RESTORED)
        assert nobody_drives(night)


def test_a_line_that_drops_gives_the_lease_back(night: Path) -> None:
    with console(night) as terminal:
        terminal.wait_for(" live")
        terminal.hang_up()
        terminal.wait_for_end()
        assert nobody_drives(night)


def test_a_window_that_changes_two_hundred_times_is_drawn_in_its_last_size(night: Path) -> None:
    sizes = Random(7)
    with console(night) as terminal:
        terminal.wait_for("What broke")
        look(terminal, b"2", "40 of 40")
        for number in range(200):
            terminal.resize(sizes.randint(20, 250), sizes.randint(5, 80))
            terminal.read(0.0, 0.0)
            if number % 20 == 0:
                terminal.press(b"j")
        terminal.resize(120, 40)
        terminal.wait_until(lambda text: "Data date" in text and "? help" in text, "the list in 120x40")
        assert "yesterdayj" not in terminal.text
        leave(terminal)


def test_a_garbled_screen_is_drawn_again_as_a_whole(night: Path) -> None:
    with console(night) as terminal:
        terminal.wait_for("What broke")
        terminal.settle()
        terminal.resize(120, 40)  # the size it has: the program hears nothing, and what stood there is gone
        assert "What broke" not in terminal.text
        terminal.press(b"\x0c")
        terminal.wait_until(lambda text: "What broke" in text and "? help" in text, "the whole screen")
        leave(terminal)


@pytest.mark.parametrize(("term", "hint"), [("dumb", "TERM=dumb draws no screens")])
def test_a_terminal_that_cannot_draw_is_refused(night: Path, term: str, hint: str) -> None:
    with console(night, width=200, TERM=term) as terminal:
        assert terminal.wait_for_end() == Exit.USAGE
        assert hint in terminal.text


def test_without_a_terminal_there_is_no_console(night: Path) -> None:
    done = subprocess.run([*PROGRAM, "--db", str(night)], cwd=ROOT, input="", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert done.stderr.startswith("dpconsole: the console needs a terminal;")
    assert done.stderr.count("\n") == 1


# --- a log that never ends --------------------------------------------------------------------------------------------

MIB = 2**20
LOG_MEMORY = 40 * MIB
"""What reading in a log of 100 MB may cost."""


def resident(terminal: Terminal) -> int:
    """Bytes of memory that a program has now."""
    pages = int(Path(f"/proc/{terminal.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_a_log_of_100_mb_is_read_in_little_memory(tmp_path: Path) -> None:
    with Terminal([sys.executable, "-m", "tests.faults.big_log", str(tmp_path / "night.db")]) as terminal:
        terminal.wait_for("What broke")
        look(terminal, b"2", "62 of 124")
        look(terminal, b"!", "4 of 124")
        before = resident(terminal)
        look(terminal, b"o", "INFO  reading partition")
        look(terminal, b"j", "line 2 of")
        terminal.wait_for("of 1,037,582")
        look(terminal, b"G", "the end")
        look(terminal, b"gg", "line 1 of")
        look(terminal, b"e", "ERROR ODPS-0130131")
        look(terminal, b"j", "xxxxxxxxxx")
        look(terminal, b"j", NASTIES[-1][:20])
        grown = resident(terminal) - before
        leave(terminal)
        assert grown < LOG_MEMORY
        assert strangers(bytes(terminal.sent)) == []
