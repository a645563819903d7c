"""The safe way to a database: made private, brought up to date whole or not at all, refused when it is not ours.

A database that is up to date costs one small query here; Alembic is imported only when there is something to migrate.
Whoever creates or migrates holds a lock on the directory (SQLite) or an advisory lock (PostgreSQL), so that consoles
started together on a fresh database take turns and all succeed. A process killed half way leaves the old schema.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, insert, inspect, select, text

from dpconsole.core.store.errors import StoreDamaged, StoreError, StoreOutdated, StoreReadOnly
from dpconsole.core.store.models import Counter
from dpconsole.core.store.session import Store, create_private, parse_url

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0004"
"""The revision this program reads and writes."""

MIGRATIONS = Path(__file__).parent / "migrations"

COUNTERS = (
    "rev",
    *("task", "logical_field", "node", "dependency"),
    *("backfill_flow", "backfill", "backfill_date", "instance", "transition", "operation"),
)
"""The revision, and a counter for each table whose rows are numbered in blocks."""

_SMALLEST_PAGE = 512  # SQLite takes a shorter file for an empty one, and would write over it
_MOUNTS = Path("/proc/self/mountinfo")
_REMOTE = re.compile(r"nfs\d?|cifs|smb\d?|smbfs|afs|ceph|glusterfs|lustre|fuse(\..+)?")
_ADVISORY_LOCK = 0x6470_636F  # "dpco"


def open_store(target: str | Path, *, synchronous: str = "FULL", readonly: bool = False, create: bool = True) -> Store:
    """Open the database at a path or URL, creating (0600) or migrating it first where needed.

    `synchronous` is SQLite's, FULL or NORMAL. Read-only never creates and never migrates, but opens a newer schema.
    Raises `StoreDamaged` for a file that is no database, `StoreOutdated` for a newer schema, `StoreReadOnly` for a
    place that cannot be written, and `StoreError` for what is not ours or lies on a network file system.
    """
    url = parse_url(target)
    path = _path(url)
    if path is None:
        _require_driver()
    else:
        _check_place(path, may_create=create and not readonly)
    store = Store(target, synchronous=synchronous, readonly=readonly)
    try:
        _bring_up_to_date(store)
    except BaseException:
        store.close()
        raise
    return store


def check_integrity(store: Store) -> None:
    """Read every page of an embedded database; StoreDamaged says what is wrong. Slow, so opening does not do it."""
    if not store.is_sqlite:
        return
    with store.read() as connection:
        verdict = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
    if verdict != "ok":
        raise StoreDamaged(f"{store.place}: it is damaged ({verdict}); restore a backup.")


def alembic_config(connection: Connection) -> Config:
    """The configuration Alembic needs to migrate what this connection is connected to."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


# --- where it lies ----------------------------------------------------------------------------------------------------


def _path(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise StoreError("A database in memory cannot be shared by two connections; give the path of a file.")
    return Path(url.database)


def _require_driver() -> None:
    if importlib.util.find_spec("psycopg") is None:
        raise StoreError("PostgreSQL needs its driver: install dpconsole[postgres].")


def _check_place(path: Path, *, may_create: bool) -> None:
    if path.is_dir():
        raise StoreError(f"{path}: a directory; give the path of a database file.")
    if not path.exists() and not may_create:
        raise StoreError(f"{path}: there is no database here; `dpconsole load` makes one.")
    kind = file_system(path, _MOUNTS.read_text() if _MOUNTS.exists() else "")
    if _REMOTE.fullmatch(kind):
        raise StoreError(
            f"{path}: on {kind}, a file system that cannot share SQLite's write-ahead log; "
            "use a local disk, or a postgresql:// URL for a team."
        )
    with _translated(path):
        create_private(path)
    if 0 < path.stat().st_size < _SMALLEST_PAGE:
        raise StoreDamaged(f"{path}: it is not a database; check the path, or move the file away.")


def file_system(path: Path, mounts: str) -> str:
    """The type of the file system a path lies on, read from the text of /proc/self/mountinfo; empty when unknown."""
    place = path.absolute().resolve()
    found, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        mount = Path(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), before.split(" ")[4]))
        if len(mount.parts) >= found and place.is_relative_to(mount):
            found, kind = len(mount.parts), after.split(" ")[0]
    return kind


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreReadOnly(f"{path}: cannot be written ({error.strerror}); check the directory.") from error


# --- what it holds ----------------------------------------------------------------------------------------------------


def _bring_up_to_date(store: Store) -> None:
    if not _is_new(store.path):
        revision = _revision(store)
        if revision == HEAD or (store.readonly and _is_newer(revision)):
            return
        _refuse(store, revision)
    with _turn(store):
        revision = _revision(store)
        if revision == HEAD:
            return
        _refuse(store, revision)
        if revision is not None and store.path is not None:
            _back_up(store.path, revision)
        _migrate(store)


def _is_new(path: Path | None) -> bool:
    """Whether nobody has written to the file yet; a look through SQLite would stand in the way of whoever just does."""
    return path is not None and path.stat().st_size == 0


def _is_newer(revision: str | None) -> bool:
    return revision is not None and revision > HEAD


def _refuse(store: Store, revision: str | None) -> None:
    """Raise when the database may not be migrated by this program, or not in this session."""
    if _is_newer(revision):
        raise StoreOutdated(
            f"{store.place}: its schema ({revision}) is newer than this program ({HEAD}); "
            "update dpconsole, or look at it with --readonly."
        )
    if store.readonly:
        raise StoreReadOnly(f"{store.place}: it has to be set up first; open it once without --readonly.")


def _revision(store: Store) -> str | None:
    """The revision of the schema, or None for a database without tables; StoreError when the tables are not ours."""
    with store.read() as connection:
        tables = set(inspect(connection).get_table_names())
        if {"alembic_version", "instance", "counter"} <= tables:
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    if tables:
        raise StoreError(
            f"{store.place}: it holds other tables ({', '.join(sorted(tables)[:3])}); give it a database of its own."
        )
    return None


@contextmanager
def _turn(store: Store) -> Iterator[None]:
    """Wait until no other process creates or migrates this database; a process that dies gives its turn away."""
    if store.path is None:
        with store.translated(), store.writer.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            yield
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
        return
    directory = os.open(store.path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _back_up(path: Path, revision: str) -> None:
    """Keep the database as it was, beside it, as `NAME.REVISION.backup`; it appears whole or not at all."""
    target = path.with_name(f"{path.name}.{revision}.backup")
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    with _translated(part):
        create_private(part)
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        raise StoreReadOnly(f"{path}: not migrated, because its backup could not be written ({error}).") from error
    part.replace(target)


def _migrate(store: Store) -> None:
    """Apply every missing revision in one transaction; foreign keys rest while SQLite rewrites tables."""
    from alembic import command

    with (
        store.translated(),
        store.writer.connect() as connection,
        _without_foreign_keys(connection),
        connection.begin(),
    ):
        command.upgrade(alembic_config(connection), "head")
        _seed(connection)


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _seed(connection: Connection) -> None:
    known = set(connection.execute(select(Counter.name)).scalars())
    missing = [{"name": name, "value": 0} for name in COUNTERS if name not in known]
    if missing:
        connection.execute(insert(Counter), missing)
