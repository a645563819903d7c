"""The one place lists are asked for: the screens, the command line and the verbs all see the same rows.

A list is asked for once as an ordered snapshot of ids and then row by row; while it is shown, `refilter` says which of
the rows that changed still belong to it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, true

from dpconsole.core.domain.backfills import BackfillState
from dpconsole.core.domain.clock import Clock, SystemClock
from dpconsole.core.domain.definitions import Origin
from dpconsole.core.domain.statuses import Status
from dpconsole.core.query.compiling import compile
from dpconsole.core.query.fields import ListKind
from dpconsole.core.query.language import And, Comparison, Everything, Expression, Walk, comparisons, parse
from dpconsole.core.query.limits import FILTER_SECONDS, LIST_SECONDS, limited
from dpconsole.core.query.matching import Column
from dpconsole.core.query.ordering import order
from dpconsole.core.query.suggesting import suggest
from dpconsole.core.query.values import QueryContext
from dpconsole.core.store import pages
from dpconsole.core.store.backfill_pages import BackfillRow, backfill_rows
from dpconsole.core.store.details import InstanceDetail, instance_detail
from dpconsole.core.store.hints import set_aside
from dpconsole.core.store.models import UNSUBMITTED, Backfill, Instance, Operation, Task
from dpconsole.core.store.pages import InstanceRow, TaskRow, instance_rows, task_rows
from dpconsole.core.store.record_pages import RecordRow, record_rows
from dpconsole.core.store.session import Store, current_rev
from dpconsole.core.store.settings import TIMEZONE, read_setting
from dpconsole.core.store.vocabulary import known_names

ListedRow: TypeAlias = InstanceRow | TaskRow | BackfillRow | RecordRow


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a list is asked for.

    `listing` is a tab of the recurring instances (computing, modeling) or of the backfills (submitted, pending), or
    empty for instances of every origin and for all backfills.
    `sort` names a field, empty for the kind's own order.
    """

    kind: ListKind = ListKind.INSTANCES
    listing: str = ""
    environment: str = "prod"
    text: str = ""
    sort: str = ""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ids a list holds, in its order, out of `total_unfiltered` rows, at revision `rev` of the database."""

    ids: array[int]
    total_unfiltered: int
    rev: int


@dataclass(frozen=True, slots=True)
class QuickFilter:
    """A filter with a name, as a fragment of a query (section 4)."""

    name: str
    title: str
    fragment: str


QUICK_FILTERS: Mapping[ListKind, tuple[QuickFilter, ...]] = {
    ListKind.INSTANCES: (
        QuickFilter("mine", "My Nodes", "owner:me"),
        QuickFilter("failed", "Failed", "status:failed"),
        QuickFilter("incomplete", "Incomplete", "status:not_running,waiting,running"),
        QuickFilter("paused", "Paused", "paused:yes"),
    ),
    ListKind.TASKS: (
        QuickFilter("mine", "Developed By Me", "owner:me"),
        QuickFilter("paused", "Paused Tasks", "method:paused"),
        QuickFilter("dry_run", "Dry-Run Tasks", "method:dry_run"),
    ),
    ListKind.BACKFILLS: (
        QuickFilter("mine", "Submitted By Me", "submitter:me"),
        QuickFilter("failed", "Data Backfill Failed", "submitter:me status:failed"),
        QuickFilter("incomplete", "Data Backfill Incomplete", "submitter:me status:running,not_running"),
    ),
    ListKind.RECORDS: (QuickFilter("mine", "Done By Me", "actor:me"),),
}
"""The quick filters of each list."""

DEFAULT_FILTERS: Mapping[ListKind, str] = {ListKind.INSTANCES: "biz:yesterday"}
"""What a list opens with, and what Reset brings back: the default data timestamp is T-1 (section 4.1)."""

_TABLES: Mapping[ListKind, pages.Listed] = {
    ListKind.INSTANCES: Instance,
    ListKind.TASKS: Task,
    ListKind.BACKFILLS: Backfill,
    ListKind.RECORDS: Operation,
}

_ROWS: Mapping[ListKind, Callable[[Connection, Collection[int]], Sequence[ListedRow]]] = {
    ListKind.INSTANCES: instance_rows,
    ListKind.TASKS: task_rows,
    ListKind.BACKFILLS: backfill_rows,
    ListKind.RECORDS: record_rows,
}


class Lists:
    """The lists of one store, as `user` sees them.

    `clock` says what today is; `wall` times statements. Every method is one short read and may be called from any
    thread. A query that makes no sense raises QueryError, one that takes too long QueryTimeout.
    """

    def __init__(self, store: Store, clock: Clock, user: str, *, wall: Clock | None = None) -> None:
        self._store = store
        self._clock = clock
        self._user = user
        self._wall = wall or SystemClock()

    def snapshot(self, request: ListRequest, limit: int | None = None) -> Snapshot:
        """The ids of a list, the first `limit` of them or all."""
        with self._asked(request) as asked:
            return asked.snapshot(limit)

    def rows(self, kind: ListKind, ids: Collection[int]) -> Sequence[Any]:
        """The rows with these ids, in their order: InstanceRow, TaskRow, BackfillRow or RecordRow, by the kind."""
        with self._store.read() as connection:
            return _ROWS[kind](connection, ids)

    def refilter(self, request: ListRequest, ids: Collection[int]) -> set[int]:
        """Those of the ids that belong to the list now."""
        with self._asked(request) as asked:
            return pages.matching(asked.connection, asked.condition, ids, table=asked.table)

    def counts(self, request: ListRequest) -> dict[Status, int]:
        """How many instances of a list have each status."""
        with self._asked(request) as asked:
            return pages.count_by_status(asked.connection, asked.condition)

    def detail(self, instance_id: int) -> InstanceDetail | None:
        """Everything about one instance; None when there is none."""
        with self._store.read() as connection:
            return instance_detail(connection, instance_id)

    def suggest(self, kind: ListKind, text: str, cursor: int) -> list[str]:
        """Words that could replace the one under the cursor: fields, their values, and names found in the store."""
        with self._store.read() as connection:
            return suggest(text, cursor, kind, lambda field: known_names(connection, field))

    def context(self, connection: Connection, environment: str) -> QueryContext:
        """What relative words of a query mean now."""
        zone = ZoneInfo(read_setting(connection, TIMEZONE) or "UTC")
        return QueryContext(self._clock.now(), self._user, zone, environment)

    @contextmanager
    def _asked(self, request: ListRequest) -> Iterator[_Asked]:
        expression = parse(request.text)
        with self._store.read() as connection:
            asked = _Asked(connection, request, self.context(connection, request.environment), expression)
            seconds = FILTER_SECONDS if request.text.strip() else LIST_SECONDS
            with limited(connection, self._wall, seconds, request.text):
                yield asked


class _Asked:
    """A request in the middle of being answered: its connection, and its conditions."""

    def __init__(
        self, connection: Connection, request: ListRequest, context: QueryContext, expression: Expression
    ) -> None:
        self.connection = connection
        self.table = _TABLES[request.kind]
        self.unfiltered = _unfiltered(request, expression, _plain)
        found = _unfiltered(request, expression, _plain if _is_found_by_tab(request, expression) else set_aside)
        self.condition = and_(found, compile(expression, request.kind, context))
        self._order = order(request.kind, request.sort, request.descending, context)

    def snapshot(self, limit: int | None) -> Snapshot:
        ids = pages.snapshot(self.connection, self.condition, self._order, limit, table=self.table)
        total = pages.count(self.connection, self.unfiltered, table=self.table)
        return Snapshot(ids, total, current_rev(self.connection))


def _unfiltered(
    request: ListRequest, expression: Expression, column: Callable[[Column], Column]
) -> ColumnElement[bool]:
    """What a list holds before anything is typed; materialization nodes only where the query speaks of units."""
    if request.kind is ListKind.BACKFILLS:
        return and_(Backfill.environment == request.environment, _BACKFILLS_LISTED[request.listing])
    if request.kind is not ListKind.INSTANCES:
        return true()
    environment = column(Instance.environment) == request.environment
    if request.listing:
        recurring = column(Instance.origin) == Origin.RECURRING
        return and_(environment, recurring, column(Instance.listing) == request.listing)
    speaks_of_units = "unit" in {comparison.name for comparison in comparisons(expression)}
    return environment if speaks_of_units else and_(environment, Instance.listing != "")


_BACKFILLS_LISTED: Mapping[str, ColumnElement[bool]] = {
    "": true(),
    "submitted": Backfill.state.in_((BackfillState.SUBMITTING, BackfillState.SUBMITTED)),
    "pending": UNSUBMITTED,
}
"""What each tab of the backfills holds; one that is being submitted stands in both (section 8.4)."""


def _plain(column: Column) -> Column:
    return column


def _is_found_by_tab(request: ListRequest, expression: Expression) -> bool:
    """Whether the index of the tab, by due time or by data timestamp, is the best way to the rows."""
    terms = expression.operands if isinstance(expression, And) else (expression,)
    named = {term.name for term in terms if isinstance(term, Comparison)}
    if named & _INDEXED or any(isinstance(term, Walk) for term in terms):
        return False
    return "biz" in named or (isinstance(expression, Everything) and request.sort in ("", "due"))


_INDEXED = frozenset({"id", "task", "status", "paused", "backfill", "baseline"})
"""Fields with an index of their own."""
