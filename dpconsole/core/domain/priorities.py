"""Priorities: five names for the numbers 1 to 9, and what a baseline does to them.

The larger the number, the lower the priority. Both numbers are kept, the configured one and the effective one; queues
are ordered by the effective one.
"""

from __future__ import annotations

from collections.abc import Iterable

from dpconsole.core.domain.definitions import Priority

_OTHER_NAMES = {"middle": Priority.MEDIUM}


def parse_priority(value: str | int) -> Priority:
    """The priority of a name in any case or of a number 1..9; ValueError for anything else (section 11.3)."""
    word = str(value).strip().lower()
    if word in _OTHER_NAMES:
        return _OTHER_NAMES[word]
    if word in "123456789" and len(word) == 1:
        return Priority.of(int(word))
    try:
        return Priority(word)
    except ValueError:
        names = ", ".join(Priority)
        raise ValueError(f"{value!r} is not a priority: write one of {names}, or a number from 1 to 9.") from None


def effective_priority(configured: int, baselines: Iterable[int]) -> int:
    """The number that orders the queue: the highest priority among the related baselines, or the configured one.

    A baseline's priority replaces the configured one, whichever is higher (section 11.3).
    """
    return min(baselines, default=configured)


def priority_label(effective: int, covered: bool) -> str:
    """The name of an effective priority, marked where a baseline has set it: `High ⓑ`."""
    return Priority.of(effective).value.capitalize() + (" ⓑ" if covered else "")
