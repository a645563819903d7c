"""Bars and their axis, cell by cell (RULES.md 14)."""

from __future__ import annotations

from datetime import UTC
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest

from dpconsole.core.domain.clock import parse_iso
from dpconsole.core.domain.statuses import Status
from dpconsole.core.graph.critical import Bar, Segment, Stage
from dpconsole.widgets.gantt_chart import (
    ALWAYS,
    EXPECTED,
    MINUTE,
    RUNS,
    USUAL,
    USUAL_END,
    WAITS,
    Lines,
    Window,
    axis,
    draw,
    legend,
)

MIDNIGHT = parse_iso("2026-11-20T00:00")
HOUR = 60 * MINUTE
AN_HOUR_IN_30 = Window(MIDNIGHT, MIDNIGHT + HOUR)


def run(begins: float, ends: float, outcome: Status = Status.SUCCEEDED, *, expected: bool = False) -> Segment:
    return Segment(Stage.RUN, minute(begins), minute(ends), outcome, expected)


def minute(number: float) -> int:
    return MIDNIGHT + int(number * MINUTE)


def drawn(bar: Bar, now: float = -1, committed: tuple[int, ...] = (), *, ascii: bool = False) -> str:
    """A bar in thirty cells, each of two minutes."""
    pieces = draw(bar, AN_HOUR_IN_30, Lines(minute(now), committed), 30, ascii=ascii)
    return "".join(text for text, _ in pieces)


def test_every_stage_has_its_own_character_and_ink() -> None:
    stages = tuple(
        Segment(stage, minute(n * 10), minute(n * 10 + 10), Status.SUCCEEDED if stage is Stage.RUN else None)
        for n, stage in enumerate(Stage)
    )
    assert drawn(Bar(stages)) == "·····╌╌╌╌╌╳╳╳╳╳≈≈≈≈≈█████     "
    assert drawn(Bar(stages), ascii=True) == ".....-----%%%%%~~~~~#####     "
    inks = [ink for _, ink in draw(Bar(stages), AN_HOUR_IN_30, Lines(minute(-1)), 30)]
    assert len(inks) == len(set(inks)) == 6


def test_no_two_signs_look_alike_without_colour() -> None:
    every = (*WAITS.values(), *RUNS.values(), EXPECTED, USUAL, USUAL_END, *ALWAYS)
    for first, second in combinations(every, 2):
        assert first.char != second.char
        assert first.ascii != second.ascii
    assert all(sign.ascii.isascii() for sign in every)


def test_a_run_is_seen_however_short_it_is() -> None:
    wait = Segment(Stage.UPSTREAM, minute(-600), minute(20))
    assert drawn(Bar((wait, run(20, 20.1)))) == "··········█                   "


def test_what_took_longer_than_usual_shows_from_where_on() -> None:
    assert drawn(Bar((run(0, 40),), usual_ms=20 * MINUTE)) == "██████████╎█████████          "


def test_what_took_less_than_usual_has_the_rest_dimmed_behind_it() -> None:
    assert drawn(Bar((run(0, 20),), usual_ms=40 * MINUTE)) == "██████████──────────╎         "


def test_what_took_as_long_as_usual_has_nothing_to_show() -> None:
    assert drawn(Bar((run(0, 20),), usual_ms=20 * MINUTE)) == "██████████                    "


def test_now_and_the_promise_go_through_everything_but_runs() -> None:
    waits = Bar((Segment(Stage.UPSTREAM, minute(0), minute(60)),))
    assert drawn(waits, 30, (minute(50),)) == "···············│·········┃····"
    assert drawn(Bar((run(0, 60),)), 30, (minute(50),)) == "█" * 30


def test_what_is_expected_goes_on_where_the_run_stands() -> None:
    bar = Bar((run(0, 20, Status.RUNNING), run(20, 40, Status.RUNNING, expected=True)))
    assert drawn(bar) == "▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░          "


def test_what_is_out_of_sight_is_cut_off() -> None:
    assert drawn(Bar((run(-100, 10), run(50, 900)))) == "█████                    █████"


def test_the_legend_names_what_is_drawn_and_nothing_else() -> None:
    shown = "".join(text for text, _ in legend([Bar((run(0, 20, Status.FAILED),))]))
    assert shown == "▚ failed  │ now  ┃ committed  "


@pytest.mark.parametrize("width", [10, 30, 47, 120])
@pytest.mark.parametrize("hours", [0.1, 1, 9, 30, 24 * 9])
def test_the_axis_is_as_wide_as_the_chart_and_its_ticks_stand_where_they_belong(width: int, hours: float) -> None:
    window = Window(minute(-7), minute(hours * 60))
    line = axis(window, width, UTC)
    assert len(line) == width
    for place in (at for at, char in enumerate(line) if char == "╷"):
        written = line[place + 1 : place + 6]
        moment = parse_iso(f"2026-11-19T{written}" if ":" in written else f"2026-{written}T00:00")
        while window.at(moment, width) < place:
            moment += 24 * HOUR
        assert window.at(moment, width) == place


def test_the_axis_is_in_the_zone_that_is_shown() -> None:
    window = Window(MIDNIGHT, MIDNIGHT + 2 * HOUR)
    assert "08:30" in axis(window, 60, ZoneInfo("Asia/Shanghai"))
    assert "00:30" in axis(window, 60, UTC)


def test_zooming_keeps_the_moment_that_is_looked_at_in_its_place() -> None:
    window = Window(0, 8 * HOUR)
    assert window.zoomed(0.5, around=2 * HOUR) == Window(HOUR, 5 * HOUR)
    assert window.zoomed(0.5, around=99 * HOUR) == Window(2 * HOUR, 6 * HOUR)
    assert window.zoomed(0.5, 0).zoomed(2.0, 0) == window
    assert window.moved(0.25) == Window(2 * HOUR, 10 * HOUR)


def test_no_window_is_so_short_or_so_long_that_nothing_can_be_read() -> None:
    window = Window(0, HOUR)
    for _ in range(50):
        window = window.zoomed(0.5, 0)
    assert window.length == 2 * MINUTE
    for _ in range(50):
        window = window.zoomed(2.0, 0)
    assert window.length == 14 * 24 * HOUR
