"""The colours of a log line, understood instead of passed on: SGR sequences become styles, everything else is text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rich.color import Color
from rich.style import Style

_SGR = re.compile(r"\x1b\[([\d;:]*)m")

Look = Mapping[str, Color | bool | None]
"""What differs from the plain line, named as `rich.style.Style` names it; None takes it away again."""

_SWITCHES: dict[int, Look] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"reverse": True},
    9: {"strike": True},
    22: {"bold": None, "dim": None},
    23: {"italic": None},
    24: {"underline": None},
    27: {"reverse": None},
    29: {"strike": None},
    39: {"color": None},
    49: {"bgcolor": None},
}
_GROUNDS: tuple[tuple[str, int, int], ...] = (
    ("color", 30, 0),
    ("color", 90, 8),
    ("bgcolor", 40, 0),
    ("bgcolor", 100, 8),
)
"""Which part of the style a run of eight codes sets, the first code, the first colour."""

_CODES: dict[int, Look] = _SWITCHES | {
    code + n: {ground: Color.from_ansi(first + n)} for ground, code, first in _GROUNDS for n in range(8)
}
_EXTENDED = {38: "color", 48: "bgcolor"}
_PALETTE, _RGB = 5, 2


def styled(line: str) -> Iterator[tuple[str, Style]]:
    """The pieces of a line between its SGR sequences, each with the style that holds there."""
    look: Look = {}
    start = 0
    for match in _SGR.finditer(line):
        if match.start() > start:
            yield line[start : match.start()], _style(look)
        look = _apply(look, match[1])
        start = match.end()
    if start < len(line):
        yield line[start:], _style(look)


def _style(look: Look) -> Style:
    return Style(**{name: value for name, value in look.items() if value is not None})  # type: ignore[arg-type]


def _apply(look: Look, parameters: str) -> Look:
    """The look after one sequence; what is not understood changes nothing."""
    codes = [int(code[:4] or 0) for code in re.split("[;:]", parameters)]
    while codes:
        code = codes.pop(0)
        if code == 0:
            look = {}
        elif code in _EXTENDED:
            look = {**look, **_extended(_EXTENDED[code], codes)}
        else:
            look = {**look, **_CODES.get(code, {})}
    return look


def _extended(ground: str, codes: list[int]) -> Look:
    """A colour of the 256 or of the 16 million; takes its numbers off `codes`, all of them when they make no sense."""
    kind = codes.pop(0) if codes else 0
    if kind == _PALETTE and codes and codes[0] < 256:
        return {ground: Color.from_ansi(codes.pop(0))}
    if kind == _RGB and len(codes) >= 3 and max(codes[:3]) < 256:
        red, green, blue = codes.pop(0), codes.pop(0), codes.pop(0)
        return {ground: Color.from_rgb(red, green, blue)}
    codes.clear()
    return {}
