"""Run diagnosis: the five checks of one instance, what holds it up at the root, its turn, and when it will be done.

Where the instance stands still, the sentence is that of `why`; this adds what lies behind it: the start blocking
instances, who occupies the slots, how many go first, how long it has waited (section 13). A logical table is diagnosed
by the materialization node that holds it up most; the others are listed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dpconsole.core.domain.backfills import DateState
from dpconsole.core.domain.clock import Clock, format_duration
from dpconsole.core.domain.definitions import Unit
from dpconsole.core.domain.diagnosis import BEGUN, Check, Step, Verdict, blocking_rank
from dpconsole.core.domain.estimates import in_the_way
from dpconsole.core.domain.statuses import Status
from dpconsole.core.domain.text import clean
from dpconsole.core.engine.admission import Capacity
from dpconsole.core.engine.checks import Case, five_checks
from dpconsole.core.engine.forecasts import forecast
from dpconsole.core.engine.why import Moment, gates_of, read_capacity, some_of, why_waiting
from dpconsole.core.store.definition_rows import read_timezone
from dpconsole.core.store.details import Neighbour, read_transitions, read_unsatisfied, read_upstreams
from dpconsole.core.store.diagnosis import (
    WALK_LIMIT,
    Turn,
    Upstream,
    Walked,
    ahead_in_group,
    ahead_in_throttling,
    holders_of_group,
    holders_of_rules,
    read_upstream,
)
from dpconsole.core.store.pages import InstanceRow, instance_rows
from dpconsole.core.store.session import Store
from dpconsole.core.store.waits import Missing, Standing, read_missing, read_standing


@dataclass(frozen=True, slots=True)
class NodeWaits:
    """Another node of the diagnosed logical table that is not done: id, name, status, and why it stands still."""

    id: int
    name: str
    status: Status
    why: str


@dataclass(frozen=True, slots=True)
class Eta:
    """When an instance will be done, UTC milliseconds, and in words.

    None where that cannot be said, and the words say why; without words it is done.
    """

    at: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a diagnosis says of one instance.

    `row` is the instance that was asked about, `node` the one of its nodes that the checks are of, None unless it is a
    logical table. `start_blocking` (of any of its nodes): Failed, paused, running, waiting. `occupants` hold the slots
    that it waits for. `queue_position` counts those that go first, None where it stands in no queue.
    """

    row: InstanceRow
    node: InstanceRow | None
    others: tuple[NodeWaits, ...]
    checks: tuple[Check, ...]
    upstreams: tuple[Neighbour, ...]
    start_blocking: tuple[Neighbour, ...]
    occupants: tuple[Neighbour, ...]
    queue_position: int | None
    eta: Eta
    summary: str


def explain(store: Store, clock: Clock, instance_id: int) -> Explanation | None:
    """Diagnose one instance, in one snapshot of the store; None when there is none with this id (section 13)."""
    with store.read() as connection:
        rows = instance_rows(connection, [instance_id])
        if not rows:
            return None
        moment = Moment(clock.now(), ZoneInfo(read_timezone(connection)))
        parts = read_standing(connection, [instance_id])
        return _explain(connection, rows[0], parts, moment) if parts else _without_nodes(rows[0])


