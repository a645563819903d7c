"""The columns of the two lists of recurring instances (RULES.md 4.1), and how one cell of each is written.

A column's id is the name of the query field behind it, so that `s` can sort by it and `,` can mark rows like it.
`priority` says in which order columns leave a narrow terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from dpconsole.core.domain.definitions import Cycle, Priority
from dpconsole.core.services import InstanceRow, TaskRow
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_moment, show_took
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink, Piece
from dpconsole.widgets.status import chips, instance_marks, status_cell

SUB_DAY = frozenset({Cycle.MINUTE, Cycle.HOUR})
"""Cycles whose instances carry their ordinal within the day (RULES.md 1)."""

PRIORITY_INKS: dict[Priority, Ink] = {Priority.HIGHEST: Ink.STRONG, Priority.HIGH: Ink.STRONG, Priority.LOWEST: Ink.DIM}

RAISED = " ⓑ"
"""Beside a priority that a baseline has raised."""


def instance_name(row: InstanceRow) -> str:
    """The name of an instance; within a day its ordinal tells it from its siblings."""
    return f"{row.name}#{row.ordinal:02}" if row.cycle in SUB_DAY else row.name


def object_cell(row: InstanceRow) -> Cell:
    """Name and marks, in that order: a narrow column keeps the name."""
    marks = instance_marks(dry_run=row.dry_run, paused=row.paused, forced=row.forced, set_by_hand=row.set_by_hand)
    return [(instance_name(row), Ink.PLAIN), *(_spaced(marks))]


def running_status_cell(row: InstanceRow) -> Cell:
    """The status of an instance; of a logical table, the chips of its fields and of its nodes."""
    if row.node_chips is None:
        return status_cell(row.status, paused=row.paused)
    held: list[Piece] = [("⏸ ", Ink.ACCENT)] if row.paused else []
    fields = chips(row.field_chips or {})
    return [*held, ("fields ", Ink.DIM), *fields, ("  nodes ", Ink.DIM), *chips(row.node_chips)]


def priority_cell(row: InstanceRow) -> Cell:
    """The effective priority, and whether a baseline raised it above the configured one."""
    priority = Priority.of(row.effective_priority)
    words = priority.value.capitalize() + (RAISED if row.effective_priority < row.priority else "")
    return [(words, PRIORITY_INKS.get(priority, Ink.PLAIN))]


def project_cell(row: InstanceRow | TaskRow) -> Cell:
    """`English name (Chinese name)`."""
    return f"{row.project} ({row.project_title})" if row.project_title else row.project


def _spaced(pieces: list[Piece]) -> list[Piece]:
    return [(f" {text}", ink) for text, ink in pieces]


def _status(row: InstanceRow) -> Cell:
    return status_cell(row.status, paused=row.paused)


def _short_status(row: InstanceRow) -> Cell:
    return status_cell(row.status, paused=row.paused, width=0)


def _moment(session: Session, value: Callable[[InstanceRow], int | None]) -> Callable[[InstanceRow], Cell]:
    def render(row: InstanceRow) -> Cell:
        zone = session.services.zone
        text = show_moment(value(row), session.times, zone, session.now, date.fromisoformat(row.business_date))
        return [(text, Ink.DIM if text == "-" else Ink.PLAIN)]

    return render


def _took(session: Session) -> Callable[[InstanceRow], Cell]:
    return lambda row: show_took(row.started_at, row.ended_at, session.now)


def _columns(session: Session) -> Mapping[str, Column]:
    """Every column, by id; the two lists choose from them."""
    every = (
        Column("name", "Instance Object", 30, object_cell, min_width=24, flex=3, sortable=True),
        Column("id", "Instance ID", 22, lambda row: row.key, priority=15),
        Column("status", "Status", 32, _status, min_width=19, short=_short_status),
        Column("chips", "Running Status", 34, running_status_cell, min_width=22, flex=1),
        Column("cycle", "Cycle", 6, lambda row: row.cycle, priority=8),
        Column("biz", "Data date", 10, lambda row: row.business_date, priority=6),
        Column("due", "Due", 11, _moment(session, lambda row: row.due_at), "right", 3, True, 5),
        Column("started", "Start", 11, _moment(session, lambda row: row.started_at), "right", 7, True, 5),
        Column("ended", "End", 11, _moment(session, lambda row: row.ended_at), "right", 9, True, 5),
        Column("took", "Took", 9, _took(session), "right", 4, True, 6),
        Column("retries", "Retry", 5, lambda row: row.retries, "right", 10),
        Column("prio", "Prio", 9, priority_cell, "left", 5),
        Column("owner", "Owner", 10, lambda row: row.owner, "left", 2, min_width=6),
        Column("project", "Project", 22, project_cell, "left", 11, min_width=16),
        Column("baseline", "Baselines", 18, lambda row: ", ".join(row.baselines), "left", 12, min_width=10),
        Column("group", "Resource group", 14, lambda row: row.resource_group, "left", 13, min_width=8),
        Column("tag", "Tags", 14, lambda row: ", ".join(row.tags), "left", 14, min_width=8),
    )
    return {column.id: column for column in every}


COMPUTING = (
    "name", "id", "status", "cycle", "biz", "due", "started", "ended", "took", "retries", "prio", "owner", "project",
    "baseline", "group", "tag",
)  # fmt: skip
MODELING = (
    "name", "chips", "cycle", "biz", "due", "started", "ended", "took", "prio", "owner", "project", "baseline", "tag",
)  # fmt: skip

LISTINGS: dict[str, tuple[str, ...]] = {"computing": COMPUTING, "modeling": MODELING}
"""The columns of each tab, in the order of RULES.md 4.1."""


def instance_columns(session: Session, listing: str) -> tuple[Column, ...]:
    """The columns of one tab, those the operator took away left out."""
    every = _columns(session)
    return tuple(every[column] for column in LISTINGS[listing])
