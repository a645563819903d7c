"""The `:` line: a screen, a verb or an action by its name, or else a query for the instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dpconsole.screens.prompts import TextPrompt
from dpconsole.screens.session import Session

ACTIONS: dict[str, str] = {
    "q": "quit",
    "quit": "quit",
    "help": "help",
    "back": "back",
    "environment": "switch_environment",
    "env": "switch_environment",
    "palette": "palette",
}
"""Words that name an action of the app."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for: `go` to a screen, a `verb`, an `action` of the app, or the instances of a `query`."""

    kind: str
    value: str


def read_order(text: str, places: Sequence[str], verbs: Sequence[str]) -> Order:
    """What a line means; the beginning of a screen's or verb's name is enough where it fits only one."""
    word = text.strip().lower()
    if word in ACTIONS:
        return Order("action", ACTIONS[word])
    for kind, names in (("go", places), ("verb", verbs)):
        fitting = [name for name in names if name == word] or [name for name in names if name.startswith(word)]
        if len(fitting) == 1:
            return Order(kind, fitting[0])
    return Order("query", text.strip())


class CommandLine(TextPrompt):
    """Asks for a command."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Command", placeholder="home  instances  tasks  rerun  quit  status:failed owner:me")
