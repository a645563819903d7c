"""Section 11.3: priorities and what a baseline does to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.domain.definitions import Priority
from dpconsole.core.domain.priorities import effective_priority, parse_priority, priority_label

numbers = st.integers(1, 9)


@pytest.mark.parametrize(
    ("number", "priority", "stored"),
    [
        (1, Priority.HIGHEST, 1),
        (2, Priority.HIGHEST, 1),
        (3, Priority.HIGH, 3),
        (4, Priority.HIGH, 3),
        (5, Priority.MEDIUM, 5),
        (6, Priority.MEDIUM, 5),
        (7, Priority.LOW, 7),
        (8, Priority.LOW, 7),
        (9, Priority.LOWEST, 9),
    ],
)
def test_numbers_have_names_and_an_even_one_goes_up(number: int, priority: Priority, stored: int) -> None:
    assert Priority.of(number) is priority
    assert priority.number == stored
    assert parse_priority(number) is parse_priority(str(number)) is priority


@pytest.mark.parametrize(
    ("written", "priority"),
    [("highest", "highest"), ("HIGH", "high"), (" Medium ", "medium"), ("MIDDLE", "medium"), ("low", "low")],
)
def test_names_are_read_in_any_case(written: str, priority: str) -> None:
    assert parse_priority(written) is Priority(priority)


@pytest.mark.parametrize("written", ["", "0", "10", 0, 10, -1, "urgent", "12", "٣"])
def test_what_is_no_priority_is_refused_with_the_names(written: str | int) -> None:
    with pytest.raises(ValueError, match="highest, high, medium, low, lowest, or a number from 1 to 9"):
        parse_priority(written)


@pytest.mark.parametrize(
    ("configured", "baselines", "effective"),
    [(5, [], 5), (5, [3], 3), (5, [3, 1], 1), (1, [3], 3), (9, [3, 3], 3)],
)
def test_baselines_replace_the_configured_priority_by_their_highest(
    configured: int, baselines: list[int], effective: int
) -> None:
    assert effective_priority(configured, baselines) == effective


@given(numbers, numbers, st.lists(numbers, min_size=1))
def test_a_covered_instance_does_not_feel_its_configured_priority(one: int, other: int, baselines: list[int]) -> None:
    assert effective_priority(one, baselines) == effective_priority(other, baselines)


@pytest.mark.parametrize(
    ("effective", "covered", "label"), [(3, True, "High ⓑ"), (3, False, "High"), (9, False, "Lowest")]
)
def test_a_priority_set_by_a_baseline_is_marked(effective: int, covered: bool, label: str) -> None:
    assert priority_label(effective, covered) == label
