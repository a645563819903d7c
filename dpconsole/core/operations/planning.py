"""What an operation would do, worked out before anything is written.

A plan is a value: the screen draws it, the command line prints it, and applying it changes what it says or reports why
not. It remembers the revision of every row it saw, and the key under which the ledger will know it, made once, so that
applying the same plan twice acts once.
"""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlalchemy import Connection

from dpconsole.core.domain.definitions import Origin, Role
from dpconsole.core.domain.keys import TreeId
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.fields import Arguments
from dpconsole.core.operations.grounds import GROUNDS, Aim
from dpconsole.core.operations.permissions import Members, is_allowed
from dpconsole.core.operations.records import NO_PERMISSION, NOTHING_IN_IT, WITH_ITS_TABLE, Item, Outcome
from dpconsole.core.operations.registry import OPERATIONS, Batch, Operation
from dpconsole.core.operations.selection import LAYERS, Kind, Selection
from dpconsole.core.store.backfill_verbs import Folder
from dpconsole.core.store.targets import Part, Reach, Target, edges_below, read_members, read_reach

MILD_ROWS = 50
"""A mild verb on more rows than this asks for their number, as every other verb always does."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What acts, what is skipped and refused and why, and how far it reaches.

    `items` holds what acts first, upstream before downstream, then the rest. `targets` are the acting rows by id.
    `offenders` are rows for whose sake the whole batch is refused, and without which it would not be. `warning` is what
    has to be said of those that act.
    """

    key: str
    verb: str
    arguments: Mapping[str, str]
    actor: Actor
    selection: Selection
    items: tuple[Item, ...]
    targets: Mapping[int, Aim]
    reach: Reach
    offenders: tuple[int, ...] = ()
    warning: str = ""

    @property
    def operation(self) -> Operation:
        """The verb's entry in the registry."""
        return OPERATIONS[self.verb]

    @property
    def acts(self) -> tuple[Item, ...]:
        """The items that would be changed, upstream first."""
        return tuple(self._with(Outcome.PLANNED))

    def reasons(self, outcome: Outcome) -> list[tuple[str, int]]:
        """Why items have this outcome and how many for each reason, the most frequent first."""
        return Counter(item.reason for item in self._with(outcome)).most_common()

    @property
    def killed(self) -> tuple[int, ...]:
        """The running work that acting would end."""
        if not self.operation.interrupts:
            return ()
        return tuple(part.id for part in self._parts() if part.status is Status.RUNNING)

    @property
    def fingerprint(self) -> tuple[tuple[int, int], ...]:
        """Every row the plan would change, with the revision it was seen at."""
        folders = [(target.id, target.rev) for target in self.targets.values() if isinstance(target, Folder)]
        return tuple((part.id, part.rev) for part in self._parts()) + tuple(folders)

    @property
    def command(self) -> str:
        """The words that ask for the same on the command line."""
        expect = [f"--expect={len(self.targets)}"] if len(self.targets) > MILD_ROWS else []
        return self._words(self.selection, *expect)

    @property
    def command_without_offenders(self) -> str:
        """The words that ask for what is left when those rows are deselected for whose sake the batch is refused."""
        return self._words(self.selection.less(self.offenders))

    @property
    def is_mild(self) -> bool:
        """Whether one key is enough to go ahead; otherwise the number of acting rows is to be typed."""
        return len(self.targets) <= MILD_ROWS and self.operation.is_mild(self.targets.values())

    def without(self, ids: Iterable[int]) -> Plan:
        """The same plan less some acting rows; their reach stays counted."""
        dropped = set(ids) & set(self.targets)
        below = [str(id) for id in sorted(dropped) if self.targets[id].level]
        spared = ",".join(filter(None, (self.arguments.get("except", ""), *below)))
        return replace(
            self,
            selection=_less(self.selection, self.operation.kind, (id for id in dropped if not self.targets[id].level)),
            arguments={**self.arguments, "except": spared} if below else self.arguments,
            targets={id: target for id, target in self.targets.items() if id not in dropped},
            items=tuple(item for item in self.items if item.id not in dropped),
        )

    def _words(self, selection: Selection, *expect: str) -> str:
        fields = self.operation.fields
        chosen = [f"--{f.name}={self.arguments[f.name]}" for f in fields if self.arguments[f.name] != f.default]
        keys = {item.id: item.key for item in self.items}
        words = (self.operation.command or self.verb).split()
        return shlex.join(["dpconsole", *words, *chosen, *expect, *selection.words(keys)])

    def _with(self, outcome: Outcome) -> Iterator[Item]:
        return (item for item in self.items if item.outcome is outcome)

    def _parts(self) -> Iterator[Part]:
        return (part for target in self.targets.values() for part in target.parts)


