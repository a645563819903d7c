"""The queue as an operator reads it: what waits for its turn, what holds it, and what was paused by whom.

The order is that of the list it is asked with (`turn`). Here each row gets the sentence that says what it waits for,
the same as everywhere (`why`), and each paused row who paused it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.clock import Clock
from dpconsole.core.domain.text import clean
from dpconsole.core.engine.why import Moment, read_capacity, why_waiting
from dpconsole.core.store.definition_rows import read_timezone
from dpconsole.core.store.holds import Hold, read_holds
from dpconsole.core.store.pages import InstanceRow, instance_rows
from dpconsole.core.store.session import Store
from dpconsole.core.store.waits import read_missing, read_standing


@dataclass(frozen=True, slots=True)
class QueueRow:
    """An instance that waits: what holds it in a sentence, and who paused it, None where nobody did."""

    row: InstanceRow
    held_by: str
    hold: Hold | None

    @property
    def id(self) -> int:
        """The id of the instance."""
        return self.row.id


def read_queue(store: Store, clock: Clock, ids: Collection[int]) -> list[QueueRow]:
    """The rows with these ids, in their order, in one snapshot; ids that name nothing are left out."""
    with store.read() as connection:
        rows = instance_rows(connection, ids)
        held = _held_by(connection, ids, clock.now())
        holds = read_holds(connection, [row.id for row in rows if row.paused])
    return [QueueRow(row, held.get(row.id, ""), holds.get(row.id)) for row in rows]


def _held_by(connection: Connection, ids: Collection[int], now: int) -> dict[int, str]:
    """By listed row; a logical table says it of each node that stands still."""
    moment = Moment(now, ZoneInfo(read_timezone(connection)))
    parts, capacity, asked = read_standing(connection, ids), read_capacity(connection), set(ids)
    missing = read_missing(connection, [part.id for part in parts])
    told: dict[int, list[str]] = {}
    for part in parts:
        words = why_waiting(part, missing.get(part.id, ()), capacity, moment)
        if part.id in asked:
            told.setdefault(part.id, []).append(words)
        if part.parent_id in asked:
            told.setdefault(part.parent_id, []).append(f"{clean(part.name)} {words}" if words else "")
    return {id: "; ".join(filter(None, words)) for id, words in told.items()}
