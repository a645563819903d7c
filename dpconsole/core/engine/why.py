"""Why an instance stands still, in one sentence: the answer of `show`, of the details screen and of the run's summary.

The checks are asked in the order in which the engine makes them - upstreams, scheduled time, throttling, schedule
resources (section 2.2) - and what an operator did comes before them all. The sentences stand here and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy import Connection

from dpconsole.core.domain.backfills import ITS_TURN, LEFT_OUT, DateState
from dpconsole.core.domain.clock import format_duration, to_datetime
from dpconsole.core.domain.definitions import ThrottlingRule
from dpconsole.core.domain.diagnosis import BEGUN
from dpconsole.core.domain.statuses import Status
from dpconsole.core.domain.text import clean
from dpconsole.core.engine.admission import Capacity, Limits
from dpconsole.core.store.backfill_sql import Gate, read_gates
from dpconsole.core.store.definition_rows import read_groups, read_rules
from dpconsole.core.store.engine_sql import held_slots, running_by_group
from dpconsole.core.store.waits import Alike, Missing, Standing, count_standing, read_missing, read_standing

NAMED = 3
"""Instances that a sentence names; the others are counted."""

BY_HAND = "development: it runs only by hand"
NEXT_TICK = "ready: the engine takes it up with its next tick"


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, in UTC milliseconds, and the zone that times are written in."""

    now: int
    zone: tzinfo

    def at(self, ms: int) -> str:
        """A time of day, with its date where that is another day."""
        then, today = to_datetime(ms, self.zone), to_datetime(self.now, self.zone)
        return f"{then:%H:%M:%S}" if then.date() == today.date() else f"{then:%Y-%m-%d %H:%M:%S}"

    def until(self, ms: int) -> str:
        """A time still to come, and how long that is."""
        return f"{self.at(ms)} (in {format_duration((ms - self.now) / 1000)})"


def why_waiting(
    row: Standing, missing: Sequence[Missing], capacity: Capacity, moment: Moment, gate: Gate | None = None
) -> str:
    """What holds one executable row back; empty for one that runs or has succeeded.

    `gate` is what keeps its data timestamp from beginning, if it is one of a backfill and its turn has not come.
    """
    if row.paused and row.status not in BEGUN:
        until = f" until {moment.until(row.paused_until)}" if row.paused_until else ""
        return f"paused{until}: resume it to let it go on"
    if gate is not None and not row.autonomous and row.status == Status.NOT_RUNNING:
        return _waits_for_turn(gate)
    return _SENTENCES[Status(row.status)](row, missing, capacity, moment)


def _not_running(row: Standing, missing: Sequence[Missing], _capacity: Capacity, _moment: Moment) -> str:
    if missing:
        return _waits_for(missing)
    if row.pending:
        return f"waits for {row.pending} upstream{'s' * (row.pending > 1)}"
    return NEXT_TICK if row.autonomous else BY_HAND


def _waits_for_turn(gate: Gate) -> str:
    """Section 7: a queue runs one data timestamp after the other."""
    if gate.excluded:
        return f"{LEFT_OUT}: only a forced rerun starts it"
    if not gate.submitted:
        return "its backfill is still being submitted"
    behind = [f"{held.business_date}{', which has failed' * held.failed}" for held in gate.holding]
    behind += [f"{gate.ahead} more that wait{'s' * (gate.ahead == 1)}"] if gate.ahead else []
    return f"{ITS_TURN}: queue {gate.queue}, behind {' and '.join(behind)}" if behind else NEXT_TICK


def gates_of(connection: Connection, rows: Iterable[Standing]) -> Mapping[int, Gate]:
    """What keeps the data timestamps of these rows from beginning, by data timestamp; of most rows, nothing."""
    dates = {row.backfill_date_id for row in rows if row.backfill_date_id is not None and not row.autonomous}
    return read_gates(connection, dates)


def _waits_for(missing: Sequence[Missing]) -> str:
    names = some_of([f"{up.name} ({up.key}) {up.status.label}{', paused' * up.paused}" for up in missing])
    return f"waits for {len(missing)} upstream{'s' * (len(missing) > 1)}: {names}"


def some_of(names: Sequence[str]) -> str:
    """The first of several things by name, and how many more there are."""
    rest = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
    return "; ".join([*names[:NAMED], *rest])


