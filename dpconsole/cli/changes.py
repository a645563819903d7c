"""What the commands that change something share: when the operator must mean it, and how the outcome is reported."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.talk import write_json
from dpconsole.core.operations.planning import MILD_ROWS
from dpconsole.core.operations.records import Item, Outcome, Record


def wants_a_person(number: int, change: str, *, yes: bool, expect: int | None) -> bool:
    """Whether the operator is still to be asked about a change of `number` rows; `change` says what it would do.

    `--yes` is enough for few, many want `--expect` with it; Failure where nobody is there to be asked.
    """
    if yes and number > MILD_ROWS and expect is None:
        raise Failure(f"{change}: add --expect {number}", Exit.USAGE)
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Failure(f"{change}: add --yes, or look with --dry-run", Exit.USAGE)
    return not yes


def counts_of(items: Sequence[Item]) -> dict[str, int]:
    """How many act, are skipped, and are refused; before the fact what is planned acts."""
    acting = sum(item.outcome in (Outcome.PLANNED, Outcome.OK) for item in items)
    skipped = sum(item.outcome is Outcome.SKIPPED for item in items)
    return {"acts": acting, "skipped": skipped, "refused": len(items) - acting - skipped}


def write_change(operation: str, items: Sequence[Item], record: Record | None, *, dry_run: bool, **more: Any) -> None:
    """The JSON of a change, planned or recorded; `more` stands behind what every change says."""
    write_json(
        {
            "operation": operation,
            "dry_run": dry_run,
            **counts_of(items),
            "state": None if record is None else record.state,
            "record": None if record is None else record.id,
            "items": list(_documents(items)),
            **more,
        }
    )


def _documents(items: Iterable[Item]) -> Iterable[dict[str, Any]]:
    return (
        {
            "id": item.key or None,
            "name": item.name or None,
            "before": item.before or None,
            "after": item.after or None,
            "outcome": item.outcome,
            "reason": item.reason or None,
        }
        for item in items
    )
