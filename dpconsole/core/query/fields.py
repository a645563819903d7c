"""Every field a query may name, for each kind of list: what it is called, how it is read, and the column behind it.

This is the allow-list: nothing else of a table can be reached from a query. How a kind of field becomes SQL stands in
`compiling`; what is offered while an operator types comes from here as well, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto

from sqlalchemy import false

from dpconsole.core.domain.backfills import BackfillState, Recurrence
from dpconsole.core.domain.definitions import Cycle, Method, Origin, TaskType, Unit
from dpconsole.core.domain.statuses import SYNONYMS, WAITING, NormalisedStatus, Status
from dpconsole.core.query.matching import Column
from dpconsole.core.query.values import DAY_WORDS, DURATION_WORDS, MOMENT_WORDS, PRIORITY_WORDS, Vocabulary
from dpconsole.core.store.models import Backfill, Instance, Operation, Task


class ListKind(StrEnum):
    """What a list holds; the word the command line uses for it."""

    INSTANCES = auto()
    TASKS = auto()
    BACKFILLS = auto()
    RECORDS = auto()


class Kind(StrEnum):
    """How the values of a field are read and matched."""

    NAME = auto()  # anywhere in the text, any case; with * the whole text; with = exactly
    EXACT = auto()  # the whole text; * stands for anything
    USER = auto()  # like EXACT, and `me`
    ID = auto()  # a number, or an external key
    TASK_ID = auto()  # the workspace's id of a task, or its number
    TASK = auto()  # the task of an instance, by id, by name or by number
    WORD = auto()  # one of a few known words
    FLAG = auto()  # yes or no
    PAUSED = auto()  # a flag; a logical table has it when one of its nodes has
    PRIORITY = auto()
    DAY = auto()  # a business date
    MOMENT = auto()  # a time
    DURATION = auto()  # how long an instance took, or is taking
    NUMBER = auto()
    TAG = auto()  # an element of a JSON list
    FOLDER = auto()  # a folder and what is below it; with = the folder alone
    BASELINE = auto()  # a baseline that protects the task
    BACKFILL = auto()  # a backfill, by name or number
    BACKFILL_STATUS = auto()  # what the instances of a backfill come to (section 8.2)
    BACKFILL_DAY = auto()  # a data timestamp of a backfill
    BACKFILL_TASK = auto()  # a task a backfill covers, by id, by name or by number


ORDERED = frozenset({Kind.PRIORITY, Kind.DAY, Kind.MOMENT, Kind.DURATION, Kind.NUMBER, Kind.BACKFILL_DAY})
"""Kinds that `>`, `<` and `..` make sense for."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in a query, its kind, its column, and a line of help.

    `vocabulary` holds the words of a WORD field; `prefix` the first letter of an external key.
    """

    name: str
    kind: Kind
    column: Column
    about: str
    vocabulary: Vocabulary = Vocabulary({}, {})  # noqa: RUF009
    prefix: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """What may be offered as a value."""
        return tuple(self.vocabulary.words) or _OFFERED.get(self.kind, ())


FLAG_WORDS = ("yes", "no")

_OFFERED: Mapping[Kind, tuple[str, ...]] = {
    Kind.FLAG: FLAG_WORDS,
    Kind.PAUSED: FLAG_WORDS,
    Kind.USER: ("me",),
    Kind.PRIORITY: PRIORITY_WORDS,
    Kind.DAY: DAY_WORDS,
    Kind.BACKFILL_DAY: DAY_WORDS,
    Kind.MOMENT: MOMENT_WORDS,
    Kind.DURATION: DURATION_WORDS,
}

FLAGS = Vocabulary(
    {"yes": (True,), "no": (False,)},
    {word: (truth,) for truth, words in ((True, "true on y 1"), (False, "false off n 0")) for word in words.split()},
)
"""Yes and no."""

STATUSES = Vocabulary(
    {
        **{status.lower(): (status,) for status in Status},
        "waiting": tuple(status for status in Status if status in WAITING),
    },
    {**{status.label: (status,) for status in Status}, **{word: (status,) for word, status in SYNONYMS.items()}},
)
"""A run status by enum, label or synonym, and `waiting` for the family (section 2.1)."""

_FOLDER_STATUSES = tuple(status for status in NormalisedStatus if status is not NormalisedStatus.WAITING)
FOLDER_STATUSES = Vocabulary(
    {status.lower(): (status,) for status in _FOLDER_STATUSES},
    {"success": (NormalisedStatus.SUCCEEDED,), "not run": (NormalisedStatus.NOT_RUNNING,)},
)
"""What a backfill can come to (section 8.2)."""

BACKFILL_STATES = Vocabulary.of(BackfillState)
RECURRENCES = Vocabulary.of(Recurrence)
CYCLES = Vocabulary.of(
    Cycle,
    minutely=Cycle.MINUTE,
    hourly=Cycle.HOUR,
    daily=Cycle.DAY,
    weekly=Cycle.WEEK,
    monthly=Cycle.MONTH,
    yearly=Cycle.YEAR,
)
TYPES = Vocabulary.of(TaskType, max_compute_sql=TaskType.MAXCOMPUTE_SQL)
UNITS = Vocabulary.of(Unit)
ORIGINS = Vocabulary.of(Origin, normal=Origin.RECURRING, supplement=Origin.BACKFILL)
METHODS = Vocabulary.of(Method, skip_execution=Method.PAUSED)
TASK_STATUSES = Vocabulary.of(("draft", "developing", "submitted", "submitting"))
SUBMIT_STATUSES = Vocabulary(
    {
        "submitting": ("submitting",),
        "succeeded": ("submission_succeeded",),
        "failed": ("submission_failed",),
        "warning": ("succeeded_with_warning",),
    },
    {name: (name,) for name in ("submission_succeeded", "submission_failed", "succeeded_with_warning")},
)
RECORD_STATES = Vocabulary.of(("applying", "done", "partly_done", "failed", "cancelled", "refused"))


def _by_name(fields: Iterable[Field]) -> dict[str, Field]:
    return {field.name: field for field in fields}


INSTANCE_FIELDS = _by_name(
    (
        Field("name", Kind.NAME, Instance.name, "the instance's name; part of it is enough"),
        Field("id", Kind.ID, Instance.id, "the instance id, whole or its last number", prefix="t"),
        Field("task", Kind.TASK, Instance.task_id, "its task: project.name, name or number"),
        Field("project", Kind.EXACT, Instance.project, "its project"),
        Field("owner", Kind.USER, Instance.owner, "its owner; me is you"),
        Field("status", Kind.WORD, Instance.status, "its run status; waiting is any of the three", STATUSES),
        Field("paused", Kind.PAUSED, Instance.paused, "paused"),
        Field("dry_run", Kind.FLAG, Instance.dry_run, "a dry run"),
        Field("forced", Kind.FLAG, Instance.forced, "its last run was a forced rerun"),
        Field("prio", Kind.PRIORITY, Instance.effective_priority, "the priority it queues with"),
        Field("biz", Kind.DAY, Instance.business_date, "its data timestamp"),
        Field("due", Kind.MOMENT, Instance.due_at, "its scheduled time"),
        Field("started", Kind.MOMENT, Instance.started_at, "when its last run started"),
        Field("ended", Kind.MOMENT, Instance.ended_at, "when its last run ended"),
        Field("took", Kind.DURATION, Instance.started_at, "how long it ran, or has been running"),
        Field("attempt", Kind.NUMBER, Instance.attempt, "how often it was run"),
        Field("cycle", Kind.WORD, Instance.cycle, "its schedule cycle", CYCLES),
        Field("type", Kind.WORD, Instance.type, "its task type", TYPES),
        Field("unit", Kind.WORD, Instance.unit, "script, pipeline, logical table or node", UNITS),
        Field("origin", Kind.WORD, Instance.origin, "recurring, backfill or manual", ORIGINS),
        Field("backfill", Kind.BACKFILL, Instance.backfill_id, "its backfill, by name or number"),
        Field("group", Kind.EXACT, Instance.resource_group, "its schedule resource group"),
        Field("baseline", Kind.BASELINE, Instance.task_id, "a baseline that protects it"),
        Field("tag", Kind.TAG, Instance.tags, "one of its tags"),
        Field("error", Kind.NAME, Instance.error, "its last error; part of it is enough"),
    )
)

TASK_FIELDS = _by_name(
    (
        Field("name", Kind.NAME, Task.name, "the task's name; part of it is enough"),
        Field("id", Kind.TASK_ID, Task.id, "the task's id: project.name, or its number", prefix="n"),
        Field("project", Kind.EXACT, Task.project, "its project"),
        Field("type", Kind.WORD, Task.type, "its type", TYPES),
        Field("unit", Kind.WORD, Task.unit, "script, pipeline or logical table", UNITS),
        Field("method", Kind.WORD, Task.method, "its scheduling method", METHODS),
        Field("cycle", Kind.WORD, Task.cycle, "its schedule cycle", CYCLES),
        Field("owner", Kind.USER, Task.owner, "its development owner; me is you"),
        Field("opowner", Kind.USER, Task.operation_owner, "its operation owner; me is you"),
        Field("status", Kind.WORD, Task.status, "its task status", TASK_STATUSES),
        Field("submit", Kind.WORD, Task.submit_status, "how its last submission ended", SUBMIT_STATUSES),
        Field("published", Kind.FLAG, Task.published, "published"),
        Field("conditional", Kind.FLAG, false(), "scheduled under a condition; no task of this store is"),
        Field("prio", Kind.PRIORITY, Task.priority, "its priority"),
        Field("table", Kind.NAME, Task.output_table, "its output table; part of the name is enough"),
        Field("template", Kind.EXACT, Task.template, "the computing template it refers to"),
        Field("created", Kind.MOMENT, Task.created_at, "when it was created"),
        Field("modified", Kind.MOMENT, Task.modified_at, "when it was last modified"),
        Field("tag", Kind.TAG, Task.tags, "one of its tags"),
        Field("folder", Kind.FOLDER, Task.folder, "its folder and those below; folder=/x for that one alone"),
        Field("lock", Kind.USER, Task.lock_holder, "who holds its lock; me is you"),
        Field("baseline", Kind.BASELINE, Task.id, "a baseline that protects it"),
    )
)

BACKFILL_FIELDS = _by_name(
    (
        Field("name", Kind.NAME, Backfill.name, "the backfill's name; part of it is enough"),
        Field("id", Kind.ID, Backfill.id, "its id, whole or its last number", prefix="f"),
        Field("status", Kind.BACKFILL_STATUS, Backfill.id, "what its instances come to", FOLDER_STATUSES),
        Field("project", Kind.EXACT, Backfill.project, "its project"),
        Field("submitter", Kind.USER, Backfill.submitter, "who submitted it; me is you"),
        Field("submitted", Kind.MOMENT, Backfill.submitted_at, "when it was submitted"),
        Field("biz", Kind.BACKFILL_DAY, Backfill.id, "a data timestamp of it"),
        Field("task", Kind.BACKFILL_TASK, Backfill.id, "a task it covers: project.name, part of the name, or number"),
        Field("state", Kind.WORD, Backfill.state, "where its submission stands", BACKFILL_STATES),
        Field("due", Kind.MOMENT, Backfill.submit_after_at, "when it is to be submitted"),
        Field("recurrence", Kind.WORD, Backfill.recurrence, "how often its flow makes one", RECURRENCES),
        Field("flow", Kind.NAME, Backfill.flow, "the saved flow that made it; part of the name is enough"),
        Field("tag", Kind.TAG, Backfill.tags, "one of its tags"),
    )
)

RECORD_FIELDS = _by_name(
    (
        Field("id", Kind.ID, Operation.id, "the record's number"),
        Field("verb", Kind.EXACT, Operation.verb, "what was done"),
        Field("actor", Kind.USER, Operation.actor, "who did it; me is you"),
        Field("state", Kind.WORD, Operation.state, "how it ended", RECORD_STATES),
        Field("at", Kind.MOMENT, Operation.at, "when it was done"),
        Field("reason", Kind.NAME, Operation.reason, "the reason given; part of it is enough"),
    )
)

FIELDS: Mapping[ListKind, Mapping[str, Field]] = {
    ListKind.INSTANCES: INSTANCE_FIELDS,
    ListKind.TASKS: TASK_FIELDS,
    ListKind.BACKFILLS: BACKFILL_FIELDS,
    ListKind.RECORDS: RECORD_FIELDS,
}
"""Every field, by kind of list and name."""

NAMED: Mapping[ListKind, tuple[str, ...]] = {
    ListKind.INSTANCES: ("name", "id"),
    ListKind.TASKS: ("name", "id"),
    ListKind.BACKFILLS: ("name", "id", "task"),
    ListKind.RECORDS: ("verb", "reason", "id"),
}
"""The fields a bare word is looked for in."""
