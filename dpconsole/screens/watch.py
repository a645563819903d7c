"""Watching: `W` on what is marked, or else on the row under the cursor; once more, and it is watched no longer.

How its end is told is asked once for all of them. The list of what is watched opens from every screen.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on, work
from textual.message import Message
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.services import Sighting, TreeId
from dpconsole.screens.base import ConsoleScreen
from dpconsole.screens.prompts import ChoicePrompt, KeyedDialog, TextPrompt
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.screens.watching import LIMIT, Command, Watched
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Ink
from dpconsole.widgets.row_table import RowTable
from dpconsole.widgets.status import status_cell

BELL, CONFIGURED, TYPED = "bell", "configured", "typed"
"""How an end is told."""

HINT = 'notify-send "{name}" "{status}"   also {id} and {kind}'

SHOWN = 14
"""Lines of the list before it scrolls."""


class Watches(ConsoleScreen):
    """A screen with something on it that can be watched."""

    class Looked(Message):
        """Where those stand that are to be watched, or are gone."""

        def __init__(self, targets: Sequence[TreeId], sightings: Mapping[TreeId, Sighting], command: Command) -> None:
            self.targets, self.sightings, self.command = targets, sightings, command
            super().__init__()

    def to_watch(self) -> Sequence[TreeId]:
        """What is marked, or else under the cursor."""
        raise NotImplementedError

    @work
    async def action_watch(self) -> None:
        """Watch them, or let go of them when all are watched already."""
        targets, watch = self.to_watch(), self.session.watch
        if targets and all(target in watch for target in targets):
            watch.forget(targets)
            self.refresh_header(now=True)
            self.notify(f"{_number(targets)} watched no longer", timeout=3, markup=False)
        elif len(watch) + len(targets) > LIMIT:
            self.notify(f"At most {LIMIT} can be watched at once: mark fewer", severity="warning", markup=False)
        elif targets and (command := await self._ask_how()) is not None:
            self._look(targets, command)

    async def _ask_how(self) -> Command | None:
        """What is run when one ends, nothing where the bell is enough; None when the operator left."""
        configured = self.services.settings.watch_command
        choices = [(BELL, "Ring the bell, and say so")]
        choices += [(CONFIGURED, f"Ring, and run {shlex.join(configured)}")] if configured else []
        choices += [(TYPED, "Ring, and run a command ...")]
        asked = ChoicePrompt(self.session, "When it ends", choices)
        how = await self.app.push_screen_wait(asked)
        return await self._type_command() if how == TYPED else {BELL: (), CONFIGURED: configured}.get(how)

    async def _type_command(self) -> Command | None:
        text = await self.app.push_screen_wait(TextPrompt(self.session, "Run when it ends", placeholder=HINT))
        try:
            return tuple(shlex.split(text)) or None if text else None
        except ValueError as error:
            self.notify(f"Not a command: {error}", severity="warning", markup=False)
            return None

    @in_thread("watch")
    def _look(self, targets: Sequence[TreeId], command: Command) -> None:
        self.post_message(self.Looked(targets, self.services.sightings(targets), command))

    @on(Looked)
    def _begin(self, message: Looked) -> None:
        ended = [sighting for sighting in message.sightings.values() if sighting.ended]
        going_on = [sighting for sighting in message.sightings.values() if not sighting.ended]
        self.session.watch.add(going_on, message.command)
        self.refresh_header(now=True)
        if going_on:
            self.notify(f"{_number(going_on)} watched until the end", timeout=3, markup=False)
        if ended:
            first = f"{ended[0].name}: {status_words(ended[0])} already"
            more = f", and {len(ended) - 1} more have ended" if len(ended) > 1 else ""
            self.notify(f"{first}{more}: nothing to wait for", severity="warning", markup=False)


def status_words(sighting: Sighting) -> str:
    """The status as it is read, glyph and words."""
    return "".join(text for text, _ in status_cell(sighting.status))


def _number(targets: Sequence[object]) -> str:
    return "It is" if len(targets) == 1 else f"{len(targets)} are"


COLUMNS = (
    Column("name", "Watched", 40, lambda row: row.watched.sighting.name, min_width=20, flex=2),
    Column("status", "Status", 20, lambda row: status_cell(row.watched.sighting.status), min_width=14),
    Column("told", "Then", 24, lambda row: [(row.watched.told_by, Ink.DIM)], priority=1, min_width=10, flex=1),
)


class Row:
    """One that is watched, as a row."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.id = watched.sighting.target.number


class WatchedScreen(KeyedDialog):
    """What is watched; answers the target to open, or None."""

    stack: ClassVar[str] = "watched"

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Watched")
        self.table = RowTable(COLUMNS, self._rows)
        key = session.keymap["row.watch"].display
        self.table.empty_text = f"Nothing is watched. {key} on a row watches it until it ends."

    @override
    def body(self) -> Iterable[Widget]:
        yield self.table

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self._list()
        self.table.focus()

    def _list(self) -> None:
        watch = self.session.watch
        self.table.styles.height = 1 + min(SHOWN, max(2, len(watch)))
        self.table.show([target.number for target in watch.targets])
        self.refresh_keys()

    def _rows(self, ids: Sequence[int]) -> Sequence[Row]:
        rows = {row.id: row for row in map(Row, self.session.watch)}
        return [rows[number] for number in ids if number in rows]

    @property
    def target(self) -> TreeId | None:
        """What is under the cursor."""
        number = self.table.cursor_id
        return None if number is None else TreeId.of(number)

    def action_unwatch(self) -> None:
        """Let go of the one under the cursor."""
        if self.target is not None:
            self.session.watch.forget([self.target])
            self._list()

    def action_accept(self) -> None:
        """Go to it."""
        self.dismiss(self.target)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.target is not None if action in {"unwatch", "accept"} else action != "toggle_row"