def _waiting_time(row: Standing, _missing: Sequence[Missing], _capacity: Capacity, moment: Moment) -> str:
    return f"waits for its scheduled time, {moment.until(row.due_at)}" if row.due_at > moment.now else NEXT_TICK


def _throttled(row: Standing, _missing: Sequence[Missing], capacity: Capacity, _moment: Moment) -> str:
    full = [rule for rule in capacity.matching(row) if rule in capacity.full_rules]
    if not full:
        return "throttled a moment ago; a slot is free now"
    return f"throttled by {'; '.join(_rule(rule, capacity) for rule in full)}"


def _rule(rule: ThrottlingRule, capacity: Capacity) -> str:
    return f"'{clean(rule.name)}' ({capacity.held[rule.name]} of {rule.limit} slots taken)"


def _waiting_resource(row: Standing, _missing: Sequence[Missing], capacity: Capacity, _moment: Moment) -> str:
    slots = capacity.limits.slots.get(row.resource_group)
    if row.resource_group not in capacity.full_groups or slots is None:
        return "waited for schedule resources a moment ago; a slot is free now"
    taken = capacity.running[row.resource_group]
    return f"resource group '{clean(row.resource_group)}' is full ({taken} of {slots} slots taken)"


def _failed(row: Standing, _missing: Sequence[Missing], _capacity: Capacity, moment: Moment) -> str:
    error = clean(row.error) or "no reason was recorded"
    if row.retry_at is None:
        return f"failed: {error}"
    again = f"automatic rerun {row.auto_reruns + 1} of {row.reruns}"
    return f"failed: {error}; {again} at {moment.until(max(row.retry_at, moment.now))}"


def _nothing(_row: Standing, _missing: Sequence[Missing], _capacity: Capacity, _moment: Moment) -> str:
    return ""


_SENTENCES = {
    Status.NOT_RUNNING: _not_running,
    Status.WAITING_TIME: _waiting_time,
    Status.THROTTLED: _throttled,
    Status.WAITING_RESOURCE: _waiting_resource,
    Status.RUNNING: _nothing,
    Status.SUCCEEDED: _nothing,
    Status.FAILED: _failed,
}


# --- for rows of a database -------------------------------------------------------------------------------------------


def explain(connection: Connection, instance: int, moment: Moment) -> str:
    """Why an instance stands still; a logical table answers with the nodes that do. Empty when nothing holds it."""
    rows = read_standing(connection, [instance])
    missing = read_missing(connection, [row.id for row in rows])
    capacity = read_capacity(connection)
    gates = gates_of(connection, rows)
    told = [
        (row, why_waiting(row, missing.get(row.id, ()), capacity, moment, gates.get(row.backfill_date_id or 0)))
        for row in rows
    ]
    lines = [words if row.id == instance else f"{clean(row.name)} {words}" for row, words in told if words]
    return "; ".join(lines)


def read_capacity(connection: Connection) -> Capacity:
    """The slots of groups and rules, and how many of them are taken now."""
    slots = {group.name: group.slots for group in read_groups(connection).values()}
    rules = tuple(rule for rule in read_rules(connection).values() if rule.enabled)
    return Capacity.of(Limits(slots, rules), running_by_group(connection), held_slots(connection))


def count_reasons(connection: Connection) -> Counter[str]:
    """How many executable rows stand still, by the reason in a few words."""
    reasons: Counter[str] = Counter()
    for alike in count_standing(connection):
        reasons[_short(alike)] += alike.number
    return reasons


def _short(row: Alike) -> str:
    if row.paused:
        return "paused"
    if row.status is not Status.NOT_RUNNING:
        return row.status.label.lower()
    reasons: Collection[tuple[bool, str]] = (
        (not row.autonomous and row.turn == DateState.EXCLUDED, LEFT_OUT),
        (not row.autonomous and row.turn is not None, ITS_TURN),
        (row.upstream_failed == 1, "an upstream failed"),
        (row.upstream_paused == 1, "an upstream is paused"),
        (row.upstream_failed == 0, "an upstream has not run"),
        (not row.autonomous, BY_HAND),
    )
    return next((words for holds, words in reasons if holds), "ready")
