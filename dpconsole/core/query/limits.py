"""How long a statement may take: an operator who types a filter must never wait for one that will not end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from dpconsole.core.domain.clock import Clock
from dpconsole.core.query.language import QueryError

FILTER_SECONDS = 2.0
"""For a list with a filter."""

LIST_SECONDS = 30.0
"""For a whole list, whose time grows with the database and not with what somebody typed."""

_STEPS = 20_000
"""SQLite's virtual machine runs this many steps, well under a millisecond, between two looks at the clock."""

_CANCELLED = "57014"


class QueryTimeout(QueryError):
    """A statement took longer than it may and was stopped; nothing is wrong with the query but its size."""

    def __init__(self, seconds: float, length: int) -> None:
        super().__init__(f"Stopped after {seconds:g} s; add a term that narrows it, such as biz:yesterday", 0, length)


@contextmanager
def limited(connection: Connection, wall: Clock, seconds: float, query: str) -> Iterator[None]:
    """Stop the statements of the block after `seconds` of wall time; raises QueryTimeout, which points at `query`."""
    stop = _limit_sqlite if connection.dialect.name == "sqlite" else _limit_postgresql
    try:
        with stop(connection, wall, seconds):
            yield
    except (DBAPIError, sqlite3.OperationalError) as error:
        if _is_stopped(error):
            raise QueryTimeout(seconds, len(query)) from None
        raise


@contextmanager
def _limit_sqlite(connection: Connection, wall: Clock, seconds: float) -> Iterator[None]:
    raw: Any = connection.connection.driver_connection
    deadline = wall.monotonic() + seconds
    raw.set_progress_handler(lambda: wall.monotonic() > deadline, _STEPS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


@contextmanager
def _limit_postgresql(connection: Connection, wall: Clock, seconds: float) -> Iterator[None]:
    """The server keeps the time itself; the setting ends with the transaction."""
    connection.execute(select(func.set_config("statement_timeout", f"{seconds * 1000:.0f}", True)))
    yield


def _is_stopped(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorname", "") == "SQLITE_INTERRUPT" or getattr(cause, "sqlstate", "") == _CANCELLED
