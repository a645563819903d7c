"""Explain: why an instance stands still - the five checks, what blocks it at the root, its turn, when it will be done.

Everything is worked out in a thread by the core's diagnosis; this page writes it down. Verbs go to the instance on the
line under the cursor, which is how a blocking root is mended from here, or else to the instance that was asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from textual import on
from textual.message import Message
from typing_extensions import override

from dpconsole.core.domain.diagnosis import Check, Verdict
from dpconsole.core.services import Delta, Explanation, InstanceRow, Neighbour, Selection
from dpconsole.screens.asking import OpenDag, OpenExplanation, OpenGantt, OpenInstance, OpenLog, OpenTask
from dpconsole.screens.instance_columns import instance_name, running_status_cell
from dpconsole.screens.pages import BLANK, Grid, Line, PageScreen, heading
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_moment
from dpconsole.screens.verbs import Verbs
from dpconsole.widgets.cells import wrapped
from dpconsole.widgets.ink import Ink
from dpconsole.widgets.status import status_cell

CHECKS = Grid((2, 20, 12))
ROWS = Grid((28, 20, 10, 11, 22), ("left", "left", "left", "right"))
NODES = Grid((28, 20))

ROOM_BESIDE = 50
"""Cells beside a check from which its sentence is worth breaking there."""
INDENT = 6

INKS: Mapping[Verdict, Ink] = {
    Verdict.PASSED: Ink.SUCCEEDED,
    Verdict.SKIPPED: Ink.DIM,
    Verdict.PAUSED: Ink.ACCENT,
    Verdict.BLOCKED: Ink.FAILED,
    Verdict.WAITING: Ink.WAITING,
    Verdict.RUNNING: Ink.RUNNING,
    Verdict.FAILED: Ink.FAILED,
    Verdict.NOT_REACHED: Ink.DIM,
}
"""How a verdict is written."""


class ExplainScreen(Verbs, PageScreen):
    """The diagnosis of an instance, live."""

    stack = "explain"
    title_words = "Explain"

    class Read(Message):
        """The diagnosis; the keys of the screen need it."""

        def __init__(self, found: Explanation | None) -> None:
            self.found = found
            super().__init__()

    def __init__(self, session: Session, instance_id: int) -> None:
        self.instance_id = instance_id
        self.found: Explanation | None = None
        super().__init__(session)

    @property
    @override
    def page_title(self) -> str:
        return f"{instance_name(self.found.row)}   {self.found.row.key}" if self.found else ""

    @override
    def build(self, width: int) -> Iterable[Line]:
        self.rev = max(self.rev, self.services.store.rev())
        found = self.services.explain(self.instance_id)
        self.post_message(self.Read(found))
        if found is None:
            return [Line([("This instance is no longer there.", Ink.WARNING)])]
        return [*self._answer(found, width), *self._checks(found, width), *self._rest(found, width)]

    @on(Read)
    def _keep(self, message: Read) -> None:
        self.found = message.found
        self.refresh_keys()

    @override
    def take(self, delta: Delta) -> None:
        if delta.everything or delta.ids.get("instance"):
            self.rebuild()

    @override
    def on_minute(self) -> None:
        self.rebuild()

    # The page

    def _answer(self, found: Explanation, width: int) -> Iterator[Line]:
        yield Line(running_status_cell(found.row), OpenInstance(self.instance_id))
        yield from (Line([(words, Ink.STRONG)]) for words in wrapped(found.summary, width))
        yield BLANK

    def _checks(self, found: Explanation, width: int) -> Iterator[Line]:
        node = f"of its node {found.node.name}" if found.node else ""
        yield heading("The five checks", node)
        for number, check in enumerate(found.checks, 1):
            yield from _check(number, check, width)

    def _rest(self, found: Explanation, width: int) -> Iterator[Line]:
        yield from self._section("Start blocking", "mend these and it goes on", found.start_blocking)
        if found.queue_position is not None:
            yield BLANK
            yield heading("Its turn", _turn(found.queue_position))
        yield from self._section("Slots held by", "", found.occupants)
        if found.others:
            yield BLANK
            yield heading("Its other nodes", f"{len(found.others)}")
            for one in found.others:
                cell = NODES.row(one.name, status_cell(one.status, width=NODES.widths[1]), one.why)
                yield Line(cell, OpenInstance(one.id))
        if found.eta.words:
            yield BLANK
            yield heading("When it will be done")
            yield from (Line(f"  {words}") for words in wrapped(found.eta.words, width - 2))
        yield from self._section("Upstreams", "", found.upstreams)

    def _section(self, title: str, note: str, rows: Sequence[Neighbour]) -> Iterator[Line]:
        if not rows:
            return
        yield BLANK
        yield heading(title, "   ".join(filter(None, (f"{len(rows)}", note))))
        yield from (Line(self._neighbour(one), OpenInstance(one.id)) for one in rows)

    def _neighbour(self, one: Neighbour) -> list[tuple[str, Ink]]:
        due = show_moment(one.due_at, self.session.times, self.services.zone, self.session.now)
        status = status_cell(one.status, paused=one.paused, width=ROWS.widths[1])
        return ROWS.row(one.name, status, one.business_date, due, one.task, [(one.owner, Ink.DIM)])

    # From here

    @property
    @override
    def row(self) -> InstanceRow | None:
        return self.found.row if self.found else None

    @property
    def here(self) -> int:
        """The instance on the line under the cursor, or else the one that was asked about."""
        opens = self.cursor_line.opens
        return opens.instance_id if isinstance(opens, OpenInstance) else self.instance_id

    @override
    def selection(self) -> Selection | None:
        return Selection.of((self.here,)) if self.found else None

    @override
    def action_explain(self) -> None:
        """The diagnosis of the instance under the cursor."""
        if self.here != self.instance_id:
            self.app.post_message(OpenExplanation(self.here))

    @override
    def action_dag(self) -> None:
        self.app.post_message(OpenDag(self.here))

    @override
    def action_gantt(self) -> None:
        self.app.post_message(OpenGantt(self.here))

    def action_open_log(self) -> None:
        """The run log of the instance under the cursor."""
        self.app.post_message(OpenLog(self.here))

    def action_go_task(self) -> None:
        """The task of the instance."""
        if self.row is not None:
            self.app.post_message(OpenTask(self.row.task))


def _check(number: int, check: Check, width: int) -> Iterator[Line]:
    """One check; a long sentence goes on under itself, or stands under it where there is little room beside it."""
    ink = Ink.DIM if check.verdict is Verdict.NOT_REACHED else Ink.PLAIN
    indent = CHECKS.lead
    first, *rest = wrapped(check.detail, width - indent)
    if rest and width - indent < ROOM_BESIDE:
        indent, first = INDENT, ""
        rest = wrapped(check.detail, width - indent)
    verdict = [(check.verdict.label, INKS[check.verdict])]
    yield Line(CHECKS.row(str(number), [(check.step.label, ink)], verdict, [(first, ink)]))
    yield from (Line([(" " * indent, ink), (words, ink)]) for words in rest)


def _turn(ahead: int) -> str:
    return f"{ahead:,} go{'es' * (ahead == 1)} before it" if ahead else "it is next"
