"""Statements of the hot path: built and compiled once, then handed to the driver as they are.

What SQLAlchemy does around a statement - caching, typing, wrapping of rows - costs ten times what SQLite takes to run
a small one, and the engine says a dozen in every pass. A `Prepared` is an ordinary Core construct, so it reads and is
portable like every other, but its parameters go to the driver untouched and its rows come back as plain tuples:
statuses as text, and on SQLite flags as 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError

Compiled = tuple[str, Callable[[dict[str, Any]], Any]]
"""The text of a statement, and what turns named parameters into those its driver takes."""


class Prepared:
    """One statement, for every dialect. Lists of values go in as documents (see `arrays`), never as `IN (...)`."""

    def __init__(self, statement: Executable) -> None:
        self._statement: Any = statement
        self._compiled: dict[str, Compiled] = {}

    def all(self, connection: Connection, **parameters: Any) -> list[Any]:
        """Run it and return every row."""
        rows: list[Any] = self._run(connection, parameters).fetchall()
        return rows

    def one(self, connection: Connection, **parameters: Any) -> Any:
        """Run it and return its first row; None where there is none."""
        return next(iter(self.all(connection, **parameters)), None)

    def run(self, connection: Connection, **parameters: Any) -> None:
        """Run it for what it does."""
        self._run(connection, parameters)

    def _run(self, connection: Connection, parameters: dict[str, Any]) -> Any:
        dialect = connection.dialect
        text, arguments = self._compiled.get(dialect.name) or self._compile(dialect)
        cursor = connection.connection.cursor()
        try:
            dialect.do_execute(cursor, text, arguments(parameters))
        except dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(text, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
        return cursor

    def _compile(self, dialect: Dialect) -> Compiled:
        compiled = self._statement.compile(dialect=dialect)
        own = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        order = compiled.positiontup
        if order is None:
            made: Compiled = str(compiled), lambda given: own | given
        else:
            made = str(compiled), lambda given: [given[name] if name in given else own[name] for name in order]
        self._compiled[dialect.name] = made
        return made
