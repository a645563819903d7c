"""A layout as characters: box drawing, or plain ASCII."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dpconsole.core.graph.layout import Cell, Layout


def characters(layout: Layout, *, ascii: bool = False) -> Mapping[Cell, str]:
    """The character of every cell a wire runs through."""
    raise NotImplementedError


def frames(layout: Layout, *, ascii: bool = False) -> Mapping[Cell, str]:
    """The characters of the frames of the boxes; empty for a picture of lines."""
    raise NotImplementedError


def draw(
    layout: Layout, labels: Mapping[int, str], *, ascii: bool = False, width_of: Callable[[str], int] = len
) -> list[str]:
    """The picture as lines of text, without trailing blanks. `width_of` measures a text in cells."""
    raise NotImplementedError
