"""The schema, as documentation: what a row is, which column means what, and which index serves whom.

Rows are never used as ORM objects on a hot path; the classes name columns for set-based Core statements. All times are
INTEGER milliseconds in UTC (suffix `_at`, `_until`) or milliseconds of duration (suffix `_ms`); business dates are ISO
text, so that they sort and read alike in every tool. Text columns that hold an enum hold the enum's own value.

Partial indexes keep the engine's questions proportional to what is waiting, not to what exists. SQLite uses one only
where the query repeats its condition literally, which is why the conditions have names here (`READY`, `WAITING`, ...).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    literal_column,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from dpconsole.core.domain.statuses import Status

Id = BigInteger().with_variant(Integer, "sqlite")
Json = JSON()


class Base(DeclarativeBase):
    """Every table; constraint names are fixed so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: Json, list[Any]: Json}


# --- definitions ------------------------------------------------------------------------------------------------------


class Setting(Base):
    """One fact about the workspace: `timezone` (IANA), `environment` (prod, dev), `watermark` (ISO business date)."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Counter(Base):
    """A number that only grows: `rev` stamps write transactions, the others hand out blocks of ids."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, default=0)


class Project(Base):
    """A project; `mode` is basic or dev-prod (section 20)."""

    __tablename__ = "project"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text, default="")
    mode: Mapped[str] = mapped_column(String(16), default="basic")
    rev: Mapped[int] = mapped_column(BigInteger, default=0)


class Member(Base):
    """What an OS user may do in a project: viewer, operator, admin (section 20)."""

    __tablename__ = "member"

    project: Mapped[str] = mapped_column(ForeignKey("project.name"), primary_key=True)
    user: Mapped[str] = mapped_column(Text, primary_key=True)
    role: Mapped[str] = mapped_column(String(16))


class ResourceGroup(Base):
    """A number of slots that running instances occupy (section 11.2)."""

    __tablename__ = "resource_group"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    slots: Mapped[int]


class ThrottlingRule(Base):
    """At most `limit` dispatched instances among those matching every column that is set (section 11.1)."""

    __tablename__ = "throttling_rule"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    limit: Mapped[int]
    project: Mapped[str | None] = mapped_column(Text)
    origin: Mapped[str | None] = mapped_column(String(16))
    type: Mapped[str | None] = mapped_column(String(32))
    tag: Mapped[str | None] = mapped_column(Text)
    environment: Mapped[str | None] = mapped_column(String(8))
    enabled: Mapped[bool] = mapped_column(default=True)


class Baseline(Base):
    """A promise over end tasks; `committed` is minutes after the run day's midnight (section 11.4)."""

    __tablename__ = "baseline"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    priority: Mapped[int] = mapped_column(SmallInteger)
    committed: Mapped[int]
    margin_ms: Mapped[int] = mapped_column(BigInteger)
    rev: Mapped[int] = mapped_column(BigInteger, default=0)


class BaselineTask(Base):
    """A task a baseline protects: the named end tasks (`is_end`) and all their ancestors (section 11.4)."""

    __tablename__ = "baseline_task"

    baseline: Mapped[str] = mapped_column(ForeignKey("baseline.name"), primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), primary_key=True, index=True)
    is_end: Mapped[bool]


class Task(Base):
    """A scheduled definition (sections 1, 12, 16). `key` is the workspace's id, `project.name`."""

    __tablename__ = "task"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.name"), index=True)
    name: Mapped[str] = mapped_column(Text, index=True)
    type: Mapped[str] = mapped_column(String(32))
    unit: Mapped[str] = mapped_column(String(16))
    method: Mapped[str] = mapped_column(String(16))
    cycle: Mapped[str] = mapped_column(String(8))
    schedule: Mapped[dict[str, Any]]
    owner: Mapped[str] = mapped_column(Text)
    operation_owner: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(SmallInteger)
    tags: Mapped[list[Any]]
    folder: Mapped[str] = mapped_column(Text)
    run: Mapped[dict[str, Any]]
    simulate: Mapped[dict[str, Any]]
    parameters: Mapped[list[Any]]
    output_table: Mapped[str] = mapped_column(Text)
    template: Mapped[str] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(Text, default="")
    source_key: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(16), default="submitted")
    submit_status: Mapped[str] = mapped_column(String(32), default="submission_succeeded")
    published: Mapped[bool] = mapped_column(default=True)
    lock_holder: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    modified_at: Mapped[int] = mapped_column(BigInteger)
    rev: Mapped[int] = mapped_column(BigInteger, default=0, index=True)


