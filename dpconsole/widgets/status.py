"""How a status is shown: always a glyph, a word and an ink, so that it survives without any one of them.

The words and glyphs are the domain's (`statuses.FACES`, RULES.md 2.1); only the inks are chosen here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dpconsole.core.domain.statuses import FACES, Face, NormalisedStatus, Status
from dpconsole.widgets.cells import width_of
from dpconsole.widgets.ink import Ink, Piece

AnyStatus = Status | NormalisedStatus
"""Both are words, and equal where they are the same word."""

INKS: dict[str, Ink] = {
    Status.NOT_RUNNING: Ink.NOT_RUNNING,
    Status.WAITING_TIME: Ink.WAITING,
    NormalisedStatus.WAITING: Ink.WAITING,
    Status.THROTTLED: Ink.THROTTLING,
    Status.WAITING_RESOURCE: Ink.RESOURCES,
    Status.RUNNING: Ink.RUNNING,
    Status.SUCCEEDED: Ink.SUCCEEDED,
    Status.FAILED: Ink.FAILED,
}

WORST_FIRST: tuple[AnyStatus, ...] = (
    Status.FAILED,
    Status.RUNNING,
    Status.WAITING_RESOURCE,
    Status.THROTTLED,
    Status.WAITING_TIME,
    NormalisedStatus.WAITING,
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


def _face(status: AnyStatus | str) -> Face:
    """How a status is written, by itself or by the enum's word."""
    return FACES[Status(status)] if status in FACES else NormalisedStatus(status).face


def status_cell(
    status: AnyStatus | str, *, paused: bool = False, ascii: bool = False, width: int | None = None
) -> list[Piece]:
    """Glyph and words of a status in its ink; the pause sign goes between them, where a narrow column keeps it.

    Words that are wider than `width` cells give way to those that still tell the status from every other.
    """
    face = _face(status)
    sign = f"{PAUSED[ascii]} " if paused else ""
    lead = f"{face.ascii if ascii else face.glyph} {sign}"
    fits = width is None or width_of(lead + face.label) <= width
    return [(lead + (face.label if fits else face.short), INKS[status])]


def chips(counts: Mapping[Any, int], *, ascii: bool = False) -> list[Piece]:
    """How many of each status, the worst first; statuses nobody is in are left out."""
    present = [(status, number) for status in WORST_FIRST if (number := counts.get(status))]
    return [
        (f"{'' if n == 0 else ' '}{_face(status).ascii if ascii else _face(status).glyph}{number}", INKS[status])
        for n, (status, number) in enumerate(present)
    ]


def instance_marks(**flags: bool) -> list[Piece]:
    """The letters of the conditions that hold, named as in `MARKS`; nothing for a normal instance."""
    unknown = flags.keys() - MARKS.keys()
    if unknown:
        raise ValueError(f"no such mark: {', '.join(sorted(unknown))}")
    letters = "".join(letter for name, letter in MARKS.items() if flags.get(name))
    return [(letters, Ink.ACCENT)] if letters else []
