"""What can go wrong with a database, in words an operator can act on."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError


class StoreError(Exception):
    """Something is wrong with the database; the message says what, and what to do next."""


class StoreBusy(StoreError):
    """Another process holds the write lock; trying again is right."""


class StoreReadOnly(StoreError):
    """The database cannot be written: no space, no permission, or opened read-only."""


class StoreDamaged(StoreError):
    """The file is no database, or a damaged one; it is never repaired in place."""


class StoreOutdated(StoreError):
    """The schema is newer than this program."""


_SQLITE: dict[str, tuple[type[StoreError], str]] = {
    "SQLITE_BUSY": (StoreBusy, "another process is writing to it; try again"),
    "SQLITE_LOCKED": (StoreBusy, "another process is writing to it; try again"),
    "SQLITE_FULL": (StoreReadOnly, "the disk is full; free some space, nothing was half written"),
    "SQLITE_IOERR": (StoreReadOnly, "the disk reports an error"),
    "SQLITE_READONLY": (StoreReadOnly, "it is read-only; check its permissions and its directory's"),
    "SQLITE_CANTOPEN": (StoreReadOnly, "it cannot be opened; check the path and its permissions"),
    "SQLITE_PERM": (StoreReadOnly, "access is denied; check its permissions"),
    "SQLITE_CORRUPT": (StoreDamaged, "it is damaged; restore a backup, or move it away to start anew"),
    "SQLITE_NOTADB": (StoreDamaged, "it is not a database; check the path, or move the file away"),
}


_POSTGRESQL: dict[str, tuple[type[StoreError], str]] = {
    "08": (StoreBusy, "the connection was lost; try again"),
    "25006": (StoreReadOnly, "it accepts no writes: a standby, or a read-only session"),
    "28": (StoreError, "access is denied; check user and password"),
    "3D": (StoreError, "there is no such database; create it first"),
    "40": (StoreBusy, "another process was writing to the same rows; try again"),
    "42501": (StoreReadOnly, "this user may not do that; grant it the rights of the schema's owner"),
    "53100": (StoreReadOnly, "the server's disk is full; free some space, nothing was half written"),
    "53": (StoreBusy, "the server is out of resources; try again"),
    "55P03": (StoreBusy, "another process holds a lock; try again"),
    "57": (StoreBusy, "the server is stopping or starting, or cancelled the statement; try again"),
    "58": (StoreReadOnly, "the server's system reports an error"),
    "XX": (StoreDamaged, "the server found damaged data; restore a backup"),
}
"""By SQLSTATE, or the class that begins it; the first that fits counts."""


def translate(error: DBAPIError, where: str) -> StoreError | None:
    """The store's own error for a driver's one, told by its code and never by its text; None when it is a bug."""
    name = getattr(error.orig, "sqlite_errorname", None)
    state = getattr(error.orig, "sqlstate", None)
    if name is None and state is None:
        return _unreachable(error, where)
    table, code = (_SQLITE, name) if name is not None else (_POSTGRESQL, state)
    for prefix, (kind, words) in table.items():
        if str(code).startswith(prefix):
            return kind(f"{where}: {words} ({code})")
    return None


def _unreachable(error: DBAPIError, where: str) -> StoreError | None:
    """A driver that got no answer at all has no code either."""
    if not error.connection_invalidated and type(error.orig).__name__ != "OperationalError":
        return None
    return StoreBusy(f"{where}: no connection to the server ({str(error.orig).strip()})")
