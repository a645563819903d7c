"""A console whose every run log has 100 MB, for a test that reads what a real terminal is sent.

    python -m tests.faults.big_log DATABASE

The night, the screens and their keys are real; only the bytes of the log are made up, and never all at once: 60 MB of
ordinary lines, one that tells of an error, one of 10 MB, and 30 MB of lines that would hurt a terminal.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from dpconsole.app import ConsoleApp
from dpconsole.core.store.opening import open_store
from tests.screens.night import HandDriven, fill, open_night
from tests.widgets.hostile_app import NASTIES

MB = 1_000_000
ORDINARY = b"2026-11-20T02:00:00+08:00 INFO  reading partition 0017 of trade.dwd_pay_di, 48210 rows so far, all good\n"
ERROR = b"ERROR ODPS-0130131: Table not found\n"
NASTY = "\n".join(NASTIES).encode() + b" \xff\xfe\n"
PARTS = ((ORDINARY, 60 * MB), (ERROR, len(ERROR)), (b"x", 10 * MB), (b"\n", 1), (NASTY, 30 * MB), (b"\nthe end\n", 9))
"""What is repeated, and to what length."""

ENDS = tuple(accumulate(length for _, length in PARTS))


def big_log(offset: int, limit: int) -> bytes:
    """At most `limit` bytes of the log from `offset`."""
    part = bisect_right(ENDS, offset)
    if part == len(PARTS):
        return b""
    text, length = PARTS[part]
    begun = offset - (ENDS[part] - length)
    wanted = min(limit, ENDS[part] - offset)
    skip = begun % len(text)
    return (text * ((skip + wanted) // len(text) + 1))[skip : skip + wanted]


class LongWinded(HandDriven):
    """An engine whose runs had a lot to say."""

    def log(self, instance_id: int, attempt: int, offset: int, limit: int) -> bytes:
        return big_log(offset, limit)


def main(database: Path) -> None:
    store = open_store(database)
    fill(store)
    night = open_night(store, database.parent)
    engine = LongWinded(night.hand.engine, night.hand.executor, night.clock)
    ConsoleApp(replace(night.services, engine=engine)).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
