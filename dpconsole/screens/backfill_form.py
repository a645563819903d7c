"""Creating a backfill: the whole form of section 7 on one calm page, and beside it what would come of it.

Every answer is read as it is typed; what is wrong stands beside its field and never in the way. The flight plan is made
in a thread after a pause in typing, and only the last one counts. Nothing is written before `Enter`, and many instances
ask for their number. Leaving keeps the answers as a draft, which the same key on the same tasks brings back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from textual import events, on, work
from textual.containers import Container, VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import get_current_worker
from typing_extensions import override

from dpconsole.core.domain.backfill_form import Mode
from dpconsole.core.services import (
    BACKFILL_FIELDS,
    ENVIRONMENT,
    FlightPlan,
    FormField,
    FormKind,
    Problem,
    Reading,
    Superseded,
    asked_fields,
    join_list,
    read_form,
    suggested,
)
from dpconsole.screens.asking import Created, GoneOnWith
from dpconsole.screens.base import ConsoleScreen
from dpconsole.screens.clipboard import copy
from dpconsole.screens.downstream import DownstreamPrompt
from dpconsole.screens.flight_lines import flight_lines
from dpconsole.screens.keymap import show_key
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.screens.submitting import GoesOn, SubmitScreen
from dpconsole.widgets.facts import paragraph
from dpconsole.widgets.form import Entry, Form
from dpconsole.widgets.ink import Ink
from dpconsole.widgets.safe import SafeText

BASICS = ("task", "range", "downstream", "groups")
"""The questions of most backfills, in the order in which one answers them; all others come after."""

PLAN_PAUSE = 0.25
"""Seconds without a keystroke before the flight plan is made."""

ROOM_FOR_BOTH = 110
"""Cells of a window that shows form and flight plan side by side."""

PLAN_WIDTH, PLAN_PADDING = 50, 2


def entries() -> list[Entry]:
    """The lines of the form, the basics first; the environment is the console's, and stands in the header."""
    lines = (field for field in BACKFILL_FIELDS.values() if field.name != ENVIRONMENT)
    ordered = sorted(lines, key=lambda field: (*BASICS, field.name).index(field.name))
    return [Entry(field.name, field.title, field.default, field.choices) for field in ordered]


@dataclass(frozen=True, slots=True)
class Understood:
    """What the answers come to at a moment: which questions they call for, and the form or what stands in its way.

    `suggestion` is what the answer to the question of this name may become.
    """

    answers: Mapping[str, str]
    asked: frozenset[str]
    reading: Reading
    suggestion: tuple[str, str]


