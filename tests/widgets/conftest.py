"""A small app around one widget, and hostile texts, for the tests of the widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget

from dpconsole.widgets.sheets import every_sheet, tokens


class WidgetApp(App[None]):
    """One widget with every sheet loaded; actions are bound to keys as the app's registry would do it."""

    CSS_PATH = every_sheet()
    BINDINGS: ClassVar = []

    def __init__(self, *widgets: Widget, keys: dict[str, str] | None = None) -> None:
        super().__init__()
        self.animation_level = "none"
        self.widgets = widgets
        self.heard: list[Message] = []
        for key, action in (keys or {}).items():
            self._bindings.key_to_bindings.setdefault(key, []).append(Binding(key, f"focused.{action}", ""))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return tokens(self.native_ansi_color)

    def compose(self) -> ComposeResult:
        yield from self.widgets

    def hear(self, message: Message) -> None:
        self.heard.append(message)

    def lines(self, widget: Widget | None = None) -> list[str]:
        """What the widget shows, line by line."""
        target = widget or self.widgets[0]
        return [target.render_line(y).text for y in range(target.size.height)]


@pytest.fixture
def widget_app() -> Callable[..., WidgetApp]:
    return WidgetApp


HOSTILE_NAMES: Sequence[str] = (
    "[/]",
    "[link=https://x]",
    "\x1b]52;c;AAAA\x07",
    "\x1b]0;title",
    "\x9b31m",
    "交" * 300,
    "gnp\u202etxt",
    "a\nb\tc",
    "\ud800",
    "👩‍👩‍👧 family",
    "e\u0301" * 50,
    "",
)


@pytest.fixture
def hostile_names() -> Sequence[str]:
    return HOSTILE_NAMES
