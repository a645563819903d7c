"""`backfill create`: the form of a backfill as options; the same questions, problems and flight plan as in the console.

Its options are made of the table of the form's fields. `--dry-run` prints the flight plan; nothing is created when
anything is wrong or refused, and without a terminal nothing unless `--yes` says so, above 50 instances with `--expect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from dpconsole.cli.changes import wants_a_person, write_change
from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.flight_report import plan_document, write_plan
from dpconsole.cli.lazy import Command
from dpconsole.cli.tables import write_table
from dpconsole.cli.talk import number_of, progress, say
from dpconsole.cli.work import Work, opened
from dpconsole.core.operations.backfill_answers import join_list, split_list
from dpconsole.core.operations.backfill_form import FIELDS, FormField, FormKind, Problem
from dpconsole.core.operations.backfills import BACKFILL
from dpconsole.core.operations.flight import FlightPlan
from dpconsole.core.operations.records import Item, Outcome, Record, State

_METAVARS = {
    FormKind.TASKS: "TASK",
    FormKind.COLUMNS: "FIELD,..",
    FormKind.NUMBER: "N",
    FormKind.DATES: "RANGE",
    FormKind.HOURS: "HH:MM-HH:MM",
    FormKind.TIME: "TIME",
    FormKind.LIST: "TEXT,..",
    FormKind.PARAMETERS: "NAME=VALUE",
    FormKind.TEXT: "TEXT",
}


def _option(field: FormField) -> click.Option:
    """The option that asks a question of the form; what is wrong with an answer is said by the form."""
    attributes: dict[str, Any] = {"help": field.help, "default": None}
    if field.kind is FormKind.SWITCH:
        return click.Option([f"--{field.name}/--no-{field.name}"], **attributes)
    metavar = {"downstream": "all|none|LEVELS"}.get(field.name) or "|".join(field.choices) or _METAVARS[field.kind]
    return click.Option([f"--{field.name}"], metavar=metavar, multiple=field.several, **attributes)


def _create(
    context: click.Context,
    first: str | None,
    last: str | None,
    dry_run: bool,
    yes: bool,
    expect: int | None,
    reason: str,
    as_json: bool,
    **options: Any,
) -> Exit:
    answers = _answers(options, first, last)
    with opened(context) as work:
        plan = work.backfills.plan(answers)
        if plan.problems:
            raise Failure(_said(plan.problems, first is not None), _code(work, plan, answers))
        return _Run(work, plan, reason, dry_run=dry_run, as_json=as_json).go(yes=yes, expect=expect)


create = Command(
    "create",
    callback=click.pass_context(_create),
    params=[
        *map(_option, FIELDS.values()),
        click.Option(["--from", "first"], metavar="D", help="The first data timestamp."),
        click.Option(["--to", "last"], metavar="D", help="The last data timestamp."),
        click.Option(["--dry-run"], is_flag=True, help="Print the flight plan; create nothing."),
        click.Option(["--yes"], is_flag=True, help="Do not ask."),
        click.Option(["--expect"], type=click.IntRange(0), metavar="N", help="Refuse unless it makes N instances."),
        click.Option(["--reason"], default="", metavar="TEXT", help="Kept with the record."),
        click.Option(["--json", "as_json"], is_flag=True, help="One JSON object on standard output."),
    ],
    help="Make up for data timestamps of a task, and of what is downstream of it.",
)


# --- answers ----------------------------------------------------------------------------------------------------------


def _answers(options: Mapping[str, Any], first: str | None, last: str | None) -> dict[str, str]:
    """The answers that were given, as the form takes them."""
    answers = {
        name: _text(field, options[parameter])
        for name, field in FIELDS.items()
        if options[parameter := name.replace("-", "_")] not in (None, ())
    }
    if answers.get("massive") == "yes":
        answers.setdefault("downstream", "all")
    if (first is None) != (last is None):
        raise Failure("--from and --to go together: the first and the last data timestamp", Exit.USAGE)
    if first is not None:
        answers["range"] = ",".join(filter(None, (f"{first}..{last}", answers.get("range"))))
    return answers


def _text(field: FormField, given: Any) -> str:
    if field.kind is FormKind.SWITCH:
        return "yes" if given else "no"
    if field.kind is FormKind.PARAMETERS:
        return join_list(given)
    return ",".join(given) if field.several else str(given)


def _said(problems: tuple[Problem, ...], from_to: bool) -> str:
    """One line for each option that cannot be taken."""
    options = {"range": "--from/--to"} if from_to else {}
    return "\n".join(f"{options.get(field, f'--{field}')}: {message}" for field, message in problems)


def _code(work: Work, plan: FlightPlan, answers: Mapping[str, str]) -> Exit:
    """A start that does not exist is nothing found; everything else is bad input."""
    known = work.backfills.facts().keys_of
    unknown = any(word not in known for word in split_list(answers.get("task", "")))
    return Exit.NOTHING if unknown and {problem.field for problem in plan.problems} == {"task"} else Exit.USAGE


# --- the way of a plan ------------------------------------------------------------------------------------------------


class _Run:
    """One plan on its way: asked about, carried out, reported."""

    def __init__(self, work: Work, plan: FlightPlan, reason: str, *, dry_run: bool, as_json: bool) -> None:
        self._work = work
        self._plan = plan
        self._reason = reason
        self._dry_run = dry_run
        self._json = as_json

    def go(self, *, yes: bool, expect: int | None) -> Exit:
        """Take the plan as far as it may go; the exit code."""
        plan = self._plan
        if self._dry_run:
            return self._foretell()
        if self._work.settings.readonly:
            raise Failure("this session is read-only: nothing is created", Exit.REFUSED)
        if plan.refusals:
            return self._refuse(plan.refusals[0])
        if expect is not None and expect != plan.instances:
            return self._refuse(f"expected {number_of(expect, 'instance')}, found {plan.instances:,}")
        made = f"{number_of(plan.instances, 'instance')} would be made"
        if wants_a_person(plan.instances, made, yes=yes, expect=expect):
            self._ask(plan.instances)
        with progress("data timestamps made") as tell:
            record = self._work.backfills.create(plan, self._reason, tell)
        self._report(record)
        return Exit.DONE if record.state is State.DONE else Exit.REFUSED

    def _foretell(self) -> Exit:
        if self._json:
            self._report(None)
        else:
            write_plan(self._plan, self._work.zone)
        say(f"the same: {self._plan.command}")
        return Exit.REFUSED if self._plan.refusals else Exit.DONE

    def _refuse(self, words: str) -> Exit:
        self._report(self._work.backfills.refuse(self._plan, words, self._reason))
        raise Failure(f"refused: {words}; look again with --dry-run", Exit.REFUSED)

    def _ask(self, number: int) -> None:
        """Go on only when the operator means it."""
        write_plan(self._plan, self._work.zone)
        answer = click.prompt(f"type {number} to create it", default="", show_default=False, err=True)
        if answer.strip() != str(number):
            raise click.Abort

    def _report(self, record: Record | None) -> None:
        items = (self._planned(),) if record is None else record.items
        if self._json:
            write_change(
                BACKFILL,
                items,
                record,
                dry_run=self._dry_run,
                backfill=next((item.key for item in items if item.outcome is Outcome.OK), None),
                plan=plan_document(self._plan, self._work.zone),
            )
            return
        write_table(
            ("outcome", "id", "name", "state", "instances", "reason"),
            [(item.outcome, item.key, item.name, item.after, self._plan.instances, item.reason) for item in items],
        )
        if record is not None:
            say(f"{record.state.replace('_', ' ')}, record {record.id}")

    def _planned(self) -> Item:
        form = self._plan.form
        outcome = Outcome.REFUSED if self._plan.refusals else Outcome.PLANNED
        return Item(0, "", form.name if form else "", "", "", outcome, "; ".join(self._plan.refusals))
