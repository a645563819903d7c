"""Where a backfill can start: `b` on tasks, and on instances, whose tasks and data timestamps it then takes up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dpconsole.core.services import ListKind, join_list
from dpconsole.screens.asking import CreateBackfill
from dpconsole.screens.base import ConsoleScreen
from dpconsole.screens.reading import in_thread

STARTS_LIMIT = 200
"""Rows from which one backfill is begun; whoever wants more goes by levels or by massive mode."""

DATES_TAKEN = 31
"""Data timestamps of instances that the form takes up; of more one has to say which are meant."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a backfill is begun from: rows of a list by id, or tasks by key."""

    kind: ListKind = ListKind.TASKS
    rows: Sequence[int] = ()
    keys: Sequence[str] = ()


class Starts(ConsoleScreen):
    """A screen from which a backfill can be begun."""

    def start(self) -> Start:
        """What is marked, or else under the cursor, or what the screen is about."""
        raise NotImplementedError

    def action_backfill(self) -> None:
        """Open the form of a backfill of these tasks; where there is none, the form asks for it."""
        start = self.start()
        if self.services.settings.readonly:
            self.notify("This session is read-only: nothing is created", severity="warning")
        elif len(start.rows) > STARTS_LIMIT:
            self.notify(
                f"A backfill starts from at most {STARTS_LIMIT} rows: mark fewer", severity="warning", markup=False
            )
        else:
            self._read_starts(start)

    @in_thread("starts")
    def _read_starts(self, start: Start) -> None:
        rows = self.services.lists.rows(start.kind, start.rows) if start.rows else ()
        read = _of_instances if start.kind is ListKind.INSTANCES else _of_tasks
        keys = {"task": join_list(start.keys)} if start.keys else {}
        self.app.post_message(CreateBackfill(read(rows) if rows else keys))


def _of_tasks(rows: Sequence[Any]) -> dict[str, str]:
    return {"task": join_list(row.key for row in rows)}


def _of_instances(rows: Sequence[Any]) -> dict[str, str]:
    days = sorted({row.business_date for row in rows})
    return {"task": join_list(dict.fromkeys(row.task for row in rows))} | (
        {"range": ",".join(days)} if len(days) <= DATES_TAKEN else {}
    )
