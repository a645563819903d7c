"""What an operation would do, worked out before anything is written.

A plan is a value: the screen draws it, the command line prints it, and applying it changes what it says or reports why
not. It remembers the revision of every row it saw, and the key under which the ledger will know it, made once, so that
applying the same plan twice acts once.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter

from sqlalchemy import Connection

from dpconsole.core.domain.definitions import Role
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.permissions import Members, is_allowed
from dpconsole.core.operations.records import NO_PERMISSION, NO_SUCH_INSTANCE, WITH_ITS_TABLE, Item, Outcome
from dpconsole.core.operations.registry import OPERATIONS, Arguments, Operation
from dpconsole.core.operations.selection import Selection
from dpconsole.core.store.targets import Part, Reach, Target, edges_among, read_members, read_reach, read_targets

MILD_ROWS = 50
"""A mild verb on more rows than this asks for their number, as every other verb always does."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What acts, what is skipped and refused and why, and how far it reaches.

    `items` holds what acts first, upstream before downstream, then the rest. `targets` are the acting rows by id.
    """

    key: str
    verb: str
    arguments: Mapping[str, str]
    actor: Actor
    selection: Selection
    items: tuple[Item, ...]
    targets: Mapping[int, Target]
    reach: Reach

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
        return tuple((part.id, part.rev) for part in self._parts())

    @property
    def command(self) -> str:
        """The words that ask for the same on the command line."""
        fields = self.operation.fields
        chosen = [f"--{f.name}={self.arguments[f.name]}" for f in fields if self.arguments[f.name] != f.default]
        expect = [f"--expect={len(self.targets)}"] if len(self.targets) > MILD_ROWS else []
        keys = {item.id: item.key for item in self.items}
        return shlex.join(["dpconsole", self.verb, *chosen, *expect, *self.selection.words(keys)])

    @property
    def is_mild(self) -> bool:
        """Whether one key is enough to go ahead; otherwise the number of acting rows is to be typed."""
        return len(self.targets) <= MILD_ROWS and self.operation.is_mild(self.targets.values())

    def without(self, ids: Iterable[int]) -> Plan:
        """The same plan less some acting rows; their reach stays counted."""
        dropped = set(ids) & set(self.targets)
        return replace(
            self,
            selection=self.selection.less(dropped),
            targets={id: target for id, target in self.targets.items() if id not in dropped},
            items=tuple(item for item in self.items if item.id not in dropped),
        )

    def _with(self, outcome: Outcome) -> Iterator[Item]:
        return (item for item in self.items if item.outcome is outcome)

    def _parts(self) -> Iterator[Part]:
        return (part for target in self.targets.values() for part in target.parts)


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
    targets = read_targets(connection, ids)
    items = _judge_all(operation, targets, arguments, read_members(connection), actor)
    acting = {target.id for target, item in zip(targets, items, strict=True) if item.outcome is Outcome.PLANNED}
    ordered = _upstream_first(connection, [target for target in targets if target.id in acting])
    place = {target.id: place for place, target in enumerate(ordered)}
    return Plan(
        key=key,
        verb=operation.name,
        arguments=arguments,
        actor=actor,
        selection=selection,
        items=(*sorted(items, key=lambda item: place.get(item.id, len(place))), *_missing(ids, targets)),
        targets={target.id: target for target in ordered},
        reach=read_reach(connection, [part.id for target in ordered for part in target.parts]),
    )


def _judge_all(
    operation: Operation, targets: Sequence[Target], arguments: Arguments, members: Members, actor: Actor
) -> list[Item]:
    def judge(target: Target) -> Item:
        if not is_allowed(members, target.project, actor.user, Role(operation.role)):
            return _item(target, Outcome.SKIPPED, NO_PERMISSION)
        if passed_over := operation.passes_over(target, arguments):
            return _item(target, Outcome.SKIPPED, passed_over)
        if refusal := operation.guard(target, arguments):
            return _item(target, Outcome.REFUSED, refusal)
        return replace(_item(target, Outcome.PLANNED), after=operation.after(target))

    items = [judge(target) for target in targets]
    acting = {item.id for item in items if item.outcome is Outcome.PLANNED}
    return [
        _item(target, Outcome.SKIPPED, WITH_ITS_TABLE) if target.parent_id in acting else item
        for target, item in zip(targets, items, strict=True)
    ]


def _item(target: Target, outcome: Outcome, reason: str = "") -> Item:
    return Item(target.id, target.key, target.name, target.status, target.status, outcome, reason)


def _missing(ids: Sequence[int], targets: Sequence[Target]) -> list[Item]:
    found = {target.id for target in targets}
    return [Item(id, str(id), "", "", "", Outcome.REFUSED, NO_SUCH_INSTANCE) for id in ids if id not in found]


def _upstream_first(connection: Connection, targets: Sequence[Target]) -> list[Target]:
    """Upstream before downstream, so that no chunk wakes a row whose upstream is still to be acted on (section 6)."""
    parts = sorted((part.due_at, part.id) for target in targets for part in target.parts)
    graph: TopologicalSorter[int] = TopologicalSorter({id: () for _, id in parts})
    for upstream, downstream in edges_among(connection, [id for _, id in parts]):
        graph.add(downstream, upstream)
    place = {id: place for place, id in enumerate(graph.static_order())}
    return sorted(targets, key=lambda target: min((place[part.id] for part in target.parts), default=0))
