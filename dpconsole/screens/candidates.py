"""The other end of a path: every instance that may be it, searched while one types (RULES.md 14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual import on
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input
from typing_extensions import override

from dpconsole.core.domain.statuses import Status
from dpconsole.core.services import Candidate, PathRole
from dpconsole.screens.prompts import CHOICES_SHOWN, KeyedDialog
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.row_table import RowTable
from dpconsole.widgets.status import INKS

ROOT = Candidate(0, "the tenant root: the whole path", Status.SUCCEEDED)
"""Where a path that ends at the selected node starts unless something else is chosen."""

TITLES: dict[PathRole, str] = {
    PathRole.START: "It is the start; choose the end",
    PathRole.END: "It is the end; choose the start",
}


@dataclass(frozen=True, slots=True)
class Other:
    """The answer: an instance, or None for the tenant root."""

    instance_id: int | None


class CandidatePrompt(KeyedDialog):
    """Asks for the other end of a path on which an instance has a role; answers an `Other`."""

    class Found(Message):
        """What may be chosen."""

        def __init__(self, candidates: Sequence[Candidate]) -> None:
            self.candidates = candidates
            super().__init__()

    def __init__(self, session: Session, instance_id: int, role: PathRole) -> None:
        super().__init__(session, TITLES[role])
        self.instance_id, self.role = instance_id, role
        self._all: Sequence[Candidate] = ()
        self._shown: dict[int, Candidate] = {}
        self.input = Input(placeholder="name, id or time of an instance", select_on_focus=False)
        self.input.cursor_blink = False
        column = Column("candidate", "", 40, self._draw, flex=1)
        self.table = RowTable((column,), self._rows, empty_text="Looking …")

    @override
    def body(self) -> Iterable[Widget]:
        yield self.input
        yield self.table

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self._give_room(CHOICES_SHOWN)
        self.input.focus()
        self._look()

    @in_thread("candidates")
    def _look(self) -> None:
        self.post_message(self.Found(self.session.services.candidates(self.instance_id, self.role)))

    @on(Found)
    def _keep(self, message: Found) -> None:
        root = (ROOT,) if self.role is PathRole.END else ()
        self._all = (*root, *message.candidates)
        self._give_room(len(self._all))
        self._narrow()

    def _give_room(self, rows: int) -> None:
        self.table.styles.height = 1 + max(2, min(CHOICES_SHOWN, rows, self.room_for_rows(2)))

    @on(Input.Changed)
    def _narrow(self) -> None:
        wanted = self.input.value.casefold().split()
        self._shown = {one.id: one for one in self._all if all(word in one.label.casefold() for word in wanted)}
        self.table.empty_text = "Nothing is called that" if self._all else "There is no other end to choose"
        self.table.show(list(self._shown), keep_cursor=False)
        self.refresh_keys()

    def _rows(self, ids: Sequence[int]) -> Sequence[Candidate]:
        return [self._shown[id] for id in ids]

    def _draw(self, one: Candidate) -> Cell:
        if one is ROOT:
            return [(one.label, Ink.ACCENT)]
        return [(f"{one.status.glyph} ", INKS[one.status]), (one.label, Ink.PLAIN)]

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """The one under the cursor."""
        if self.table.cursor_id is not None:
            self.dismiss(Other(self.table.cursor_id or None))

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return {"toggle_row": False, "accept": bool(self._shown)}.get(action, True)
