"""Work that leaves the UI thread: reading, planning, saving. It answers with messages and touches no widget."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from textual import work
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker

from dpconsole.core.services import StoreError

Host = TypeVar("Host", bound=Screen[Any])
Given = ParamSpec("Given")


class StoreRefused(Message):
    """The store would not do something; the words say what and why, and what to do next."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__()


def in_thread(
    group: str, *, exclusive: bool = True
) -> Callable[[Callable[Concatenate[Host, Given], None]], Callable[Concatenate[Host, Given], Worker[None]]]:
    """Run a method of a screen in a thread; with `exclusive`, an older one of the same group no longer counts.

    A `StoreError` comes back as `StoreRefused`. Whatever else is raised is a bug and ends the console. Textual is told
    what the work is called: left to describe it, it would write out every argument, a plan of all its rows.
    """

    def decorate(method: Callable[Concatenate[Host, Given], None]) -> Callable[..., Worker[None]]:
        @work(thread=True, exclusive=exclusive, group=group, description=method.__qualname__)
        @wraps(method)
        def run(self: Host, *args: Given.args, **kwargs: Given.kwargs) -> None:
            try:
                method(self, *args, **kwargs)
            except StoreError as error:
                self.post_message(StoreRefused(str(error)))

        return run

    return decorate
