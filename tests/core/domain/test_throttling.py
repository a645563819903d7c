"""Section 11.1: which rules hold an instance back, and who goes first."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from dpconsole.core.domain.definitions import Environment, Origin, TaskType, ThrottlingRule
from dpconsole.core.domain.throttling import Attributes, matches, queue_key

BACKFILL = Attributes("trade", Origin.BACKFILL, TaskType.HIVE_SQL, frozenset({"gold", "slow"}), Environment.PROD)


def rule(**conditions: object) -> ThrottlingRule:
    return replace(ThrottlingRule("a rule", limit=2), **conditions)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, True),
        ({"project": "trade"}, True),
        ({"project": "risk"}, False),
        ({"origin": Origin.BACKFILL}, True),
        ({"origin": Origin.RECURRING}, False),
        ({"type": TaskType.HIVE_SQL}, True),
        ({"type": TaskType.SHELL}, False),
        ({"tag": "gold"}, True),
        ({"tag": "go"}, False),
        ({"environment": Environment.PROD}, True),
        ({"environment": Environment.DEV}, False),
        ({"project": "trade", "origin": Origin.BACKFILL, "type": TaskType.HIVE_SQL, "tag": "slow"}, True),
        ({"project": "trade", "origin": Origin.MANUAL}, False),
        ({"enabled": False}, False),
    ],
)
def test_a_rule_counts_an_instance_when_every_attribute_it_names_agrees(
    conditions: dict[str, object], expected: bool
) -> None:
    assert matches(rule(**conditions), BACKFILL) is expected


def test_the_queue_goes_by_effective_priority_then_due_time_then_id() -> None:
    in_order = [(1, 900, 7), (3, 100, 9), (3, 200, 1), (3, 200, 2), (9, 0, 0)]
    for shuffled in permutations(in_order):
        assert sorted(shuffled, key=lambda entry: queue_key(*entry)) == in_order