class LogicalField(Base):
    """A column of a logical table (section 9.1)."""

    __tablename__ = "logical_field"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    is_key: Mapped[bool]


class Node(Base):
    """A materialization node of a logical table; one that left its table stays, inactive, for its instances."""

    __tablename__ = "node"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    simulate: Mapped[dict[str, Any] | None]
    active: Mapped[bool] = mapped_column(default=True)


class NodeField(Base):
    """Which fields a materialization node carries (section 9.1)."""

    __tablename__ = "node_field"

    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True)
    field_id: Mapped[int] = mapped_column(ForeignKey("logical_field.id"), primary_key=True, index=True)
    position: Mapped[int]


class Dependency(Base):
    """A declared upstream of a task, or of one node of it (section 10). `kind` says what it points at."""

    __tablename__ = "dependency"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    node_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(8))
    upstream_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"), index=True)
    upstream_node_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"))
    cycle: Mapped[str | None] = mapped_column(String(16))
    policy: Mapped[str | None] = mapped_column(String(8))
    days: Mapped[int] = mapped_column(default=1)
    fields: Mapped[list[Any]]
    enabled: Mapped[bool] = mapped_column(default=True)


# --- what runs --------------------------------------------------------------------------------------------------------


class BackfillFlow(Base):
    """A saved data backfill flow: the form of a backfill, and when it is made into one again (section 7).

    `schedule` says when on a run day it is due, `made_until` is the last run day whose backfill was made.
    """

    __tablename__ = "backfill_flow"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    project: Mapped[str] = mapped_column(Text)
    environment: Mapped[str] = mapped_column(String(8))
    owner: Mapped[str] = mapped_column(Text)
    recurrence: Mapped[str] = mapped_column(String(8))  # daily weekly monthly
    schedule: Mapped[dict[str, Any]]
    form: Mapped[dict[str, Any]]
    enabled: Mapped[bool] = mapped_column(default=True)
    made_until: Mapped[str | None] = mapped_column(String(10))
    created_at: Mapped[int] = mapped_column(BigInteger)
    rev: Mapped[int] = mapped_column(BigInteger, default=0)


class Backfill(Base):
    """Layer 1: one backfill, submitted or to be submitted (section 8). `form` keeps what the operator asked for.

    `flow` is the saved flow that made it, for `run_day`; a backfill asked for by hand has neither. `error` says why its
    submission failed. `tags` is a JSON list, matched as text.
    """

    __tablename__ = "backfill"
    __table_args__ = (UniqueConstraint("flow_id", "run_day"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))  # waiting submitting submitted failed paused
    environment: Mapped[str] = mapped_column(String(8), default="prod")
    project: Mapped[str] = mapped_column(Text)
    submitter: Mapped[str] = mapped_column(Text)
    submitted_at: Mapped[int] = mapped_column(BigInteger)
    submit_after_at: Mapped[int | None] = mapped_column(BigInteger)
    groups: Mapped[int] = mapped_column(default=1)
    ascending: Mapped[bool] = mapped_column(default=True)
    form: Mapped[dict[str, Any]]
    tags: Mapped[str] = mapped_column(Text, default="[]")
    flow_id: Mapped[int | None] = mapped_column(ForeignKey("backfill_flow.id"))
    flow: Mapped[str] = mapped_column(Text, default="")
    recurrence: Mapped[str] = mapped_column(String(8), default="")
    run_day: Mapped[str | None] = mapped_column(String(10))
    error: Mapped[str] = mapped_column(Text, default="")
    rev: Mapped[int] = mapped_column(BigInteger, default=0, index=True)


