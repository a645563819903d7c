"""Marks belong to ids: they outlive filters and sorts, and marking everything costs nothing."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from dpconsole.widgets.marks import Marks

LISTED = array("q", [5, 3, 9, 1])


def test_everything_is_one_reference_and_means_the_rows_of_that_moment() -> None:
    marks = Marks()
    marks.mark_all(LISTED, scope="status:failed")
    assert (marks.count, marks.everything, marks.scope) == (4, True, "status:failed")
    assert 3 in marks
    assert 4 not in marks


def test_exclusions_are_counted_off() -> None:
    marks = Marks()
    marks.mark_all(LISTED)
    marks.toggle(3)
    marks.toggle(77)
    marks.toggle(77)
    assert marks.count == 3
    assert list(marks.among(LISTED)) == [5, 9, 1]


def test_a_row_that_came_later_can_be_marked_too() -> None:
    marks = Marks()
    marks.mark_all(LISTED)
    marks.toggle(77)
    assert marks.count == 5
    assert 77 in marks
    assert not marks.everything


def test_inverting_twice_is_nothing() -> None:
    marks = Marks([3])
    marks.invert(LISTED)
    assert list(marks.among(LISTED)) == [5, 9, 1]
    marks.invert(LISTED)
    assert list(marks.among(LISTED)) == [3]


def test_inverting_nothing_marks_everything() -> None:
    marks = Marks()
    marks.invert(LISTED, "q")
    assert marks.everything
    assert marks.scope == "q"


def test_clearing_leaves_nothing() -> None:
    marks = Marks()
    marks.mark_all(LISTED)
    marks.clear()
    assert not marks
    assert 3 not in marks


STEPS = st.lists(st.tuples(st.sampled_from(["toggle", "all", "invert", "clear", "add", "discard"]), st.integers(0, 8)))


@given(STEPS, st.permutations(range(6)))
def test_marks_agree_with_a_plain_set(steps: list[tuple[str, int]], order: list[int]) -> None:
    listed = array("q", order)
    marks, plain = Marks(), set[int]()
    for step, row_id in steps:
        if step == "toggle":
            marks.toggle(row_id)
            plain ^= {row_id}
        elif step == "all":
            marks.mark_all(listed)
            plain = set(listed)
        elif step == "invert":
            marks.invert(listed)
            plain = set(listed) - plain
        elif step == "clear":
            marks.clear()
            plain = set()
        elif step == "add":
            marks.add([row_id])
            plain |= {row_id}
        else:
            marks.discard([row_id])
            plain -= {row_id}
        assert marks.count == len(plain)
        assert [i for i in range(9) if i in marks] == sorted(plain)
        assert list(marks.among(listed)) == [i for i in listed if i in plain]
