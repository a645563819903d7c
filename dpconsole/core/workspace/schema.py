"""The shape of a workspace file: which keys it has, which words and numbers they take, and what they default to.

Every value arrives as text (see `documents`), and is read here into a value of `core/domain/definitions.py`. What one
value is, the models below say; what only holds between values (a weekly schedule needs days) is found by `findings`;
what holds between tasks is for `checks`.

    version: 1
    timezone: UTC                     any IANA zone
    environment: prod                 prod | dev
    projects:         NAME: {title, mode: basic | dev-prod, members: {USER: viewer | operator | admin}}
    resource_groups:  NAME: {slots}
    throttling:       - {name, limit, enabled, when: {project, origin, type, tag, environment}}
    baselines:        - {name, tasks, committed, margin: 30m, priority: high | highest}
    tasks:            - {id, type: shell, owner, operation_owner, description, schedule, method, priority: medium,
                         tags, folder: /, depends_on, run, simulate, parameters: {NAME: VALUE}, code,
                         output_table, template, kind: dimension, fields, nodes}

    schedule    {every: day, at, from, to, interval, on, cron, method, effective: {from, to}}
    depends_on  ID | self | root | {task | node, cycle, policy, days, fields, enabled}
    run         {command, timeout: 48h, reruns: 1, rerun_interval: 5m, rerun_after_timeout: false,
                 resource_group: default}
    simulate    {duration, fail: {DATE | "*": NUMBER | always}, fail_rate, hang, log}
    fields      - {name, type: string, key: false}
    nodes       - {name, fields, depends_on, code, simulate}

Times of day are HH:MM, durations 40s, 5m, 1h30m or a number of seconds, dates YYYY-MM-DD. A key that is there
without a value counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dpconsole.core.domain import definitions as d
from dpconsole.core.domain.calendars import SUB_DAY, cycle_of
from dpconsole.core.domain.runconfig import RERUNS
from dpconsole.core.workspace import values as v
from dpconsole.core.workspace.documents import Finding, Loc
from dpconsole.core.workspace.problems import did_you_mean, shown

SELF, ROOT = "self", "root"


class Model(BaseModel):
    """Knows exactly its keys; a key without a value counts as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _absent(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data

    def findings(self) -> Iterator[Finding]:
        """What does not hold between the values of this model, once each of them is right."""
        yield from ()


# Schedules (sections 3, 10.5) -----------------------------------------------------------------------------------------

_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAYS = {name[:length]: number for number, name in enumerate(_DAY_NAMES, 1) for length in (3, len(name))}
_LEAP_YEAR = 2024


def _weekday(text: str) -> int:
    if text.lower() not in _WEEKDAYS:
        hint = did_you_mean(text.lower(), _WEEKDAYS)
        raise v.refusal(f"{shown(text)} is no weekday", hint or "write mon, tue, wed, thu, fri, sat or sun")
    return _WEEKDAYS[text.lower()]


def _month_day(text: str) -> int:
    if text.lower() == "last":
        return d.LAST_DAY
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII) or not 1 <= int(text) <= 31:
        raise v.refusal(f"{shown(text)} is no day of a month", "write 1 to 31, or last")
    return int(text)


def _year_day(text: str) -> tuple[int, int]:
    try:
        day = date.fromisoformat(f"{_LEAP_YEAR}-{text}" if re.fullmatch(r"\d\d-\d\d", text, re.ASCII) else "")
    except ValueError:
        raise v.refusal(f"{shown(text)} is no day of a year", "write MM-DD") from None
    return day.month, day.day


_RANGE = ("from", "to", "interval")
_TAKES: dict[d.Cycle, tuple[str, ...]] = {
    d.Cycle.MINUTE: _RANGE,
    d.Cycle.HOUR: (*_RANGE, "at"),
    d.Cycle.DAY: ("at",),
    d.Cycle.WEEK: ("on", "at"),
    d.Cycle.MONTH: ("on", "at"),
    d.Cycle.YEAR: ("on", "at"),
}
"""The keys a schedule of each period takes, beside every, cron, method and effective."""

