"""Statements of the hot path: built and compiled once, then handed to the driver as they are.

What SQLAlchemy does around a statement - caching, typing, wrapping of rows - costs ten times what SQLite takes to run
a small one, and the engine says a dozen in every pass. A `Prepared` is an ordinary Core construct, so it reads and is
portable like every other, but its parameters go to the driver untouched and its rows come back as plain tuples:
statuses as text, and on SQLite flags as 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.schema import ScalarElementColumnDefault

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

    def each(self, connection: Connection, **parameters: Any) -> Iterator[Any]:
        """Run it and give its rows one by one; for many rows of which something smaller is kept."""
        return iter(self._run(connection, parameters))

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
        with _translated(dialect, text):
            dialect.do_execute(cursor, text, arguments(parameters))
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


class Insertion:
    """An insert of many rows into a table, each a tuple of `columns`; every other column takes its model's default."""

    def __init__(self, table: Table | Any, columns: Sequence[str]) -> None:
        self._table: Table = table
        self._columns = tuple(columns)
        self._texts: dict[str, str] = {}

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Hand all rows to the driver at once: values are of plain types, as its columns hold them."""
        if not rows:
            return
        dialect = connection.dialect
        text = self._texts.get(dialect.name) or self._texts.setdefault(dialect.name, self._text(dialect))
        cursor = connection.connection.cursor()
        with _translated(dialect, text):
            dialect.do_executemany(cursor, text, rows)
        cursor.close()

    def _text(self, dialect: Dialect) -> str:
        quote = dialect.identifier_preparer.quote
        place = "?" if dialect.paramstyle == "qmark" else "%s"
        values = dict.fromkeys(self._columns, place)
        for column in self._table.columns:
            if column.name not in values and isinstance(column.default, ScalarElementColumnDefault):
                literal = column.type.dialect_impl(dialect).literal_processor(dialect)
                assert literal is not None
                values[column.name] = literal(column.default.arg)
        names = ", ".join(map(quote, values))
        return f"INSERT INTO {quote(self._table.name)} ({names}) VALUES ({', '.join(values.values())})"


@contextmanager
def _translated(dialect: Dialect, text: str) -> Iterator[None]:
    """Turn a driver's error into the one SQLAlchemy would have raised."""
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(text, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
