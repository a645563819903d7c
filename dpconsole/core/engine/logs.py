"""The run log of an attempt, as any process may read it (section 19)."""

from __future__ import annotations

from dpconsole.core.domain.clock import Clock
from dpconsole.core.engine.works import Works
from dpconsole.core.executors.protocol import Executor
from dpconsole.core.store import engine_sql
from dpconsole.core.store.session import Store


class RunLogs:
    """Reads logs through the executor that wrote them. `clock` is the engine's, for attempts under way."""

    def __init__(self, store: Store, executor: Executor, clock: Clock) -> None:
        self._store = store
        self._executor = executor
        self._clock = clock
        self._works = Works()

    def read(self, instance_id: int, number: int, offset: int, limit: int) -> bytes:
        """At most `limit` bytes from `offset`; empty at the end, and for an attempt that never was."""
        with self._store.read() as connection:
            self._works.refresh(connection)
            row = engine_sql.one_order(connection, instance_id, number)
            order = None if row is None else self._works.reread(connection, row)
        if row is None or order is None:
            return b""
        until = self._clock.now() if row.ended_at is None else row.ended_at
        return self._executor.log(order, offset, limit, until)
