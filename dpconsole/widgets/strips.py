"""Lines as the terminal is sent them: few segments, since every change of style costs some forty bytes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

NEAR = 8
"""Cells between two stretches of a line from which on they are sent by themselves."""


def join(runs: Iterable[tuple[str, Style]], width: int, blank: Style) -> Strip:
    """One strip of these texts, at least `width` cells; a blank run takes the style of its neighbour where it can."""
    segments: list[Segment] = []
    for text, style in runs:
        if not text:
            continue
        last = segments[-1] if segments else None
        if last is None or last.style is None:
            segments.append(Segment(text, style))
        elif last.style == style or _same_when_blank(text, style, last.style):
            segments[-1] = Segment(last.text + text, last.style)
        elif _same_when_blank(last.text, last.style, style):
            segments[-1] = Segment(last.text + text, style)
        else:
            segments.append(Segment(text, style))
    return Strip(segments).extend_cell_length(width, blank).simplify()


def _same_when_blank(text: str, style: Style, other: Style) -> bool:
    """Whether a blank text looks the same in the other style."""
    if not text.isspace() or style.bgcolor != other.bgcolor:
        return False
    return not (style.reverse or other.reverse or style.underline or other.underline)


def changed_to(before: Strip, after: Strip) -> int:
    """The cell after the last that differs between two drawings of a line; 0 when they are the same."""
    end = max(before.cell_length, after.cell_length)
    for old, new in zip(reversed(before), reversed(after), strict=False):
        if old != new:
            return end
        end -= new.cell_length
    return max(0, end)


def stretches(before: Strip, after: Strip) -> list[tuple[int, int]]:
    """The cells, from the first up to the second, in which two drawings of a line differ.

    Those that stand so close that moving the terminal's cursor over what is between would cost as much are one.
    """
    found: list[tuple[int, int]] = []
    for cell, (old, new) in enumerate(zip_longest(_cells(before), _cells(after))):
        if old == new:
            continue
        if found and cell - found[-1][1] < NEAR:
            found[-1] = (found[-1][0], cell + 1)
        else:
            found.append((cell, cell + 1))
    return found


def _cells(strip: Strip) -> list[tuple[str, int, object]]:
    """What is seen in every cell: a character, which cell of it, and its style; a mark stays with its letter.

    Of the style of a blank only the ground is seen.
    """
    cells: list[tuple[str, int, object]] = []
    for text, style, _ in strip:
        ground = style and (style.bgcolor, style.reverse, style.underline)
        for char in text:
            width = 1 if char.isascii() else cell_len(char)
            if not width and cells:
                cells[-1] = (cells[-1][0] + char, *cells[-1][1:])
            cells += [(char, part, ground if char == " " else style) for part in range(width)]
    return cells
