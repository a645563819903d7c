"""The console on a terminal that draws no glyphs: every line it is sent goes through one table on its way out.

So no widget and no screen has to know of it. Each glyph has one ASCII character of the same width, and no two that can
stand in one place share one; what is data - a name in Chinese - is left alone where the terminal can write it.
"""

from __future__ import annotations

import unicodedata

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from typing_extensions import override

from dpconsole.core.domain.statuses import FACES, NormalisedStatus
from dpconsole.widgets.cells import width_of
from dpconsole.widgets.status import PAUSED

GLYPHS: dict[str, str] = {
    **{face.glyph: face.ascii for face in (*FACES.values(), NormalisedStatus.WAITING.face)},
    PAUSED[False]: PAUSED[True],
    # marks, folders, order, sequences
    "●": "*", "◌": "-", "›": ">", "‹": "<", "▸": ">", "▾": "v", "▲": "^", "▼": "v", "ⓑ": "b", "…": "~",
    "←": "<", "→": ">", "↑": "^", "↓": "v",
    # wires, as `core.graph.painting` has them in ASCII
    "─": "-", "│": "|", "┼": ")", "╤": ">", "╧": ">", "╪": ">", "╟": "v", "╢": "v", "╫": "v",
    # bars of a Gantt chart
    "·": ".", "╌": "=", "╳": "%", "≈": "~", "█": "#", "▓": ">", "▚": "x", "░": ":", "╎": "/", "┃": "C", "╷": "|",
}  # fmt: skip
"""What is drawn instead of a glyph."""

LINES = range(0x2500, 0x2580)
BLOCKS = range(0x2580, 0x25A0)
"""Box drawing, and blocks: of these every one that has no character of its own is drawn as a corner, or filled."""


class _Table(dict[int, str]):
    """By code point: what a terminal of an encoding is sent for it; found out when it is first asked for."""

    def __init__(self, encoding: str) -> None:
        super().__init__({ord(glyph): plain for glyph, plain in GLYPHS.items()})
        self._encoding = encoding

    def __missing__(self, code: int) -> str:
        self[code] = self._found(code)
        return self[code]

    def _found(self, code: int) -> str:
        char = chr(code)
        if char.isascii():
            return char
        if code in LINES or code in BLOCKS:
            return "+" if code in LINES else "#"
        is_sign = unicodedata.category(char).startswith("S")
        return "?" * width_of(char) if is_sign or not _can_write(char, self._encoding) else char


def _can_write(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


class Plain(LineFilter):
    """Draws lines without glyphs; `encoding` is the terminal's, for what is data."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._table = _Table(encoding)

    @override
    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [self._plain(segment) for segment in segments]

    def _plain(self, segment: Segment) -> Segment:
        text, style, control = segment
        return segment if text.isascii() else Segment(text.translate(self._table), style, control)
