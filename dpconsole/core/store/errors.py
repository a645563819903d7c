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


def translate(error: DBAPIError, where: str) -> StoreError | None:
    """The store's own error for a driver's one, told by its code and never by its text; None when it is a bug."""
    name = getattr(error.orig, "sqlite_errorname", "")
    for prefix, (kind, words) in _SQLITE.items():
        if name.startswith(prefix):
            return kind(f"{where}: {words} ({name})")
    if error.connection_invalidated or (not name and type(error.orig).__name__ == "OperationalError"):
        return StoreBusy(f"{where}: the connection was lost or refused; try again ({str(error.orig).strip()})")
    return None
