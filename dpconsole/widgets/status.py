"""How a status is shown: always a glyph, a word and an ink, so that it survives without any one of them.

The words and glyphs are the domain's (`statuses.FACES`, RULES.md 2.1); only the inks are chosen here.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping

from dpconsole.core.domain.statuses import Status
from dpconsole.widgets.ink import Ink, Piece

INKS: dict[Status, Ink] = {
    Status.NOT_RUNNING: Ink.NOT_RUNNING,
    Status.WAITING_TIME: Ink.WAITING,
    Status.THROTTLED: Ink.THROTTLING,
    Status.WAITING_RESOURCE: Ink.RESOURCES,
    Status.RUNNING: Ink.RUNNING,
    Status.SUCCEEDED: Ink.SUCCEEDED,
    Status.FAILED: Ink.FAILED,
}

WORST_FIRST: tuple[Status, ...] = (
    Status.FAILED,
    Status.RUNNING,
    Status.WAITING_RESOURCE,
    Status.THROTTLED,
    Status.WAITING_TIME,
    Status.NOT_RUNNING,
    Status.SUCCEEDED,
)
"""The order of chips: a narrow column cuts what needs no attention."""

MARKS: dict[str, str] = {
    "dry_run": "D",
    "paused": "P",
    "forced": "F",
    "set_by_hand": "M",
    "conditional": "C",
    "triggered": "T",
}
"""The marks of an instance object, in the order they are combined (RULES.md 4.1)."""

PAUSED = {False: "⏸", True: "="}
"""The sign of a paused instance, and in ASCII."""


def needs_ascii(encoding: str) -> bool:
    """Whether a terminal of this encoding cannot draw the glyphs."""
    return codecs.lookup(encoding).name != "utf-8"


def status_cell(status: Status | str, *, paused: bool = False, ascii: bool = False) -> list[Piece]:
    """Glyph and word of a status in its ink; the pause sign goes between them, where a narrow column keeps it."""
    known = Status(status)
    glyph = known.ascii if ascii else known.glyph
    sign = f"{PAUSED[ascii]} " if paused else ""
    return [(f"{glyph} {sign}{known.label}", INKS[known])]


def chips(counts: Mapping[Status, int], *, ascii: bool = False) -> list[Piece]:
    """How many of each status, the worst first; statuses nobody is in are left out."""
    present = [status for status in WORST_FIRST if counts.get(status)]
    return [
        (f"{'' if n == 0 else ' '}{status.ascii if ascii else status.glyph}{counts[status]}", INKS[status])
        for n, status in enumerate(present)
    ]


def instance_marks(**flags: bool) -> list[Piece]:
    """The letters of the conditions that hold, named as in `MARKS`; nothing for a normal instance."""
    unknown = flags.keys() - MARKS.keys()
    if unknown:
        raise ValueError(f"no such mark: {', '.join(sorted(unknown))}")
    letters = "".join(letter for name, letter in MARKS.items() if flags.get(name))
    return [(letters, Ink.ACCENT)] if letters else []
