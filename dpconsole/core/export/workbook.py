"""The downloads of the product: which rows, which columns in which order, under which name (section 4.1).

A download reads its rows by pages of ids, each in a short read of its own, so that an engine at work is never held up
and the memory does not grow with the rows. A row is as it stood when its page was read.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO, Generic, TypeAlias

from sqlalchemy import Connection, and_

from dpconsole.core.domain.clock import to_datetime
from dpconsole.core.domain.definitions import Origin, Unit
from dpconsole.core.domain.priorities import priority_label
from dpconsole.core.export.places import Check, stamped, unless, write_new
from dpconsole.core.export.sheets import Column, Row, Sheet, write_workbook
from dpconsole.core.store.models import Instance
from dpconsole.core.store.pages import InstanceRow, instance_rows, snapshot
from dpconsole.core.store.session import Store

RECURRING = "Dataphin_recurring_instance"
"""What the name of the download of recurring instances begins with."""

BACKFILL = "Dataphin_data_backfill_instance"
"""What the name of the download of backfills begins with (section 4.2)."""

_NAMED = Column[InstanceRow]("Data Backfill Name", lambda row: row.backfill or "", 36)
_KINDS: Mapping[bool, tuple[str, str, tuple[Column[InstanceRow], ...]]] = {
    False: (RECURRING, "Recurring Instances", ()),
    True: (BACKFILL, "Data Backfill Instances", (_NAMED,)),
}
"""By whether instances are of backfills: the stem of the file's name, the sheet's, the columns it has more."""

PAGE = 500
"""Rows read at a time, and between two looks at whether to go on."""

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many rows of how many are written."""

_JOINT = ", "


@dataclass(frozen=True, slots=True)
class Download(Generic[Row]):
    """One kind of download: the stem of its file name, how rows are read by their ids, and how they look."""

    stem: str
    read: Callable[[Connection, Collection[int]], Sequence[Row]]
    sheet: Sheet[Row]


def recurring_ids(store: Store, environment: str) -> array[int]:
    """All recurring instances of an environment (prod, dev) that lists show, computing first, each by due time."""
    listed = and_(Instance.environment == environment, Instance.origin == Origin.RECURRING, Instance.listing > "")
    with store.read() as connection:
        return snapshot(connection, listed, [Instance.listing.asc(), Instance.due_at.asc()])


def export_instances(
    store: Store,
    ids: Sequence[int],
    directory: Path,
    now_ms: int,
    zone: tzinfo,
    *,
    of_backfills: bool = False,
    progress: Progress = lambda _done, _total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """Write the recurring instances with these ids, in their order, as `Dataphin_recurring_instance_{time}.xlsx`.

    Those of backfills are `Dataphin_data_backfill_instance_{time}.xlsx`, with the name of the backfill as a column more
    (section 4.2). For all recurring ones see `recurring_ids`. Times are written in `zone`, that of the project; ids
    that name nothing are left out. It takes about half a millisecond a row, so it wants a thread of its own; `progress`
    and `is_cancelled` are called there. Raises ExportCancelled, ExportError and StoreError, and leaves nothing behind.
    """
    stem, title, own = _KINDS[of_backfills]
    sheet = Sheet(title, (*instance_columns(now_ms, zone), *own), f"Times are in {zone}.")
    download = Download(stem, instance_rows, sheet)
    return write_download(download, store, ids, directory, now_ms, zone, progress, is_cancelled)


def write_download(
    download: Download[Row],
    store: Store,
    ids: Sequence[int],
    directory: Path,
    now_ms: int,
    zone: tzinfo,
    progress: Progress,
    is_cancelled: Callable[[], bool],
) -> Path:
    """Write any download; see `export_instances`."""

    check = unless(is_cancelled)

    def write(file: BinaryIO) -> None:
        write_workbook(file, download.sheet, _pages(download, store, ids, progress, check), now_ms)

    return write_new(directory, stamped(download.stem, now_ms, zone, ".xlsx"), write, check)


def _pages(
    download: Download[Row], store: Store, ids: Sequence[int], progress: Progress, check: Check
) -> Iterator[Sequence[Row]]:
    for start in range(0, len(ids), PAGE):
        check()
        with store.read() as connection:
            rows = download.read(connection, ids[start : start + PAGE])
        yield rows
        progress(min(start + PAGE, len(ids)), len(ids))


# --- columns ----------------------------------------------------------------------------------------------------------


def instance_columns(now_ms: int, zone: tzinfo) -> tuple[Column[InstanceRow], ...]:
    """The columns of Download All, in order (section 4.1); a run that goes on is counted up to `now_ms`."""

    def moment(ms: int | None) -> str:
        return "" if ms is None else f"{to_datetime(ms, zone):%Y-%m-%d %H:%M:%S}"

    return (
        Column("Instance Object", lambda row: row.name, 36),
        Column("Instance ID", lambda row: row.key, 26),
        Column("Running Status", running_status, 30),
        Column("Schedule Epoch", lambda row: row.cycle.capitalize(), 15),
        Column("Data Timestamp", lambda row: row.business_date, 15),
        Column("Priority", priority, 12),
        Column("Owner", lambda row: row.owner, 14),
        Column("Project", project, 24),
        Column("Scheduled Time", lambda row: moment(row.due_at), 20),
        Column("Start Time", lambda row: moment(row.started_at), 20),
        Column("End Time", lambda row: moment(row.ended_at), 20),
        Column("Runtime", lambda row: runtime(row, now_ms), 12),
        Column("Retry Count/Auto-Retry Count", lambda row: row.retries, 29),
        Column("Related Baseline Instances", lambda row: _JOINT.join(row.baselines), 30),
        Column("Schedule Resource Group", resource_group, 25),
    )


def running_status(row: InstanceRow) -> str:
    """The status in words, and beside it whether the instance is paused (section 2.1)."""
    return f"{row.status.label} (Paused)" if row.paused else row.status.label


def priority(row: InstanceRow) -> str:
    """The priority that counts, marked where a baseline has set it (section 11.3)."""
    return priority_label(row.effective_priority, row.effective_priority != row.priority)


def project(row: InstanceRow) -> str:
    """`English name (Chinese name)` (section 4.1)."""
    return f"{row.project} ({row.project_title})" if row.project_title else row.project


def runtime(row: InstanceRow, now_ms: int) -> str:
    """How long it ran, or has been running, as `hh:mm:ss`, which sorts as it counts."""
    if row.started_at is None:
        return ""
    ended = now_ms if row.ended_at is None else row.ended_at
    minutes, seconds = divmod(max(0, ended - row.started_at) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}"


def resource_group(row: InstanceRow) -> str:
    """Where it takes a slot; empty for modeling (section 4.1)."""
    return "" if row.unit == Unit.LOGICAL_TABLE else row.resource_group
