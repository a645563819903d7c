"""Items have the keys that scripts rely on, and values that need no further reading."""

from __future__ import annotations

import json
from dataclasses import replace
from inspect import signature
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dpconsole.core.domain.clock import parse_iso
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.export.json_items import (
    backfill_item,
    detail_item,
    dumps,
    envelope,
    instance_item,
    list_items,
)
from dpconsole.core.store.backfill_pages import BackfillRow
from dpconsole.core.store.details import AttemptRow, FieldRow, InstanceDetail, Neighbour, NodeRow, OperationRow
from dpconsole.core.store.pages import InstanceRow, TaskRow
from dpconsole.core.store.record_pages import RecordRow

ZONE = ZoneInfo("Asia/Shanghai")


def at(moment: str) -> int:
    return parse_iso(f"2026-11-20T{moment}", ZONE)


def row(kind: type[Any], **values: Any) -> Any:
    """A row that says nothing but `values`."""
    return kind(**(dict.fromkeys(signature(kind).parameters) | values))


FACTS: dict[str, Any] = {
    "id": 345,
    "key": "t_12_20261119_345",
    "name": "支付 pay",
    "task": "trade.pay",
    "project": "trade",
    "owner": "lin",
    "origin": "recurring",
    "unit": "script",
    "cycle": "day",
    "business_date": "2026-11-19",
    "due_at": at("02:00"),
    "status": Status.FAILED,
    "paused": False,
    "dry_run": False,
    "forced": True,
    "priority": 5,
    "effective_priority": 2,
    "attempt": 2,
    "auto_reruns": 1,
    "started_at": at("02:00"),
    "ended_at": at("02:11:04") + 500,
    "resource_group": "default",
    "baselines": ("gmv_0800",),
    "tags": ("gold",),
    "backfill": None,
}
INSTANCE: InstanceRow = row(InstanceRow, **FACTS)


def test_an_instance_has_these_keys_in_this_order() -> None:
    assert instance_item(INSTANCE, ZONE) == {
        "id": "t_12_20261119_345",
        "name": "支付 pay",
        "task": "trade.pay",
        "project": "trade",
        "owner": "lin",
        "origin": "recurring",
        "unit": "script",
        "cycle": "day",
        "business_date": "2026-11-19",
        "due": "2026-11-20T02:00:00+08:00",
        "status": "FAILED",
        "paused": False,
        "dry_run": False,
        "forced": True,
        "priority": "medium",
        "effective_priority": "highest",
        "attempt": 2,
        "auto_reruns": 1,
        "started": "2026-11-20T02:00:00+08:00",
        "ended": "2026-11-20T02:11:04+08:00",
        "duration": 664.5,
        "resource_group": "default",
        "baselines": ["gmv_0800"],
        "tags": ["gold"],
        "backfill": None,
    }
    assert " ".join(instance_item(INSTANCE, ZONE)) == (
        "id name task project owner origin unit cycle business_date due status paused dry_run forced priority "
        "effective_priority attempt auto_reruns started ended duration resource_group baselines tags backfill"
    )


@pytest.mark.parametrize("missing", ["started_at", "ended_at"])
def test_what_has_not_ended_has_no_duration(missing: str) -> None:
    item = instance_item(row(InstanceRow, **FACTS | {missing: None}), ZONE)
    assert item["duration"] is None
    assert item[missing.removesuffix("_at")] is None


def test_a_task_has_these_keys_in_this_order() -> None:
    task: TaskRow = row(TaskRow, key="trade.pay", tags=("a", "b"), created_at=at("01:00"), modified_at=at("01:30"))
    (item,) = list_items("tasks", [task], ZONE)
    assert " ".join(item) == (
        "id name project type method cycle owner operation_owner folder tags status submit_status published "
        "lock_holder output_table template modified created upstreams downstreams"
    )
    assert (item["id"], item["tags"], item["modified"]) == ("trade.pay", ["a", "b"], "2026-11-20T01:30:00+08:00")


