"""A console whose every name and log line is hostile, for a test that reads what a real terminal is sent."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import ClassVar

from textual.app import App, ComposeResult

from dpconsole.widgets.columns import Column
from dpconsole.widgets.header import Engine, Header, HeaderState
from dpconsole.widgets.log_view import LogView
from dpconsole.widgets.row_table import RowTable
from dpconsole.widgets.sheets import every_sheet, tokens

NASTIES = (
    "[/]",
    "\x1b]52;c;QUFBQQ==\x07",
    "\x1b]0;never ended",
    "\x1bP+q544e\x1b\\",
    "\x1b[2J\x1b[?1049l",
    "\x9b2J",
    "\x90q\x9c",
    "\u202egnp.txt",
    "\u200b\ufeff",
    "\0\x07\x08\x7f",
    "line\r\nbreak\x0b\x0c\x85",
    "\x0e\x0f",
    "[link=https://x]",
    "=cmd()",
    "交" * 300,
)


@dataclass(frozen=True)
class Row:
    id: int

    @property
    def name(self) -> str:
        return NASTIES[self.id % len(NASTIES)]


class HostileApp(App[None]):
    """A table and a log of nasties."""

    CSS_PATH = every_sheet()
    BINDINGS: ClassVar = [("j", "focused.cursor_down", ""), ("space", "focused.mark_and_step", "")]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return tokens()

    def compose(self) -> ComposeResult:
        name = "".join(NASTIES)
        yield Header(HeaderState(name, True, name, name, name, Engine(name)))
        yield RowTable([Column("name", name, 60, lambda row: row.name, flex=1)], lambda ids: [Row(n) for n in ids])
        yield LogView()

    def on_mount(self) -> None:
        self.query_one(RowTable).show(array("q", range(1, 301)))
        log = "\n".join(f"\x1b[31mline {n}\x1b[0m {name}" for n in range(20) for name in NASTIES).encode()
        self.query_one(LogView).open(lambda offset, limit: (log[offset : offset + limit], offset + limit))


if __name__ == "__main__":
    HostileApp().run()
