"""Marks of a tree come to the same as marking every single row, at the price of what was chosen."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dpconsole.widgets.outline import Outline
from dpconsole.widgets.tree_marks import Cover, TreeMarks

Shape = list[list[int]]
"""How many leaves each inner folder of each root has."""


class Tree:
    """Three layers that are all known: roots 1.., folders 100.., leaves 10,000.. ."""

    def __init__(self, shape: Shape) -> None:
        self.roots = list(range(1, len(shape) + 1))
        self.children: dict[int, list[int]] = {}
        folder, leaf = 100, 10_000
        for root, inner in zip(self.roots, shape, strict=True):
            self.children[root] = list(range(folder, folder + len(inner)))
            for size in inner:
                self.children[folder] = list(range(leaf, leaf + size))
                folder, leaf = folder + 1, leaf + size
        self.parents = {child: parent for parent, some in self.children.items() for child in some}
        self.rows = [*self.roots, *self.parents]

    def parent_of(self, row: int) -> int | None:
        return self.parents.get(row)

    def children_of(self, row: int) -> list[int] | None:
        return self.children.get(row)

    def leaves(self, row: int) -> Iterator[int]:
        if row >= 10_000:
            yield row
        for child in self.children.get(row, ()):
            yield from self.leaves(child)


SHAPES: st.SearchStrategy[Shape] = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=4), min_size=1, max_size=3)
GESTURES = st.lists(
    st.tuples(st.sampled_from(["toggle", "add", "discard", "all", "invert", "clear"]), st.integers(0, 60)), max_size=25
)


def brute_force(tree: Tree, marked: set[int], gesture: str, row: int) -> set[int]:
    """The leaves that are marked after a gesture, one by one."""
    under, every = set(tree.leaves(row)), {leaf for root in tree.roots for leaf in tree.leaves(root)}
    adds = gesture == "add" or (gesture == "toggle" and not under <= marked)
    match gesture:
        case "all":
            return every
        case "clear":
            return set()
        case "invert":
            return every - marked
        case _:
            return marked | under if adds else marked - under


def gesture_on(marks: TreeMarks, tree: Tree, gesture: str, row: int) -> None:
    acts = {
        "toggle": lambda: marks.toggle(row),
        "add": lambda: marks.add([row]),
        "discard": lambda: marks.discard([row]),
        "all": lambda: marks.mark_all(tree.rows),
        "invert": lambda: marks.invert(tree.rows),
        "clear": marks.clear,
    }
    acts[gesture]()


@given(SHAPES, GESTURES)
@example([[1]], [("toggle", 1), ("invert", 0)])
def test_marks_are_those_of_a_set_of_single_rows(shape: Shape, gestures: list[tuple[str, int]]) -> None:
    tree = Tree(shape)
    marks, marked = TreeMarks(tree), set[int]()
    for gesture, number in gestures:
        row = tree.rows[number % len(tree.rows)]
        gesture_on(marks, tree, gesture, row)
        marked = brute_force(tree, marked, gesture, row)
        for each in tree.rows:
            under = set(tree.leaves(each))
            expected = Cover.ALL if under <= marked else Cover.PARTLY if under & marked else Cover.NONE
            assert marks.cover(each) is expected
        assert bool(marks) is bool(marked)


@given(SHAPES, GESTURES)
def test_what_a_verb_is_given_means_the_same_rows(shape: Shape, gestures: list[tuple[str, int]]) -> None:
    tree = Tree(shape)
    marks = TreeMarks(tree)
    for gesture, number in gestures:
        gesture_on(marks, tree, gesture, tree.rows[number % len(tree.rows)])
    meant = set[int]()
    for layer in (range(1, 100), range(100, 10_000), range(10_000, 99_999)):
        for row, marks_it in marks.choices.items():
            if row in layer:
                meant = meant | set(tree.leaves(row)) if marks_it else meant - set(tree.leaves(row))
    assert meant == {leaf for leaf in tree.rows if leaf >= 10_000 and leaf in marks}


def test_a_folder_is_one_choice_however_much_it_covers() -> None:
    tree = Tree([[50_000]])
    marks = TreeMarks(tree)
    marks.toggle(1)
    marks.toggle(10_007)
    assert marks.choices == {1: True, 10_007: False}
    assert marks.cover(1) is marks.cover(100) is Cover.PARTLY


def test_a_folder_of_which_every_row_is_unmarked_is_let_go() -> None:
    marks = TreeMarks(Tree([[2]]))
    marks.add([1])
    marks.discard([10_000, 10_001])
    assert marks.choices == {}


def test_unmarking_below_a_folder_that_was_never_unfolded_leaves_it_marked_partly() -> None:
    outline = Outline()
    outline.lay([1], {})
    outline.learn({100: 1, 10_000: 100})
    marks = TreeMarks(outline)
    marks.add([1])
    marks.discard([10_000])
    assert [marks.cover(row) for row in (1, 100, 10_000)] == [Cover.PARTLY, Cover.PARTLY, Cover.NONE]


def test_marks_stay_when_their_rows_are_no_longer_listed() -> None:
    outline = Outline()
    outline.lay([1, 2], {})
    outline.unfold({1: [100, 101]})
    marks = TreeMarks(outline)
    marks.add([100])
    outline.lay([2], {})
    marks.regrown()
    assert 100 in marks
    assert marks.cover(1) is Cover.PARTLY


@pytest.mark.parametrize("order", [(1, 100, 2), (2, 100, 1), (100, 1, 2)])
def test_unfolding_and_folding_in_any_order_lists_the_open_folders_in_place(order: tuple[int, ...]) -> None:
    children = {1: [100, 101], 100: [10_000, 10_001], 2: [102]}
    outline = Outline()
    outline.lay([1, 2, 3], {})
    for folder in order:
        outline.unfold({folder: children[folder]})
    assert list(outline.ids) == [1, 100, 10_000, 10_001, 101, 2, 102, 3]
    outline.fold([1])
    assert list(outline.ids) == [1, 2, 102, 3]
    outline.unfold({1: children[1]})
    assert list(outline.ids) == [1, 100, 10_000, 10_001, 101, 2, 102, 3]
    outline.fold(outline.below(1))
    outline.unfold({1: children[1]})
    assert list(outline.ids) == [1, 100, 101, 2, 102, 3]


def test_what_is_open_survives_a_refresh_where_it_is_still_there() -> None:
    outline = Outline()
    outline.lay([1, 2], {})
    outline.unfold({1: [100], 100: [10_000]})
    outline.lay(array("q", [3, 1]), {1: [101, 100], 100: [10_001]})
    assert list(outline.ids) == [3, 1, 101, 100, 10_001]
    assert outline.root_of(10_001) == 1
