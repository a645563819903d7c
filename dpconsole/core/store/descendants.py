"""What stands below instances, as targets for a verb: every row once, with the number of steps that lead to it.

Steps are counted between listed rows, as an operator sees them: inside a logical table there are none. Of a table only
the nodes are reached whose fields depend on the start, with the nodes those fields drag in (sections 5 and 9.3).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from dpconsole.core.store.arrays import bind, id_rows, id_set
from dpconsole.core.store.models import Instance, InstanceDependency, NodeField
from dpconsole.core.store.targets import Target, read_targets

_below = id_rows().cte("below", recursive=True)
_below = _below.union(
    select(InstanceDependency.downstream_id).join(_below, InstanceDependency.upstream_id == _below.c.id)
)
_EDGES = (
    select(InstanceDependency.upstream_id, InstanceDependency.downstream_id)
    .join(_below, InstanceDependency.upstream_id == _below.c.id)
    .distinct()
)
_TABLES = select(Instance.parent_id).where(Instance.id.in_(id_set()), Instance.parent_id.is_not(None)).distinct()
_FAMILIES = (
    select(Instance.parent_id, Instance.id, NodeField.field_id)
    .outerjoin(NodeField, NodeField.node_id == Instance.node_id)
    .where(Instance.parent_id.is_not(None), Instance.parent_id.in_(id_set("tables")))
)


def read_descendants(connection: Connection, starts: Sequence[Target], levels: int | None) -> list[Target]:
    """What stands below the starts, at most `levels` steps away, the nearest first; without the starts' own rows."""
    parts = [part.id for start in starts for part in start.parts]
    distance = _Walk(connection).measure(parts, levels)
    own = set(parts)
    reached = {id: max(1, steps) for id, steps in distance.items() if id not in own}
    tables = _parents(connection, reached)
    listed = dict.fromkeys(tables.get(id, id) for id in sorted(reached, key=lambda id: (reached[id], id)))
    return [_narrowed(target, reached) for target in read_targets(connection, listed)]


def _parents(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """The logical table of each node among these rows."""
    rows = connection.execute(_PARENTS, {"ids": bind(ids)})
    return {row.id: row.parent_id for row in rows}


_PARENTS = select(Instance.id, Instance.parent_id).where(Instance.id.in_(id_set()), Instance.parent_id.is_not(None))


def _narrowed(target: Target, reached: dict[int, int]) -> Target:
    """A target with no more than the rows that were reached."""
    parts = tuple(part for part in target.parts if part.id in reached)
    spared = tuple(part.status for part in target.parts if part.id not in reached)
    return target._replace(parts=parts, spared=spared, level=min(reached[part.id] for part in parts))


@dataclass
class _Walk:
    """The dependencies below some rows, and which nodes of a table go together."""

    connection: Connection
    edges: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    family: dict[int, int] = field(default_factory=dict)
    companions: dict[int, Collection[int]] = field(default_factory=dict)

    def measure(self, starts: Collection[int], levels: int | None) -> dict[int, int]:
        """How many steps each row is away from the nearest start."""
        self._learn(starts)
        own, distance, queue = set(starts), dict.fromkeys(starts, 0), deque(starts)
        while queue:
            id = queue.popleft()
            for other, step in self._next_to(id, alone=id in own):
                steps = distance[id] + step
                if steps < distance.get(other, steps + 1) and (levels is None or steps <= levels):
                    distance[other] = steps
                    (queue.append if step else queue.appendleft)(other)
        return distance

    def _next_to(self, id: int, *, alone: bool) -> Iterator[tuple[int, int]]:
        """The rows below one, each with whether it is a step to it; a start drags nothing in."""
        table = self.family.get(id)
        for other in self.edges.get(id, ()):
            yield other, int(table is None or self.family.get(other) != table)
        if not alone:
            yield from ((other, 0) for other in self.companions.get(id, ()))

    def _learn(self, starts: Collection[int]) -> None:
        """Read the edges below the starts, and below what goes along with what they lead to."""
        known, new = set(starts), set(starts)
        while new:
            found = self._read_edges(new)
            known |= found
            new = self._read_families(found | new) - known
            known |= new

    def _read_edges(self, ids: Collection[int]) -> set[int]:
        found = set[int]()
        for upstream, downstream in self.connection.execute(_EDGES, {"ids": bind(ids)}):
            self.edges[upstream].add(downstream)
            found.add(downstream)
        return found

    def _read_families(self, ids: Collection[int]) -> set[int]:
        """Take in the tables some of whose nodes were reached; returns what goes along with those nodes."""
        tables: set[Any] = {row.parent_id for row in self.connection.execute(_TABLES, {"ids": bind(ids)})}
        tables -= set(self.family.values())
        carried: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        rows: Iterable[Any] = self.connection.execute(_FAMILIES, {"tables": bind(tables)}) if tables else ()
        for table, node, field_id in rows:
            self.family[node] = table
            carried[table][node].add(field_id)
        for nodes in carried.values():
            self.companions |= _companions(nodes)
        return {other for id in ids for other in self.companions.get(id, ())}


def _companions(nodes: dict[int, set[int]]) -> dict[int, Collection[int]]:
    """The nodes of a table that each one drags in: those it is connected to by shared fields (section 9.3)."""
    groups: list[tuple[set[int], set[int]]] = []
    for node, fields in nodes.items():
        members, covered = {node}, fields - {None}  # a node that lost its fields drags nothing
        apart = []
        for group in groups:
            if group[1] & covered:
                members |= group[0]
                covered = covered | group[1]
            else:
                apart.append(group)
        groups = [*apart, (members, covered)]
    return {node: members - {node} for members, _ in groups for node in members}
