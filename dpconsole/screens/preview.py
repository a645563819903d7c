"""The one preview of every verb: what would act, what not and why, how far it reaches, and the same as a command.

Nothing is written while it is open. Mild verbs on few rows go on one key; everything else asks for the number of rows
that act to be typed. What a verb asks, the registry says. The plan is made, and applied, in a thread; a destructive
one is only armed here, and whoever opened the preview sees to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import ClassVar

from textual import events, on, work
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import get_current_worker
from typing_extensions import override

from dpconsole.core.domain.statuses import Status
from dpconsole.core.services import (
    OPERATIONS,
    Field,
    FieldKind,
    Item,
    Kind,
    Neighbour,
    Outcome,
    Plan,
    Record,
    Selection,
)
from dpconsole.screens.clipboard import copy
from dpconsole.screens.prompts import ChoicePrompt, KeyedDialog, TextPrompt
from dpconsole.screens.questions import HINTS, Questions
from dpconsole.screens.reading import StoreRefused, in_thread
from dpconsole.screens.session import Session
from dpconsole.widgets.cells import cut_pieces
from dpconsole.widgets.columns import Column
from dpconsole.widgets.facts import paragraph
from dpconsole.widgets.ink import Cell, Ink, Piece, pieces
from dpconsole.widgets.row_table import RowTable
from dpconsole.widgets.safe import SafeText
from dpconsole.widgets.status import status_cell

REASONS_SHOWN = 4
"""Reasons listed for the skipped and for the refused; the rest is counted."""

BESIDES = 3
"""Lines of the body that are neither summary nor rows: the titles of the columns, and the number with a line above."""

ASKED_ABOUT = 20
"""Rows whose upstreams are offered where a question is about upstreams."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The operator said yes to a plan that is to be armed before it acts, and why."""

    plan: Plan
    reason: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What the dialog says of a plan, counted once: a plan of a hundred thousand rows takes its time to be counted."""

    plan: Plan
    acts: tuple[Item, ...]
    others: tuple[Item, ...]
    reasons: Mapping[Outcome, Sequence[tuple[str, int]]]
    killed: int
    command: str
    is_mild: bool

    @classmethod
    def of(cls, plan: Plan) -> Sight:
        """Count a plan; to be called in a thread."""
        return cls(
            plan=plan,
            acts=plan.acts,
            others=tuple(item for item in plan.items if item.outcome is not Outcome.PLANNED),
            reasons={outcome: plan.reasons(outcome) for outcome in (Outcome.SKIPPED, Outcome.REFUSED)},
            killed=len(plan.killed),
            command=plan.command,
            is_mild=plan.is_mild,
        )


class CountInput(Input):
    """Takes digits; every other character is left to the keys of the dialog."""

    @override
    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character is not None and character.isdigit()

    @override
    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable and not (event.character or "").isdigit():
            event.prevent_default()
            return
        await super()._on_key(event)


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item of the plan as a row."""

    id: int
    item: Item


def status_words(value: str, width: int | None = None) -> Cell:
    """What an item was or became, in `width` cells: a status mostly, and nothing for a row that no longer exists."""
    return status_cell(Status(value), width=width) if value in set(Status) else value


def _after(row: ItemRow) -> Cell:
    if row.item.outcome is Outcome.PLANNED:
        return [("→ ", Ink.DIM), *pieces(status_words(row.item.after))]
    return [(row.item.reason, Ink.WARNING)]


def _date_first(row: ItemRow) -> Cell:
    """A data timestamp before the name of its backfill, which all of them share and which may be long."""
    backfill, _, date = row.item.name.rpartition(" ")
    return [(date, Ink.PLAIN), (f"  {backfill}", Ink.DIM)]


TITLES: Mapping[Kind, tuple[str, str]] = {
    Kind.INSTANCE: ("Instance Object", "Instance ID"),
    Kind.BACKFILL: ("Backfill", "Backfill ID"),
    Kind.BACKFILL_DATE: ("Data timestamp", "ID"),
    Kind.BACKFILL_FLOW: ("Data Backfill Flow", "Flow ID"),
}
"""What the rows of a verb are called, by what it acts on."""


def columns(kind: Kind) -> tuple[Column, ...]:
    """The columns of a verb that acts on rows of a kind."""
    name, id = TITLES[kind]
    named = _date_first if kind is Kind.BACKFILL_DATE else lambda row: row.item.name
    return (
        Column("name", name, 34, named, flex=1, min_width=16),
        Column("id", id, 24, lambda row: row.item.key, priority=2),
        Column(
            *("before", "Now", 20, lambda row: status_words(row.item.before)),
            min_width=14,
            priority=1,
            short=lambda row: status_words(row.item.before, 0),
        ),
        Column("after", "Then", 44, _after, min_width=18, flex=1),
    )


