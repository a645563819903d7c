"""When unfinished work will be done: by hand-made works, moments in minutes for short (RULES.md 13)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.domain.estimates import Work, estimate, in_the_way
from dpconsole.core.domain.statuses import Status

NOW = 100


def work(*requirements: tuple[int, ...], takes: int = 10, due: int = 0, **more: Any) -> Work:
    return Work(**{"status": Status.NOT_RUNNING, "takes_ms": takes, "due_at": due, "requirements": requirements} | more)


STUCK = work(status=Status.FAILED)

ALONE = [
    (work(), 110),
    (work(due=150), 160),
    (work(status=Status.WAITING_TIME, due=150), 160),
    (work(status=Status.THROTTLED, due=150), 110),  # forced: the time is not asked
    (work(status=Status.RUNNING, started_at=95), 105),
    (work(status=Status.RUNNING, started_at=20), 100),  # longer than usual already
    (work(status=Status.RUNNING, started_at=95, paused=True), 105),
    (work(status=Status.FAILED, retry_at=130), 140),
    (work(status=Status.FAILED), None),
    (work(paused=True), None),
    (work(paused=True, paused_until=170), 180),
    (work(paused=True, paused_until=170, due=200), 210),
    (work(autonomous=False), None),
]


@pytest.mark.parametrize(("alone", "end"), ALONE)
def test_an_instance_by_itself(alone: Work, end: int | None) -> None:
    assert estimate({1: alone}, NOW).get(1) == end


UPSTREAMS = [
    ("one after the other", {1: work(), 2: work((1,)), 3: work((2,))}, 130),
    ("the longest path", {1: work(takes=50), 2: work(), 3: work((1,), (2,))}, 160),
    ("a due time in between", {1: work(), 2: work((1,), due=300), 3: work((2,))}, 320),
    ("its own due time after all of them", {1: work(), 3: work((1,), due=400)}, 410),
    ("the first of two alternatives", {1: work(takes=50), 2: work(), 3: work((1, 2))}, 120),
    ("an alternative that never comes", {1: work(takes=50), 2: STUCK, 3: work((1, 2))}, 160),
    ("no alternative comes", {1: STUCK, 2: STUCK, 3: work((1, 2))}, None),
    ("one of two requirements never comes", {1: STUCK, 2: work(), 3: work((1,), (2,))}, None),
    ("an upstream that nobody looked at", {3: work((7,))}, None),
    ("a circle", {1: work((2,)), 2: work((1,)), 3: work((2,))}, None),
]


@pytest.mark.parametrize(("works", "end"), [case[1:] for case in UPSTREAMS], ids=[case[0] for case in UPSTREAMS])
def test_an_instance_and_what_it_waits_for(works: dict[int, Work], end: int | None) -> None:
    assert estimate(works, NOW).get(3) == end


def test_only_what_really_stands_in_the_way_is_named() -> None:
    """2 fails, but 3 will do in its place; 5 is paused above a waiting one."""
    works = {
        1: STUCK,
        2: STUCK,
        3: work(),
        4: work((2, 3)),
        5: work(paused=True),
        6: work((5,)),
        9: work((1,), (4,), (6,)),
    }
    assert in_the_way(works, estimate(works, NOW), [9]) == [1, 5]


def test_what_is_stuck_itself_stands_in_its_own_way() -> None:
    assert in_the_way({1: STUCK}, {}, [1]) == [1]


def test_a_long_chain_is_no_recursion() -> None:
    works = {n: work((n - 1,)) if n else work() for n in range(50_000)}
    assert estimate(works, NOW)[49_999] == NOW + 50_000 * 10


@given(st.data())
def test_nothing_is_done_before_what_it_needs(data: st.DataObject) -> None:
    works: dict[int, Work] = {}
    for n in range(data.draw(st.integers(1, 8))):
        some = st.lists(st.integers(0, n - 1), min_size=1, max_size=3).map(tuple) if n else st.nothing()
        requirements = data.draw(st.lists(some, max_size=3)) if n else []
        stuck = data.draw(st.booleans())
        works[n] = work(*requirements, takes=data.draw(st.integers(0, 30)), paused=stuck)
    done = estimate(works, NOW)
    for id, one in works.items():
        hopeless = one.is_stuck or any(not done.keys() & set(some) for some in one.requirements)
        assert (id not in done) is hopeless
        if not hopeless:
            needed = [min(done[up] for up in some if up in done) for some in one.requirements]
            assert done[id] == max([NOW, *needed]) + one.takes_ms
        assert (id in done) or in_the_way(works, done, [id])
