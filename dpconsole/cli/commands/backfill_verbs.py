"""The commands that change backfills: the two of one click, what changes one in flight, and the pending ones' machine.

Each is a verb of the registry, planned and carried out as on the screen. `pause` and `resume` mean the submission of
what is to be submitted, the instances of what has been, and of a saved flow the backfills it is still to make.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import click

from dpconsole.cli.commands.verbs import VerbCommand, carry_out, change_options
from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.folders import folder_or_flow_of, matching_folders, state_of
from dpconsole.cli.times import day_of
from dpconsole.cli.work import Work, asked, opened
from dpconsole.core.domain.backfill_form import DateRange
from dpconsole.core.domain.backfills import BackfillState, FlowVerb, PendingVerb
from dpconsole.core.domain.keys import Layer, TreeId, parse_tree_key
from dpconsole.core.domain.statuses import Verb
from dpconsole.core.operations.registry import CONCURRENCY, EXCLUDE, OPERATIONS, RERUN_FAILED, STOP_ALL, Operation
from dpconsole.core.operations.selection import Kind, Selection
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
            _refuse_flows(verb, rows)
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
    return [_row_of(work, word) for word in ids]


def _row_of(work: Work, word: str) -> TreeId:
    return parse_tree_key(word) if word.startswith("t_") else folder_or_flow_of(work, word)


def _refuse_flows(verb: Operation, rows: Sequence[TreeId]) -> None:
    flow = next((row for row in rows if row.layer is Layer.FLOW), None)
    if flow is not None and verb.kind is not Kind.BACKFILL_FLOW:
        raise Failure(f"{flow.key} is a saved flow: it can be paused and resumed, nothing else", Exit.USAGE)


def _spared(words: str) -> list[TreeId]:
    try:
        return [parse_tree_key(word) for word in words.split(",") if word]
    except ValueError as error:
        raise Failure(f"--without: {error}", Exit.USAGE) from None


def _always(operation: Operation) -> Chooser:
    return lambda _work, rows, _given: (operation, rows)


# --- by state ---------------------------------------------------------------------------------------------------------


def _by_state(verbs: Mapping[Kind, str]) -> Chooser:
    """The verb for saved flows, for what is to be submitted, or for the instances of what was; one of them at once."""

    def choose(work: Work, rows: Sequence[TreeId], given: dict[str, Any]) -> tuple[Operation, Sequence[TreeId]]:
        kinds = [_kind(work, row) for row in rows] or [Kind.INSTANCE]
        kind = min(kinds, key=list(_APART).index)
        if set(kinds) != {kind}:
            some = ", ".join(row.key for row, of_row in zip(rows, kinds, strict=True) if of_row is kind)
            raise Failure(f"{some}: {_APART[kind]}, others are not; name them apart", Exit.USAGE)
        if kind is not Kind.INSTANCE and given.get("until"):
            raise Failure("--until is for the instances of what has been submitted", Exit.USAGE)
        return OPERATIONS[verbs[kind]], rows

    return choose


_APART: Mapping[Kind, str] = {
    Kind.BACKFILL_FLOW: "a saved flow",
    Kind.PENDING: "still to be submitted",
    Kind.INSTANCE: "submitted",
}
"""What rows are that are not to be mixed with others."""


def _kind(work: Work, row: TreeId) -> Kind:
    """What is paused, or resumed, when a row is."""
    if row.layer is Layer.FLOW:
        return Kind.BACKFILL_FLOW
    waits = row.layer is Layer.BACKFILL and state_of(work, row).state is not BackfillState.SUBMITTED
    return Kind.PENDING if waits else Kind.INSTANCE


# --- data timestamps --------------------------------------------------------------------------------------------------


def _dates(work: Work, rows: Sequence[TreeId], given: dict[str, Any]) -> tuple[Operation, Sequence[TreeId]]:
    """The data timestamps that `--dates` names of each backfill; without it all that have not begun."""
    named = given.pop("dates")
    words = [word.strip() for some in named for word in some.split(",") if word.strip()]
    if not words and named:
        raise Failure("--dates: name data timestamps, or leave it out to mean all that have not begun", Exit.USAGE)
    if not words:
        return OPERATIONS[EXCLUDE], rows
    ranges = [_days(work, word) for word in words]
    return OPERATIONS[EXCLUDE], [folder for row in rows for folder in _dates_of(work, row, ranges)]


def _days(work: Work, word: str) -> DateRange:
    """`D`, or all from `D` to `D2`."""
    first, dots, last = word.partition("..")
    days = DateRange(day_of(work, first, "--dates"), day_of(work, last if dots else first, "--dates"))
    if days.last < days.first:
        raise Failure(f"--dates: {word} ends before it starts; did you mean {last}..{first}?", Exit.USAGE)
    return days


def _dates_of(work: Work, row: TreeId, ranges: Sequence[DateRange]) -> list[TreeId]:
    """The folders of a backfill that ranges name; each of them names one at least."""
    if row.layer is not Layer.BACKFILL:
        raise Failure(f"--dates goes with a backfill, and {row.key} is none", Exit.USAGE)
    with work.store.read() as connection:
        known = {date.fromisoformat(found.business_date): found.id for found in dates_of(connection, row.id)}
    for days in ranges:
        if not any(days.first <= day <= days.last for day in known):
            said = str(days.first) if days.first == days.last else f"{days.first}..{days.last}"
            raise Failure(f"{row.key} has no data timestamp {said}", Exit.NOTHING)
    wanted = (day for day in sorted(known) if any(days.first <= day <= days.last for days in ranges))
    return [TreeId(Layer.DATE, known[day]) for day in wanted]


stop = _command("stop", OPERATIONS[STOP_ALL], _always(OPERATIONS[STOP_ALL]))
rerun_failed = _command("rerun-failed", OPERATIONS[RERUN_FAILED], _always(OPERATIONS[RERUN_FAILED]))
pause = _command(
    "pause",
    OPERATIONS[Verb.PAUSE],
    _by_state({Kind.BACKFILL_FLOW: FlowVerb.PAUSE, Kind.PENDING: PendingVerb.PAUSE, Kind.INSTANCE: Verb.PAUSE}),
    help="Hold back what is to be submitted, the instances of what has been, or what a saved flow is to make.",
)
resume = _command(
    "resume",
    OPERATIONS[Verb.RESUME],
    _by_state({Kind.BACKFILL_FLOW: FlowVerb.RESUME, Kind.PENDING: PendingVerb.RESUME, Kind.INSTANCE: Verb.RESUME}),
    help="Let go of what is to be submitted, of the paused instances of what has been, or of a saved flow.",
)
retry = _command("retry", OPERATIONS[PendingVerb.RETRY], _always(OPERATIONS[PendingVerb.RETRY]))
exclude = _command(
    "exclude",
    OPERATIONS[EXCLUDE],
    _dates,
    click.Option(["--dates"], multiple=True, metavar="D..", help="These data timestamps, or D..D2; else all to come."),
)
concurrency = _command("concurrency", OPERATIONS[CONCURRENCY], _always(OPERATIONS[CONCURRENCY]))
