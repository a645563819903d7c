"""The last step of creating a backfill: many instances ask for their number, then it is written and submitted.

Submission goes on chunk by chunk in a thread and tells how far it is. What has been written stays, and the engine goes
on with it, so a line that is dropped loses nothing, and nobody has to stay and watch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input
from typing_extensions import override

from dpconsole.core.services import FlightPlan, Outcome, Record
from dpconsole.screens.asking import CreatedMeanwhile
from dpconsole.screens.preview import CountInput
from dpconsole.screens.prompts import KeyedDialog
from dpconsole.screens.reading import StoreRefused, in_thread
from dpconsole.screens.session import Session
from dpconsole.widgets.ink import Ink
from dpconsole.widgets.safe import SafeText

MILD = 50
"""Instances that go on one key; more ask for their number."""


@dataclass(frozen=True, slots=True)
class GoesOn:
    """The operator left while the backfill was being submitted."""


class SubmitScreen(KeyedDialog):
    """Creates the backfill of a plan; answers its record, `GoesOn` when it was left on the way, or None."""

    stack: ClassVar[str] = "dialog"

    class Progressed(Message):
        """The instances of so many data timestamps are there."""

        def __init__(self, done: int, total: int) -> None:
            self.done, self.total = done, total
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            """Only the last counts."""
            return isinstance(message, SubmitScreen.Progressed)

    class Done(Message):
        """The backfill is there."""

        def __init__(self, record: Record) -> None:
            self.record = record
            super().__init__()

    def __init__(self, session: Session, plan: FlightPlan) -> None:
        super().__init__(session, "Create a data backfill")
        self.plan = plan
        self.words = SafeText()
        self.count = CountInput(placeholder=f"type {plan.instances} to go ahead")
        self.count.cursor_blink = False
        self._applying = self._written = False

    @property
    def asks(self) -> bool:
        """Whether the number of instances is to be typed first."""
        return self.plan.instances > MILD

    @override
    def body(self) -> Iterable[Widget]:
        yield self.words
        yield self.count

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.count.display = self.asks
        if self.asks:
            self.words.show([(f"{self.plan.instances:,} instances would be created.", Ink.PLAIN)])
            self.count.focus()
        else:
            self._go()

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Go ahead, if the number is right."""
        if self._applying:
            return
        if self.asks and self.count.value != str(self.plan.instances):
            words = f"Type {self.plan.instances}, the number of instances, to go ahead"
            self.notify(words, severity="warning", markup=False)
        else:
            self._go()

    def _go(self) -> None:
        self._applying = True
        self.count.display = False
        self.words.show([("Submitting …", Ink.STRONG)])
        self._create()

    @in_thread("submit")
    def _create(self) -> None:
        def progress(done: int, total: int) -> None:
            self.post_message(self.Progressed(done, total))

        app = self.app
        record = self.session.services.backfills.create(self.plan, progress=progress)
        if not self.post_message(self.Done(record)):
            app.post_message(CreatedMeanwhile(record))

    @on(Progressed)
    def _show_progress(self, message: Progressed) -> None:
        done = f"{message.done:,} of {message.total:,} data timestamps submitted"
        leave = self.session.keymap["dialog.cancel"].display
        self.words.show([(f"{done}\n", Ink.STRONG), (f"{leave} leaves; the engine goes on with the rest.", Ink.DIM)])
        self._written = True
        self.refresh_keys()

    @override
    def action_cancel(self) -> None:
        """Leave; what is written is gone on with."""
        self.dismiss(GoesOn() if self._written else None)

    @on(Done)
    def _leave(self, message: Done) -> None:
        self.dismiss(message.record)

    @on(StoreRefused)
    def _may_try_again(self) -> None:
        self.dismiss(None)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self._applying:
            return self._written and action == "cancel"
        return action in ("accept", "cancel")


def creation_words(record: Record) -> str:
    """One sentence that says what became of a plan."""
    item = record.items[0]
    if item.outcome is not Outcome.OK:
        return f"Nothing was created: {item.reason}"
    return f"{item.name} ({item.key}) {_CREATED[item.after]}"


_CREATED = {
    "SUBMITTING": "is submitted",
    "WAITING": "waits to be submitted",
    "SAVED": "is saved; its backfills are made the evening before",
}
"""What is said of a backfill, or of a saved flow, that was created, by what it then is."""
