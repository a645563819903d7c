"""The first line: where one is (environment, screen), what time it is there, and whether the engine lives.

An idle screen must send nothing, so nothing here ticks. The age of the last engine tick appears only once ticks were
missed, and then in steps. A clock alone is no reason to repaint: it is drawn anew with the next thing that changes, and
when the app says `now` - which it does on every key - so it never lags behind what the operator does or sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dpconsole.widgets.ink import Ink, Piece
from dpconsole.widgets.line import Line

PRODUCT = "dpconsole"
MISSED_TICKS = 3
"""Ticks after which the engine counts as away."""

AGE_STEPS: tuple[tuple[float, str], ...] = (
    (3_600, "over 1h"),
    (1_800, "over 30m"),
    (600, "over 10m"),
    (300, "over 5m"),
    (60, "over 1m"),
    (30, "over 30s"),
    (10, "over 10s"),
    (0, "a few seconds"),
)
"""Seconds since the last tick, and how they are said: the header repaints eight times in an hour, not every second."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine as the lease shows it: who holds it, its epoch, seconds since its last tick, seconds between ticks."""

    holder: str = ""
    epoch: int = 0
    age: float = 0.0
    heartbeat: float = 1.0

    def face(self) -> Piece:
        """In words: live, away since when, or none."""
        if not self.holder:
            return ("no engine", Ink.WARNING)
        name = f"engine {self.holder} #{self.epoch}"
        if self.age < MISSED_TICKS * self.heartbeat:
            return (f"{name} live", Ink.DIM)
        said = next(words for least, words in AGE_STEPS if self.age >= least)
        return (f"{name} away {said}", Ink.ERROR)


@dataclass(frozen=True, slots=True)
class HeaderState:
    """Everything the header says."""

    environment: str
    production: bool
    title: str = ""
    zone: str = ""
    clock: str = ""
    engine: Engine = Engine()
    notice: str = ""
    """A word about the session, as read-only."""


class Header(Line):
    """The header of every screen."""

    def __init__(self, state: HeaderState, *, id: str | None = None, classes: str | None = None) -> None:
        self._state = state
        super().__init__(_where(state), _when(state), id=id, classes=classes)

    def show_state(self, state: HeaderState, *, now: bool = False) -> None:
        """Show what changed; the clock only along with something else, or `now`."""
        drawn = self._state
        clockless = replace(state, clock=drawn.clock)
        if now or (_where(drawn), _when(drawn)) != (_where(clockless), _when(clockless)):
            self._state = state
            self.show(_where(state), _when(state))


def _where(state: HeaderState) -> list[Piece]:
    environment = (f" {state.environment} ", Ink.PROD if state.production else Ink.DEV)
    notice = [(f"  {state.notice}", Ink.WARNING)] if state.notice else []
    return [(f"{PRODUCT} ", Ink.DIM), environment, (f" {state.title}", Ink.STRONG), *notice]


def _when(state: HeaderState) -> list[Piece]:
    return [(f"{state.zone} {state.clock}   ".lstrip(), Ink.PLAIN), state.engine.face()]
