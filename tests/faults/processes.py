"""Engines in processes of their own, and a reader beside them that remembers everything it ever saw committed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from sqlalchemy import text

from dpconsole.core.domain.definitions import ResourceGroup, Workspace
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.drawing import Draw
from tests.simulation import START

REPOSITORY = Path(__file__).parents[2]


def make_database(path: Path, seed: int = 5, tasks: int = 40) -> Path:
    """A database with definitions that keep an engine busy, night after night."""
    store = open_store(path)
    drawn = Draw(Random(seed), tasks).workspace()
    busy = Workspace(projects=drawn.projects, resource_groups=_wide(drawn), tasks=drawn.tasks)
    with store.write() as transaction:
        save_workspace(transaction, busy, START)
    store.close()
    return path


def _wide(workspace: Workspace) -> tuple[ResourceGroup, ...]:
    return tuple(ResourceGroup(group.name, 12) for group in workspace.resource_groups)


class EngineProcess:
    """One engine in a process; what it says is read line by line, which is how a test knows where it is."""

    def __init__(self, database: Path, name: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.faults.engine_process", str(database), name, *arguments]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.lines = self.process.stdout

    def read(self, lines: int = 1) -> list[str]:
        """The next lines it says; fewer when it has ended."""
        return [line.strip() for _, line in zip(range(lines), self.lines, strict=False)]

    def read_until(self, word: str) -> str:
        """The next line that begins with a word; everything before it is passed over."""
        line = next((line.strip() for line in self.lines if line.startswith(word)), None)
        assert line is not None, f"the engine ended before it said {word!r}"
        return line

    def kill(self) -> None:
        """As the kernel does it when memory is short: no goodbye."""
        self.process.kill()
        self.process.wait()
        self.lines.close()

    def thaw(self) -> None:
        """Let it go on after it froze, knowing nothing of the time that passed."""
        os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def engine_process(database: Path, name: str, *arguments: str) -> Iterator[EngineProcess]:
    """An engine process that does not outlive the block."""
    engine = EngineProcess(database, name, *arguments)
    try:
        yield engine
    finally:
        if engine.process.poll() is None:
            engine.thaw()
            engine.kill()


@dataclass
class Witness:
    """Reads beside the engines, and swears later that nothing it saw is gone or changed."""

    store: Store
    rev: int = 0
    journal: dict[int, tuple[object, ...]] = field(default_factory=dict)

    def look(self) -> None:
        """Take in what was committed since the last look."""
        with self.store.read() as connection:
            self.rev = connection.execute(text("SELECT value FROM counter WHERE name = 'rev'")).scalar_one()
            new = connection.execute(text(f"{_JOURNAL} WHERE id > :last"), {"last": max(self.journal, default=0)})
            self.journal |= {row.id: tuple(row) for row in new}

    def lost(self) -> list[str]:
        """What was seen and is not there any more, or is not the same."""
        with self.store.read() as connection:
            rev = connection.execute(text("SELECT value FROM counter WHERE name = 'rev'")).scalar_one()
            there = {row.id: tuple(row) for row in connection.execute(text(_JOURNAL))}
        changed = [f"entry {id_}" for id_, row in self.journal.items() if there.get(id_) != row]
        return changed + ([f"rev {self.rev}, now {rev}"] if rev < self.rev else [])


_JOURNAL = 'SELECT id, instance_id, at, "before", "after", cause, attempt, rev FROM transition'


def orders(database: Path) -> Counter[str]:
    """What the executors of all engines of a database were told to run: attempts, and how often each was dispatched."""
    books = database.parent.glob(f"{database.name}.*.orders")
    return Counter(line for book in books for line in book.read_text().splitlines())


def integrity(store: Store) -> str:
    """SQLite's own opinion of its file; `ok` when it has none."""
    with store.read() as connection:
        return str(connection.execute(text("PRAGMA integrity_check")).scalar_one())
