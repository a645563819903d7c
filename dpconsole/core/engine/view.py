"""The engine as a console sees it: in this process, or only watched. Both answer alike, and no screen asks which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dpconsole.core.engine.host import EngineHost
from dpconsole.core.engine.lease import EngineState, Lease
from dpconsole.core.engine.logs import RunLogs


class EngineView(Protocol):
    """What a console asks of the engine. All but `start` and `stop` may be called from every thread."""

    @property
    def trouble(self) -> str:
        """What keeps the engine of this process from working, in words; empty when all is well."""

    async def start(self) -> None:
        """The console has begun; an engine of this process begins with it, on the running loop."""

    async def stop(self) -> None:
        """The console ends."""

    def wake(self) -> None:
        """An operator did something: an engine of this process ticks now."""

    def state(self) -> EngineState | None:
        """Who drives the database, or None when nobody ever did. One small read."""

    def log(self, instance_id: int, attempt: int, offset: int, limit: int) -> bytes:
        """At most `limit` bytes of an attempt's log from `offset`; empty at its end, or when there is no log."""


@dataclass(frozen=True)
class HostedEngine:
    """The engine of this process."""

    host: EngineHost
    logs: RunLogs

    @property
    def trouble(self) -> str:
        """What keeps it from working."""
        return self.host.trouble

    async def start(self) -> None:
        """Begin to drive the database, or to wait for the lease."""
        await self.host.start()

    async def stop(self) -> None:
        """Give the lease back."""
        await self.host.stop()

    def wake(self) -> None:
        """Tick now."""
        self.host.wake()

    def state(self) -> EngineState | None:
        """Who drives the database."""
        return self.host.state()

    def log(self, instance_id: int, attempt: int, offset: int, limit: int) -> bytes:
        """A piece of a run log."""
        return self.logs.read(instance_id, attempt, offset, limit)


@dataclass(frozen=True)
class WatchedEngine:
    """The engine of another process, seen through its lease."""

    lease: Lease
    logs: RunLogs
    trouble: str = ""

    async def start(self) -> None:
        """Nothing of this process begins."""

    async def stop(self) -> None:
        """Nothing of this process ends."""

    def wake(self) -> None:
        """The other process looks at the database once a second by itself."""

    def state(self) -> EngineState | None:
        """Who drives the database."""
        return self.lease.state()

    def log(self, instance_id: int, attempt: int, offset: int, limit: int) -> bytes:
        """A piece of a run log."""
        return self.logs.read(instance_id, attempt, offset, limit)
