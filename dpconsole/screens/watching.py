"""What the operator waits for: instances, data timestamps and backfills, and what is done when one of them ends.

A watched one is told of once and then let go. Its command is a program with arguments, never a line for a shell: the
name of an instance comes from outside. It runs on its own, in a session of its own, and nobody waits for it; that it
could not be started, or ended badly, is still said.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dpconsole.core.services import Sighting, TreeId

LIMIT = 200
"""How many can be watched at once."""

Command = tuple[str, ...]
"""A program and its arguments; empty where the bell is enough."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One that is watched: how it stood when it was looked at last, and what is run when it ends."""

    sighting: Sighting
    command: Command = ()

    @property
    def told_by(self) -> str:
        """How its end will be told."""
        return " ".join(self.command) or "bell"


@dataclass(frozen=True, slots=True)
class Running:
    """A command that was started for one that ended."""

    watched: Watched
    process: subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Look:
    """How those that were watched stand at a revision; what is gone is not among the sightings."""

    rev: int
    targets: Sequence[TreeId]
    sightings: Mapping[TreeId, Sighting]


@dataclass
class Watch:
    """All that are watched in this session. `rev` is the revision they were looked at last."""

    rev: int = -1
    _watched: dict[TreeId, Watched] = field(default_factory=dict)
    _running: list[Running] = field(default_factory=list)

    def __contains__(self, target: TreeId) -> bool:
        return target in self._watched

    def __len__(self) -> int:
        return len(self._watched)

    def __iter__(self) -> Iterator[Watched]:
        return iter(tuple(self._watched.values()))

    @property
    def targets(self) -> Sequence[TreeId]:
        """What is watched, in the order in which it was asked for."""
        return tuple(self._watched)

    @property
    def words(self) -> str:
        """What the header says."""
        return f"watching {len(self)}" if self._watched else ""

    def add(self, sightings: Iterable[Sighting], command: Command) -> None:
        """Watch these from now on; they are looked at again even if nothing is committed any more."""
        self.rev = -1
        for sighting in sightings:
            self._watched[sighting.target] = Watched(sighting, command)

    def forget(self, targets: Iterable[TreeId]) -> None:
        """Watch these no longer."""
        for target in targets:
            self._watched.pop(target, None)

    def take(self, look: Look) -> list[Watched]:
        """Take how the watched stand; those that ended come back once, and are watched no longer, as what is gone."""
        self.rev = max(self.rev, look.rev)
        for target in set(self._watched) & set(look.sightings):
            self._watched[target] = replace(self._watched[target], sighting=look.sightings[target])
        ended = [watched for watched in self if watched.sighting.ended]
        self.forget(watched.sighting.target for watched in ended)
        self.forget(set(look.targets) - set(look.sightings))
        return ended

    def started(self, running: Running) -> None:
        """A command runs; how it ends is asked for with `failures`."""
        self._running.append(running)

    def failures(self) -> list[str]:
        """What is to be said of commands that ended badly since this was asked last; asks, and never waits."""
        over = [one for one in self._running if one.process.poll() is not None]
        self._running = [one for one in self._running if one not in over]
        return [_bad_end(one) for one in over if one.process.returncode]


def _bad_end(one: Running) -> str:
    program, name = one.watched.command[0], one.watched.sighting.name
    return f"{program}, run because {name} ended, failed itself: exit code {one.process.returncode}"


_FACTS: Mapping[str, Callable[[Sighting], str]] = {
    "id": lambda sighting: sighting.key,
    "name": lambda sighting: sighting.name,
    "status": lambda sighting: sighting.status.value,
    "kind": lambda sighting: sighting.target.layer.name.lower(),
}
"""What a command is told, in its arguments as `{id}` and in its environment as `DPCONSOLE_ID`."""

_NAMED = re.compile(f"{{({'|'.join(_FACTS)})}}")


def run_command(watched: Watched) -> Running:
    """Start the command of one that ended; OSError where there is no such program."""
    told = {name: fact(watched.sighting) for name, fact in _FACTS.items()}
    environment = {f"DPCONSOLE_{name.upper()}": value for name, value in told.items()}
    process = subprocess.Popen(
        [filled_in(word, told) for word in watched.command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
        start_new_session=True,
    )
    return Running(watched, process)


def filled_in(word: str, told: Mapping[str, str]) -> str:
    """An argument with what it names put in, once: what is put in is never read again."""
    return _NAMED.sub(lambda match: told[match[1]], word)
