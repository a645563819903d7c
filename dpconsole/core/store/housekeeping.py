"""What keeps a database small and quick: done now and then, and after much was written, by whoever drives it."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy.exc import DBAPIError

from dpconsole.core.store.errors import StoreError
from dpconsole.core.store.session import Store

MANY_ROWS = 10_000
"""Instances that, made at once, leave the planner of a server with a wrong idea of how large its tables are."""

_ANALYZE = ("SET LOCAL lock_timeout = '2s'", "ANALYZE instance", "ANALYZE instance_dependency")


def tidy(store: Store) -> None:
    """Fold the write-ahead log back; nothing to do on a server."""
    if not store.is_sqlite:
        return
    with store.writer.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is not None:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def look_again(store: Store, made: int) -> None:
    """Let a server look at the tables of instances when `made` of them are new, and many; never fails.

    Until it has, PostgreSQL reads whole tables where an index would do. SQLite is better off without:
    with statistics it reads all of `instance` where it would have taken an index. To be called after the commit.
    """
    if store.is_sqlite or made < MANY_ROWS:
        return
    with suppress(StoreError, DBAPIError), store.translated(), store.writer.begin() as connection:
        for statement in _ANALYZE:
            connection.exec_driver_sql(statement)
