"""Typing into a line of a form: what keys do to the text, and which part of a long one is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.widgets.cells import width_of
from dpconsole.widgets.line_edit import LineEdit


def typed(*keys: str, text: str = "one two") -> LineEdit:
    line = LineEdit(text)
    for key in keys:
        if not line.press(key):
            line.insert(key)
    return line


@pytest.mark.parametrize(
    ("keys", "text", "cursor"),
    [
        ((), "one two", 7),
        (("x",), "one twox", 8),
        (("home", "x"), "xone two", 1),
        (("left", "left", "x"), "one txwo", 6),
        (("backspace",), "one tw", 6),
        (("home", "backspace", "delete"), "ne two", 0),
        (("end", "delete", "right"), "one two", 7),
        (("ctrl+w",), "one ", 4),
        (("ctrl+w", "ctrl+w"), "", 0),
        (("left", "left", "left", "ctrl+u"), "two", 0),
        (("home", "left", "交"), "交one two", 1),
    ],
)
def test_what_a_key_does_to_the_line(keys: tuple[str, ...], text: str, cursor: int) -> None:
    line = typed(*keys)
    assert (line.text, line.cursor) == (text, cursor)


@pytest.mark.parametrize(
    ("keys", "text"), [(("x",), "x"), (("left", "x"), "one twxo"), (("backspace",), ""), (("end", "x"), "one twox")]
)
def test_the_first_character_takes_the_place_of_what_one_comes_to(keys: tuple[str, ...], text: str) -> None:
    line = LineEdit("one two")
    line.come()
    for key in keys:
        if not line.press(key):
            line.insert(key)
    assert line.text == text


def test_control_characters_are_made_visible() -> None:
    assert "\x1b" not in typed("\x1b[2J").text


@given(st.text(st.sampled_from("ab 交é"), max_size=60), st.integers(0, 60), st.integers(4, 40))
def test_the_cursor_is_always_in_sight(text: str, cursor: int, width: int) -> None:
    line = LineEdit(text)
    line.cursor = min(cursor, len(line.text))
    seen, at = line.seen(width)
    assert seen in line.text
    assert 0 <= at <= len(seen)
    assert width_of(seen) + (at == len(seen)) <= width
