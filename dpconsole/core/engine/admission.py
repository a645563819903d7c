"""Who may go on: throttling rules first, then resource groups, in queue order (sections 2.2, 11.1, 11.2).

Pure decisions over rows and limits; the engine asks the store for both and writes down what is decided here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from dpconsole.core.domain.definitions import Environment, Origin, TaskType, ThrottlingRule
from dpconsole.core.domain.throttling import Attributes, matches, queue_key
from dpconsole.core.store.engine_sql import Candidate, Held
from dpconsole.core.store.waits import Standing


@dataclass(frozen=True, slots=True)
class Limits:
    """The slots of each resource group, and the throttling rules in force. A group that is not named has no limit."""

    slots: Mapping[str, int] = field(default_factory=dict)
    rules: tuple[ThrottlingRule, ...] = ()


@dataclass
class Capacity:
    """What is free at this moment; admitting takes from it."""

    limits: Limits
    running: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, limits: Limits, running: Mapping[str, int], held: Iterable[Held]) -> Capacity:
        """The capacity left by what runs in each group, and by what holds a throttling slot."""
        capacity = cls(limits, Counter(running))
        for row in held:
            for rule in capacity.matching(row):
                capacity.held[rule.name] += row.number
        return capacity

    @property
    def slots_left(self) -> int:
        """How many rows the resource groups have room for together."""
        return sum(max(0, slots - self.running[name]) for name, slots in self.limits.slots.items())

    @property
    def passes_left(self) -> int:
        """How many rows the throttling rules let through together; more where a row matches none of them."""
        return sum(max(0, rule.limit - self.held[rule.name]) for rule in self.limits.rules)

    @property
    def full_groups(self) -> list[str]:
        """Groups without a free slot."""
        return [name for name, slots in self.limits.slots.items() if self.running[name] >= slots]

    @property
    def full_rules(self) -> list[ThrottlingRule]:
        """Rules without a free slot."""
        return [rule for rule in self.limits.rules if self.held[rule.name] >= rule.limit]

    def pass_throttling(self, row: Candidate) -> bool:
        """Whether every matching rule has a free slot; takes them if so."""
        rules = self.matching(row)
        if any(self.held[rule.name] >= rule.limit for rule in rules):
            return False
        self.held.update(rule.name for rule in rules)
        return True

    def take_resources(self, row: Candidate) -> bool:
        """Whether the row's group has a free slot; takes it if so."""
        slots = self.limits.slots.get(row.resource_group)
        if slots is not None and self.running[row.resource_group] >= slots:
            return False
        self.running[row.resource_group] += 1
        return True

    def matching(self, row: Candidate | Held | Standing) -> tuple[ThrottlingRule, ...]:
        """The rules that count a row."""
        if not self.limits.rules:
            return ()
        return _matching_rules(self.limits.rules, row.project, row.origin, row.type, row.tags, row.environment)


@lru_cache(4096)
def _matching_rules(
    rules: tuple[ThrottlingRule, ...], project: str, origin: str, type_: str, tags: str, environment: str
) -> tuple[ThrottlingRule, ...]:
    tagged = frozenset(json.loads(tags))
    instance = Attributes(project, Origin(origin), TaskType(type_), tagged, Environment(environment))
    return tuple(rule for rule in rules if matches(rule, instance))


def in_queue_order(rows: Iterable[Candidate]) -> list[Candidate]:
    """Rows as the queue holds them: effective priority, due time, id."""
    return sorted(rows, key=lambda row: queue_key(row.effective_priority, row.due_at, row.id))


def compete(arrivals: Iterable[Candidate], queue: Sequence[Candidate], limit: int) -> tuple[list[Candidate], bool]:
    """Arrivals and the head of a queue in one order, and whether some must wait for the rest of the queue.

    A queue read up to `limit` rows may go on, so an arrival that sorts after its last row is not decided yet.
    """
    ordered = in_queue_order([*arrivals, *queue])
    if not queue or len(queue) < limit:
        return ordered, False
    end = 1 + ordered.index(queue[-1])
    return ordered[:end], end < len(ordered)
