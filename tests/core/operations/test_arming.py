"""Arming: a confirmed batch waits its five seconds, and can be called off until they are over."""

from __future__ import annotations

from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.arming import ARMED_SECONDS, Arming
from dpconsole.core.operations.planning import Plan
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from tests.core.operations.night import Night


def stop(night: Night, operations: Operations, name: str) -> Plan:
    return operations.plan("stop", Selection.of((night.instance(name, Status.RUNNING),)))


def test_it_is_due_when_its_seconds_are_over_and_not_before(night: Night, operations: Operations) -> None:
    arming = Arming()
    armed = arming.arm(stop(night, operations, "a"), "it runs away", 100.0)
    assert arming.take_due(100.0 + ARMED_SECONDS - 0.001) == []
    assert arming.take_due(100.0 + ARMED_SECONDS) == [armed]
    assert arming.take_due(1_000.0) == []


def test_the_one_armed_last_is_called_off_first(night: Night, operations: Operations) -> None:
    arming = Arming()
    first, second = (arming.arm(stop(night, operations, name), "", 0.0) for name in "ab")
    assert arming.call_off() is second
    assert arming.call_off() is first
    assert arming.call_off() is None


def test_without_seconds_it_is_due_at_once(night: Night, operations: Operations) -> None:
    arming = Arming(seconds=0)
    armed = arming.arm(stop(night, operations, "a"), "", 7.0)
    assert arming.take_due(7.0) == [armed]


def test_it_says_what_is_armed_and_for_how_long(night: Night, operations: Operations) -> None:
    arming = Arming()
    assert arming.words(0.0) == ""
    arming.arm(stop(night, operations, "a"), "", 0.0)
    assert arming.words(0.5) == "Stop 1: in 5 s"
    arming.arm(stop(night, operations, "b"), "", 1.0)
    assert arming.words(4.5) == "Stop 1 and 1 more: in 2 s"
