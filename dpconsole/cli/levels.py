"""Levels of a graph as they are typed: a number, or all there are."""

from __future__ import annotations

import click

ALL = ("all", "unlimited")
"""The words for no limit."""


class Levels(click.ParamType[int | None]):
    """A number of levels, `least` to `most` of them, or a word for all, which reads as None."""

    name = "levels"

    def __init__(self, least: int, most: int | None = None) -> None:
        self._least, self._most = least, most

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """The number, or None for all."""
        text = str(value).strip().lower()
        if text in ALL:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10 and self._holds(int(text))):
            numbers = f"{self._least} to {self._most}" if self._most else "a number"
            self.fail(f"{value!r} is no number of levels: write {numbers}, or {' or '.join(ALL)}", param, ctx)
        return int(text)

    def _holds(self, number: int) -> bool:
        return self._least <= number <= (self._most or number)
