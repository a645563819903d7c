"""What a test does at the keyboard, and how it reads the screen."""

from __future__ import annotations

from contextlib import suppress

from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from dpconsole.app import ConsoleApp

DIALOGS = "default"
"""The group of workers that wait for an operator's answer."""

QUIET_ROUNDS = 3
"""Rounds in a row without a thread at work: an answer may open a screen, which asks again."""

KEYS = {
    "!": "exclamation_mark",
    "*": "asterisk",
    "~": "tilde",
    "+": "plus",
    "_": "underscore",
    ",": "comma",
    "=": "equals_sign",
    "{": "left_curly_bracket",
    "}": "right_curly_bracket",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "/": "slash",
    "?": "question_mark",
    ":": "colon",
    "@": "at",
    "-": "minus",
    " ": "space",
}
"""Names of keys by what is printed on them."""


async def settle(pilot: Pilot[int]) -> None:
    """Wait until every key is dealt with, every thread has answered, and every answer is on the screen."""
    assert isinstance(pilot.app, ConsoleApp)
    quiet = 0
    while quiet < QUIET_ROUNDS:
        await pilot.app.dealt_with()
        await pilot.pause()
        reading = [worker for worker in pilot.app.workers if worker.group != DIALOGS and not worker.is_finished]
        quiet = 0 if reading else quiet + 1
        for worker in reading:
            with suppress(WorkerCancelled):  # a newer question took its place
                await worker.wait()
    await pilot.pause()


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press keys one after the other, each when the one before has done its work."""
    for key in keys:
        await pilot.press(KEYS.get(key, key))
        await settle(pilot)


async def type_text(pilot: Pilot[int], text: str) -> None:
    """Type a text, a character a key."""
    await pilot.press(*(KEYS.get(char, char) for char in text))
    await settle(pilot)


async def resize(pilot: Pilot[int], width: int, height: int) -> None:
    """Another size of the terminal; the screen hears of it at once, where Textual would let a timer run first."""
    await pilot.resize_terminal(width, height)
    pilot.app._check_resize()
    await settle(pilot)


async def pulse(pilot: Pilot[int]) -> None:
    """Let the app's timer come round once."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    app.beat()
    await settle(pilot)


def lines(pilot: Pilot[int]) -> list[str]:
    """What the screen on top shows, line by line."""
    strips = pilot.app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def text(pilot: Pilot[int]) -> str:
    """What the screen on top shows."""
    return "\n".join(lines(pilot))
