"""What the checks say of instances that an operator has moved (RULES.md 13); rows and journals are put as wanted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.diagnosis import Verdict
from dpconsole.core.domain.statuses import Cause, Status
from dpconsole.core.engine.diagnosis import Explanation, explain
from dpconsole.core.store.journal import Steps, record
from dpconsole.core.store.models import Instance
from dpconsole.core.store.session import Store
from tests.core.operations.night import NOW, Night

PASSED, SKIPPED, PAUSED, BLOCKED, WAITING, RUNNING, FAILED, NOT_REACHED = Verdict
MINUTE = 60_000


@pytest.fixture(autouse=True)
def sound() -> None:
    """The rows here are put as they are wanted: no ledger explains them."""


@pytest.fixture
def night(sqlite_store: Store) -> Night:
    return Night(sqlite_store)


def move(night: Night, instance: int, after: Status, cause: Cause, actor: str = "lin", **columns: Any) -> None:
    """One step of an instance, ten minutes ago."""
    before = Status(night.row(instance).status)
    with night.store.write() as transaction:
        here = update(Instance).where(Instance.id == instance)
        transaction.execute(here.values(status=after, rev=transaction.rev, **columns))
        steps = Steps()
        steps.add(instance, before, after, cause, 0)
        record(transaction, steps, NOW - 10 * MINUTE, actor)


def diagnose(night: Night, instance: int) -> Explanation:
    found = explain(night.store, VirtualClock(NOW), instance)
    assert found is not None
    return found


def test_a_forced_run_skips_upstreams_and_time_and_nothing_else(night: Night) -> None:
    up, x = night.instance("up", Status.FAILED), night.instance("x", Status.NOT_RUNNING)
    night.edge(up, x)
    move(night, x, Status.THROTTLED, Cause.FORCED, forced=True)
    found = diagnose(night, x)
    assert [check.verdict for check in found.checks] == [SKIPPED, SKIPPED, WAITING, NOT_REACHED, NOT_REACHED]
    assert [check.detail for check in found.checks][:2] == ["the run was forced"] * 2
    assert found.checks[2].detail.endswith("it has waited 10m00s")
    assert found.start_blocking == ()
    assert found.eta.at is not None


def test_a_forced_run_that_went_back_to_the_beginning_waits_like_any_other(night: Night) -> None:
    """An automatic rerun of a forced run asks the upstreams again."""
    up, x = night.instance("up", Status.FAILED), night.instance("x", Status.NOT_RUNNING, forced=True)
    night.edge(up, x)
    found = diagnose(night, x)
    assert (found.checks[0].verdict, [one.name for one in found.start_blocking]) == (BLOCKED, ["up"])


def test_what_was_stopped_while_it_waited_stands_where_it_was_stopped(night: Night) -> None:
    x = night.instance("x", Status.WAITING_RESOURCE)
    move(night, x, Status.FAILED, Cause.STOPPED, error="stopped by lin")
    found = diagnose(night, x)
    assert [check.verdict for check in found.checks] == [PASSED, PASSED, PASSED, FAILED, NOT_REACHED]
    assert found.checks[3].detail == "stopped by lin before it started"
    assert found.eta.words == "will not be done before it is mended"


def test_what_was_set_to_success_skipped_every_check(night: Night) -> None:
    x = night.instance("x", Status.FAILED)
    move(night, x, Status.SUCCEEDED, Cause.SET_SUCCESS, set_by_hand=True)
    found = diagnose(night, x)
    assert [check.verdict for check in found.checks] == [SKIPPED] * 4 + [PASSED]
    assert (found.checks[4].detail, found.eta.words) == ("set to success by lin", "")


def test_a_pause_is_named_before_a_forced_run(night: Night) -> None:
    x = night.instance("x", Status.THROTTLED, forced=True, paused=True)
    assert [check.verdict for check in diagnose(night, x).checks] == [PAUSED, *[NOT_REACHED] * 4]


def test_in_development_it_runs_only_by_hand(night: Night) -> None:
    x = night.instance("x", Status.NOT_RUNNING, environment="dev", autonomous=False)
    found = diagnose(night, x)
    assert [check.verdict for check in found.checks] == [PASSED, BLOCKED, *[NOT_REACHED] * 3]
    assert found.summary.endswith("development: it runs only by hand; will not start before it is run by hand")


def test_a_succeeded_run_stays_passed_when_an_upstream_is_rerun(night: Night) -> None:
    up, x = night.instance("up", Status.SUCCEEDED), night.instance("x", Status.RUNNING)
    night.edge(up, x)
    move(night, x, Status.SUCCEEDED, Cause.FINISHED, actor="")
    night.set(up, status=Status.NOT_RUNNING)
    night.set(x, pending=1)
    assert diagnose(night, x).checks[0].verdict is PASSED


def test_a_table_whose_nodes_have_all_succeeded_needs_nothing(night: Night) -> None:
    table, _ = night.table("t", [Status.SUCCEEDED, Status.SUCCEEDED])
    found = diagnose(night, table)
    assert (found.checks[4].verdict, found.others, found.eta.words) == (PASSED, (), "")


def test_a_table_without_nodes_says_so(night: Night) -> None:
    table, _ = night.table("t", [])
    found = diagnose(night, table)
    assert [check.verdict for check in found.checks] == [NOT_REACHED] * 5
    assert found.summary == "it has no materialization nodes"


def test_hostile_names_and_errors_are_harmless(night: Night) -> None:
    up = night.instance("\x1b]52;c;AAAA\x07", Status.FAILED, error="\x1b[2J")
    x = night.instance("x", Status.NOT_RUNNING)
    night.edge(up, x)
    found = diagnose(night, x)
    told = [found.summary, found.eta.words, *(check.detail for check in found.checks), found.start_blocking[0].name]
    assert not any("\x1b" in words for words in told)
