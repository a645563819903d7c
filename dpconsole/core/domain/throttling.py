"""Throttling: which rules hold an instance back, and in what order those held back go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dpconsole.core.domain.definitions import Environment, Origin, TaskType, ThrottlingRule


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a rule can ask of an instance."""

    project: str
    origin: Origin
    type: TaskType
    tags: frozenset[str]
    environment: Environment


def matches(rule: ThrottlingRule, instance: Attributes) -> bool:
    """Whether the rule counts the instance: it is enabled and every attribute it names agrees (section 11.1)."""
    agreements = (
        rule.project in (None, instance.project),
        rule.origin in (None, instance.origin),
        rule.type in (None, instance.type),
        rule.tag is None or rule.tag in instance.tags,
        rule.environment in (None, instance.environment),
    )
    return rule.enabled and all(agreements)


def holding_back(
    rules: Iterable[ThrottlingRule], instance: Attributes, taken: Mapping[str, int]
) -> tuple[ThrottlingRule, ...]:
    """The matching rules without a free slot; none means the instance passes (section 11.1).

    `taken` counts, by rule name, the dispatched instances that hold a slot.
    """
    return tuple(rule for rule in rules if matches(rule, instance) and taken.get(rule.name, 0) >= rule.limit)


def queue_key(effective_priority: int, due: int, instance_id: int) -> tuple[int, int, int]:
    """Sorts a queue: highest effective priority, then earliest due time (UTC ms), then lowest id (section 11.1)."""
    return effective_priority, due, instance_id
