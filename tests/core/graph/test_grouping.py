"""Groups of a window: everything is in one, no edge is lost between them, and none waits for itself (section 15)."""

from __future__ import annotations

from itertools import count, islice, pairwise
from random import Random
from typing import Any

import networkx as nx
import pytest

from dpconsole.core.domain.statuses import Status
from dpconsole.core.graph.grouping import Grouped, Grouping, aggregate, recounted, renamed
from dpconsole.core.graph.window import Window, WindowNode

S, F, N = Status.SUCCEEDED, Status.FAILED, Status.NOT_RUNNING


def box(id: int, level: int, status: Status = N, **values: Any) -> WindowNode:
    facts = dict.fromkeys(WindowNode.__dataclass_fields__) | {"id": id, "level": level, "status": status}
    facts |= {
        "name": f"n{id}",
        "project": "p",
        "owner": "lin",
        "effective_priority": 5,
        "hidden_up": 0,
        "hidden_down": 0,
    }
    return WindowNode(**(facts | values))


def window(*nodes: WindowNode, edges: set[tuple[int, int]]) -> Window:
    return Window(0, {node.id: node for node in nodes}, frozenset(edges), 1, 1, False, 1)


def shape(grouped: Grouped) -> tuple[list[tuple[str, tuple[int, ...]]], set[tuple[int, int]]]:
    groups = sorted(grouped.nodes.values(), key=lambda group: group.id)
    return [(group.value, group.members) for group in groups], set(grouped.edges)


def test_without_a_grouping_every_node_is_a_group() -> None:
    around = window(box(1, -1), box(0, 0), box(2, 1), edges={(1, 0), (0, 2)})
    assert shape(aggregate(around, Grouping.NONE)) == ([("n0", (0,)), ("n1", (1,)), ("n2", (2,))], {(1, 0), (0, 2)})


def test_the_main_node_stays_by_itself_between_what_is_up_and_what_is_down() -> None:
    ups = [box(1, -1, S), box(2, -1, S), box(3, -1, F)]
    downs = [box(4, 1), box(5, 1, S)]
    around = window(*ups, box(0, 0, S), *downs, edges={(1, 0), (2, 0), (3, 0), (0, 4), (0, 5)})
    grouped = aggregate(around, Grouping.STATUS)
    assert shape(grouped) == (
        [("Succeeded", (0,)), ("Succeeded", (1, 2)), ("Failed", (3,)), ("Not Running", (4,)), ("Succeeded", (5,))],
        {(1, 0), (3, 0), (0, 4), (0, 5)},
    )
    assert grouped.group_of[2] == 1


@pytest.mark.parametrize(
    ("by", "values", "words"),
    [
        (Grouping.OWNER, {"owner": "mei"}, "mei"),
        (Grouping.PROJECT, {"project": "risk"}, "risk"),
        (Grouping.PRIORITY, {"effective_priority": 1}, "Highest"),
    ],
)
def test_a_group_is_called_what_its_nodes_share(by: Grouping, values: dict[str, Any], words: str) -> None:
    around = window(box(0, 0), box(1, 1, **values), box(2, 1, **values), box(3, 1), edges={(0, 1), (0, 2), (0, 3)})
    named = {group.members: group.value for group in aggregate(around, by).nodes.values()}
    assert named[(1, 2)] == words
    assert len(named) == 3


def test_a_group_counts_statuses_and_what_is_hidden_beside_its_members() -> None:
    some = (box(1, 1, S, hidden_down=3), box(2, 2, F, hidden_down=1, hidden_up=2))
    (group,) = (
        group
        for group in aggregate(window(box(0, 0), *some, edges={(0, 1), (1, 2)}), Grouping.OWNER).nodes.values()
        if group.id
    )
    assert (group.counts, group.hidden_up, group.hidden_down, group.level) == ({S: 1, F: 1}, 2, 4, 1)


def test_groups_that_would_wait_for_each_other_are_split_by_depth_and_no_others() -> None:
    """0 -> 1 succeeded -> 2 failed -> 3 succeeded, beside them 4 and 5, which are of another owner's and in no knot."""
    chain = [box(1, 1, S), box(2, 2, F), box(3, 3, S), box(4, 1), box(5, 2)]
    around = window(box(0, 0), *chain, edges={(0, 1), (1, 2), (2, 3), (0, 4), (4, 5)})
    groups, edges = shape(aggregate(around, Grouping.STATUS))
    assert [members for _, members in groups] == [(0,), (1,), (2,), (3,), (4, 5)]
    assert edges == {(0, 1), (1, 2), (2, 3), (0, 4)}


