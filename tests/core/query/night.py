"""A small night to ask questions about: three data timestamps, a logical table, a backfill, two environments."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from dpconsole.core.domain.clock import parse_iso
from dpconsole.core.query.values import QueryContext
from dpconsole.core.store import models
from dpconsole.core.store.session import Transaction

ZONE = ZoneInfo("Asia/Shanghai")


def at(moment: str) -> int:
    """UTC milliseconds of a wall-clock time in the night's zone."""
    return parse_iso(moment, ZONE)


NOW = at("2026-11-20T03:12:41")
LIN = QueryContext(NOW, "lin", ZONE)

TASKS: dict[int, dict[str, Any]] = {
    1: {"name": "ods_orders", "owner": "lin", "tags": ["gold"], "folder": "/ods/trade", "cycle": "hour"},
    2: {"name": "dws_pay_ord_1d", "owner": "lin", "type": "maxcompute_sql", "priority": 3, "folder": "/dws"},
    3: {"name": "ads_gmv_board", "owner": "mei", "tags": ["gold", "核心"], "folder": "/ads", "lock_holder": "lin"},
    4: {"name": "dim_user", "owner": "mei", "type": "logical_table", "unit": "logical_table", "folder": "/ods"},
    5: {"name": "sync_users", "project": "dev", "owner": "wu", "type": "pipeline", "unit": "pipeline"},
    6: {"name": "rate_100%", "owner": "wu", "method": "dry_run", "status": "draft", "published": False},
}

INSTANCES: dict[int, dict[str, Any]] = {
    11: {"task": 1, "status": "SUCCEEDED", "due": "00:30", "started": "00:30", "ended": "00:40", "attempt": 1},
    12: {"task": 2, "status": "FAILED", "due": "02:00", "started": "02:00", "ended": "03:11", "attempt": 2}
    | {"error": "Table not found", "priority": 3, "effective_priority": 3, "resource_group": "big"},
    13: {"task": 3, "status": "NOT_RUNNING", "due": "02:30", "effective_priority": 1},
    14: {"task": 4, "status": "RUNNING", "due": "01:00", "started": "01:00"},
    15: {"task": 4, "node_id": 41, "name": "dim_user_base", "status": "SUCCEEDED", "due": "01:00"},
    16: {"task": 4, "node_id": 42, "name": "dim_user_ltv", "status": "RUNNING", "due": "01:00", "paused": True},
    17: {"task": 5, "status": "WAITING_TIME", "due": "05:00", "paused": True},
    18: {"task": 6, "status": "THROTTLED", "due": "03:00", "dry_run": True, "forced": True},
    21: {"task": 1, "status": "SUCCEEDED", "business_date": "2026-11-18", "due": "00:30", "started": "00:30"},
    22: {"task": 2, "status": "SUCCEEDED", "business_date": "2026-11-18", "due": "02:00"},
    23: {"task": 3, "status": "SUCCEEDED", "business_date": "2026-11-18", "due": "02:30"},
    31: {"task": 2, "status": "FAILED", "business_date": "2026-11-01", "due": "02:00", "backfill_id": 7}
    | {"backfill_date_id": 70, "origin": "backfill"},
    91: {"task": 1, "status": "NOT_RUNNING", "due": "00:30", "environment": "dev", "ordinal": 2},
}

EDGES = ((11, 12), (12, 13), (11, 15), (15, 16), (16, 13), (21, 22), (22, 23), (22, 12))
TASK_EDGES = ((1, 2, True), (2, 3, True), (1, 4, True), (4, 3, True), (5, 3, False))


_ANY_TASK: dict[str, Any] = {
    "project": "trade",
    "type": "shell",
    "unit": "script",
    "method": "normal",
    "cycle": "day",
    "schedule": {},
    "operation_owner": "ops",
    "description": "",
    "priority": 5,
    "tags": [],
    "folder": "/",
    "run": {},
    "simulate": {},
    "parameters": [],
    "output_table": "out",
    "template": "",
    "status": "submitted",
    "published": True,
    "lock_holder": None,
    "created_at": at("2026-10-01T09:00"),
}

_ANY_INSTANCE: dict[str, Any] = {
    "node_id": None,
    "parent_id": None,
    "backfill_id": None,
    "backfill_date_id": None,
    "environment": "prod",
    "origin": "recurring",
    "resource_group": "default",
    "business_date": "2026-11-19",
    "zone": ZONE.key,
    "ordinal": 1,
    "paused": False,
    "dry_run": False,
    "forced": False,
    "priority": 5,
    "effective_priority": 5,
    "attempt": 0,
    "error": "",
    "rev": 1,
}

