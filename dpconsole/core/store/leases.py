"""The engine's lease row."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select, text, update

from dpconsole.core.domain.clock import Clock
from dpconsole.core.store.models import EngineLease
from dpconsole.core.store.prepared import Prepared
from dpconsole.core.store.session import Transaction


class LeaseRow(NamedTuple):
    """Who holds the lease, under which epoch, until when. Times are UTC milliseconds."""

    epoch: int
    holder: str
    boot_id: str
    pid: int
    pid_started: str
    renewed_at: int
    expires_at: int
    tick_at: int


_READ = Prepared(select(*(getattr(EngineLease, column) for column in LeaseRow._fields)))
_WRITE = update(EngineLease)
_EXPIRE = update(EngineLease).values(expires_at=0, boot_id="")
_DATABASE_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)")


def now(connection: Connection, clock: Clock) -> int:
    """The time leases are measured by: the server's where there is one, so that consoles' clocks may differ."""
    if connection.dialect.name == "postgresql":
        return int(connection.execute(_DATABASE_NOW).scalar_one())
    return clock.now()


def read(connection: Connection) -> LeaseRow | None:
    """The lease as it stands; None when no engine ever ran here."""
    row = _READ.one(connection)
    return None if row is None else LeaseRow._make(row)


def write(transaction: Transaction, row: LeaseRow) -> None:
    """Take or renew the lease."""
    if transaction.execute(_WRITE, row._asdict()).rowcount == 0:
        transaction.execute(insert(EngineLease), {"id": 1, **row._asdict()})


def expire(transaction: Transaction) -> None:
    """Let the lease run out now."""
    transaction.execute(_EXPIRE)
