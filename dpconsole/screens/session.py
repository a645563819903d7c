"""What the operator has chosen while the console runs; every screen of the console shares one `Session`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dpconsole.core.services import Arming, EngineState, Services
from dpconsole.screens.keymap import Keymap
from dpconsole.screens.times import TimeDisplay
from dpconsole.screens.watching import Watch


@dataclass
class Session:
    """The services, and beside them what changes: environment, how times are shown, the chosen columns by list.

    `arming` holds the destructive batches that can still be called off, `watch` what the operator waits for,
    `drafts` the forms of backfills that were left, by environment and start.
    """

    services: Services
    keymap: Keymap
    environment: str
    times: TimeDisplay = TimeDisplay.PROJECT
    engine: EngineState | None = None
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    arming: Arming = field(default_factory=Arming)
    watch: Watch = field(default_factory=Watch)
    drafts: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """UTC milliseconds."""
        return self.services.clock.now()

    @property
    def armed_words(self) -> str:
        """What is armed, for how long, and how it is called off; empty where nothing is."""
        words = self.arming.words(self.services.wall.monotonic())
        return f"{words} - {self.keymap['app.undo'].display} cancels" if words else ""
