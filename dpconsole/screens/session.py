"""What the operator has chosen while the console runs; every screen of the console shares one `Session`."""

from __future__ import annotations

from dataclasses import dataclass, field

from dpconsole.core.services import EngineState, Services
from dpconsole.screens.keymap import Keymap
from dpconsole.screens.times import TimeDisplay


@dataclass
class Session:
    """The services, and beside them what changes: environment, how times are shown, the chosen columns by list."""

    services: Services
    keymap: Keymap
    environment: str
    times: TimeDisplay = TimeDisplay.PROJECT
    engine: EngineState | None = None
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """UTC milliseconds."""
        return self.services.clock.now()
