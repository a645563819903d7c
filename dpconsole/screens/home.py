"""Home: what broke and whether it is one cause, how far the night is, what is held, which baselines are at risk.

Answers without a key pressed. Each group of failures is a ready-made selection: `Enter` lists it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time

from typing_extensions import override

from dpconsole.core.domain.clock import default_business_date, run_day, to_ms
from dpconsole.core.domain.statuses import ATTENTION, Status
from dpconsole.core.services import DEFAULT_FILTERS, BaselineProgress, Delta, FailureGroup, ListKind, Overview
from dpconsole.screens.asking import GoTo, OpenDag, OpenInstance
from dpconsole.screens.instance_rows import quoted
from dpconsole.screens.pages import BLANK, Grid, Line, PageScreen, heading
from dpconsole.screens.times import show_moment
from dpconsole.widgets.ink import Cell, Ink, Piece
from dpconsole.widgets.status import INKS, status_cell

FAILURES = Grid((6, 6, 7, 11), ("right", "right", "right"))
COUNTS = Grid((7,), ("right",))
STEPS = Grid((36,))
BASELINES = Grid((24, 8, 16), ("left", "left"))

YESTERDAY = DEFAULT_FILTERS[ListKind.INSTANCES]
"""The data timestamp of the page, as a query has it."""

UNKNOWN = "no error was recorded"


class HomeScreen(PageScreen):
    """The night at a glance, live."""

    stack = "home"
    title_words = "Home"

    @property
    def business_date(self) -> date:
        """The data timestamp of the night, T-1."""
        return default_business_date(self.session.now, self.services.zone)

    @property
    @override
    def page_title(self) -> str:
        return f"Data timestamp {self.business_date.isoformat()}"

    @override
    def build(self, width: int) -> Iterable[Line]:
        day = self.business_date
        self.rev = max(self.rev, self.services.store.rev())
        overview = self.services.overview(self.session.environment, day)
        if not overview.total:
            other = self.session.keymap["app.environment"].display
            yield from _nothing_yet(overview, self.session.environment, day, other)
            return
        yield from self._failures(overview)
        yield BLANK
        yield from _night(overview)
        if overview.baselines:
            yield BLANK
            yield from self._baselines(overview, day)

    def _failures(self, overview: Overview) -> Iterator[Line]:
        failed, groups = overview.counts.get(Status.FAILED, 0), overview.failures
        if not failed:
            yield heading("What broke", "nothing")
            return
        causes = "one cause" if len(groups) == 1 else f"{len(groups)} causes"
        yield heading("What broke", f"{failed:,} failed, {causes}")
        yield Line([(text, Ink.DIM) for text, _ in FAILURES.row("failed", "tasks", "behind", "first", "cause")])
        biggest = max(groups, key=lambda group: group.count)
        for group in groups:
            yield replace(self._group(group), begins=group is biggest)

    def _group(self, group: FailureGroup) -> Line:
        zone = self.services.zone
        first = show_moment(group.first_at, self.session.times, zone, self.session.now, self.business_date)
        count: Cell = [(f"{group.count:,}", Ink.FAILED)]
        cause: list[Piece] = [(group.error or UNKNOWN, Ink.PLAIN), (f"   {group.first_name}", Ink.DIM)]
        opens = OpenInstance(group.first_id) if group.count == 1 else _select(group)
        behind: Cell = [(f"+{group.behind:,}" if group.behind else "", Ink.WARNING)]
        return Line(FAILURES.row(count, f"{group.tasks:,}", behind, first, cause), opens)

    def _baselines(self, overview: Overview, day: date) -> Iterator[Line]:
        midnight = to_ms(datetime.combine(run_day(day), time(), self.services.zone))
        late = [self._baseline(one, midnight) for one in overview.baselines]
        yield heading("Baselines")
        yield from late

    def _baseline(self, baseline: BaselineProgress, midnight: int) -> Line:
        committed = midnight + baseline.committed_ms
        when = show_moment(committed, self.session.times, self.services.zone, self.session.now, self.business_date)
        verdict = _verdict(baseline, committed, self.session.now)
        progress = f"{baseline.done:,} of {baseline.total:,} done"
        cell = BASELINES.row(baseline.name, when, progress, [verdict])
        return Line(cell, GoTo("baselines"))

    @override
    def take(self, delta: Delta) -> None:
        if delta.ids.get("instance"):
            self.rebuild()

    def action_dag(self) -> None:
        """What the instance on the line under the cursor hangs together with."""
        if isinstance(opens := self.cursor_line.opens, OpenInstance):
            self.app.post_message(OpenDag(opens.instance_id))

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "dag" or isinstance(self.cursor_line.opens, OpenInstance)

    @override
    def environment_changed(self) -> None:
        self.rebuild()


def _nothing_yet(overview: Overview, environment: str, day: date, other_key: str) -> Iterator[Line]:
    """What to do next where there is nothing to look at."""
    steps: tuple[tuple[str, str], ...]
    if not overview.is_loaded:
        yield heading("Nothing is loaded yet")
        steps = (
            ("dpconsole load FILE..", "reads your workspace from YAML"),
            ("dpconsole import dbt MANIFEST", "reads it from a dbt manifest"),
            (f"dpconsole generate --date {day}", "then makes the instances of this data timestamp"),
            ("dpconsole demo", "shows a lively night in a database of its own"),
        )
    else:
        yield heading(f"No instances of this data timestamp in {environment.upper()}")
        steps = (
            (
                f"dpconsole generate --date {day}",
                "makes them; the engine does so itself at 23:00 of the evening before",
            ),
            (other_key, "shows the other environment"),
        )
    yield from (Line(STEPS.row([(command, Ink.ACCENT)], [(what, Ink.DIM)])) for command, what in steps)


def _select(group: FailureGroup) -> GoTo:
    error = f" error:{quoted(group.error)}" if group.error else ""
    return GoTo("instances", f"{YESTERDAY} status:failed{error}")


def _verdict(baseline: BaselineProgress, committed: int, now: int) -> Piece:
    """What is to be feared for a promise; an estimate of the finish is a matter of the baselines' own screen."""
    if baseline.done == baseline.total:
        return ("kept", Ink.SUCCEEDED)
    if now > committed:
        return ("late", Ink.FAILED)
    if baseline.failed:
        return (f"at risk: {baseline.failed:,} failed on its way", Ink.FAILED)
    if now > committed - baseline.margin_ms:
        return ("at risk: its margin is running", Ink.WARNING)
    return ("on its way", Ink.PLAIN)


def _night(overview: Overview) -> Iterator[Line]:
    yield heading("The night", f"{overview.total:,} instances")
    for status in ATTENTION:
        if count := overview.counts.get(status, 0):
            blocked = overview.blocked if status is Status.NOT_RUNNING else 0
            note = f"   {blocked:,} wait for an upstream" if blocked else ""
            cell: Cell = [*status_cell(status), (note, Ink.DIM)]
            opens = GoTo("instances", f"{YESTERDAY} status:{status.lower()}")
            yield Line(COUNTS.row([(f"{count:,}", INKS[status])], cell), opens)
    if overview.paused:
        yield Line(COUNTS.row(f"{overview.paused:,}", "⏸ held"), GoTo("instances", f"{YESTERDAY} paused:yes"))
