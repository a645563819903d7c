"""What every screen with instances can do: ask a verb of the marked rows, or else of the row under the cursor.

No verb acts from here. Each opens its preview; what the preview carries out is told, what it only confirmed is armed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on, work
from textual.message import Message
from textual.notifications import SeverityLevel
from typing_extensions import override

from dpconsole.core.domain.statuses import GUARDS, Verb
from dpconsole.core.services import (
    OPERATIONS,
    InstanceRow,
    Layer,
    ListKind,
    Record,
    Selection,
    State,
    Step,
    TreeId,
    WindowNode,
    verb_on,
)
from dpconsole.screens.actions import ActionsScreen, offered
from dpconsole.screens.asking import Acted, Arm, OpenDag, OpenExplanation, OpenFolder, OpenGantt, OpenRecord
from dpconsole.screens.base import Keyed
from dpconsole.screens.keymap import Key, Scope
from dpconsole.screens.preview import Confirmed, PreviewScreen
from dpconsole.screens.reading import in_thread
from dpconsole.screens.starting import Start, Starts
from dpconsole.screens.watch import Watches

SEVERITIES: dict[State, SeverityLevel] = {
    State.DONE: "information",
    State.PARTLY_DONE: "warning",
    State.CANCELLED: "information",
}
"""How loudly the outcome is told; every other state is an error."""


def outcome_words(record: Record) -> str:
    """One sentence that says what an operation did."""
    counts = {"acted on": record.acts, "skipped": record.skipped, "refused": record.refused}
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "nothing to act on"
    return f"{OPERATIONS[record.verb].title}: {record.state.replace('_', ' ')} - {told} (record {record.id})"


async def go_through(asker: Keyed, steps: Iterable[Step]) -> None:
    """Open the previews of some verbs one after the other; leaving one leaves the rest. To be awaited in a worker."""
    for step in steps:
        preview = PreviewScreen(asker.session, step.verb, step.selection, step.arguments, step.reason)
        answer = await asker.app.push_screen_wait(preview)
        if answer is None:
            return
        confirmed = isinstance(answer, Confirmed)
        asker.app.post_message(Arm(answer.plan, answer.reason, asker) if confirmed else Acted(answer, asker))


class Verbs(Watches, Starts):
    """A screen from which verbs are asked."""

    class NoRecord(Message):
        """No record of the ledger speaks of the instance."""

    @property
    def row(self) -> InstanceRow | WindowNode | None:
        """The instance the screen is about, or the one under the cursor."""
        raise NotImplementedError

    def selection(self) -> Selection | None:
        """What a verb would be asked of; None when there is nothing."""
        return None if self.row is None else Selection.of((self.row.id,))

    @override
    def to_watch(self) -> Sequence[TreeId]:
        return () if self.row is None else (TreeId(Layer.INSTANCE, self.row.id),)

    @override
    def start(self) -> Start:
        return Start(ListKind.INSTANCES, [target.id for target in self.to_watch() if target.layer is Layer.INSTANCE])

    @work
    async def action_verb(self, name: str) -> None:
        """Open the preview of a verb."""
        selection = self.selection()
        if selection is not None:
            await go_through(self, (Step(verb_on(name, selection), selection),))

    @work
    async def action_actions(self) -> None:
        """All that can be done to the selection, and why not where it cannot."""
        await self.choose_action(self.selection())

    async def choose_action(self, selection: Selection | None) -> None:
        """List what can be done to a selection, and do what is chosen. To be awaited in a worker."""
        if selection is not None:
            entries = offered(self.session.keymap.on(self.stack), self._works)
            chosen = await self.app.push_screen_wait(ActionsScreen(self.session, entries, selection))
            if chosen is not None:
                await self.run_action(chosen)

    def action_explain(self) -> None:
        """Why the instance stands still."""
        if self.row is not None:
            self.app.post_message(OpenExplanation(self.row.id))

    def action_dag(self) -> None:
        """What the instance hangs together with."""
        if self.row is not None:
            self.app.post_message(OpenDag(self.row.id))

    def action_gantt(self) -> None:
        """The critical path to the instance."""
        if self.row is not None:
            self.app.post_message(OpenGantt(self.row.id))

    def action_go_backfill(self) -> None:
        """The instance where it stands in its backfill."""
        if self.row is not None and self.row.backfill_id is not None:
            self.app.post_message(OpenFolder(TreeId(Layer.INSTANCE, self.row.id)))
        elif self.row is not None:
            self.notify("It belongs to no backfill", timeout=3)

    def action_go_record(self) -> None:
        """The last record of the ledger that the instance is in."""
        if self.row is not None:
            self._find_record(self.row.id)

    @in_thread("record")
    def _find_record(self, instance_id: int) -> None:
        detail = self.services.lists.detail(instance_id)
        operations = detail.operations if detail else ()
        if operations:
            self.app.post_message(OpenRecord(operations[-1].key))
        else:
            self.post_message(self.NoRecord())

    @on(NoRecord)
    def _say_there_is_none(self) -> None:
        self.notify("No operator has done anything to it yet", timeout=3)

    def acted(self, _record: Record) -> None:
        """An operation was carried out; a list lets go of its marks."""

    @override
    def _works(self, entry: Key) -> bool:
        """A verb that could do nothing to the row under the cursor is not offered; its key still tells why."""
        if entry.scope is Scope.GRAPH and self.row is None:
            return False
        return super()._works(entry) and not (entry.scope is Scope.VERB and self._is_refused(entry))

    def _is_refused(self, entry: Key) -> bool:
        verb, row = entry.id.removeprefix("verb."), self.row
        if row is None or row.status is None or verb not in set(Verb):
            return row is None
        return GUARDS[Verb(verb)].refuse(row.status, row.paused) is not None
