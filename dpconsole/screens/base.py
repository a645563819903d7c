"""What every screen of the console has: header, footer, keys from the registry, sequences, peeling, its revision.

A screen names its `stack` in the key registry and gets its bindings from there. Keys of one stroke are Textual's
bindings; a sequence (`g t`) is followed here, and while one is begun the footer shows how it can go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, ClassVar

from textual import events, on
from textual.actions import parse
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.domain.clock import to_datetime
from dpconsole.core.services import Delta
from dpconsole.screens.keymap import Key, show_key
from dpconsole.screens.reading import StoreRefused
from dpconsole.screens.session import Session
from dpconsole.screens.times import zone_of, zone_words
from dpconsole.widgets.footer import Footer, FooterKey
from dpconsole.widgets.header import MISSED_TICKS, Engine, Header, HeaderState
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.row_table import RowTable

PRODUCTION = "prod"

KEPT = frozenset({"app.help", "dialog.cancel", "selection.actions"})
"""Keys that a narrow footer never leaves out."""

PATIENCE = 2.0
"""Seconds at most that a key waits for what it is meant for."""

ROOM_FOR_ZONE = 100
"""Cells of a window in which the header names the zone."""

HEARTBEAT = 3.0
"""Seconds between two signs of life of an engine that has nothing to do."""


class Keyed(Screen[Any], inherit_bindings=False):
    """A screen whose keys come from the registry.

    `check_action` decides what works now; the footer asks it too, so that it never offers a key that does nothing.
    """

    stack: ClassVar[str]
    session: Session
    table: RowTable
    """What the moving keys move in, where there is one."""
    arrived: asyncio.Event
    """Cleared while something is read that the next key will be meant for; a screen that reads so sets it again."""

    def take_keys(self, session: Session) -> None:
        """Bind the keys of this screen's stack; to be called once, from the constructor."""
        self.session = session
        self.arrived = asyncio.Event()
        self.arrived.set()
        self._bindings = session.keymap.bindings(self.stack)
        self._sequences = session.keymap.sequences(self.stack)
        self._begun = ""

    @property
    def working_keys(self) -> list[Key]:
        """What the footer shows: the keys that work here and now, or how a begun sequence goes on."""
        if self._begun:
            return [entry for keys, entry in self._sequences.items() if keys.startswith(f"{self._begun} ")]
        shown = [entry for entry in self.session.keymap.on(self.stack) if entry.rank and self._works(entry)]
        return sorted(shown, key=lambda entry: entry.rank)

    def _works(self, entry: Key) -> bool:
        namespace, name, parameters = parse(entry.action)
        return namespace == "app" or bool(self.check_action(name, parameters))

    async def on_key(self, event: events.Key) -> None:
        """Follow sequences; what begins or continues none is left to the bindings."""
        stroke = event.character if event.is_printable and event.character != " " else event.key
        pressed = f"{self._begun} {stroke}".strip()
        was_begun, self._begun = self._begun, ""
        if entry := self._sequences.get(pressed):
            event.stop()
            await self.run_action(entry.action)
        elif any(keys.startswith(f"{pressed} ") for keys in self._sequences):
            event.stop()
            self._begun = pressed
        elif was_begun:
            event.stop()
            if event.key != textual_escape(self.session):
                self.notify(f"{show_key(pressed)} is no key here", severity="warning", timeout=3, markup=False)
        if was_begun or self._begun:
            self.refresh_keys()

    async def ready(self) -> None:
        """Wait until what was asked for stands there: it is what the next key is meant for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.arrived.wait(), PATIENCE)

    async def action_move(self, name: str) -> None:
        """Let what the keys move in do it."""
        await self.app.run_action(name, self.table)

    def refresh_keys(self) -> None:
        """Bring the footer up to date."""
        keys = [
            FooterKey(self._last_stroke(entry), entry.title, 0 if entry.id in KEPT else entry.rank)
            for entry in self.working_keys
        ]
        for footer in self.query(Footer):
            footer.show_keys(keys, self.footer_lead())

    @on(StoreRefused)
    def _tell_refusal(self, message: StoreRefused) -> None:
        self.arrived.set()
        self.notify(message.words, severity="error", markup=False)

    def footer_lead(self) -> Cell:
        """What stands before the keys: the begun sequence, else a note of the screen."""
        return [(f"{show_key(self._begun)} …", Ink.STRONG)] if self._begun else ""

    def _last_stroke(self, entry: Key) -> str:
        """The key to press next for an entry."""
        begun = (keys for keys in entry.keys if keys.startswith(f"{self._begun} "))
        return show_key(next(begun).split()[-1]) if self._begun else entry.display


def textual_escape(session: Session) -> str:
    """The key that peels, which also gives up a begun sequence without a word."""
    return session.keymap["app.peel"].keys[0]


class ConsoleScreen(Keyed):
    """A whole page: header, body, footer; live through the change feed from its own revision."""

    title_words: ClassVar[str] = ""

    class Changed(Message):
        """What was committed since the screen's revision."""

        def __init__(self, delta: Delta) -> None:
            self.delta = delta
            super().__init__()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.take_keys(session)
        self.services = session.services
        self.rev = 0
        self.header = Header(self._header_state())

    @override
    def compose(self) -> ComposeResult:
        yield self.header
        yield from self.body()
        yield Footer()

    def body(self) -> Iterable[Widget]:
        """The widgets between header and footer."""
        raise NotImplementedError

    # Header and footer

    @property
    def heading(self) -> str:
        """What the header calls this screen."""
        return self.title_words

    def refresh_header(self, *, now: bool = False) -> None:
        """Bring the header up to date; its clock alone is no reason to draw it, unless `now`."""
        self.header.show_state(self._header_state(), now=now)

    def _header_state(self) -> HeaderState:
        session, zone = self.session, self.session.services.zone
        moment = to_datetime(session.now).astimezone(zone_of(session.times, zone))
        return HeaderState(
            environment=session.environment.upper(),
            production=session.environment == PRODUCTION,
            title=self.heading,
            zone=zone_words(session.times, zone) if self.size.width >= ROOM_FOR_ZONE else "",
            clock=moment.strftime("%H:%M:%S"),
            engine=self._engine(),
            notice=self._notice(),
        )

    def _notice(self) -> str:
        services = self.session.services
        if trouble := services.engine.trouble:
            return trouble
        notices = ("read-only" * services.settings.readonly, self.session.watch.words)
        return "   ".join(filter(None, notices))

    def _engine(self) -> Engine:
        state, now = self.session.engine, self.session.services.wall.now()
        if state is None:
            return Engine()
        gone = state.expires_at <= now
        age = max(0.0, (now - state.tick_at) / 1000, MISSED_TICKS * HEARTBEAT if gone else 0.0)
        return Engine(state.holder, state.epoch, age, HEARTBEAT)

    @override
    def footer_lead(self) -> Cell:
        armed, note = self.session.armed_words, self.note
        said = [(armed, Ink.ERROR), (f"{'   ' if armed else ''}{note}", Ink.MARK)]
        return super().footer_lead() or [(words, ink) for words, ink in said if words.strip()]

    @property
    def record_key(self) -> str | None:
        """The record of the ledger that the operator looks at; None where that is none."""
        return None

    @property
    def note(self) -> str:
        """What the footer says before the keys."""
        return ""

    # Live

    def on_resize(self, _event: events.Resize) -> None:
        """A narrow header says less."""
        self.refresh_header()

    def on_screen_resume(self) -> None:
        """Back on top: header and footer may have changed meanwhile."""
        self.refresh_header(now=True)
        self.refresh_keys()

    @on(Changed)
    def _take(self, message: Changed) -> None:
        if message.delta.rev > self.rev:
            self.rev = message.delta.rev
            self.take(message.delta)

    def take(self, delta: Delta) -> None:
        """Draw again what the delta touches; a screen that shows nothing live does nothing."""

    def on_pulse(self) -> None:
        """The app's timer has come round, whether anything was committed or not."""

    def on_minute(self) -> None:
        """Another minute has begun: what counts minutes is drawn again."""

    def action_time_display(self) -> None:
        """Show times in the next way."""
        self.session.times = self.session.times.next
        self.refresh_header(now=True)
        self.times_changed()

    def times_changed(self) -> None:
        """Times are shown in another way: what is drawn with them is drawn again."""

    def environment_changed(self) -> None:
        """PROD and DEV never mix: whatever is listed is asked for again."""

    # Leaving

    def peel_one(self) -> bool:
        """Take one layer of this screen away; False when there is none left but the screen itself."""
        return False

    async def action_peel(self) -> None:
        """Esc: one layer, always in the same order; the last one is the screen."""
        if not self.peel_one():
            await self.run_action("app.back")