def _less(selection: Selection, kind: Kind, ids: Iterable[int]) -> Selection:
    """A selection without some targets of a kind."""
    return selection.less(ids) if kind is Kind.INSTANCE else selection.less_rows(TreeId(LAYERS[kind], id) for id in ids)


def make_plan(
    connection: Connection,
    operation: Operation,
    selection: Selection,
    ids: Sequence[int],
    arguments: Arguments,
    actor: Actor,
    key: str,
) -> Plan:
    """Plan an operation on `ids`, which is what `selection` stands for; `arguments` are complete."""
    judge = _Judge(operation, arguments, read_members(connection), actor)
    ground = GROUNDS[operation.kind]
    chosen = operation.looks(connection, ground.read(connection, ids))
    judged: Sequence[Judged] = judge(chosen)
    below = operation.spreads(connection, _acting(judged), arguments)
    judged = _each_once(_with_below(judged, judge(below)))
    judged, offenders = _as_a_batch(operation.batch, judged)
    acting = _acting(judged)
    edges = edges_below(connection, [part.id for target in acting for part in target.parts])
    ordered = _upstream_first(acting, edges)
    return Plan(
        key=key,
        verb=operation.name,
        arguments=arguments,
        actor=actor,
        selection=selection,
        items=(*_items(judged, ordered), *_missing(ids, chosen, ground.missing)),
        targets={target.id: target for target in ordered},
        reach=read_reach(connection, [target for target in ordered if isinstance(target, Target)], edges),
        offenders=offenders,
        warning=operation.warns(connection, ordered),
    )


class _Verdict(NamedTuple):
    """What an item says of its target besides which one it is."""

    before: str
    after: str
    outcome: Outcome
    reason: str = ""

    @property
    def acts(self) -> bool:
        return self.outcome is Outcome.PLANNED

    def instead(self, outcome: Outcome, reason: str) -> _Verdict:
        """The same target, left as it is."""
        return _Verdict(self.before, self.before, outcome, reason)


Judged = tuple[Aim, _Verdict]
"""A target, and what the plan says of it."""


@dataclass(frozen=True, slots=True)
class _Judge:
    """Says of targets whether they act, and why not: a hundred thousand of them are of a few dozen kinds."""

    operation: Operation
    arguments: Arguments
    members: Members
    actor: Actor
    known: dict[Hashable, _Verdict] = field(default_factory=dict)

    def __call__(self, targets: Iterable[Aim]) -> list[Judged]:
        return [(target, self._known(target)) for target in targets]

    def _known(self, target: Aim) -> _Verdict:
        likeness = target.likeness
        return self.known.get(likeness) or self.known.setdefault(likeness, self._verdict(target))

    def _verdict(self, target: Aim) -> _Verdict:
        operation, arguments, shown = self.operation, self.arguments, self.operation.shows(target)
        if not is_allowed(self.members, target.project, self.actor.user, Role(operation.role)):
            return _Verdict(shown, shown, Outcome.SKIPPED, NO_PERMISSION)
        if passed_over := operation.passes_over(target, arguments):
            return _Verdict(shown, shown, Outcome.SKIPPED, passed_over)
        if refusal := operation.refuse(target, arguments):
            return _Verdict(shown, shown, Outcome.REFUSED, refusal)
        if not operation.may_change(target, arguments):
            return _Verdict(shown, shown, Outcome.SKIPPED, NOTHING_IN_IT)
        return _Verdict(shown, operation.after(target, arguments), Outcome.PLANNED)


def _acting(judged: Iterable[Judged]) -> list[Aim]:
    return [target for target, verdict in judged if verdict.acts]


def _with_below(chosen: Sequence[Judged], below: Sequence[Judged]) -> Sequence[Judged]:
    """Chosen rows, and what was found below them; a chosen one that is no start may act for being below another."""
    if not below:
        return chosen
    judged = {target.id: (target, verdict) for target, verdict in chosen}
    for target, verdict in below:
        if verdict.acts or target.id not in judged:
            judged[target.id] = (target, verdict)
    return list(judged.values())


