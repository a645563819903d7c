"""The commands that change instances, made from the registry of operations: plan, ask, apply, report.

The same plan as in the console: who acts, who is skipped or refused and why, how far it reaches. Nothing is changed
without a terminal unless `--yes` says so, and above 50 rows `--expect` must name their number.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from dpconsole.cli.changes import counts_of, wants_a_person, write_change
from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import Command
from dpconsole.cli.tables import write_table
from dpconsole.cli.talk import number_of, progress, say
from dpconsole.cli.work import Work, asked, opened
from dpconsole.core.domain.keys import parse_tree_key
from dpconsole.core.operations.fields import Field, FieldKind
from dpconsole.core.operations.planning import MILD_ROWS, Plan
from dpconsole.core.operations.records import NO_SUCH_FOLDER, NO_SUCH_INSTANCE, Item, Outcome, Record, State
from dpconsole.core.operations.registry import Operation
from dpconsole.core.operations.selection import Selection

_CODES = {
    State.DONE: Exit.DONE,
    State.PARTLY_DONE: Exit.PARTLY,
    State.FAILED: Exit.FAILED,
    State.CANCELLED: Exit.INTERRUPTED,
    State.REFUSED: Exit.REFUSED,
}


def verb_command(operation: Operation) -> click.Command:
    """The command of one verb."""

    @click.pass_context
    def callback(
        context: click.Context,
        /,
        ids: tuple[str, ...],
        query: str | None,
        without: str,
        **given: Any,
    ) -> Exit:
        with opened(context) as work, asked(query or ""):
            return carry_out(work, operation, selection_of(work, ids, query, without), given)

    return VerbCommand(
        operation.name,
        callback=callback,
        params=[
            click.Argument(["ids"], nargs=-1, metavar="IDS.."),
            click.Option(["-q", "--query"], metavar="QUERY", help="Everything that matches, instead of ids."),
            click.Option(["--without"], default="", metavar="ID,..", help="Of those, not these."),
            *change_options(operation),
        ],
        help=operation.help,
        short_help=operation.help,
    )


def change_options(operation: Operation) -> list[click.Option]:
    """A verb's questions, and what every command that changes something takes; see `carry_out`."""
    return [
        *map(_option, operation.fields),
        click.Option(["--dry-run"], is_flag=True, help="Say what would happen; change nothing."),
        click.Option(["--yes"], is_flag=True, help="Do not ask."),
        click.Option(
            ["--expect"], type=click.IntRange(0), metavar="N", help="Refuse unless exactly N would be changed."
        ),
        click.Option(["--reason"], default="", metavar="TEXT", help="Kept with the record."),
        click.Option(["--json", "as_json"], is_flag=True, help="One JSON object on standard output."),
    ]


def carry_out(work: Work, operation: Operation, selection: Selection, given: Mapping[str, Any]) -> Exit:
    """Plan a verb on a selection and take it as far as it may go; `given` are the values of its `change_options`."""
    asked_for = {field.name.replace("-", "_") for field in operation.fields}
    plan = _plan(work, operation, selection, {name: given[name] for name in asked_for})
    run = _Run(work, plan, given["reason"], dry_run=given["dry_run"], as_json=given["as_json"])
    return run.go(yes=given["yes"], expect=given["expect"])


class VerbCommand(Command):
    """A command whose lists, required or `greedy` ones, take every word up to the next option: `--dates A B`."""

    greedy: frozenset[str] = frozenset({"dates"})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name such an option before each of its words, and let click read that."""
        lists = (option for option in self.params if getattr(option, "multiple", False))
        greedy = {name for option in lists if option.required or option.name in self.greedy for name in option.opts}
        return super().parse_args(ctx, list(_spelled_out(args, greedy)))


def _spelled_out(words: Iterable[str], greedy: Container[str]) -> Iterator[str]:
    option, repeated = "", False
    for word in words:
        if word.startswith("-"):
            option, repeated = (word if word in greedy else ""), False
        elif option and repeated:
            yield option
        else:
            repeated = bool(option)
        yield word


METAVARS = {FieldKind.NUMBER: "N", FieldKind.TIME: "TIME", FieldKind.TEXT: "TEXT", FieldKind.IDS: "ID.."}


def _option(field: Field) -> click.Option:
    """The option that asks a verb's question."""
    attributes: dict[str, Any] = {"help": field.title, "required": field.required}
    if field.several:
        metavar = "|".join(field.choices) if field.choices else METAVARS[field.kind]
        return click.Option([f"--{field.name}"], multiple=True, metavar=metavar, **attributes)
    if field.choices:
        attributes |= {"default": field.default, "show_default": True} if field.default else {}
        return click.Option([f"--{field.name}"], type=click.Choice(field.choices), **attributes)
    attributes |= {} if field.required else {"default": ""}
    return click.Option([f"--{field.name}"], metavar=METAVARS[field.kind], **attributes)