class PreviewScreen(KeyedDialog):
    """Shows the plan of a verb on a selection; answers the record when it was applied, what is to be armed, or None.

    `answers` are given already, `reason` is what the ledger will say unless another is typed.
    """

    stack: ClassVar[str] = "preview"

    class Planned(Message):
        """The plan is made, or cut down to fewer rows."""

        def __init__(self, sight: Sight, *, is_cut: bool = False) -> None:
            self.sight, self.is_cut = sight, is_cut
            super().__init__()

    class Unanswerable(Message):
        """No plan: an answer, or the query of the selection, cannot be meant."""

        def __init__(self, words: str) -> None:
            self.words = words
            super().__init__()

    class Progressed(Message):
        """So many of the rows are dealt with."""

        def __init__(self, done: int, total: int) -> None:
            self.done, self.total = done, total
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            """Only the last counts."""
            return isinstance(message, PreviewScreen.Progressed)

    class Applied(Message):
        """The plan was carried out."""

        def __init__(self, record: Record) -> None:
            self.record = record
            super().__init__()

    class Offered(Message):
        """The upstreams that can be named as an answer."""

        def __init__(self, field: Field, upstreams: Sequence[Neighbour]) -> None:
            self.field, self.upstreams = field, upstreams
            super().__init__()

    def __init__(
        self,
        session: Session,
        verb: str,
        selection: Selection,
        answers: Mapping[str, str] | None = None,
        reason: str = "",
    ) -> None:
        self.operations = session.services.operations
        self.operation = OPERATIONS[verb]
        super().__init__(session, self.operation.title)
        self.selected = selection
        self.questions = Questions(self.operation, answers or {})
        self.reason = reason
        self.sight: Sight | None = None
        self.words = SafeText([("Planning …", Ink.DIM)])
        self.table = RowTable(columns(self.operation.kind), self._rows, empty_text="")
        self.count = CountInput(placeholder="")
        self.count.cursor_blink = False
        self._others = False
        self._applying = False
        self._stopped = Event()
        self._items: Sequence[Item] = ()

    @override
    def body(self) -> Iterable[Widget]:
        yield self.words
        yield self.table
        yield self.count

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.count.display = False
        self.table.focus()
        self._make_plan(self.questions.answers)

    # The plan

    @in_thread("plan")
    def _make_plan(self, answers: Mapping[str, str]) -> None:
        try:
            sight = Sight.of(self.operations.plan(self.operation.name, self.selected, answers))
            if not get_current_worker().is_cancelled:
                self.post_message(self.Planned(sight))
        except ValueError as error:
            self.post_message(self.Unanswerable(str(error)))

    @on(Planned)
    def _show_plan(self, message: Planned) -> None:
        first, self.sight = self.sight is None, message.sight
        self.selected = message.sight.plan.selection
        if message.is_cut:
            self.questions.take_in(message.sight.plan.arguments)
        self._draw()
        if first and (field := self.questions.missing) and field.kind is not FieldKind.CHOICE:
            self._ask(field)

    @property
    def plan(self) -> Plan | None:
        """The plan as it stands; None while there is none yet."""
        return self.sight.plan if self.sight else None

    @on(Unanswerable)
    def _show_why_not(self, message: Unanswerable) -> None:
        self.notify(message.words, severity="warning", markup=False)

    def _draw(self) -> None:
        sight = self.sight
        if sight is None:
            return
        summary = self._summary(sight)
        width = self.words.container_size.width or self.size.width
        self.words.show(paragraph(cut_pieces(line, width) for line in summary))
        self._items = sight.others if self._others else sight.acts
        self.table.empty_text = "Nothing is skipped or refused." if self._others else "Nothing would act."
        self.table.styles.height = 1 + min(max(1, len(self._items)), self.room_for_rows(len(summary) + BESIDES))
        self.table.show(range(len(self._items)))
        asks = bool(sight.acts) and not sight.is_mild
        self.count.display = asks
        if asks:
            self.count.placeholder = f"type {len(sight.acts)} to go ahead"
            self.count.focus()
        else:
            self.table.focus()
        self.refresh_keys()

    def _summary(self, sight: Sight) -> list[list[Piece]]:
        """The lines above the rows."""
        plan = sight.plan
        lines = [self._counts(sight), *_why_not(sight)]
        if plan.offenders:
            key = self.session.keymap["preview.deselect"].display
            lines.append([(f"  {key} deselects the {len(plan.offenders):,} that stand in the way", Ink.ACCENT)])
        lines.append(self._reach(plan))
        if plan.warning:
            lines.append([(plan.warning, Ink.WARNING)])
        if sight.killed:
            noun = "attempt" if sight.killed == 1 else "attempts"
            lines.append([(f"{sight.killed:,} running {noun} would be killed", Ink.ERROR)])
        lines += self.questions.lines()
        if self.reason:
            lines.append([("Reason  ", Ink.DIM), (self.reason, Ink.PLAIN)])
        lines.append([("$ ", Ink.DIM), (sight.command, Ink.ACCENT)])
        return lines

    def _counts(self, sight: Sight) -> list[Piece]:
        skipped, refused = (sum(n for _, n in sight.reasons[one]) for one in (Outcome.SKIPPED, Outcome.REFUSED))
        return [
            (f"{len(sight.acts):,} act", Ink.STRONG),
            (f"   {skipped:,} skipped", Ink.PLAIN),
            (f"   {refused:,} refused", Ink.WARNING if refused else Ink.PLAIN),
        ]

    def _reach(self, plan: Plan) -> list[Piece]:
        reach = plan.reach
        numbers = (reach.instances, "instance"), (reach.projects, "project"), (reach.baselines, "baseline")
        told = ", ".join(f"{number:,} {noun}{'s' * (number != 1)}" for number, noun in numbers)
        return [("Downstream  ", Ink.DIM), (told, Ink.PLAIN)]

    def _rows(self, ids: Sequence[int]) -> Sequence[ItemRow]:
        return [ItemRow(number, self._items[number]) for number in ids]

    # Rows

    def action_toggle_row(self) -> None:
        """Drop the row under the cursor from the plan, also when that is made anew."""
        if self.plan is not None and not self._others and self._items:
            self._go_without(self.plan, (self._items[self.table.cursor].id,))

    @in_thread("plan")
    def _go_without(self, plan: Plan, ids: Sequence[int]) -> None:
        self.post_message(self.Planned(Sight.of(plan.without(ids)), is_cut=True))

    def action_deselect(self) -> None:
        """Let go of the rows for whose sake the whole batch is refused."""
        if self.plan is not None:
            self.selected = self.selected.less(self.plan.offenders)
            self._make_plan(self.questions.answers)

    def action_other_list(self) -> None:
        """The rows that act, or those that do not."""
        self._others = not self._others
        self._draw()

    def action_copy(self) -> None:
        """Copy the equivalent command."""
        if self.sight is not None:
            self.notify(copy(self.app, self.sight.command), markup=False)

    # Questions

    def action_choose(self, step: int) -> None:
        """The next choice of the current question."""
        field = self.questions.current
        if field is not None and _is_one_of_few(field):
            answer = self.questions.answer_to(field)
            at = field.choices.index(answer) + step if answer else min(0, step)
            self._take(field, field.choices[at % len(field.choices)])

    def action_answer(self, number: int) -> None:
        """The choice with this number."""
        field = self.questions.current
        if field is not None:
            self._take(field, field.choices[number - 1])

    def action_next_question(self) -> None:
        """Let the keys answer the next question."""
        self.questions.go_on()
        self._draw()

    def action_ask(self) -> None:
        """Answer the current question by typing, or by choosing from a list."""
        if self.questions.current is not None:
            self._ask(self.questions.current)

    def _ask(self, field: Field) -> None:
        if field.kind is FieldKind.IDS:
            self._offer_upstreams(field)
        elif field.kind is FieldKind.CHOICE:
            self._pick(field, [(choice, choice) for choice in field.choices])
        else:
            self._type(field)

    @work
    async def _pick(self, field: Field, choices: Sequence[tuple[str, str]]) -> None:
        chosen = [word for word in self.questions.answer_to(field).split(",") if word]
        asked = ChoicePrompt(self.session, field.title, choices, chosen=chosen, several=field.several)
        answer = await self.app.push_screen_wait(asked)
        if answer is not None:
            self._take(field, answer if isinstance(answer, str) else ",".join(answer))

    @work
    async def _type(self, field: Field) -> None:
        asked = TextPrompt(self.session, field.title, self.questions.answer_to(field), HINTS[field.kind])
        answer = await self.app.push_screen_wait(asked)
        if answer is not None:
            self._take(field, answer)

    @in_thread("upstreams")
    def _offer_upstreams(self, field: Field) -> None:
        plan = self.plan
        found: dict[int, Neighbour] = {}
        for item in plan.items[:ASKED_ABOUT] if plan else ():
            detail = self.session.services.lists.detail(item.id)
            found |= {one.id: one for one in (detail.upstreams if detail else ())}
        self.post_message(self.Offered(field, tuple(found.values())))

    @on(Offered)
    def _pick_upstreams(self, message: Offered) -> None:
        if not message.upstreams:
            self.notify("It has no upstream that could be named", severity="warning")
            return
        named = [(str(one.id), f"{one.name}   {one.status.label}   {one.key}") for one in message.upstreams]
        self._pick(message.field, named)

    def _take(self, field: Field, answer: str) -> None:
        """Take an answer; the plan is made anew."""
        try:
            self.questions.answer(field, answer)
        except ValueError as error:
            self.notify(str(error), severity="warning", markup=False)
        else:
            self._make_plan(self.questions.answers)

    @work
    async def action_reason(self) -> None:
        """Say why; it is kept with the record."""
        asked = TextPrompt(self.session, "Reason", self.reason, "kept with the record")
        reason = await self.app.push_screen_wait(asked)
        if reason is not None:
            self.reason = reason
            self._draw()

    # Going ahead

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Carry the plan out, if it may be."""
        sight = self.sight
        if sight is None or self._applying:
            return
        if not sight.acts:
            self.notify(self._why_nothing(), severity="warning", markup=False)
        elif not sight.is_mild and self.count.value != str(len(sight.acts)):
            words = f"Type {len(sight.acts)}, the number of rows that act, to go ahead"
            self.notify(words, severity="warning", markup=False)
        elif self.operation.dangerous:
            self.dismiss(Confirmed(sight.plan, self.reason))
        else:
            self._applying = True
            self._apply(sight.plan, self.reason)

    def _why_nothing(self) -> str:
        missing = self.questions.missing
        return f"{missing.title}: choose first" if missing else "Nothing would act: there is nothing to carry out"

    @override
    def action_cancel(self) -> None:
        """Go without a trace; a batch that is under way stops after the rows it is at."""
        if self._applying:
            self._stopped.set()
        else:
            super().action_cancel()

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        field = self.questions.current
        few = field is not None and _is_one_of_few(field)
        works = {
            "accept": self.sight is not None and bool(self.sight.acts),
            "toggle_row": bool(self._items) and not self._others,
            "choose": few,
            "answer": few and _is_numbered(field, parameters),
            "ask": field is not None,
            "next_question": len(self.questions.asked) > 1,
            "deselect": self.plan is not None and bool(self.plan.offenders),
        }
        return works.get(action, True)

    @in_thread("apply")
    def _apply(self, plan: Plan, reason: str) -> None:
        def progress(done: int, total: int) -> None:
            self.post_message(self.Progressed(done, total))

        self.post_message(self.Applied(self.operations.apply(plan, reason, progress, self._stopped.is_set)))

    @on(Progressed)
    def _show_progress(self, message: Progressed) -> None:
        key = self.session.keymap["dialog.cancel"].display
        words = f"{message.done:,} of {message.total:,} done - {key} stops before the next"
        self.words.show([(words, Ink.STRONG)])

    @on(Applied)
    def _leave_done(self, message: Applied) -> None:
        self.dismiss(message.record)

    @on(StoreRefused)
    def _may_try_again(self) -> None:
        self._applying = False


def _why_not(sight: Sight) -> list[list[Piece]]:
    """Why rows do not act, the most frequent reasons of each kind."""
    lines: list[list[Piece]] = []
    for reasons in sight.reasons.values():
        lines += [[(f"  {n:>5,}  {reason}", Ink.WARNING)] for reason, n in reasons[:REASONS_SHOWN]]
        if len(reasons) > REASONS_SHOWN:
            lines.append([(f"         and {len(reasons) - REASONS_SHOWN} more reasons", Ink.DIM)])
    return lines


def _is_numbered(field: Field | None, parameters: tuple[object, ...]) -> bool:
    """Whether a number is the key to one of the choices."""
    return field is not None and field.required and parameters[:1] in {(n + 1,) for n in range(len(field.choices))}


def _is_one_of_few(field: Field) -> bool:
    return field.kind is FieldKind.CHOICE and not field.several
