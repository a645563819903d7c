"""The download of what stands upstream and downstream of an instance, level by level (sections 4.1 and 5).

The columns are those of Download All; how many levels above or below it a row is comes behind them. A logical table
that has nodes on both sides of the instance is one row with a level in either column.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from dpconsole.core.export.places import safe_part, unless
from dpconsole.core.export.sheets import Column, Sheet
from dpconsole.core.export.workbook import Download, Progress, instance_columns, write_download
from dpconsole.core.store.neighbours import Levels, listed_row, read_levels
from dpconsole.core.store.pages import InstanceRow, instance_rows
from dpconsole.core.store.session import Store

SUFFIX = "upstream_and_downstream_nodes"
"""What follows the task's name in the name of the download (section 4.1)."""

MOST_LEVELS = 10
"""Levels that can be asked for by number; beyond them there is only: all (section 4.1)."""


class _Placed(NamedTuple):
    """A row and how many levels it is above and below the instance; None on the side where it does not stand."""

    row: InstanceRow
    above: int | None
    below: int | None


def export_neighbours(
    store: Store,
    instance_id: int,
    up: int | None,
    down: int | None,
    directory: Path,
    now_ms: int,
    zone: tzinfo,
    *,
    progress: Progress = lambda _done, _total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Path | None:
    """Write the rows `up` levels above and `down` below an instance, None for all, the farthest upstream first.

    The file is `{task_name}_upstream_and_downstream_nodes_{time}.xlsx`; a materialization node stands for its table.
    None, and no file, when there is no such instance or nothing beside it. ValueError for a number of levels that is
    not 1 to 10. For the rest see `export_instances`.
    """
    for levels in (up, down):
        if levels is not None and not 1 <= levels <= MOST_LEVELS:
            raise ValueError(f"{levels} levels cannot be asked for: write 1 to {MOST_LEVELS}, or all of them")
    found = _find(store, instance_id, up, down, is_cancelled)
    if found is None:
        return None
    name, levels_of = found
    ids = sorted(levels_of.up, key=lambda id: (-levels_of.up[id], id))
    ids += sorted(levels_of.down.keys() - levels_of.up.keys(), key=lambda id: (levels_of.down[id], id))
    sheet = Sheet("Upstream and Downstream Nodes", _columns(now_ms, zone), f"Times are in {zone}.")
    download = Download(f"{safe_part(name)}_{SUFFIX}", _reader(levels_of.up, levels_of.down), sheet)
    return write_download(download, store, ids, directory, now_ms, zone, progress, is_cancelled) if ids else None


def _find(
    store: Store, instance_id: int, up: int | None, down: int | None, is_cancelled: Callable[[], bool]
) -> tuple[str, Levels] | None:
    """The instance's name, and what stands around it."""
    with store.read() as connection:
        listed = listed_row(connection, instance_id)
        if listed is None:
            return None
        (row,) = instance_rows(connection, [listed])
        return row.name, read_levels(connection, listed, up, down, check=unless(is_cancelled))


def _reader(
    above: Mapping[int, int], below: Mapping[int, int]
) -> Callable[[Connection, Collection[int]], list[_Placed]]:
    def read(connection: Connection, ids: Collection[int]) -> list[_Placed]:
        return [_Placed(row, above.get(row.id), below.get(row.id)) for row in instance_rows(connection, ids)]

    return read


def _columns(now_ms: int, zone: tzinfo) -> tuple[Column[_Placed], ...]:
    return (
        *(_of_the_row(column) for column in instance_columns(now_ms, zone)),
        Column("Upstream Level", lambda placed: _level(placed.above), 15),
        Column("Downstream Level", lambda placed: _level(placed.below), 17),
    )


def _of_the_row(column: Column[InstanceRow]) -> Column[_Placed]:
    return Column(column.title, lambda placed: column.value(placed.row), column.width)


def _level(levels: int | None) -> str:
    return "" if levels is None else str(levels)
