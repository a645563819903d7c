"""What each operator's verb writes: set-based statements, the journal, and what it means for the rows below.

`unchanged` says which of the rows a plan saw are still as it saw them. Every verb takes those, with the status each is
to have, in the same transaction, and returns the ids it changed: nobody else can have come between, because writers
take turns. Fewer than asked for is a normal answer: somebody was first, and the ledger says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    String,
    Update,
    and_,
    bindparam,
    case,
    delete,
    not_,
    or_,
    select,
    update,
)

from dpconsole.core.domain.clock import parse_iso
from dpconsole.core.domain.definitions import Origin, Priority
from dpconsole.core.domain.statuses import Cause, Status
from dpconsole.core.store.arrays import bind, id_set, row_set
from dpconsole.core.store.journal import (
    OPEN_REQUIREMENTS,
    Steps,
    derive_tables,
    follow_pause,
    recheck,
    record,
    withdraw,
)
from dpconsole.core.store.models import Attempt, BaselineTask, Instance, InstanceDependency
from dpconsole.core.store.prepared import Prepared
from dpconsole.core.store.session import Transaction
from dpconsole.core.store.targets import Move, Part, Target


@dataclass(frozen=True, slots=True)
class Change:
    """What every verb needs to know besides its rows: the moment (UTC ms), the operator, the arguments, the targets.

    The targets are of the verb's own kind: instances (`Target`), or folders of backfills. `arguments` are as the
    registry made them complete: times are ISO 8601 with offset, ids separated by commas.
    """

    now: int
    actor: str
    arguments: Mapping[str, str]
    targets: Sequence[Any]


_SEEN = row_set("seen", id=BigInteger, rev=BigInteger, status=String, paused=Integer, attempt=Integer)
_UNCHANGED = Prepared(
    select(Instance.id)
    .join(_SEEN, Instance.id == _SEEN.c.id)
    .where(
        Instance.rev == _SEEN.c.rev,
        Instance.status == _SEEN.c.status,
        Instance.paused == (_SEEN.c.paused == 1),
        Instance.attempt == _SEEN.c.attempt,
    )
)


def unchanged(transaction: Transaction, parts: Iterable[Part]) -> set[int]:
    """The rows that are still as they were seen."""
    seen = bind([(p.id, p.rev, p.status, int(p.paused), p.attempt) for p in parts])
    return {id for (id,) in _UNCHANGED.each(transaction.connection, seen=seen)}


# --- statements -------------------------------------------------------------------------------------------------------

_HERE = Instance.id.in_(id_set())
_REV = bindparam("rev", type_=BigInteger)
_NOW = bindparam("now", type_=BigInteger)
_WHY = bindparam("why", type_=String)

_ACTED_DRY = and_(Instance.forced, Instance.set_by_hand)
"""An earlier dry-run start made this row a dry run; a run of its own ends that."""
_OWN_NATURE = and_(Instance.dry_run, not_(_ACTED_DRY))
_UNPAUSED: dict[str, Any] = {"paused": False, "paused_until": None}
_AFRESH: dict[str, Any] = {
    "autonomous": True,
    "forced": False,
    "set_by_hand": False,
    "dry_run": _OWN_NATURE,
    "auto_reruns": 0,
    "retry_at": None,
    "started_at": None,
    "ended_at": None,
    "error": "",
}


def _change(**values: Any) -> Update:
    return update(Instance).where(_HERE).values(**values, rev=_REV).returning(Instance.id)


_IN_ITS_TURN = or_(Instance.autonomous, Instance.origin != Origin.BACKFILL)
"""Whether the engine may start a row that is run again: one of a backfill not before its data timestamp has begun."""
_RUN_AGAIN = _change(status=Status.NOT_RUNNING, **_AFRESH | {"autonomous": _IN_ITS_TURN})
_RESET = _change(status=Status.NOT_RUNNING, **_AFRESH)
_WAKE = _change(autonomous=True)
_FORCE = _change(status=Status.THROTTLED, **_AFRESH | _UNPAUSED | {"forced": True})
_SUCCEED_AT_ONCE = _change(status=Status.SUCCEEDED, **_AFRESH | _UNPAUSED | {"forced": True})
_ACT_DRY = _change(
    status=Status.SUCCEEDED,
    **_AFRESH | _UNPAUSED | {"forced": True, "dry_run": True, "set_by_hand": not_(_OWN_NATURE)},
)
_SET_SUCCESS = _change(
    status=Status.SUCCEEDED,
    **_UNPAUSED,
    forced=False,
    set_by_hand=True,
    dry_run=_OWN_NATURE,
    retry_at=None,
    error="",
)
_STOP = _change(
    status=Status.FAILED,
    **_UNPAUSED,
    retry_at=None,
    ended_at=case((Instance.status == Status.RUNNING, _NOW), else_=Instance.ended_at),
    error=_WHY,
)
_STOP_ATTEMPTS = (
    update(Attempt)
    .where(Attempt.instance_id.in_(id_set()), Attempt.ended_at.is_(None))
    .values(state="stopped", ended_at=_NOW, why=_WHY, stop_requested=True)
)
_PAUSE = _change(paused=True, paused_until=bindparam("until", type_=BigInteger))
_RESUME = _change(**_UNPAUSED)

_PRIORITY = bindparam("priority", type_=Integer)
_COVERED = Instance.task_id.in_(select(BaselineTask.task_id))
_SET_PRIORITY = _change(
    priority=_PRIORITY, effective_priority=case((_COVERED, Instance.effective_priority), else_=_PRIORITY)
)


def _run(transaction: Transaction, statement: Update, parts: Iterable[Part], **values: Any) -> list[Part]:
    """Change rows; those that were."""
    seen = {part.id: part for part in parts}
    if not seen:
        return []
    changed = transaction.execute(statement, {"ids": bind(seen), "rev": transaction.rev, **values}).scalars()
    transaction.touch("instance", seen)
    return [seen[id] for id in sorted(changed)]


# --- running again ----------------------------------------------------------------------------------------------------

Path = tuple[tuple[Status, Status, Cause], ...]
"""The steps a row takes, in the journal's order."""


