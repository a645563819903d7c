"""Logical tables: what a field's status is, what the table's is, and which fields go along when some are chosen.

A field is as good as the best of the materialization nodes that carry it; a table is only as quiet as its busiest
node. Fields that share nodes are operated together, so every choice of fields is first closed.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from dpconsole.core.domain.statuses import NormalisedStatus, Status

AnyStatus = TypeVar("AnyStatus", Status, NormalisedStatus)


def normalise(nodes: Iterable[Status]) -> NormalisedStatus | None:
    """A field's status from its nodes' statuses: the best one present (section 9.2).

    None for a field without nodes, one added after the instance was made: shown as a dash, out of every operation.
    """
    present = {status.normalised for status in nodes}
    return next((status for status in NormalisedStatus if status in present), None)


BUSIEST_FIRST: tuple[Status, ...] = (
    Status.RUNNING,
    Status.WAITING_RESOURCE,
    Status.THROTTLED,
    Status.WAITING_TIME,
    Status.FAILED,
    Status.NOT_RUNNING,
    Status.SUCCEEDED,
)
"""The first of these among the nodes is the table's status: Succeeded takes every one of them (section 9.2)."""


def derive(nodes: Iterable[Status]) -> Status:
    """The one status of a logical-table instance that guards ask for, from its nodes' statuses (section 9.2, AMB-6).

    Not Running for a table without nodes.
    """
    present = set(nodes)
    return next((status for status in BUSIEST_FIRST if status in present), Status.NOT_RUNNING)


def chips(statuses: Iterable[AnyStatus], kind: type[AnyStatus]) -> tuple[tuple[AnyStatus, int], ...]:
    """How many there are of each status of a kind, in the kind's own order, none of zero (section 9.2)."""
    counts = Counter(statuses)
    return tuple((status, counts[status]) for status in kind if counts[status])


@dataclass(frozen=True, slots=True)
class Closure:
    """The operated set: all fields and nodes, and each required field (not chosen) with the node that drags it in."""

    fields: frozenset[str]
    nodes: frozenset[str]
    required: Mapping[str, str]


def close(chosen: Iterable[str], nodes: Mapping[str, Collection[str]]) -> Closure:
    """The chosen fields with all that must go along, as a fixed point over shared nodes (section 9.3).

    `nodes` maps each materialization node to the fields it carries; where several nodes drag a field in, the first
    one reached is named.
    """
    carriers = _carriers(nodes)
    dragged_in_by = dict.fromkeys(chosen, "")
    entered: set[str] = set()
    queue = deque(dragged_in_by)
    while queue:
        for node in carriers.get(queue.popleft(), ()):
            if node not in entered:
                entered.add(node)
                new = [field for field in nodes[node] if field not in dragged_in_by]
                dragged_in_by.update(dict.fromkeys(new, node))
                queue.extend(new)
    required = {field: node for field, node in dragged_in_by.items() if node}
    return Closure(frozenset(dragged_in_by), frozenset(entered), required)


def _carriers(nodes: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """The nodes that carry each field."""
    carriers: dict[str, list[str]] = {}
    for node, fields in nodes.items():
        for field in fields:
            carriers.setdefault(field, []).append(node)
    return carriers
