"""Download All: every column of section 4.1 in order, every row, and nothing left behind by an early end."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from dpconsole.core.domain.clock import parse_iso
from dpconsole.core.domain.statuses import Status
from dpconsole.core.export import workbook
from dpconsole.core.export.places import ExportCancelled, ExportError
from dpconsole.core.export.workbook import export_instances, recurring_ids
from dpconsole.core.store.pages import instance_rows
from dpconsole.core.store.session import Store
from tests.bench.fill import fill
from tests.core.store.night import ADS, DIM, ODS, set_instance, write_night

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = parse_iso("2026-11-20T02:30:00", SHANGHAI)

TITLES = (
    "Instance Object",
    "Instance ID",
    "Running Status",
    "Schedule Epoch",
    "Data Timestamp",
    "Priority",
    "Owner",
    "Project",
    "Scheduled Time",
    "Start Time",
    "End Time",
    "Runtime",
    "Retry Count/Auto-Retry Count",
    "Related Baseline Instances",
    "Schedule Resource Group",
)


def read(path: Path) -> list[tuple[Any, ...]]:
    """The rows of the only sheet, the header first."""
    with closing(load_workbook(path, read_only=True)) as book:
        (sheet,) = book.worksheets
        return list(sheet.values)


def row(store: Store, tmp_path: Path, id: int) -> dict[str, Any]:
    """One instance as the workbook has it, by the titles of its columns."""
    header, values = read(export_instances(store, [id], tmp_path, NOW, SHANGHAI))
    return dict(zip(header, values, strict=True))


@pytest.fixture
def night(sqlite_store: Store) -> Store:
    """A script, a logical table of two nodes, and a script after it."""
    write_night(sqlite_store)
    return sqlite_store


def test_the_name_says_what_it_is_and_when_in_the_zone_of_the_project(night: Store, tmp_path: Path) -> None:
    path = export_instances(night, [ODS], tmp_path, NOW, SHANGHAI)
    assert path == tmp_path.resolve() / "Dataphin_recurring_instance_20261120023000.xlsx"


def test_both_kinds_are_in_one_workbook_with_all_columns_in_order(store: Store, tmp_path: Path) -> None:
    tasks = write_night(store)
    set_instance(
        store,
        ADS,
        status="FAILED",
        due_at=parse_iso("2026-11-20T02:00:00", SHANGHAI),
        started_at=parse_iso("2026-11-20T02:00:01", SHANGHAI) + 250,
        ended_at=parse_iso("2026-11-20T02:11:05", SHANGHAI) + 250,
        attempt=3,
        auto_reruns=1,
        reruns=2,
    )
    path = export_instances(store, recurring_ids(store, "prod"), tmp_path, NOW, SHANGHAI)
    header, ods, ads, dim = read(path)
    assert header == TITLES
    assert [ods[0], dim[0]] == ["ods", "dim"]
    assert ads == (
        "ads",
        f"t_{tasks['trade.ads']}_20261119_{ADS}",
        "Failed",
        "Day",
        "2026-11-19",
        "Medium",
        "lin",
        "trade (交易)",
        "2026-11-20 02:00:00",
        "2026-11-20 02:00:01",
        "2026-11-20 02:11:05",
        "00:11:04",
        "2/2",
        "gmv",
        "default",
    )


def test_all_means_the_recurring_listed_instances_of_the_environment(night: Store) -> None:
    set_instance(night, ODS, environment="dev")
    set_instance(night, ADS, origin="backfill")
    assert list(recurring_ids(night, "prod")) == [DIM]
    assert list(recurring_ids(night, "dev")) == [ODS]


def test_a_choice_of_instances_keeps_its_order(night: Store, tmp_path: Path) -> None:
    path = export_instances(night, [DIM, 999, ODS], tmp_path, NOW, SHANGHAI)
    assert [values[0] for values in read(path)[1:]] == ["dim", "ods"]


@pytest.mark.parametrize(
    ("changed", "title", "words"),
    [
        *(({"status": status.value}, "Running Status", status.label) for status in Status),
        ({"status": "NOT_RUNNING", "paused": True}, "Running Status", "Not Running (Paused)"),
        ({"status": "THROTTLED", "paused": True}, "Running Status", "Throttling (Paused)"),
        ({"cycle": "hour"}, "Schedule Epoch", "Hour"),
        ({"priority": 5, "effective_priority": 1}, "Priority", "Highest ⓑ"),
        ({"priority": 9, "effective_priority": 9}, "Priority", "Lowest"),
        ({"project": "unknown"}, "Project", "unknown"),
        ({"started_at": None, "ended_at": None}, "Start Time", None),
        ({"started_at": None, "ended_at": None}, "End Time", None),
        ({"started_at": None, "ended_at": None}, "Runtime", None),
        ({"started_at": NOW - 90_061_000, "ended_at": None}, "Runtime", "25:01:01"),
        ({"started_at": NOW - 5_000, "ended_at": NOW - 6_000}, "Runtime", "00:00:00"),
        ({"attempt": 0, "reruns": 1}, "Retry Count/Auto-Retry Count", "0/1"),
        ({"attempt": 1, "reruns": 1}, "Retry Count/Auto-Retry Count", "0/1"),
        ({"attempt": 4, "reruns": 1, "auto_reruns": 1}, "Retry Count/Auto-Retry Count", "3/1"),
        ({"name": "=1+1"}, "Instance Object", "=1+1"),
        ({"name": "\x1b]52;c;AAAA\x07"}, "Instance Object", "␛]52;c;AAAA␇"),
    ],
)
def test_a_cell_says_what_the_lists_say(
    night: Store, tmp_path: Path, changed: dict[str, Any], title: str, words: str | None
) -> None:
    set_instance(night, ODS, **changed)
    assert row(night, tmp_path, ODS)[title] == words


def test_a_logical_table_has_no_resource_group_and_no_retries_of_its_own(night: Store, tmp_path: Path) -> None:
    table = row(night, tmp_path, DIM)
    assert (table["Schedule Resource Group"], table["Retry Count/Auto-Retry Count"]) == (None, None)


def test_baselines_are_joined_by_commas(night: Store, tmp_path: Path) -> None:
    with night.read() as connection:
        (ads,) = instance_rows(connection, [ADS])
    by_title = {column.title: column.value for column in workbook.instance_columns(NOW, SHANGHAI)}
    assert by_title["Related Baseline Instances"](ads._replace(baselines=("gmv", "late"))) == "gmv, late"


# --- many rows, and an early end --------------------------------------------------------------------------------------


@pytest.fixture
def many(sqlite_store: Store) -> Store:
    """Three pages of instances."""
    fill(sqlite_store, 1_200, tasks=100)
    return sqlite_store


@pytest.fixture
def tidy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for exports; neither there nor among the temporary files may anything be left."""
    scratch, place = tmp_path / "scratch", tmp_path / "exports"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    yield place
    assert [*scratch.iterdir(), *place.iterdir()] == []


