"""The real console on a database that `fill` wrote, at noon after its last night: everything is done, nothing is due.

    python -m tests.bench.console_app DATABASE

The engine is there and holds the lease. Time goes on from that noon at its own pace.
"""

from __future__ import annotations

import sys
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text

from dpconsole.cli.commands.console import run_console
from dpconsole.cli.work import Work
from dpconsole.core.domain.clock import PacedClock, SystemClock, to_ms
from dpconsole.core.operations.actor import current_actor
from dpconsole.core.settings import load_settings
from dpconsole.core.store.opening import open_store
from tests.bench.fill import LAST, fill

ZONE = ZoneInfo("Asia/Shanghai")
NOON = to_ms(datetime.combine(LAST + timedelta(days=1), time(12), ZONE))


def make_database(path: Path, instances: int) -> Path:
    """A database in which every instance has succeeded."""
    store = open_store(path, synchronous="NORMAL")
    fill(store, instances)
    with store.write() as transaction:
        transaction.execute(text(_ALL_DONE), {"rev": transaction.rev})
    store.close()
    return path


_ALL_DONE = """
UPDATE instance SET status = 'SUCCEEDED', paused = FALSE, pending = 0, attempt = 1, error = '', rev = :rev,
    started_at = coalesce(started_at, due_at), ended_at = coalesce(ended_at, due_at + 60000)
WHERE status != 'SUCCEEDED'
"""


def main(path: Path) -> None:
    """Show the console until it is left."""
    store = open_store(path)
    settings = load_settings({"database": str(path)}, {}, path.parent)
    wall = SystemClock()
    run_console(Work(settings, store, wall, current_actor("console", {})), PacedClock(wall, NOON, 1.0), 1.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