def _plan(work: Work, operation: Operation, selection: Selection, answers: Mapping[str, Any]) -> Plan:
    words = {name: answer if isinstance(answer, str) else ",".join(answer) for name, answer in answers.items()}
    try:
        return work.operations.plan(operation.name, selection, words)
    except ValueError as error:
        raise Failure(str(error), Exit.USAGE) from None


def selection_of(work: Work, ids: Sequence[str], query: str | None, without: str) -> Selection:
    """What `IDS..`, `-q` and `--without` name: instances, and with `f_12` or `dr_345` what is below a folder."""
    if bool(ids) == (query is not None):
        raise Failure("name instances by IDS, or by -q QUERY; one of the two", Exit.USAGE)
    try:
        if query is None:
            chosen = Selection.of_rows(map(parse_tree_key, ids))
        else:
            chosen = Selection(query=query, environment=work.environment)
        return chosen.less_rows(map(parse_tree_key, filter(None, without.split(","))))
    except ValueError as error:
        raise Failure(str(error), Exit.USAGE) from None


class _Run:
    """One plan on its way: asked about, applied, reported."""

    def __init__(self, work: Work, plan: Plan, reason: str, *, dry_run: bool, as_json: bool) -> None:
        self._work = work
        self._plan = plan
        self._reason = reason
        self._dry_run = dry_run
        self._json = as_json

    def go(self, *, yes: bool, expect: int | None) -> Exit:
        """Take the plan as far as it may go; the exit code."""
        plan, number = self._plan, len(self._plan.acts)
        if all(item.reason in (NO_SUCH_INSTANCE, NO_SUCH_FOLDER) for item in plan.items):
            self._report(plan.items, None)
            say("nothing to act on" if plan.selection.folders and not plan.items else "nothing matched")
            return Exit.NOTHING
        if self._dry_run:
            return self._foretell()
        if self._work.settings.readonly:
            raise Failure("this session is read-only: nothing is changed", Exit.REFUSED)
        if not number and not any(item.falls_short for item in plan.items):
            self._report(plan.items, None)
            say("nothing to do: everything was skipped")
            return Exit.NOTHING
        if expect is not None and expect != number:
            return self._refuse(f"expected {number_of(expect, 'row')}, found {number:,}")
        if number and wants_a_person(number, f"{number_of(number, 'row')} would be changed", yes=yes, expect=expect):
            self._ask(number)
        return self._apply()

    def _foretell(self) -> Exit:
        plan = self._plan
        self._report(plan.items, None)
        reach = plan.reach
        say(f"downstream: {reach.instances:,} instances in {reach.projects:,} projects, {reach.baselines:,} baselines")
        if plan.warning:
            say(plan.warning)
        if plan.killed:
            say(f"running work that would be killed: {len(plan.killed):,}")
        say(f"the same: {plan.command}")
        if plan.offenders:
            say(f"without them: {plan.command_without_offenders}")
        if plan.acts:
            return Exit.DONE
        return Exit.REFUSED if any(item.falls_short for item in plan.items) else Exit.NOTHING

    def _refuse(self, words: str) -> Exit:
        record = self._work.operations.refuse(self._plan, words)
        self._report(record.items, record)
        raise Failure(f"refused: {words}; look again with --dry-run", Exit.REFUSED)

    def _ask(self, number: int) -> None:
        """Go on only when the operator means it."""
        plan = self._plan
        for item in plan.acts[:MILD_ROWS]:
            say(f"  {item.key} {item.name}: {item.before} -> {item.after}")
        if number > MILD_ROWS:
            say(f"  and {number - MILD_ROWS:,} more")
        for outcome in (Outcome.SKIPPED, Outcome.REFUSED):
            for why, times in plan.reasons(outcome):
                say(f"  {outcome} {times:,}: {why}")
        wanted = "" if plan.is_mild else str(number)
        question = "Enter to go on" if plan.is_mild else f"type {number} to go on"
        if click.prompt(question, default="", show_default=False, err=True).strip() != wanted:
            raise click.Abort

    def _apply(self) -> Exit:
        with progress(self._plan.verb) as tell:
            record = self._work.operations.apply(self._plan, self._reason, tell)
        self._report(record.items, record)
        if self._plan.offenders:
            say(f"without them: {self._plan.command_without_offenders}")
        return _CODES[record.state]

    def _report(self, items: Iterable[Item], record: Record | None) -> None:
        place = {item.id: at for at, item in enumerate(self._plan.items)}
        ordered = sorted(items, key=lambda item: place[item.id])
        if self._json:
            write_change(self._plan.verb, ordered, record, dry_run=self._dry_run)
            return
        write_table(
            ("outcome", "id", "name", "before", "after", "reason"),
            [(item.outcome, item.key, item.name, item.before, item.after, item.reason) for item in ordered],
        )
        state = "" if record is None else f" - {record.state.replace('_', ' ')}, record {record.id}"
        say(", ".join(f"{number:,} {what}" for what, number in counts_of(ordered).items()) + state)