def test_every_row_is_there_once_and_progress_is_told_by_pages(many: Store, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    ids = recurring_ids(many, "prod")
    path = export_instances(many, ids, tmp_path, NOW, SHANGHAI, progress=lambda *done: told.append(done))
    keys = [values[1] for values in read(path)[1:]]
    with many.read() as connection:
        assert keys == [found.key for found in instance_rows(connection, ids)]
    assert told == [(500, 1_200), (1_000, 1_200), (1_200, 1_200)]


@pytest.mark.parametrize("asked", [1, 2, 4, 5])
def test_a_cancelled_export_leaves_nothing(many: Store, tidy: Path, asked: int) -> None:
    """Cancelled before a page, between pages, and while the finished rows are compressed."""
    answers = iter([False] * (asked - 1))
    with pytest.raises(ExportCancelled, match="nothing was left behind"):
        ids = recurring_ids(many, "prod")
        export_instances(many, ids, tidy, NOW, SHANGHAI, is_cancelled=lambda: next(answers, True))


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """The system lets no file of this process grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_for_the_sheets_names_the_directory_of_temporary_files(many: Store, tidy: Path) -> None:
    with files_up_to(20_000), pytest.raises(ExportError, match="may not become that large") as refused:
        export_instances(many, recurring_ids(many, "prod"), tidy, NOW, SHANGHAI)
    assert str(refused.value).startswith(tempfile.gettempdir())


def test_no_room_for_the_workbook_names_its_directory(many: Store, tidy: Path) -> None:
    """The room ends when the first compressed block is ready: the fourth question, after three pages."""
    with ExitStack() as later, pytest.raises(ExportError, match="may not become that large") as refused:
        questions = count(1)

        def is_cancelled() -> bool:
            if next(questions) == 4:
                later.enter_context(files_up_to(1_000))
            return False

        export_instances(many, recurring_ids(many, "prod"), tidy, NOW, SHANGHAI, is_cancelled=is_cancelled)
    assert str(refused.value).startswith(str(tidy))


def test_openpyxl_is_loaded_only_by_an_export() -> None:
    program = "import sys, dpconsole.core.export.workbook; sys.exit('openpyxl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
