"""Home answers before a key is pressed, also when there is nothing to answer."""

from __future__ import annotations

from pathlib import Path

from dpconsole.app import ConsoleApp
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.opening import open_store
from tests.screens.hands import settle, text
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
