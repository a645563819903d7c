"""Lists: which rows, in which order, how many there are in all, and never for longer than an operator waits."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.statuses import Status
from dpconsole.core.query.compiling import compile
from dpconsole.core.query.fields import FIELDS, ListKind
from dpconsole.core.query.language import QueryError, parse
from dpconsole.core.query.limits import FILTER_SECONDS, QueryTimeout
from dpconsole.core.query.lists import DEFAULT_FILTERS, QUICK_FILTERS, ListRequest, Lists
from dpconsole.core.query.ordering import DEFAULTS, KEYS, SORTS
from dpconsole.core.store.session import Store
from tests.core.query.night import LIN, NOW

COMPUTING = ListRequest(listing="computing")


@pytest.fixture
def lists(night: Store) -> Lists:
    return Lists(night, VirtualClock(NOW), "lin")


def ids(lists: Lists, request: ListRequest, limit: int | None = None) -> list[int]:
    return list(lists.snapshot(request, limit).ids)


def test_a_tab_holds_the_recurring_instances_of_its_kind_in_one_environment(lists: Lists) -> None:
    assert ids(lists, COMPUTING) == [21, 22, 23, 11, 12, 13, 18, 17]
    assert ids(lists, ListRequest(listing="modeling")) == [14]
    assert ids(lists, ListRequest(listing="computing", environment="dev")) == [91]


def test_without_a_tab_instances_of_every_origin_are_listed_but_no_nodes(lists: Lists) -> None:
    assert sorted(ids(lists, ListRequest())) == [11, 12, 13, 14, 17, 18, 21, 22, 23, 31]
    assert ids(lists, ListRequest(text="unit:node")) == [15, 16]


def test_a_snapshot_says_how_many_rows_there_are_unfiltered_and_when(lists: Lists, night: Store) -> None:
    snapshot = lists.snapshot(ListRequest(listing="computing", text="status:failed"))
    assert (list(snapshot.ids), snapshot.total_unfiltered, snapshot.rev) == ([12], 8, night.rev())


def test_a_limit_cuts_the_ids_and_not_the_total(lists: Lists) -> None:
    snapshot = lists.snapshot(COMPUTING, limit=2)
    assert (list(snapshot.ids), snapshot.total_unfiltered) == ([21, 22], 8)


def test_a_day_is_one_of_the_workspace_zone(lists: Lists) -> None:
    """03:12 in Shanghai is still the day before in UTC, so yesterday would be another one there."""
    assert ids(lists, ListRequest(listing="computing", text=DEFAULT_FILTERS[ListKind.INSTANCES])) == [
        11,
        12,
        13,
        18,
        17,
    ]


ORDERS: dict[tuple[str, bool], list[int]] = {
    ("", False): [21, 22, 23, 11, 12, 13, 18, 17],
    ("", True): [17, 18, 13, 12, 11, 23, 22, 21],
    ("due", False): [21, 22, 23, 11, 12, 13, 18, 17],
    ("due", True): [17, 18, 13, 12, 11, 23, 22, 21],
    ("name", False): [13, 23, 12, 22, 11, 21, 18, 17],
    ("name", True): [17, 18, 21, 11, 22, 12, 23, 13],
    ("started", False): [21, 11, 12, 13, 17, 18, 22, 23],
    ("started", True): [12, 11, 21, 23, 22, 18, 17, 13],
    ("ended", False): [11, 12, 13, 17, 18, 21, 22, 23],
    ("ended", True): [12, 11, 23, 22, 21, 18, 17, 13],
    ("took", False): [11, 12, 21, 13, 17, 18, 22, 23],
    ("took", True): [21, 12, 11, 23, 22, 18, 17, 13],
    ("prio", False): [13, 12, 11, 17, 18, 21, 22, 23],
    ("status", False): [13, 17, 18, 11, 21, 22, 23, 12],
    ("duration", False): [11, 12, 21, 13, 17, 18, 22, 23],
}


@pytest.mark.parametrize(("sort", "rows"), ORDERS.items(), ids=str)
def test_a_list_is_ordered_with_gaps_last_and_ties_by_id(lists: Lists, sort: tuple[str, bool], rows: list[int]) -> None:
    assert ids(lists, ListRequest(listing="computing", sort=sort[0], descending=sort[1])) == rows


@pytest.mark.parametrize(("kind", "sort"), [(kind, sort) for kind, sorts in SORTS.items() for sort in sorts], ids=str)
def test_every_list_can_be_sorted_by_every_column_both_ways(lists: Lists, kind: ListKind, sort: str) -> None:
    up, down = (set(ids(lists, ListRequest(kind, sort=sort, descending=way))) for way in (False, True))
    assert up == down == set(ids(lists, ListRequest(kind)))


def test_the_newest_backfills_and_records_come_first(lists: Lists) -> None:
    assert ids(lists, ListRequest(ListKind.BACKFILLS)) == [8, 7]
    assert ids(lists, ListRequest(ListKind.RECORDS)) == [2, 1]


def test_a_column_nobody_can_sort_by_is_told_with_the_nearest_one(lists: Lists) -> None:
    with pytest.raises(QueryError, match="did you mean started") as caught:
        lists.snapshot(ListRequest(sort="start"))
    assert caught.value.caret("start").splitlines()[1].startswith("^^^^^ ")


def test_other_names_of_columns_lead_to_columns() -> None:
    assert set(KEYS.values()) <= {name for sorts in SORTS.values() for name in sorts}
    assert all(sort in SORTS[kind] for kind, (sort, _) in DEFAULTS.items())


QUICK: dict[ListKind, dict[str, list[int]]] = {
    ListKind.INSTANCES: {
        "mine": [11, 12, 21, 22, 31],
        "failed": [12, 31],
        "incomplete": [13, 14, 17, 18],
        "paused": [14, 17],
    },
    ListKind.TASKS: {"mine": [1, 2], "paused": [], "dry_run": [6]},
    ListKind.BACKFILLS: {"mine": [7], "failed": [7], "incomplete": []},
    ListKind.RECORDS: {"mine": [1]},
}


@pytest.mark.parametrize("kind", ListKind)
def test_quick_filters_are_fragments_of_queries(lists: Lists, kind: ListKind) -> None:
    found = {quick.name: sorted(ids(lists, ListRequest(kind, text=quick.fragment))) for quick in QUICK_FILTERS[kind]}
    assert found == QUICK[kind]


def test_rows_come_in_the_order_of_their_ids(lists: Lists) -> None:
    assert [row.name for row in lists.rows(ListKind.INSTANCES, [13, 11, 999])] == ["ads_gmv_board", "ods_orders"]
    assert [row.key for row in lists.rows(ListKind.TASKS, [5, 1])] == ["dev.sync_users", "trade.ods_orders"]
    assert [row.verb for row in lists.rows(ListKind.RECORDS, [2, 1])] == ["stop", "rerun"]


def test_a_backfill_comes_to_what_its_instances_come_to(lists: Lists) -> None:
    failed, empty = lists.rows(ListKind.BACKFILLS, [7, 8])
    assert (failed.status, failed.nodes, failed.counts, failed.dates) == (
        "FAILED",
        1,
        {Status.FAILED: 1},
        ("2026-11-01",),
    )
    assert (empty.status, empty.nodes, empty.counts, empty.paused) == ("NOT_RUNNING", 0, {}, "")


def test_a_backfill_to_be_submitted_stands_in_a_list_of_its_own(lists: Lists) -> None:
    tabs = [ListRequest(ListKind.BACKFILLS, listing=tab, environment="dev") for tab in ("", "submitted", "pending")]
    assert [ids(lists, tab) for tab in tabs] == [[9], [], [9]]
    (row,) = lists.rows(ListKind.BACKFILLS, [9])
    assert (row.state, row.flow, row.recurrence, row.run_day) == ("failed", "weekly sync", "weekly", "2026-11-20")
    assert (row.error, row.tags, row.started_at, row.by_state) == ("nothing is covered", ("gold",), None, {})


def test_refilter_keeps_what_still_belongs(lists: Lists) -> None:
    assert lists.refilter(ListRequest(listing="computing", text="status:failed"), [11, 12, 31, 91, 999]) == {12}
    assert lists.refilter(COMPUTING, []) == set()


def test_counts_are_by_status(lists: Lists) -> None:
    assert lists.counts(ListRequest(text="biz:yesterday owner:lin")) == {Status.SUCCEEDED: 1, Status.FAILED: 1}


# --- how long ---------------------------------------------------------------------------------------------------------


class HurriedClock(VirtualClock):
    """A wall clock by which every look costs more than any statement may take."""

    def monotonic(self) -> float:
        self._now += 60_000
        return super().monotonic()


ENDLESS = " or ".join(f"name:*{letter}*{letter}*{letter}*" for letter in "abcdefghijklmnop")


def test_a_statement_that_takes_too_long_is_stopped(night: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dpconsole.core.query.limits._STEPS", 1)
    monkeypatch.setattr("dpconsole.core.query.lists.FILTER_SECONDS", 0.001)
    lists = Lists(night, VirtualClock(NOW), "lin", wall=HurriedClock(NOW))
    slow = "SELECT pg_sleep(5)" if not night.is_sqlite else "SELECT 1"

    @event.listens_for(night.reader, "before_cursor_execute", retval=True)
    def delay(_connection, _cursor, statement, parameters, _context, _many):  # type: ignore[no-untyped-def]
        return (slow, ()) if "ORDER BY instance" in statement and not night.is_sqlite else (statement, parameters)

    try:
        with pytest.raises(QueryTimeout, match="add a term that narrows it") as caught:
            lists.snapshot(ListRequest(text="pay"))
    finally:
        event.remove(night.reader, "before_cursor_execute", delay)
    assert caught.value.length == len("pay")


def test_after_a_timeout_the_next_list_is_whole(night: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    test_a_statement_that_takes_too_long_is_stopped(night, monkeypatch)
    monkeypatch.setattr("dpconsole.core.query.lists.FILTER_SECONDS", FILTER_SECONDS)
    assert ids(Lists(night, VirtualClock(NOW), "lin"), COMPUTING) == [21, 22, 23, 11, 12, 13, 18, 17]


# --- what SQLite does with it -----------------------------------------------------------------------------------------

SERVED = {
    "": "ix_instance_list",
    "biz:yesterday": "ix_instance_night",
    "biz:yesterday pay": "ix_instance_night",
    "status:failed": "ix_instance_failed",
    "status:failed owner:me": "ix_instance_failed",
    "status:running": "ix_instance_running",
    "task:trade.ods_orders": "uq_instance_business_key",
    "+ads_gmv_board": "uq_instance_business_key",
    "id:12": "PRIMARY KEY",
}


@pytest.mark.parametrize(("text", "index"), SERVED.items())
@pytest.mark.parametrize("descending", [False, True])
def test_the_indexes_made_for_lists_serve_them(sqlite_store: Store, text: str, index: str, descending: bool) -> None:
    plans: list[str] = []

    @event.listens_for(sqlite_store.reader, "before_cursor_execute")
    def explain(connection, cursor, statement, parameters, _context, _many):  # type: ignore[no-untyped-def]
        if "ORDER BY instance" in statement:
            raw = connection.connection.driver_connection
            plans.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    Lists(sqlite_store, VirtualClock(NOW), "lin").snapshot(
        ListRequest(listing="computing", text=text, descending=descending)
    )
    assert index in " ".join(plans)
    if index in ("ix_instance_list", "ix_instance_night", "ix_instance_failed"):
        assert "TEMP B-TREE" not in " ".join(plans)


def test_every_field_can_be_named_in_a_query() -> None:
    """A field whose kind nobody matches would fail with something other than a QueryError."""
    for kind, fields in FIELDS.items():
        for field in fields.values():
            value = (*field.words, "1")[0]
            compile(parse(f"{field.name}:{value}"), kind, LIN)
