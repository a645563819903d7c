"""What queries select from a small night, on both databases, and what is said of those that make no sense."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from dpconsole.core.query.compiling import compile
from dpconsole.core.query.fields import FIELDS, STATUSES, ListKind
from dpconsole.core.query.language import QueryError, parse
from dpconsole.core.store.models import Backfill, Instance, Operation, Task
from dpconsole.core.store.session import Store
from tests.core.query.night import INSTANCES, LIN, TASKS

IDS = {
    ListKind.INSTANCES: Instance.id,
    ListKind.TASKS: Task.id,
    ListKind.BACKFILLS: Backfill.id,
    ListKind.RECORDS: Operation.id,
}


def selected(store: Store, kind: ListKind, text: str) -> list[int]:
    """The ids a query selects; of instances, those of production that are listed."""
    column = IDS[kind]
    statement = select(column).where(compile(parse(text), kind, LIN)).order_by(column)
    if kind is ListKind.INSTANCES:
        statement = statement.where(Instance.environment == "prod", Instance.listing != "")
    with store.read() as connection:
        return list(connection.scalars(statement))


LISTED = [11, 12, 13, 14, 17, 18, 21, 22, 23, 31]

INSTANCE_QUERIES: dict[str, list[int]] = {
    "": LISTED,
    # bare words and names
    "pay": [12, 22, 31],
    "PAY": [12, 22, 31],
    "pay ord": [12, 22, 31],
    "pay,user": [12, 14, 17, 22, 31],
    '"pay ord"': [],
    "100%": [18],
    "0%": [18],
    "_%": [],
    "12": [12],
    "t_2_20261119_12": [12],
    "n_12": [],
    "name:pay": [12, 22, 31],
    "name:pay*": [],
    "name:dws_pay*": [12, 22, 31],
    "name:*_1d,ads*": [12, 13, 22, 23, 31],
    "name=pay": [],
    "name=ads_gmv_board": [13, 23],
    'name:"dws*"': [],
    # ids and tasks
    "id:12,13": [12, 13],
    "id:t_3_20261119_13": [13],
    "task:trade.ods_orders": [11, 21],
    "task:ods_orders": [11, 21],
    "task:1": [11, 21],
    "task:n_1,dev.*": [11, 17, 21],
    "task:ods": [],
    # people and places
    "owner:me": [11, 12, 21, 22, 31],
    'owner:"me"': [],
    "owner:mei,wu": [13, 14, 17, 18, 23],
    "owner:m*": [13, 14, 23],
    "owner!=me": [13, 14, 17, 18, 23],
    "project:dev": [17],
    "group:big": [12],
    # statuses and flags
    "status:failed": [12, 31],
    "status:FAILED,Running": [12, 14, 31],
    'status:"Not Running"': [13],
    "status:not_running": [13],
    "status:not-run": [13],
    "status:init": [13],
    "status:waiting": [17, 18],
    "status:throttling": [18],
    "status:success": [11, 21, 22, 23],
    'status:"waiting for scheduling time"': [17],
    "-status:succeeded": [12, 13, 14, 17, 18, 31],
    "paused:yes": [14, 17],
    "paused:no status:waiting,running": [18],
    "paused:yes,no biz:yesterday": [11, 12, 13, 14, 17, 18],
    "dry_run:true": [18],
    "forced:yes": [18],
    # order
    "prio>=high": [12, 13],
    "prio>high": [13],
    "prio<high": [11, 14, 17, 18, 21, 22, 23, 31],
    "prio:highest,high": [12, 13],
    "prio:low..high": [11, 12, 14, 17, 18, 21, 22, 23, 31],
    "prio:high..": [12, 13],
    "prio:1": [13],
    "attempt:2": [12],
    "attempt>0": [11, 12],
    "attempt:1..2": [11, 12],
    # days and times
    "biz:2026-11-19": [11, 12, 13, 14, 17, 18],
    "biz:20261119": [11, 12, 13, 14, 17, 18],
    "biz:yesterday": [11, 12, 13, 14, 17, 18],
    "biz:-2d": [21, 22, 23],
    "biz:today": [],
    "biz:2026-11-01..-2d": [21, 22, 23, 31],
    "biz:..-2d": [21, 22, 23, 31],
    "biz<yesterday": [21, 22, 23, 31],
    "biz>=-2d": [11, 12, 13, 14, 17, 18, 21, 22, 23],
    "due>=02:00 biz:yesterday": [12, 13, 17, 18],
    "due:02:00": [12],
    "due>2026-11-20T02:00": [13, 17, 18],
    "due:2026-11-20T02:00..02:30": [12, 13],
    "due:today": [11, 12, 13, 14, 17, 18],
    "due:2026-11-20T02:00:00+08:00": [12],
    "due:2026-11-19T18:00Z": [12],
    "started:today": [11, 12, 14],
    "started>-2h": [12],
    "ended>=02:00": [12],
    "-started:today": [13, 17, 18, 21, 22, 23, 31],
    # how long
    "took>1h": [12, 14, 21],
    "took:10m": [11],
    "took<=10m": [11],
    "-took>1h": [11, 13, 17, 18, 22, 23, 31],
    # the rest
    "cycle:hour": [11, 21],
    "cycle:hourly": [11, 21],
    "type:logical_table": [14],
    "unit:pipeline": [17],
    "origin:backfill": [31],
    "backfill:7": [31],
    'backfill:"refill pay"': [31],
    "-backfill:*": [11, 12, 13, 14, 17, 18, 21, 22, 23],
    "baseline:gmv_0800": [12, 13, 22, 23, 31],
    "baseline:*": [12, 13, 22, 23, 31],
    "tag:gold": [11, 13, 21, 23],
    "tag:核心": [13, 23],
    "tag:gol": [],
    "error:found": [12],
    # together
    "status:failed and not (project:dev or owner:mei) biz:yesterday": [12],
    "status:failed or paused:yes": [12, 14, 17, 31],
    "(status:failed or paused:yes) -owner:wu": [12, 14, 31],
    # the graph
    "+ads_gmv_board biz:yesterday": [11, 12, 13, 14],
    "+ads_gmv_board": [11, 12, 13, 14, 21, 22, 23],
    "1+ads_gmv_board biz:yesterday": [12, 13, 14],
    "1+13": [12, 13, 14],
    "ods_orders+ biz:-2d..-1d": [11, 12, 13, 14, 21, 22, 23],
    "ods_orders+ biz:yesterday": [11, 12, 13, 14],
    "ods_orders+1 biz:yesterday": [11, 12, 14],
    "11+": [11, 12, 13, 14],
    "dim_user+": [13, 14],
    "+dim_user": [11, 14],
    "2+13 biz:yesterday": [11, 12, 13, 14],
    "t_4_20261119_14+1": [13, 14],
    '"14"+1': [13, 14],
    "99+": [],
    "0+dws_pay_ord_1d+0": [12, 22, 31],
    "1+dws_pay+1 biz:yesterday": [11, 12, 13],
    "+dws_pay_ord_1d+ biz:yesterday": [11, 12, 13],
    "+gmv*": [],
    "nothing+": [],
    "not 11+ biz:yesterday": [17, 18],
}

TASK_QUERIES: dict[str, list[int]] = {
    "": [1, 2, 3, 4, 5, 6],
    "ods": [1],
    "3": [3],
    "n_3": [3],
    "trade.ods_orders": [1],
    "id:trade.ods_orders,2": [1, 2],
    "id:dev.*": [5],
    "project:trade type:shell": [1, 3, 6],
    "method:dry_run": [6],
    "owner:me": [1, 2],
    "opowner:ops": [1, 2, 3, 4, 5, 6],
    "status:draft": [6],
    "submit:succeeded": [1, 2, 3, 4, 5, 6],
    "submit:failed": [],
    "table:gmv_board_out": [3],
    "created:2026-10-01": [1, 2, 3, 4, 5, 6],
    "modified>=2026-11-15": [5, 6],
    "modified:-7d..": [3, 4, 5, 6],
    "cycle:day": [2, 3, 4, 5, 6],
    "published:no": [6],
    "conditional:yes": [],
    "conditional:no": [1, 2, 3, 4, 5, 6],
    "tag:gold": [1, 3],
    "tag:核心": [3],
    "folder:/ods": [1, 4],
    "folder:/ods/": [1, 4],
    "folder=/ods": [4],
    "folder:/": [1, 2, 3, 4, 5, 6],
    "lock:me": [3],
    "-lock:*": [1, 2, 4, 5, 6],
    "prio:high": [2],
    "baseline:gmv_0800": [2, 3],
    "+ads_gmv_board": [1, 2, 3, 4],
    "1+ads_gmv_board": [2, 3, 4],
    "ods_orders+1": [1, 2, 4],
    "sync_users+": [5],
}

BACKFILL_QUERIES: dict[str, list[int]] = {
    "": [7, 8, 9],
    "pay": [7],
    "dws_pay": [7],
    "trade.dws_pay_ord_1d": [7],
    "task:pay_ord": [7],
    "task:ods_orders": [],
    "state:submitted": [7, 8],
    "state:waiting,failed": [9],
    "recurrence:weekly,monthly": [9],
    "recurrence:daily": [],
    "due:today": [9],
    "due>03:00": [],
    "flow:weekly": [9],
    "tag:gold": [9],
    "8": [8],
    "id:f_7": [7],
    "status:failed": [7],
    "status:not_running": [8, 9],
    "status:running,succeeded": [],
    "submitter:me": [7],
    "submitted:today": [7, 8],
    "project:trade": [7, 8],
    "biz:2026-11-02": [8],
    "biz>2026-11-01": [8],
}

RECORD_QUERIES: dict[str, list[int]] = {
    "": [1, 2],
    "rerun": [1],
    "full": [1],
    "50%": [2],
    "2": [2],
    "verb:stop": [2],
    "actor:me": [1],
    "state:partly_done": [2],
    "state:partly-done,done": [1, 2],
    "at>=02:00": [1, 2],
    "reason:disk": [1],
}

QUERIES = [
    (kind, text, ids)
    for kind, queries in (
        (ListKind.INSTANCES, INSTANCE_QUERIES),
        (ListKind.TASKS, TASK_QUERIES),
        (ListKind.BACKFILLS, BACKFILL_QUERIES),
        (ListKind.RECORDS, RECORD_QUERIES),
    )
    for text, ids in queries.items()
]


@pytest.mark.parametrize(("kind", "text", "ids"), QUERIES, ids=lambda value: str(value)[:50])
def test_a_query_selects(night: Store, kind: ListKind, text: str, ids: list[int]) -> None:
    assert selected(night, kind, text) == ids


WRONG: dict[str, tuple[int, int, str, str]] = {
    "colour:red": (0, 6, f"Instances have no field colour; there are {', '.join(FIELDS[ListKind.INSTANCES])}", ""),
    "stat:failed": (0, 4, "Instances have no field stat", "status"),
    "owner:me status:faild": (16, 5, "faild is no status", "failed"),
    "status:failed,runing": (14, 6, "runing is no status", "running"),
    'status:""': (7, 2, f"Nothing is no status; known are {', '.join(STATUSES.words)}", ""),
    "paused:maybe": (7, 5, "maybe is no value of paused; known are yes, no", ""),
    "prio>=hihg": (6, 4, "hihg is no priority; known are highest, high, medium, low, lowest", "high"),
    "prio:0": (5, 1, "0 is no priority; known are highest, high, medium, low, lowest", ""),
    "biz:yesterdy": (4, 8, "yesterdy is not a date; write 2026-11-19, today, yesterday or -1d", "yesterday"),
    "biz:2026-02-30": (4, 10, "2026-02-30 is not a date; write 2026-11-19, today, yesterday or -1d", ""),
    "biz:2026-11-19..2026-11-18": (4, 22, "The range ends before it begins", ""),
    "biz:..": (4, 2, "A range needs a value on one side of the .. at least", ""),
    "biz:-1d..soon": (9, 4, "soon is not a date; write 2026-11-19, today, yesterday or -1d", ""),
    "biz:-999999d": (4, 8, "-999999d is out of reach", ""),
    "due:25:00": (4, 5, "25:00 is not a time; write 02:00, 2026-11-20T02:00, -2h or now", "02:00"),
    "took>long": (5, 4, "long is not a duration; write 40s, 5m, 1h30m or a number of seconds", ""),
    "took>" + "9" * 400 + "h": (5, 401, "9" * 400 + "h is out of reach", ""),
    "attempt:two": (8, 3, "two is not a whole number", ""),
    "attempt:" + "9" * 30: (8, 30, "9" * 30 + " is not a whole number", ""),
    "attempt>1,2": (10, 1, "Only one value can stand after >", ""),
    "name>a": (4, 1, "name has no order, so > says nothing; write name:", ""),
    "status >= running": (7, 2, "status has no order, so >= says nothing; write status:", ""),
    "id:abc": (3, 3, "abc is not an id; write 345 or t_12_20261119_345", ""),
    "id:n_12": (3, 4, "n_12 is not an id; write 345 or t_12_20261119_345", ""),
}


@pytest.mark.parametrize(("text", "told"), WRONG.items(), ids=lambda value: repr(value)[:40])
def test_what_makes_no_sense_is_told_where_and_why(text: str, told: tuple[int, int, str, str]) -> None:
    with pytest.raises(QueryError) as caught:
        compile(parse(text), ListKind.INSTANCES, LIN)
    error = caught.value
    assert (error.position, error.length, error.message, error.hint) == told


@pytest.mark.parametrize("kind", [ListKind.BACKFILLS, ListKind.RECORDS])
def test_there_is_no_graph_of_what_has_no_dependencies(kind: ListKind) -> None:
    with pytest.raises(QueryError, match="There is no graph"):
        compile(parse("+a"), kind, LIN)


# --- any text ---------------------------------------------------------------------------------------------------------

VALUES = st.one_of(
    st.sampled_from(["failed", "waiting", "yes", "high", "1", "345", "t_1_2_3", "me", "today", "-1d", "02:00", "1h"]),
    st.sampled_from(["..", "1..2", "a..b", '"a b"', "*", "%", "_", "!", "'", '"', "\\", "支付", "/", "+", "9" * 25]),
    st.sampled_from(["2026-11-19", "9999-12-31", "0001-01-01", "0001-01-01T00:00", "9999-12-31..", "-9999d"]),
    st.text(max_size=6),
)
OPERATORS = st.sampled_from([":", "=", "!=", ">", ">=", "<", "<=", ",", "", " "])
TERMS = st.builds(
    lambda sign, name, operator, value: f"{sign}{name}{operator}{value}",
    st.sampled_from(["", "-", "not ", "+", "2+", "(", "a or "]),
    st.sampled_from(sorted({name for fields in FIELDS.values() for name in fields})),
    OPERATORS,
    VALUES,
)
TEXTS = st.lists(TERMS, max_size=4).map(" ".join)


@given(text=TEXTS | st.text(max_size=40), kind=st.sampled_from(ListKind))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_any_text_selects_or_explains(night: Store, text: str, kind: ListKind) -> None:
    try:
        selected(night, kind, text)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        assert len(error.caret(text).splitlines()) == 2


LARGEST = {
    "terms": '"a" ' * 100,
    "values": "name:" + ",".join("a" * 300),
    "terms of values": " ".join(f"name:{','.join('a' * 9)}" for _ in range(80)),
    "alternatives": " or ".join("a" * 100),
    "levels": "not (" * 10 + "a" + ")" * 10,
    "walks": "+a+ " * 10,
    "ids": "id:" + ",".join(str(number) for number in range(300)),
}


@pytest.mark.parametrize("text", LARGEST.values(), ids=LARGEST)
@pytest.mark.parametrize("kind", [ListKind.INSTANCES, ListKind.TASKS])
def test_the_largest_queries_are_still_queries(night: Store, text: str, kind: ListKind) -> None:
    """SQLite gives up on expressions a thousand deep, which must never be an operator's to find out."""
    assert selected(night, kind, text) is not None


@given(text=TEXTS, kind=st.sampled_from(ListKind))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_not_is_everything_else(night: Store, text: str, kind: ListKind) -> None:
    try:
        matching = selected(night, kind, text)
    except QueryError:
        return
    if text.strip():
        rest = selected(night, kind, f"not ({text})")
        assert sorted([*matching, *rest]) == selected(night, kind, "")


def test_the_night_has_the_rows_the_tables_speak_of() -> None:
    assert set(LISTED) == {id for id, facts in INSTANCES.items() if "node_id" not in facts and id != 91}
    assert set(TASKS) == set(TASK_QUERIES[""])