def rerun(transaction: Transaction, moves: Sequence[Move], change: Change) -> set[int]:
    """O1, O3: what has ended goes back to Not Running and obeys every check again (section 2.4, AMB-14).

    Attempts stay; the next one is appended. A failed row that waits for its automatic rerun waits no longer. A start
    that is to act dry succeeds at once. In a data timestamp of a backfill that has not begun it waits for its turn.
    """
    by_after = _by_after(moves)
    again = _run_again(transaction, _RUN_AGAIN, by_after[Status.NOT_RUNNING])
    dry = _run(transaction, _ACT_DRY, by_after[Status.SUCCEEDED])
    paths = {part: _direct(part.status, Status.NOT_RUNNING, Cause.RERUN) for part in again}
    paths |= {part: _at_once(part.status) for part in dry}
    _follow(transaction, paths, change)
    return {part.id for part in paths}


def force_rerun(transaction: Transaction, moves: Sequence[Move], change: Change) -> set[int]:
    """O2, O4: live attempts end first; then starts go to Throttling past every check, the others to Not Running.

    What is a dry run by its nature, or is to act as one, succeeds at once (sections 2.3 and 2.4, AMB-12).
    """
    acts_dry, first_reset = change.arguments["start"] == "dry-run", change.arguments["scope"] == "downstream"
    by_after = _by_after(moves)
    _end_attempts(transaction, [move.part for move in moves], change, f"ended by a forced rerun of {change.actor}")
    forced = _run(transaction, _FORCE, by_after[Status.THROTTLED])
    reset = _run_again(transaction, _RESET, by_after[Status.NOT_RUNNING])
    done = _run(transaction, _ACT_DRY if acts_dry else _SUCCEED_AT_ONCE, by_after[Status.SUCCEEDED])
    paths = {part: _forced(part.status, first_reset=first_reset) for part in forced}
    paths |= {part: _reset(part.status) for part in reset}
    paths |= {part: (*_forced(part.status, first_reset=first_reset), *_SUCCEEDS) for part in done}
    _follow(transaction, paths, change)
    return {part.id for part in paths}


