"""A window aggregated: its nodes in groups by status, project, owner or priority, and the edges between the groups.

The main node stays by itself, and what is upstream of it never shares a group with what is downstream: a picture of
groups is read like the picture they were made of. Groups of one side may still wait for each other - a failed node
behind a succeeded one behind a failed one -; those are split by how deep their nodes lie, and the picture has no
circles again. A group is never split without need.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dpconsole.core.domain.priorities import priority_label
from dpconsole.core.domain.statuses import Status
from dpconsole.core.graph.window import Window, WindowNode
from dpconsole.core.store.neighbours import Edge

if TYPE_CHECKING:
    from networkx import DiGraph


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
    that of the member nearest to the main node.
    """

    id: int
    value: str
    level: int
    members: tuple[int, ...]
    counts: Mapping[Status, int]
    hidden_up: int
    hidden_down: int


@dataclass(frozen=True, slots=True)
class Grouped:
    """A window in groups; `edges` are (upstream, downstream) between groups, `group_of` says where each node went."""

    main: int
    by: Grouping
    nodes: Mapping[int, Group]
    edges: frozenset[Edge]
    group_of: Mapping[int, int]


_VALUES: Mapping[Grouping, Callable[[WindowNode], str]] = {
    Grouping.NONE: lambda node: node.name,
    Grouping.STATUS: lambda node: node.status.label if node.status is not None else "",
    Grouping.PROJECT: lambda node: node.project,
    Grouping.OWNER: lambda node: node.owner,
    Grouping.PRIORITY: lambda node: priority_label(node.effective_priority, False),
}


def aggregate(window: Window, by: Grouping) -> Grouped:
    """The window in groups; with `Grouping.NONE` every node is a group of its own."""
    kinds = {id: _kind(node, window.anchor, by) for id, node in window.nodes.items()}
    knotted = _knotted({(kinds[up], kinds[down]) for up, down in window.edges})
    if knotted:
        depth = _depths(window)
        kinds = {id: (kind, depth[id]) if kind in knotted else kind for id, kind in kinds.items()}
    members: dict[Hashable, list[WindowNode]] = defaultdict(list)
    for id, kind in kinds.items():
        members[kind].append(window.nodes[id])
    groups = [_group(some, by) for some in members.values()]
    group_of = {member: group.id for group in groups for member in group.members}
    edges = {(group_of[up], group_of[down]) for up, down in window.edges}
    return Grouped(
        main=window.anchor,
        by=by,
        nodes={group.id: group for group in groups},
        edges=frozenset((up, down) for up, down in edges if up != down),
        group_of=group_of,
    )


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


def _group(members: Collection[WindowNode], by: Grouping) -> Group:
    nearest = min(members, key=lambda node: (abs(node.level), node.level))
    found = Counter(node.status for node in members)
    return Group(
        id=min(node.id for node in members),
        value=_VALUES[by](nearest),
        level=nearest.level,
        members=tuple(sorted(node.id for node in members)),
        counts={status: found[status] for status in Status if found[status]},
        hidden_up=sum(node.hidden_up for node in members),
        hidden_down=sum(node.hidden_down for node in members),
    )