class BackfillDate(Base):
    """Layer 2: one data timestamp of a backfill; `queue` is its group and `position` its turn there (section 7).

    Its instances are the engine's to start once it has `begun`. `made` says whether they are written yet, `begun_at`
    when its turn came; `started_at` and `ended_at` are the first start and the last end below it, kept by triggers.
    """

    __tablename__ = "backfill_date"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    backfill_id: Mapped[int] = mapped_column(ForeignKey("backfill.id"), index=True)
    business_date: Mapped[str] = mapped_column(String(10))
    queue: Mapped[int]
    position: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), default="waiting")  # waiting begun done excluded
    made: Mapped[bool] = mapped_column(default=False)
    begun_at: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    rev: Mapped[int] = mapped_column(BigInteger, default=0, index=True)


class BackfillTally(Base):
    """How many listed instances of a data timestamp stand where, so that no folder's status needs a scan (section 8.2).

    Triggers on `instance` keep it, whoever writes there and however many rows at once.
    """

    __tablename__ = "backfill_tally"
    __table_args__ = {"sqlite_with_rowid": False}

    backfill_id: Mapped[int] = mapped_column(ForeignKey("backfill.id"), primary_key=True)
    backfill_date_id: Mapped[int] = mapped_column(ForeignKey("backfill_date.id"), primary_key=True)
    status: Mapped[str] = mapped_column(String(16), primary_key=True)
    paused: Mapped[bool] = mapped_column(primary_key=True)
    number: Mapped[int]


class Instance(Base):
    """One occurrence of a task, or of a materialization node, for one scheduled time (section 1).

    Recurring, backfill and manual instances share the table. `pending` is the number of unsatisfied requirements, so
    readiness is an indexed comparison and never a walk. A logical-table row is a folder: its `status`, `started_at` and
    `ended_at` are derived from its nodes (`parent_id`) in the transaction that moves them (section 9.2).
    `listing` is the tab that lists the row: computing, modeling, or empty for nodes. The rows of a backfill become
    `autonomous` when the turn of their data timestamp has come (section 7).
    """

    __tablename__ = "instance"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"))
    node_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))
    backfill_id: Mapped[int | None] = mapped_column(ForeignKey("backfill.id"))
    backfill_date_id: Mapped[int | None] = mapped_column(ForeignKey("backfill_date.id"))
    origin: Mapped[str] = mapped_column(String(16))
    unit: Mapped[str] = mapped_column(String(16))
    listing: Mapped[str] = mapped_column(String(16))
    environment: Mapped[str] = mapped_column(String(8))

    name: Mapped[str] = mapped_column(Text)
    task_key: Mapped[str] = mapped_column(Text)
    project: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(String(32))
    tags: Mapped[str] = mapped_column(Text, default="[]")  # a JSON list, matched as text
    resource_group: Mapped[str] = mapped_column(Text)

    business_date: Mapped[str] = mapped_column(String(10))
    zone: Mapped[str] = mapped_column(String(64))
    cycle: Mapped[str] = mapped_column(String(8))
    ordinal: Mapped[int]  # 1-based place within the business date
    due_at: Mapped[int] = mapped_column(BigInteger)

    status: Mapped[str] = mapped_column(String(16))
    paused: Mapped[bool] = mapped_column(default=False)
    paused_until: Mapped[int | None] = mapped_column(BigInteger)
    dry_run: Mapped[bool] = mapped_column(default=False)
    forced: Mapped[bool] = mapped_column(default=False)  # the current or last run skips upstream and time checks
    set_by_hand: Mapped[bool] = mapped_column(default=False)
    autonomous: Mapped[bool] = mapped_column(default=True)  # the engine may start it: never a folder, nor dev untouched
    priority: Mapped[int] = mapped_column(SmallInteger)
    effective_priority: Mapped[int] = mapped_column(SmallInteger)
    pending: Mapped[int] = mapped_column(default=0)

    attempt: Mapped[int] = mapped_column(default=0)  # number of the last attempt; 0 before the first
    auto_reruns: Mapped[int] = mapped_column(default=0)  # automatic reruns done since the last operator's rerun
    reruns: Mapped[int] = mapped_column(default=0)  # automatic reruns configured
    rerun_interval_ms: Mapped[int] = mapped_column(BigInteger, default=300_000)
    rerun_after_timeout: Mapped[bool] = mapped_column(default=False)
    timeout_ms: Mapped[int] = mapped_column(BigInteger, default=172_800_000)
    retry_at: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(Text, default="")  # the signature of the last failure
    rev: Mapped[int] = mapped_column(BigInteger)


