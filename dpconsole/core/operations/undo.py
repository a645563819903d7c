"""The way back: what would compensate a record of the ledger, and what would finish one that fell short.

Neither writes anything. Both answer with verbs on selections, for the preview that everything goes through, so that a
way back is planned, confirmed and entered in the ledger like any other act.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from dpconsole.core.domain.backfills import FlowVerb, PendingVerb
from dpconsole.core.domain.keys import TreeId
from dpconsole.core.domain.statuses import Verb
from dpconsole.core.operations.records import Item, Outcome, Record
from dpconsole.core.operations.registry import CONCURRENCY, OPERATIONS
from dpconsole.core.operations.selection import LAYERS, Kind, Selection
from dpconsole.core.store.ways_back import gone_on_from, standing_by_hand


@dataclass(frozen=True, slots=True)
class Step:
    """A verb to be asked of a selection, with its answers; `reason` is what the ledger will say unless told better."""

    verb: str
    selection: Selection
    arguments: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WayBack:
    """The steps that undo a record, or in words why there are none; `spared` items are past undoing, and why."""

    record: Record
    steps: tuple[Step, ...]
    words: str = ""


def retry_of(record: Record) -> Step | None:
    """The same verb for the items that were to act and did not; None where there are none.

    What the verb refused is not among them: its state would refuse it again.
    """
    short = [item.id for item in record.items if _was_to_act(item)]
    if not short or record.verb not in OPERATIONS:
        return None
    known = {field.name for field in OPERATIONS[record.verb].fields}
    arguments = {name: value for name, value in record.arguments.items() if name in known}
    return Step(record.verb, _selection(record, short), arguments, f"retry of record {record.id}")


def _selection(record: Record, ids: Iterable[int]) -> Selection:
    """Some of the items of a record, whatever they are."""
    layer = LAYERS[Kind(record.kind)]
    return Selection.of_rows(TreeId(layer, id) for id in ids)


def _was_to_act(item: Item) -> bool:
    fell_short = item.falls_short and item.outcome is not Outcome.REFUSED
    return fell_short or item.outcome is Outcome.PLANNED


def way_back(connection: Connection, record: Record) -> WayBack:
    """What compensates a record, of the items it changed, as far as the night has not gone on from them."""
    changed = [item.id for item in record.items if item.outcome is Outcome.OK]
    find = _WAYS.get(record.verb)
    if find is None:
        title = OPERATIONS[record.verb].title if record.verb in OPERATIONS else record.verb
        return WayBack(record, (), f"{title} (record {record.id}) cannot be undone: what was done has run its course")
    if not changed:
        return WayBack(record, (), f"Record {record.id} changed nothing: there is nothing to undo")
    return find(connection, record, changed)


def _by(verb: str) -> Callable[[Connection, Record, list[int]], WayBack]:
    """The way back that is one other verb on all that was changed."""

    def find(_connection: Connection, record: Record, changed: list[int]) -> WayBack:
        return WayBack(record, (Step(verb, _selection(record, changed), {}, _reason(record)),))

    return find


def _former_answers(_connection: Connection, record: Record, _changed: list[int]) -> WayBack:
    """One step for each answer that rows stood at before."""
    former: dict[str, list[int]] = defaultdict(list)
    for item in record.items:
        if item.outcome is Outcome.OK and item.before != item.after:
            former[item.before].append(item.id)
    steps = (
        Step(record.verb, _selection(record, ids), {"to": before}, _reason(record)) for before, ids in former.items()
    )
    title = OPERATIONS[record.verb].title
    return WayBack(record, tuple(steps), "" if former else f"{title} (record {record.id}) left everything as it was")


def _run_after_all(connection: Connection, record: Record, changed: list[int]) -> WayBack:
    """What was set to success runs after all, while nothing downstream has started from it."""
    standing = standing_by_hand(connection, changed)
    gone_on = gone_on_from(connection, standing, record.at)
    left = [id for id in changed if id in standing and id not in gone_on]
    if left:
        return WayBack(record, (Step(Verb.RERUN, Selection.of(left), {}, _reason(record)),), _spared(changed, left))
    words = "downstream of it has started" if gone_on else "it has been run or changed since"
    return WayBack(record, (), f"Set to success (record {record.id}) cannot be undone: {words}")


def _spared(changed: list[int], left: list[int]) -> str:
    past = len(changed) - len(left)
    return f"{past:,} of {len(changed):,} are past undoing: downstream has started, or they were run since" * bool(past)


def _reason(record: Record) -> str:
    return f"undo of record {record.id}"


_WAYS: Mapping[str, Callable[[Connection, Record, list[int]], WayBack]] = {
    Verb.PAUSE: _by(Verb.RESUME),
    Verb.RESUME: _by(Verb.PAUSE),
    Verb.PRIORITY: _former_answers,
    Verb.SET_SUCCESS: _run_after_all,
    PendingVerb.PAUSE: _by(PendingVerb.RESUME),
    PendingVerb.RESUME: _by(PendingVerb.PAUSE),
    FlowVerb.PAUSE: _by(FlowVerb.RESUME),
    FlowVerb.RESUME: _by(FlowVerb.PAUSE),
    CONCURRENCY: _former_answers,
}
"""The verbs that have a way back."""
