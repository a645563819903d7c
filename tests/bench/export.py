"""Download All at size: seconds, and the memory it adds, beside what reading the same rows takes without a workbook.

    python -m tests.bench.export [INSTANCES]

Each figure is taken in a process of its own, on a database filled before it. The memory is the highest the process
reached, less what it held when the export began, openpyxl's own modules included; it may be 100 MiB at most.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from dpconsole.core.export.workbook import PAGE, export_instances, recurring_ids
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.pages import instance_rows
from dpconsole.core.store.session import Store
from tests.bench.fill import LAST, fill

ROOT = Path(__file__).resolve().parents[2]
MEMORY_MIB = 100
"""What an export of 100,000 rows may add."""

SIZES = (10_000, 100_000)

NOW = (LAST.toordinal() - 719_163 + 1) * 86_400_000
ZONE = ZoneInfo("Asia/Shanghai")


def _resident() -> float:
    """MiB of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _highest() -> float:
    """MiB of this process at its largest; `getrusage` would count what its parent held as well."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**10


def _read_all(store: Store, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), PAGE):
        with store.read() as connection:
            instance_rows(connection, ids[start : start + PAGE])


def take(database: str, directory: str) -> dict[str, Any]:
    """All figures of one export of everything in a database."""
    store = open_store(database, readonly=True)
    before = _resident()
    began = time.perf_counter()
    ids = recurring_ids(store, "prod")
    path = export_instances(store, ids, Path(directory), NOW, ZONE)
    took = time.perf_counter() - began
    added = max(0.0, _highest() - before)
    began = time.perf_counter()
    _read_all(store, ids)
    return {
        "rows": len(ids),
        "seconds": took,
        "reading_s": time.perf_counter() - began,
        "memory_mib": added,
        "file_mib": path.stat().st_size / 2**20,
    }


def _in_process(rows: int) -> dict[str, Any]:
    with TemporaryDirectory() as home:
        database = str(Path(home) / "store.db")
        with_rows = open_store(database, synchronous="NORMAL")
        fill(with_rows, rows)
        with_rows.close()
        argv = [sys.executable, "-m", "tests.bench.export", database, home]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def run(sizes: Sequence[int] = SIZES, out: TextIO = sys.stdout) -> list[dict[str, Any]]:
    """Measure every size, print a table, return its rows."""
    print(f"{'export':<10}{'rows':>10}{'time':>11}{'reading':>11}{'memory':>13}{'file':>11}", file=out)
    taken = []
    for rows in sizes:
        figures = _in_process(rows)
        taken.append(figures)
        verdict = "" if figures["memory_mib"] < MEMORY_MIB else f"   OVER {MEMORY_MIB} MiB"
        print(
            f"{'.xlsx':<10}{figures['rows']:>10,}{figures['seconds']:>9.1f} s{figures['reading_s']:>9.1f} s"
            f"{figures['memory_mib']:>9.1f} MiB{figures['file_mib']:>7.1f} MiB{verdict}",
            file=out,
            flush=True,
        )
    return taken


def main(arguments: Sequence[str]) -> None:
    """The table of all sizes, or of one; with a database and a directory, the figures of that one as JSON."""
    if len(arguments) == 2:
        print(json.dumps(take(*arguments)))
    else:
        run([int(size) for size in arguments] or SIZES)


if __name__ == "__main__":
    main(sys.argv[1:])
