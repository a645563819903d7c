"""Lists: which ids match, in which order, and what a row of them says."""

from __future__ import annotations

import unicodedata

import pytest
from sqlalchemy import ColumnElement, event, true

from dpconsole.core.domain.keys import parse_instance_key
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.store.models import Instance, Task
from dpconsole.core.store.pages import count, count_by_status, instance_rows, matching, snapshot, task_rows
from dpconsole.core.store.session import Store
from tests.bench.fill import fill
from tests.core.store.night import ADS, BASE, DIM, LTV, ODS, set_instance, write_night

LISTED = Instance.listing != ""


# --- which rows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ([Instance.due_at.asc()], [ODS, DIM, ADS]),
        ([Instance.due_at.desc()], [ADS, DIM, ODS]),
        ([Instance.name.asc()], [ADS, DIM, ODS]),
        ([Instance.cycle.asc()], [ODS, DIM, ADS]),
        ([Instance.cycle.desc()], [ADS, DIM, ODS]),
        ([Instance.owner.asc(), Instance.name.desc()], [ODS, DIM, ADS]),
        ([], [ODS, DIM, ADS]),
    ],
)
def test_a_snapshot_has_every_match_once_in_order(
    store: Store, order: list[ColumnElement[object]], ids: list[int]
) -> None:
    write_night(store)
    with store.read() as connection:
        assert list(snapshot(connection, LISTED, order)) == ids
        assert list(snapshot(connection, LISTED, order, limit=2)) == ids[:2]


def test_every_table_with_ids_can_be_listed(store: Store) -> None:
    tasks = write_night(store)
    with store.read() as connection:
        ids = snapshot(connection, true(), [Task.name], table=Task)
        assert list(ids) == [tasks["trade.ads"], tasks["trade.dim"], tasks["trade.ods"]]
        assert count(connection, Task.owner == "lin", table=Task) == 2
        assert matching(connection, Task.owner == "lin", [*ids, 999], table=Task) == {ids[0], ids[2]}


def test_counts_agree_with_the_snapshot(store: Store) -> None:
    fill(store, 300, tasks=60)
    with store.read() as connection:
        tonight = LISTED & (Instance.business_date == "2026-11-19")
        by_status = count_by_status(connection, tonight)
        assert count(connection, tonight) == sum(by_status.values()) == len(snapshot(connection, tonight, [])) == 60
        assert list(by_status) == [status for status in Status if status in by_status]
        for status, number in by_status.items():
            assert len(snapshot(connection, tonight & (Instance.status == status), [])) == number


def test_the_list_every_screen_opens_with_is_served_by_an_index(sqlite_store: Store) -> None:
    """One night of one environment, sorted by due time: no scan, and no sorting of the whole list."""
    fill(sqlite_store, 300, tasks=60)
    opening = "environment = 'prod' AND origin = 'recurring' AND listing = 'computing'"
    night = f"{opening} AND business_date = '2026-11-19'"
    with sqlite_store.read() as connection:
        for condition, index in ((night, "ix_instance_night"), (opening, "ix_instance_list")):
            for direction in ("ASC", "DESC"):
                query = f"SELECT id FROM instance WHERE {condition} ORDER BY due_at {direction}, id {direction}"
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
                assert [index in row.detail for row in plan] == [True], plan


# --- rows of instances ------------------------------------------------------------------------------------------------


def test_rows_come_in_the_order_asked_for_without_those_that_are_not_there(store: Store) -> None:
    write_night(store)
    with store.read() as connection:
        assert [row.id for row in instance_rows(connection, [ADS, 99, ODS, DIM])] == [ADS, ODS, DIM]
        assert instance_rows(connection, []) == []


def test_a_row_says_what_the_list_shows(store: Store) -> None:
    tasks = write_night(store)
    set_instance(store, ODS, status="FAILED", started_at=5, ended_at=9, auto_reruns=1, reruns=2, error="exit 1")
    with store.read() as connection:
        (row,) = instance_rows(connection, [ODS])
    assert (row.name, row.task, row.task_id) == ("ods", "trade.ods", tasks["trade.ods"])
    assert (row.project, row.project_title, row.owner) == ("trade", "交易", "lin")
    assert (row.status, row.paused, row.started_at, row.ended_at) == (Status.FAILED, False, 5, 9)
    assert (row.auto_reruns, row.reruns, row.error) == (1, 2, "exit 1")
    assert (row.tags, row.baselines, row.backfill) == (("gold",), ("gmv",), None)
    assert (row.node_chips, row.field_chips) == (None, None)
    assert row.key == f"t_{tasks['trade.ods']}_20261119_{ODS}"
    assert parse_instance_key(row.key) == ODS
    assert isinstance(row.status, Status)
    assert isinstance(row.paused, bool)


