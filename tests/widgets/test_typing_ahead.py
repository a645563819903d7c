"""Keys that arrive together are dealt with one after another."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Input

from dpconsole.widgets.typing_ahead import TypingAhead


class Asking(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("f", "ask", "ask")]

    def compose(self) -> ComposeResult:
        yield Input(id="answer")

    def on_mount(self) -> None:
        self.set_focus(None)

    def action_ask(self) -> None:
        self.query_one(Input).focus()


class Desk(TypingAhead[None]):
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [("o", "open", "open")]

    def action_open(self) -> None:
        self.push_screen(Asking())


async def test_a_key_goes_where_the_one_before_it_leads() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        for key in "ofoff":
            app.post_message(events.Key(key, key))
        await pilot.pause(0.2)
        assert isinstance(app.screen, Asking)
        assert app.screen.query_one(Input).value == "off"
