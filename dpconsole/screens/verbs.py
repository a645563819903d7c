"""What every screen with instances can do: ask a verb of the marked rows, or else of the row under the cursor.

No verb acts from here. Each opens its preview, and only the preview applies a plan.
"""

from __future__ import annotations

from textual import work
from textual.notifications import SeverityLevel

from dpconsole.core.services import OPERATIONS, InstanceRow, Record, Selection, State
from dpconsole.screens.base import ConsoleScreen
from dpconsole.screens.preview import PreviewScreen

SEVERITIES: dict[State, SeverityLevel] = {State.DONE: "information", State.PARTLY_DONE: "warning"}
"""How loudly the outcome is told; every other state is an error."""


def outcome_words(record: Record, title: str) -> str:
    """One sentence that says what an operation did."""
    counts = {"acted on": record.acts, "skipped": record.skipped, "refused": record.refused}
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "nothing to act on"
    return f"{title}: {record.state.replace('_', ' ')} - {told} (record {record.id})"


class Verbs(ConsoleScreen):
    """A screen from which verbs are asked."""

    @property
    def row(self) -> InstanceRow | None:
        """The instance the screen is about, or the one under the cursor."""
        raise NotImplementedError

    def selection(self) -> Selection | None:
        """What a verb would be asked of; None when there is nothing."""
        return None if self.row is None else Selection.of((self.row.id,))

    @work
    async def action_verb(self, name: str) -> None:
        """Open the preview of a verb, and tell what became of it."""
        selection = self.selection()
        if selection is None:
            return
        record = await self.app.push_screen_wait(PreviewScreen(self.session, name, selection))
        if record is not None:
            title = OPERATIONS[name].title
            self.notify(outcome_words(record, title), severity=SEVERITIES.get(record.state, "error"), markup=False)
            self.acted(record)

    def acted(self, _record: Record) -> None:
        """An operation was carried out; a list lets go of its marks."""