def _each_once(judged: Sequence[Judged]) -> Sequence[Judged]:
    """A node that is part of an acting table as well is done with it."""
    within = {part.id for target in _acting(judged) for part in target.parts if part.id != target.id}
    if not within:
        return judged
    return [
        (target, verdict.instead(Outcome.SKIPPED, WITH_ITS_TABLE) if target.id in within else verdict)
        for target, verdict in judged
    ]


# --- batches ----------------------------------------------------------------------------------------------------------

NAMED = 3
"""Offenders that a refusal names; the others are counted."""


def _as_a_batch(batch: Batch, judged: Sequence[Judged]) -> tuple[Sequence[Judged], tuple[int, ...]]:
    """What several rows at once come to, and which of them are to be deselected first (section 6, AMB-1, AMB-7)."""
    if len(judged) < 2:
        return judged, ()
    offending = [target for target, verdict in judged if _offends(batch, target, verdict)]
    if offending:
        words = _refusal(batch, offending)
        refused = [(target, _refused(verdict, words)) for target, verdict in judged]
        return refused, tuple(target.id for target in offending)
    if batch.passes_over and any(verdict.acts for _, verdict in judged):
        return [(target, _skipped(verdict)) for target, verdict in judged], ()
    return judged, ()


def _offends(batch: Batch, target: Aim, verdict: _Verdict) -> bool:
    refused_in_backfill = verdict.outcome is Outcome.REFUSED and target.origin is Origin.BACKFILL
    return refused_in_backfill and target.standing in batch.strict_in_backfill


def _refusal(batch: Batch, offending: Sequence[Aim]) -> str:
    statuses = " or ".join(status.label for status in Status if status in batch.strict_in_backfill)
    names = ", ".join(target.name for target in offending[:NAMED])
    others = f" and {len(offending) - NAMED:,} more" if len(offending) > NAMED else ""
    return f"in a backfill nothing selected may be {statuses}; deselect {names}{others}"


def _refused(verdict: _Verdict, words: str) -> _Verdict:
    return verdict.instead(Outcome.REFUSED, words) if verdict.acts else verdict


def _skipped(verdict: _Verdict) -> _Verdict:
    refused = verdict.outcome is Outcome.REFUSED
    return verdict.instead(Outcome.SKIPPED, verdict.reason) if refused else verdict


# --- order ------------------------------------------------------------------------------------------------------------


def _items(judged: Sequence[Judged], ordered: Sequence[Aim]) -> Iterator[Item]:
    """What is said of the targets that act, in their order, then what is said of the others."""
    of = {target.id: Item(target.id, target.key, target.name, *verdict) for target, verdict in judged}
    yield from (of.pop(target.id) for target in ordered)
    yield from of.values()


def _missing(ids: Sequence[int], targets: Sequence[Aim], why: str) -> Iterator[Item]:
    found = {target.id for target in targets}
    return (Item(id, str(id), "", "", "", Outcome.REFUSED, why) for id in ids if id not in found)


def _upstream_first(targets: Sequence[Aim], edges: Iterable[tuple[int, int]]) -> Sequence[Aim]:
    """Upstream before downstream, so that no chunk wakes a row whose upstream is still to be acted on (section 6).

    Otherwise by due time; a table stands where its first node does. Folders have no rows, and keep their order.
    """
    owner = {part.id: at for at, target in enumerate(targets) for part in target.parts}
    due = {part.id: part.due_at for target in targets for part in target.parts}
    turns = _in_turn(sorted(sorted(owner), key=due.__getitem__), edges)
    return [targets[at] for at in dict.fromkeys(owner[id] for id in turns)] if owner else targets


def _in_turn(ids: Sequence[int], edges: Iterable[tuple[int, int]]) -> Iterable[int]:
    """The same rows, each after those of its upstreams that are among them; the others keep their turn."""
    inside, upstreams = set(ids), defaultdict[int, list[int]](list)
    for upstream, downstream in edges:
        if downstream in inside:
            upstreams[downstream].append(upstream)
    placed = dict[int, None]()
    for id in ids:
        waiting = [id]
        while waiting:
            row = waiting.pop()
            if first := upstreams.pop(row, None):
                waiting += (row, *first)
            else:
                placed.setdefault(row)
    return placed
