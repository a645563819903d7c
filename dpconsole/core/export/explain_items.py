"""A run diagnosis as scripts see it; keys, times and statuses are those of `json_items`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from dpconsole.core.domain.clock import format_iso
from dpconsole.core.domain.diagnosis import Check
from dpconsole.core.export.json_items import NEIGHBOUR, Item, Keys
from dpconsole.core.store.details import Neighbour

BLOCKING: Keys = {**NEIGHBOUR, "paused": lambda row, _zone: row.paused}


def check_items(checks: Iterable[Check]) -> list[Item]:
    """The five checks; verdicts are spelled as the enum."""
    return [{"step": str(check.step), "verdict": str(check.verdict), "detail": check.detail} for check in checks]


def blocking_items(rows: Iterable[Neighbour], zone: tzinfo) -> list[Item]:
    """Instances that hold something up: the start blocking ones, or those that occupy its slots."""
    return [{key: take(row, zone) for key, take in BLOCKING.items()} for row in rows]


def eta_item(at: int | None, zone: tzinfo) -> str | None:
    """The moment when an instance will be done."""
    return None if at is None else format_iso(at, zone)
