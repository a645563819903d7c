"""Download upstream and downstream nodes: the name, the levels, the columns and the rows of sections 4.1 and 5."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpconsole.core.export.neighbours import export_neighbours
from dpconsole.core.export.places import ExportCancelled
from dpconsole.core.store.session import Store
from tests.core.export.test_workbook import NOW, SHANGHAI, TITLES, read
from tests.core.store.night import ADS, DIM, LTV, ODS, set_instance, write_night
from tests.nights import Night, task

TITLES_HERE = (*TITLES, "Upstream Level", "Downstream Level")


@pytest.fixture
def chain(sqlite_store: Store) -> Night:
    """t0 -> t1 -> ... -> t12."""
    night = Night(sqlite_store, task("t0"), *(task(f"t{number}", f"t{number - 1}") for number in range(1, 13)))
    night.generate()
    return night


def levels(night: Night, path: Path, up: int | None, down: int | None) -> list[tuple[str, str, str]]:
    written = export_neighbours(night.store, night.id("t6"), up, down, path, NOW, SHANGHAI)
    assert written is not None
    _, *rows = read(written)
    return [(row[0], row[-2] or "", row[-1] or "") for row in rows]


def test_one_level_on_either_side(chain: Night, tmp_path: Path) -> None:
    assert levels(chain, tmp_path, 1, 1) == [("t5", "1", ""), ("t7", "", "1")]


def test_each_side_has_its_own_number_and_unlimited_is_all(chain: Night, tmp_path: Path) -> None:
    assert [name for name, _, _ in levels(chain, tmp_path, None, 2)] == ["t0", "t1", "t2", "t3", "t4", "t5", "t7", "t8"]


def test_all_columns_come_in_the_order_of_download_all_and_the_levels_last(store: Store, tmp_path: Path) -> None:
    write_night(store)
    path = export_neighbours(store, DIM, 10, 10, tmp_path, NOW, SHANGHAI)
    assert path is not None
    header, *rows = read(path)
    assert header == TITLES_HERE
    assert [(row[0], row[7], *row[-2:]) for row in rows] == [
        ("ods", "trade (交易)", "1", None),
        ("ads", "trade (交易)", None, "1"),
    ]


@pytest.mark.parametrize(
    ("id", "name", "safe"),
    [(ADS, "ads", "ads"), (LTV, "ltv", "dim"), (ODS, "../o ds", "__o_ds")],
)
def test_the_file_is_called_after_the_task(sqlite_store: Store, tmp_path: Path, id: int, name: str, safe: str) -> None:
    write_night(sqlite_store)
    set_instance(sqlite_store, id, name=name)
    path = export_neighbours(sqlite_store, id, 1, 1, tmp_path, NOW, SHANGHAI)
    assert path == tmp_path.resolve() / f"{safe}_upstream_and_downstream_nodes_20261120023000.xlsx"


@pytest.mark.parametrize("number", [0, 11, -1])
def test_levels_are_one_to_ten_or_all(chain: Night, tmp_path: Path, number: int) -> None:
    with pytest.raises(ValueError, match="1 to 10"):
        export_neighbours(chain.store, chain.id("t6"), number, 1, tmp_path, NOW, SHANGHAI)


def test_where_nothing_is_beside_it_nothing_is_written(sqlite_store: Store, tmp_path: Path) -> None:
    Night(sqlite_store, task("alone")).generate()
    assert export_neighbours(sqlite_store, 1, 1, 1, tmp_path / "out", NOW, SHANGHAI) is None
    assert export_neighbours(sqlite_store, 99, 1, 1, tmp_path / "out", NOW, SHANGHAI) is None
    assert not (tmp_path / "out").exists()


def test_it_can_be_called_off_while_it_looks_around(chain: Night, tmp_path: Path) -> None:
    with pytest.raises(ExportCancelled):
        export_neighbours(chain.store, chain.id("t6"), None, None, tmp_path, NOW, SHANGHAI, is_cancelled=lambda: True)
    assert not list(tmp_path.glob("*.xlsx"))
