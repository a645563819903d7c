"""The run log of an instance: one attempt at a time, from its first error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from textual import on, work
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.services import AttemptRow, Delta, InstanceDetail, InstanceRow
from dpconsole.screens.clipboard import copy
from dpconsole.screens.details import ENDED_BADLY
from dpconsole.screens.instance_columns import instance_name
from dpconsole.screens.prompts import TextPrompt
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_stamp, show_took
from dpconsole.screens.verbs import Verbs
from dpconsole.widgets.ink import Cell, Ink, Piece
from dpconsole.widgets.line import Line
from dpconsole.widgets.log_view import LogView

CHUNK = 1 << 18
"""Bytes read at a time when a log is saved."""

IN_A_TEXT = {"column_left": "left", "column_right": "right"}
"""What the keys that walk columns do in a text."""


class LogScreen(Verbs):
    """The log of one attempt; `[` and `]` go to the others."""

    stack = "log"
    title_words = "Run log"

    class Read(Message):
        """What is known of the instance."""

        def __init__(self, detail: InstanceDetail | None) -> None:
            self.detail = detail
            super().__init__()

    class Told(Message):
        """A thread has something to say to the operator."""

        def __init__(self, words: str, severity: SeverityLevel = "information") -> None:
            self.words, self.severity = words, severity
            super().__init__()

    def __init__(self, session: Session, instance_id: int, attempt: int | None = None) -> None:
        super().__init__(session)
        self.instance_id = instance_id
        self.wanted = attempt
        self.detail: InstanceDetail | None = None
        self.attempt: AttemptRow | None = None
        self.words = Line()
        self.log_view = LogView()
        self._opened: tuple[int, int] | None = None
        self._sought = ""

    @override
    def body(self) -> Iterable[Widget]:
        yield self.words
        yield self.log_view

    def on_mount(self) -> None:
        """Read the instance, then its log."""
        self.log_view.focus()
        self._read()

    @property
    @override
    def row(self) -> InstanceRow | None:
        return self.detail.row if self.detail else None

    @in_thread("detail")
    def _read(self) -> None:
        self.post_message(self.Read(self.services.lists.detail(self.instance_id)))

    @on(Read)
    def _show(self, message: Read) -> None:
        self.detail = message.detail
        if self.detail is None:
            self.words.show([("This instance is no longer there.", Ink.WARNING)])
            return
        self.attempt = self._same_attempt() or self._first_choice()
        self._open_attempt()
        self.words.show(self._headline())
        self.refresh_keys()

    @property
    def attempts(self) -> Sequence[AttemptRow]:
        """The attempts there are logs of; those of a logical table are its nodes'."""
        return self.detail.attempts if self.detail else ()

    def _same_attempt(self) -> AttemptRow | None:
        """The attempt that is open, as it stands now."""
        return next((one for one in self.attempts if self._opened == (one.instance_id, one.number)), None)

    def _first_choice(self) -> AttemptRow | None:
        """The attempt that was asked for, else the last that ended badly, else the last."""
        asked = [one for one in self.attempts if one.number == self.wanted]
        bad = [one for one in self.attempts if one.state in ENDED_BADLY]
        ran = [one for one in self.attempts if one.ended_at is None]
        return next((some[-1] for some in (asked, ran, bad, self.attempts) if some), None)

    def _open_attempt(self) -> None:
        if self.attempt is None:
            return
        instance_id, number = self.attempt.instance_id, self.attempt.number
        if self._opened != (instance_id, number):
            self._opened = (instance_id, number)
            self.log_view.open(lambda offset, limit: self._bytes(instance_id, number, offset, limit))

    def _bytes(self, instance_id: int, number: int, offset: int, limit: int) -> tuple[bytes, int]:
        read = self.services.engine.log(instance_id, number, offset, limit)
        return read, offset + len(read)

    def _headline(self) -> Cell:
        """Which attempt of which instance, how it ended, and where the cursor stands."""
        assert self.detail is not None
        name: Piece = (instance_name(self.detail.row), Ink.STRONG)
        attempt = self.attempt
        if attempt is None:
            return [name, ("   it has never run: there is no log", Ink.DIM)]
        zone, now = self.services.zone, self.session.now
        ended = f"{attempt.state}  exit {attempt.exit_code}" if attempt.exit_code is not None else attempt.state
        began = attempt.started_at or attempt.dispatched_at
        started, took = show_stamp(began, self.session.times, zone, now), show_took(began, attempt.ended_at, now)
        node = f" {attempt.node}" if attempt.node else ""
        view = self.log_view
        return [
            name,
            (f"{node}   attempt {self.attempts.index(attempt) + 1} of {len(self.attempts)}   ", Ink.PLAIN),
            (ended, Ink.FAILED if attempt.state in ENDED_BADLY else Ink.PLAIN),
            (f"   {started}   {took}   ", Ink.DIM),
            (f"line {min(view.cursor + 1, view.lines):,} of {view.lines:,}", Ink.PLAIN),
            (f"   {view.errors:,} error lines" if view.errors else "", Ink.ERROR),
            ("   following" if view.follow else "", Ink.ACCENT),
        ]

    @on(LogView.Progressed)
    def _show_place(self) -> None:
        if self.detail is not None:
            self.words.show(self._headline())

    @override
    def take(self, delta: Delta) -> None:
        if self.instance_id in delta.ids.get("instance", ()):
            self._read()
        self.log_view.poll()

    @override
    def on_pulse(self) -> None:
        """An attempt that runs may have written more."""
        if self.log_view.follow:
            self.log_view.poll()

    # Keys

    async def action_move(self, name: str) -> None:
        """Let the view do it."""
        await self.app.run_action(IN_A_TEXT.get(name, name), self.log_view)

    def action_attempt(self, step: int) -> None:
        """The log of the attempt before or after."""
        if self.attempt is not None:
            at = max(0, min(len(self.attempts) - 1, self.attempts.index(self.attempt) + step))
            self.attempt = self.attempts[at]
            self._open_attempt()
            self._show_place()

    @work
    async def action_search(self) -> None:
        """Ask what to look for, and go to the first hit."""
        text = await self.app.push_screen_wait(TextPrompt(self.session, "Search the log", self._sought))
        if text is not None:
            self._sought = text
            self.log_view.search(text)

    @on(LogView.Searched)
    def _tell_hit(self, message: LogView.Searched) -> None:
        if message.line is None:
            self.notify(f"Not in this log: {message.text}", severity="warning", markup=False)

    def action_copy(self) -> None:
        """Copy the line under the cursor."""
        self.notify(copy(self.app, self.log_view.line_text()), markup=False)

    @work
    async def action_save(self) -> None:
        """Ask where, and write the raw log there."""
        if self.detail is None or self.attempt is None:
            return
        suggested = f"{self.detail.row.key}_{self.attempt.number}.log"
        path = await self.app.push_screen_wait(TextPrompt(self.session, "Save the log as", suggested))
        if path:
            self._save(Path(path).expanduser(), self.attempt)

    @in_thread("save")
    def _save(self, path: Path, attempt: AttemptRow) -> None:
        offset = 0
        try:
            with path.open("xb") as file:
                while read := self.services.engine.log(attempt.instance_id, attempt.number, offset, CHUNK):
                    file.write(read)
                    offset += len(read)
        except FileExistsError:
            self.post_message(self.Told(f"{path} is there already; choose another name", "error"))
        except OSError as error:
            self.post_message(self.Told(f"{path}: {error.strerror}", "error"))
        else:
            self.post_message(self.Told(f"{offset:,} bytes written to {path.absolute()}"))

    @on(Told)
    def _tell(self, message: Told) -> None:
        self.notify(message.words, severity=message.severity, markup=False)
