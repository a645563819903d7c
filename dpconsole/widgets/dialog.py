"""What every dialog looks like: a title, a body that scrolls, and the keys that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from dpconsole.widgets.footer import Footer, FooterKey
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.safe import SafeText

Answer = TypeVar("Answer")


MOST_OF_THE_SCREEN = 90
"""Percent of the screen's lines that a dialog takes at most."""


class DialogBody(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The part that scrolls; it has no keys of its own, so that the app's registry has them all."""


class Dialog(ModalScreen[Answer]):
    """A modal dialog; a subclass fills `compose_body` and binds its answers to `dismiss`.

    Keys come from the app's registry: `cancel` is the action behind Esc and answers None.
    """

    DEFAULT_CSS = f"""
    Dialog {{ align: center middle; }}
    Dialog > Vertical {{ width: 80%; max-width: 100; height: auto; max-height: {MOST_OF_THE_SCREEN}%; }}
    Dialog DialogBody {{ height: auto; max-height: 100%; }}
    Dialog .dialog--title {{ height: 1; }}
    """

    def __init__(
        self,
        title: str,
        body: Cell = "",
        keys: Sequence[FooterKey] = (),
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._title = title
        self._body = SafeText(body)
        self._footer = Footer(keys)

    def compose(self) -> ComposeResult:
        """Title, body, keys."""
        with Vertical():
            yield SafeText([(self._title, Ink.STRONG)], keep_lines=False, classes="dialog--title")
            with DialogBody():
                yield from self.compose_body()
            yield self._footer

    def compose_body(self) -> ComposeResult:
        """The widgets between title and keys."""
        yield self._body

    def show_body(self, body: Cell) -> None:
        """Say something else."""
        self._body.show(body)

    def show_keys(self, keys: Sequence[FooterKey], lead: Cell = "") -> None:
        """Other keys answer now."""
        self._footer.show_keys(keys, lead)

    def action_cancel(self) -> None:
        """Go without an answer."""
        self.dismiss(None)
