"""How often a screen reads again what follows the night as a whole: not at every change, nor all the time.

What is worked out from thousands of rows changes with any of them; a busy night would keep a thread reading for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from dpconsole.core.domain.clock import Clock

EVERY = 1.0
"""Seconds between two readings at least."""

SHARE = 5
"""So many times as long as a reading took, until the next one begins."""


@dataclass
class Pace:
    """Says when it is time to read again; by the wall's clock, for it is the machine that is spared."""

    wall: Clock
    _is_stale: bool = False
    _began: float = 0.0
    _not_before: float = 0.0

    def changed(self) -> None:
        """What was read is out of date."""
        self._is_stale = True

    @property
    def is_due(self) -> bool:
        """Whether it is out of date, and time enough has passed."""
        return self._is_stale and self.wall.monotonic() >= self._not_before

    def begin(self) -> None:
        """A reading begins."""
        self._is_stale = False
        self._began = self.wall.monotonic()
        self._not_before = self._began + EVERY

    def end(self) -> None:
        """The reading is done."""
        spent = self.wall.monotonic() - self._began
        self._not_before = max(self._not_before, self._began + SHARE * spent)
