"""What keeps a database small and quick: done now and then, by whoever drives it."""

from __future__ import annotations

from dpconsole.core.store.session import Store


def tidy(store: Store) -> None:
    """Fold the write-ahead log back and let the planner look at the tables; nothing to do on a server."""
    if not store.is_sqlite:
        return
    with store.writer.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is not None:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            driver.execute("PRAGMA optimize")
