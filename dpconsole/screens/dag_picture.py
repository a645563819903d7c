"""What a DAG screen draws: a window of the graph in boxes, laid out, and what is written on them.

A box is a node, or several: a group of an aggregated picture, or what a crowded level leaves over. Everything here may
run in a thread; nothing of it changes, live statuses make another picture in the same places.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from dpconsole.core.graph.layout import Layout, NodeSize, Style, arrange
from dpconsole.core.graph.words import node_words
from dpconsole.core.services import (
    MOST_BESIDE,
    Group,
    Grouped,
    Grouping,
    Window,
    WindowNode,
    aggregate,
    in_order,
    recounted,
    renamed,
    with_nodes,
)
from dpconsole.widgets.cells import cut_cells, width_of
from dpconsole.widgets.ink import Ink, Piece
from dpconsole.widgets.status import INKS, PAUSED, chips

NAME, SHORT_NAME = 40, 26
"""Cells of a name in a picture, and where the window is too small for it."""

FEWEST_BESIDE = 12
"""Nodes of a level that are shown by themselves in however small a window."""

SMALL = 300
"""Boxes up to which a picture is laid out again, with less on its boxes, when it does not fit the window."""

When = Callable[[int], str]
"""How a due time is written, UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is written on a box."""

    name: int
    due: bool


DETAILS: tuple[Detail, ...] = (Detail(NAME, True), Detail(NAME, False), Detail(SHORT_NAME, False))
"""The most first; the hover line says what was left out."""


@dataclass(frozen=True)
class Picture:
    """A window in its boxes; `layout` has them by the ids of `grouped`."""

    window: Window
    grouped: Grouped
    layout: Layout
    detail: Detail

    # What is where

    def box(self, id: int) -> Group:
        """A box."""
        return self.grouped.nodes[id]

    def node(self, id: int) -> WindowNode | None:
        """The node of a box; None for a box of several."""
        members = self.grouped.nodes[id].members
        return self.window.nodes[members[0]] if len(members) == 1 else None

    def box_of(self, id: int) -> int | None:
        """The box a row is in: a node, a member, or what stands behind a folded table; None for a stranger."""
        return self.grouped.group_of.get(self.window.behind.get(id, id))

    @property
    def main(self) -> int:
        """The box in the middle of it all."""
        return self.grouped.group_of[self.window.anchor]

    @cached_property
    def members(self) -> Mapping[int, Collection[int]]:
        """The rows each box stands for."""
        return {id: group.members for id, group in self.grouped.nodes.items()}

    @cached_property
    def order(self) -> list[WindowNode]:
        """The nodes, the farthest upstream first, in each level by due time."""
        return in_order(self.window)

    # What is written

    def cell(self, id: int, when: When) -> list[Piece]:
        """What is written on a box."""
        node = self.node(id)
        if node is None:
            return _group_cell(self.box(id))
        return node_cell(node, when, self.detail, is_main=id == self.main)

    def cells(self, when: When) -> dict[int, list[Piece]]:
        """What is written on every box."""
        return {id: self.cell(id, when) for id in self.grouped.nodes}

    # The same picture later, and elsewhere

    def with_nodes(self, nodes: Mapping[int, WindowNode], rev: int) -> Picture:
        """The picture with some of its nodes as they are at a revision; nothing moves."""
        window = with_nodes(self.window, nodes, rev)
        return replace(self, window=window, grouped=recounted(self.grouped, window))

    def of(self, window: Window, ids: Mapping[int, int]) -> Picture:
        """The picture of other rows that stand where these do; `ids` says which for which."""
        grouped = renamed(self.grouped, window, ids)
        return Picture(window, grouped, self.layout.renamed(ids), self.detail)


def draw_picture(
    window: Window, by: Grouping, opened: Collection[int], room: tuple[int, int], when: When, keep: Layout | None
) -> Picture:
    """The picture of a window in so many columns and lines; `keep` is the layout that was there before."""
    return laid_out(window, aggregate(window, by, opened=opened, most=_most(room)), room, when, keep)


def _most(room: tuple[int, int]) -> int:
    """Nodes of a level that are shown by themselves: a hub and what needs attention around it are seen at once."""
    return max(FEWEST_BESIDE, min(MOST_BESIDE, room[1] - 2))


def laid_out(window: Window, grouped: Grouped, room: tuple[int, int], when: When, keep: Layout | None) -> Picture:
    """The picture with as much on its boxes as fits, or with the least when nothing does."""
    picture = None
    for detail in DETAILS if len(grouped.nodes) <= SMALL else DETAILS[-1:]:
        picture = _arranged(window, grouped, detail, room, when, keep)
        if picture.layout.width <= room[0]:
            break
    assert picture is not None
    return picture


def _arranged(
    window: Window, grouped: Grouped, detail: Detail, room: tuple[int, int], when: When, keep: Layout | None
) -> Picture:
    bare = Picture(window, grouped, _NOTHING, detail)
    sizes = [NodeSize(id, sum(width_of(text) for text, _ in cell)) for id, cell in bare.cells(when).items()]
    layout = arrange(sizes, grouped.edges, style=Style(room=room), keep=keep, order=grouped.order)
    return replace(bare, layout=layout)


_NOTHING = arrange((), ())


def node_cell(node: WindowNode, when: When, detail: Detail, *, is_main: bool) -> list[Piece]:
    """A node: what is beyond it upstream, its status, whether it is paused, its name, its due time, what is beyond."""
    words = node_words(replace(node, name=cut_cells(node.name, detail.name)), when, is_main=is_main)
    held = PAUSED[False] if node.paused else " "
    status = "" if node.status is None else f"{words.glyph}{held}"
    ink = Ink.PLAIN if node.status is None else INKS[node.status]
    return [
        *_spaced(words.above, Ink.ACCENT, after=True),
        (status, ink),
        (words.name, Ink.STRONG if is_main else Ink.PLAIN),
        *_spaced(words.due if detail.due else "", Ink.DIM),
        *_spaced(words.below, Ink.ACCENT),
    ]


def _group_cell(group: Group) -> list[Piece]:
    """A group: what its nodes have in common, or that they are more of their level, how many, and how they are."""
    number = len(group.members)
    lead = f"+{number:,} more" if group.rest else f"{cut_cells(group.value, SHORT_NAME)} ({number:,})"
    return [(lead, Ink.ACCENT if group.rest else Ink.STRONG), (" ", Ink.PLAIN), *chips(group.counts)]


def _spaced(text: str, ink: Ink, *, after: bool = False) -> list[Piece]:
    return [(f"{text} " if after else f" {text}", ink)] if text else []
