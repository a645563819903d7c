"""Small questions: a line of text, or one of a few choices. Each is a dialog on top of the screen that asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input
from typing_extensions import override

from dpconsole.screens.base import Keyed
from dpconsole.screens.session import Session
from dpconsole.widgets.columns import Column
from dpconsole.widgets.dialog import MOST_OF_THE_SCREEN, Dialog
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.row_table import RowTable

FRAME = 5
"""Lines of a dialog around its body: border, title, and its keys with the line above them."""

CHOICES_SHOWN = 18
"""Lines of a choice before it scrolls."""


class KeyedDialog(Dialog[Any], Keyed):
    """A dialog whose keys come from the registry; leaving it answers nothing."""

    stack: ClassVar[str] = "dialog"

    def __init__(self, session: Session, title: str) -> None:
        super().__init__(title)
        self.take_keys(session)

    @override
    def compose_body(self) -> ComposeResult:
        yield from self.body()

    def body(self) -> Iterable[Widget]:
        """What stands in the box."""
        raise NotImplementedError

    def room_for_rows(self, besides: int) -> int:
        """Rows of a table that leave the keys in sight, with so many other lines in the box."""
        return max(3, self.size.height * MOST_OF_THE_SCREEN // 100 - FRAME - besides)

    def on_mount(self) -> None:
        """The footer says how to leave."""
        self.refresh_keys()

    def action_toggle_row(self) -> None:
        """Only a dialog with rows to take has something to do here."""


class TextPrompt(KeyedDialog):
    """Asks for one line of text."""

    def __init__(self, session: Session, title: str, text: str = "", placeholder: str = "") -> None:
        super().__init__(session, title)
        self.input = Input(text, placeholder=placeholder, select_on_focus=False)
        self.input.cursor_blink = False

    @override
    def body(self) -> Iterable[Widget]:
        yield self.input

    @on(Input.Submitted)
    def _answer(self, message: Input.Submitted) -> None:
        self.dismiss(message.value.strip())


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a choice."""

    id: int
    value: str
    cell: Cell


class ChoicePrompt(KeyedDialog):
    """Asks for one of a few values, or for several of them."""

    def __init__(
        self,
        session: Session,
        title: str,
        choices: Sequence[tuple[str, str]],
        *,
        chosen: Iterable[str] = (),
        several: bool = False,
    ) -> None:
        super().__init__(session, title)
        self.choices = [Choice(number, value, words) for number, (value, words) in enumerate(choices)]
        self.chosen = set(chosen)
        self.several = several
        self.table = RowTable((Column("choice", "", 30, self._draw, flex=1),), self._rows)

    @override
    def body(self) -> Iterable[Widget]:
        yield self.table

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.table.styles.height = 1 + min(CHOICES_SHOWN, len(self.choices), self.room_for_rows(1))
        self.table.show(range(len(self.choices)))
        self.table.focus()
        if not self.several:
            self.table.go_to(next((one.id for one in self.choices if one.value in self.chosen), 0))

    def action_toggle_row(self) -> None:
        """Take the value under the cursor, or leave it."""
        choice = self.choices[self.table.cursor]
        self.chosen ^= {choice.value}
        self.table.update_rows([choice.id])
        self.table.columns = self.table.columns

    def action_accept(self) -> None:
        """The answer: the value under the cursor, or all that were taken, in their order."""
        if self.several:
            self.dismiss(tuple(choice.value for choice in self.choices if choice.value in self.chosen))
        else:
            self.dismiss(self.choices[self.table.cursor].value)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.several if action == "toggle_row" else True

    def _draw(self, choice: Choice) -> Cell:
        sign = {True: "[x] ", False: "[ ] "}[choice.value in self.chosen] if self.several else ""
        return [(sign, Ink.ACCENT), (str(choice.cell), Ink.PLAIN)]

    def _rows(self, ids: Sequence[int]) -> Sequence[Choice]:
        return [self.choices[number] for number in ids]
