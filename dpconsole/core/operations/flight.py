"""The flight plan of a backfill: what it would make, on which data timestamps, by when, and whom it would disturb.

A plan is a value, worked out from definitions and calendars before anything is written; the console draws it, the
command line prints it, and creating the backfill makes what it says. Whatever speaks against it stands in it: problems
beside the field they belong to, refusals that concern the whole, and warnings that stop nobody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.backfill_form import LIST_LIMIT, BackfillForm, Handling, Mode, Periodic
from dpconsole.core.domain.backfills import deal
from dpconsole.core.domain.baselines import committed_at
from dpconsole.core.domain.clock import business_date_of, run_day, to_datetime, to_ms
from dpconsole.core.domain.definitions import Environment, Method, Origin, Role, Schedule
from dpconsole.core.domain.keys import backfill_key
from dpconsole.core.domain.statuses import Status
from dpconsole.core.domain.text import clean
from dpconsole.core.domain.throttling import matches
from dpconsole.core.engine.backfilling import due_on
from dpconsole.core.engine.generation import current_business_date
from dpconsole.core.graph.tasks import (
    BELOW_PAUSED,
    IS_PAUSED,
    NO_NODES,
    NO_SCHEDULE,
    NO_SUCH_TASK,
    NOT_BELOW,
    Coverage,
    LeftOut,
    TaskGraph,
    cover,
)
from dpconsole.core.operations.backfill_answers import INSTANCES_LIMIT, FormFacts
from dpconsole.core.operations.backfill_form import Problem
from dpconsole.core.operations.flight_time import Calendar, Estimate, Slots, Work, attributes, estimate
from dpconsole.core.operations.idle_answers import fixed_parameters, idle_exclusions, idle_filters, idle_parameters
from dpconsole.core.operations.permissions import is_allowed
from dpconsole.core.store.definition_rows import Facts, read_workspace_facts
from dpconsole.core.store.flight_rows import read_at_work, read_standing
from dpconsole.core.store.targets import read_members


class Standing(StrEnum):
    """How the recurring instances of the start stand on a data timestamp."""

    MISSING = "missing"
    NOT_RUN = "not_run"
    RUNNING = "running"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class DateMark:
    """One data timestamp of the calendar strip: how the start stands, the turn it gets, the instances it would have.

    `counts` are the start's recurring instances by status; `queue` counts from 0, `position` is the turn in it.
    """

    day: date
    standing: Standing
    counts: Mapping[Status, int]
    queue: int
    position: int
    instances: int


@dataclass(frozen=True, slots=True)
class LayerCount:
    """The tasks so many steps below the start, and their instances on all data timestamps."""

    level: int
    tasks: int
    instances: int


@dataclass(frozen=True, slots=True)
class CoveredTask:
    """A task of the plan; `nodes` are those that take part of a table that does not take part as a whole."""

    key: str
    name: str
    project: str
    level: int
    instances: int
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BaselineEffect:
    """A baseline whose tasks go through the same slots; moments in UTC ms, `ends_before` its alert time."""

    name: str
    committed_at: int
    alert_at: int
    shared: tuple[Slots, ...]
    ends_before: bool


@dataclass(frozen=True, slots=True)
class FlightPlan:
    """What a form comes to. `form` is None where the answers cannot be read; `problems` then say why.

    `key` is what the ledger will know it by, `answers` what was asked with what is relative to now made absolute,
    `command` the words that ask for the same, `stamp` marks the definitions it was made of. `strip` is ascending,
    `queues` in the order in which they run; of a periodic backfill both are those of its first run. `required` are
    fields that go along with the chosen ones.
    """

    form: BackfillForm | None
    problems: tuple[Problem, ...] = ()
    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    strip: tuple[DateMark, ...] = ()
    queues: tuple[tuple[date, ...], ...] = ()
    layers: tuple[LayerCount, ...] = ()
    tasks: tuple[CoveredTask, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    required: Mapping[str, str] = field(default_factory=dict)
    instances: int = 0
    estimate: Estimate | None = None
    baselines: tuple[BaselineEffect, ...] = ()
    key: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    stamp: tuple[int, int] = (0, 0)

    @property
    def may_go(self) -> bool:
        """Whether the backfill can be created."""
        return self.form is not None and not self.problems and not self.refusals

    @property
    def left_out_by_reason(self) -> list[tuple[str, int]]:
        """Why tasks are left out and how many for each reason, the most frequent first."""
        return Counter(one.reason for one in self.left_out).most_common()


class Superseded(Exception):
    """A plan was given up while it was made, because nobody waits for it any more."""


def flight_plan(
    connection: Connection,
    facts: FormFacts,
    form: BackfillForm,
    user: str,
    *,
    graph: TaskGraph | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> FlightPlan:
    """Plan a form for an operator; writes nothing. Raises `Superseded` soon after `is_cancelled` says so."""

    def check() -> None:
        if is_cancelled():
            raise Superseded

    graph = graph or TaskGraph.of(facts.tasks)
    desk = _Desk(connection, facts, form, user, cover(facts.tasks, form, graph), graph, check)
    return desk.plan()


def first_run(periodic: Periodic, now: int, zone: ZoneInfo) -> tuple[date, int]:
    """The first run day that a periodic backfill saved now will have, and when it is due then, UTC milliseconds.

    What is due on a run day is written at 23:00 on the day before, so that day is never today (section 3).
    """
    day = run_day(current_business_date(now, zone)) + timedelta(days=1)
    while (due := due_on(periodic, day, zone)) is None:
        day += timedelta(days=1)
    return day, to_ms(due)


@dataclass(frozen=True)
class _Desk:
    """A plan in the making."""

    connection: Connection
    facts: FormFacts
    asked: BackfillForm
    user: str
    coverage: Coverage
    graph: TaskGraph
    check: Callable[[], None]

    def plan(self) -> FlightPlan:
        """What the form comes to, as far as its problems let it be worked out."""
        plan = FlightPlan(
            form=self.asked,
            problems=tuple(self._problems_of_coverage()),
            refusals=tuple(self._refusals()),
            left_out=self.coverage.left_out,
            required=self.coverage.required,
        )
        return plan if plan.problems else self._counted(plan, self._dated())

    def _counted(self, plan: FlightPlan, form: BackfillForm) -> FlightPlan:
        calendar = Calendar(form, self.facts.zone)
        tasks = tuple(self._tasks(calendar, form.dates))
        number = sum(task.instances for task in tasks)
        problems = tuple(_problems_of_number(number))
        plan = replace(plan, tasks=tasks, layers=_layers(tasks), instances=number, problems=problems)
        return plan if problems else self._timed(plan, form, calendar)

    def _timed(self, plan: FlightPlan, form: BackfillForm, calendar: Calendar) -> FlightPlan:
        queues = deal(form.dates, form.groups, form.ascending or bool(self.coverage.crossing))
        workspace = read_workspace_facts(self.connection)
        work = Work(form, self.coverage, self.graph, calendar, workspace.groups, workspace.rules)
        guess = estimate(self.connection, work, queues, self._begins_at(), self.check)
        return replace(
            plan,
            queues=queues,
            strip=tuple(self._strip(calendar, form.dates, queues)),
            estimate=guess,
            baselines=tuple(_effects(workspace, self.facts, form, guess)),
            warnings=tuple(self._warnings(form)),
        )

    # --- dates and tasks ----------------------------------------------------------------------------------------------

    def _dated(self) -> BackfillForm:
        """The form with data timestamps; of a periodic one those of its first run."""
        periodic = self.asked.periodic
        if periodic is None:
            return self.asked
        day, _ = first_run(periodic, self.facts.now, self.facts.zone)
        return replace(self.asked, ranges=tuple(offsets.on(day) for offsets in self.asked.offsets))

    def _begins_at(self) -> int:
        if self.asked.periodic is not None:
            return first_run(self.asked.periodic, self.facts.now, self.facts.zone)[1]
        return self.asked.at or self.facts.now

    def _tasks(self, calendar: Calendar, days: Sequence[date]) -> Iterator[CoveredTask]:
        numbers: dict[Schedule, int] = {}
        for id, level in self.coverage.levels.items():
            stored = self.facts.tasks[id]
            schedule = stored.task.schedule
            if schedule not in numbers:
                self.check()
                numbers[schedule] = sum(calendar.load(schedule, day).instances for day in days)
            named = {node: name for name, node in stored.node_ids.items()}
            nodes = tuple(clean(named[node]) for node in sorted(self.coverage.nodes.get(id, ())))
            task = stored.task
            yield CoveredTask(task.id, clean(task.name), task.project, level, numbers[schedule], nodes)

    def _strip(self, calendar: Calendar, days: Sequence[date], queues: Sequence[Sequence[date]]) -> Iterator[DateMark]:
        starts = [id for id, level in self.coverage.levels.items() if level == 0]
        standing = read_standing(self.connection, self.asked.environment, starts, str(days[0]), str(days[-1]))
        turns = {day: (queue, turn) for queue, some in enumerate(queues) for turn, day in enumerate(some)}
        schedules = Counter(self.facts.tasks[id].task.schedule for id in self.coverage.levels)
        for day in days:
            self.check()
            counts = standing.get(str(day), Counter())
            instances = sum(calendar.load(schedule, day).instances * tasks for schedule, tasks in schedules.items())
            yield DateMark(day, _standing(counts), counts, *turns[day], instances)

    # --- what speaks against it ---------------------------------------------------------------------------------------

    def _problems_of_coverage(self) -> Iterator[Problem]:
        yield from idle_filters(self.asked, self.facts.tasks)
        yield from fixed_parameters(self.asked)
        number = len(self.coverage.levels)
        if self.asked.mode is Mode.LIST and number > LIST_LIMIT:
            words = f"{number:,} tasks: the list takes {LIST_LIMIT:,}; use massive mode (--massive), or fewer levels"
            yield Problem("downstream", words)
        for key, reason in self.coverage.left_out:
            if reason == NOT_BELOW:
                yield Problem("only", f"{clean(key)} is {reason}")
            elif key in self.asked.tasks and reason in (NO_NODES, NO_SUCH_TASK, NO_SCHEDULE):
                yield Problem("task", f"{clean(key)}: {reason}")

    def _refusals(self) -> Iterator[str]:
        """An operator acts in every project that is covered, or not at all (section 20)."""
        members = read_members(self.connection)
        projects = {self.facts.tasks[id].task.project for id in self.coverage.levels}
        refused = [one for one in sorted(projects) if not is_allowed(members, one, self.user, Role.OPERATOR)]
        if refused:
            yield f"no permission to operate in {'projects' if len(refused) > 1 else 'project'} {_named(refused)}"

    # --- what is to be known ------------------------------------------------------------------------------------------

    def _warnings(self, form: BackfillForm) -> Iterator[str]:
        yield from self._warn_of_order()
        yield from self._warn_of_projects()
        yield from self._warn_of_paused()
        yield from self._warn_of_idle_answers()
        yield from self._warn_of_future(form)
        yield from self._warn_of_others(form)

    def _warn_of_order(self) -> Iterator[str]:
        crossing = self.coverage.crossing
        waits = "waits" if len(crossing) == 1 else "wait"
        if crossing and not self.asked.ascending:
            yield f"runs in ascending order: {_named(crossing)} {waits} for earlier data timestamps"
        if crossing and self.asked.groups > 1:
            yield f"{_named(crossing)} {waits} for earlier data timestamps: groups may wait for each other"

    def _warn_of_projects(self) -> Iterator[str]:
        own = {self.facts.by_key[key].project for key in self.asked.tasks}
        others = Counter(self.facts.tasks[id].task.project for id in self.coverage.levels)
        foreign = {project: number for project, number in others.items() if project not in own}
        if foreign:
            yield f"{_number(sum(foreign.values()), 'task')} of other projects: {_named(sorted(foreign))}"

    def _warn_of_paused(self) -> Iterator[str]:
        paused = [id for id in self.coverage.levels if self.facts.tasks[id].task.method is Method.PAUSED]
        if paused and self.asked.paused_tasks is Handling.NORMAL:
            yield f"{_number(len(paused), 'Skip-Execution task')} will run normally"
        elif paused:
            yield f"{_number(len(paused), 'Skip-Execution task')} will stay paused, and what is below waits"
        if left_out := sum(one.reason in (IS_PAUSED, BELOW_PAUSED) for one in self.coverage.left_out):
            yield f"{_number(left_out, 'task')} left out: paused, or below a paused one"

    def _warn_of_idle_answers(self) -> Iterator[str]:
        covered = {stored.task.id: stored.task for stored in map(self.facts.tasks.__getitem__, self.coverage.levels)}
        yield from idle_exclusions(self.asked, {reason for _, reason in self.coverage.left_out})
        yield from idle_parameters(self.asked, covered)

    def _warn_of_future(self, form: BackfillForm) -> Iterator[str]:
        today = to_datetime(self.facts.now, self.facts.zone).date()
        if number := sum(run_day(day) > today for day in form.dates):
            yield f"{_number(number, 'data timestamp')} still to come: the instances wait for their time"

    def _warn_of_others(self, form: BackfillForm) -> Iterator[str]:
        days = {str(day) for day in form.dates}
        others: dict[tuple[int, str], list[int]] = defaultdict(list)
        for one in read_at_work(self.connection, form.environment, list(self.coverage.levels), min(days), max(days)):
            if one.business_date in days:
                others[one.id, one.name].append(one.tasks)
        for (id, name), tasks in others.items():
            what = f"{_number(max(tasks), 'task')} of these, on {_number(len(tasks), 'data timestamp')}"
            yield f"{name} ({backfill_key(id)}) is not done yet with {what}"


def _problems_of_number(instances: int) -> Iterator[Problem]:
    if not instances:
        yield Problem("range", "no instances: the tasks have no scheduled time on these data timestamps")
    if instances > INSTANCES_LIMIT:
        words = f"{instances:,} instances; one backfill takes at most {INSTANCES_LIMIT:,}: fewer days, or fewer tasks"
        yield Problem("range", words)


def _layers(tasks: Iterable[CoveredTask]) -> tuple[LayerCount, ...]:
    by_level: dict[int, list[int]] = defaultdict(list)
    for task in tasks:
        by_level[task.level].append(task.instances)
    return tuple(LayerCount(level, len(some), sum(some)) for level, some in sorted(by_level.items()))


_STANDINGS = (
    (Standing.FAILED, frozenset({Status.FAILED})),
    (Standing.RUNNING, frozenset({Status.RUNNING, Status.WAITING_TIME, Status.THROTTLED, Status.WAITING_RESOURCE})),
    (Standing.NOT_RUN, frozenset({Status.NOT_RUNNING})),
    (Standing.SUCCEEDED, frozenset({Status.SUCCEEDED})),
)
"""The first of these of which there is any instance is how a data timestamp stands."""


def _standing(counts: Mapping[Status, int]) -> Standing:
    present = {status for status, number in counts.items() if number}
    return next((standing for standing, some in _STANDINGS if present & some), Standing.MISSING)


# --- baselines --------------------------------------------------------------------------------------------------------


def _effects(workspace: Facts, facts: FormFacts, form: BackfillForm, guess: Estimate) -> Iterator[BaselineEffect]:
    """The baselines of production whose tasks go through slots that the backfill takes, the earliest first."""
    if form.environment is not Environment.PROD:
        return
    shared = {name: _shared(workspace, facts, form, guess, name) for name in workspace.baselines}
    effects = [_effect(workspace, facts, guess, name, slots) for name, slots in shared.items() if slots]
    yield from sorted(effects, key=lambda effect: (effect.committed_at, effect.name))


def _shared(
    workspace: Facts, facts: FormFacts, form: BackfillForm, guess: Estimate, baseline: str
) -> tuple[Slots, ...]:
    tasks = [
        facts.tasks[id].task
        for id, some in workspace.covered.items()
        if id in facts.tasks and any(one.baseline == baseline for one in some)
    ]
    groups = {task.run.resource_group for task in tasks}
    seen = {attributes(task, Origin.RECURRING, form) for task in tasks}
    rules = {rule.name for rule in workspace.rules.values() if any(matches(rule, one) for one in seen)}
    named = {"resource group": groups, "throttling rule": rules}
    return tuple(slots for slots in guess.slots if slots.name in named[slots.kind])


def _effect(workspace: Facts, facts: FormFacts, guess: Estimate, name: str, slots: tuple[Slots, ...]) -> BaselineEffect:
    """The first promise of a baseline that is still to be kept when the backfill begins."""
    promise = workspace.baselines[name]
    day = business_date_of(to_datetime(guess.begins_at, facts.zone).date())
    committed = to_ms(committed_at(promise, day, facts.zone))
    if committed <= guess.begins_at:
        committed = to_ms(committed_at(promise, day + timedelta(days=1), facts.zone))
    alert = committed - int(promise.margin * 1000)
    return BaselineEffect(name, committed, alert, slots, guess.ends_at <= alert)


# --- words ------------------------------------------------------------------------------------------------------------

NAMED = 3
"""Things that a sentence names; the others are counted."""


def _named(things: Sequence[str]) -> str:
    others = f" and {len(things) - NAMED:,} more" if len(things) > NAMED else ""
    return ", ".join(clean(thing) for thing in things[:NAMED]) + others


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
