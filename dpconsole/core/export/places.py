"""Where an export is put: a safe name, a new file, and the whole of it or nothing.

A file appears under its name only when it is complete. Until then it grows beside it under a hidden name, readable by
its owner alone; nothing that exists is ever overwritten or followed, and whatever ends the writing early - the
operator, a full disk, a fault - leaves the directory as it was.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import tzinfo
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from dpconsole.core.domain.clock import to_datetime
from dpconsole.core.domain.text import clean

NAME_LIMIT = 100
"""Characters kept of the part of a file name that comes from outside."""

Check: TypeAlias = Callable[[], None]
"""Called now and then while a file is written; raises what ends the writing."""

_UNSAFE = re.compile(r"^[.-]+|[^A-Za-z0-9_.-]")
_NEW = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY | os.O_CLOEXEC
_OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR

_ELSEWHERE = "free some space, or choose another directory"
_WORDS: dict[int, str] = {
    errno.ENOSPC: f"the disk is full; {_ELSEWHERE}",
    errno.EDQUOT: f"the quota is used up; {_ELSEWHERE}",
    errno.EFBIG: "a file may not become that large there; export fewer rows, or choose another directory",
    errno.EACCES: "access is denied; choose a directory you may write to",
    errno.EPERM: "access is denied; choose a directory you may write to",
    errno.EROFS: "the file system is read-only; choose another directory",
    errno.ENOTDIR: "it is not a directory; choose one",
    errno.EEXIST: "it is not a directory; choose one",
    errno.EIO: "the disk reports an error; choose another directory",
}


class ExportError(Exception):
    """An export could not be written; the message names the place and says what to do. Nothing was left there."""


class ExportCancelled(Exception):
    """The operator stopped an export; nothing was left behind."""


def unless(is_cancelled: Callable[[], bool]) -> Check:
    """A check that ends the writing once an operator has cancelled it."""

    def check() -> None:
        if is_cancelled():
            raise ExportCancelled("The export was cancelled; nothing was left behind.")

    return check


def safe_part(text: str) -> str:
    """Text from outside as a part of a file name: `[A-Za-z0-9_.-]`, at most 100, hidden by no dot, like no option."""
    return _UNSAFE.sub("_", text)[:NAME_LIMIT] or "_"


def stamped(stem: str, now_ms: int, zone: tzinfo, suffix: str) -> str:
    """The name of a download, `{stem}_{yyyyMMddHHmmss}{suffix}`, the time in `zone` (section 4.1)."""
    return f"{stem}_{to_datetime(now_ms, zone):%Y%m%d%H%M%S}{suffix}"


@contextmanager
def named(place: Path) -> Iterator[None]:
    """Turn the system's errors into an ExportError about `place`."""
    try:
        yield
    except OSError as error:
        words = _WORDS.get(error.errno or 0, f"it cannot be written; {error.strerror}")
        raise ExportError(f"{clean(str(place))}: {words}. Nothing was left there.") from error


def write_new(directory: Path, name: str, write: Callable[[BinaryIO], None], check: Check) -> Path:
    """Let `write` fill a new file in `directory`, which is made if need be; returns the file's path.

    A name that is taken gets a number: `name_2.xlsx`. `check` runs before each block that goes to the disk. Raises
    ExportError, and whatever `write` and `check` raise.
    """
    with named(directory):
        directory.mkdir(parents=True, exist_ok=True, mode=stat.S_IRWXU)
        place = directory.resolve(strict=True)
        partial, handle = _create(place, f".{name}.part")
    try:
        with io.BufferedWriter(_Watched(handle, place, check)) as file:
            write(file)
            file.flush()
            with named(place):
                os.fsync(handle)
        with named(place):
            return _publish(partial, place, name)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


class _Watched(io.FileIO):
    """A file that asks before each block whether to go on, and whose errors name its place."""

    def __init__(self, handle: int, place: Path, check: Check) -> None:
        super().__init__(handle, "w")
        self._place = place
        self._check = check

    def write(self, block: Any, /) -> int:
        """Write what the system takes of a block."""
        self._check()
        with named(self._place):
            return super().write(block)


def _create(place: Path, name: str) -> tuple[Path, int]:
    """A file that was not there before, and its open handle."""
    for number in count(1):
        path = place / _numbered(name, number)
        with suppress(FileExistsError):
            return path, os.open(path, _NEW, _OWNER_ONLY)
    raise AssertionError("counting never ends")


def _numbered(name: str, number: int) -> str:
    path = Path(name)
    return name if number == 1 else f"{path.stem}_{number}{path.suffix}"


def _publish(partial: Path, place: Path, name: str) -> Path:
    """Give a finished file its name: taking the name first, as a new empty file, is what keeps others' files safe."""
    path, handle = _create(place, name)
    os.close(handle)
    try:
        return partial.replace(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
