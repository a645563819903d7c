"""One engine a database: a lease row with an epoch, held by one process and re-checked inside every engine write.

A holder that hangs loses the lease when it runs out, and its next write finds another epoch and changes nothing. On
the holder's own host the lease is free at once when its process is gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from dpconsole.core.domain.clock import Clock
from dpconsole.core.store import leases
from dpconsole.core.store.leases import LeaseRow
from dpconsole.core.store.processes import Process
from dpconsole.core.store.session import Store, Transaction

TTL_MS = 15_000
RENEW_MS = 3_000


class Fenced(Exception):
    """Another engine has taken over: this one must step down."""


@dataclass(frozen=True, slots=True)
class EngineState:
    """Who drives the database, as every console shows it. Times are UTC milliseconds of the wall clock."""

    holder: str
    epoch: int
    tick_at: int
    expires_at: int
    pid: int
    mine: bool


class Lease:
    """This process's claim to drive the database. `clock` is the wall clock, even when the engine's is not."""

    def __init__(self, store: Store, clock: Clock, process: Process | None = None, ttl_ms: int = TTL_MS) -> None:
        self._store = store
        self._clock = clock
        self._process = process or Process.current()
        self._ttl = ttl_ms
        self.epoch: int | None = None
        self.ticked_at = 0

    @property
    def held(self) -> bool:
        """Whether this process believes that it holds the lease."""
        return self.epoch is not None

    def acquire(self) -> bool:
        """Take the lease if it is free, has run out, or its holder is gone; renew it if it is ours."""
        with self._store.write() as transaction:
            now = leases.now(transaction.connection, self._clock)
            row = leases.read(transaction.connection)
            if row is not None and not self._is_mine(row) and row.expires_at > now and not _is_gone(row):
                self.epoch = None
                transaction.abandon()
                return False
            epoch = row.epoch if row is not None and self._is_mine(row) else (row.epoch if row else 0) + 1
            leases.write(transaction, self._row(epoch, now))
        self.epoch = epoch
        return True

    renew = acquire

    def note_tick(self) -> None:
        """The engine has ticked; the next renewal tells the others."""
        self.ticked_at = self._clock.now()

    def release(self) -> None:
        """Give the lease back, so that another engine takes over at once."""
        if self.epoch is None:
            return
        with self._store.write() as transaction:
            row = leases.read(transaction.connection)
            if row is not None and self._is_mine(row):
                leases.expire(transaction)
        self.epoch = None

    def check(self, transaction: Transaction) -> None:
        """Raise `Fenced` unless the lease is still this process's; called inside every engine write."""
        row = leases.read(transaction.connection)
        if row is None or not self._is_mine(row):
            self.epoch = None
            raise Fenced(f"the engine is with {row.holder} now" if row else "nobody holds the engine's lease")

    def state(self) -> EngineState | None:
        """Who holds the lease now; None when nobody ever did."""
        with self._store.read() as connection:
            row = leases.read(connection)
        if row is None:
            return None
        tick_at = max(row.tick_at, self.ticked_at) if self._is_mine(row) else row.tick_at
        return EngineState(row.holder, row.epoch, tick_at, row.expires_at, row.pid, self._is_mine(row))

    def _is_mine(self, row: LeaseRow) -> bool:
        return row.epoch == self.epoch

    def _row(self, epoch: int, now: int) -> LeaseRow:
        process = self._process
        return LeaseRow(
            epoch=epoch,
            holder=process.holder,
            boot_id=process.boot_id,
            pid=process.pid,
            pid_started=process.started,
            renewed_at=now,
            expires_at=now + self._ttl,
            tick_at=self.ticked_at or now,
        )


def _is_gone(row: LeaseRow) -> bool:
    """Whether the holder was a process of this host, and is no more."""
    return Process(row.holder, row.boot_id, row.pid, row.pid_started).is_gone
