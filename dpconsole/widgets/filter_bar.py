"""The filter: a line to type in, and under it, only while the text is wrong, what is wrong and where."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from dpconsole.core.domain.text import clean
from dpconsole.widgets.ink import Ink
from dpconsole.widgets.line import Line

CARET = "^"
SIGN, SIGN_WIDTH = "/", 2
"""Before the text: this line is the filter."""


class FilterBar(Vertical):
    """The bar tells each change; the screen asks its query language and answers with `show_error` or `clear_error`."""

    DEFAULT_CSS = """
    FilterBar { height: auto; }
    FilterBar Horizontal { height: 1; }
    FilterBar .filter-bar--sign { width: 2; }
    FilterBar Input { width: 1fr; height: 1; border: none; padding: 0; }
    """

    class BarMessage(Message):
        """A message of a filter bar."""

        def __init__(self, bar: FilterBar, text: str) -> None:
            self.bar = bar
            self.text = text
            super().__init__()

        @property
        def control(self) -> FilterBar:
            """The bar, for `@on` selectors."""
            return self.bar

    class Changed(BarMessage):
        """The text is another one, while it is typed."""

        def can_replace(self, message: Message) -> bool:
            """Only the last text counts."""
            return isinstance(message, FilterBar.Changed) and message.bar is self.bar

    class Submitted(BarMessage):
        """The operator has done with the text."""

    def __init__(
        self,
        text: str = "",
        *,
        placeholder: str = "status:failed owner:me biz:-1d  …",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._start = clean(text)
        self._input = Input(placeholder=placeholder, select_on_focus=False)
        self._input.cursor_blink = False
        self._input.can_focus = False  # or it would take the keys whenever the list has no room to be seen
        self._sign = Line([(SIGN, Ink.DIM)], classes="filter-bar--sign")
        self._error = Line(classes="filter-bar--error")

    def compose(self) -> ComposeResult:
        """The input; the error line stays out of the way until there is one."""
        self._error.display = False
        self._input.value = self._start
        with Horizontal():
            yield self._sign
            yield self._input
        yield self._error

    @property
    def text(self) -> str:
        """What is typed."""
        return self._input.value

    @text.setter
    def text(self, text: str) -> None:
        self._input.value = clean(text)

    def focus_input(self) -> None:
        """Type here, at the end of what is there."""
        self._input.can_focus = True
        self.screen.set_focus(self._input)
        self._input.cursor_position = len(self._input.value)

    def show_error(self, message: str, column: int) -> None:
        """Say what is wrong, with a caret under the wrong place (`column` cells from the beginning of the text)."""
        self._error.show([(" " * (SIGN_WIDTH + max(0, column)) + CARET, Ink.ERROR), (f" {message}", Ink.ERROR)])
        self._error.display = True

    def clear_error(self) -> None:
        """The text is right again."""
        self._error.display = False

    def on_descendant_blur(self) -> None:
        """Only whoever asks for it types here."""
        self._input.can_focus = False

    def on_click(self) -> None:
        """A click asks for it."""
        self.focus_input()

    @on(Input.Changed)
    def _tell_change(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))

    @on(Input.Submitted)
    def _tell_submission(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(self, event.value))
