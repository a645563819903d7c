"""Rows into an .xlsx workbook, one at a time, every cell as text.

What a task is called must be what the spreadsheet shows: a name that begins with `=` is no formula, `#N/A` is no error,
`1/2` no date. So every cell is written as a string, cleaned of what XML or the spreadsheet would choke on, and a text
too long for a cell is cut with a mark. Rows go straight to the disk: a workbook of a million needs no more memory than
one of a thousand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, NamedTuple, TypeVar
from zipfile import ZIP_DEFLATED, ZipFile

from dpconsole.core.domain.clock import to_datetime
from dpconsole.core.domain.text import ELLIPSIS, REPLACEMENT, clean
from dpconsole.core.export.places import named

if TYPE_CHECKING:
    from openpyxl import Workbook

Row = TypeVar("Row")

CELL_LIMIT = 32_767
"""What a cell holds, in UTF-16 units."""

ROWS_PER_SHEET = 1_048_575
"""What a sheet holds below its header."""

_NOT_XML = {0xFFFE: REPLACEMENT, 0xFFFF: REPLACEMENT}
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


class Column(NamedTuple, Generic[Row]):
    """One column of a sheet: its header, what it says of a row, its width in characters."""

    title: str
    value: Callable[[Row], str]
    width: int


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Row]):
    """What a workbook looks like; `note` goes into its properties. Rows beyond `limit` continue on another sheet."""

    title: str
    columns: Sequence[Column[Row]]
    note: str = ""
    limit: int = ROWS_PER_SHEET


def cell_text(text: str) -> str:
    """What is written into a cell so that a spreadsheet shows `text`, as one line, at most 32,767 UTF-16 units.

    `_x0041_` is how the format escapes a character; text that only looks like it has its underscore escaped.
    """
    return _cut(_ESCAPE.sub("_x005F_", clean(text, CELL_LIMIT).translate(_NOT_XML)))


def _cut(text: str) -> str:
    if len(text) * 2 <= CELL_LIMIT:
        return text
    units = text.encode("utf-16-le")
    if len(units) // 2 <= CELL_LIMIT:
        return text
    return units[: (CELL_LIMIT - 1) * 2].decode("utf-16-le", "ignore") + ELLIPSIS


def write_workbook(file: BinaryIO, sheet: Sheet[Row], pages: Iterable[Iterable[Row]], now_ms: int) -> None:
    """Write a workbook with all rows of the pages; `now_ms` is when it was made.

    The sheets grow in the system's directory for temporary files, uncompressed, until the last row is there; they are
    gone when this returns or raises. Raises ExportError when that directory is full, OSError when `file` fails.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.description = sheet.note
    book.properties.created = book.properties.modified = to_datetime(now_ms, UTC).replace(tzinfo=None)
    try:
        _fill(book, sheet, pages)
        with named(Path(gettempdir())):
            _close(book)
        _save(book, file)
    finally:
        _discard(book)


def _fill(book: Workbook, sheet: Sheet[Row], pages: Iterable[Iterable[Row]]) -> None:
    lines = _lines(book, sheet)
    written = 0
    for page in pages:
        for row in page:
            if written == sheet.limit:
                lines, written = _lines(book, sheet), 0
            lines.append([column.value(row) for column in sheet.columns])
            written += 1


def _lines(book: Workbook, sheet: Sheet[Any]) -> _Lines:
    """A new sheet with its header, which stays in sight."""
    number = len(book.worksheets) + 1
    made: Any = book.create_sheet(sheet.title if number == 1 else f"{sheet.title} ({number})")
    made.freeze_panes = "A2"
    lines = _Lines(made)
    lines.widen(column.width for column in sheet.columns)
    lines.append([column.title for column in sheet.columns])
    return lines


class _Lines:
    """The lines of one sheet, each written as it is appended."""

    def __init__(self, sheet: Any) -> None:
        from openpyxl.cell import WriteOnlyCell

        self._sheet = sheet
        self._make: Callable[[Any, str], Any] = WriteOnlyCell

    def widen(self, widths: Iterable[int]) -> None:
        """Set the widths of the columns, before the first line."""
        from openpyxl.utils import get_column_letter

        for number, width in enumerate(widths, 1):
            self._sheet.column_dimensions[get_column_letter(number)].width = width

    def append(self, values: Iterable[str]) -> None:
        """Write one line."""
        with named(Path(gettempdir())):
            self._sheet.append([self._cell(value) for value in values])

    def _cell(self, value: str) -> Any:
        """A cell of text, whatever the text looks like: openpyxl would make formulas and errors of some.

        One without a text is empty, but there, so that all lines are of one length.
        """
        cell = self._make(self._sheet, cell_text(value))
        cell.data_type = "s" if value else "n"
        return cell


def _close(book: Workbook) -> None:
    sheets: list[Any] = book.worksheets
    for sheet in sheets:
        sheet.close()


def _save(book: Workbook, file: BinaryIO) -> None:
    """What `Workbook.save` does, but an archive that failed is closed at once and not by the garbage collector."""
    from openpyxl.writer.excel import ExcelWriter

    archive = ZipFile(file, "w", ZIP_DEFLATED, allowZip64=True)
    try:
        ExcelWriter(book, archive).save()
    except BaseException:
        with suppress(Exception):
            archive.close()
        raise


def _discard(book: Workbook) -> None:
    """Remove the files of sheets that were never saved: openpyxl keeps them until the process ends."""
    sheets: list[Any] = book.worksheets
    for sheet in sheets:
        writer = sheet._writer
        if writer is None or not Path(writer.out).exists():
            continue
        for generator in (sheet._rows, writer.xf):
            with suppress(Exception):
                generator.close()
        writer.cleanup()
