"""The critical path against every path there is, and the segments of journals written by hand (RULES.md 14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

import pytest

from dpconsole.core.domain.statuses import Status
from dpconsole.core.graph.critical import (
    LONGEST,
    NEVER,
    Coming,
    Segment,
    Stage,
    critical_path,
    held_by,
    segments,
)

UPSTREAM, TIME, THROTTLED, RESOURCE, RUN = Stage
N, W, T, R, RUNNING, S, F = Status

Graph = Mapping[int, tuple[int, ...]]
"""By row: its upstreams."""


# --- the path ---------------------------------------------------------------------------------------------------------


def drawn(rng: Random, nodes: int) -> tuple[Graph, dict[int, int]]:
    """A graph whose rows wait for earlier ones, and when each finished; ties and rows that never finish included."""
    graph = {id: tuple(up for up in range(id) if rng.random() < 2.5 / nodes) for id in range(nodes)}
    return graph, {id: rng.choice((*range(12), NEVER)) for id in graph}


def every_path(graph: Graph, end: int) -> Iterator[tuple[int, ...]]:
    """Every way up from an end, from the end."""
    yield (end,)
    for up in graph[end]:
        yield from ((end, *rest) for rest in every_path(graph, up))


def below(graph: Graph, start: int) -> set[int]:
    return {id for id in graph if any(start in path for path in every_path(graph, id))}


@pytest.mark.parametrize("seed", range(60))
def test_it_is_the_path_whose_every_step_back_finished_last(seed: int) -> None:
    rng = Random(seed)
    graph, finish = drawn(rng, rng.randint(2, 9))
    end, start = max(graph), rng.choice(sorted(graph))

    def latest(paths: list[tuple[int, ...]]) -> tuple[int, ...]:
        return tuple(reversed(max(paths, key=lambda path: [(finish[id], id) for id in path[1:]], default=())))

    def walk(**within: object) -> tuple[int, ...]:
        return critical_path({end: finish[end]}, lambda id: [{up: finish[up]} for up in graph[id]], **within).ids

    whole = [path for path in every_path(graph, end) if not graph[path[-1]]]
    from_start = [path for path in every_path(graph, end) if path[-1] == start]
    assert walk() == latest(whole)
    assert walk(starts={start}, within=below(graph, start)) == latest(from_start)


def test_of_alternatives_the_first_counts_and_of_requirements_the_last() -> None:
    assert held_by([{1: 50, 2: 20}, {3: 30}]) == 3
    assert held_by([{1: 50, 2: 40}, {3: 30}]) == 2
    assert held_by([{1: NEVER}, {3: 30}]) == 1
    assert held_by([]) is None


def test_a_start_that_led_to_it_only_as_a_late_alternative_is_found_all_the_same() -> None:
    assert held_by([{1: 50, 2: 20}], within={1}) == 1


def test_where_no_path_leads_there_is_none() -> None:
    assert critical_path({2: 10}, lambda _: (), {1}, {1}).ids == ()


def test_of_several_ends_the_last_counts() -> None:
    assert critical_path({1: 10, 2: 30, 3: 20}, lambda _: ()).ids == (2,)


def test_a_path_that_goes_on_for_ever_is_cut_and_says_so() -> None:
    path = critical_path({0: 0}, lambda id: [{id + 1: 0}])
    assert (len(path.ids), path.cut, path.ids[-1]) == (LONGEST, True, 0)


def test_what_waits_for_itself_ends_the_walk() -> None:
    assert critical_path({1: 0}, lambda id: [{3 - id: 0}]).ids == (2, 1)


# --- the bars ---------------------------------------------------------------------------------------------------------

JOURNALS = {
    "the five checks and a run that succeeded": (
        [(0, N), (10, W), (20, T), (30, R), (40, RUNNING), (70, S)],
        [(UPSTREAM, 0, 10), (TIME, 10, 20), (THROTTLED, 20, 30), (RESOURCE, 30, 40), (RUN, 40, 70, S)],
    ),
    "a run that goes on": ([(0, N), (10, RUNNING)], [(UPSTREAM, 0, 10), (RUN, 10, 100, RUNNING)]),
    "one that still waits": ([(0, N), (10, W)], [(UPSTREAM, 0, 10), (TIME, 10, 100)]),
    "a failure that is tried again": (
        [(0, RUNNING), (10, F), (30, N), (30, W), (30, RUNNING), (60, S)],
        [(RUN, 0, 10, F), (RUN, 30, 60, S)],
    ),
    "a run that was ended to be forced": (
        [(0, RUNNING), (10, T), (15, RUNNING), (20, S)],
        [(RUN, 0, 10, F), (THROTTLED, 10, 15), (RUN, 15, 20, S)],
    ),
    "stopped while it waited": ([(0, W), (10, F)], [(TIME, 0, 10)]),
    "a placeholder": ([(0, S)], []),
    "nothing known": ([], []),
}


@pytest.mark.parametrize("journal", JOURNALS, ids=str)
def test_what_became_of_an_instance_is_cut_at_its_changes_of_status(journal: str) -> None:
    moments, expected = JOURNALS[journal]
    assert segments(moments, 100) == tuple(Segment(*one) for one in expected)


COMING = Coming(upstreams_at=120, begins_at=150, ends_at=180)
ALL_TO_COME = [(UPSTREAM, 100, 120), (TIME, 120, 150), (RUN, 150, 180, RUNNING)]

TO_COME = {
    N: ALL_TO_COME,
    W: [(TIME, 100, 150), (RUN, 150, 180, RUNNING)],
    T: [(RUN, 100, 180, RUNNING)],
    R: [(RUN, 100, 180, RUNNING)],
    RUNNING: [(RUN, 100, 180, RUNNING)],
    F: [(TIME, 100, 150), (RUN, 150, 180, RUNNING)],
    S: [],
}


@pytest.mark.parametrize("status", Status)
def test_what_is_still_to_come_follows_from_the_status_and_the_estimate(status: Status) -> None:
    found = [one for one in segments([(100, status)], 100, COMING) if one.expected]
    assert [(one.stage, one.begins_at, one.ends_at, one.outcome)[: 4 if one.outcome else 3] for one in found] == [
        tuple(one) for one in TO_COME[status]
    ]


def test_without_an_estimate_nothing_is_to_come() -> None:
    assert segments([(0, N)], 100) == (Segment(UPSTREAM, 0, 100),)
