"""What there is to run: definitions turned into orders for an executor, read once and kept until they change."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row

from dpconsole.core.domain.backfill_form import BackfillForm
from dpconsole.core.domain.definitions import RunConfig, Simulation
from dpconsole.core.executors.protocol import Handle, Order, Work
from dpconsole.core.store import engine_sql
from dpconsole.core.store.backfill_sql import read_form
from dpconsole.core.store.definition_rows import from_text, read_timezone
from dpconsole.core.store.engine_sql import Candidate

Key = tuple[int, int | None]
"""A task, and a materialization node of it or None."""

Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parameters that a backfill asks for: of all its tasks, and of one by its key."""

    of_all: Mapping[str, str]
    of_task: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, form: BackfillForm) -> _Asked:
        of_task: dict[str, dict[str, str]] = defaultdict(dict)
        for key, name, value in form.task_parameters:
            of_task[key][name] = value
        return cls(dict(form.parameters), dict(of_task))

    def instead(self, work: Work, task_key: str) -> Work:
        """A task's work with these parameters instead of its own; what is asked of the one task wins."""
        own = {**self.of_all, **self.of_task.get(task_key, {})}
        return replace(work, parameters=tuple((dict(work.parameters) | own).items())) if own else work


class Works:
    """The work of tasks and nodes, by id; `refresh` forgets it when a definition has changed."""

    def __init__(self) -> None:
        self._rev = -1
        self._zone = "UTC"
        self._known: dict[Key, Work] = {}
        self._asked: dict[int, _Asked] = {}

    def refresh(self, connection: Connection) -> None:
        """Forget what is known when a definition has changed since."""
        rev = engine_sql.definitions_rev(connection)
        if rev != self._rev:
            self._known.clear()
            self._zone = read_timezone(connection)
            self._rev = rev

    def orders(self, connection: Connection, rows: list[Candidate], token: int, now: int) -> list[Order]:
        """The orders for the attempts that rows start now, each the next of its row."""
        self._learn(connection, rows)
        return [self._order(row, row.attempt + 1, token, now, now + row.timeout_ms) for row in rows]

    def reread(self, connection: Connection, row: Row[Any]) -> Order:
        """The order of an attempt that was written earlier, from its row (see `engine_sql.open_orders`)."""
        candidate = Candidate._make(row[: len(Candidate._fields)])
        self._learn(connection, [candidate])
        return self._order(candidate, row.number, row.token, row.started_at, row.deadline_at)

    def _learn(self, connection: Connection, rows: list[Candidate]) -> None:
        """Read the work that is not known yet, together; a backfill may have parameters of its own."""
        if unknown := {(row.task_id, row.node_id) for row in rows}.difference(self._known):
            self._read(connection, {task for task, _ in unknown})
        for backfill in {row.backfill_id for row in rows if row.backfill_id is not None}.difference(self._asked):
            self._asked[backfill] = _Asked.of(from_text(BackfillForm, read_form(connection, backfill)))

    def _order(self, row: Candidate, number: int, token: int, started_at: int, deadline_at: int) -> Order:
        work = self._known[row.task_id, row.node_id]
        if row.backfill_id is not None:
            work = self._asked[row.backfill_id].instead(work, row.task_key)
        identity = f"{row.task_key}/{work.node}/{row.business_date}/{row.ordinal}/{row.backfill_id or ''}"
        handle = Handle(row.id, number)
        return Order(handle, token, identity, row.business_date, row.due_at, started_at, deadline_at, work)

    def _read(self, connection: Connection, task_ids: set[int]) -> None:
        tasks, nodes = engine_sql.task_work(connection, task_ids)
        of_task: dict[int, list[Row[Any]]] = defaultdict(list)
        for node in nodes:
            of_task[node.task_id].append(node)
        for task in tasks:
            run, simulation = from_text(RunConfig, task.run), from_text(Simulation, task.simulate)
            self._known[task.id, None] = self._work(task, "", run, simulation)
            for node in of_task[task.id]:
                own = simulation if node.simulate in (None, "null") else from_text(Simulation, node.simulate)
                self._known[task.id, node.id] = self._work(task, node.name, run, own)

    def _work(self, task: Row[Any], node: str, run: RunConfig, simulation: Simulation) -> Work:
        return Work(task.key, node, task.type, run.command, _parameters(task.parameters), simulation, self._zone)


@lru_cache(4096)
def _parameters(document: str) -> Parameters:
    return tuple((name, value) for name, value in json.loads(document))
