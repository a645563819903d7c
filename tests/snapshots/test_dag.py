"""How the DAG looks: few nodes and many, a folded hub of 500 neighbours, and what is left of it without colours."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from dpconsole.app import ConsoleApp
from dpconsole.core.services import ListRequest, Services
from dpconsole.core.store.opening import open_store
from dpconsole.screens.asking import OpenDag
from tests.screens.hands import press, pulse, settle
from tests.screens.night import open_night
from tests.snapshots.graphs import fill_graphs
from tests.snapshots.test_snapshots import SMALL, WIDE

ALL_DOWN = "right_parenthesis"

PICTURES: dict[str, tuple[str, ...]] = {
    "five": (ALL_DOWN, "j"),
    "fifteen": (ALL_DOWN, "l"),
    "forty": (ALL_DOWN, "l", "space", "space"),
    "hub": ("l", "end"),
}
"""By the name of the main node: the keys that lead to the picture."""


@pytest.fixture(scope="session")
def graphs_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds the graphs, to be copied."""
    path = tmp_path_factory.mktemp("graphs") / "graphs.db"
    store = open_store(path, synchronous="NORMAL")
    fill_graphs(store)
    store.close()
    return path


@pytest.fixture
def graphs(graphs_file: Path, tmp_path: Path) -> Iterator[Services]:
    """The graphs, in a store of the test's own."""
    store = open_store(shutil.copy(graphs_file, tmp_path / "graphs.db"), synchronous="NORMAL")
    services = open_night(store, tmp_path).services
    yield services
    services.feed.close()
    store.close()


def drawn(name: str, *keys: str) -> Callable[[Pilot[int]], object]:
    """What brings the DAG of an instance to the screen."""

    async def go_there(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ConsoleApp)
        await settle(pilot)
        (found,) = app.services.lists.snapshot(ListRequest(text=f"name={name}")).ids
        app.post_message(OpenDag(found))
        await settle(pilot)
        await pulse(pilot)
        await press(pilot, *keys)
        app.clear_notifications()
        await settle(pilot)

    return go_there


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x40", "80x24"])
@pytest.mark.parametrize("name", PICTURES)
def test_dag(snap_compare: Callable[..., bool], graphs: Services, name: str, size: tuple[int, int]) -> None:
    app = ConsoleApp(graphs, live=False)
    assert snap_compare(app, terminal_size=size, run_before=drawn(name, *PICTURES[name]))


def test_dag_aggregated(snap_compare: Callable[..., bool], graphs: Services) -> None:
    keys = (ALL_DOWN, "A", "down", "enter", "j")
    assert snap_compare(ConsoleApp(graphs, live=False), terminal_size=SMALL, run_before=drawn("forty", *keys))


def test_dag_in_16_colours(snap_compare: Callable[..., bool], graphs: Services) -> None:
    app = ConsoleApp(graphs, live=False)
    app.theme = "ansi-dark"
    assert snap_compare(app, terminal_size=SMALL, run_before=drawn("fifteen", *PICTURES["fifteen"]))


def test_dag_without_colour(
    snap_compare: Callable[..., bool], graphs: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = ConsoleApp(graphs, live=False)
    assert snap_compare(app, terminal_size=SMALL, run_before=drawn("fifteen", *PICTURES["fifteen"]))


def test_dag_in_ascii(snap_compare: Callable[..., bool], graphs: Services) -> None:
    app = ConsoleApp(graphs, live=False, encoding="ascii")
    assert snap_compare(app, terminal_size=SMALL, run_before=drawn("fifteen", *PICTURES["fifteen"]))