class InstanceDependency(Base):
    """An edge between two executable instances.

    Edges of one downstream with the same `requirement` are alternatives: any one of them Succeeded satisfies it, which
    is how a dependency on a field reads (section 9.2). `alternative` marks those, so that the plain ones stay cheap.
    """

    __tablename__ = "instance_dependency"
    __table_args__ = {"sqlite_with_rowid": False}

    downstream_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), primary_key=True)
    requirement: Mapped[int] = mapped_column(primary_key=True)
    upstream_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), primary_key=True)
    alternative: Mapped[bool] = mapped_column(default=False)


class VacuousDependency(Base):
    """A declared upstream that had no instance for this downstream: satisfied, and flagged (section 10.2)."""

    __tablename__ = "vacuous_dependency"
    __table_args__ = {"sqlite_with_rowid": False}

    downstream_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), primary_key=True)
    dependency_id: Mapped[int] = mapped_column(Id, primary_key=True)
    upstream_key: Mapped[str] = mapped_column(Text)


class Attempt(Base):
    """One execution of an instance; a rerun appends one. The row is also the outbox to the executor.

    `token` fences: it is the `rev` of the dispatching transaction, and a report with another one changes nothing.
    `lease_until` is set from the first moment, so an attempt that never reports is found as well. `stop_requested`
    stands as long as somebody may still work on an attempt that an operator has ended.
    """

    __tablename__ = "attempt"
    __table_args__ = {"sqlite_with_rowid": False}

    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(12))  # dispatched running ok failed stopped timeout lost
    trigger: Mapped[str] = mapped_column(String(12))  # schedule retry rerun forced
    dispatched_at: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    lease_until: Mapped[int] = mapped_column(BigInteger)
    deadline_at: Mapped[int] = mapped_column(BigInteger)
    exit_code: Mapped[int | None]
    why: Mapped[str] = mapped_column(Text, default="")
    log: Mapped[str] = mapped_column(Text, default="")
    stop_requested: Mapped[bool] = mapped_column(default=False)


class Transition(Base):
    """The journal: one row for each change of status. The status of a row is that of its last entry, always."""

    __tablename__ = "transition"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(BigInteger, index=True)
    at: Mapped[int] = mapped_column(BigInteger)
    before: Mapped[str | None] = mapped_column(String(16))
    after: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(Text)  # empty for the engine
    attempt: Mapped[int]
    rev: Mapped[int] = mapped_column(BigInteger)


# --- who did what, who may act ----------------------------------------------------------------------------------------


class Operation(Base):
    """The ledger: one record for each thing an operator did or was refused; chained by hash (section 19)."""

    __tablename__ = "operation"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)  # made by the client: the same one acts once
    verb: Mapped[str] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(16), default="instance")  # what its items are
    actor: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text, default="")  # where from: console, cli, SSH connection
    at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text, default="")
    command: Mapped[str] = mapped_column(Text, default="")
    arguments: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))  # applying done partly_done failed cancelled refused
    acts: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    previous_hash: Mapped[str] = mapped_column(String(64), default="")
    hash: Mapped[str] = mapped_column(String(64), default="")
    rev: Mapped[int] = mapped_column(BigInteger, index=True)


class OperationApplier(Base):
    """The process that is applying a record; gone once the record is closed, so what is left here died on the way."""

    __tablename__ = "operation_applier"

    operation_id: Mapped[int] = mapped_column(ForeignKey("operation.id"), primary_key=True)
    boot_id: Mapped[str] = mapped_column(Text)
    pid: Mapped[int]
    pid_started: Mapped[str] = mapped_column(String(32))


class OperationItem(Base):
    """What one record did to one target, or why it did not (section 6); the record's `kind` says what a target is."""

    __tablename__ = "operation_item"
    __table_args__ = {"sqlite_with_rowid": False}

    operation_id: Mapped[int] = mapped_column(ForeignKey("operation.id"), primary_key=True)
    target_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    name: Mapped[str] = mapped_column(Text)
    before: Mapped[str] = mapped_column(String(24))
    after: Mapped[str] = mapped_column(String(24))
    outcome: Mapped[str] = mapped_column(String(12))  # planned ok skipped refused failed
    reason: Mapped[str] = mapped_column(Text, default="")