def _run_again(transaction: Transaction, statement: Update, parts: Iterable[Part]) -> list[Part]:
    """To Not Running; what is there already has nothing to lose, and may start by itself from now on (section 3)."""
    parts = list(parts)
    there = [part for part in parts if part.status is Status.NOT_RUNNING]
    return [
        *_run(transaction, _WAKE, there),
        *_run(transaction, statement, [part for part in parts if part.status is not Status.NOT_RUNNING]),
    ]


_SUCCEEDS: Path = (
    (Status.THROTTLED, Status.RUNNING, Cause.ADMITTED),
    (Status.RUNNING, Status.SUCCEEDED, Cause.FINISHED),
)


def _direct(before: Status, after: Status, cause: Cause) -> Path:
    return () if before is after else ((before, after, cause),)


def _ended(before: Status) -> tuple[Path, Status]:
    """A running row fails before anything else happens to it, so that the journal holds both (AMB-12)."""
    if before is not Status.RUNNING:
        return (), before
    return ((before, Status.FAILED, Cause.STOPPED),), Status.FAILED


def _reset(before: Status) -> Path:
    ended, before = _ended(before)
    return (*ended, *_direct(before, Status.NOT_RUNNING, Cause.FORCED))


def _forced(before: Status, *, first_reset: bool) -> Path:
    """To Throttling; by way of Not Running where it stands there already, or where everything below goes there too."""
    if first_reset or before is Status.THROTTLED:
        return (*_reset(before), (Status.NOT_RUNNING, Status.THROTTLED, Cause.FORCED))
    ended, before = _ended(before)
    return (*ended, (before, Status.THROTTLED, Cause.FORCED))


def _at_once(before: Status) -> Path:
    return (*_forced(before, first_reset=False), *_SUCCEEDS)


# --- ending by hand ---------------------------------------------------------------------------------------------------


def stop(transaction: Transaction, moves: Sequence[Move], change: Change) -> set[int]:
    """O6: what waits or runs fails, and nothing follows by itself (AMB-16, AMB-17).

    The attempt is over in this transaction: whatever is reported about it later changes nothing. That the work is to
    end as well stands in the attempt, for whoever does it. A node of a stopped table that had not started is stopped
    before it could (AMB-3).
    """
    _end_attempts(transaction, [move.part for move in moves], change, f"stopped by {change.actor}")
    early = [move.part for move in moves if move.part.status is Status.NOT_RUNNING]
    begun = [move.part for move in moves if move.part.status is not Status.NOT_RUNNING]
    stopped = _run(transaction, _STOP, begun, now=change.now, why=f"stopped by {change.actor}")
    stopped += _run(transaction, _STOP, early, now=change.now, why=f"stopped before start by {change.actor}")
    _follow(transaction, {part: _direct(part.status, Status.FAILED, Cause.STOPPED) for part in stopped}, change)
    return {part.id for part in stopped}


def set_success(transaction: Transaction, moves: Sequence[Move], change: Change) -> set[int]:
    """O5: Succeeded by decree; what only it blocked becomes ready (AMB-15)."""
    done = _run(transaction, _SET_SUCCESS, [move.part for move in moves])
    _follow(transaction, {part: _direct(part.status, Status.SUCCEEDED, Cause.SET_SUCCESS) for part in done}, change)
    return {part.id for part in done}


def _end_attempts(transaction: Transaction, parts: Iterable[Part], change: Change, why: str) -> None:
    running = [part.id for part in parts if part.status is Status.RUNNING]
    if running:
        transaction.execute(_STOP_ATTEMPTS, {"ids": bind(running), "now": change.now, "why": why})


# --- flags and edges --------------------------------------------------------------------------------------------------


def pause(transaction: Transaction, moves: Sequence[Move], change: Change) -> set[int]:
    """O7: the row keeps its status and is not started, until it is resumed or `until` comes."""
    until = change.arguments["until"]
    return _flag(transaction, _PAUSE, moves, until=parse_iso(until) if until else None)


def resume(transaction: Transaction, moves: Sequence[Move], change: Change) -> set[int]:
    """O8: the row may start again, and does as soon as the engine has looked."""
    return _flag(transaction, _RESUME, moves)


