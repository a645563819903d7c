"""Home answers before a key is pressed, also when there is nothing to answer."""

from __future__ import annotations

from pathlib import Path

from dpconsole.app import ConsoleApp
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.opening import open_store
from tests.screens.hands import lines, settle, text
from tests.screens.night import EVENING, open_night, workspace


async def test_an_empty_database_says_how_to_fill_it(tmp_path: Path) -> None:
    store = open_store(tmp_path / "empty.db", synchronous="NORMAL")
    async with ConsoleApp(open_night(store, tmp_path).services, live=False).run_test() as pilot:
        await settle(pilot)
        assert "dpconsole load FILE.." in text(pilot)
        assert "dpconsole demo" in text(pilot)
    store.close()


async def test_a_workspace_without_instances_says_how_to_make_them(tmp_path: Path) -> None:
    store = open_store(tmp_path / "loaded.db", synchronous="NORMAL")
    with store.write() as transaction:
        save_workspace(transaction, workspace(), EVENING)
    async with ConsoleApp(open_night(store, tmp_path).services, live=False).run_test() as pilot:
        await settle(pilot)
        assert "dpconsole generate --date 2026-11-19" in text(pilot)
        assert "dpconsole load" not in text(pilot)
    store.close()


async def test_what_waits_behind_a_failure_is_folded_into_its_group(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        (heap,) = [line for line in lines(pilot) if "heap space" in line]
        (table,) = [line for line in lines(pilot) if "Table not found" in line]
        assert "+" not in heap
        assert "+3" in table.split()


async def test_the_first_failure_stands_first_and_the_cursor_on_the_biggest_group(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        groups = [line for line in lines(pilot) if "heap space" in line or "Table not found" in line]
        assert "heap space" in groups[0]
        assert groups[0].startswith("›")
