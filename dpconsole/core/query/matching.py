"""Matching text: anywhere in it, by a pattern with `*`, or whole - any case, the same way on both databases."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Boolean, ColumnElement, SQLColumnExpression, Text, bindparam, cast, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from dpconsole.core.query.language import Value

Column = SQLColumnExpression[Any]
"""A column of a model, or an expression over some."""

ESCAPE = "!"
_ESCAPES = str.maketrans({char: ESCAPE + char for char in (ESCAPE, "%", "_")})


class _Like(FunctionElement[bool]):
    """`text LIKE pattern` in any case. SQLAlchemy's own spells it `lower(text) LIKE lower(pattern)` on SQLite, which
    costs a million rows twice the time.
    """

    name = "like_in_any_case"
    inherit_cache = True
    type = Boolean()


@compiles(_Like, "sqlite")
def _like_sqlite(element: _Like, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({text} LIKE {pattern} ESCAPE '{ESCAPE}')"


@compiles(_Like, "postgresql")
def _like_postgresql(element: _Like, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({text} ILIKE {pattern} ESCAPE '{ESCAPE}')"


def like(column: Column, pattern: str) -> ColumnElement[bool]:
    """Whether a text is like a pattern made with `escaped`."""
    return _Like(column, bindparam(None, pattern, type_=Text, unique=True))


def escaped(text: str) -> str:
    """The text as a part of a pattern that stands for itself."""
    return text.translate(_ESCAPES)


def is_pattern(value: Value) -> bool:
    """Whether a `*` in the value stands for anything."""
    return "*" in value.text and not value.quoted


def pattern(value: Value) -> str:
    """The pattern of a value with `*`."""
    return escaped(value.text).replace("*", "%")


def contains(column: Column, value: Value) -> ColumnElement[bool]:
    """The value anywhere in the text; a value with `*` must be the whole text."""
    return like(column, pattern(value) if is_pattern(value) else f"%{escaped(value.text)}%")


def has_element(column: Column, value: Value) -> ColumnElement[bool]:
    """A JSON list of texts, matched as text: the value is one of its elements.

    JSON may spell a character beyond ASCII as itself or as an escape, so both are looked for.
    """
    text = cast(column, Text)
    wanted = pattern if is_pattern(value) else (lambda value: escaped(value.text))
    spelled = {json.dumps(wanted(value), ensure_ascii=ascii) for ascii in (False, True)}
    return or_(*(like(text, f"%{element}%") for element in sorted(spelled)))
