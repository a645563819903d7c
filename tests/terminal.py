"""A real pseudo-terminal with a program on it: keys go in, and what comes out is both kept and drawn.

    with Terminal([sys.executable, "-m", "dpconsole"]) as terminal:
        terminal.wait_for("What broke")
        terminal.press(b"2")

`sent` holds every byte that was ever written to it, `lines` what stands on it now. `strangers` finds what no driver of
a screen has to send: a control byte, or a character that cannot be seen, that came from a name or a log.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 30.0
"""Seconds after which a program that has not shown what it should is held to have failed."""

FOREIGN = frozenset({"COLUMNS", "LINES", "COLORTERM", "NO_COLOR", "TMUX"})
"""What the environment says of the terminal that the tests were started on."""

DRIVER = re.compile(
    r"\x1b\[(?P<place>[\d;]*)H"  # cursor position
    r"|\x1b\[[\d;]*m"  # style
    r"|\x1b\[\?\d+[hl]"  # modes: alternate screen, mouse, paste, cursor
    r"|\x1b\[\?\d+\$p"  # what modes there are
    r"|\x1b\[[<>=]\d*[\d;]*u"  # keyboard protocol
    r"|\x1b\[\d*t"  # window size
    r"|\x1b\]22;[a-z-]*\x07"  # shape of the mouse pointer
    r"|\r?\n"
)
"""What Textual's own driver sends."""

STRANGERS = re.compile("[\x00-\x1f\x7f\x80-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters of both sets, and characters that hide or turn what stands beside them."""


def strangers(data: bytes) -> list[str]:
    """The control characters and invisible ones among what was sent that are not the driver's own."""
    return STRANGERS.findall(DRIVER.sub("", data.decode("utf-8", "surrogateescape")))


class Display:
    """What stands on the screen, as far as a console writes it: positions, texts, nothing that scrolls."""

    def __init__(self, width: int, height: int) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self.clear(width, height)

    def clear(self, width: int, height: int) -> None:
        """An empty screen of another size."""
        self._cells = [[" "] * width for _ in range(height)]
        self._x = self._y = 0

    def feed(self, data: bytes) -> None:
        """Draw what was sent; a sequence that is not whole yet waits for its end."""
        text = self._rest + self._decoder.decode(data)
        whole = text.rfind("\x1b")
        if whole < 0 or DRIVER.match(text, whole):
            whole = len(text)
        self._rest = text[whole:]
        done = 0
        for found in DRIVER.finditer(text[:whole]):
            self._write(text[done : found.start()])
            self._obey(found)
            done = found.end()
        self._write(text[done:whole])

    @property
    def lines(self) -> list[str]:
        """The lines, a wide character once."""
        return ["".join(line).rstrip() for line in self._cells]

    def _obey(self, sequence: re.Match[str]) -> None:
        if (place := sequence["place"]) is not None:
            y, _, x = place.partition(";")
            self._x, self._y = int(x or 1) - 1, int(y or 1) - 1
        elif sequence[0].endswith("\n"):
            self._x, self._y = 0, self._y + 1

    def _write(self, text: str) -> None:
        for character in text:
            wide = unicodedata.east_asian_width(character) in "WF"
            if 0 <= self._y < len(self._cells) and self._x + wide < len(self._cells[self._y]):
                line = self._cells[self._y]
                line[self._x : self._x + 1 + wide] = [character, ""][: 1 + wide]
            self._x += 1 + wide


class Terminal:
    """One program on one terminal. It is ended, and reaped, with the block it is used in."""

    def __init__(
        self, argv: Sequence[str], *, width: int = 120, height: int = 40, env: Mapping[str, str] | None = None
    ) -> None:
        self.sent = bytearray()
        self.status: int | None = None
        self._display = Display(width, height)
        self.pid, line = pty.fork()
        self._line: int | None = line
        if self.pid == 0:
            _set_size(0, width, height)
            os.chdir(ROOT)
            os.execvpe(argv[0], list(argv), {**_surroundings(), **(env or {})})

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            print("\n".join(self.lines))
        self.end()

    @property
    def lines(self) -> list[str]:
        """What stands on the terminal now."""
        return self._display.lines

    @property
    def text(self) -> str:
        """The same, as one text."""
        return "\n".join(self.lines)

    def press(self, keys: bytes) -> None:
        """Send keys."""
        assert self._line is not None
        os.write(self._line, keys)

    def resize(self, width: int, height: int) -> None:
        """Another size of the window; the program hears of it by a signal."""
        assert self._line is not None
        self._display.clear(width, height)
        _set_size(self._line, width, height)

    def read(self, first: float, quiet: float) -> bytes:
        """Everything until nothing came for `quiet` seconds; the first byte may take `first`."""
        if self._line is None:
            select.select([], [], [], first)
            return b""
        data, wait = b"", first
        while select.select([self._line], [], [], wait)[0]:
            try:
                piece = os.read(self._line, 65_536)
            except OSError:  # Linux's way to say that the program has closed its end
                break
            if not piece:
                break
            data, wait = data + piece, quiet
            self._display.feed(piece)
        self.sent += data
        return data

    def wait_until(self, shows: Callable[[str], bool], what: str, patience: float = PATIENCE) -> str:
        """Read until the screen is as it should be; returns its text. AssertionError when it never is."""
        deadline = time.monotonic() + patience
        while not shows(self.text):
            assert time.monotonic() < deadline, f"never seen: {what}\n{self.text}"
            assert self.read(0.2, 0.0) or not self.has_ended(), f"ended before it showed: {what}\n{self.text}"
        return self.text

    def wait_for(self, words: str, patience: float = PATIENCE) -> str:
        """Read until some words are on the screen."""
        return self.wait_until(lambda text: words in text, words, patience)

    def settle(self, quiet: float = 0.4) -> bytes:
        """Read until it has nothing more to say."""
        return self.read(quiet, quiet)

    # --- its end ------------------------------------------------------------------------------------------------------

    def has_ended(self) -> bool:
        """Whether the program is gone; `status` is its exit code then, or the signal's number below zero."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def signal(self, number: int) -> None:
        """Send a signal to the program."""
        os.kill(self.pid, number)

    def wait_for_end(self, patience: float = PATIENCE) -> int:
        """Read its last words; returns its exit code."""
        self._drain(patience)
        assert self.status is not None, f"it does not end\n{self.text}"
        self.settle(0.05)
        return self.status

    def hang_up(self) -> None:
        """The line drops: the terminal itself is gone."""
        if self._line is not None:
            os.close(self._line)
            self._line = None

    def end(self) -> None:
        """Ask the program to end, make it if it does not, and close the terminal."""
        for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, PATIENCE)):
            if not self.has_ended():
                self.signal(number)
                self._drain(patience)
        self.hang_up()

    def _drain(self, patience: float) -> None:
        """Read on while it ends, so that it cannot block on its last words."""
        deadline = time.monotonic() + patience
        while not self.has_ended() and time.monotonic() < deadline:
            self.read(0.05, 0.0)


def _surroundings() -> dict[str, str]:
    """The environment, without what would speak of another terminal, or of somebody's own console."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DPCONSOLE_")}
    return {name: value for name, value in kept.items() if name not in FOREIGN} | {"TERM": "xterm-256color"}


def _set_size(line: int, width: int, height: int) -> None:
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
