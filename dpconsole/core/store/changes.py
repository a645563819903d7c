"""What to draw again: the rows that changed since a reader last looked, whoever changed them.

What this process wrote comes from its ring; what another process wrote is found by `rev`. Asking whether anything
changed at all costs microseconds, so a screen may do it at every frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sqlalchemy import Connection, select

from dpconsole.core.store.feed import RING_IDS
from dpconsole.core.store.models import Backfill, BackfillDate, Instance, Operation, Task
from dpconsole.core.store.session import Store, current_rev

FED = (Instance, Task, Backfill, BackfillDate, Operation)
"""The tables whose rows carry the revision that last touched them."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed up to `rev`: ids by table name. `everything` when that was too much to list: read all again."""

    rev: int
    ids: Mapping[str, frozenset[int]]
    everything: bool = False

    def __bool__(self) -> bool:
        return self.everything or any(self.ids.values())


@dataclass
class Feed:
    """The changes of one store, for any number of readers that each remember how far they have read."""

    store: Store
    limit: int = RING_IDS
    """How many rows of one table a delta lists at most."""
    _lock: Lock = field(default_factory=Lock, repr=False)
    _parked: Any = field(default=None, repr=False)
    _version: int = -1
    _rev: int = -1

    def changed(self, since: int) -> bool:
        """Whether anything was committed after revision `since`."""
        return self.rev() > since

    def rev(self) -> int:
        """The revision of the last commit; on SQLite without reading a table unless somebody wrote."""
        if not self.store.is_sqlite:
            return self.store.rev()
        with self._lock, self.store.translated():
            version = self._data_version()
            if version != self._version:
                self._rev = self.store.rev()
                self._version = version
            return self._rev

    def delta(self, since: int) -> Delta:
        """The rows changed after revision `since`, by the ring where it can vouch for them, else by the tables."""
        with self.store.read() as connection:
            rev = current_rev(connection)
            if rev <= since:
                return Delta(rev, {})
            known = self.store.ring.since(since, rev)
            if known is not None:
                return Delta(rev, {table: frozenset(ids) for table, ids in known.items()})
            return self._look(connection, since, rev)

    def close(self) -> None:
        """Give the parked connection back."""
        with self._lock:
            if self._parked is not None:
                self._parked.close()
                self._parked = None
                self._version = -1

    def _look(self, connection: Connection, since: int, rev: int) -> Delta:
        ids: dict[str, frozenset[int]] = {}
        for table in FED:
            found = select(table.id).where(table.rev > since).limit(self.limit + 1)
            ids[table.__tablename__] = frozenset(connection.execute(found).scalars())
            if len(ids[table.__tablename__]) > self.limit:
                return Delta(rev, {}, everything=True)
        return Delta(rev, ids)

    def _data_version(self) -> int:
        """A number that differs after every commit of another connection; read outside any transaction."""
        if self._parked is None:
            self._parked = self.store.reader.raw_connection()
        return int(self._parked.driver_connection.execute("PRAGMA data_version").fetchone()[0])
