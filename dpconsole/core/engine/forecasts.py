"""When unfinished rows will be done: what stands in the store and how long runs took lately, as one estimate.

The rule is `core.domain.estimates`; here it gets its numbers. Diagnosis, critical paths and baselines all ask here, so
that one instance has one estimated end wherever it is shown (sections 11.4, 13 and 14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Connection

from dpconsole.core.domain.definitions import TaskType
from dpconsole.core.domain.estimates import Work, estimate
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.diagnosis import Runner, Upstream, Walked, recent_durations


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is left to do of some rows, and when each will be done (UTC ms; what never will by itself is left out).

    `unknown` counts the tasks that still run before the end and never succeeded so far: their runs count as nothing.
    """

    works: Mapping[int, Work]
    done: Mapping[int, int]
    unknown: int

    def begins_at(self, id: int) -> int:
        """When the run of a row that will be done begins, or began."""
        work = self.works[id]
        if work.status is Status.RUNNING and work.started_at is not None:
            return work.started_at
        return self.done[id] - work.takes_ms

    def upstreams_at(self, id: int, now: int) -> int:
        """When the last requirement of a row that will be done is met; now where all of them are."""
        met = (min(self.done[up] for up in some if up in self.done) for some in self.works[id].requirements)
        return max((now, *met))


def forecast(connection: Connection, above: Upstream, now: int) -> Forecast:
    """Estimate the ends of everything that a walk up found unfinished."""
    working = [row for row in above.rows.values() if not _does_no_work(row)]
    durations = recent_durations(connection, {runner(row) for row in working})
    works = {row.id: _work(row, durations, above) for row in above.rows.values()}
    done = estimate(works, now)
    unknown = {runner(row) for row in working if row.id in done} - durations.keys()
    return Forecast(works, done, len(unknown))


def runner(row: Walked) -> Runner:
    """What a row is one run of."""
    return row.task_id, row.node_id or 0


def _does_no_work(row: Walked) -> bool:
    return row.dry_run or row.type == TaskType.VIRTUAL


def _work(row: Walked, durations: Mapping[Runner, Sequence[int]], above: Upstream) -> Work:
    took = () if _does_no_work(row) else durations.get(runner(row), ())
    return Work(
        status=Status(row.status),
        takes_ms=int(median(took)) if took else 0,
        due_at=row.due_at,
        paused=row.paused,
        paused_until=row.paused_until,
        autonomous=row.autonomous,
        started_at=row.started_at,
        retry_at=row.retry_at,
        requirements=above.requirements.get(row.id, ()),
    )
