"""A real engine in a process of its own, to be killed, stopped and raced.

    python -m tests.faults.engine_process DATABASE NAME [--ttl MS] [--freeze-after TICKS] [--no-nights]

It waits for the lease, then runs night after night under a virtual clock that goes on where the journal ended, and
makes the next business date when it has nothing left to do, unless it is told to make none. Everything it has done is
said on one line at once, so that whoever reads the lines knows how far it has come without looking at a clock:

    leading EPOCH | pass | idle | frozen | fenced | refused WORDS

What it hands to its executor is appended to DATABASE.NAME.orders, one line an attempt, before the executor hears it.
"""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Event

from sqlalchemy import text

from dpconsole.core.domain.clock import SystemClock, VirtualClock
from dpconsole.core.engine import backfilling
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import generate
from dpconsole.core.engine.lease import TTL_MS, Fenced, Lease
from dpconsole.core.executors.protocol import Order
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.store.errors import StoreBusy
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.simulation import FIRST_DATE, START

SEED = 7
SLICE = 16
"""Rows a pass: few, so that a kill finds many commits to fall between."""


class OrderBook(SimulatedExecutor):
    """Writes down what it is told to run."""

    def __init__(self, path: Path) -> None:
        super().__init__(SEED)
        self._book = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def submit(self, orders: Iterable[Order]) -> None:
        orders = list(orders)
        lines = "".join(f"{order.handle.instance_id} {order.handle.number}\n" for order in orders)
        os.write(self._book, lines.encode())
        super().submit(orders)


def main() -> None:
    arguments = _arguments()
    store = open_store(arguments.database, create=False, synchronous="NORMAL")
    lease = Lease(store, SystemClock(), ttl_ms=arguments.ttl)
    backfilling.CHUNK = SLICE
    while True:
        _lead(store, lease)
        with suppress(Fenced):
            _run(store, lease, arguments)
        _say("fenced")


def _lead(store: Store, lease: Lease) -> None:
    """Wait for the lease."""
    while not _acquired(lease):
        Event().wait(0.01)
    _say(f"leading {lease.epoch}")


def _acquired(lease: Lease) -> bool:
    try:
        return lease.acquire()
    except StoreBusy as words:
        _say(f"refused {words}")
        return False


def _run(store: Store, lease: Lease, arguments: argparse.Namespace) -> None:
    clock = VirtualClock(_last_moment(store))
    engine = Engine(store, clock, OrderBook(_orders(arguments)), lease=lease, slice_=SLICE)
    for number in count(1):
        tick = engine.tick(lambda: _say("pass"))
        _say("pass" if tick.moved else "idle")
        if number == arguments.freeze_after:
            _freeze()
        if tick.next_at is None and not arguments.no_nights:
            _next_date(store, clock)
        elif tick.next_at is not None:
            clock.advance_to(max(clock.now(), tick.next_at))


def _last_moment(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(text("SELECT coalesce(max(at), 0) FROM transition")).scalar_one()) or START


def _next_date(store: Store, clock: VirtualClock) -> None:
    """Make the business date after the last one."""
    with store.read() as connection:
        made = connection.execute(text("SELECT count(DISTINCT business_date) FROM instance")).scalar_one()
    day = FIRST_DATE + timedelta(days=made)
    list(generate(store, clock, day, day))


def _freeze() -> None:
    """Stop between two transactions: one that froze inside would keep SQLite's write lock from everybody."""
    _say("frozen")
    os.kill(os.getpid(), signal.SIGSTOP)


def _orders(arguments: argparse.Namespace) -> Path:
    return Path(f"{arguments.database}.{arguments.name}.orders")


def _say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("name")
    parser.add_argument("--ttl", type=int, default=TTL_MS)
    parser.add_argument("--freeze-after", type=int, default=0)
    parser.add_argument("--no-nights", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
