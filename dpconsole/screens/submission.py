"""A backfill to be submitted, on one page: where its submission stands, why it failed, and the form as it was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from typing_extensions import override

from dpconsole.core.services import BACKFILL_FIELDS, BackfillRow, Delta, ListKind
from dpconsole.screens.pages import BLANK, Line, PageScreen, facts, heading
from dpconsole.screens.pending import dates_words, state_cell
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_stamp
from dpconsole.widgets.cells import fit, wrapped
from dpconsole.widgets.ink import Cell, Ink

QUESTION = 42
"""Cells of a question of the form."""


class SubmissionScreen(PageScreen):
    """The page, live."""

    stack = "submission"
    title_words = "Backfill to be submitted"

    def __init__(self, session: Session, backfill_id: int) -> None:
        self.backfill_id = backfill_id
        super().__init__(session)

    @override
    def build(self, width: int) -> Iterable[Line]:
        found = self.services.lists.rows(ListKind.BACKFILLS, [self.backfill_id])
        row: BackfillRow | None = found[0] if found else None
        if row is None:
            return [Line([("This backfill is no longer there.", Ink.WARNING)])]
        self.call_it(row.name, row.key)
        form = self.services.asked_for(self.backfill_id)
        return [*self._state(row, width), BLANK, *facts(self._facts(row), width), BLANK, *form_lines(form, width)]

    @override
    def take(self, delta: Delta) -> None:
        if delta.everything or self.backfill_id in delta.ids.get("backfill", frozenset()):
            self.rebuild()

    def _state(self, row: BackfillRow, width: int) -> Iterator[Line]:
        yield Line(state_cell(row.state))
        for line in wrapped(row.error, width) if row.error else ():
            yield Line([(line, Ink.ERROR)])

    def _facts(self, row: BackfillRow) -> Iterator[tuple[str, Cell]]:
        yield "Submitted by", row.submitter
        yield "Asked for", self._stamp(row.submitted_at)
        yield "To be submitted", self._stamp(row.submit_after_at)
        yield "Recurrence", row.recurrence or "once"
        yield "Flow", row.flow
        yield "Run day", row.run_day or ""
        yield "Data timestamps", dates_words(row.dates)
        yield "Groups", f"{row.groups:,}"
        yield "Project", row.project

    def _stamp(self, ms: int | None) -> str:
        return show_stamp(ms, self.session.times, self.services.zone, self.session.now)


def form_lines(answers: Mapping[str, str], width: int) -> Iterator[Line]:
    """What was asked for and is not the default, question by question."""
    yield heading("Form", "what was asked for; everything else is as usual")
    for name, answer in answers.items():
        first, *more = wrapped(answer, max(20, width - QUESTION)) or [""]
        label = fit([(BACKFILL_FIELDS[name].title, Ink.DIM)], QUESTION)
        yield Line([*label, (first, Ink.PLAIN)])
        yield from (Line([(" " * QUESTION, Ink.PLAIN), (line, Ink.PLAIN)]) for line in more)
