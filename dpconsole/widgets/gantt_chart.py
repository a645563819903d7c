"""A Gantt chart as a column of a row table: the axis is its title, the bar of each row its cell.

So the chart is drawn, marked and kept alive by the table, a changed row repaints one line. Every stage has a character
of its own as well as an ink, and another where the terminal draws no blocks, so that the chart needs no colour.

    column = ChartColumn("chart", "", 40, lambda row: "", flex=1, bar_of=..., window=Window(first, last), signs=...)
    column = replace(column, window=column.window.zoomed(0.5, around=now))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from itertools import groupby
from typing import Any

from typing_extensions import override

from dpconsole.core.domain.clock import to_datetime
from dpconsole.core.domain.statuses import Status
from dpconsole.core.graph.critical import Bar, Segment, Stage
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink, Piece

MINUTE = 60_000
SHORTEST, LONGEST = 2 * MINUTE, 14 * 1440 * MINUTE
"""What a window shows at least, and at most."""

STEPS = tuple(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080))
"""Distances between two ticks of the axis."""

TICK = 8
"""Cells from one tick to the next at least: a tick, five of the time of day, and air."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One cell of a bar: what is drawn, what is drawn where only ASCII can be, in which ink, and what it means."""

    char: str
    ascii: str
    ink: Ink
    words: str


WAITS: Mapping[Stage, Sign] = {
    Stage.UPSTREAM: Sign("·", ".", Ink.NOT_RUNNING, "upstream"),
    Stage.TIME: Sign("╌", "-", Ink.WAITING, "time"),
    Stage.THROTTLED: Sign("╳", "%", Ink.THROTTLING, "throttled"),
    Stage.RESOURCE: Sign("≈", "~", Ink.RESOURCES, "resources"),
}
"""Waiting: grey for upstreams, cyan for the time, magenta where throttled, yellow for resources (RULES.md 14)."""

RUNS: Mapping[Status | None, Sign] = {
    Status.SUCCEEDED: Sign("█", "#", Ink.SUCCEEDED, "run"),
    Status.RUNNING: Sign("▓", ">", Ink.RUNNING, "running"),
    Status.FAILED: Sign("▚", "x", Ink.FAILED, "failed"),
}
"""A run, by how it ended: green, blue while it goes on, red."""

EXPECTED = Sign("░", ":", Ink.DIM, "expected")
USUAL = Sign("─", "_", Ink.DIM, "as long as usual")
USUAL_END = Sign("╎", "|", Ink.STRONG, "usual")
NOW = Sign("│", "!", Ink.ACCENT, "now")
COMMITTED = Sign("┃", "C", Ink.WARNING, "committed")
BLANK = Sign(" ", " ", Ink.PLAIN, "")

ALWAYS: tuple[Sign, ...] = (NOW, COMMITTED)


def legend(bars: Iterable[Bar], *, ascii: bool = False) -> list[Piece]:
    """What the characters mean that these bars are drawn with, in one line."""
    used = {sign for bar in bars for sign in _signs(bar)}
    every = (*WAITS.values(), *RUNS.values(), EXPECTED, USUAL_END)
    shown = [*(sign for sign in every if sign in used), *ALWAYS]
    return [
        piece
        for sign in shown
        for piece in ((sign.ascii if ascii else sign.char, sign.ink), (f" {sign.words}  ", Ink.DIM))
    ]


