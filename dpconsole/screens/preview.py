"""The one preview of every verb: what would act, what not and why, how far it reaches, and the same as a command.

Nothing is written while it is open. Mild verbs on few rows go on one key; everything else asks for the number of rows
that act to be typed. The plan is made, and applied, in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input
from typing_extensions import override

from dpconsole.core.domain.statuses import Status
from dpconsole.core.services import OPERATIONS, Item, Outcome, Plan, Record, Selection
from dpconsole.screens.clipboard import copy
from dpconsole.screens.prompts import KeyedDialog
from dpconsole.screens.reading import StoreRefused, in_thread
from dpconsole.screens.session import Session
from dpconsole.widgets.cells import cut_pieces
from dpconsole.widgets.columns import Column
from dpconsole.widgets.facts import paragraph
from dpconsole.widgets.ink import Cell, Ink, Piece
from dpconsole.widgets.row_table import RowTable
from dpconsole.widgets.safe import SafeText
from dpconsole.widgets.status import status_cell

REASONS_SHOWN = 4
"""Reasons listed for the skipped and for the refused; the rest is counted."""


FRAME = 11
"""Lines of the dialog that are neither summary nor rows, and of the screen around it."""


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
    """A status of an item in `width` cells, which may be empty for a row that no longer exists."""
    return status_cell(Status(value), width=width) if value in set(Status) else value


def _after(row: ItemRow) -> Cell:
    if row.item.outcome is Outcome.PLANNED:
        return [("→ ", Ink.DIM), *status_words(row.item.after)]
    return [(row.item.reason, Ink.WARNING)]


COLUMNS = (
    Column("name", "Instance Object", 34, lambda row: row.item.name, flex=1, min_width=16),
    Column("id", "Instance ID", 24, lambda row: row.item.key, priority=2),
    Column("before", "Now", 18, lambda row: status_words(row.item.before), min_width=13, priority=1),
    Column("after", "Then", 44, _after, min_width=18, flex=1),
)


class PreviewScreen(KeyedDialog):
    """Shows the plan of a verb on a selection; answers the record when it was applied, or nothing."""

    stack: ClassVar[str] = "preview"

    class Planned(Message):
        """The plan is made."""

        def __init__(self, plan: Plan) -> None:
            self.plan = plan
            super().__init__()

    class Applied(Message):
        """The plan was carried out."""

        def __init__(self, record: Record) -> None:
            self.record = record
            super().__init__()

    def __init__(self, session: Session, verb: str, selection: Selection) -> None:
        self.operations = session.services.operations
        self.operation = OPERATIONS[verb]
        super().__init__(session, self.operation.title)
        self.selected = selection
        self.arguments = self.operation.complete({})
        self.plan: Plan | None = None
        self.words = SafeText([("Planning …", Ink.DIM)])
        self.table = RowTable(COLUMNS, self._rows, empty_text="")
        self.count = CountInput(placeholder="")
        self.count.cursor_blink = False
        self._others = False
        self._applying = False
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
        self._make_plan()

    # The plan

    @in_thread("plan")
    def _make_plan(self) -> None:
        self.post_message(self.Planned(self.operations.plan(self.operation.name, self.selected, self.arguments)))

    @on(Planned)
    def _show_plan(self, message: Planned) -> None:
        self.plan = message.plan
        self._draw()

    def _draw(self) -> None:
        plan = self.plan
        if plan is None:
            return
        summary = self._summary(plan)
        width = self.words.container_size.width or self.size.width
        self.words.show(paragraph(cut_pieces(line, width) for line in summary))
        others = [item for item in plan.items if item.outcome is not Outcome.PLANNED]
        self._items = others if self._others else plan.acts
        self.table.empty_text = "Nothing is skipped or refused." if self._others else "Nothing would act."
        self.table.styles.height = 1 + min(max(1, len(self._items)), max(3, self.size.height - len(summary) - FRAME))
        self.table.show(range(len(self._items)))
        asks = bool(plan.acts) and not plan.is_mild
        self.count.display = asks
        if asks:
            self.count.placeholder = f"type {len(plan.acts)} to go ahead"
            self.count.focus()
        self.refresh_keys()

    def _summary(self, plan: Plan) -> list[list[Piece]]:
        """The lines above the rows."""
        counted = {outcome: sum(n for _, n in plan.reasons(outcome)) for outcome in (Outcome.SKIPPED, Outcome.REFUSED)}
        lines: list[list[Piece]] = [
            [
                (f"{len(plan.acts):,} act", Ink.STRONG),
                (f"   {counted[Outcome.SKIPPED]:,} skipped", Ink.PLAIN),
                (f"   {counted[Outcome.REFUSED]:,} refused", Ink.WARNING if counted[Outcome.REFUSED] else Ink.PLAIN),
            ]
        ]
        for outcome in (Outcome.SKIPPED, Outcome.REFUSED):
            reasons = plan.reasons(outcome)
            lines += [[(f"  {n:>5,}  {reason}", Ink.WARNING)] for reason, n in reasons[:REASONS_SHOWN]]
            if len(reasons) > REASONS_SHOWN:
                lines.append([(f"         and {len(reasons) - REASONS_SHOWN} more reasons", Ink.DIM)])
        lines.append(self._reach(plan))
        if plan.killed:
            lines.append([(f"{len(plan.killed):,} running attempts would be killed", Ink.ERROR)])
        lines += [self._choice(field.name) for field in self.operation.fields]
        lines.append([("$ ", Ink.DIM), (plan.command, Ink.ACCENT)])
        return lines

    def _reach(self, plan: Plan) -> list[Piece]:
        reach = plan.reach
        numbers = (reach.instances, "instance"), (reach.projects, "project"), (reach.baselines, "baseline")
        told = ", ".join(f"{number:,} {noun}{'s' * (number != 1)}" for number, noun in numbers)
        return [("Downstream  ", Ink.DIM), (told, Ink.PLAIN)]

    def _choice(self, name: str) -> list[Piece]:
        field = next(field for field in self.operation.fields if field.name == name)
        shown: list[Piece] = [(f"{field.title}  ", Ink.DIM)]
        for choice in field.choices:
            taken = self.arguments[name] == choice
            shown.append((f"[{choice}]" if taken else f" {choice} ", Ink.STRONG if taken else Ink.DIM))
        return shown

    def _rows(self, ids: Sequence[int]) -> Sequence[ItemRow]:
        return [ItemRow(number, self._items[number]) for number in ids]

    # Keys

    async def action_move(self, name: str) -> None:
        """Up and down the rows."""
        await self.app.run_action(name, self.table)

    def action_toggle_row(self) -> None:
        """Drop the row under the cursor from the plan."""
        if self.plan is not None and not self._others and self._items:
            self.plan = self.plan.without((self._items[self.table.cursor].id,))
            self._draw()

    def action_other_list(self) -> None:
        """The rows that act, or those that do not."""
        self._others = not self._others
        self._draw()

    def action_choose(self, step: int) -> None:
        """The next choice of the verb's question; the plan is made anew."""
        field = self.operation.fields[0]
        at = field.choices.index(self.arguments[field.name]) + step
        self.arguments = {**self.arguments, field.name: field.choices[at % len(field.choices)]}
        self._make_plan()

    def action_copy(self) -> None:
        """Copy the equivalent command."""
        if self.plan is not None:
            self.notify(copy(self.app, self.plan.command), markup=False)

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Carry the plan out, if it may be."""
        plan = self.plan
        if plan is None or self._applying:
            return
        if not plan.acts:
            self.notify("Nothing would act: there is nothing to carry out", severity="warning")
        elif not plan.is_mild and self.count.value != str(len(plan.acts)):
            words = f"Type {len(plan.acts)}, the number of rows that act, to go ahead"
            self.notify(words, severity="warning", markup=False)
        else:
            self._applying = True
            self._apply(plan)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        works = {
            "accept": self.plan is not None and bool(self.plan.acts),
            "toggle_row": bool(self._items) and not self._others,
            "choose": bool(self.operation.fields),
        }
        return works.get(action, True)

    @in_thread("apply")
    def _apply(self, plan: Plan) -> None:
        self.post_message(self.Applied(self.operations.apply(plan)))

    @on(Applied)
    def _leave_done(self, message: Applied) -> None:
        self.dismiss(message.record)

    @on(StoreRefused)
    def _may_try_again(self) -> None:
        self._applying = False
