"""How long it takes to read what stands around an instance, by how many levels of how large a graph.

    python -m tests.bench.dag_window [PATH-OR-URL]

Two shapes. In the deep one each instance waits for the two before it of its date, a thousand in a row; in the wide one
every instance of a date waits for the first, and so does one of them for all. `grow` reads the same window again with
one level more on either side, as `<` and `>` do. What a level costs must not depend on how many instances there are.
A second table has the same on the screen: from the key until the picture is drawn.
"""

from __future__ import annotations

import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text

from dpconsole.core.graph.window import MOST_NODES, extend, read_window
from dpconsole.core.store.models import Instance, InstanceDependency
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.bench.console_dag import take
from tests.bench.fill import LAST, fill
from tests.bench.tables import Column, Table

SIZES = (10_000, 100_000)
LEVELS = (1, 2, 5, 20, None)
TIMES = 5


def run(sizes: tuple[int, ...] = SIZES, target: str | None = None) -> None:
    """Print one line for each shape, size and number of levels."""
    table = Table(
        Column("graph", 7, words=True),
        Column("instances", 11, "{:,}"),
        Column("levels", 8),
        Column("nodes", 7, "{:,}"),
        Column("edges", 7, "{:,}"),
        Column("read ms", 9, "{:.1f}"),
        Column("grow ms", 9, "{:.1f}"),
        Column("MiB", 7, "{:.1f}"),
    )
    painted = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            store = open_store(target or Path(folder) / "store.db")
            fill(store, size, edges=True)
            _analyse(store)
            tonight = _tonight(store)
            for levels in LEVELS:
                table.line("deep", size, levels or "all", *measure(store, tonight[len(tonight) // 2], levels))
            painted += [("deep", size, *one) for one in take(store, Path(folder), tonight[len(tonight) // 2])]
            _widen(store, tonight)
            _analyse(store)
            for levels in LEVELS[:2]:
                table.line("wide", size, levels or "all", *measure(store, tonight[0], levels))
            painted += [("wide", size, *one) for one in take(store, Path(folder), tonight[0])]
            store.close()
    _print_painted(painted)


def _print_painted(painted: Iterable[tuple[Any, ...]]) -> None:
    print("\nOn the screen\n", flush=True)
    table = Table(
        Column("graph", 7, words=True),
        Column("instances", 11, "{:,}"),
        Column("key", 9),
        Column("nodes", 7, "{:,}"),
        Column("boxes", 7, "{:,}"),
        Column("painted ms", 12, "{:.1f}"),
    )
    for line in painted:
        table.line(*line)


def measure(store: Store, instance: int, levels: int | None) -> tuple[int, int, float, float, float]:
    """Nodes, edges, milliseconds to read and to read one level more, the peak of memory meanwhile."""
    with store.read() as connection:
        window, read = _timed(lambda: _read(connection, instance, levels))
        _, grow = _timed(lambda: extend(connection, window, up=1, down=1))
        tracemalloc.start()
        _read(connection, instance, levels)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return len(window.nodes), len(window.edges), read, grow, peak / 2**20


def _read(connection: Connection, instance: int, levels: int | None) -> Any:
    return read_window(connection, instance, levels, levels, limit=MOST_NODES)


def _timed(act: Callable[[], Any]) -> tuple[Any, float]:
    took = []
    for _ in range(TIMES):
        began = perf_counter()
        result = act()
        took.append((perf_counter() - began) * 1000)
    return result, median(took)


def _tonight(store: Store) -> list[int]:
    """The scripts of the last business date, in the order of their ids."""
    scripts = select(Instance.id).where(Instance.business_date == LAST.isoformat(), Instance.unit == "script")
    with store.read() as connection:
        return list(connection.execute(scripts.order_by(Instance.id)).scalars())


def _widen(store: Store, rows: list[int]) -> None:
    """Make one row the upstream of all others of its date, and another the downstream of them all."""
    with store.write() as transaction:
        transaction.execute(delete(InstanceDependency).where(InstanceDependency.downstream_id.in_(rows)))
        transaction.execute(insert(InstanceDependency), list(_spread(rows)))


def _analyse(store: Store) -> None:
    """Do what PostgreSQL does by itself a minute later."""
    if not store.is_sqlite:
        with store.write() as transaction:
            transaction.execute(text("ANALYZE instance_dependency"))


def _spread(rows: list[int]) -> Iterator[dict[str, Any]]:
    first, *between, last = rows
    for number, id in enumerate(between, 1):
        yield {"downstream_id": id, "requirement": 1, "upstream_id": first, "alternative": False}
        yield {"downstream_id": last, "requirement": number, "upstream_id": id, "alternative": False}


if __name__ == "__main__":
    run(target=sys.argv[1] if len(sys.argv) > 1 else None)
