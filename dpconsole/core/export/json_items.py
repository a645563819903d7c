"""Rows as scripts see them: one table of keys for each kind of list, the same for JSON, CSV and `--columns`.

Keys are stable, times are ISO 8601 with the offset of the workspace's zone, durations are seconds, statuses are spelled
as the enum and priorities as words. Text comes cleaned from the rows; what is written is also free of characters that
only a terminal would see.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from typing import Any, TypeAlias

from dpconsole.core.domain.clock import format_iso
from dpconsole.core.domain.definitions import Priority
from dpconsole.core.store.backfill_pages import BackfillRow
from dpconsole.core.store.details import InstanceDetail
from dpconsole.core.store.pages import InstanceRow

SCHEMA_VERSION = 1
"""Grows when a key changes its meaning or goes; new keys do not count."""

Item: TypeAlias = dict[str, Any]
Keys: TypeAlias = Mapping[str, Callable[[Any, tzinfo], Any]]
"""The keys of an item in order, and how each is taken from a row."""


def _time(attribute: str) -> Callable[[Any, tzinfo], str | None]:
    def take(row: Any, zone: tzinfo) -> str | None:
        moment = getattr(row, attribute)
        return None if moment is None else format_iso(moment, zone)

    return take


def _word(attribute: str) -> Callable[[Any, tzinfo], str]:
    return lambda row, _zone: str(getattr(row, attribute))


def _plain(attribute: str) -> Callable[[Any, tzinfo], Any]:
    return lambda row, _zone: getattr(row, attribute)


def _list(attribute: str) -> Callable[[Any, tzinfo], list[Any]]:
    return lambda row, _zone: list(getattr(row, attribute))


def _priority(attribute: str) -> Callable[[Any, tzinfo], str]:
    return lambda row, _zone: str(Priority.of(getattr(row, attribute)))


def _duration(row: Any, _zone: tzinfo) -> float | None:
    """Seconds from start to end; None before both are known."""
    if row.started_at is None or row.ended_at is None:
        return None
    return float(row.ended_at - row.started_at) / 1000


INSTANCE: Keys = {
    "id": _plain("key"),
    "name": _plain("name"),
    "task": _plain("task"),
    "project": _plain("project"),
    "owner": _plain("owner"),
    "origin": _word("origin"),
    "unit": _word("unit"),
    "cycle": _word("cycle"),
    "business_date": _word("business_date"),
    "due": _time("due_at"),
    "status": _word("status"),
    "paused": _plain("paused"),
    "dry_run": _plain("dry_run"),
    "forced": _plain("forced"),
    "priority": _priority("priority"),
    "effective_priority": _priority("effective_priority"),
    "attempt": _plain("attempt"),
    "auto_reruns": _plain("auto_reruns"),
    "started": _time("started_at"),
    "ended": _time("ended_at"),
    "duration": _duration,
    "resource_group": _plain("resource_group"),
    "baselines": _list("baselines"),
    "tags": _list("tags"),
    "backfill": _plain("backfill"),
}

TASK: Keys = {
    "id": _plain("key"),
    "name": _plain("name"),
    "project": _plain("project"),
    "type": _word("type"),
    "method": _word("method"),
    "cycle": _word("cycle"),
    "owner": _plain("owner"),
    "operation_owner": _plain("operation_owner"),
    "folder": _plain("folder"),
    "tags": _list("tags"),
    "status": _word("status"),
    "submit_status": _word("submit_status"),
    "published": _plain("published"),
    "lock_holder": _plain("lock_holder"),
    "output_table": _plain("output_table"),
    "template": _plain("template"),
    "modified": _time("modified_at"),
    "created": _time("created_at"),
    "upstreams": _plain("upstreams"),
    "downstreams": _plain("downstreams"),
}

BACKFILL: Keys = {
    "id": _plain("key"),
    "name": _plain("name"),
    "status": _word("status"),
    "paused": _plain("paused"),
    "submitter": _plain("submitter"),
    "submitted": _time("submitted_at"),
    "dates": _list("dates"),
    "nodes": _plain("nodes"),
    "counts": lambda row, _zone: {str(status): number for status, number in row.counts.items()},
}

PENDING: Keys = {
    "id": _plain("key"),
    "name": _plain("name"),
    "state": _word("state"),
    "submit_after": _time("submit_after_at"),
    "flow": _plain("flow"),
    "recurrence": _plain("recurrence"),
    "run_day": _plain("run_day"),
    "submitter": _plain("submitter"),
    "created": _time("submitted_at"),
    "project": _plain("project"),
    "dates": _list("dates"),
    "error": _plain("error"),
}

FLOW: Keys = {
    "id": _plain("key"),
    "name": _plain("name"),
    "project": _plain("project"),
    "owner": _plain("owner"),
    "recurrence": _plain("recurrence"),
    "when": _plain("when"),
    "next_run": _time("next_run"),
    "enabled": _plain("enabled"),
    "made_until": _plain("made_until"),
}
"""A saved flow of a periodic backfill; there is no next run of one that is disabled."""

RECORD: Keys = {
    "id": _plain("id"),
    "verb": _plain("verb"),
    "actor": _plain("actor"),
    "at": _time("at"),
    "finished": _time("finished_at"),
    "state": _word("state"),
    "acts": _plain("acts"),
    "skipped": _plain("skipped"),
    "refused": _plain("refused"),
    "reason": _plain("reason"),
    "command": _plain("command"),
}

LISTS: Mapping[str, Keys] = {
    "instances": INSTANCE,
    "tasks": TASK,
    "backfills": BACKFILL,
    "pending": PENDING,
    "flows": FLOW,
    "records": RECORD,
}
"""The keys of each kind of list; backfills that are to be submitted, and saved flows, have lists of their own."""

ATTEMPT: Keys = {
    "node": _plain("node"),
    "number": _plain("number"),
    "state": _word("state"),
    "trigger": _word("trigger"),
    "dispatched": _time("dispatched_at"),
    "started": _time("started_at"),
    "ended": _time("ended_at"),
    "duration": _duration,
    "exit_code": _plain("exit_code"),
    "why": _plain("why"),
}

NEIGHBOUR: Keys = {
    "id": _plain("key"),
    "name": _plain("name"),
    "task": _plain("task"),
    "business_date": _word("business_date"),
    "due": _time("due_at"),
    "status": _word("status"),
}

OPERATION: Keys = {
    "record": _plain("record"),
    "verb": _plain("verb"),
    "actor": _plain("actor"),
    "at": _time("at"),
    "state": _word("state"),
    "before": _word("before"),
    "after": _word("after"),
    "outcome": _word("outcome"),
    "refusal": _plain("refusal"),
    "reason": _plain("reason"),
}

FIELD: Keys = {
    "name": _plain("name"),
    "status": lambda row, _zone: None if row.status is None else str(row.status),
    "nodes": _list("nodes"),
}

NODE: Keys = {"name": _plain("name"), "status": _word("status"), "fields": _list("fields")}


def instance_item(row: InstanceRow, zone: tzinfo) -> Item:
    """An instance as `ls` and `show` write it."""
    return _item(INSTANCE, row, zone)


def backfill_item(row: BackfillRow, zone: tzinfo) -> Item:
    """A backfill as `ls backfills` writes it; `paused` is the words of section 8.2, empty when nothing is."""
    return _item(BACKFILL, row, zone)


BACKFILL_DETAIL: Keys = {
    "state": _word("state"),
    "project": _plain("project"),
    "flow": _plain("flow"),
    "recurrence": _plain("recurrence"),
    "run_day": _plain("run_day"),
    "submit_after": _time("submit_after_at"),
    "groups": _plain("groups"),
    "started": _time("started_at"),
    "ended": _time("ended_at"),
    "duration": _duration,
    "tags": _list("tags"),
    "error": _plain("error"),
}

DATE: Keys = {
    "id": _plain("key"),
    "business_date": _plain("business_date"),
    "state": _word("state"),
    "queue": _plain("queue"),
    "position": _plain("position"),
    "status": lambda row, _zone: str(row.standing.status),
    "paused": lambda row, _zone: row.standing.paused,
    "done": _plain("done"),
    "nodes": lambda row, _zone: row.standing.nodes,
    "counts": lambda row, _zone: {str(status): number for status, number in row.standing.counts.items()},
    "started": lambda row, zone: _time("started_at")(row.standing, zone),
    "ended": lambda row, zone: _time("ended_at")(row.standing, zone),
    "duration": lambda row, zone: _duration(row.standing, zone),
    "eta": _time("eta"),
}


def backfill_detail(row: BackfillRow, progress: Any, zone: tzinfo) -> Item:
    """A backfill as `backfill show` writes it, with how far it and each of its data timestamps is.

    `progress` is a `BackfillProgress` of the engine; see there for what an estimated end means.
    """
    item = backfill_item(row, zone) | _item(BACKFILL_DETAIL, row, zone)
    item |= {"done": progress.done, "eta": _time("eta")(progress, zone)}
    return item | {"data_timestamps": [date_item(date, zone) for date in progress.dates]}


def date_item(date: Any, zone: tzinfo) -> Item:
    """A data timestamp of a backfill, a `DateProgress` of the engine, as `backfill show` writes it."""
    return _item(DATE, date, zone)


def list_items(kind: str, rows: Iterable[Any], zone: tzinfo) -> list[Item]:
    """The items of a list of one kind: instances, tasks, backfills or records."""
    return [_item(LISTS[kind], row, zone) for row in rows]


def detail_item(detail: InstanceDetail, zone: tzinfo) -> Item:
    """An instance as `show` writes it: the list item and all that belongs to it; a logical table has two keys more."""
    item = instance_item(detail.row, zone)
    item |= {
        "attempts": _items(ATTEMPT, detail.attempts, zone),
        "upstreams": _items(NEIGHBOUR, detail.upstreams, zone),
        "downstreams": _items(NEIGHBOUR, detail.downstreams, zone),
        "operations": _items(OPERATION, detail.operations, zone),
    }
    if detail.nodes or detail.fields:
        item |= {"fields": _items(FIELD, detail.fields, zone), "nodes": _items(NODE, detail.nodes, zone)}
    return item


def envelope(items: list[Item], total: int) -> Item:
    """A list as a script gets it: what is shown out of `total` that match; what is cut is never cut in silence."""
    return {"schema_version": SCHEMA_VERSION, "items": items, "total": total, "truncated": len(items) < total}


_UNSEEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def dumps(document: Any, *, indent: int | None = 2) -> str:
    """JSON text that is safe on a terminal: letters of every script as they are, what cannot be seen as an escape."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _items(keys: Keys, rows: Iterable[Any], zone: tzinfo) -> list[Item]:
    return [_item(keys, row, zone) for row in rows]


def _item(keys: Keys, row: Any, zone: tzinfo) -> Item:
    return {key: take(row, zone) for key, take in keys.items()}