@pytest.mark.parametrize("seed", range(40))
def test_no_picture_of_groups_has_a_circle_and_none_loses_an_edge(seed: int) -> None:
    dice = Random(seed)
    numbers, levels = count(1), range(-3, 4)
    layers = [[0] if level == 0 else list(islice(numbers, dice.randint(1, 5))) for level in levels]
    placed = [(id, level) for level, layer in zip(levels, layers, strict=True) for id in layer]
    nodes = [box(id, level, dice.choice([S, F, N])) for id, level in placed]
    edges = {(dice.choice(above), down) for above, below in pairwise(layers) for down in below}
    around = window(*nodes, edges=edges)
    grouped = aggregate(around, Grouping.STATUS)
    assert sorted(member for group in grouped.nodes.values() for member in group.members) == sorted(around.nodes)
    assert all(len(group.counts) == 1 for group in grouped.nodes.values())
    assert nx.is_directed_acyclic_graph(nx.DiGraph(grouped.edges))
    of = grouped.group_of
    assert grouped.edges == {(of[up], of[down]) for up, down in edges if of[up] != of[down]}


# --- crowded levels ---------------------------------------------------------------------------------------------------


def hub(number: int, **statuses: Status) -> Window:
    """A main node, 0, with nodes 1 to `number` below it; `n3=F` gives the third its status."""
    below = [box(id, 1, statuses.get(f"n{id}", S)) for id in range(1, number + 1)]
    return window(box(0, 0), *below, edges={(0, node.id) for node in below})


def test_of_a_crowded_level_what_needs_attention_stands_by_itself() -> None:
    grouped = aggregate(hub(10, n7=F, n9=F, n4=Status.RUNNING), Grouping.NONE, most=4)
    (rest,) = [group for group in grouped.nodes.values() if group.rest]
    assert {id for id in grouped.nodes if id != rest.id} == {0, 7, 9, 4, 1}
    assert (len(rest.members), rest.counts, rest.level) == (6, {S: 6}, 1)
    assert sorted(grouped.order, key=grouped.order.__getitem__) == [7, 9, 4, 1, rest.id]


@pytest.mark.parametrize(("nodes", "rests"), [(4, 0), (5, 0), (6, 1)])
def test_a_level_that_fits_or_has_one_too_many_is_left_alone(nodes: int, rests: int) -> None:
    grouped = aggregate(hub(nodes), Grouping.NONE, most=4)
    assert sum(group.rest for group in grouped.nodes.values()) == rests


def test_what_was_opened_stands_by_itself_and_takes_nobodys_place() -> None:
    grouped = aggregate(hub(10), Grouping.NONE, most=4, opened={8, 9})
    assert grouped.nodes.keys() >= {0, 1, 2, 3, 4, 8, 9}
    grouped = aggregate(hub(10, n2=F), Grouping.STATUS, opened={2, 5})
    assert [group.members for group in grouped.nodes.values() if len(group.members) > 1] == [(1, 3, 4, 6, 7, 8, 9, 10)]


@pytest.mark.parametrize("seed", range(10))
def test_a_folded_crowd_never_waits_for_itself(seed: int) -> None:
    random = Random(seed)
    nodes = [box(0, 0), *(box(id, random.choice((-2, -1, 1, 2)), random.choice(list(Status))) for id in range(1, 40))]
    edges = {(up, down) for up in range(40) for down in range(up + 1, 40) if random.random() < 0.05}
    grouped = aggregate(window(*nodes, edges=edges), Grouping.NONE, most=3)
    assert nx.is_directed_acyclic_graph(nx.DiGraph(list(grouped.edges)))
    assert {grouped.group_of[id] for id in range(40)} == grouped.nodes.keys()


def test_groups_count_anew_and_move_to_other_rows() -> None:
    before = aggregate(hub(6), Grouping.NONE, most=2)
    (rest,) = [group for group in before.nodes.values() if group.rest]
    later = recounted(before, hub(6, **{f"n{rest.members[0]}": F}))
    assert later.nodes[rest.id].counts == {S: 3, F: 1}
    assert later.edges == before.edges
    names = {id: id + 100 for id in range(7)}
    there = window(*(box(id + 100, id > 0, F) for id in range(7)), edges={(100, id + 100) for id in range(1, 7)})
    moved = renamed(before, there, names)
    assert moved.nodes[names[rest.id]].members == tuple(names[id] for id in rest.members)
    assert moved.nodes[names[rest.id]].counts == {F: 4}
    assert (moved.main, moved.group_of[102]) == (100, names[before.group_of[2]])