class BackfillFormScreen(ConsoleScreen):
    """The form; `answers` are given already."""

    stack = "backfill_form"
    title_words = "Create a data backfill"

    class Read(Message):
        """The answers were read."""

        def __init__(self, understood: Understood) -> None:
            self.understood = understood
            super().__init__()

    class Planned(Message):
        """The flight plan of these answers is made."""

        def __init__(self, answers: Mapping[str, str], plan: FlightPlan) -> None:
            self.answers, self.plan = answers, plan
            super().__init__()

    def __init__(self, session: Session, answers: Mapping[str, str]) -> None:
        super().__init__(session)
        self._start = dict(answers)
        self._draft_key = (session.environment, answers.get("task", ""))
        draft = session.drafts.get(self._draft_key)
        self.form = Form(entries(), draft or answers, basics=len(BASICS))
        self.help = SafeText(id="form-help")
        self.words = SafeText([("", Ink.DIM)])
        self._understood: Understood | None = None
        self._planned: FlightPlan | None = None
        self._planned_for: Mapping[str, str] | None = None
        self._pause: Timer | None = None
        self._going = False

    @override
    def body(self) -> Iterable[Widget]:
        with Container(id="form-and-plan"):
            yield self.form
            with VerticalScroll(id="flight-plan", can_focus=False):
                yield self.words
        yield self.help

    def on_mount(self) -> None:
        """Go where something is left to answer."""
        self.form.focus()
        self.form.go_to("range" if self.form.answers.get("task") else "task")
        if self._draft_key in self.session.drafts:
            key = self.session.keymap["form.anew"].display
            self.notify(f"Your draft is back; {key} begins anew", timeout=5, markup=False)
        self._ask()

    @override
    def on_resize(self, _event: events.Resize) -> None:
        super().on_resize(_event)
        self.set_class(self.size.width < ROOM_FOR_BOTH, "-narrow")
        self._draw_plan()

    # Reading and planning

    @on(Form.Changed)
    def _ask(self) -> None:
        """Read the answers at once, and plan when the typing pauses."""
        self._going = False
        self._understand(self.form.answers, self.form.current)

    @in_thread("form")
    def _understand(self, given: Mapping[str, str], current: str) -> None:
        facts = self.services.backfills.facts()
        asked = frozenset(field.name for field in asked_fields(given, facts))
        reading = read_form(self._meant(given, asked), facts)
        suggestion = (current, suggested(current, given.get(current, ""), facts))
        understood = Understood(given, asked, reading, suggestion)
        if not get_current_worker().is_cancelled:
            self.post_message(self.Read(understood))

    def _meant(self, given: Mapping[str, str], asked: Collection[str]) -> dict[str, str]:
        """The answers to what is asked, in the environment the console shows."""
        answers = {name: answer for name, answer in given.items() if name in asked}
        return answers | {ENVIRONMENT: self.session.environment}

    @on(Read)
    def _show_reading(self, message: Read) -> None:
        self._understood = message.understood
        self.form.show_asked(message.understood.asked)
        self.form.suggest(*message.understood.suggestion)
        self._show_problems()
        if self._pause is not None:
            self._pause.stop()
        if message.understood.reading.form is None:
            self._going = False
        elif self._going:
            self._plan_now()
        else:
            self._pause = self.set_timer(PLAN_PAUSE, self._plan_now)
        self._draw_plan()
        self.refresh_keys()

    def _plan_now(self) -> None:
        if self._understood is not None and self._understood.reading.form is not None:
            self._plan(self._understood)

    @in_thread("flight")
    def _plan(self, understood: Understood) -> None:
        worker = get_current_worker()
        answers = self._meant(understood.answers, understood.asked)
        with suppress(Superseded):
            plan = self.services.backfills.plan(answers, lambda: worker.is_cancelled)
            self.post_message(self.Planned(understood.answers, plan))

    @on(Planned)
    def _show_plan(self, message: Planned) -> None:
        self._planned, self._planned_for = message.plan, message.answers
        self._show_problems()
        self._draw_plan()
        self.refresh_keys()
        if self._going and self.plan is not None:
            self._going = False
            self.action_accept()

    @property
    def problems(self) -> Sequence[Problem]:
        """What is to be mended: what cannot be read, or else what the plan found."""
        if self._understood is not None and self._understood.reading.problems:
            return self._understood.reading.problems
        return self.plan.problems if self.plan is not None else ()

    def _show_problems(self) -> None:
        self.form.show_problems({problem.field: problem.message for problem in self.problems})

    @property
    def plan(self) -> FlightPlan | None:
        """The flight plan of what the form says now; None while there is none yet."""
        return self._planned if self._planned_for == self.form.answers else None

    def _draw_plan(self) -> None:
        width = (self.size.width if self.has_class("-narrow") else PLAN_WIDTH) - PLAN_PADDING
        if number := len(self.problems):
            words = f"{number} answer{'s' * (number != 1)} to mend first."
            self.words.show([("Flight plan\n\n", Ink.STRONG), (words, Ink.DIM)])
        elif self._planned is None:
            self.words.show([("Flight plan\n\n", Ink.STRONG), ("Planning …", Ink.DIM)])
        else:
            lines = flight_lines(self._planned, self.session, width)
            self.words.show(paragraph(lines))

    # At the keyboard

    @on(Form.Entered)
    def _explain_field(self, message: Form.Entered) -> None:
        field = BACKFILL_FIELDS.get(message.name)
        if field is not None:
            self.help.show(_help(field))
        self.refresh_keys()

    def action_step(self, number: int) -> None:
        """To the next field, or the one before."""
        self.form.step(number)

    def action_choose(self, step: int) -> None:
        """The next choice."""
        self.form.choose(step)

    def action_scroll_plan(self, pages: int) -> None:
        """See more of the flight plan."""
        plan = self.query_one("#flight-plan", VerticalScroll)
        plan.scroll_relative(y=pages * max(1, plan.size.height - 1), animate=False, force=True)

    def action_copy(self) -> None:
        """Copy the equivalent command."""
        if self.plan is not None:
            self.notify(copy(self.app, self.plan.command), markup=False)

    @work
    async def action_downstream(self) -> None:
        """See which tasks it covers, and let go of some."""
        if self.plan is None:
            return
        kept = await self.app.push_screen_wait(DownstreamPrompt(self.session, self.plan))
        if kept is not None:
            self.form.answer("only", join_list(kept))

    def action_anew(self) -> None:
        """Begin anew, without the draft."""
        self.session.drafts.pop(self._draft_key, None)
        self.form.begin(self._start)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        works = {
            "choose": not self.form.is_typing,
            "copy": self.plan is not None and not self.form.is_typing,
            "downstream": self._is_listed,
        }
        return works.get(action, True)

    @property
    def _is_listed(self) -> bool:
        """Whether there are tasks downstream to choose from."""
        form = self.plan.form if self.plan is not None else None
        return form is not None and form.mode is Mode.LIST

    # Leaving

    @override
    def peel_one(self) -> bool:
        """Leave; what was answered waits for whoever comes back to the same tasks."""
        given = {name: answer for name, answer in self.form.answers.items() if answer != self._start.get(name, "")}
        if given:
            self.session.drafts[self._draft_key] = self.form.answers
            key = self.session.keymap["row.backfill"].display
            self.notify(f"Kept as a draft: {key} on the same tasks brings it back", timeout=5, markup=False)
        else:
            self.session.drafts.pop(self._draft_key, None)
        return False

    def action_accept(self) -> None:
        """Create it, once the plan of what the form says now is there."""
        read = self._understood is not None and self._understood.answers == self.form.answers
        if read and self.problems:
            self.form.go_to(self.problems[0].field)
        elif self.plan is not None:
            self._create(self.plan)
        else:
            self._going = True
            if read:
                self._plan_now()

    @work
    async def _create(self, plan: FlightPlan) -> None:
        if plan.refusals:
            self.notify(plan.refusals[0], severity="warning", markup=False)
            return
        answer = await self.app.push_screen_wait(SubmitScreen(self.session, plan))
        if answer is not None:
            self.session.drafts.pop(self._draft_key, None)
            self.app.post_message(GoneOnWith() if isinstance(answer, GoesOn) else Created(answer))


def _help(field: FormField) -> list[tuple[str, Ink]]:
    taken = f"  {show_key('right')} takes what is suggested." if field.kind is FormKind.TASKS else ""
    return [(f"{field.title}  ", Ink.STRONG), (field.help + taken, Ink.DIM)]
