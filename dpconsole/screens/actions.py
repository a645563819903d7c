"""All actions of a row, by their keys: each with what it does, or why it cannot do that here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.message import Message
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.services import OPERATIONS, Selection, verb_on
from dpconsole.screens.keymap import Key, Scope
from dpconsole.screens.pages import Grid, Line
from dpconsole.screens.prompts import KeyedDialog
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.widgets.cells import width_of
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.row_table import RowTable

VERBS = (Scope.VERB, Scope.FOLDER, Scope.PENDING)
VIEWS = (Scope.INSTANCE, Scope.GRAPH)
"""What is an action of a row, the verbs first."""


def offered(here: Sequence[Key], works: Callable[[Key], bool]) -> list[Key]:
    """What is listed of the keys of a screen: its verbs all, and of the views those that have something to show."""
    chosen = [(scope, entry) for scope in (*VERBS, *VIEWS) for entry in here if entry.scope is scope]
    return [entry for scope, entry in chosen if scope in VERBS or works(entry)]


class ActionsScreen(KeyedDialog):
    """Lists what can be done to a selection; answers Textual's action of what was chosen."""

    stack: ClassVar[str] = "actions"

    class Judged(Message):
        """Why verbs cannot act."""

        def __init__(self, reasons: Mapping[str, str]) -> None:
            self.reasons = reasons
            super().__init__()

    def __init__(self, session: Session, entries: Sequence[Key], selection: Selection) -> None:
        super().__init__(session, "Actions")
        self.entries = entries
        self.selected = selection
        self._grid = Grid((5, max((width_of(self._words(entry)[0]) for entry in entries), default=0)))
        self._reasons: dict[str, str] = {}
        self.table = RowTable((Column("line", "", 40, lambda line: line.cell, flex=1),), self._rows, empty_text="")

    @override
    def body(self) -> Iterable[Widget]:
        yield self.table

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.table.styles.height = 1 + min(len(self.entries), self.room_for_rows(1))
        self.table.focus()
        self.table.show(range(len(self.entries)))
        self._judge()

    @in_thread("verdicts")
    def _judge(self) -> None:
        self.post_message(self.Judged(self.session.services.verdicts(self.selected)))

    @on(Judged)
    def _show_reasons(self, message: Judged) -> None:
        self._reasons = {f"verb.{verb}": reason for verb, reason in message.reasons.items()}
        self.table.update_rows(range(len(self.entries)))

    def _rows(self, ids: Sequence[int]) -> Sequence[Line]:
        return [Line(self._cell(self.entries[number]), id=number) for number in ids]

    def _cell(self, entry: Key) -> Cell:
        title, help = self._words(entry)
        reason = self._reasons.get(entry.id, "")
        if reason:
            return self._grid.row([(entry.display, Ink.DIM)], [(title, Ink.DIM)], [(reason, Ink.WARNING)])
        return self._grid.row([(entry.display, Ink.KEY)], title, [(help, Ink.DIM)])

    def _words(self, entry: Key) -> tuple[str, str]:
        """Title and help; on folders, of the verb that is meant there."""
        name = entry.id.removeprefix("verb.")
        if name not in OPERATIONS:
            return entry.heading, entry.help
        meant = OPERATIONS[verb_on(name, self.selected)]
        return meant.title, meant.help

    def action_verb(self, name: str) -> None:
        """A verb, by its own key."""
        self.dismiss(f"verb('{name}')")

    def action_accept(self) -> None:
        """The action under the cursor."""
        self.dismiss(self.entries[self.table.cursor].action)

    @property
    @override
    def working_keys(self) -> list[Key]:
        """The verbs stand in the list itself."""
        return [entry for entry in super().working_keys if entry.scope is not Scope.VERB]

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "toggle_row"
