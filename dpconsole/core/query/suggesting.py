"""What could be typed next: field names, and the values a field knows, for the word under the cursor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from dpconsole.core.query.fields import FIELDS, ListKind

_WORD = re.compile(
    r"(?P<sign>-?)(?:(?P<field>[^\W\d]\w*)(?P<operator>\s*(?:!=|[<>]=?|[:=])\s*)(?P<values>.*)|(?P<name>.*))"
)
_BEGINS = re.compile(r"""(?:[^\s()"]|"(?:[^"\\]|\\.)*"?)*\Z""")
_SHOWN = 20

Known: TypeAlias = Callable[[str], Iterable[str]]
"""The values of a field that are found in the store: owners, projects, tags."""


def nothing(_field: str) -> Iterable[str]:
    """Where no store is at hand."""
    return ()


def word_at(text: str, cursor: int) -> tuple[int, str]:
    """Where the word under the cursor begins, and what of it is written before the cursor."""
    begins = _BEGINS.search(text[:cursor])
    start = begins.start() if begins else cursor
    return start, text[start:cursor]


def suggest(text: str, cursor: int, kind: ListKind = ListKind.INSTANCES, known: Known = nothing) -> list[str]:
    """Words that could replace the one under the cursor (`word_at`), the likeliest first; empty when none is known.

    After a field and its operator come values of it, with what stands before them; otherwise names of fields.
    """
    _, word = word_at(text, cursor)
    match = _WORD.fullmatch(word)
    if match is None:
        return []
    if match["field"] is None:
        names = (f"{name}:" for name in FIELDS[kind])
        return [match["sign"] + name for name in names if name.startswith(match["name"].lower())][:_SHOWN]
    done, comma, typed = match["values"].rpartition(",")
    before = f"{match['sign']}{match['field']}{match['operator']}{done}{comma}"
    return [before + value for value in _values(kind, match["field"], typed, known)][:_SHOWN]


def _values(kind: ListKind, name: str, typed: str, known: Known) -> list[str]:
    field = FIELDS[kind].get(name.lower())
    if field is None:
        return []
    begun = typed.strip('"').casefold()
    values = (*field.words, *known(field.name))
    return [_written(value) for value in dict.fromkeys(values) if value.casefold().startswith(begun)]


def _written(value: str) -> str:
    """The value as it must be written: quoted when it would be read as more than one word."""
    if re.fullmatch(r"[^\s(),\"*]+", value) and value:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
