"""Rows as a spreadsheet reads them: CSV in which no cell can be taken for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

_GUARD = "'"


def write_csv(stream: TextIO, columns: Sequence[str], items: Iterable[Mapping[str, Any]]) -> None:
    """Write a header and a line for each item, in the order of `columns`; keys an item lacks stay empty.

    Lists are joined with commas, truths are `true` and `false`, and text that a spreadsheet would compute gets a `'`.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(item.get(column)) for column in columns] for item in items)


def cell(value: Any) -> str:
    """A value as the text of one cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return _guarded(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={part}" for key, part in value.items())
    return str(value) if isinstance(value, str) else ", ".join(str(part) for part in value)


def _guarded(text: str) -> str:
    return _GUARD + text if text.startswith(_FORMULA) else text
