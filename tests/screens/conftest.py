"""The night, and consoles on it: no timer, no engine but the hand-driven one, nothing that reads the wall clock."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from dpconsole.app import ConsoleApp
from dpconsole.core.store.opening import open_store
from dpconsole.screens.backfill_form import BackfillFormScreen
from tests.screens.backfills import plant_some
from tests.screens.night import Night, fill, open_night


async def _yield_to_everybody(*_seconds: float) -> None:
    """Let whatever is ready run; Textual's own way is to sleep until the process looks idle, 20 ms and more a key."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def nobody_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pilots wait for what they have to wait for (`hands.settle`), and never for the processor."""
    for place in ("textual.pilot", "textual.app"):
        monkeypatch.setattr(f"{place}.wait_for_idle", _yield_to_everybody)


@pytest.fixture(scope="session")
def night_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds the night, to be copied."""
    path = tmp_path_factory.mktemp("night") / "night.db"
    store = open_store(path, synchronous="NORMAL")
    fill(store)
    store.close()
    return path


@pytest.fixture
def night(night_file: Path, tmp_path: Path) -> Iterator[Night]:
    """The night in a store of the test's own."""
    store = open_store(shutil.copy(night_file, tmp_path / "night.db"), synchronous="NORMAL")
    opened = open_night(store, tmp_path)
    yield opened
    opened.services.feed.close()
    store.close()


@pytest.fixture(scope="session")
def planted_file(night_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds the night with two backfills, to be copied; beside it stands the moment."""
    place = tmp_path_factory.mktemp("planted")
    store = open_store(shutil.copy(night_file, place / "planted.db"), synchronous="OFF")
    night = open_night(store, place)
    plant_some(night)
    (place / "now").write_text(str(night.clock.now()))
    store.close()
    return place / "planted.db"


@pytest.fixture
def planted_night(planted_file: Path, tmp_path: Path) -> Iterator[Night]:
    """The night with two backfills: of the newer one two data timestamps are in flight, two wait."""
    store = open_store(shutil.copy(planted_file, tmp_path / "planted.db"), synchronous="OFF")
    opened = open_night(store, tmp_path)
    opened.clock.advance_to(int((planted_file.parent / "now").read_text()))
    yield opened
    opened.services.feed.close()
    store.close()


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flight plan follows every keystroke at once: no timer has to be waited for."""

    def follow(screen: BackfillFormScreen, _seconds: float, plan: Callable[[], None]) -> SimpleNamespace:
        screen.call_later(plan)
        return SimpleNamespace(stop=lambda: None)

    monkeypatch.setattr(BackfillFormScreen, "set_timer", follow)


@pytest.fixture
def app(night: Night) -> ConsoleApp:
    """A console on the night."""
    return ConsoleApp(night.services, live=False)
