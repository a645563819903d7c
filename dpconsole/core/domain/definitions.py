"""What a workspace says: projects, tasks, schedules, dependencies, limits and promises, as plain values.

Whoever brings definitions in (a YAML workspace, a dbt manifest, the demo) builds a `Workspace`; the store keeps it;
calendars and dependency selection read it. Nothing here knows where it came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum


class TaskType(StrEnum):
    """What a task's code is (section 1)."""

    SHELL = "shell"
    PYTHON = "python"
    MAXCOMPUTE_SQL = "maxcompute_sql"
    HIVE_SQL = "hive_sql"
    SPARK_SQL = "spark_sql"
    DATABASE_SQL = "database_sql"
    PIPELINE = "pipeline"
    VIRTUAL = "virtual"
    LOGICAL_TABLE = "logical_table"


class Unit(StrEnum):
    """What an instance is: three kinds are listed, three are executed (section 9.1)."""

    SCRIPT = "script"
    PIPELINE = "pipeline"
    LOGICAL_TABLE = "logical_table"  # listed, never executed: a folder of its nodes
    NODE = "node"  # a materialization node: executed, listed inside its table


class Origin(StrEnum):
    """Where an instance comes from (section 1, instance kinds)."""

    RECURRING = "recurring"
    BACKFILL = "backfill"
    MANUAL = "manual"


class Cycle(StrEnum):
    """The schedule period of a task (section 1)."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Method(StrEnum):
    """The scheduling method of a task (section 3)."""

    NORMAL = "normal"
    DRY_RUN = "dry_run"
    PAUSED = "paused"
    ONE_TIME = "one_time"


class Environment(StrEnum):
    """Lists never mix environments; only production schedules by itself (section 20)."""

    PROD = "prod"
    DEV = "dev"


class Mode(StrEnum):
    """Whether a project has one environment or a development twin (section 20)."""

    BASIC = "basic"
    DEV_PROD = "dev-prod"


class Role(StrEnum):
    """What a member may do in a project, least first (section 20)."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class TableKind(StrEnum):
    """The three kinds of logical tables (section 9.1)."""

    DIMENSION = "dimension"
    FACT = "fact"
    AGGREGATE = "aggregate"


