"""A log of any size in bounded memory: where its lines are, which of them tell of an error, and search.

Only checkpoints are remembered, one for 64 lines or 64 KiB, and a few blocks of text around what is looked at. Of a
line longer than a block only the beginning exists for the reader. `scan` and `find` run in a thread while the screen
reads lines: checkpoints are appended offset first, so whoever sees a line number sees its offset too.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from threading import Event
from typing import Protocol

LINES_A_BLOCK = 64
BYTES_A_BLOCK = 64 * 1024
LINE_BYTES = 8 * 1024
"""Bytes of a line that are kept for the reader."""

CHUNK = 256 * 1024
"""Bytes taken at once by a scan: a few milliseconds."""

BLOCKS = 32
"""Blocks of text remembered."""

ERRORS = 100_000
"""Error lines remembered, from the first."""

ERROR_WORDS: tuple[bytes, ...] = (
    b"ERROR",
    b"FATAL",
    b"CRITICAL",
    b"Traceback",
    b"Exception",
    b"Caused by:",
    b"FAILED",
    b"Failed",
    b"failed",
    b"Error:",
    b"error:",
    b"panic:",
)
"""A line with one of these is where an operator looks first."""

_SGR = re.compile(rb"\x1b\[[\d;:]*m")


class Read(Protocol):
    """Gives bytes of a log and the offset after them; no bytes at its present end. Called from two threads."""

    def __call__(self, offset: int, limit: int, /) -> tuple[bytes, int]:
        """Read at most `limit` bytes."""


def is_error(line: bytes) -> bool:
    """Whether a line tells of an error."""
    return any(word in line for word in ERROR_WORDS)


class LogIndex:
    """The lines of a log, learned from its bytes in order."""

    def __init__(self) -> None:
        self.lines = 0
        """Complete lines so far."""
        self.errors: array[int] = array("Q")
        """Numbers of the lines that tell of an error, ascending."""
        self._block_lines: array[int] = array("Q", [0])
        self._block_offsets: array[int] = array("Q", [0])
        self._end = 0
        self._partial = 0
        self._head = b""

    @property
    def size(self) -> int:
        """Bytes seen."""
        return self._end + self._partial

    @property
    def count(self) -> int:
        """Lines, the unfinished last one included."""
        return self.lines + (1 if self._partial else 0)

    @property
    def blocks(self) -> int:
        """Blocks so far."""
        return len(self._block_lines)

    def block_of(self, line: int) -> int:
        """The block that holds a line."""
        return bisect_right(self._block_lines, line) - 1

    def block(self, number: int) -> tuple[int, int, int]:
        """First line, offset and end of a block."""
        following = number + 1 < len(self._block_lines)
        end = self._block_offsets[number + 1] if following else self.size
        return self._block_lines[number], self._block_offsets[number], end

    def feed(self, data: bytes) -> None:
        """Learn the bytes that follow what was seen."""
        first = data.find(b"\n") + 1
        if first:
            self._note_errors(self._head + data[: min(first, LINE_BYTES)])
            self._close_line(self._partial + first)
            last = data.rfind(b"\n") + 1
            self._take_lines(data, first, last)
            self._partial, self._head = 0, b""
            data = data[last:]
        self._partial += len(data)
        self._head += data[: LINE_BYTES - len(self._head)]

    def note_unfinished(self) -> None:
        """The log ends here for now: what its unfinished last line says counts already."""
        self._note_errors(self._head)

    def _take_lines(self, data: bytes, start: int, stop: int) -> None:
        """Learn the complete lines between two places of `data`."""
        self._note_errors(data[start:stop])
        while start < stop:
            following = data.find(b"\n", start) + 1
            self._close_line(following - start)
            start = following

    def _close_line(self, length: int) -> None:
        self._end += length
        self.lines += 1
        full = self.lines - self._block_lines[-1] >= LINES_A_BLOCK
        if full or self._end - self._block_offsets[-1] >= BYTES_A_BLOCK:
            self._block_offsets.append(self._end)
            self._block_lines.append(self.lines)

    def _note_errors(self, text: bytes) -> None:
        """Remember the error lines of a text that begins with line number `lines`."""
        line, counted = self.lines, 0
        for place in sorted(set(_error_places(text))):
            if len(self.errors) >= ERRORS:
                return
            line, counted = line + text.count(b"\n", counted, place), place
            if not self.errors or self.errors[-1] != line:
                self.errors.append(line)


def _error_places(text: bytes) -> Iterator[int]:
    """Where error words stand in a text, each word once a line: plain finds, many times faster than one pattern."""
    for word in ERROR_WORDS:
        place = text.find(word)
        while place >= 0:
            yield place
            line_end = text.find(b"\n", place)
            place = text.find(word, line_end) if line_end >= 0 else -1


class LogReader:
    """Lines of a log by number."""

    def __init__(self, read: Read) -> None:
        self.index = LogIndex()
        self.settled = Event()
        """Set while the log is known to its present end."""
        self._read = read
        self._blocks: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    def scan(self) -> bool:
        """Learn the next chunk; False at the present end of the log."""
        data, _ = self._read(self.index.size, CHUNK)
        if data:
            self.index.feed(data)
            self.settled.clear()
        else:
            self.index.note_unfinished()
            self.settled.set()
        return bool(data)

    def line(self, number: int) -> bytes:
        """The beginning of a line, without its end."""
        block = self.index.block_of(number)
        first, _, end = self.index.block(block)
        lines = self._blocks.get((block, end))
        if lines is None:
            lines = self._blocks[(block, end)] = self._text(block).split(b"\n")
            if len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end((block, end))
        return lines[number - first][:LINE_BYTES] if number - first < len(lines) else b""

    def find(self, pattern: re.Pattern[bytes], line: int, step: int, cancelled: Callable[[], bool]) -> int | None:
        """The next line after `line` (before it, with step -1) in which the pattern is found, colours left aside."""
        blocks = range(self.index.block_of(line), self.index.blocks if step > 0 else -1, step)
        for block in blocks:
            if cancelled():
                return None
            found = [number for number in self._matches(pattern, block) if (number - line) * step > 0]
            if found:
                return found[0] if step > 0 else found[-1]
        return None

    def _matches(self, pattern: re.Pattern[bytes], block: int) -> Iterator[int]:
        """Numbers of the matching lines of a block."""
        text = self._text(block)
        if b"\x1b" in text:
            text = _SGR.sub(b"", text)
        line, counted = self.index.block(block)[0], 0
        for match in pattern.finditer(text):
            line, counted = line + text.count(b"\n", counted, match.start()), match.start()
            yield line

    def _text(self, block: int) -> bytes:
        """The bytes of a block, at most what its lines may show."""
        _, offset, end = self.index.block(block)
        stop = min(end, offset + BYTES_A_BLOCK + LINE_BYTES)
        parts = []
        while offset < stop:
            data, following = self._read(offset, stop - offset)
            if not data:
                break
            parts.append(data)
            offset = following
        return b"".join(parts)
