"""The one object through which a screen reaches the core.

Whoever starts the console (the command line, a test) builds `Services` once; it never changes afterwards. Screens
import this module alone: it passes on the values they draw, so that none of them needs to know the store or the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.backfill_form import BackfillForm
from dpconsole.core.domain.clock import Clock
from dpconsole.core.domain.definitions import Role
from dpconsole.core.domain.keys import Layer, TreeId, layer_of
from dpconsole.core.domain.text import clean
from dpconsole.core.engine.backfill_progress import BackfillProgress, DateProgress, read_progress
from dpconsole.core.engine.baselines import BaselineRow, read_baselines
from dpconsole.core.engine.diagnosis import Explanation
from dpconsole.core.engine.diagnosis import explain as diagnose
from dpconsole.core.engine.gantt import Candidate, Gantt, GanttRow, candidates, read_gantt
from dpconsole.core.engine.lease import EngineState
from dpconsole.core.engine.queue import QueueRow, read_queue
from dpconsole.core.engine.view import EngineView
from dpconsole.core.engine.why import Moment, explain
from dpconsole.core.export.neighbours import export_neighbours
from dpconsole.core.export.places import ExportCancelled, ExportError
from dpconsole.core.export.workbook import Progress, export_instances, recurring_ids
from dpconsole.core.graph.critical import PathRole
from dpconsole.core.graph.grouping import MOST_BESIDE, Group, Grouped, Grouping, aggregate, recounted, renamed
from dpconsole.core.graph.task_window import read_task_window
from dpconsole.core.graph.window import (
    MOST_NODES,
    Window,
    WindowNode,
    in_order,
    next_failed,
    read_window,
    refresh,
    turned,
    window_ids,
    with_nodes,
)
from dpconsole.core.operations.arming import Armed, Arming
from dpconsole.core.operations.backfill_answers import join_list
from dpconsole.core.operations.backfill_form import (
    ENVIRONMENT,
    FormField,
    FormKind,
    Problem,
    Reading,
    asked_fields,
    read_form,
    suggested,
)
from dpconsole.core.operations.backfill_form import FIELDS as BACKFILL_FIELDS
from dpconsole.core.operations.backfill_said import said
from dpconsole.core.operations.backfills import Backfills
from dpconsole.core.operations.fields import Field, FieldKind
from dpconsole.core.operations.flight import BaselineEffect, CoveredTask, DateMark, FlightPlan, Superseded
from dpconsole.core.operations.flight import Standing as DateStanding
from dpconsole.core.operations.flows import SavedFlow, saved_flow, saved_flows
from dpconsole.core.operations.history import Chain, History
from dpconsole.core.operations.permissions import is_allowed
from dpconsole.core.operations.planning import Plan
from dpconsole.core.operations.records import Item, Outcome, Record, State
from dpconsole.core.operations.registry import OPERATIONS, Operation, verb_on
from dpconsole.core.operations.selection import Kind, Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.operations.undo import Step, WayBack
from dpconsole.core.query.backfill_tree import SUBMITTED, BackfillTree, Inside
from dpconsole.core.query.fields import ListKind
from dpconsole.core.query.language import QueryError
from dpconsole.core.query.lists import DEFAULT_FILTERS, QUICK_FILTERS, ListRequest, Lists, Snapshot
from dpconsole.core.settings import Settings
from dpconsole.core.store.backfill_pages import BackfillRow
from dpconsole.core.store.backfill_sql import read_form as read_form_of
from dpconsole.core.store.backfill_tree import BackfillNode, DateNode, InstanceNode, TreeRow
from dpconsole.core.store.changes import Delta, Feed
from dpconsole.core.store.definition_rows import StoredTask, from_text, known_task_keys, read_tasks
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
from dpconsole.core.store.neighbours import Timestamp, timestamps, twins
from dpconsole.core.store.overview import BaselineProgress, FailureGroup, Overview, read_overview
from dpconsole.core.store.pages import InstanceRow, TaskRow
from dpconsole.core.store.record_pages import RecordRow
from dpconsole.core.store.saved_flows import read_flow_form
from dpconsole.core.store.session import Store
from dpconsole.core.store.standings import Standing
from dpconsole.core.store.targets import read_members
from dpconsole.core.store.watched import Sighting, sightings

__all__ = [
    "BACKFILL_FIELDS",
    "DEFAULT_FILTERS",
    "ENVIRONMENT",
    "MOST_BESIDE",
    "OPERATIONS",
    "QUICK_FILTERS",
    "SUBMITTED",
    "Armed",
    "Arming",
    "AttemptRow",
    "BackfillNode",
    "BackfillProgress",
    "BackfillRow",
    "BaselineEffect",
    "BaselineProgress",
    "BaselineRow",
    "Candidate",
    "Chain",
    "CoveredTask",
    "DateMark",
    "DateNode",
    "DateProgress",
    "DateStanding",
    "Delta",
    "EngineState",
    "Explanation",
    "ExportCancelled",
    "ExportError",
    "FailureGroup",
    "Field",
    "FieldKind",
    "FieldRow",
    "FlightPlan",
    "FormField",
    "FormKind",
    "Gantt",
    "GanttRow",
    "Group",
    "Grouped",
    "Grouping",
    "Inside",
    "InstanceDetail",
    "InstanceNode",
    "InstanceRow",
    "Item",
    "Kind",
    "Layer",
    "ListKind",
    "ListRequest",
    "Neighbour",
    "NodeRow",
    "Operation",
    "OperationRow",
    "Outcome",
    "Overview",
    "PathRole",
    "Plan",
    "Problem",
    "Progress",
    "QueryError",
    "QueueRow",
    "Reading",
    "Record",
    "RecordRow",
    "SavedFlow",
    "Selection",
    "Services",
    "Sighting",
    "Snapshot",
    "Standing",
    "State",
    "Step",
    "StoreError",
    "Superseded",
    "TaskRow",
    "Timestamp",
    "TransitionRow",
    "TreeId",
    "TreeRow",
    "WayBack",
    "Window",
    "WindowNode",
    "aggregate",
    "asked_fields",
    "in_order",
    "join_list",
    "layer_of",
    "next_failed",
    "read_form",
    "recounted",
    "renamed",
    "suggested",
    "verb_on",
    "window_ids",
    "with_nodes",
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

    def explain(self, instance_id: int) -> Explanation | None:
        """The five checks of an instance, what blocks it at the root, its turn and its end; see `diagnosis.explain`."""
        return diagnose(self.store, self.clock, instance_id)

    def verdicts(self, selection: Selection) -> dict[str, str]:
        """By verb: why it could act on nothing of a selection; empty where it could."""
        return self.operations.verdicts(selection)

    def gantt(self, end_id: int, start_id: int | None = None, shown: Collection[int] = ()) -> Gantt | None:
        """The critical path of an instance, from a start or from the tenant root, with its bars; see `read_gantt`."""
        return read_gantt(self.store, self.clock, end_id, start_id, shown)

    def candidates(self, instance_id: int, role: PathRole) -> list[Candidate]:
        """What may be the other end of a path on which an instance is the start, or the end."""
        return candidates(self.store, instance_id, role)

    def baselines(self, environment: str, business_date: date) -> list[BaselineRow]:
        """How the baselines of a data timestamp stand; see `read_baselines`."""
        return read_baselines(self.store, self.clock, environment, business_date)

    def sightings(self, targets: Collection[TreeId]) -> dict[TreeId, Sighting]:
        """Where instances, data timestamps and backfills stand; what is gone is left out."""
        with self.store.read() as connection:
            return sightings(connection, targets)

    def queue(self, ids: Sequence[int]) -> list[QueueRow]:
        """Rows of the queue, each with what holds it and who paused it; see `read_queue`."""
        return read_queue(self.store, self.clock, ids)

    def export(
        self,
        selection: Selection | None,
        environment: str,
        directory: Path,
        progress: Progress,
        is_cancelled: Callable[[], bool],
    ) -> Path:
        """Write a selection, or all recurring instances of an environment, as a workbook; see `export_instances`."""
        ids = recurring_ids(self.store, environment) if selection is None else self.operations.rows(selection)
        now = self.clock.now()
        return export_instances(
            self.store, ids, directory, now, self.zone, progress=progress, is_cancelled=is_cancelled
        )

    def export_neighbours(
        self,
        instance_id: int,
        up: int | None,
        down: int | None,
        directory: Path,
        progress: Progress,
        is_cancelled: Callable[[], bool],
    ) -> Path | None:
        """Write what stands around an instance as a workbook; None where nothing does. See `export_neighbours`."""
        now = self.clock.now()
        return export_neighbours(
            self.store, instance_id, up, down, directory, now, self.zone, progress=progress, is_cancelled=is_cancelled
        )

    def window(
        self,
        instance_id: int,
        up: int | None = 1,
        down: int | None = 1,
        *,
        expanded: Collection[int] | Literal[True] = frozenset(),
        limit: int = MOST_NODES,
    ) -> Window | None:
        """What stands so many levels above and below an instance, None for all; see `read_window`."""
        with self.store.read() as connection:
            return read_window(connection, instance_id, up, down, expanded=expanded, limit=limit)

    def task_window(
        self, key: str, up: int | None = 1, down: int | None = 1, *, limit: int = MOST_NODES
    ) -> Window | None:
        """What stands around a task by its key `project.name`; see `read_task_window`."""
        with self.store.read() as connection:
            return read_task_window(connection, key, up, down, limit=limit)

    def refreshed(self, window: Window, ids: Iterable[int]) -> dict[int, WindowNode]:
        """The nodes of a window that these changed rows concern, as they are now; see `refresh`."""
        with self.store.read() as connection:
            return refresh(connection, window, ids)

    def turned(self, window: Window, backfill_date_id: int) -> tuple[Window, dict[int, int]] | None:
        """A window on another data timestamp of its backfill, and who stands for whom there; see `turned`."""
        with self.store.read() as connection:
            return turned(connection, window, backfill_date_id)

    def forbidden(self, projects: Collection[str]) -> frozenset[str]:
        """Those of these projects in which the operator may not act (RULES.md 20)."""
        user = self.operations.actor.user
        with self.store.read() as connection:
            members = read_members(connection)
        return frozenset(project for project in projects if not is_allowed(members, project, user, Role.OPERATOR))

    def timestamps(self, backfill_id: int) -> list[Timestamp]:
        """The data timestamps of a backfill, the earliest first."""
        with self.store.read() as connection:
            return timestamps(connection, backfill_id)

    def twins(self, ids: Collection[int], backfill_date_id: int) -> dict[int, int]:
        """The instances that stand where these do on another data timestamp of their backfill; see `twins`."""
        with self.store.read() as connection:
            return twins(connection, ids, backfill_date_id)

    def progress(self, backfill_id: int) -> BackfillProgress:
        """How far a backfill is, queue by queue, and when it will be done; see `read_progress`."""
        with self.store.read() as connection:
            return read_progress(connection, backfill_id, self.clock.now())

    @property
    def tree(self) -> BackfillTree:
        """The tree of submitted backfills."""
        return BackfillTree(self.store, self.lists)

    @cached_property
    def backfills(self) -> Backfills:
        """Creating backfills: read the answers, plan, create."""
        mine = self.operations
        return Backfills(self.store, self.clock, mine.actor, mine.new_key, mine.acted)

    def export_backfills(
        self, selection: Selection, directory: Path, progress: Progress, is_cancelled: Callable[[], bool]
    ) -> Path:
        """Write the instances of a selection of backfills, or in them, as a workbook; see `export_instances`."""
        ids, now = self.operations.rows(selection), self.clock.now()
        return export_instances(
            self.store,
            ids,
            directory,
            now,
            self.zone,
            of_backfills=True,
            progress=progress,
            is_cancelled=is_cancelled,
        )

    def asked_for(self, backfill_id: int) -> dict[str, str]:
        """What was asked for when a backfill was created, as the answers of its form."""
        with self.store.read() as connection:
            return said(from_text(BackfillForm, read_form_of(connection, backfill_id)), self.zone)

    def flows(self, environment: str) -> list[SavedFlow]:
        """The saved flows of an environment, by name."""
        with self.store.read() as connection:
            return saved_flows(connection, environment)

    def flow(self, flow_id: int) -> SavedFlow | None:
        """One saved flow."""
        with self.store.read() as connection:
            return saved_flow(connection, flow_id)

    def asked_for_by_flow(self, flow_id: int) -> dict[str, str]:
        """What was asked for when a flow was saved, as the answers of its form; nothing of one that is gone."""
        with self.store.read() as connection:
            form = read_flow_form(connection, flow_id)
            return {} if form is None else said(from_text(BackfillForm, form), self.zone)

    @property
    def history(self) -> History:
        """The ledger, as this operator looks back on it."""
        return History(self.store, self.operations.actor.user)

    def task(self, key: str) -> StoredTask | None:
        """The definition of a task by its key `project.name`, as it is stored or as it is shown."""
        with self.store.read() as connection:
            found = read_tasks(connection, [key]) or read_tasks(connection, _shown_as(connection, key))
            return next(iter(found.values()), None)


def _shown_as(connection: Connection, shown: str) -> list[str]:
    """The keys that are cleaned to what a screen shows; only names with control characters ever differ from it."""
    return [key for key in known_task_keys(connection) if clean(key) == shown]