class Priority(StrEnum):
    """Five names; the store keeps the number, larger is lower (section 11.3)."""

    HIGHEST = "highest"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    LOWEST = "lowest"

    @property
    def number(self) -> int:
        """1, 3, 5, 7 or 9."""
        return _NUMBERS[self]

    @classmethod
    def of(cls, number: int) -> Priority:
        """The name of a configured number 1..9; an even number rounds to its higher neighbour (section 11.3)."""
        return list(cls)[(number - 1) // 2]


_NUMBERS = {priority: 2 * place + 1 for place, priority in enumerate(Priority)}


class DependencyCycle(StrEnum):
    """Which data timestamps of the upstream are considered (section 10.2)."""

    CURRENT = "current"
    PREVIOUS = "previous"
    LAST_N_DAYS = "last_n_days"
    LAST_24H = "last_24h"


class Policy(StrEnum):
    """Which of the considered upstream instances are needed (section 10.2)."""

    ALL = "all"
    FIRST = "first"
    LAST = "last"
    NEAREST = "nearest"
    BEFORE = "before"


class UpstreamKind(StrEnum):
    """What a dependency points at (section 10.1)."""

    TASK = "task"
    SELF = "self"
    ROOT = "root"
    NODE = "node"  # a sibling inside the same logical table


LAST_DAY = -1
"""The month day that means the last one of its month."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a task runs, in the workspace's zone (section 10.5).

    Sub-day schedules run at the picked times `at`, or without any from `start` to `end` every `interval` minutes; the
    others run once, at `at[0]`, or at midnight.
    `weekdays` are ISO numbers (1 = Monday), `month_days` 1..31 or `LAST_DAY`, `year_days` pairs of month and day; all
    of them name the run day, not the data timestamp. `cron` replaces everything but the effective window.
    """

    cycle: Cycle = Cycle.DAY
    at: tuple[time, ...] = ()
    start: time = time(0, 0)
    end: time = time(23, 59)
    interval: int = 60
    weekdays: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[tuple[int, int], ...] = ()
    cron: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """One declared upstream. `cycle` and `policy` are None where the defaults of section 10.3 decide."""

    kind: UpstreamKind = UpstreamKind.TASK
    task: str = ""
    node: str = ""
    cycle: DependencyCycle | None = None
    policy: Policy | None = None
    days: int = 1
    fields: tuple[str, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class RunConfig:
    """How one attempt is run and what follows its failure; times in seconds (section 12)."""

    command: tuple[str, ...] = ()
    timeout: float = 48 * 3600.0
    reruns: int = 1
    rerun_interval: float = 300.0
    rerun_after_timeout: bool = False
    resource_group: str = "default"


ALWAYS = -1
"""As a number of failing attempts: every attempt fails."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the simulated executor does with a task; seconds. Unset values are a hash of seed, instance and attempt.

    `fail` holds pairs of business date (ISO, or `*`) and the number of attempts that fail there, or `ALWAYS`.
    """

    duration: tuple[float, float] | None = None
    fail: tuple[tuple[str, int], ...] = ()
    fail_rate: float | None = None
    hang: bool = False
    log: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a logical table."""

    name: str
    type: str = "string"
    key: bool = False


@dataclass(frozen=True, slots=True)
class MaterializationNode:
    """A physical node generated from a logical table; it produces at least one field (section 9.1)."""

    name: str
    fields: tuple[str, ...]
    depends_on: tuple[Dependency, ...] = ()
    code: str = ""
    simulate: Simulation | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A scheduled definition: script, integration pipeline or logical table. `id` is `project.name`, unique."""

    id: str
    project: str
    name: str
    type: TaskType = TaskType.SHELL
    owner: str = ""
    operation_owner: str = ""
    description: str = ""
    schedule: Schedule = Schedule()
    method: Method = Method.NORMAL
    priority: Priority = Priority.MEDIUM
    tags: tuple[str, ...] = ()
    folder: str = "/"
    depends_on: tuple[Dependency, ...] = ()
    run: RunConfig = RunConfig()
    simulate: Simulation = Simulation()
    parameters: tuple[tuple[str, str], ...] = ()
    output_table: str = ""
    template: str = ""
    kind: TableKind | None = None
    fields: tuple[Field, ...] = ()
    nodes: tuple[MaterializationNode, ...] = ()
    code: str = ""
    source_key: str = ""  # what the task is called where it was imported from, such as dbt's `unique_id`

    @property
    def unit(self) -> Unit:
        """What an instance of this task is."""
        by_type = {TaskType.LOGICAL_TABLE: Unit.LOGICAL_TABLE, TaskType.PIPELINE: Unit.PIPELINE}
        return by_type.get(self.type, Unit.SCRIPT)

    @property
    def is_self_dependent(self) -> bool:
        """Whether it, or a node of it, waits for its own earlier instances (section 10.4)."""
        declared = (*self.depends_on, *(each for node in self.nodes for each in node.depends_on))
        return any(dependency.kind is UpstreamKind.SELF and dependency.enabled for dependency in declared)


@dataclass(frozen=True, slots=True)
class Project:
    """A project and its members by OS user; no members means open to whoever can open the database (section 20)."""

    name: str
    title: str = ""
    mode: Mode = Mode.BASIC
    members: tuple[tuple[str, Role], ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    """A named number of slots that running instances occupy (section 11.2)."""

    name: str
    slots: int


DEFAULT_GROUP = ResourceGroup(RunConfig().resource_group, 16)
"""The group of every task that names none; there is always one, of this size where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class ThrottlingRule:
    """At most `limit` dispatched instances among those that match every given attribute (section 11.1)."""

    name: str
    limit: int
    project: str | None = None
    origin: Origin | None = None
    type: TaskType | None = None
    tag: str | None = None
    environment: Environment | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Baseline:
    """A promise: these end tasks and their ancestors are done at `committed`; `margin` in seconds (section 11.4)."""

    name: str
    tasks: tuple[str, ...]
    committed: time
    margin: float = 1800.0
    priority: Priority = Priority.HIGH


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything one load brings in."""

    timezone: str = "UTC"
    environment: Environment = Environment.PROD
    projects: tuple[Project, ...] = ()
    resource_groups: tuple[ResourceGroup, ...] = ()
    throttling: tuple[ThrottlingRule, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    tasks: tuple[Task, ...] = field(default=())
