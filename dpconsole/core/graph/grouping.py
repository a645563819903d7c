"""A window aggregated: its nodes in groups by status, project, owner or priority, and the edges between the groups.

A level that is crowded folds too: what needs the least attention becomes one group, the rest of that level.

The main node stays by itself, and what is upstream of it never shares a group with what is downstream: a picture of
groups is read like the picture they were made of. Groups of one side may still wait for each other - a failed node
behind a succeeded one behind a failed one -; those are split by how deep their nodes lie, and the picture has no
circles again. A group is never split without need.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from dpconsole.core.domain.priorities import priority_label
from dpconsole.core.domain.statuses import ATTENTION, Status
from dpconsole.core.graph.window import Window, WindowNode
from dpconsole.core.store.neighbours import Edge

if TYPE_CHECKING:
    from networkx import DiGraph


MOST_BESIDE = 60
"""Nodes of one level that a crowded picture shows by themselves."""


class Grouping(StrEnum):
    """What the nodes of a group have in common (section 15)."""

    NONE = "none"
    STATUS = "status"
    PROJECT = "project"
    OWNER = "owner"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class Group:
    """Some nodes of a window as one box; `id` is that of one of them, and stays while it is in the group.

    `value` is what they have in common, in words, and `counts` how many have each status, in the order of the statuses.
    `hidden_up` and `hidden_down` add up what the members have beside them that the window does not show; `level` is
    that of the member nearest to the main node. `rest` says that they are what a crowded level leaves over.
    """

    id: int
    value: str
    level: int
    members: tuple[int, ...]
    counts: Mapping[Status, int]
    hidden_up: int
    hidden_down: int
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Grouped:
    """A window in groups; `edges` are (upstream, downstream) between groups, `group_of` says where each node went.

    `order` are the places of the boxes of crowded levels, by which they are to stand: what needs attention first.
    """

    main: int
    by: Grouping
    nodes: Mapping[int, Group]
    edges: frozenset[Edge]
    group_of: Mapping[int, int]
    order: Mapping[int, int] = field(default_factory=dict)


_VALUES: Mapping[Grouping, Callable[[WindowNode], str]] = {
    Grouping.NONE: lambda node: node.name,
    Grouping.STATUS: lambda node: node.status.label if node.status is not None else "",
    Grouping.PROJECT: lambda node: node.project,
    Grouping.OWNER: lambda node: node.owner,
    Grouping.PRIORITY: lambda node: priority_label(node.effective_priority, False),
}


@dataclass(frozen=True, slots=True)
class _Knot:
    """Part of a group that would have waited for itself."""

    kind: Hashable
    depth: int


@dataclass(frozen=True, slots=True)
class _Rest:
    """What the nodes share that a crowded level leaves over."""

    level: int


def aggregate(
    window: Window, by: Grouping, *, opened: Collection[int] = frozenset(), most: int | None = None
) -> Grouped:
    """The window in groups; with `Grouping.NONE` every node is a group of its own.

    `opened` are nodes that stay by themselves. No level shows more than `most` nodes by themselves, the opened ones not
    counted; None for as many as there are.
    """
    kinds = {id: id if id in opened else _kind(node, window.anchor, by) for id, node in window.nodes.items()}
    crowds = {} if most is None else _crowds(window, kinds, opened, most)
    kinds |= {id: _Rest(level) for level, crowd in crowds.items() for id in crowd[most:]}
    knotted = _knotted({(kinds[up], kinds[down]) for up, down in window.edges})
    if knotted:
        depth = _depths(window)
        kinds = {id: _Knot(kind, depth[id]) if kind in knotted else kind for id, kind in kinds.items()}
    members: dict[Hashable, list[WindowNode]] = defaultdict(list)
    for id, kind in kinds.items():
        members[kind].append(window.nodes[id])
    groups = [_group(some, by, rest=_is_rest(kind)) for kind, some in members.items()]
    group_of = {member: group.id for group in groups for member in group.members}
    ordered = dict.fromkeys(group_of[id] for crowd in crowds.values() for id in crowd)
    edges = {(group_of[up], group_of[down]) for up, down in window.edges}
    return Grouped(
        main=window.anchor,
        by=by,
        nodes={group.id: group for group in groups},
        edges=frozenset((up, down) for up, down in edges if up != down),
        group_of=group_of,
        order={group: place for place, group in enumerate(ordered)},
    )


def _is_rest(kind: Hashable) -> bool:
    return isinstance(kind.kind if isinstance(kind, _Knot) else kind, _Rest)


def recounted(grouped: Grouped, window: Window) -> Grouped:
    """The same groups with the statuses their members have by now; who belongs where stays as it was."""
    return replace(
        grouped,
        nodes={
            id: replace(group, counts=_counts(window.nodes[member] for member in group.members))
            for id, group in grouped.nodes.items()
        },
    )


def renamed(grouped: Grouped, window: Window, ids: Mapping[int, int]) -> Grouped:
    """The same groups of the rows of another window that stand where these do; `ids` says which for which."""
    nodes = {
        ids[id]: replace(group, id=ids[id], members=tuple(ids[member] for member in group.members))
        for id, group in grouped.nodes.items()
    }
    there = Grouped(
        main=ids[grouped.main],
        by=grouped.by,
        nodes=nodes,
        edges=frozenset((ids[up], ids[down]) for up, down in grouped.edges),
        group_of={ids[id]: ids[group] for id, group in grouped.group_of.items()},
        order={ids[id]: place for id, place in grouped.order.items()},
    )
    return recounted(there, window)


def _crowds(window: Window, kinds: Mapping[int, Hashable], opened: Collection[int], most: int) -> dict[int, list[int]]:
    """By crowded level the nodes that would stand there by themselves, what needs attention first."""
    alone = defaultdict[int, list[int]](list)
    for id, kind in kinds.items():
        if kind == id and id not in opened and id != window.anchor:
            alone[window.nodes[id].level].append(id)
    return {
        level: sorted(some, key=lambda id: _attention(window.nodes[id]))
        for level, some in alone.items()
        if len(some) > most
    }


def _attention(node: WindowNode) -> tuple[int, bool, int, int]:
    rank = len(ATTENTION) if node.status is None else ATTENTION.index(node.status)
    return rank, not node.paused, node.due_at or 0, node.id


def _kind(node: WindowNode, main: int, by: Grouping) -> Hashable:
    """What a node shares with the others of its group: the side of the main node, and the value."""
    if by is Grouping.NONE or node.id == main:
        return node.id
    return (node.level > 0) - (node.level < 0), _VALUES[by](node)


def _knotted(edges: Iterable[tuple[Hashable, Hashable]]) -> set[Hashable]:
    """The groups that would wait for each other."""
    from networkx import DiGraph, strongly_connected_components

    graph: DiGraph[Hashable] = DiGraph((up, down) for up, down in edges if up != down)
    return {kind for knot in strongly_connected_components(graph) if len(knot) > 1 for kind in knot}


def _depths(window: Window) -> dict[int, int]:
    """How long the longest way from above to each node is; an edge always leads to a greater depth."""
    from networkx import DiGraph, topological_generations

    graph: DiGraph[int] = DiGraph(window.edges)
    graph.add_nodes_from(window.nodes)
    return {id: depth for depth, some in enumerate(topological_generations(graph)) for id in some}


def _group(members: Collection[WindowNode], by: Grouping, *, rest: bool = False) -> Group:
    nearest = min(members, key=lambda node: (abs(node.level), node.level))
    return Group(
        id=min(node.id for node in members),
        value=_VALUES[by](nearest),
        level=nearest.level,
        members=tuple(sorted(node.id for node in members)),
        counts=_counts(members),
        hidden_up=sum(node.hidden_up for node in members),
        hidden_down=sum(node.hidden_down for node in members),
        rest=rest and len(members) > 1,
    )


def _counts(members: Iterable[WindowNode]) -> dict[Status, int]:
    found = Counter(node.status for node in members)
    return {status: found[status] for status in Status if found[status]}
