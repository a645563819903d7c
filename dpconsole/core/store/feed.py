"""The change feed: which rows a screen must draw again.

Every committed write publishes `(rev, table, ids)` to a bounded ring. A reader keeps its own revision and asks for what
came after; one that fell out of the ring, or a process that did not write, asks the tables by `rev > ?` instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

RING_IDS = 200_000
"""How many ids the ring remembers before the oldest changes are only to be had from the tables."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction touched: its revision, and ids by table name."""

    rev: int
    ids: Mapping[str, frozenset[int]]


@dataclass
class Ring:
    """The last committed changes of this process, oldest first; safe to use from every thread."""

    capacity: int = RING_IDS
    _changes: deque[Change] = field(default_factory=deque)
    _held: int = 0
    _lock: Lock = field(default_factory=Lock)

    def publish(self, rev: int, ids: Mapping[str, Iterable[int]]) -> None:
        """Remember what a transaction touched; called after its commit."""
        change = Change(rev, {table: frozenset(some) for table, some in ids.items()})
        with self._lock:
            self._changes.append(change)
            self._held += _size(change)
            while self._held > self.capacity and len(self._changes) > 1:
                self._held -= _size(self._changes.popleft())

    def since(self, rev: int, until: int) -> dict[str, set[int]] | None:
        """Ids by table touched after `rev` and up to `until`, or None when the ring cannot vouch for that span.

        Revisions are consecutive, so a span that the ring holds without a hole was written by this process alone.
        """
        with self._lock:
            span = [change for change in self._changes if rev < change.rev <= until]
        if len({change.rev for change in span}) != until - rev:
            return None
        merged: dict[str, set[int]] = {}
        for change in span:
            for table, ids in change.ids.items():
                merged.setdefault(table, set()).update(ids)
        return merged


def _size(change: Change) -> int:
    return sum(len(ids) for ids in change.ids.values()) + 1