def _flag(transaction: Transaction, statement: Update, moves: Sequence[Move], **values: Any) -> set[int]:
    changed = _run(transaction, statement, [move.part for move in moves], **values)
    follow_pause(transaction, _tables(changed))
    return {part.id for part in changed}


def set_priority(transaction: Transaction, moves: Sequence[Move], change: Change) -> set[int]:
    """O9: the configured priority, and the effective one of what no baseline covers (section 11.3)."""
    number = Priority(change.arguments["to"]).number
    ids = {move.part.id for move in moves} | {target.id for target in change.targets}
    changed = transaction.execute(_SET_PRIORITY, {"ids": bind(ids), "rev": transaction.rev, "priority": number})
    transaction.touch("instance", ids)
    return set(changed.scalars())


def acknowledge(_transaction: Transaction, moves: Sequence[Move], _change: Change) -> set[int]:
    """A note: it stands in the ledger, and nothing else changes."""
    return {move.part.id for move in moves}


_REMOVE = delete(InstanceDependency).where(
    InstanceDependency.downstream_id == bindparam("downstream"), InstanceDependency.upstream_id == bindparam("upstream")
)
_COUNT_ANEW = _change(pending=OPEN_REQUIREMENTS)


def remove_upstream(transaction: Transaction, moves: Sequence[Move], change: Change) -> set[int]:
    """O10: the row no longer waits for these upstreams, and readiness is counted anew; its task is not changed.

    Where an upstream was one of several that would do, the others still may have to.
    """
    unwanted = [
        {"downstream": part.id, "upstream": upstream}
        for target in change.targets
        for part in target.parts
        for upstream in chosen_upstreams(target, change.arguments["upstream"])
    ]
    transaction.execute(_REMOVE, unwanted)
    changed = {part.id for part in _run(transaction, _COUNT_ANEW, [move.part for move in moves])}
    recheck(transaction, changed, change.now)
    return changed


def chosen_upstreams(target: Target, chosen: str) -> list[int]:
    """The executable upstreams of a target that ids separated by commas name: themselves, or the table they are of."""
    ids = set(map(int, filter(None, chosen.split(","))))
    return [upstream for upstream, listed in target.upstreams.items() if {upstream, listed} & ids]


# --- what follows -----------------------------------------------------------------------------------------------------


def _by_after(moves: Iterable[Move]) -> dict[Status, list[Part]]:
    by_after: dict[Status, list[Part]] = defaultdict(list)
    for part, after in moves:
        by_after[after].append(part)
    return by_after


def _follow(transaction: Transaction, paths: Mapping[Part, Path], change: Change) -> None:
    """Write the journal, step by step, and carry the consequences: for what waits below, and for the tables above."""
    _record(transaction, paths, change)
    moved = {part: path[-1][1] for part, path in paths.items() if path}
    left = [part.id for part, after in moved.items() if _leaves(part.status, after)]
    reached = [part.id for part, after in moved.items() if _leaves(after, part.status)]
    withdraw(transaction, left, change.now, reached)
    tables = _tables(paths)
    derive_tables(transaction, tables, change.now, change.actor)
    follow_pause(transaction, tables)


def _leaves(before: Status, after: Status) -> bool:
    return before is Status.SUCCEEDED and after is not Status.SUCCEEDED


def _record(transaction: Transaction, paths: Mapping[Part, Path], change: Change) -> None:
    """One round for each step of the longest path; what the engine would have done is signed by nobody."""
    for place in range(max(map(len, paths.values()), default=0)):
        by_hand, by_itself = Steps(), Steps()
        for part, path in paths.items():
            if place < len(path):
                before, after, cause = path[place]
                steps = by_itself if cause in (Cause.ADMITTED, Cause.FINISHED) else by_hand
                steps.add(part.id, before, after, cause, part.attempt)
        record(transaction, by_hand, change.now, change.actor)
        record(transaction, by_itself, change.now)


def _tables(parts: Iterable[Part]) -> set[int]:
    return {part.parent_id for part in parts if part.parent_id is not None}