_COPIED = ("name", "project", "owner", "type", "unit", "cycle")
_OF_NODES = {"parent_id": 14, "unit": "node", "listing": ""}
_TABS = {"logical_table": "modeling"}


def task_row(id: int) -> dict[str, Any]:
    """The whole row of a task."""
    row = _ANY_TASK | {"id": id, "modified_at": at(f"2026-11-1{id}T09:00")} | TASKS[id]
    key = f"{row['project']}.{row['name']}"
    return {"key": key} | row | {"output_table": f"{key}_out"}


def instance_row(id: int) -> dict[str, Any]:
    """The whole row of an instance."""
    facts = INSTANCES[id]
    task = task_row(facts["task"])
    row = _ANY_INSTANCE | {name: task[name] for name in _COPIED} | {"id": id, "task_id": task["id"]}
    row |= {"task_key": task["key"], "tags": json.dumps(task["tags"]), "listing": _TABS.get(task["unit"], "computing")}
    row |= {name: value for name, value in facts.items() if name not in ("task", "due", "started", "ended")}
    run_day = "2026-11-20" if row["business_date"] == "2026-11-19" else "2026-11-19"
    for moment in ("due", "started", "ended"):
        row[f"{moment}_at"] = at(f"{run_day}T{facts[moment]}") if moment in facts else None
    return row | (_OF_NODES if row["node_id"] else {})


PENDING = "to be submitted"
"""A backfill with more columns than the submitted ones."""


def fill(transaction: Transaction) -> None:
    """Insert the night."""
    rows: dict[Any, list[dict[str, Any]]] = {
        models.Setting: [{"name": "timezone", "value": ZONE.key}, {"name": "environment", "value": "prod"}],
        models.Project: [{"name": "trade", "title": "交易"}, {"name": "dev", "title": ""}],
        models.Task: [task_row(id) for id in TASKS],
        models.Node: [
            {"id": 41 + place, "task_id": 4, "position": place, "name": name, "code": "", "simulate": None}
            for place, name in enumerate(("dim_user_base", "dim_user_ltv"))
        ],
        models.Dependency: [
            {"task_id": down, "position": 0, "kind": "task", "upstream_id": up, "fields": [], "enabled": on}
            for up, down, on in TASK_EDGES
        ],
        models.Baseline: [{"name": "gmv_0800", "priority": 1, "committed": 480, "margin_ms": 0}],
        models.BaselineTask: [
            {"baseline": "gmv_0800", "task_id": 3, "is_end": True},
            {"baseline": "gmv_0800", "task_id": 2, "is_end": False},
        ],
        models.Backfill: [
            {"id": id, "name": name, "state": "submitted", "project": "trade", "submitter": user, "form": {}}
            | {"submitted_at": at("2026-11-20T01:00")}
            for id, name, user in ((7, "refill pay", "lin"), (8, "refill users", "mei"))
        ],
        models.BackfillFlow: [
            {"id": 5, "name": "weekly sync", "project": "dev", "environment": "dev", "owner": "wu", "form": {}}
            | {"recurrence": "weekly", "schedule": {}, "created_at": at("2026-11-01T09:00")}
        ],
        models.BackfillDate: [
            {"id": 70, "backfill_id": 7, "business_date": "2026-11-01", "queue": 0, "position": 0},
            {"id": 80, "backfill_id": 8, "business_date": "2026-11-02", "queue": 0, "position": 0},
        ],
        PENDING: [
            {"id": 9, "name": "weekly sync 47", "state": "failed", "project": "dev", "submitter": "wu", "form": {}}
            | {"environment": "dev", "submitted_at": at("2026-11-19T23:00"), "submit_after_at": at("2026-11-20T02:00")}
            | {"flow_id": 5, "flow": "weekly sync", "recurrence": "weekly", "run_day": "2026-11-20"}
            | {"error": "nothing is covered", "tags": '["gold"]'}
        ],
        models.Instance: [instance_row(id) for id in INSTANCES],
        models.InstanceDependency: [
            {"upstream_id": up, "downstream_id": down, "requirement": number} for number, (up, down) in enumerate(EDGES)
        ],
        models.Operation: [
            {"id": id, "key": f"k{id}", "verb": verb, "actor": user, "at": at("2026-11-20T02:20"), "reason": reason}
            | {"arguments": {}, "state": state, "rev": 1}
            for id, verb, user, state, reason in (
                (1, "rerun", "lin", "done", "disk was full"),
                (2, "stop", "mei", "partly_done", "runaway 50%"),
            )
        ],
    }
    for model, some in rows.items():
        transaction.execute(insert(models.Backfill if model is PENDING else model), some)
