"""What became of an operation: the states of a record, the outcomes of its items, and the record as it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What a record did to one item."""

    PLANNED = "planned"  # not dealt with yet
    OK = "ok"
    SKIPPED = "skipped"  # outside the scope, no permission, changed in the meantime
    REFUSED = "refused"  # its state does not allow it
    FAILED = "failed"


class State(StrEnum):
    """What became of a record as a whole."""

    APPLYING = "applying"
    DONE = "done"
    PARTLY_DONE = "partly_done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


NO_SUCH_INSTANCE = "no such instance"
NO_SUCH_FOLDER = "no such backfill, data timestamp of one, or saved flow"
NO_PERMISSION = "no permission"
NOTHING_IN_IT = "nothing in it to act on"
WITH_ITS_TABLE = "done with its table"
NOT_REACHED = "not reached: whoever applied this is gone"
CANCELLED = "cancelled"
CHANGED = "changed since the preview"
"""Reasons that belong to no single verb; `CHANGED` is followed by what the row is now."""


class Item(NamedTuple):
    """One line of a plan or a record: the instance, what it was, what it became, and why not when it did not."""

    id: int
    key: str
    name: str
    before: str
    after: str
    outcome: Outcome
    reason: str = ""

    @property
    def falls_short(self) -> bool:
        """Whether the operator asked for this item and did not get it, so that the record is at best partly done."""
        if self.outcome is Outcome.SKIPPED:
            return self.reason in (NO_PERMISSION, CANCELLED) or self.reason.startswith(CHANGED)
        return self.outcome in (Outcome.REFUSED, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the ledger; times in UTC milliseconds. `acts` counts the items that were really changed.

    `kind` is what the items are: instances, backfills, or data timestamps of one.
    """

    id: int
    key: str
    verb: str
    kind: str
    actor: str
    source: str
    at: int
    finished_at: int | None
    reason: str
    command: str
    arguments: Mapping[str, str]
    state: State
    acts: int
    skipped: int
    refused: int
    items: tuple[Item, ...]


def state_of(items: Iterable[Item]) -> State:
    """The state of a record whose items are all dealt with."""
    seen = list(items)
    short = [item for item in seen if item.falls_short]
    if any(item.outcome is Outcome.OK for item in seen):
        return State.PARTLY_DONE if short else State.DONE
    if any(item.reason == CANCELLED for item in short):
        return State.CANCELLED
    if any(item.outcome is Outcome.FAILED or item.reason.startswith(CHANGED) for item in short):
        return State.FAILED
    return State.REFUSED if short else State.DONE