@pytest.mark.parametrize(
    ("base", "ltv", "nodes", "fields"),
    [
        ("SUCCEEDED", "SUCCEEDED", {"SUCCEEDED": 2}, {"SUCCEEDED": 3}),
        ("SUCCEEDED", "FAILED", {"SUCCEEDED": 1, "FAILED": 1}, {"SUCCEEDED": 2, "FAILED": 1}),
        ("RUNNING", "THROTTLED", {"THROTTLED": 1, "RUNNING": 1}, {"RUNNING": 2, "WAITING": 1}),
        ("NOT_RUNNING", "WAITING_TIME", {"NOT_RUNNING": 1, "WAITING_TIME": 1}, {"WAITING": 2, "NOT_RUNNING": 1}),
    ],
)
def test_the_chips_of_a_logical_table_count_nodes_raw_and_fields_normalised(
    store: Store, base: str, ltv: str, nodes: dict[str, int], fields: dict[str, int]
) -> None:
    """`id` is in both nodes, `city` in base, `ltv` in ltv; `new` is in no node and is left out (section 9.2)."""
    write_night(store)
    set_instance(store, BASE, status=base)
    set_instance(store, LTV, status=ltv)
    with store.read() as connection:
        (row,) = instance_rows(connection, [DIM])
    assert row.node_chips == {Status(status): number for status, number in nodes.items()}
    assert list(row.node_chips) == [Status(status) for status in nodes]
    assert row.field_chips == {NormalisedStatus(status): number for status, number in fields.items()}
    assert list(row.field_chips) == [NormalisedStatus(status) for status in fields]


def test_a_table_is_paused_when_one_of_its_nodes_is(store: Store) -> None:
    write_night(store)
    set_instance(store, LTV, paused=True)
    with store.read() as connection:
        assert [row.paused for row in instance_rows(connection, [DIM, ODS])] == [True, False]


NASTY = "\x1b]52;c;AAAA\x07[/]\u202e\x9b2J"


def test_no_text_from_outside_leaves_as_it_was(store: Store) -> None:
    write_night(store)
    texts = ("name", "owner", "error", "resource_group")
    set_instance(store, ODS, tags='["\\u001b[2J"]', **dict.fromkeys(texts, NASTY))
    with store.read() as connection:
        (row,) = instance_rows(connection, [ODS])
    for shown in (*(getattr(row, name) for name in texts), *row.tags):
        assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs"}


def test_a_page_costs_the_same_queries_however_many_tables_it_shows(store: Store) -> None:
    fill(store, 400, tasks=400)
    with store.read() as connection:
        tables = snapshot(connection, Instance.listing == "modeling", [])
        reads: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *call: reads.append(call[2]))
        instance_rows(connection, tables[:1])
        one = len(reads)
        rows = instance_rows(connection, tables)
    assert (len(tables), len(reads)) == (20, 2 * one)
    assert {sum(row.node_chips.values()) for row in rows if row.node_chips} == {2}
    assert {sum(row.field_chips.values()) for row in rows if row.field_chips} == {6}


# --- rows of tasks ----------------------------------------------------------------------------------------------------


def test_a_task_row_says_what_the_list_shows(store: Store) -> None:
    tasks = write_night(store)
    with store.read() as connection:
        ods, dim, ads = task_rows(connection, [tasks[f"trade.{name}"] for name in ("ods", "dim", "ads")])
    assert (ods.key, ods.name, ods.owner, ods.tags, ods.project_title) == ("trade.ods", "ods", "lin", ("gold",), "交易")
    assert (ods.status, ods.submit_status, ods.published, ods.lock_holder) == (
        "submitted",
        "submission_succeeded",
        True,
        None,
    )
    assert ods.schedule == "every day at 00:00"
    assert (dim.unit, dim.kind) == ("logical_table", "dimension")
    assert [(row.upstreams, row.downstreams) for row in (ods, dim, ads)] == [(0, 2), (1, 1), (2, 0)]
