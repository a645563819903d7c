"""`backfill`: creating backfills, and what is done to them afterwards; each command is imported when it is called."""

from __future__ import annotations

import click

from dpconsole.cli.lazy import Entry, LazyGroup

_VERBS = "dpconsole.cli.commands.backfill_verbs"
_LOOKS = "dpconsole.cli.commands.backfill_lists"

_ENTRIES = {
    "create": Entry("dpconsole.cli.commands.backfill_create:create", "Make up for data timestamps of tasks."),
    "ls": Entry(f"{_LOOKS}:ls", "List backfills, submitted or to be."),
    "show": Entry(f"{_LOOKS}:show", "One backfill: how far it is, and when it will be done."),
    "flows": Entry(f"{_LOOKS}:flows", "The saved flows that make periodic backfills."),
    "stop": Entry(f"{_VERBS}:stop", "One-Click Stop: end all that waits or runs, and the fields still to come."),
    "rerun-failed": Entry(f"{_VERBS}:rerun_failed", "One-Click Rerun Failed Instances."),
    "pause": Entry(f"{_VERBS}:pause", "Hold it back: its submission, its instances, or a saved flow."),
    "resume": Entry(f"{_VERBS}:resume", "Let go of it: of its submission, its instances, or a saved flow."),
    "retry": Entry(f"{_VERBS}:retry", "Take up again a submission that failed."),
    "exclude": Entry(f"{_VERBS}:exclude", "Leave out data timestamps that have not begun."),
    "concurrency": Entry(f"{_VERBS}:concurrency", "Change in how many queues its data timestamps run."),
}


@click.group(cls=LazyGroup, name="backfill", entries=_ENTRIES)
def backfill() -> None:
    """Make up for data timestamps, and see it through."""
