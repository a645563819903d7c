"""Marks on a list of a hundred thousand: a predicate with exclusions, whatever becomes of the list meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dpconsole.app import ConsoleApp
from dpconsole.core.services import Selection
from dpconsole.core.store.opening import open_store
from dpconsole.screens.instances import InstancesScreen
from tests.bench.fill import fill
from tests.screens.hands import lines, press, settle, type_text
from tests.screens.night import Night, open_night

ROWS = 100_000


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """A hundred thousand instances; the tests change no row of them."""
    directory = tmp_path_factory.mktemp("crowd")
    store = open_store(directory / "crowd.db", synchronous="NORMAL")
    fill(store, ROWS)
    night = open_night(store, directory)
    yield night
    night.services.feed.close()
    store.close()


@pytest.fixture
def crowded(crowd: Night) -> ConsoleApp:
    """A console on the crowd."""
    return ConsoleApp(crowd.services, live=False)


async def test_everything_less_a_few_outlives_refresh_sort_filter_and_screens(crowded: ConsoleApp) -> None:
    async with crowded.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        screen = crowded.main("instances")
        assert isinstance(screen, InstancesScreen)
        screen.look_for("")
        await settle(pilot)
        await press(pilot, "*")
        listed = len(screen.table.ids)
        assert listed > 90_000
        first, second = screen.table.ids[0], screen.table.ids[1]
        await press(pilot, " ", " ")
        assert screen.table.marks.count == listed - 2
        wanted = Selection(query="", without=frozenset({first, second}), listing="computing", environment="prod")
        assert screen.selection() == wanted

        screen.sort_by("name")
        await press(pilot, "ctrl+r")
        assert screen.table.marks.count == listed - 2
        assert (first in screen.table.marks, screen.table.ids[-1] in screen.table.marks) == (False, True)

        await press(pilot, "!")
        assert len(screen.table.ids) < listed / 2
        assert screen.selection() == wanted
        seen = sum(1 for id in screen.table.visible_ids if id in screen.table.marks)
        assert f"{listed - 2:,} marked ({listed - 2 - seen:,} off screen)" in lines(pilot)[-1]

        await press(pilot, "4", "2")
        assert screen.selection() == wanted


async def test_rows_are_marked_and_unmarked_by_query_over_the_whole_list(crowded: ConsoleApp) -> None:
    async with crowded.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        screen = crowded.main("instances")
        assert isinstance(screen, InstancesScreen)
        screen.look_for("")
        await settle(pilot)
        await press(pilot, "+")
        await type_text(pilot, "status:failed")
        await press(pilot, "enter")
        failed = screen.table.marks.count
        assert failed > 50
        await press(pilot, "_")
        await type_text(pilot, "owner:lin")
        await press(pilot, "enter")
        assert 0 < screen.table.marks.count < failed
        kept = screen.table.marks.count
        await press(pilot, "=")
        assert len(screen.table.ids) == kept