def _explain(connection: Connection, row: InstanceRow, parts: Sequence[Standing], moment: Moment) -> Explanation:
    capacity = read_capacity(connection)
    missing = read_missing(connection, [part.id for part in parts])
    gates = gates_of(connection, parts)
    whys = {
        part.id: why_waiting(part, missing.get(part.id, ()), capacity, moment, gates.get(part.backfill_date_id or 0))
        for part in parts
    }
    first, *others = sorted(parts, key=lambda part: _held_up(part, missing.get(part.id, ()), parts))
    shown = row if first.id == row.id else instance_rows(connection, [first.id])[0]
    upstreams = read_upstreams(connection, shown)
    case = Case(shown, first, whys[first.id], read_transitions(connection, shown.id), len(upstreams), moment)
    unfinished = [part.id for part in parts if part.status != Status.SUCCEEDED]
    above = read_upstream(connection, unfinished)
    blocking = read_unsatisfied(connection, start_blocking(above, unfinished))
    queue = _queue(connection, case, capacity)
    checks = five_checks(case, _behind(connection, case, blocking, queue))
    eta = _eta(connection, above, unfinished, moment)
    return Explanation(
        row=row,
        node=None if shown is row else shown,
        others=tuple(_node(part, whys) for part in others if part.status != Status.SUCCEEDED),
        checks=checks,
        upstreams=upstreams,
        start_blocking=blocking,
        occupants=queue.occupants if queue else (),
        queue_position=queue.ahead if queue else None,
        eta=eta,
        summary=_summary(case, checks, eta, whole=shown is row),
    )


def _without_nodes(row: InstanceRow) -> Explanation:
    """A logical table whose instance has no materialization node: nothing of it ever runs."""
    words = "it has no materialization nodes"
    checks = tuple(Check(step, Verdict.NOT_REACHED, "") for step in Step)
    return Explanation(row, None, (), checks, (), (), (), None, Eta(None, words), words)


# --- which node -------------------------------------------------------------------------------------------------------


def _held_up(part: Standing, missing: Sequence[Missing], siblings: Sequence[Standing]) -> tuple[bool, int, bool, int]:
    """Sorts nodes: done last, then as blocking instances are listed, one that waits for a sibling after that one."""
    status, names = Status(part.status), {sibling.id for sibling in siblings}
    waits_inside = any(up.id in names for up in missing)
    return status is Status.SUCCEEDED, blocking_rank(status, part.paused), waits_inside, part.id


def _node(part: Standing, whys: Mapping[int, str]) -> NodeWaits:
    return NodeWaits(part.id, clean(part.name), Status(part.status), whys[part.id])


# --- what holds it up -------------------------------------------------------------------------------------------------


def start_blocking(above: Upstream, ids: Collection[int]) -> list[int]:
    """The instances at the roots of what these wait for: Failed, paused, running, waiting; then by due time."""
    waiting = [id for id in ids if id in above.rows and above.rows[id].goes_on]
    seen, roots = set(waiting), set[int]()
    while waiting:
        ups = {up for some in above.requirements.get(waiting.pop(), ()) for up in some if up in above.rows}
        waiting += [up for up in ups - seen if above.rows[up].goes_on]
        roots |= {up for up in ups if not above.rows[up].goes_on}
        seen |= ups
    return sorted(roots, key=lambda id: _listed_at(above.rows[id]))


def _listed_at(row: Walked) -> tuple[int, int, int]:
    return blocking_rank(Status(row.status), row.paused), row.due_at, row.id


@dataclass(frozen=True, slots=True)
class _Queue:
    """Where an instance waits for a slot: how many go first, and who holds the slots."""

    ahead: int
    occupants: tuple[Neighbour, ...]


def _queue(connection: Connection, case: Case, capacity: Capacity) -> _Queue | None:
    row = case.row
    turn = Turn(row.effective_priority, row.due_at, row.id)
    if case.place.verdict is not Verdict.WAITING:
        return None
    if row.status is Status.THROTTLED:
        matching = capacity.matching(case.standing)
        rules = [rule for rule in matching if rule in capacity.full_rules] or matching
        ahead, holders = ahead_in_throttling(connection, rules, turn), holders_of_rules(connection, rules)
    elif row.status is Status.WAITING_RESOURCE:
        group = case.standing.resource_group
        ahead, holders = ahead_in_group(connection, group, turn), holders_of_group(connection, group)
    else:
        return None
    return _Queue(ahead, read_unsatisfied(connection, holders))


