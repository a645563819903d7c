"""The commands that change backfills: the two of one click, what changes one in flight, and the pending ones' machine.

Each is a verb of the registry, planned and carried out as on the screen. `pause` and `resume` mean the submission of
what is to be submitted, and the instances of what has been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import click

from dpconsole.cli.commands.verbs import VerbCommand, carry_out, change_options
from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.folders import folder_of, matching_folders, state_of
from dpconsole.cli.times import day_of
from dpconsole.cli.work import Work, asked, opened
from dpconsole.core.domain.backfill_form import DateRange
from dpconsole.core.domain.backfills import BackfillState, PendingVerb
from dpconsole.core.domain.keys import Layer, TreeId, parse_tree_key
from dpconsole.core.domain.statuses import Verb
from dpconsole.core.operations.registry import CONCURRENCY, EXCLUDE, OPERATIONS, RERUN_FAILED, STOP_ALL, Operation
from dpconsole.core.operations.selection import Selection
from dpconsole.core.store.backfill_sql import dates_of

Chooser = Callable[[Work, Sequence[TreeId], dict[str, Any]], tuple[Operation, Sequence[TreeId]]]
"""Which verb a command is on some rows of the tree, and on which of them; takes its own options out of the given."""


def _command(name: str, operation: Operation, choose: Chooser, *options: click.Option, help: str = "") -> VerbCommand:
    @click.pass_context
    def callback(
        context: click.Context, /, ids: tuple[str, ...], query: str | None, without: str, **given: Any
    ) -> Exit:
        with opened(context) as work, asked(query or ""):
            verb, rows = choose(work, _named(work, ids, query), given)
            selection = Selection.of_rows(rows).less_rows(_spared(without))
            return carry_out(work, verb, selection, given)

    words = help or operation.help
    shared = [
        click.Argument(["ids"], nargs=-1, metavar="ID.."),
        click.Option(["-q", "--query"], metavar="QUERY", help="The backfills that match, instead of ids."),
        click.Option(["--without"], default="", metavar="ID,..", help="Of those, not these."),
    ]
    params = [*shared, *options, *change_options(operation)]
    return VerbCommand(name, callback=callback, params=params, help=words, short_help=words)


def _named(work: Work, ids: Sequence[str], query: str | None) -> list[TreeId]:
    """What `ID..` or `-q` name; ids of instances are taken as well, as a record names them."""
    if bool(ids) == (query is not None):
        raise Failure("name backfills by ID.., or by -q QUERY; one of the two", Exit.USAGE)
    if query is not None:
        return matching_folders(work, query)
    return [parse_tree_key(word) if word.startswith("t_") else folder_of(work, word) for word in ids]


def _spared(words: str) -> list[TreeId]:
    try:
        return [parse_tree_key(word) for word in words.split(",") if word]
    except ValueError as error:
        raise Failure(f"--without: {error}", Exit.USAGE) from None


def _always(operation: Operation) -> Chooser:
    return lambda _work, rows, _given: (operation, rows)


# --- by state ---------------------------------------------------------------------------------------------------------


def _by_state(pending: Operation, submitted: Operation) -> Chooser:
    """The submission of what is to be submitted, or the instances of what was; not both at once."""

    def choose(work: Work, rows: Sequence[TreeId], given: dict[str, Any]) -> tuple[Operation, Sequence[TreeId]]:
        to_come = [row for row in rows if _is_to_be_submitted(work, row)]
        if to_come and len(to_come) < len(rows):
            some = ", ".join(row.key for row in to_come[:3])
            raise Failure(f"{some}: still to be submitted, others are not; name them apart", Exit.USAGE)
        if to_come and given.get("until"):
            raise Failure("--until is for the instances of what has been submitted", Exit.USAGE)
        return (pending if to_come else submitted), rows

    return choose


def _is_to_be_submitted(work: Work, row: TreeId) -> bool:
    return row.layer is Layer.BACKFILL and state_of(work, row).state is not BackfillState.SUBMITTED


# --- data timestamps --------------------------------------------------------------------------------------------------


def _dates(work: Work, rows: Sequence[TreeId], given: dict[str, Any]) -> tuple[Operation, Sequence[TreeId]]:
    """The data timestamps that `--dates` names of each backfill; without it all that have not begun."""
    words = [word for some in given.pop("dates") for word in some.split(",") if word]
    if not words:
        return OPERATIONS[EXCLUDE], rows
    wanted = {day for word in words for day in _days(work, word)}
    return OPERATIONS[EXCLUDE], [folder for row in rows for folder in _dates_of(work, row, wanted)]


def _days(work: Work, word: str) -> DateRange:
    """`D`, or all from `D` to `D2`."""
    first, _, last = word.partition("..")
    return DateRange(day_of(work, first, "--dates"), day_of(work, last or first, "--dates"))


def _dates_of(work: Work, row: TreeId, wanted: set[date]) -> list[TreeId]:
    if row.layer is not Layer.BACKFILL:
        raise Failure(f"--dates goes with a backfill, and {row.key} is none", Exit.USAGE)
    with work.store.read() as connection:
        known = {date.fromisoformat(found.business_date): found.id for found in dates_of(connection, row.id)}
    if not wanted & known.keys():
        raise Failure(f"{row.key} has no such data timestamp", Exit.NOTHING)
    return [TreeId(Layer.DATE, known[day]) for day in sorted(wanted & known.keys())]


stop = _command("stop", OPERATIONS[STOP_ALL], _always(OPERATIONS[STOP_ALL]))
rerun_failed = _command("rerun-failed", OPERATIONS[RERUN_FAILED], _always(OPERATIONS[RERUN_FAILED]))
pause = _command(
    "pause",
    OPERATIONS[Verb.PAUSE],
    _by_state(OPERATIONS[PendingVerb.PAUSE], OPERATIONS[Verb.PAUSE]),
    help="Hold back what is to be submitted, or the instances of what has been and is not dispatched.",
)
resume = _command(
    "resume",
    OPERATIONS[Verb.RESUME],
    _by_state(OPERATIONS[PendingVerb.RESUME], OPERATIONS[Verb.RESUME]),
    help="Let go of what is to be submitted, or of the paused instances of what has been.",
)
retry = _command("retry", OPERATIONS[PendingVerb.RETRY], _always(OPERATIONS[PendingVerb.RETRY]))
exclude = _command(
    "exclude",
    OPERATIONS[EXCLUDE],
    _dates,
    click.Option(["--dates"], multiple=True, metavar="D..", help="These data timestamps, or D..D2; else all to come."),
)
concurrency = _command("concurrency", OPERATIONS[CONCURRENCY], _always(OPERATIONS[CONCURRENCY]))