def test_a_backfill_has_these_keys_in_this_order() -> None:
    backfill: BackfillRow = row(
        BackfillRow,
        key="f_7",
        status=NormalisedStatus.RUNNING,
        paused="Partially Paused",
        submitted_at=at("01:00"),
        dates=("2026-11-01",),
        counts={Status.RUNNING: 1},
    )
    item = backfill_item(backfill, ZONE)
    assert " ".join(item) == "id name status paused submitter submitted dates nodes counts"
    assert (item["status"], item["dates"], item["counts"]) == ("RUNNING", ["2026-11-01"], {"RUNNING": 1})


def test_a_record_says_what_became_of_it() -> None:
    record: RecordRow = row(RecordRow, id=3, verb="stop", state="partly_done", at=at("03:00"), acts=2)
    (item,) = list_items("records", [record], ZONE)
    assert (item["id"], item["verb"], item["state"], item["acts"]) == (3, "stop", "partly_done", 2)
    assert (item["at"], item["finished"]) == ("2026-11-20T03:00:00+08:00", None)


NEIGHBOUR: Neighbour = row(
    Neighbour,
    key="t_1_20261119_2",
    name="ods",
    task="trade.ods",
    business_date="2026-11-19",
    due_at=at("00:30"),
    status=Status.SUCCEEDED,
)
DETAIL = InstanceDetail(
    row=INSTANCE,
    attempts=(row(AttemptRow, node="", number=1, state="failed", dispatched_at=at("02:00"), exit_code=3),),
    transitions=(),
    upstreams=(NEIGHBOUR,),
    downstreams=(),
    vacuous=(),
    operations=(row(OperationRow, record=9, verb="rerun", at=at("02:30"), outcome="ok"),),
    fields=(),
    nodes=(),
)


def test_a_detail_is_the_list_item_and_what_belongs_to_it() -> None:
    item = detail_item(DETAIL, ZONE)
    assert list(item) == [*instance_item(INSTANCE, ZONE), "attempts", "upstreams", "downstreams", "operations"]
    assert item["upstreams"] == [
        {
            "id": "t_1_20261119_2",
            "name": "ods",
            "task": "trade.ods",
            "business_date": "2026-11-19",
            "due": "2026-11-20T00:30:00+08:00",
            "status": "SUCCEEDED",
        }
    ]
    assert (item["attempts"][0]["number"], item["attempts"][0]["exit_code"]) == (1, 3)
    assert (item["operations"][0]["record"], item["operations"][0]["outcome"]) == (9, "ok")


def test_a_logical_table_also_has_fields_and_nodes() -> None:
    table = replace(
        DETAIL,
        fields=(
            row(FieldRow, name="city", status=NormalisedStatus.WAITING, nodes=("base",)),
            row(FieldRow, name="new", status=None, nodes=()),
        ),
        nodes=(row(NodeRow, name="base", status=Status.THROTTLED, fields=("city",)),),
    )
    item = detail_item(table, ZONE)
    assert item["fields"] == [
        {"name": "city", "status": "WAITING", "nodes": ["base"]},
        {"name": "new", "status": None, "nodes": []},
    ]
    assert item["nodes"] == [{"name": "base", "status": "THROTTLED", "fields": ["city"]}]


@pytest.mark.parametrize(("total", "truncated"), [(1, False), (2, True)])
def test_an_envelope_says_when_something_is_cut(total: int, truncated: bool) -> None:
    items = list_items("instances", [INSTANCE], ZONE)
    assert envelope(items, total) == {"schema_version": 1, "items": items, "total": total, "truncated": truncated}


def test_json_keeps_every_script_readable_and_every_trick_visible() -> None:
    text = dumps({"name": "支付 \x1b]52;c;AAAA\x07 \x9b2J \u202ebad \ud800"}, indent=None)
    assert "支付" in text
    assert text.isprintable()
    assert json.loads(text)["name"] == "支付 \x1b]52;c;AAAA\x07 \x9b2J \u202ebad \ud800"