def _behind(connection: Connection, case: Case, blocking: Sequence[Neighbour], queue: _Queue | None) -> str:
    """What lies behind the sentence of the check at which the instance stands."""
    if queue is not None:
        return "; ".join(filter(None, (_turn(queue), _holders(queue), _waited(case))))
    if case.place.verdict is Verdict.BLOCKED and blocking:
        return f"start blocking: {_names(connection, blocking)}"
    return ""


def _names(connection: Connection, blocking: Sequence[Neighbour]) -> str:
    errors = {row.id: clean(row.error) for row in read_standing(connection, [one.id for one in blocking])}
    return some_of([f"{_named(one)}{_error(one, errors)}" for one in blocking])


def _error(one: Neighbour, errors: Mapping[int, str]) -> str:
    failed = one.status is Status.FAILED and errors.get(one.id)
    return f": {failed}" if failed else ""


def _named(one: Neighbour) -> str:
    return f"{one.name} ({one.key}) {one.status.label}{', paused' * one.paused}"


def _turn(queue: _Queue) -> str:
    verb = "goes" if queue.ahead == 1 else "go"
    return f"{queue.ahead} {verb} before it, a higher priority moves it up" if queue.ahead else "it is next"


def _holders(queue: _Queue) -> str:
    return f"slots held by {some_of([f'{one.name} ({one.key})' for one in queue.occupants])}" if queue.occupants else ""


def _waited(case: Case) -> str:
    spent = case.spent.get(case.row.status, 0)
    return f"it has waited {format_duration(spent / 1000)}"


# --- when it will be done ---------------------------------------------------------------------------------------------


def _eta(connection: Connection, above: Upstream, targets: Sequence[int], moment: Moment) -> Eta:
    found = forecast(connection, above, moment.now)
    if not targets:
        return Eta(None, "")
    if not all(id in found.done for id in targets):
        return Eta(None, _never(connection, above, targets, in_the_way(found.works, found.done, targets)))
    at = max(found.done[id] for id in targets)
    return Eta(at, _not_before(at, found.unknown, moment) if found.unknown else f"done at about {moment.until(at)}")


def _not_before(at: int, unknown: int, moment: Moment) -> str:
    return f"not done before {moment.at(at)}: {unknown} task{'s' * (unknown > 1)} still to run never succeeded so far"


def _never(connection: Connection, above: Upstream, targets: Sequence[int], stuck: Sequence[int]) -> str:
    if not stuck:
        return f"no estimate: {WALK_LIMIT:,} upstreams and more stand before it" if above.truncated else _ITSELF
    names = {one.id: one for one in read_unsatisfied(connection, stuck)}
    single = above.rows[targets[0]] if len(targets) == 1 else None
    ordered = sorted(stuck, key=lambda id: _listed_at(above.rows[id]))
    acts = [f"{_whose(names[id], single)} {_remedy(above.rows[id])}" for id in ordered]
    verb = "start" if single is not None and Status(single.status) not in BEGUN else "be done"
    return f"will not {verb} before {some_of(acts)}"


_ITSELF = "no estimate: it waits for itself"


def _whose(one: Neighbour, target: Walked | None) -> str:
    if target is not None and one.id == target.id:
        return "it"
    return f"{one.name} of {one.task}" if one.unit == Unit.NODE else one.task


def _remedy(row: Walked) -> str:
    if row.status == Status.FAILED:
        return "is mended"
    if row.paused:
        return "is resumed"
    if row.turn is None:
        return "is run by hand"
    return "is forced to run" if row.turn == DateState.EXCLUDED else "has its turn in the backfill"


# --- in one sentence --------------------------------------------------------------------------------------------------


def _summary(case: Case, checks: Sequence[Check], eta: Eta, *, whole: bool) -> str:
    """Where it stands and what it comes to; a node is named, for its table was asked about."""
    place = next(check for check in checks if check.step is case.place.step)
    named = place.detail if whole else f"{case.row.name} {place.detail}"
    return "; ".join(filter(None, (named, eta.words)))
