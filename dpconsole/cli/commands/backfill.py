"""`backfill`: creating backfills, and what is done to them afterwards; each command is imported when it is called."""

from __future__ import annotations

import click

from dpconsole.cli.lazy import Entry, LazyGroup

_ENTRIES = {
    "create": Entry("dpconsole.cli.commands.backfill_create:create", "Make up for data timestamps of tasks."),
}


@click.group(cls=LazyGroup, name="backfill", entries=_ENTRIES)
def backfill() -> None:
    """Make up for data timestamps, and see it through."""
