"""What keeps a database small and quick: done now and then, and after much was written, by whoever drives it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from sqlalchemy.exc import DBAPIError

from dpconsole.core.store.errors import StoreError
from dpconsole.core.store.session import Store

MANY_ROWS = 10_000
"""Instances that, made at once, leave the planner with a wrong idea of how large its tables are."""

ROWS_LOOKED_AT = 1_000
"""Rows of an index from which SQLite takes its statistics: a bounded time, whatever the size of the table."""

_ANALYZE = ("SET LOCAL lock_timeout = '2s'", "ANALYZE instance", "ANALYZE instance_dependency")


def tidy(store: Store) -> None:
    """Fold the write-ahead log back and let the planner look at the tables; nothing to do on a server."""
    if store.is_sqlite:
        _pragmas(store, "wal_checkpoint(TRUNCATE)", *_OPTIMIZE)


def look_again(store: Store, made: int) -> None:
    """Let the planner look at the tables of instances when `made` of them are new, and many; never fails.

    Until it has, PostgreSQL reads whole tables where an index would do. To be called after the commit.
    """
    if made < MANY_ROWS:
        return
    with suppress(StoreError, DBAPIError, sqlite3.Error), store.translated():
        if store.is_sqlite:
            _pragmas(store, *_OPTIMIZE)
        else:
            with store.writer.begin() as connection:
                for statement in _ANALYZE:
                    connection.exec_driver_sql(statement)


_OPTIMIZE = (f"analysis_limit = {ROWS_LOOKED_AT}", "optimize")


def _pragmas(store: Store, *pragmas: str) -> None:
    with store.writer.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is not None:
            for pragma in pragmas:
                driver.execute(f"PRAGMA {pragma}")
