"""The flight plan of a backfill in words and glyphs: what would exist where, how much, by when, and whom it disturbs.

Every mark of the calendar strip is a glyph of its own, so the plan reads the same without colour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from dpconsole.core.domain.clock import format_duration
from dpconsole.core.services import BaselineEffect, DateMark, DateStanding, FlightPlan
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_moment
from dpconsole.widgets.cells import fit, wrapped
from dpconsole.widgets.ink import Cell, Ink, Piece

MARKS: Mapping[DateStanding, tuple[str, str, Ink]] = {
    DateStanding.SUCCEEDED: ("✓", "succeeded", Ink.SUCCEEDED),
    DateStanding.FAILED: ("✗", "failed", Ink.FAILED),
    DateStanding.RUNNING: ("▶", "running", Ink.RUNNING),
    DateStanding.NOT_RUN: ("○", "not run", Ink.NOT_RUNNING),
    DateStanding.MISSING: ("·", "missing", Ink.WARNING),
}
"""How the start's recurring instances stand on a data timestamp: glyph, word and ink."""

MONTH = 9
"""Cells before the first day of a month."""

RULER = "".join(f"{day:<5}" for day in (1, 6, 11, 16, 21, 26)) + "31"

BASELINES_SHOWN = 4
BASELINE = 20
"""Cells of a baseline's name with the gap behind it."""

MOMENT = 13
SLOTS_NAMED = 3

LEVELS_SHOWN = 6
"""Layers with a line of their own; the deeper ones share one."""


def flight_lines(plan: FlightPlan, session: Session, width: int) -> list[Cell]:
    """The plan in lines of at most `width` cells."""
    sections: Iterable[Iterable[Cell]] = (
        _head(plan, session),
        _against(plan, width),
        _strip(plan.strip),
        _layers(plan),
        _baselines(plan, session, width),
        _warnings(plan, width),
    )
    lines: list[Cell] = []
    for section in map(list, sections):
        lines += [""] * bool(lines and section) + section
    return lines


