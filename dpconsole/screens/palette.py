"""The palette: every entry of the key registry that works on the screen below, found by its name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from dpconsole.screens.base import Keyed
from dpconsole.screens.keymap import Category, Key

UNNAMED = frozenset({Category.MOVE})
"""Categories whose keys nobody looks for by name."""


class RegistryCommands(Provider):
    """The commands of the screen the palette was opened on."""

    def _entries(self) -> Iterator[Key]:
        if isinstance(self.screen, Keyed):
            keymap = self.screen.session.keymap
            named = (entry for entry in keymap.on(self.screen.stack) if entry.category not in UNNAMED)
            yield from sorted(named, key=lambda entry: list(Category).index(entry.category))

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for entry in self._entries():
            yield DiscoveryHit(Content(_words(entry)), partial(self._run, entry), entry.title)

    async def search(self, query: str) -> Hits:
        """Those whose words match what is typed."""
        matcher = self.matcher(query)
        for entry in self._entries():
            score = matcher.match(_words(entry))
            if score > 0:
                shown = matcher.highlight(_words(entry))
                yield Hit(score, shown, partial(self._run, entry), entry.title)

    async def _run(self, entry: Key) -> None:
        await self.screen.run_action(entry.action)


def _words(entry: Key) -> str:
    """The key, the title and the sentence of an entry, on one line."""
    return f"{entry.every_display:<10} {entry.heading:<18} {entry.help.partition(';')[0]}".rstrip()
