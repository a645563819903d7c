"""Where an export is put: a safe name, nothing overwritten, the whole file or none."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pytest

from dpconsole.core.domain.clock import parse_iso
from dpconsole.core.export.places import ExportCancelled, ExportError, safe_part, stamped, write_new


def write_x(file: BinaryIO) -> None:
    file.write(b"x")


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def go_on() -> None:
    """Nothing ends the writing."""


def stop() -> None:
    raise ExportCancelled("cancelled")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("dws_orders-1d.v2", "dws_orders-1d.v2"),
        ("../../etc/passwd", "__.._etc_passwd"),
        ("..", "_"),
        ("-rf", "_rf"),
        ("订单 明细", "_____"),
        ("a\x1b]0;\n\N{RIGHT-TO-LEFT OVERRIDE}b", "a__0___b"),
        ("", "_"),
        ("a" * 300, "a" * 100),
    ],
)
def test_a_part_of_a_name_holds_only_letters_digits_and_three_signs(text: str, part: str) -> None:
    assert safe_part(text) == part


def test_a_download_is_stamped_with_the_time_of_the_project_zone() -> None:
    now = parse_iso("2026-11-19T23:30:05+00:00")
    assert stamped("d", now, ZoneInfo("Asia/Shanghai"), ".xlsx") == "d_20261120073005.xlsx"


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = write_new(tmp_path / "new" / "place", "a.xlsx", write_x, go_on)
    assert path.read_bytes() == b"x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(path.parent) == ["a.xlsx"]


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("mine")
    written = [write_new(tmp_path, "a.xlsx", write_x, go_on).name for _ in range(2)]
    assert written == ["a_2.xlsx", "a_3.xlsx"]
    assert (tmp_path / "a.xlsx").read_text() == "mine"


@pytest.mark.parametrize("name", ["a.xlsx", ".a.xlsx.part"])
def test_no_link_is_followed(tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    (tmp_path / name).symlink_to(victim)
    path = write_new(tmp_path, "a.xlsx", write_x, go_on)
    assert not victim.exists()
    assert not path.is_symlink()


def test_a_file_that_comes_while_ours_is_written_is_kept(tmp_path: Path) -> None:
    def another_is_quicker(file: BinaryIO) -> None:
        (tmp_path / "a.xlsx").write_text("theirs")
        write_x(file)

    assert write_new(tmp_path, "a.xlsx", another_is_quicker, go_on).name == "a_2.xlsx"
    assert (tmp_path / "a.xlsx").read_text() == "theirs"


def test_nothing_stands_under_the_name_before_it_is_complete(tmp_path: Path) -> None:
    def look(file: BinaryIO) -> None:
        assert names(tmp_path) == [".a.xlsx.part"]
        write_x(file)

    write_new(tmp_path, "a.xlsx", look, go_on)


@pytest.mark.parametrize("error", [ExportCancelled, KeyboardInterrupt, ValueError])
def test_whatever_ends_the_writing_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def fail(file: BinaryIO) -> None:
        write_x(file)
        raise error

    with pytest.raises(error):
        write_new(tmp_path, "a.xlsx", fail, go_on)
    assert names(tmp_path) == []


def test_a_long_write_can_be_stopped(tmp_path: Path) -> None:
    with pytest.raises(ExportCancelled):
        write_new(tmp_path, "a.xlsx", lambda file: file.write(b"x" * 100_000) and None, stop)
    assert names(tmp_path) == []


# --- errors name the place, and say what to do ------------------------------------------------------------------------


def to_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").touch()
    return tmp_path / "file"


def below_a_file(tmp_path: Path) -> Path:
    return to_a_file(tmp_path) / "below"


@pytest.mark.parametrize("make", [to_a_file, below_a_file])
def test_a_place_that_is_no_directory_is_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    place = make(tmp_path)
    with pytest.raises(ExportError, match="not a directory; choose one") as refused:
        write_new(place, "a.xlsx", write_x, go_on)
    assert str(place) in str(refused.value)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "the quota is used up"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "access is denied"),
        (errno.EIO, "the disk reports an error"),
        (errno.ENXIO, "it cannot be written; No such device or address"),
    ],
)
def test_a_failing_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    def fail(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ExportError, match=words) as refused:
        write_new(tmp_path, "a.xlsx", write_x, go_on)
    assert str(tmp_path) in str(refused.value)
    assert names(tmp_path) == []
