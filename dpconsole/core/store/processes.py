"""Which process it was: names one for as long as its host is up, and tells whether it still runs."""

from __future__ import annotations

import os
import pwd
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A process by its pid and its start, so that a reused pid fools nobody; `boot_id` says where pids are counted."""

    holder: str
    boot_id: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Process:
        """This process."""
        user = pwd.getpwuid(os.getuid()).pw_name
        return cls(f"{user}@{socket.gethostname()}", boot_id(), os.getpid(), _started(os.getpid()))

    @property
    def is_here(self) -> bool:
        """Whether it runs, or ran, where this process does."""
        return bool(self.boot_id) and self.boot_id == boot_id()

    @property
    def is_gone(self) -> bool:
        """Whether it was a process of this host, and is no more."""
        return self.is_here and _started(self.pid) != self.started


def boot_id() -> str:
    """Names this boot of this host, and where pids are counted: containers share a boot, but not their pids."""
    try:
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return f"{_read(Path('/proc/sys/kernel/random/boot_id'))} {namespace}"


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty when it does not run."""
    stat = _read(Path(f"/proc/{pid}/stat"))
    fields = stat.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in ("Z", "X") else ""


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