def counted(number: int, noun: str) -> str:
    """`1 task`, `2,000 tasks`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _head(plan: FlightPlan, session: Session) -> Iterator[Cell]:
    yield [("Flight plan", Ink.STRONG)]
    if not plan.strip:
        return
    numbers = (plan.instances, "instance"), (len(plan.strip), "data timestamp"), (len(plan.tasks), "task")
    yield [(", ".join(counted(number, noun) for number, noun in numbers), Ink.PLAIN)]
    if (guess := plan.estimate) is None:
        return
    began, ends = (_moment(ms, session) for ms in (guess.begins_at, guess.ends_at))
    took = format_duration((guess.ends_at - guess.begins_at) / 1000)
    begins = "now" if guess.begins_at <= session.now else began
    yield [("Ends about ", Ink.DIM), (ends, Ink.STRONG), (f", {took} from {begins}", Ink.DIM)]
    side_by_side = counted(len(plan.queues), "group")
    yield [(f"in {side_by_side}, a data timestamp takes {format_duration(guess.longest_ms / 1000)}", Ink.DIM)]
    if guess.unknown:
        yield [(f"{counted(guess.unknown, 'task')} never ran: counted as nothing", Ink.DIM)]


def _moment(ms: int, session: Session) -> str:
    return show_moment(ms, session.times, session.services.zone, session.now)


def _against(plan: FlightPlan, width: int) -> Iterator[Cell]:
    """What the backfill is refused for."""
    for words in (*(problem.message for problem in plan.problems), *plan.refusals):
        yield from _bulleted("✗", words, Ink.ERROR, width)


# --- the calendar strip -----------------------------------------------------------------------------------------------


def _strip(strip: Sequence[DateMark]) -> Iterator[Cell]:
    if not strip:
        return
    yield [(" " * MONTH + RULER, Ink.DIM)]
    for month, marks in groupby(strip, key=lambda mark: (mark.day.year, mark.day.month)):
        yield [(f"{month[0]}-{month[1]:02}".ljust(MONTH), Ink.DIM), *_days(list(marks))]
    yield _legend(strip)


def _days(marks: Sequence[DateMark]) -> list[Piece]:
    """The days of a month at their places."""
    found = {mark.day.day: MARKS[mark.standing] for mark in marks}
    glyphs = [(found[day][0], found[day][2]) if day in found else (" ", Ink.PLAIN) for day in range(1, max(found) + 1)]
    return [("".join(glyph for glyph, _ in some), ink) for ink, some in groupby(glyphs, key=lambda piece: piece[1])]


def _legend(strip: Sequence[DateMark]) -> list[Piece]:
    numbers = Counter(mark.standing for mark in strip)
    legend: list[Piece] = []
    for standing, (glyph, word, ink) in MARKS.items():
        if numbers[standing]:
            legend += [(f"{glyph} {numbers[standing]:,} ", ink), (f"{word}  ", Ink.DIM)]
    return legend


# --- layers, baselines, warnings --------------------------------------------------------------------------------------


def _layers(plan: FlightPlan) -> Iterator[Cell]:
    if not plan.layers:
        return
    yield [("Layer        tasks   instances", Ink.DIM)]
    for layer in plan.layers[:LEVELS_SHOWN]:
        name = f"{layer.level} below" if layer.level else "start"
        yield f"{name:<10}{layer.tasks:>8,}{layer.instances:>12,}"
    if deeper := plan.layers[LEVELS_SHOWN:]:
        tasks, instances = sum(layer.tasks for layer in deeper), sum(layer.instances for layer in deeper)
        yield f"{'deeper':<10}{tasks:>8,}{instances:>12,}"
    for reason, number in plan.left_out_by_reason:
        yield [(f"{number:,} left out: {reason}", Ink.DIM)]


def _baselines(plan: FlightPlan, session: Session, width: int) -> Iterator[Cell]:
    if not plan.strip or plan.estimate is None:
        return
    if not plan.baselines:
        yield [("No baseline runs through the same slots.", Ink.DIM)]
        return
    yield [(f"  {'Baseline':<{BASELINE}}{'promised':<{MOMENT}}at its alert", Ink.DIM)]
    for effect in plan.baselines[:BASELINES_SHOWN]:
        yield _baseline(effect, session)
    if more := plan.baselines[BASELINES_SHOWN:]:
        late = sum(not effect.ends_before for effect in more)
        yield [(f"  and {counted(len(more), 'more baseline')}, {late:,} with it not done", Ink.DIM)]
    yield from _bulleted(" ", f"Of the slots they share it {_takes(plan.baselines)}.", Ink.DIM, width)


def _baseline(effect: BaselineEffect, session: Session) -> Cell:
    """A promise that shares its slots: at risk where the backfill is not done before its alert time."""
    glyph, words, ink = ("✓", "done", Ink.PLAIN) if effect.ends_before else ("!", "not done", Ink.WARNING)
    name = fit(effect.name, BASELINE - 2)
    return [(f"{glyph} ", ink), *name, (f"  {_moment(effect.committed_at, session):<{MOMENT}}{words}", ink)]


def _takes(effects: Sequence[BaselineEffect]) -> str:
    """The groups and rules that it may fill; where there is none, how much it takes of the narrowest."""
    every = {one.name: one for effect in effects for one in effect.shared}.values()
    if full := [one.name for one in every if one.takes >= one.slots]:
        others = f" and {len(full) - SLOTS_NAMED} more" if len(full) > SLOTS_NAMED else ""
        return f"may fill up {', '.join(full[:SLOTS_NAMED])}{others}"
    most = max(every, key=lambda one: one.takes / one.slots)
    return f"takes up to {most.takes} of {most.slots} of {most.name}"


def _warnings(plan: FlightPlan, width: int) -> Iterator[Cell]:
    for words in plan.warnings:
        yield from _bulleted("!", words, Ink.WARNING, width)


def _bulleted(glyph: str, words: str, ink: Ink, width: int) -> Iterator[Cell]:
    """A sentence after its glyph, its other lines under its first."""
    for number, line in enumerate(wrapped(words, width - 2)):
        yield [(f"{glyph} " if number == 0 else "  ", ink), (line, ink)]