class EngineLease(Base):
    """Who drives this database: one row, whose epoch every engine transaction re-checks."""

    __tablename__ = "engine_lease"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(BigInteger)
    holder: Mapped[str] = mapped_column(Text)  # user@host
    boot_id: Mapped[str] = mapped_column(String(64))
    pid: Mapped[int]
    pid_started: Mapped[str] = mapped_column(String(32))
    renewed_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    tick_at: Mapped[int] = mapped_column(BigInteger)


# --- the engine's questions, and the lists', as indexes ---------------------------------------------------------------


def status_is(*statuses: Status) -> ColumnElement[bool]:
    """A condition on the status written literally, so that a partial index with the same words serves it."""
    if len(statuses) == 1:
        return Instance.status == literal_column(f"'{statuses[0]}'")
    return Instance.status.in_([literal_column(f"'{status}'") for status in statuses])


LIVE = Instance.paused.is_(false())
READY = (
    status_is(Status.NOT_RUNNING) & (Instance.pending == literal_column("0")) & LIVE & Instance.autonomous.is_(true())
)
WAITING = status_is(Status.WAITING_TIME) & LIVE
QUEUED = status_is(Status.THROTTLED, Status.WAITING_RESOURCE) & LIVE
RUNNING = status_is(Status.RUNNING)
FAILED = status_is(Status.FAILED)
RETRYING = Instance.retry_at.is_not(None)
PAUSED = Instance.paused.is_(true())
OPEN_ATTEMPT = Attempt.ended_at.is_(None)
TO_BE_STOPPED = Attempt.stop_requested.is_(true())
UNSUBMITTED = Backfill.state != literal_column("'submitted'")
IN_FLIGHT = BackfillDate.state == literal_column("'begun'")


def or_zero(column: Any) -> ColumnElement[int]:
    """A column as the index on the business key has it."""
    return func.coalesce(column, literal_column("0"))


def _partial(name: str, where: ColumnElement[bool], *columns: Any) -> Index:
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


_partial("ix_instance_ready", READY, Instance.due_at)
_partial("ix_instance_waiting", WAITING, Instance.due_at)
_partial("ix_instance_queued", QUEUED, Instance.effective_priority, Instance.due_at, Instance.id)
_partial("ix_instance_running", RUNNING, Instance.resource_group)
_partial("ix_instance_failed", FAILED, Instance.due_at)
_partial("ix_instance_retry", RETRYING, Instance.retry_at)
_partial("ix_instance_paused", PAUSED, Instance.paused_until)
_partial("ix_instance_parent", Instance.parent_id.is_not(None), Instance.parent_id)
_partial(  # a folder's rows are read in their order, its listed ones without its nodes
    "ix_instance_backfill",
    Instance.backfill_id.is_not(None),
    Instance.backfill_id,
    Instance.backfill_date_id,
    Instance.listing,
    Instance.due_at,
)
_partial("ix_backfill_unsubmitted", UNSUBMITTED, Backfill.submit_after_at)
_partial("ix_backfill_date_in_flight", IN_FLIGHT, BackfillDate.backfill_id)
_partial("ix_attempt_open", OPEN_ATTEMPT, Attempt.deadline_at, Attempt.lease_until)
_partial("ix_attempt_stop", TO_BE_STOPPED, Attempt.instance_id)

Index(
    "uq_instance_business_key",
    Instance.task_id,
    or_zero(Instance.node_id),
    Instance.business_date,
    Instance.ordinal,
    or_zero(Instance.backfill_id),
    unique=True,
)
Index("ix_instance_list", Instance.environment, Instance.origin, Instance.listing, Instance.due_at)
Index(
    "ix_instance_night",
    Instance.environment,
    Instance.origin,
    Instance.listing,
    Instance.business_date,
    Instance.due_at,
)
Index("ix_instance_date", Instance.business_date, Instance.due_at)
Index("ix_instance_rev", Instance.rev)
Index(
    "ix_instance_dependency_upstream",  # holds all that a release asks, so that it never reads the edge itself
    InstanceDependency.upstream_id,
    InstanceDependency.downstream_id,
    InstanceDependency.requirement,
    InstanceDependency.alternative,
)