def _signs(bar: Bar) -> Iterator[Sign]:
    yield from map(_sign, bar.segments)
    if bar.run is not None and bar.usual_ms is not None:
        yield USUAL_END


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time a chart shows, UTC milliseconds."""

    begins_at: int
    ends_at: int

    @property
    def length(self) -> int:
        """Milliseconds shown."""
        return self.ends_at - self.begins_at

    def zoomed(self, factor: float, around: int) -> Window:
        """So many times as long; `around` stays where it stands, or the middle when it is not in sight."""
        if not self.begins_at <= around <= self.ends_at:
            around = (self.begins_at + self.ends_at) // 2
        length = max(SHORTEST, min(LONGEST, int(self.length * factor)))
        begins_at = around - (around - self.begins_at) * length // max(1, self.length)
        return Window(begins_at, begins_at + length)

    def moved(self, share: float) -> Window:
        """Later by a share of its length, earlier by less than nothing."""
        by = int(self.length * share)
        return Window(self.begins_at + by, self.ends_at + by)

    def widened(self, share: float) -> Window:
        """Longer by a share of its length at both ends."""
        by = max(MINUTE, int(self.length * share))
        return Window(self.begins_at - by, self.ends_at + by)

    def holds(self, other: Window) -> bool:
        """Whether nothing of another stretch is out of sight."""
        return self.begins_at <= other.begins_at and other.ends_at <= self.ends_at

    def at(self, ms: int, width: int) -> int:
        """The cell of a moment in a line of `width` cells; outside of the line for one that is out of sight."""
        return (ms - self.begins_at) * width // max(1, self.length)


@dataclass(frozen=True, slots=True)
class Lines:
    """The upright lines through a chart: now, and the moments that were promised."""

    now: int
    committed: tuple[int, ...] = ()


def draw(bar: Bar, window: Window, lines: Lines, width: int, *, ascii: bool = False) -> list[Piece]:
    """A bar in exactly `width` cells."""
    cells = [BLANK] * width
    _draw_usual(cells, bar, window)
    for segment in sorted(bar.segments, key=_weight):
        _fill(cells, window, segment.begins_at, segment.ends_at, _sign(segment), least=1)
    _mark_usual_end(cells, bar, window)
    runs = set(RUNS.values())
    for moment, sign in (*((at, COMMITTED) for at in lines.committed), (lines.now, NOW)):
        place = window.at(moment, width)
        if 0 <= place < width and cells[place] not in runs:
            cells[place] = sign
    return [
        ("".join(sign.ascii if ascii else sign.char for sign in some), ink)
        for ink, some in groupby(cells, key=lambda sign: sign.ink)
    ]


def _weight(segment: Segment) -> tuple[bool, bool, int]:
    """What is drawn over what: waiting under what is expected, and runs, however short, over everything."""
    return segment.stage is Stage.RUN, not segment.expected, segment.begins_at


def _sign(segment: Segment) -> Sign:
    if segment.stage is not Stage.RUN:
        return WAITS[segment.stage]
    return EXPECTED if segment.expected else RUNS[segment.outcome]


def _fill(cells: list[Sign], window: Window, begins_at: int, ends_at: int, sign: Sign, least: int = 0) -> None:
    first, end = window.at(begins_at, len(cells)), window.at(ends_at, len(cells))
    for place in range(max(0, first), min(len(cells), max(end, first + least))):
        cells[place] = sign


def _usual_end(bar: Bar) -> int | None:
    run = bar.run
    return None if run is None or bar.usual_ms is None else run.begins_at + bar.usual_ms


def _draw_usual(cells: list[Sign], bar: Bar, window: Window) -> None:
    """Behind the bar, how long the run usually is."""
    usual_end = _usual_end(bar)
    if bar.run is not None and usual_end is not None:
        _fill(cells, window, bar.run.begins_at, usual_end, USUAL)


def _mark_usual_end(cells: list[Sign], bar: Bar, window: Window) -> None:
    """Where a run usually ends, unless that is where it ended: so a run that took longer shows from where on."""
    usual_end, run = _usual_end(bar), bar.run
    if usual_end is None or run is None:
        return
    place, ended = window.at(usual_end, len(cells)), window.at(run.ends_at, len(cells))
    if 0 <= place < len(cells) and place not in (ended, ended - 1, window.at(run.begins_at, len(cells))):
        cells[place] = USUAL_END


# --- the axis ---------------------------------------------------------------------------------------------------------


def axis(window: Window, width: int, zone: tzinfo | None) -> str:
    """Ticks with the time of day, at midnight the date; `zone` None is the one of the machine."""
    step = next((step for step in STEPS if step * width >= TICK * window.length), STEPS[-1])
    line = [" "] * width
    for tick in _ticks(window, step, zone):
        place = window.at(tick, width)
        written = f"╷{_written(tick, zone)}"
        if place >= 0 and place + len(written) <= width:
            line[place : place + len(written)] = written
    return "".join(line)


def _ticks(window: Window, step: int, zone: tzinfo | None) -> Sequence[int]:
    """The moments of the window at whole steps of its zone's clock."""
    first = to_datetime(window.begins_at).astimezone(zone)
    ahead = int((first.utcoffset() or timedelta()).total_seconds() * 1000)
    begin = -(-(window.begins_at + ahead) // step) * step - ahead
    return range(begin, window.ends_at, step)


def _written(ms: int, zone: tzinfo | None) -> str:
    moment = to_datetime(ms).astimezone(zone)
    return moment.strftime("%m-%d" if (moment.hour, moment.minute) == (0, 0) else "%H:%M")


# --- the column -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChartColumn(Column):
    """The column of a chart; it is drawn for the width it is given."""

    bar_of: Callable[[Any], Bar] = field(default=lambda _row: Bar(()))
    window: Window = Window(0, 1)
    lines: Callable[[], Lines] = field(default=lambda: Lines(0))
    zone: tzinfo | None = UTC
    ascii: bool = False

    @override
    def heading(self, width: int) -> str:
        shown = axis(self.window, width, self.zone)
        return shown.replace("╷", "|") if self.ascii else shown

    @override
    def cell(self, row: Any, width: int) -> Cell:
        return draw(self.bar_of(row), self.window, self.lines(), width, ascii=self.ascii)
