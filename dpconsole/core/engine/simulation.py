"""The simulated executor of a database: every process that opens it draws from one seed."""

from __future__ import annotations

from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.store.session import Store
from dpconsole.core.store.settings import SEED, read_setting, write_setting

DEFAULT_SEED = 1


def simulated_executor(store: Store, seed: int | None = None) -> SimulatedExecutor:
    """The executor for a database. A seed that is given is kept for every later process."""
    if seed is None:
        with store.read() as connection:
            return SimulatedExecutor(int(read_setting(connection, SEED) or DEFAULT_SEED))
    with store.write() as transaction:
        write_setting(transaction, SEED, str(seed))
    return SimulatedExecutor(seed)
