"""A log is known by checkpoints alone, and any line of it can be read again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpconsole.widgets.log_index import BYTES_A_BLOCK, ERROR_WORDS, LINE_BYTES, LogIndex, LogReader


class Log:
    """A log in memory that counts what is read of it."""

    def __init__(self, data: bytes, most: int = 1 << 30) -> None:
        self.data = data
        self.most = most
        self.read_bytes = 0

    def read(self, offset: int, limit: int) -> tuple[bytes, int]:
        data = self.data[offset : offset + min(limit, self.most)]
        self.read_bytes += len(data)
        return data, offset + len(data)


def scanned(data: bytes, most: int = 1 << 30) -> LogReader:
    reader = LogReader(Log(data, most).read)
    while reader.scan():
        pass
    return reader


LOGS = st.lists(st.sampled_from([b"", b"a", b"ERROR x", b"Caused by: y", b"l" * 9_000]), max_size=150).map(b"\n".join)


@settings(max_examples=60, deadline=None)
@given(LOGS, st.integers(1, 70_000))
def test_lines_and_errors_are_those_of_the_text_however_it_arrives(data: bytes, most: int) -> None:
    reader = scanned(data, most)
    lines = data.split(b"\n") if not data.endswith(b"\n") else data.split(b"\n")[:-1]
    lines = lines if data else []
    assert reader.index.count == len(lines)
    assert [reader.line(n) for n in range(len(lines))] == [line[:LINE_BYTES] for line in lines]
    assert list(reader.index.errors) == [n for n, line in enumerate(lines) if b"ERROR" in line or b"Caused" in line]


@pytest.mark.parametrize("word", ERROR_WORDS)
def test_every_error_word_is_found(word: bytes) -> None:
    assert list(scanned(b"fine\nsome " + word + b" here\nfine\n").index.errors) == [1]


def test_a_line_of_ten_megabytes_costs_a_block() -> None:
    log = Log(b"first\n" + b"x" * 10_000_000 + b"\nlast ERROR\n")
    reader = LogReader(log.read)
    while reader.scan():
        pass
    log.read_bytes = 0
    assert [reader.line(0), len(reader.line(1)), reader.line(2)] == [b"first", LINE_BYTES, b"last ERROR"]
    assert log.read_bytes < 3 * BYTES_A_BLOCK
    assert list(reader.index.errors) == [2]


def test_checkpoints_are_sparse() -> None:
    index = LogIndex()
    index.feed(b"a line of the log\n" * 64_000)
    assert (index.lines, index.blocks) == (64_000, 1_001)


def test_a_line_that_grows_is_read_anew() -> None:
    log = Log(b"one\ntw")
    reader = LogReader(log.read)
    while reader.scan():
        pass
    assert reader.line(1) == b"tw"
    log.data += b"o\nthree"
    while reader.scan():
        pass
    assert [reader.line(n) for n in range(reader.index.count)] == [b"one", b"two", b"three"]


BODY = b"".join(b"line %d\n" % n for n in range(1000))


@pytest.mark.parametrize(
    ("line", "step", "found"),
    [(0, 1, 77), (77, 1, 770), (770, 1, 771), (779, 1, None), (770, -1, 77), (77, -1, None), (999, -1, 779)],
)
def test_search_goes_both_ways_from_a_line(line: int, step: int, found: int | None) -> None:
    reader = scanned(BODY.replace(b"line 77", b"line \x1b[31m77"))
    assert reader.find(re.compile(b"line 77"), line, step, lambda: False) == found


def test_a_cancelled_search_stops_at_once() -> None:
    log = Log(BODY)
    reader = LogReader(log.read)
    while reader.scan():
        pass
    log.read_bytes = 0
    assert reader.find(re.compile(b"line 999"), 0, 1, lambda: True) is None
    assert log.read_bytes == 0
