"""Run diagnosis: `explain`, for the five checks of an instance, what holds it up at the root, and its estimated end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import click

from dpconsole.cli.commands.lists import instance_of
from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import Command
from dpconsole.cli.tables import write_table
from dpconsole.cli.talk import write, write_json
from dpconsole.cli.work import opened
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine import diagnosis
from dpconsole.core.engine.diagnosis import Explanation
from dpconsole.core.export.explain_items import blocking_items, check_items, eta_item
from dpconsole.core.store.details import Neighbour


@click.command(cls=Command)
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def explain(context: click.Context, id: str, as_json: bool) -> Exit:
    """Why the instance ID stands still: the five checks, the start blocking instances, its turn, when it will be done.

    A logical table is explained by the materialization node that holds it up most.
    """
    with opened(context) as work:
        row = instance_of(work, id).row
        found = diagnosis.explain(work.store, work.clock, row.id)
        if found is None:
            raise Failure(f"{row.name} was there a moment ago and is gone", Exit.NOTHING)
        if as_json:
            write_json(_document(found, work.zone))
        else:
            _write_text(found)
    return Exit.DONE


def _document(found: Explanation, zone: tzinfo) -> dict[str, Any]:
    row, node = found.row, found.node
    return {
        "id": row.key,
        "name": row.name,
        "status": str(row.status),
        "paused": row.paused,
        "node": node.name if node is not None else None,
        "checks": check_items(found.checks),
        "start_blocking": blocking_items(found.start_blocking, zone),
        "occupants": blocking_items(found.occupants, zone),
        "queue_position": found.queue_position,
        "eta": eta_item(found.eta.at, zone),
        "eta_detail": found.eta.words or None,
        "nodes": [{"name": one.name, "status": str(one.status), "why": one.why or None} for one in found.others],
        "summary": found.summary,
    }


def _write_text(found: Explanation) -> None:
    node = f", node {found.node.name}" if found.node is not None else ""
    write(f"{found.row.name}{node} ({found.row.key})  {_status(found.row.status, found.row.paused)}\n")
    write_table(("step", "verdict", "detail"), [(c.step.label, c.verdict.label, c.detail) for c in found.checks])
    _write_rows("start blocking", found.start_blocking)
    _write_rows("slots held by", found.occupants)
    if found.others:
        write("\nother nodes")
        write_table(("name", "status", "why"), [(one.name, one.status.label, one.why) for one in found.others])
    write(f"\n{found.summary}")


def _write_rows(title: str, rows: Sequence[Neighbour]) -> None:
    if rows:
        write(f"\n{title}")
        titles = ("id", "name", "task", "business_date", "status")
        write_table(titles, [(r.key, r.name, r.task, r.business_date, _status(r.status, r.paused)) for r in rows])


def _status(status: Status, paused: bool) -> str:
    return f"{status.label}{', paused' * paused}"
