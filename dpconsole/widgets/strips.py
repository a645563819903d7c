"""Lines as the terminal is sent them: few segments, since every change of style costs some forty bytes."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip


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


def changed_from(before: Strip, after: Strip) -> int:
    """The first cell that differs between two drawings of a line; the width of the line when they are the same."""
    first = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            return first
        first += new.cell_length
    return first


def changed_to(before: Strip, after: Strip) -> int:
    """The cell after the last that differs between two drawings of a line; 0 when they are the same."""
    end = max(before.cell_length, after.cell_length)
    for old, new in zip(reversed(before), reversed(after), strict=False):
        if old != new:
            return end
        end -= new.cell_length
    return max(0, end)
