"""The engine without a screen: making instances, running them, and who does it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import click

from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import Command, Entry, LazyGroup
from dpconsole.cli.talk import Progress, progress, say, write, write_json
from dpconsole.cli.times import day_of, moment_of, say_when
from dpconsole.cli.work import Work, opened
from dpconsole.core.domain.clock import Clock, SystemClock, VirtualClock, format_iso
from dpconsole.core.engine.engine import Engine, Tick
from dpconsole.core.engine.generation import Generated
from dpconsole.core.engine.generation import generate as make_instances
from dpconsole.core.engine.lease import RENEW_MS, Lease
from dpconsole.core.engine.running import run_until_idle
from dpconsole.core.executors.simulated import SimulatedExecutor

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")

# --- generate ---------------------------------------------------------------------------------------------------------


@click.command(cls=Command)
@click.option("--date", "first", metavar="D", required=True, help="A business date: 2026-11-19, yesterday, -1d.")
@click.option("--until", "last", metavar="D2", help="The last of several business dates.")
@_json
@click.pass_context
def generate(context: click.Context, first: str, last: str | None, as_json: bool) -> Exit:
    """Make the recurring instances of the business date D, or of all from D to D2.

    What is there already stays as it is. The instances are due on the day after their business date.
    """
    with opened(context) as work:
        start = day_of(work, first, "--date")
        end = start if last is None else day_of(work, last, "--until")
        if end < start:
            raise Failure(f"--until {end} lies before --date {start}", Exit.USAGE)
        made = _generate(work, start, end)
    if as_json:
        write_json(_document(made))
    else:
        for night in made:
            write(f"{night.business_date}: {night.created:,} created, {night.existing:,} there already")
    if not any(night.created or night.existing for night in made):
        say("no task is scheduled for that; `dpconsole load` brings tasks in")
        return Exit.NOTHING
    return Exit.DONE


def _generate(work: Work, start: date, end: date) -> list[Generated]:
    days = (end - start).days + 1
    made: list[Generated] = []
    with progress("business dates generated") as tell:
        for night in make_instances(work.store, work.clock, start, end):
            made.append(night)
            tell(len(made), days)
    return made


def _document(made: list[Generated]) -> dict[str, Any]:
    return {
        "operation": "generate",
        "created": sum(night.created for night in made),
        "existing": sum(night.existing for night in made),
        "dates": [
            {"business_date": str(night.business_date), "created": night.created, "existing": night.existing}
            for night in made
        ],
    }
