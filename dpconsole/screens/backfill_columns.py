"""The columns of the tree of backfills (RULES.md 4.2), and what each layer says in them.

A backfill, a data timestamp and an instance share every column; `each` puts side by side what the three say in it.
`priority` says in which order columns leave a narrow terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dpconsole.core.domain.backfills import BackfillState, DateState
from dpconsole.core.domain.clock import to_datetime
from dpconsole.core.services import BackfillNode, DateNode, InstanceNode, Standing, TreeRow
from dpconsole.screens.instance_columns import object_cell, priority_cell
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_moment, show_took
from dpconsole.widgets.columns import Column
from dpconsole.widgets.ink import Cell, Ink, pieces
from dpconsole.widgets.status import chips, status_cell

Show = Callable[[Any], Cell]


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A row of the tree as it is listed: whether it is a folder that is open, closed, or no folder."""

    row: TreeRow
    unfolded: bool | None

    @property
    def id(self) -> int:
        """The number of the row."""
        return self.row.id

    @property
    def depth(self) -> int:
        """Levels of indentation."""
        return self.row.depth


def is_left_out(row: TreeRow) -> bool:
    """Whether a row is, or belongs to, a data timestamp that was left out."""
    return row.excluded if isinstance(row, InstanceNode) else isinstance(row, DateNode) and is_excluded(row)


def is_excluded(row: DateNode) -> bool:
    """Whether a data timestamp was left out of its backfill."""
    return row.state is DateState.EXCLUDED


def each(backfill: Show, date: Show, instance: Show) -> Callable[[TreeLine], Cell]:
    """What a column shows, by layer; what was left out is dim in every column."""
    shows: Mapping[type, Show] = {BackfillNode: backfill, DateNode: date, InstanceNode: instance}

    def render(line: TreeLine) -> Cell:
        cell = shows[type(line.row)](line.row)
        return [(text, Ink.DIM) for text, _ in pieces(cell)] if is_left_out(line.row) else cell

    return render


def folder_status(row: BackfillNode | DateNode) -> Cell:
    """The status a folder comes to, with what is paused of it."""
    if isinstance(row, DateNode):
        return standing_cell(row.standing, row.state)
    initialising = [(" initialising", Ink.DIM)] if row.state is BackfillState.SUBMITTING else []
    return [*standing_cell(row.standing), *initialising]


def standing_cell(standing: Standing, state: DateState | None = None) -> Cell:
    """The status that a standing comes to; of a data timestamp that was left out, that it was."""
    if state is DateState.EXCLUDED:
        return [("left out", Ink.DIM)]
    paused = [(f" {standing.paused}", Ink.ACCENT)] if standing.paused else []
    return [*status_cell(standing.status), *paused]


def _short_folder_status(row: BackfillNode | DateNode) -> Cell:
    if isinstance(row, DateNode) and is_excluded(row):
        return folder_status(row)
    return status_cell(row.standing.status, paused=row.standing.held)


def _name(row: BackfillNode) -> Cell:
    return [(row.name if row.name.strip() else row.key, Ink.STRONG)]


def _dates(row: BackfillNode) -> Cell:
    if row.first_date == row.last_date:
        return row.first_date
    return f"{row.first_date[5:]}..{row.last_date[5:]} {row.dates:,}d"


def _turn(row: DateNode) -> Cell:
    return [(f"queue {row.queue} · {row.position}", Ink.DIM)]


def _dim(text: str) -> Cell:
    return [(text, Ink.DIM)]


def _nothing(_row: TreeRow) -> Cell:
    return ""


def columns(session: Session) -> tuple[Column, ...]:
    """Every column of the tree."""

    def moment(ms: int | None) -> Cell:
        zone = session.services.zone
        today = to_datetime(session.now, zone).date() - timedelta(days=1)
        text = show_moment(ms, session.times, zone, session.now, today)
        return [(text, Ink.DIM if text == "-" else Ink.PLAIN)]

    def took(row: BackfillNode | DateNode) -> Cell:
        return show_took(row.standing.started_at, row.standing.ended_at, session.now)

    def instance_status(node: InstanceNode, width: int | None = None) -> Cell:
        return status_cell(node.row.status, paused=node.row.paused, width=width)

    return (
        Column(
            "name",
            "Backfill - data timestamp",
            36,
            each(_name, lambda row: row.business_date, lambda node: object_cell(node.row)),
            min_width=26,
            flex=3,
            sortable=True,
        ),
        Column("id", "ID", 22, each(_key, _key, lambda node: node.row.key), priority=15),
        Column(
            "status",
            "Status",
            26,
            each(folder_status, folder_status, instance_status),
            min_width=19,
            short=each(_short_folder_status, _short_folder_status, lambda node: instance_status(node, 0)),
        ),
        Column("counts", "Instances", 20, each(_chips, _chips, _nothing), min_width=12, priority=6),
        Column("flow", "Flow / prio", 14, each(_flow, _turn, lambda node: priority_cell(node.row)), "left", 10),
        Column(
            "submitter",
            "Submitter",
            11,
            each(_submitter, lambda row: _dim(row.state), lambda node: node.row.owner),
            "left",
            5,
            sortable=True,
            min_width=9,
        ),
        Column(
            "submitted",
            "Time / due",
            12,
            each(
                lambda row: moment(row.submitted_at),
                lambda row: moment(row.begun_at),
                lambda node: moment(node.row.due_at),
            ),
            "right",
            4,
            sortable=True,
        ),
        Column(
            "biz",
            "Data timestamp",
            17,
            each(_dates, lambda row: row.business_date, lambda node: _dim(node.row.business_date)),
            "left",
            7,
        ),
        Column(
            "started",
            "Start",
            11,
            each(_started(moment), _started(moment), lambda node: moment(node.row.started_at)),
            "right",
            8,
        ),
        Column(
            "ended",
            "End",
            11,
            each(_ended(moment), _ended(moment), lambda node: moment(node.row.ended_at)),
            "right",
            9,
            sortable=True,
        ),
        Column(
            "took",
            "Took",
            9,
            each(took, took, lambda node: show_took(node.row.started_at, node.row.ended_at, session.now)),
            "right",
            2,
            sortable=True,
            min_width=6,
        ),
        Column("nodes", "Nodes", 6, each(_nodes, _nodes, lambda node: _dim(node.row.retries)), "right", 3),
        Column(
            "tag",
            "Tags",
            14,
            each(lambda row: ", ".join(row.tags), _nothing, lambda node: ", ".join(node.row.tags)),
            "left",
            12,
            min_width=8,
        ),
    )


def _key(row: BackfillNode | DateNode) -> Cell:
    return row.key


def _chips(row: BackfillNode | DateNode) -> Cell:
    return chips(row.standing.counts)


def _flow(row: BackfillNode) -> Cell:
    return row.flow


def _submitter(row: BackfillNode) -> Cell:
    return row.submitter


def _nodes(row: BackfillNode | DateNode) -> Cell:
    return f"{row.standing.nodes:,}"


def _started(moment: Callable[[int | None], Cell]) -> Show:
    return lambda row: moment(row.standing.started_at)


def _ended(moment: Callable[[int | None], Cell]) -> Show:
    return lambda row: moment(row.standing.ended_at)
