"""The form of a backfill: which questions it asks, and what the answers come to (section 7).

`FIELDS` is the one place where the questions stand: the command line makes its options of them, the console its lines.
Answers are text, by the name of the field, and are read as they are typed: `read_form` gives either the form or every
problem at once, each beside its field, and never writes anything.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import NamedTuple, TypeVar

from dpconsole.core.domain.backfill_form import (
    ALL_DAY,
    NAME_LIMIT,
    BackfillForm,
    DateRange,
    Filters,
    Handling,
    Mode,
    Offsets,
    Periodic,
)
from dpconsole.core.domain.backfills import Recurrence
from dpconsole.core.domain.clock import format_iso, to_datetime
from dpconsole.core.domain.definitions import Environment, Task, Unit
from dpconsole.core.operations import backfill_answers as read
from dpconsole.core.operations.backfill_answers import FormFacts, Reader, join_list, split_list

Value = TypeVar("Value")

Answers = Mapping[str, str]
"""What was typed, by the name of the field; a field that is not among them has its default."""


class Problem(NamedTuple):
    """Why an answer cannot be taken; `field` is the name of the field beside which it is shown."""

    field: str
    message: str


class FormKind(StrEnum):
    """How an answer is given."""

    TASKS = "tasks"  # keys of tasks, separated by commas
    COLUMNS = "columns"  # fields of the logical start, separated by commas
    CHOICE = "choice"  # one of the choices
    SWITCH = "switch"  # yes or no
    NUMBER = "number"
    DATES = "dates"  # ranges of data timestamps, separated by commas
    HOURS = "hours"  # 00:00-23:59
    TIME = "time"  # a moment, or for a periodic backfill a time of day
    LIST = "list"  # words, separated by commas
    PARAMETERS = "parameters"  # name=value, separated by commas
    TEXT = "text"


SEVERAL = frozenset(
    {FormKind.TASKS, FormKind.COLUMNS, FormKind.DATES, FormKind.LIST, FormKind.PARAMETERS},
)
"""Answers that may have several elements: an option that can be repeated."""


class Condition(NamedTuple):
    """When a question is asked, and in words what has to be answered first."""

    holds: Callable[[Answers, FormFacts], bool]
    words: str


@dataclass(frozen=True, slots=True)
class FormField:
    """One question: an option of `backfill create` (`--name`), a line of the form (`title`).

    `help` says in one line how to answer; `goes_with` when it is asked at all, None for always.
    """

    name: str
    title: str
    kind: FormKind
    choices: tuple[str, ...] = ()
    default: str = ""
    help: str = ""
    goes_with: Condition | None = None

    @property
    def several(self) -> bool:
        """Whether the answer may have several elements."""
        return self.kind in SEVERAL

    def is_asked(self, answers: Answers, facts: FormFacts) -> bool:
        """Whether the answers so far call for this question."""
        return self.goes_with is None or self.goes_with.holds(answers, facts)


@dataclass(frozen=True, slots=True)
class Reading:
    """The form that answers come to, or the problems for which there is none."""

    form: BackfillForm | None
    problems: tuple[Problem, ...] = ()

    def problem(self, field: str) -> str:
        """What is wrong with the answer of a field; empty when nothing is."""
        return next((problem.message for problem in self.problems if problem.field == field), "")


# --- the questions ----------------------------------------------------------------------------------------------------

SWITCH = ("no", "yes")
ONCE = "once"
T_MINUS_1 = "T-1"
ENVIRONMENT = "environment"
"""The one question that is no line of the form: a console shows one environment at a time (section 20)."""


def answer(answers: Answers, name: str) -> str:
    """An answer without the blanks around it; the default of its field where there is none that could be one."""
    given = answers.get(name)
    if given is None or (not given.strip() and name not in _REQUIRED):
        return FIELDS[name].default
    return given.strip()


def start_table(answers: Answers, facts: FormFacts) -> Task | None:
    """The logical table that a backfill starts from, where it starts from one task and that is one."""
    keys = {key for word in split_list(answers.get("task", "")) for key in facts.keys_of.get(word, [word])}
    task = facts.by_key.get(keys.pop()) if len(keys) == 1 else None
    return task if task is not None and task.unit is Unit.LOGICAL_TABLE else None


def _is(name: str, *words: str) -> Callable[[Answers, FormFacts], bool]:
    return lambda answers, _facts: answer(answers, name).lower() in words


def _is_massive(answers: Answers, facts: FormFacts) -> bool:
    return answer(answers, "massive").lower() == "yes" and _OF_ALL.holds(answers, facts)


def _is_listed(answers: Answers, facts: FormFacts) -> bool:
    return answer(answers, "downstream").lower() != "none" and not _is_massive(answers, facts)


_OF_TABLE = Condition(lambda answers, facts: start_table(answers, facts) is not None, "one logical table as the start")
_OF_ALL = Condition(_is("downstream", "all"), "downstream all")
_OF_LIST = Condition(_is_listed, "downstream by levels or all, not in massive mode")
_OF_MASSIVE = Condition(_is_massive, "massive mode, which takes downstream all")
_OF_DAYS = Condition(_is("every", "weekly", "monthly"), "weekly or monthly")

_FILTER_TITLES = {
    "projects": ("project", "of project", "Project names."),
    "outputs": ("output", "output name", "Parts of output table names."),
    "names": ("name", "task name", "Parts of task names."),
    "ids": ("id", "task id", "Numbers or keys of tasks."),
    "sources": ("source", "below sources", "Tasks from which they must be reached."),
    "targets": ("target", "above targets", "Tasks they must lead to."),
}
"""The filters of massive mode: the last word of their option, their title, and what is to be given."""


def _filter_fields(which: str) -> Iterator[FormField]:
    for attribute, (name, title, help) in _FILTER_TITLES.items():
        kind = FormKind.TASKS if attribute in ("sources", "targets") else FormKind.LIST
        yield FormField(f"{which}-{name}", f"{which.title()}: {title}", kind, help=help, goes_with=_OF_MASSIVE)


_QUESTIONS = (
    FormField(
        "task", "Start Task", FormKind.TASKS, help="The task to start from, as project.name; several are possible."
    ),
    FormField(
        "name",
        "Data Backfill Instance Name",
        FormKind.TEXT,
        help=f"At most {NAME_LIMIT} characters; left out: the task and the time of creation.",
    ),
    FormField(
        "fields",
        "Select Field",
        FormKind.COLUMNS,
        help="Fields of a logical start; none: entire table.",
        goes_with=_OF_TABLE,
    ),
    FormField(
        "downstream",
        "Downstream",
        FormKind.CHOICE,
        ("none", "all", *map(str, range(1, 11))),
        default="none",
        help="Current task only, all downstream, or so many levels of it (1..10).",
    ),
    FormField(
        "massive",
        "Massive Mode",
        FormKind.SWITCH,
        SWITCH,
        default="no",
        help="All downstream whatever its number, narrowed by filters.",
        goes_with=_OF_ALL,
    ),
    FormField(
        "hide-paused",
        "Filter Paused Tasks And Their Downstream",
        FormKind.SWITCH,
        SWITCH,
        default="yes",
        help="Leave out Skip-Execution tasks and everything below them.",
        goes_with=_OF_LIST,
    ),
    FormField(
        "only", "Only These Downstream", FormKind.TASKS, help="Of what is downstream, these tasks.", goes_with=_OF_LIST
    ),
    *_filter_fields("include"),
    *_filter_fields("exclude"),
    FormField(
        "range",
        "Data Timestamp",
        FormKind.DATES,
        default=T_MINUS_1,
        help="2026-11-01..2026-11-07, 2026-11-03, -7d..-1d, yesterday or T-1; several are possible.",
    ),
    FormField("hours", "Hour Window", FormKind.HOURS, default="00:00-23:59", help="Of hourly and minutely tasks."),
    FormField(
        "groups",
        "Concurrent Running Groups",
        FormKind.NUMBER,
        default="1",
        help="Data timestamps that run side by side.",
    ),
    FormField(
        "order", "Data Backfill Order", FormKind.CHOICE, ("asc", "desc"), default="asc", help="Of the data timestamps."
    ),
    FormField(
        "paused-tasks",
        "Skip-Execution Tasks",
        FormKind.CHOICE,
        tuple(Handling),
        default=Handling.NORMAL,
        help="Run their instances normally, or keep them paused.",
    ),
    FormField(
        "dry-run-tasks",
        "Dry-Run Tasks",
        FormKind.CHOICE,
        tuple(Handling),
        default=Handling.NORMAL,
        help="Run their instances normally, or keep them dry.",
    ),
    FormField(
        "dry-run-start",
        "Dry-Run Start Node",
        FormKind.SWITCH,
        SWITCH,
        default="no",
        help="The start is dry-run, the others real.",
    ),
    FormField(
        "set", "Parameters", FormKind.PARAMETERS, help="name=value for every task, project.task:name=value for one."
    ),
    FormField(
        "every",
        "Recurrence",
        FormKind.CHOICE,
        (ONCE, *Recurrence),
        default=ONCE,
        help="Once, or again and again from a saved flow.",
    ),
    FormField("on", "Run Days", FormKind.LIST, help="Weekly: mon,thu; monthly: 1,15,last.", goes_with=_OF_DAYS),
    FormField(
        "at",
        "Runtime",
        FormKind.TIME,
        help="Empty: run immediately; else when it is submitted, as 02:00 or 2026-11-20T02:00.",
    ),
    FormField(
        ENVIRONMENT,
        "Environment",
        FormKind.CHOICE,
        tuple(Environment),
        help="Where its instances belong; the console answers with the one it shows, else it is the workspace's.",
    ),
)

FIELDS: Mapping[str, FormField] = {field.name: field for field in _QUESTIONS}
"""Every question by its name, in the order in which they are asked."""


def asked_fields(answers: Answers, facts: FormFacts) -> list[FormField]:
    """The questions that the answers so far call for, in order: the lines of the form."""
    return [field for field in FIELDS.values() if field.is_asked(answers, facts)]


def suggested(name: str, text: str, facts: FormFacts) -> str:
    """What an answer that is being typed may become: of tasks the next name that begins so; empty for nothing."""
    if FIELDS[name].kind is not FormKind.TASKS:
        return ""
    rest = read.rest_of_task(text, facts)
    return text + rest if rest else ""


# --- reading ----------------------------------------------------------------------------------------------------------


def read_form(answers: Answers, facts: FormFacts) -> Reading:
    """What the answers come to (section 7); never raises for anything that an operator can type.

    An answer to a question that is not asked is a problem too: where any may be left over, pass those of
    `asked_fields` alone.
    """
    sheet = _Sheet(answers, facts)
    sheet.refuse_strays()
    form = _form(sheet)
    problems = (Problem(name, sheet.problems[name]) for name in FIELDS if name in sheet.problems)
    return Reading(None if sheet.problems else form, tuple(problems))


class _Sheet:
    """Answers on their way into a form, and the problem found with each; of several the first."""

    def __init__(self, answers: Answers, facts: FormFacts) -> None:
        self.answers = answers
        self.facts = facts
        self.problems: dict[str, str] = {}

    def refuse_strays(self) -> None:
        """Say of answers to questions that are not asked what they go with."""
        for name, text in self.answers.items():
            field = FIELDS[name]
            if (
                field.goes_with
                and text.strip() not in ("", field.default)
                and not field.is_asked(self.answers, self.facts)
            ):
                self.problems[name] = f"goes with {field.goes_with.words}"

    def take(self, name: str, reader: Reader[Value]) -> Value | None:
        """One answer read; None where there is none, or where it cannot be read."""
        text = answer(self.answers, name)
        if name in self.problems or (not text and name not in _REQUIRED):
            return None
        try:
            return reader(text, self.facts)
        except ValueError as error:
            self.problems[name] = str(error)
            return None

    def choose(self, name: str) -> str:
        """One of the choices of a field."""
        field = FIELDS[name]
        return self.take(name, read.one_of(*field.choices)) or field.default


_REQUIRED = frozenset({"task", "range"})
"""Questions to which nothing is no answer."""


def _form(sheet: _Sheet) -> BackfillForm:
    tasks = sheet.take("task", read.read_starts) or ()
    levels = sheet.take("downstream", read.read_levels)
    everything, special = sheet.take("set", read.read_parameters) or ((), ())
    periodic = _periodic(sheet)
    table = start_table(sheet.answers, sheet.facts)
    return BackfillForm(
        tasks=tasks,
        name=sheet.take("name", read.read_name) or default_name(tasks, sheet.facts),
        fields=() if table is None else sheet.take("fields", read.read_fields_of(table)) or (),
        mode=_mode(levels, sheet.choose("massive")),
        levels=levels or None,
        hide_paused=sheet.choose("hide-paused") == "yes",
        chosen=sheet.take("only", read.read_tasks) or None,
        include=_filters(sheet, "include"),
        exclude=_filters(sheet, "exclude"),
        ranges=() if periodic else sheet.take("range", read.read_ranges) or (),
        offsets=(sheet.take("range", read.read_offsets) or ()) if periodic else (),
        hours=sheet.take("hours", read.read_hours) or ALL_DAY,
        groups=sheet.take("groups", read.read_groups) or 1,
        ascending=sheet.choose("order") == "asc",
        paused_tasks=Handling(sheet.choose("paused-tasks")),
        dry_run_tasks=Handling(sheet.choose("dry-run-tasks")),
        dry_run_start=sheet.choose("dry-run-start") == "yes",
        parameters=everything,
        task_parameters=special,
        at=None if periodic else sheet.take("at", read.read_time),
        periodic=periodic,
        environment=_environment(sheet),
    )


def _environment(sheet: _Sheet) -> Environment:
    chosen = sheet.take(ENVIRONMENT, read.one_of(*FIELDS[ENVIRONMENT].choices))
    return sheet.facts.environment if chosen is None else Environment(chosen)


def _mode(levels: int | None, massive: str) -> Mode:
    if levels == 0:
        return Mode.CURRENT
    return Mode.MASSIVE if massive == "yes" else Mode.LIST


def _filters(sheet: _Sheet, which: str) -> Filters:
    readers: dict[str, Reader[tuple[str, ...]]] = {"sources": read.read_tasks, "targets": read.read_tasks}
    given = {
        attribute: sheet.take(f"{which}-{name}", readers.get(attribute, read.read_list)) or ()
        for attribute, (name, _, _) in _FILTER_TITLES.items()
    }
    return Filters(**given)


_RUN_DAYS: Mapping[Recurrence, tuple[str, Reader[tuple[int, ...]]]] = {
    Recurrence.WEEKLY: ("weekdays", read.read_weekdays),
    Recurrence.MONTHLY: ("month_days", read.read_month_days),
}


def _periodic(sheet: _Sheet) -> Periodic | None:
    """When a periodic backfill is due; None for one that is made once."""
    every = sheet.choose("every")
    if every == ONCE:
        return None
    if not answer(sheet.answers, "at"):
        sheet.problems["at"] = "say at what time of day it runs: 02:00"
    at = sheet.take("at", read.read_clock) or time(0, 0)
    days: dict[str, tuple[int, ...]] = {}
    if (recurrence := Recurrence(every)) in _RUN_DAYS:
        attribute, reader = _RUN_DAYS[recurrence]
        days[attribute] = sheet.take("on", reader) or ()
        if not days[attribute]:
            sheet.problems.setdefault("on", f"say on which days it runs; {FIELDS['on'].help}")
    return Periodic(recurrence, at, **days)


def default_name(tasks: Iterable[str], facts: FormFacts) -> str:
    """The name of a backfill that was given none: its first task and the time of creation (section 7)."""
    key = next(iter(tasks), "")
    stamp = f"_{to_datetime(facts.now, facts.zone):%Y%m%d%H%M%S}"
    return (facts.by_key[key].name if key else "")[: NAME_LIMIT - len(stamp)] + stamp


# --- the same in words ------------------------------------------------------------------------------------------------


def settled(answers: Answers, form: BackfillForm, facts: FormFacts) -> dict[str, str]:
    """The answers that make a difference, with what was relative to now made absolute: what the ledger keeps."""
    given = {name: answer(answers, name) for name in FIELDS if name in answers}
    given |= {
        "task": join_list(form.tasks),
        "range": ",".join(_said_range(some) for some in form.ranges or form.offsets),
    }
    given |= {} if form.at is None else {"at": format_iso(form.at, facts.zone)}
    given[ENVIRONMENT] = "" if form.environment is facts.environment else form.environment
    return {
        name: given[name]
        for name in FIELDS
        if given.get(name, FIELDS[name].default) != FIELDS[name].default or name in _REQUIRED
    }


def command_line(answers: Answers, expect: int | None = None) -> str:
    """The words that ask for the same on the command line, and where it is asked for, for so many instances."""
    expected = [] if expect is None else [f"--expect={expect}"]
    return shlex.join(["dpconsole", "backfill", "create", *_options(answers), *expected])


def _options(answers: Answers) -> Iterator[str]:
    for name, text in answers.items():
        field = FIELDS[name]
        if field.kind is FormKind.SWITCH:
            yield f"--{name}" if text == "yes" else f"--no-{name}"
        elif name == "range" and (ends := _one_range(text)):
            yield from (f"--from={ends[0]}", f"--to={ends[1]}")
        else:
            yield from (f"--{name}={element}" for element in _elements(field, text))


def _elements(field: FormField, text: str) -> list[str]:
    """An answer as it is given option by option; only parameters are taken there as they are."""
    if not field.several:
        return [text]
    elements = split_list(text)
    return elements if field.kind is FormKind.PARAMETERS else [join_list([element]) for element in elements]


def _one_range(text: str) -> tuple[str, str] | None:
    """The ends of a range, where an answer is one range of days."""
    first, dots, last = text.partition("..")
    try:
        return (str(date.fromisoformat(first)), str(date.fromisoformat(last if dots else first)))
    except ValueError:
        return None


def _said_range(some: DateRange | Offsets) -> str:
    words = (f"T-{some.first}", f"T-{some.last}") if isinstance(some, Offsets) else (str(some.first), str(some.last))
    return words[0] if words[0] == words[1] else "..".join(words)
