"""Sessions: how a process reads and writes the one database.

Two engines a process. The writer always says BEGIN IMMEDIATE, so a transaction that will write owns the write lock from
its first statement and cannot fail in the middle; the reader is `query_only`. A write transaction takes the next
revision first, which also makes writers take turns on PostgreSQL as they do on SQLite.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    RootTransaction,
    bindparam,
    create_engine,
    event,
    func,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from dpconsole.core.store.errors import StoreBusy, StoreDamaged, StoreError, StoreReadOnly, translate
from dpconsole.core.store.feed import Ring
from dpconsole.core.store.models import Counter
from dpconsole.core.store.prepared import Prepared

BUSY_TIMEOUT_MS = 5_000
BUSY_TRIES = 3

_TAKE = Prepared(
    update(Counter)
    .where(Counter.name == bindparam("counter"))
    .values(value=Counter.value + bindparam("number"))
    .returning(Counter.value)
)
_REV = select(func.coalesce(func.max(Counter.value), 0)).where(Counter.name == "rev")


@dataclass
class Transaction:
    """A write in progress: its connection, its revision, and what it has touched so far."""

    connection: Connection
    rev: int
    touched: dict[str, set[int]] = field(default_factory=dict)
    abandoned: bool = False

    def abandon(self) -> None:
        """Nothing turned out to change: end without a commit, and give the revision back."""
        self.abandoned = True

    def touch(self, table: str, ids: Iterable[int]) -> None:
        """Tell the change feed which rows of a table this transaction changed."""
        self.touched.setdefault(table, set()).update(ids)

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Run one Core statement on the transaction's connection."""
        return self.connection.execute(statement, parameters)

    def take(self, counter: str, number: int) -> int:
        """Reserve `number` consecutive values of a counter; returns the first."""
        return take(self.connection, counter, number)


def take(connection: Connection, counter: str, number: int) -> int:
    """Reserve `number` consecutive values of a counter; returns the first."""
    (last,) = _TAKE.one(connection, counter=counter, number=number)
    return int(last) - number + 1


class Store:
    """One database, opened by one process. `url` is a SQLAlchemy URL or a path; see `open_store` for the safe way in.

    `synchronous` is SQLite's (FULL or NORMAL). Raises `StoreError` subclasses, each naming the database.
    """

    def __init__(self, url: str | Path, *, synchronous: str = "FULL", readonly: bool = False) -> None:
        self.url = parse_url(url)
        self.readonly = readonly
        self.ring = Ring()
        self.reader = _reader(self.url)
        self.writer = _writer(self.url, synchronous)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is the embedded one."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def path(self) -> Path | None:
        """The file of an embedded database."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @property
    def place(self) -> str:
        """The database in words, without a password."""
        return str(self.path or self.url.render_as_string(hide_password=True))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A short read of one snapshot; never hold it across a keystroke."""
        with self.translated(), self.reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction: committed as a whole when the block ends, or not at all when it raises."""
        if self.readonly:
            raise StoreReadOnly(f"{self.place}: opened read-only")
        with self.translated(), self.writer.connect() as connection:
            with _begin(connection) as database:
                transaction = Transaction(connection, take(connection, "rev", 1))
                yield transaction
                if transaction.abandoned:
                    database.rollback()
                    return
            self.ring.publish(transaction.rev, transaction.touched)

    def rev(self) -> int:
        """The revision of the last committed write."""
        with self.read() as connection:
            return current_rev(connection)

    def close(self) -> None:
        """Close every connection of this process."""
        self.reader.dispose()
        self.writer.dispose()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn a driver's errors into `StoreError`s that name this database."""
        try:
            yield
        except DBAPIError as error:
            raise (translate(error, self.place) or error) from error
        except UnicodeDecodeError as error:  # SQLite does not check what it stores; nothing but UTF-8 was ever written
            raise StoreDamaged(f"{self.place}: it holds text that cannot be read; restore a backup") from error


def current_rev(connection: Connection) -> int:
    """The revision this snapshot shows."""
    return connection.execute(
        select(func.coalesce(func.max(Counter.value), 0)).where(Counter.name == "rev")
    ).scalar_one()


def parse_url(target: str | Path) -> URL:
    """A SQLAlchemy URL from a URL or a path; a bare `postgresql://` uses psycopg 3."""
    if isinstance(target, Path) or "://" not in target:
        return URL.create("sqlite", database=str(Path(target).expanduser()))
    try:
        url = make_url(target)
    except ArgumentError as error:
        raise StoreError(f"{target}: not a database URL; give a path, or postgresql://user@host/name") from error
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(f"{url.get_backend_name()}: not supported; use a SQLite path or a postgresql:// URL")
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def create_private(path: Path) -> None:
    """Create an empty database file that only its owner can open; SQLite gives -wal and -shm the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, stat.S_IRUSR | stat.S_IWUSR))
    except FileExistsError:
        return


@contextmanager
def _begin(connection: Connection) -> Iterator[RootTransaction]:
    """Begin and end the transaction; only the begin can meet a lock, and only the begin is tried again."""
    for attempt in range(1, BUSY_TRIES + 1):
        try:
            transaction = connection.begin()
            break
        except DBAPIError as error:
            busy = isinstance(translate(error, ""), StoreBusy)
            if not busy or attempt == BUSY_TRIES or connection.dialect.name != "sqlite":
                raise
    with transaction:
        yield transaction


def _writer(url: URL, synchronous: str) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=2, pool_pre_ping=True)
    engine = _sqlite(url, pool_size=1)
    pragmas = (
        f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
        "PRAGMA journal_mode=WAL",
        f"PRAGMA synchronous={synchronous}",
        "PRAGMA foreign_keys=ON",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA cache_size=-65536",
    )
    _on_connect(engine, pragmas)
    _on_begin(engine, "BEGIN IMMEDIATE")
    return engine


def _reader(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        engine = create_engine(url, pool_size=4, pool_pre_ping=True)
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    engine = _sqlite(url, pool_size=4)
    _on_connect(engine, (f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}", "PRAGMA query_only=ON", "PRAGMA temp_store=MEMORY"))
    _on_begin(engine, "BEGIN")
    return engine


def _sqlite(url: URL, pool_size: int) -> Engine:
    return create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=60,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )


def _on_connect(engine: Engine, pragmas: tuple[str, ...]) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)


def _on_begin(engine: Engine, statement: str) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)
