"""Arrays in: one bound JSON document becomes a set of rows, the same way on SQLite and PostgreSQL.

A statement over ten thousand ids is then one cached statement with one parameter, where `IN (...)` would be compiled
anew for every length.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    bindparam,
    cast,
    column,
    literal_column,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import String, TypeEngine

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class _Each(FunctionElement[Any]):
    """The elements of a JSON array, as a table with one column `value`."""

    name = "each_element"
    inherit_cache = True


class _Pairs(FunctionElement[Any]):
    """The members of a JSON object, as a table with the columns `key` and `value`."""

    name = "each_pair"
    inherit_cache = True


class _Item(FunctionElement[Any]):
    """The n-th item of a JSON array, as a value of the given type."""

    name = "item"
    inherit_cache = True

    def __init__(self, value: ColumnElement[Any], index: ColumnElement[int], type_: TypeEngine[Any]) -> None:
        self.type = type_
        super().__init__(value, index)


@compiles(_Each, "sqlite")
def _each_sqlite(element: _Each, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_Each, "postgresql")
def _each_postgresql(element: _Each, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **kw)} AS jsonb))"


@compiles(_Pairs, "sqlite")
def _pairs_sqlite(element: _Pairs, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_Pairs, "postgresql")
def _pairs_postgresql(element: _Pairs, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_each_text(CAST({compiler.process(element.clauses, **kw)} AS jsonb))"


@compiles(_Item, "sqlite")
def _item_sqlite(element: _Item, compiler: SQLCompiler, **kw: Any) -> str:
    value, index = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_extract({value}, '$[' || {index} || ']')"


@compiles(_Item, "postgresql")
def _item_postgresql(element: _Item, compiler: SQLCompiler, **kw: Any) -> str:
    value, index = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST({value} ->> {index} AS {compiler.dialect.type_compiler_instance.process(element.type)})"


class _Value(FunctionElement[Any]):
    """The element itself, as a whole number."""

    name = "whole"
    inherit_cache = True
    type = BigInteger()


@compiles(_Value, "sqlite")
def _value_sqlite(element: _Value, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(_Value, "postgresql")
def _value_postgresql(element: _Value, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} #>> '{{}}' AS BIGINT)"


def _table(parameter: str) -> FromClause:
    return _Each(bindparam(parameter, type_=String)).table_valued(column("value", String), name=f"{parameter}_each")


def id_set(parameter: str = "ids") -> ScalarSelect[int]:
    """`... IN id_set()`: the ids of the JSON list bound as `parameter` (see `bind`)."""
    return id_rows(parameter).scalar_subquery()


def id_rows(parameter: str = "ids") -> Select[tuple[int]]:
    """The ids of the JSON list bound as `parameter`, as a select with one column `id`."""
    table = _table(parameter)
    return select(_Value(table.c.value).label("id"))


def id_map(parameter: str) -> FromClause:
    """The JSON object bound as `parameter`, whole numbers by id, as a table with the columns `id` and `value`."""
    pairs = _Pairs(bindparam(parameter, type_=String)).table_valued(
        column("key", String), column("value", String), name=f"{parameter}_each"
    )
    id_, value = cast(pairs.c.key, BigInteger), cast(pairs.c.value, BigInteger)
    return select(id_.label("id"), value.label("value")).subquery(parameter)


def row_set(parameter: str, **columns: TypeEngine[Any] | type[TypeEngine[Any]]) -> FromClause:
    """The JSON list of lists bound as `parameter`, as a table with these columns in this order."""
    table = _table(parameter)
    items = [
        _Item(table.c.value, _literal(index), type_() if isinstance(type_, type) else type_).label(name)
        for index, (name, type_) in enumerate(columns.items())
    ]
    return select(*items).subquery(parameter)


def _literal(number: int) -> ColumnElement[int]:
    return literal_column(str(number))


def bind(values: Iterable[int] | Sequence[Sequence[Any]]) -> str:
    """The document to bind for `id_set`, `id_rows` and `row_set`."""
    return _encode(list(values))


def bind_map(values: Mapping[int, int]) -> str:
    """The document to bind for `id_map`."""
    return _encode(values)
