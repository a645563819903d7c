"""Every instance that stands still has a reason that can be named."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.why import Moment, count_reasons, explain
from dpconsole.core.store.models import InstanceDependency, ResourceGroup, ThrottlingRule
from dpconsole.core.store.session import Store
from tests.core.operations.night import NOW, Night

MINUTE = 60_000
S, F, N = Status.SUCCEEDED, Status.FAILED, Status.NOT_RUNNING


@pytest.fixture(autouse=True)
def sound() -> None:
    """The rows here are put as they are wanted: no journal explains them."""


@pytest.fixture
def night(store: Store) -> Night:
    made = Night(store)
    with store.write() as transaction:
        transaction.execute(insert(ResourceGroup), [{"name": "default", "slots": 2}, {"name": "big", "slots": 99}])
        rules = [
            {"name": "one shell", "limit": 1, "type": "shell", "enabled": True},
            {"name": "many", "limit": 50, "type": None, "enabled": True},
            {"name": "switched off", "limit": 0, "type": None, "enabled": False},
        ]
        transaction.execute(insert(ThrottlingRule), rules)
    return made


def why(night: Night, instance: int) -> str:
    with night.store.read() as connection:
        return explain(connection, instance, Moment(NOW, ZoneInfo("Asia/Shanghai")))


@pytest.mark.parametrize(
    ("status", "columns", "words"),
    [
        (N, {}, "ready: the engine takes it up with its next tick"),
        (N, {"autonomous": False, "environment": "dev"}, "development: it runs only by hand"),
        (N, {"paused": True}, "paused: resume it to let it go on"),
        (
            N,
            {"paused": True, "paused_until": NOW + 90 * MINUTE},
            "paused until 04:30:00 (in 1h30m00s): resume it to let it go on",
        ),
        (
            Status.WAITING_TIME,
            {"due_at": NOW + 5 * MINUTE},
            "waits for its scheduled time, 03:05:00 (in 5m00s)",
        ),
        (
            Status.WAITING_TIME,
            {"due_at": NOW + 24 * 60 * MINUTE},
            "waits for its scheduled time, 2026-11-21 03:00:00 (in 24h00m00s)",
        ),
        (Status.WAITING_TIME, {"due_at": NOW}, "ready: the engine takes it up with its next tick"),
        (Status.THROTTLED, {"type": "python"}, "throttled a moment ago; a slot is free now"),
        (Status.WAITING_RESOURCE, {}, "waited for schedule resources a moment ago; a slot is free now"),
        (F, {"error": "exit 1: no space"}, "failed: exit 1: no space"),
        (F, {}, "failed: no reason was recorded"),
        (
            F,
            {"error": "exit 1", "retry_at": NOW + MINUTE, "auto_reruns": 1, "reruns": 3},
            "failed: exit 1; automatic rerun 2 of 3 at 03:01:00 (in 1m00s)",
        ),
        (Status.RUNNING, {}, ""),
        (S, {}, ""),
    ],
)
def test_what_holds_an_instance_is_said_in_one_sentence(
    night: Night, status: Status, columns: dict[str, Any], words: str
) -> None:
    assert why(night, night.instance("ods", status, **columns)) == words


def test_the_upstreams_that_are_missing_are_named(night: Night) -> None:
    ups = [night.instance(name, status) for name, status in (("a", F), ("b", N), ("c", S), ("d", N), ("e", N))]
    night.set(ups[1], paused=True)
    down = night.instance("down", N)
    for up in ups:
        night.edge(up, down)
    words = why(night, down)
    assert words.startswith(
        "waits for 4 upstreams: a (t_1_20261119_1) Failed; b (t_2_20261119_2) Not Running, paused; d"
    )
    assert words.endswith("; and 1 more")


def test_an_alternative_that_has_succeeded_is_not_missing(night: Night) -> None:
    failed, good, other = night.instance("a", F), night.instance("b", S), night.instance("c", N)
    down = night.instance("down", N, pending=1)
    with night.store.write() as transaction:
        edges = [(1, failed, True), (1, good, True), (2, other, False)]
        rows = [
            {"downstream_id": down, "requirement": requirement, "upstream_id": up, "alternative": alternative}
            for requirement, up, alternative in edges
        ]
        transaction.execute(insert(InstanceDependency), rows)
    assert why(night, down) == f"waits for 1 upstream: c (t_3_20261119_{other}) Not Running"


def test_the_throttling_rule_that_is_full_is_named(night: Night) -> None:
    night.instance("running", Status.RUNNING)
    held = night.instance("held", Status.THROTTLED)
    assert why(night, held) == "throttled by 'one shell' (1 of 1 slots taken)"


def test_the_resource_group_that_is_full_is_named(night: Night) -> None:
    for name in "ab":
        night.instance(name, Status.RUNNING)
    held = night.instance("held", Status.WAITING_RESOURCE)
    assert why(night, held) == "resource group 'default' is full (2 of 2 slots taken)"


def test_a_table_answers_with_the_nodes_that_stand_still(night: Night) -> None:
    up = night.instance("up", F)
    table, nodes = night.table("dim", [S, N])
    night.edge(up, nodes[1])
    assert why(night, table) == f"dim#NOT_RUNNING waits for 1 upstream: up (t_1_20261119_{up}) Failed"


def test_hostile_names_are_harmless_in_the_sentence(night: Night) -> None:
    up, down = night.instance("\x1b]52;c;AAAA\x07", F), night.instance("down", N)
    night.edge(up, down)
    assert "\x1b" not in why(night, down)


def test_reasons_are_counted_once_a_row(night: Night) -> None:
    failed, paused, running = (
        night.instance("f", F),
        night.instance("p", N, paused=True),
        night.instance("r", Status.RUNNING),
    )
    for ups in ((failed,), (failed, paused), (paused,), (running,)):
        down = night.instance("down", N)
        for up in ups:
            night.edge(up, down)
    night.instance("later", Status.WAITING_TIME)
    night.instance("by hand", N, autonomous=False)
    night.instance("soon", N)
    night.table("dim", [N])
    with night.store.read() as connection:
        assert count_reasons(connection) == {
            "an upstream failed": 2,
            "an upstream is paused": 1,
            "an upstream has not run": 1,
            "paused": 1,
            "waiting for scheduled time": 1,
            "development: it runs only by hand": 1,
            "ready": 2,
        }
