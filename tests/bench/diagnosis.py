"""How long it takes to be told why an instance stands still, by how much lies above it.

    python -m tests.bench.diagnosis [PATH-OR-URL]

A hundred layers of instances, each waiting for three of the layer above it; the uppermost layer has failed. The deeper
an instance lies, the more of the graph holds it up. `walk` is the statement that finds the start blocking instances,
`explain` the whole diagnosis with its estimate.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import case, insert, select, text, update

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.diagnosis import explain
from dpconsole.core.store.diagnosis import WALK_LIMIT, walk_up
from dpconsole.core.store.models import Instance, InstanceDependency
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.bench.fill import fill
from tests.bench.tables import Column, Table

LAYERS = 100
DEPTHS = (1, 5, 20, 50, 99)
TIMES = 5
NOW = 1_795_114_800_000


def run(instances: int = 100_000, target: str | None = None) -> None:
    """Print one line for each depth."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(target or Path(folder) / "store.db")
        rows = layered(store, instances)
        table = Table(
            Column("instances", 9, "{:,}"),
            Column("layers above", 14),
            Column("rows walked", 13, "{:,}"),
            Column("roots", 7, "{:,}"),
            Column("walk ms", 9, "{:.1f}"),
            Column("explain ms", 12, "{:.1f}"),
        )
        for depth in DEPTHS:
            table.line(len(rows), depth, *measure(store, rows[len(rows) // LAYERS * depth]))
        store.close()


def measure(store: Store, instance: int) -> tuple[int, int, float, float]:
    """Rows walked, roots found, milliseconds of the walk and of the whole."""
    with store.read() as connection:
        walked, walk = _timed(lambda: walk_up(connection, [instance], WALK_LIMIT))
    found, whole = _timed(lambda: explain(store, VirtualClock(NOW), instance))
    return len(walked), len(found.start_blocking), walk, whole


def _timed(act: Callable[[], Any]) -> tuple[Any, float]:
    took = []
    for _ in range(TIMES):
        began = perf_counter()
        result = act()
        took.append((perf_counter() - began) * 1000)
    return result, median(took)


def layered(store: Store, instances: int) -> list[int]:
    """Fill a store and stack its instances; returns their ids, layer by layer."""
    fill(store, instances)
    with store.write() as transaction:
        executable = select(Instance.id).where(Instance.unit == "script").order_by(Instance.id)
        rows = list(transaction.execute(executable).scalars())
        width = len(rows) // LAYERS
        del rows[width * LAYERS :]
        uppermost = Instance.id <= rows[width - 1]
        standing = {
            "status": case((uppermost, Status.FAILED), else_=Status.NOT_RUNNING),
            "pending": case((uppermost, 0), else_=3),
            "paused": False,
        }
        transaction.execute(update(Instance).values(standing))
        transaction.execute(insert(InstanceDependency), list(_edges(rows, width)))
        if not store.is_sqlite:
            transaction.execute(text("ANALYZE instance, instance_dependency"))
    return rows


def _edges(rows: list[int], width: int) -> Iterator[dict[str, int]]:
    for place, id in enumerate(rows[width:], start=width):
        above = place // width * width - width
        for number in range(3):
            upstream = rows[above + (place + number) % width]
            yield {"downstream_id": id, "requirement": number, "upstream_id": upstream, "alternative": False}


if __name__ == "__main__":
    run(target=sys.argv[1] if len(sys.argv) > 1 else None)
