"""The one object through which a screen reaches the core.

Whoever starts the console (the command line, a test) builds `Services` once; it never changes afterwards. Screens
import this module alone: it passes on the values they draw, so that none of them needs to know the store or the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.clock import Clock
from dpconsole.core.domain.text import clean
from dpconsole.core.engine.lease import EngineState
from dpconsole.core.engine.view import EngineView
from dpconsole.core.engine.why import Moment, explain
from dpconsole.core.operations.planning import Plan
from dpconsole.core.operations.records import Item, Outcome, Record, State
from dpconsole.core.operations.registry import OPERATIONS, Operation
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.query.fields import ListKind
from dpconsole.core.query.language import QueryError
from dpconsole.core.query.lists import DEFAULT_FILTERS, QUICK_FILTERS, ListRequest, Lists, Snapshot
from dpconsole.core.settings import Settings
from dpconsole.core.store.changes import Delta, Feed
from dpconsole.core.store.definition_rows import StoredTask, known_task_keys, read_tasks
from dpconsole.core.store.details import (
    AttemptRow,
    FieldRow,
    InstanceDetail,
    Neighbour,
    NodeRow,
    OperationRow,
    TransitionRow,
)
from dpconsole.core.store.errors import StoreError
from dpconsole.core.store.overview import BaselineProgress, FailureGroup, Overview, read_overview
from dpconsole.core.store.pages import InstanceRow, TaskRow
from dpconsole.core.store.record_pages import RecordRow
from dpconsole.core.store.session import Store

__all__ = [
    "DEFAULT_FILTERS",
    "OPERATIONS",
    "QUICK_FILTERS",
    "AttemptRow",
    "BaselineProgress",
    "Delta",
    "EngineState",
    "EngineView",
    "FailureGroup",
    "FieldRow",
    "InstanceDetail",
    "InstanceRow",
    "Item",
    "ListKind",
    "ListRequest",
    "Neighbour",
    "NodeRow",
    "Operation",
    "OperationRow",
    "Outcome",
    "Overview",
    "Plan",
    "QueryError",
    "Record",
    "RecordRow",
    "Selection",
    "Services",
    "Snapshot",
    "State",
    "StoreError",
    "StoredTask",
    "TaskRow",
    "TransitionRow",
]


@dataclass(frozen=True)
class Services:
    """What a console works with.

    `clock` is the engine's, which may run faster than the wall's; `wall` is the machine's, by which the lease counts.
    `zone` is the workspace's, `environment` (prod or dev) the one the console opens in.
    """

    clock: Clock
    wall: Clock
    store: Store
    feed: Feed
    lists: Lists
    operations: Operations
    engine: EngineView
    settings: Settings
    zone: ZoneInfo
    environment: str

    def overview(self, environment: str, business_date: date) -> Overview:
        """What broke, how far the night is and what is held, on one data timestamp."""
        with self.store.read() as connection:
            return read_overview(connection, environment, business_date.isoformat())

    def why(self, instance_id: int) -> str:
        """Why an instance stands still, in one sentence; empty when nothing holds it."""
        with self.store.read() as connection:
            return explain(connection, instance_id, Moment(self.clock.now(), self.zone))

    def task(self, key: str) -> StoredTask | None:
        """The definition of a task by its key `project.name`, as it is stored or as it is shown."""
        with self.store.read() as connection:
            found = read_tasks(connection, [key]) or read_tasks(connection, _shown_as(connection, key))
            return next(iter(found.values()), None)


def _shown_as(connection: Connection, shown: str) -> list[str]:
    """The keys that are cleaned to what a screen shows; only names with control characters ever differ from it."""
    return [key for key in known_task_keys(connection) if clean(key) == shown]
