"""Exporting: where to, how far it is, and a way to stop it; the rows are written in a thread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from textual import on
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input
from typing_extensions import override

from dpconsole.core.services import ExportCancelled, ExportError, Progress, Selection
from dpconsole.screens.prompts import KeyedDialog
from dpconsole.screens.reading import StoreRefused, in_thread
from dpconsole.screens.session import Session
from dpconsole.widgets.ink import Ink
from dpconsole.widgets.safe import SafeText


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported: a selection, or None for all recurring instances of the environment; and its name."""

    title: str
    selection: Selection | None


class Nothing(Exception):
    """There is nothing to write; the message says what was looked for."""


class ExportScreen(KeyedDialog):
    """Asks for a directory and writes the workbook there; answers its path, or None."""

    class Progressed(Message):
        """So many rows of so many are written."""

        def __init__(self, done: int, total: int) -> None:
            self.done, self.total = done, total
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            """Only the last counts."""
            return isinstance(message, ExportScreen.Progressed)

    class Written(Message):
        """The workbook is complete."""

        def __init__(self, path: Path) -> None:
            self.path = path
            super().__init__()

    class NotWritten(Message):
        """There is no workbook, and why."""

        def __init__(self, words: str, *, cancelled: bool) -> None:
            self.words, self.cancelled = words, cancelled
            super().__init__()

    def __init__(self, session: Session, wanted: Wanted) -> None:
        super().__init__(session, "Export")
        self.wanted = wanted
        self.words = SafeText([(f"{wanted.title}, into the directory", Ink.DIM)])
        self.place = Input(".", select_on_focus=False)
        self.place.cursor_blink = False
        self._writing = False
        self._stopped = Event()

    @override
    def body(self) -> Iterable[Widget]:
        yield self.words
        yield self.place

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.place.focus()

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Begin to write."""
        if not self._writing:
            self._writing = True
            self._stopped.clear()
            self._write(Path(self.place.value.strip() or ".").expanduser())

    @in_thread("export")
    def _write(self, directory: Path) -> None:
        def progress(done: int, total: int) -> None:
            self.post_message(self.Progressed(done, total))

        try:
            self.post_message(self.Written(self.write(directory, progress)))
        except (ExportError, ExportCancelled, Nothing) as error:
            self.post_message(self.NotWritten(str(error), cancelled=isinstance(error, ExportCancelled)))

    def write(self, directory: Path, progress: Progress) -> Path:
        """Write the workbook; called in a thread. Raises `Nothing` where there is none to write."""
        services, environment = self.session.services, self.session.environment
        return services.export(self.wanted.selection, environment, directory, progress, self._stopped.is_set)

    @on(Progressed)
    def _show_progress(self, message: Progressed) -> None:
        key = self.session.keymap["dialog.cancel"].display
        self.words.show([(f"{message.done:,} of {message.total:,} rows written - {key} cancels", Ink.STRONG)])

    @on(Written)
    def _leave(self, message: Written) -> None:
        self.dismiss(message.path)

    @on(NotWritten)
    def _tell(self, message: NotWritten) -> None:
        self._writing = False
        self.notify(message.words, severity="information" if message.cancelled else "error", markup=False)
        if message.cancelled:
            self.dismiss(None)

    @on(StoreRefused)
    def _may_try_again(self) -> None:
        self._writing = False

    @override
    def action_cancel(self) -> None:
        """Leave; a workbook that is being written is given up, and nothing of it stays."""
        if self._writing:
            self._stopped.set()
        else:
            super().action_cancel()

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action in ("accept", "cancel")


LEVELS: tuple[tuple[str, str], ...] = (*((str(n), f"{n} level{'s' * (n > 1)}") for n in range(1, 11)), ("all", "all"))
"""How far a download of neighbours can reach on one side (RULES.md 4.1)."""


class NeighboursExport(ExportScreen):
    """Writes what is upstream and downstream of an instance, so many levels of each, None for all."""

    def __init__(self, session: Session, name: str, instance_id: int, up: int | None, down: int | None) -> None:
        super().__init__(session, Wanted(f"What is {_reach(up)} above and {_reach(down)} below {name}", None))
        self.instance_id, self.up, self.down = instance_id, up, down

    @override
    def write(self, directory: Path, progress: Progress) -> Path:
        export = self.session.services.export_neighbours
        path = export(self.instance_id, self.up, self.down, directory, progress, self._stopped.is_set)
        if path is None:
            raise Nothing("Nothing is upstream or downstream of it")
        return path


class BackfillsExport(ExportScreen):
    """Writes the instances of backfills."""

    @override
    def write(self, directory: Path, progress: Progress) -> Path:
        assert self.wanted.selection is not None
        export = self.session.services.export_backfills
        return export(self.wanted.selection, directory, progress, self._stopped.is_set)


def _reach(levels: int | None) -> str:
    return dict(LEVELS)["all" if levels is None else str(levels)]
