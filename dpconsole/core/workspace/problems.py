"""What is wrong with definitions, said so that whoever wrote them can mend them: where, what, and what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches

from dpconsole.core.domain.text import clean

SHOWN = 120
"""Characters of somebody's text that a message repeats."""

_LONGEST_GUESS = 200
"""Longer words are not typing mistakes, and comparing them is slow."""

_MOST_COMPARED = 2000


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One refusal. `line` and `column` count from 1, 0 means the file as a whole; all texts are safe to show."""

    file: str
    line: int
    column: int
    key: str
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        said = ": ".join(part for part in (place, self.key, self.reason) if part)
        return f"{said} ({self.hint})" if self.hint else said


class WorkspaceRefused(Exception):
    """Definitions that were not taken in, with every problem of every file; nothing was loaded."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def shown(text: str) -> str:
    """Somebody's text as a message repeats it: quoted, harmless, and short."""
    return f"'{clean(text, SHOWN)}'"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint that names the known word nearest to `word`, or nothing when none is near."""
    if len(word) > _LONGEST_GUESS:
        return ""
    comparable = [other for other in known if 2 * abs(len(other) - len(word)) <= max(len(other), len(word))]
    if len(comparable) > _MOST_COMPARED:
        comparable = [other for other in comparable if other[:3] == word[:3] or other[-3:] == word[-3:]][
            :_MOST_COMPARED
        ]
    nearest = get_close_matches(word, comparable, n=3, cutoff=0.6)
    likely = next((other for other in nearest if _is_like(word, other)), None)
    return "" if likely is None else f"did you mean {shown(likely)}?"


def _is_like(word: str, other: str) -> bool:
    """Whether two words are alike in what follows the last dot: a common project says little about a task."""
    return SequenceMatcher(None, word.rpartition(".")[2], other.rpartition(".")[2]).ratio() >= 0.5
