"""An app that takes keys one after another, however fast they come.

Textual hands every key at once to whatever has the focus at that moment, and what a key does - another screen, a
dialog, the focus elsewhere - happens a little later. Typed ahead, or arriving in one packet over a slow line, the next
key then goes to the wrong place. Here a key waits until the one before it has been dealt with.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TypeVar

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from typing_extensions import override

Result = TypeVar("Result")

PATIENCE = 0.3
"""Seconds a key may keep the next one waiting: a handler that waits for an answer must not hold back the answer."""


class TypingAhead(App[Result], inherit_bindings=False):
    """An app whose keys are dealt with in turn."""

    _typed: deque[events.Key]
    _dealing: asyncio.Task[None] | None = None

    @override
    async def on_event(self, event: events.Event) -> None:
        """Put a key in line; everything else goes its own way."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if self._dealing is None or self._dealing.done():
            self._typed = deque([event])
            self._dealing = asyncio.create_task(self._deal())
        else:
            self._typed.append(event)

    async def dealt_with(self) -> None:
        """Wait until every key typed so far has been dealt with."""
        if self._dealing is not None:
            await asyncio.wait({self._dealing})

    async def ready(self) -> None:
        """Wait until the next key can mean what it was typed for; an app knows for what, and how long at most."""

    async def _deal(self) -> None:
        """One key at a time: to the focus, up through everything above it, and to the app itself."""
        while self._typed and self.is_running:
            await self.ready()
            target = self.focused or self.screen
            await super().on_event(self._typed.popleft())
            for pump in target.ancestors_with_self:
                await _dealt_with(pump)


async def _dealt_with(pump: MessagePump) -> None:
    """Wait until a pump has dealt with everything it was sent so far."""
    if not pump.is_running:
        return
    done = asyncio.Event()
    pump.call_later(done.set)
    try:
        await asyncio.wait_for(done.wait(), PATIENCE)
    except TimeoutError:
        return