_ON: dict[d.Cycle, tuple[Callable[[str], Any], str]] = {
    d.Cycle.WEEK: (_weekday, "on: [mon, thu]"),
    d.Cycle.MONTH: (_month_day, "on: [1, 15, last]"),
    d.Cycle.YEAR: (_year_day, 'on: ["06-18", "11-11"]'),
}
"""How the days of a schedule are read, and an example of them."""

_SHORTEST = {d.Cycle.MINUTE: 60.0, d.Cycle.HOUR: v.HOUR}
_DAY_LENGTH = 24 * v.HOUR


class Effective(Model):
    """The window outside which a task has no real run; both days are run days and belong to it."""

    from_: v.Day | None = Field(default=None, alias="from")
    to: v.Day | None = None


class Schedule(Model):
    """When a task runs."""

    every: v.Cycle | None = None
    at: Annotated[tuple[v.TimeOfDay, ...], BeforeValidator(v.as_list)] | None = None
    from_: v.TimeOfDay | None = Field(default=None, alias="from")
    to: v.TimeOfDay | None = None
    interval: v.Seconds | None = None
    on: v.Texts | None = None
    cron: v.Cron | None = None
    method: v.Method | None = None
    effective: Effective = Effective()

    @property
    def cycle(self) -> d.Cycle:
        """The schedule period; that of a cron expression is read from its fields."""
        return cycle_of(d.Schedule(cron=self.cron)) if self.cron else self.every or d.Cycle.DAY

    def _given(self) -> dict[str, Any]:
        return {
            "from": self.from_,
            "to": self.to,
            "interval": self.interval,
            "on": self.on,
            "at": self.at,
        }

    def findings(self) -> Iterator[Finding]:
        """What does not hold between the keys of this schedule."""
        yield from self._misplaced()
        yield from self._contradictions()
        yield from self._interval_findings()
        yield from self._days_findings()

    def _misplaced(self) -> Iterator[Finding]:
        takes = () if self.cron else _TAKES[self.cycle]
        said = "a cron schedule" if self.cron else f"a schedule every {self.cycle}"
        hint = f"it takes {', '.join(takes)}" if takes else "the expression says it all"
        for key, value in self._given().items():
            if value is not None and key not in takes:
                yield Finding((key,), f"{said} takes no {key}", hint)
        if self.cron and self.every and self.every != self.cycle:
            yield Finding(("every",), f"the cron expression comes every {self.cycle}", "leave every out")

    def _contradictions(self) -> Iterator[Finding]:
        if self.at is not None and not self.at:
            yield Finding(("at",), "names no time", 'write at: "00:30"')
        if self.cycle not in SUB_DAY and self.at and len(self.at) > 1:
            yield Finding(("at",), f"a schedule every {self.cycle} runs once", "several times a day are every: hour")
        if self.cycle in SUB_DAY and self.at:
            for key in _RANGE:
                if self._given()[key] is not None:
                    yield Finding((key,), f"picked times take no {key}", "leave either at or the range out")
        if self.start > self.end:
            yield Finding(("to",), f"ends at {self.end:%H:%M}, before it begins at {self.start:%H:%M}")
        if self.effective.from_ and self.effective.to and self.effective.from_ > self.effective.to:
            yield Finding(
                ("effective", "to"), f"ends on {self.effective.to}, before it begins on {self.effective.from_}"
            )

    def _interval_findings(self) -> Iterator[Finding]:
        shortest = _SHORTEST.get(self.cycle)
        if self.cron or shortest is None:
            return
        if self.interval is None:
            if self.cycle is d.Cycle.MINUTE:
                yield Finding((), "a schedule every minute needs an interval", "write interval: 15m")
        elif not shortest <= self.interval <= _DAY_LENGTH or self.interval % 60:
            hint = "every: minute takes shorter ones" if 60 <= self.interval < shortest else "write interval: 1h"
            whole = "whole minutes, from one minute" if self.cycle is d.Cycle.MINUTE else "from one hour"
            yield Finding(("interval",), f"is out of range: {whole} to one day", hint)

    def _days_findings(self) -> Iterator[Finding]:
        if self.cron or self.cycle not in _ON:
            return
        read, example = _ON[self.cycle]
        if not self.on:
            yield Finding(("on",), f"a schedule every {self.cycle} needs the days it runs on", f"write {example}")
        for index, text in enumerate(self.on or ()):
            try:
                read(text)
            except v.Refusal as error:
                yield Finding(("on", index), *v.said(error))

    @property
    def start(self) -> time:
        """The first minute of a sub-day schedule."""
        return self.from_ or time(0, 0)

    @property
    def end(self) -> time:
        """The last minute of a sub-day schedule."""
        return self.to or time(23, 59)

    def definition(self) -> d.Schedule:
        """The schedule as the domain knows it; only for one without findings."""
        return d.Schedule(
            cycle=self.cycle,
            at=self.at or (),
            start=self.start,
            end=self.end,
            interval=int((self.interval or v.HOUR) // 60),
            weekdays=self._days(d.Cycle.WEEK),
            month_days=self._days(d.Cycle.MONTH),
            year_days=self._days(d.Cycle.YEAR),
            cron=self.cron,
            effective_from=self.effective.from_,
            effective_to=self.effective.to,
        )

    def _days(self, cycle: d.Cycle) -> tuple[Any, ...]:
        if self.cron or self.cycle is not cycle:
            return ()
        read, _ = _ON[cycle]
        return tuple(dict.fromkeys(read(text) for text in self.on or ()))


# Dependencies (section 10) --------------------------------------------------------------------------------------------


class Dependency(Model):
    """One upstream: a task, this task's own previous cycle, the root, or a sibling node of a logical table."""

    task: str | None = None
    node: str | None = None
    cycle: v.DependencyCycle | None = None
    policy: v.Policy | None = None
    days: Annotated[int, Field(ge=1, le=366)] | None = None
    fields: v.Texts = ()
    enabled: bool = True

    def findings(self) -> Iterator[Finding]:
        """What does not hold between the keys of this dependency."""
        if (self.task is None) == (self.node is None):
            yield Finding(
                (), "names neither a task nor a node" if self.task is None else "names both a task and a node"
            )
        if self.days is not None and self.cycle is not d.DependencyCycle.LAST_N_DAYS:
            yield Finding(("days",), "only goes with cycle: last_n_days")
        if self.days is None and self.cycle is d.DependencyCycle.LAST_N_DAYS:
            yield Finding(("cycle",), "last_n_days needs days", "write days: 7")
        if self.task == ROOT and (self.cycle or self.policy):
            yield Finding(("cycle" if self.cycle else "policy",), "the root has no cycle and no policy")
        if self.fields and (self.node is not None or self.task in (SELF, ROOT)):
            yield Finding(("fields",), "only go with a task that is a logical table")

    def definition(self, owner: str) -> d.Dependency:
        """The dependency as the task `owner` has it; its own id on an earlier cycle is a self-dependency."""
        kind = self._kind(owner)
        cycle = d.DependencyCycle.PREVIOUS if kind is d.UpstreamKind.SELF and self.cycle is None else self.cycle
        return d.Dependency(
            kind=kind,
            task=self.task or "" if kind is d.UpstreamKind.TASK else "",
            node=self.node or "",
            cycle=cycle,
            policy=self.policy,
            days=self.days or 1,
            fields=self.fields,
            enabled=self.enabled,
        )

    def _kind(self, owner: str) -> d.UpstreamKind:
        if self.node is not None:
            return d.UpstreamKind.NODE
        earlier = self.task == owner and self.cycle not in (None, d.DependencyCycle.CURRENT)
        if self.task == SELF or earlier:
            return d.UpstreamKind.SELF
        return d.UpstreamKind.ROOT if self.task == ROOT else d.UpstreamKind.TASK


def _dependency(value: Any) -> Any:
    return {"task": value} if isinstance(value, str) else value


Dependencies = Annotated[
    tuple[Annotated[Dependency, BeforeValidator(_dependency)], ...],
    BeforeValidator(v.as_list),
]


def _each(part: str, models: Iterable[Any]) -> Iterator[Finding]:
    """The findings of several models, at their places in the list called `part`."""
    for index, model in enumerate(models):
        yield from _under((part, index), model.findings())


def _under(prefix: Loc, findings: Iterable[Finding]) -> Iterator[Finding]:
    return (finding.under(prefix) for finding in findings)


# Running (section 12) -------------------------------------------------------------------------------------------------


class Run(Model):
    """How one attempt is run, and what follows its failure."""

    command: tuple[str, ...] = ()
    timeout: v.Timeout = 48 * v.HOUR
    reruns: Annotated[int, Field(ge=int(RERUNS.least), le=int(RERUNS.most))] = 1
    rerun_interval: v.RerunInterval = 300.0
    rerun_after_timeout: bool = False
    resource_group: str = d.RunConfig().resource_group

    def definition(self) -> d.RunConfig:
        """The run configuration as the domain knows it."""
        return d.RunConfig(**dict(self))


class Simulate(Model):
    """What the simulated executor does with a task."""

    duration: Annotated[tuple[v.Seconds, ...], BeforeValidator(v.as_list)] | None = None
    fail: dict[v.FailDate, v.Attempts] = {}
    fail_rate: Annotated[float, Field(ge=0, le=1)] | None = None
    hang: bool = False
    log: str = ""

    def findings(self) -> Iterator[Finding]:
        """What does not hold between the values of the duration."""
        if self.duration is None:
            return
        if len(self.duration) not in (1, 2):
            yield Finding(("duration",), "takes one duration, or the least and the most", "write [20s, 2m]")
        elif self.duration[0] > self.duration[-1]:
            yield Finding(("duration",), "begins with the longer duration", "write the shorter one first")

    def definition(self) -> d.Simulation:
        """The simulation as the domain knows it."""
        duration = None if self.duration is None else (self.duration[0], self.duration[-1])
        return d.Simulation(duration, tuple(self.fail.items()), self.fail_rate, self.hang, self.log)


# Tasks ----------------------------------------------------------------------------------------------------------------


class TableField(Model):
    """A column of a logical table."""

    name: v.Name
    type: str = "string"
    key: bool = False

    def definition(self) -> d.Field:
        """The field as the domain knows it."""
        return d.Field(self.name, self.type, self.key)


class Node(Model):
    """A materialization node of a logical table."""

    name: v.Name
    fields: v.Texts = ()
    depends_on: Dependencies = ()
    code: str = ""
    simulate: Simulate | None = None

    def findings(self) -> Iterator[Finding]:
        """What does not hold inside this node."""
        yield from _each("depends_on", self.depends_on)
        if self.simulate:
            yield from _under(("simulate",), self.simulate.findings())

    def definition(self, owner: str) -> d.MaterializationNode:
        """The node as the table `owner` has it."""
        depends_on = tuple(dependency.definition(owner) for dependency in self.depends_on)
        simulate = self.simulate.definition() if self.simulate else None
        return d.MaterializationNode(self.name, self.fields, depends_on, self.code, simulate)


class Task(Model):
    """A scheduled definition."""

    id: v.TaskId
    type: v.TaskType = d.TaskType.SHELL
    owner: str = ""
    operation_owner: str = ""
    description: str = ""
    schedule: Schedule = Schedule()
    method: v.Method | None = None
    priority: v.Priority = d.Priority.MEDIUM
    tags: tuple[v.Name, ...] = ()
    folder: v.Folder = "/"
    depends_on: Dependencies = ()
    run: Run = Run()
    simulate: Simulate = Simulate()
    parameters: dict[v.ParameterName, v.ParameterValue] = {}
    code: str = ""
    output_table: str = ""
    template: str = ""
    kind: v.TableKind | None = None
    fields: tuple[TableField, ...] = ()
    nodes: tuple[Node, ...] = ()

    @property
    def is_table(self) -> bool:
        """Whether this is a logical table."""
        return self.type is d.TaskType.LOGICAL_TABLE

    def findings(self) -> Iterator[Finding]:
        """What does not hold inside this task."""
        yield from _under(("schedule",), self.schedule.findings())
        yield from _each("depends_on", self.depends_on)
        yield from _under(("simulate",), self.simulate.findings())
        yield from _each("nodes", self.nodes)
        if self.method and self.schedule.method and self.method is not self.schedule.method:
            yield Finding(("method",), f"the schedule says {self.schedule.method}", "say it once")
        for key in () if self.is_table else ("kind", "fields", "nodes"):
            if getattr(self, key):
                yield Finding((key,), f"a task of type {self.type} has no {key}", "only type: logical_table has")

    def definition(self) -> d.Task:
        """The task as the domain knows it; only for one without findings."""
        project, _, name = self.id.partition(".")
        return d.Task(
            id=self.id,
            project=project,
            name=name,
            type=self.type,
            owner=self.owner,
            operation_owner=self.operation_owner or self.owner,
            description=self.description,
            schedule=self.schedule.definition(),
            method=self.schedule.method or self.method or d.Method.NORMAL,
            priority=self.priority,
            tags=tuple(dict.fromkeys(self.tags)),
            folder=self.folder,
            depends_on=tuple(dependency.definition(self.id) for dependency in self.depends_on),
            run=self.run.definition(),
            simulate=self.simulate.definition(),
            parameters=tuple(self.parameters.items()),
            output_table=self.output_table,
            template=self.template,
            kind=(self.kind or d.TableKind.DIMENSION) if self.is_table else None,
            fields=tuple(field.definition() for field in self.fields),
            nodes=tuple(node.definition(self.id) for node in self.nodes),
            code=self.code,
        )


# Beside the tasks -----------------------------------------------------------------------------------------------------


class Project(Model):
    """A project and its members."""

    title: str = ""
    mode: v.Mode = d.Mode.BASIC
    members: dict[str, v.Role] = {}

    def definition(self, name: str) -> d.Project:
        """The project as the domain knows it."""
        return d.Project(name, self.title, self.mode, tuple(self.members.items()))


class ResourceGroup(Model):
    """A number of slots."""

    slots: Annotated[int, Field(ge=1, le=1_000_000)]

    def definition(self, name: str) -> d.ResourceGroup:
        """The resource group as the domain knows it."""
        return d.ResourceGroup(name, self.slots)


class When(Model):
    """What a throttling rule matches; all that is given has to match."""

    project: str | None = None
    origin: v.Origin | None = None
    type: v.TaskType | None = None
    tag: str | None = None
    environment: v.Environment | None = None


class Throttling(Model):
    """At most `limit` dispatched instances among those that match; 0 holds all of them."""

    name: v.Name
    limit: Annotated[int, Field(ge=0, le=1_000_000)]
    when: When = When()
    enabled: bool = True

    def definition(self) -> d.ThrottlingRule:
        """The rule as the domain knows it."""
        return d.ThrottlingRule(self.name, self.limit, **dict(self.when), enabled=self.enabled)


class Baseline(Model):
    """A committed time for end tasks."""

    name: v.Name
    tasks: v.Texts
    committed: v.TimeOfDay
    margin: v.Seconds = 1800.0
    priority: v.Priority = d.Priority.HIGH

    def findings(self) -> Iterator[Finding]:
        """What does not hold inside this baseline (section 11.4)."""
        if not self.tasks:
            yield Finding(("tasks",), "a baseline needs at least one task")
        if self.priority not in (d.Priority.HIGHEST, d.Priority.HIGH):
            yield Finding(("priority",), "a baseline is high or highest")

    def definition(self) -> d.Baseline:
        """The baseline as the domain knows it."""
        return d.Baseline(self.name, self.tasks, self.committed, self.margin, self.priority)


class File(Model):
    """The top of a workspace file; its parts are read one by one, so that one mistake does not hide another."""

    version: Literal["1"] = "1"
    timezone: v.Zone | None = None
    environment: v.Environment | None = None
    projects: dict[str, Any] = {}
    resource_groups: dict[str, Any] = {}
    throttling: list[Any] = []
    baselines: list[Any] = []
    tasks: list[Any] = []
