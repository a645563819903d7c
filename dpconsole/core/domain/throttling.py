"""Throttling: which instances a rule counts, and in what order those that are held back go on."""

from __future__ import annotations

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


def queue_key(effective_priority: int, due: int, instance_id: int) -> tuple[int, int, int]:
    """Sorts a queue: highest effective priority, then earliest due time (UTC ms), then lowest id (section 11.1)."""
    return effective_priority, due, instance_id
