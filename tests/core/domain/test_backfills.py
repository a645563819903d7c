"""Sections 7 and 8.2: the queues of a backfill, and what its folders come to."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.domain.backfills import deal, normalise, paused_suffix
from dpconsole.core.domain.statuses import NormalisedStatus

S, R, W, N, F = NormalisedStatus

SETS = [set(chosen) for size in range(1, 6) for chosen in combinations((S, R, W, N, F), size)]


@pytest.mark.parametrize(
    ("below", "folder"),
    [
        ([], N),  # initialising
        ([N, N], N),
        ([W, N], R),
        ([R, S, N], R),
        ([W], R),
        ([F], F),
        ([F, R], F),
        ([F, S, W], F),
        ([S, S], S),
        ([S, N], R),  # begun, nothing failed, not done
    ],
)
def test_a_folder_comes_to(below: list[NormalisedStatus], folder: NormalisedStatus) -> None:
    assert normalise(below) is folder


def rules_that_match(below: set[NormalisedStatus]) -> list[NormalisedStatus]:
    """The manual's four rules, each on its own."""
    rules = (
        (below == {N}, N),
        (bool(below & {R, W}) and F not in below, R),
        (F in below, F),
        (below == {S}, S),
    )
    return [status for holds, status in rules if holds]


@pytest.mark.parametrize("below", SETS, ids=lambda below: " ".join(sorted(below)))
def test_exactly_one_rule_speaks_and_where_none_does_the_folder_runs(below: set[NormalisedStatus]) -> None:
    assert [normalise(below)] == (rules_that_match(below) or [R])


def test_only_succeeded_beside_not_running_is_left_to_the_fifth_rule() -> None:
    assert [below for below in SETS if not rules_that_match(below)] == [{S, N}]


def test_two_levels_give_what_one_level_gives_for_every_pair_of_folders() -> None:
    for left in SETS:
        for right in SETS:
            assert normalise([normalise(left), normalise(right)]) is normalise(left | right)


@given(st.lists(st.lists(st.sampled_from(NormalisedStatus), min_size=1)))
def test_two_levels_give_what_one_level_gives(timestamps: list[list[NormalisedStatus]]) -> None:
    assert normalise(map(normalise, timestamps)) is normalise(chain.from_iterable(timestamps))


@pytest.mark.parametrize(
    ("paused", "total", "suffix"),
    [(0, 0, ""), (0, 3, ""), (1, 3, "Partially Paused"), (2, 3, "Partially Paused"), (3, 3, "All Paused")],
)
def test_the_paused_suffix(paused: int, total: int, suffix: str) -> None:
    assert paused_suffix(paused, total) == suffix


# --- queues -----------------------------------------------------------------------------------------------------------

DAYS = [date(2026, 11, day) for day in range(1, 6)]


@pytest.mark.parametrize(
    ("groups", "ascending", "queues"),
    [
        (1, True, [[1, 2, 3, 4, 5]]),
        (1, False, [[5, 4, 3, 2, 1]]),
        (2, True, [[1, 3, 5], [2, 4]]),
        (2, False, [[5, 3, 1], [4, 2]]),
        (5, True, [[1], [2], [3], [4], [5]]),
        (9, True, [[1], [2], [3], [4], [5]]),
    ],
)
def test_data_timestamps_are_dealt_round_robin(groups: int, ascending: bool, queues: list[list[int]]) -> None:
    dealt = deal([*reversed(DAYS), DAYS[0]], groups, ascending)
    assert [[day.day for day in queue] for queue in dealt] == queues


@given(st.sets(st.integers(0, 400)), st.integers(1, 12), st.booleans())
def test_every_data_timestamp_has_one_turn_and_turns_follow_the_order(
    days: set[int], groups: int, ascending: bool
) -> None:
    dates = [date(2026, 1, 1) + timedelta(days=day) for day in days]
    dealt = deal(dates, groups, ascending)
    assert sorted(chain.from_iterable(dealt)) == sorted(dates)
    assert len(dealt) <= groups
    assert all(list(queue) == sorted(queue, reverse=not ascending) for queue in dealt)
    assert max(map(len, dealt), default=0) - min(map(len, dealt), default=0) <= 1
