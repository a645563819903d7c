"""The orders a list can have, by the name of the field that is sorted by; what is missing stands last (section 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BigInteger, SQLColumnExpression, UnaryExpression, case, cast, func
from sqlalchemy.orm import InstrumentedAttribute

from dpconsole.core.domain.statuses import Status
from dpconsole.core.query.fields import ListKind
from dpconsole.core.query.language import QueryError, nearest
from dpconsole.core.query.matching import Column
from dpconsole.core.query.values import QueryContext
from dpconsole.core.store.models import Backfill, Instance, Operation, Task

_PROGRESS = case({status.value: place for place, status in enumerate(Status)}, value=Instance.status)


def took(context: QueryContext) -> Column:
    """Milliseconds an instance ran, or has been running; NULL before its first run."""
    return func.coalesce(Instance.ended_at, context.now_ms) - Instance.started_at


_LATER = 9
"""Behind every priority: what is not due stands in no queue yet."""
_TURN_MS = 10**14
"""More than any due time in milliseconds, so that a priority always counts before it."""


def turn(context: QueryContext) -> Column:
    """The order in which the engine would start things: by effective priority and due time what is due (section 11.3).

    What is not due comes after that, by due time.
    """
    in_line = Instance.status.in_((Status.THROTTLED, Status.WAITING_RESOURCE)) | (Instance.due_at <= context.now_ms)
    place = cast(case((in_line, Instance.effective_priority), else_=_LATER), BigInteger)
    return place * _TURN_MS + Instance.due_at


SORTS: Mapping[ListKind, Mapping[str, Column | Callable[[QueryContext], Column]]] = {
    ListKind.INSTANCES: {
        "due": Instance.due_at,
        "name": Instance.name,
        "started": Instance.started_at,
        "ended": Instance.ended_at,
        "took": took,
        "turn": turn,
        "prio": Instance.effective_priority,
        "status": _PROGRESS,
        "biz": Instance.business_date,
        "owner": Instance.owner,
        "project": Instance.project,
        "task": Instance.task_key,
        "cycle": Instance.cycle,
        "type": Instance.type,
        "attempt": Instance.attempt,
        "group": Instance.resource_group,
        "error": Instance.error,
        "id": Instance.id,
    },
    ListKind.TASKS: {
        "name": Task.name,
        "id": Task.key,
        "project": Task.project,
        "type": Task.type,
        "method": Task.method,
        "cycle": Task.cycle,
        "owner": Task.owner,
        "opowner": Task.operation_owner,
        "status": Task.status,
        "submit": Task.submit_status,
        "published": Task.published,
        "prio": Task.priority,
        "table": Task.output_table,
        "template": Task.template,
        "folder": Task.folder,
        "lock": Task.lock_holder,
        "created": Task.created_at,
        "modified": Task.modified_at,
    },
    ListKind.BACKFILLS: {
        "submitted": Backfill.submitted_at,
        "name": Backfill.name,
        "project": Backfill.project,
        "submitter": Backfill.submitter,
        "due": Backfill.submit_after_at,
        "state": Backfill.state,
        "recurrence": Backfill.recurrence,
        "flow": Backfill.flow,
        "id": Backfill.id,
    },
    ListKind.RECORDS: {
        "at": Operation.at,
        "verb": Operation.verb,
        "actor": Operation.actor,
        "state": Operation.state,
        "id": Operation.id,
    },
}
"""What each kind of list can be sorted by."""

KEYS: Mapping[str, str] = {
    "business_date": "biz",
    "duration": "took",
    "priority": "prio",
    "effective_priority": "prio",
    "resource_group": "group",
    "operation_owner": "opowner",
    "submit_status": "submit",
    "output_table": "table",
    "lock_holder": "lock",
}
"""Keys of list items that are called otherwise in a query."""

DEFAULTS: Mapping[ListKind, tuple[str, bool]] = {
    ListKind.INSTANCES: ("due", False),
    ListKind.TASKS: ("name", False),
    ListKind.BACKFILLS: ("submitted", True),
    ListKind.RECORDS: ("at", True),
}
"""The order of a list that nobody has sorted, and whether it descends."""

_IDS: Mapping[ListKind, InstrumentedAttribute[int]] = {
    ListKind.INSTANCES: Instance.id,
    ListKind.TASKS: Task.id,
    ListKind.BACKFILLS: Backfill.id,
    ListKind.RECORDS: Operation.id,
}


class UnknownSort(QueryError):
    """A list is asked for in an order that it does not have; the place is that of the column, not of a query."""


def order(kind: ListKind, sort: str, descending: bool, context: QueryContext) -> list[UnaryExpression[Any]]:
    """The ORDER BY of a list; ids break ties, in the same direction, so that an index can be read backwards.

    An empty `sort` is the default, turned round by `descending`. UnknownSort for a column that cannot be sorted by.
    """
    default, backwards = DEFAULTS[kind]
    name, down = (sort, descending) if sort else (default, backwards is not descending)
    found = _column(kind, name)
    column = found if isinstance(found, SQLColumnExpression) else found(context)
    return [_directed(column, down), _directed(_IDS[kind], down)]


def _column(kind: ListKind, name: str) -> Column | Callable[[QueryContext], Column]:
    sorts = SORTS[kind]
    found = sorts.get(KEYS.get(name.lower(), name.lower()))
    if found is None:
        hint = nearest(name, sorts)
        rest = "" if hint else f"; there are {', '.join(sorts)}"
        raise UnknownSort(f"{kind.capitalize()} cannot be sorted by {name}{rest}", 0, len(name), hint)
    return found


def _directed(column: Column, descending: bool) -> UnaryExpression[Any]:
    directed = column.desc() if descending else column.asc()
    return directed if _is_filled(column) else directed.nulls_last()


def _is_filled(column: Column) -> bool:
    """Whether every row has a value; only then may an index give the order."""
    return isinstance(column, InstrumentedAttribute) and not column.property.columns[0].nullable
