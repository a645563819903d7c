"""The words of a node in a picture, once for the console and for the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dpconsole.core.graph.window import WindowNode


class NodeWords(NamedTuple):
    """What is written on a node, in the order in which it is; a word that says nothing is empty.

    `above` and `below` count what stands beside it where the picture ends, `glyph` is its status, `due` its due time.
    """

    above: str
    glyph: str
    name: str
    due: str
    held: str
    below: str


def node_words(
    node: WindowNode, when: Callable[[int], str], *, is_main: bool = False, ascii: bool = False
) -> NodeWords:
    """The words of a node; the main one stands in brackets. `when` writes a due time, UTC milliseconds."""
    return NodeWords(
        above=f"+{node.hidden_up}" if node.hidden_up > 0 and node.level <= 0 else "",
        glyph="" if node.status is None else node.status.ascii if ascii else node.status.glyph,
        name=f"[{node.title}]" if is_main else node.title,
        due="" if node.due_at is None else when(node.due_at),
        held="paused" if node.paused else "",
        below=f"+{node.hidden_down}" if node.hidden_down > 0 and node.level >= 0 else "",
    )
