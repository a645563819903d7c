"""A window of the instance graph: the rows some levels around a main one, and every edge between two of them.

It promises that no edge is missing and none invented, that what is not shown is counted at the row it would hang from,
and that the picture has no circles. A logical table is one row whose edges are those of its materialization nodes, or
each of its nodes; two tables may use each other's fields, and those are shown by their nodes unasked, for as wholes
they would wait for each other (section 9.1). The price is that of the rows shown, whatever the graph holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from graphlib import CycleError, TopologicalSorter
from operator import attrgetter
from typing import Literal

from sqlalchemy import Connection

from dpconsole.core.domain.calendars import SUB_DAY
from dpconsole.core.domain.definitions import Unit
from dpconsole.core.domain.keys import instance_key
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store import neighbours as store
from dpconsole.core.store.neighbours import Edge, Levels, NodeFacts
from dpconsole.core.store.session import current_rev

MOST_NODES = 2_000
"""Nodes that a window holds at most, unless it is asked for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowNode(NodeFacts):
    """One box of the picture. `level` is 0 for the main row, negative upstream, positive downstream of it.

    `hidden_up` and `hidden_down` count the listed rows directly beside it that the window does not show. `parts` is the
    number of materialization nodes behind a folded logical table, else 0. `vacuous` names declared upstreams that had
    no instance (section 10.2). `key` is the id it is shown under, of a task its key.
    """

    key: str
    level: int
    hidden_up: int
    hidden_down: int
    parts: int
    vacuous: tuple[str, ...]

    @classmethod
    def of(
        cls,
        facts: NodeFacts,
        key: str,
        level: int,
        hidden_up: int,
        hidden_down: int,
        parts: int,
        vacuous: tuple[str, ...] = (),
    ) -> WindowNode:
        """The node that shows these facts at its place in a window."""
        return cls(
            *_told(facts),
            key=key,
            level=level,
            hidden_up=hidden_up,
            hidden_down=hidden_down,
            parts=parts,
            vacuous=vacuous,
        )

    @property
    def title(self) -> str:
        """The name, and within a day the ordinal that tells an instance from its siblings (section 1)."""
        return f"{self.name}#{self.ordinal:02}" if self.ordinal and self.cycle in SUB_DAY else self.name

    @property
    def is_table(self) -> bool:
        """Whether it stands for a logical table as a whole."""
        return self.unit == Unit.LOGICAL_TABLE


_told = attrgetter(*(told.name for told in fields(NodeFacts)))


@dataclass(frozen=True, slots=True)
class Window:
    """What one picture shows. `edges` are (upstream, downstream) between its nodes.

    `main` is the row that was asked about; where that is a logical table shown by its nodes, `anchor` is the first of
    them. `up` and `down` are the levels asked for, None for all; `truncated` says that not all of them fitted.
    `expanded` are the tables shown by their nodes, `behind` the nodes that folded tables stand for, each with its
    table. `loops` are the edges of a picture of tasks that would close a circle, and are not among `edges`.
    """

    main: int
    nodes: Mapping[int, WindowNode]
    edges: frozenset[Edge]
    up: int | None
    down: int | None
    truncated: bool
    rev: int
    expanded: frozenset[int] = frozenset()
    behind: Mapping[int, int] = field(default_factory=dict)
    loops: frozenset[Edge] = frozenset()

    @property
    def anchor(self) -> int:
        """The node the picture is around; always one of `nodes`."""
        return self.main if self.main in self.nodes else min(id for id, node in self.nodes.items() if node.level == 0)


def read_window(
    connection: Connection,
    main: int,
    up: int | None = 1,
    down: int | None = 1,
    *,
    expanded: Collection[int] | Literal[True] = frozenset(),
    limit: int = MOST_NODES,
) -> Window | None:
    """The window around an instance; None when there is none with this id.

    `up` and `down` are levels, None for all. `expanded` are the ids of the logical tables to be shown by their nodes,
    True for all of them. Around a materialization node its table is expanded.
    """
    listed = store.listed_row(connection, main)
    if listed is None:
        return None
    levels = store.read_levels(connection, listed, up, down, limit - 1)
    level_of = signed_levels(listed, levels)
    nodes_of = store.nodes_of(connection, level_of)
    executable = [*level_of, *(node for some in nodes_of.values() for node in some)]
    edges = store.edges_between(connection, executable)
    wanted = {listed} if listed != main else set[int]()
    wanted |= nodes_of.keys() if expanded is True else nodes_of.keys() & set(expanded)
    folding = _Folding(level_of, nodes_of, edges)
    unfolded = folding.unfold(wanted, limit)
    nodes = _nodes(connection, folding)
    return Window(
        main=main,
        nodes=nodes,
        edges=frozenset(folding.edges()),
        up=up,
        down=down,
        truncated=levels.truncated or unfolded < len(wanted),
        rev=current_rev(connection),
        expanded=frozenset(folding.expanded),
        behind={node: table for table, some in folding.folded.items() for node in some},
    )


def extend(
    connection: Connection,
    window: Window,
    *,
    up: int | None = 0,
    down: int | None = 0,
    expanded: Collection[int] | Literal[True] | None = None,
    limit: int = MOST_NODES,
) -> Window | None:
    """The window with so many levels more on each side, None for all there are; None when its main row is gone."""
    return read_window(
        connection,
        window.main,
        _more(window.up, up),
        _more(window.down, down),
        expanded=window.expanded if expanded is None else expanded,
        limit=limit,
    )


def _more(levels: int | None, more: int | None) -> int | None:
    return None if levels is None or more is None else max(0, levels + more)


# --- live -------------------------------------------------------------------------------------------------------------


def window_ids(window: Window) -> frozenset[int]:
    """The rows whose changes concern the window: its nodes, and what stands behind folded tables."""
    return frozenset(window.nodes) | frozenset(window.behind)


def refresh(connection: Connection, window: Window, ids: Iterable[int]) -> dict[int, WindowNode]:
    """The nodes that these changed rows concern, as they are now; places and edges stay. Others' ids are left out."""
    concerned = {window.behind.get(id, id) for id in ids} & window.nodes.keys()
    if not concerned:
        return {}
    facts = store.read_facts(connection, concerned)
    return {id: _node(some, *_own(window.nodes[id])) for id, some in facts.items()}


def with_nodes(window: Window, nodes: Mapping[int, WindowNode], rev: int) -> Window:
    """The same picture with some of its nodes as `refresh` found them at revision `rev`."""
    return replace(window, nodes={**window.nodes, **nodes}, rev=rev)


def turned(connection: Connection, window: Window, backfill_date_id: int) -> tuple[Window, dict[int, int]] | None:
    """The same picture on another data timestamp of its backfill, and who stands for whom there (section 15).

    What belongs to no backfill, or was not made for that date, stands for itself. None where the picture cannot stay as
    it is: the main node is not there, or two of its nodes would be one.
    """
    mine = window_ids(window) | {window.main}
    stands_for = {id: id for id in mine} | store.twins(connection, mine, backfill_date_id)
    if stands_for[window.main] == window.main or len(set(stands_for.values())) < len(mine):
        return None
    there = _renamed(window, stands_for)
    return with_nodes(there, refresh(connection, there, there.nodes), current_rev(connection)), stands_for


def _renamed(window: Window, ids: Mapping[int, int]) -> Window:
    """The same picture of other rows."""
    return replace(
        window,
        main=ids[window.main],
        nodes={ids[id]: replace(node, id=ids[id]) for id, node in window.nodes.items()},
        edges=frozenset((ids[up], ids[down]) for up, down in window.edges),
        expanded=frozenset(ids.get(table, table) for table in window.expanded),
        behind={ids[node]: ids[table] for node, table in window.behind.items()},
    )


# --- what failed ------------------------------------------------------------------------------------------------------


def next_failed(window: Window, current: int, step: Literal[1, -1] = 1) -> int | None:
    """The next failed node after `current`, or with -1 the one before it, all around; None when nothing failed.

    They follow each other from the farthest upstream down, in each level by due time: what failed first comes first.
    """
    order = [node.id for node in in_order(window)]
    start = order.index(current) if current in window.nodes else -1 if step == 1 else len(order)
    around = order[start + 1 :] + order[: start + 1] if step == 1 else order[:start][::-1] + order[start:][::-1]
    return next((id for id in around if window.nodes[id].status is Status.FAILED), None)


def in_order(window: Window) -> list[WindowNode]:
    """The nodes, the farthest upstream first, in each level by due time."""
    return sorted(window.nodes.values(), key=lambda node: (node.level, node.due_at or 0, node.id))


# --- how it is put together -------------------------------------------------------------------------------------------


def signed_levels(main: int, levels: Levels) -> dict[int, int]:
    """The level of every listed row, nearest first; one that is on both sides stands where it is nearer."""
    signed = {main: 0, **levels.down}
    for id, level in levels.up.items():
        if id not in signed or level <= signed[id]:
            signed[id] = -level
    return dict(sorted(signed.items(), key=lambda item: (abs(item[1]), item[1], item[0])))


class _Folding:
    """Which logical tables stand as one node and which as their materialization nodes, and what that makes of edges."""

    def __init__(self, levels: Mapping[int, int], nodes_of: Mapping[int, list[int]], edges: Collection[Edge]) -> None:
        self.folded = dict(nodes_of)
        self.expanded: dict[int, list[int]] = {}
        self._levels = levels
        self._edges = edges
        self._table_of = {node: table for table, nodes in nodes_of.items() for node in nodes}

    def unfold(self, wanted: Collection[int], limit: int) -> int:
        """Expand these tables, the nearest first, while the picture stays within `limit` nodes; how many were.

        Then as many more as it takes to be rid of circles.
        """
        size, number = len(self._levels), 0
        for table in [id for id in self._levels if id in wanted]:
            size += len(self.folded[table]) - 1
            if number and size > limit:
                break
            self._expand(table)
            number += 1
        while circle := self._circle():
            for table in self.folded.keys() & circle:
                self._expand(table)
        return number

    def _expand(self, table: int) -> None:
        self.expanded[table] = self.folded.pop(table)

    def _circle(self) -> set[int]:
        """Nodes that would wait for each other, if there are any; executable rows alone never do."""
        if not self.folded:
            return set()
        sorter = TopologicalSorter[int]()
        for up, down in self.edges():
            sorter.add(down, up)
        try:
            sorter.prepare()
        except CycleError as error:
            return set(error.args[1]) & self.folded.keys()
        return set()

    def edges(self) -> set[Edge]:
        """The edges between what is shown; those inside a folded table are not."""
        shown = {(self._shown(up), self._shown(down)) for up, down in self._edges}
        return {(up, down) for up, down in shown if up != down}

    def levels(self) -> dict[int, int]:
        """The level of every node that is shown."""
        return {node: level for id, level in self._levels.items() for node in self.expanded.get(id, (id,))}

    def neighbours(self) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
        """The listed rows of the window directly above, and below, each node that is shown."""
        above, below = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
        for up, down in self._edges:
            above[self._shown(down)].add(self._listed(up))
            below[self._shown(up)].add(self._listed(down))
        return above, below

    def rows(self, node: int) -> list[int]:
        """The executable rows behind a node that is shown."""
        return self.folded.get(node, [node])

    def _listed(self, id: int) -> int:
        return self._table_of.get(id, id)

    def _shown(self, id: int) -> int:
        table = self._table_of.get(id)
        return table if table is not None and table in self.folded else id


def _nodes(connection: Connection, folding: _Folding) -> dict[int, WindowNode]:
    levels = folding.levels()
    facts = store.read_facts(connection, levels)
    above, below = folding.neighbours()
    up = store.count_above(connection, levels, folding.folded)
    down = store.count_below(connection, levels, folding.folded)
    vacuous = store.vacuous_upstreams(connection, [row for id in levels for row in folding.rows(id)])
    return {
        id: _node(
            some,
            levels[id],
            max(0, up.get(id, 0) - len(above[id] - {id})),
            max(0, down.get(id, 0) - len(below[id] - {id})),
            len(folding.folded.get(id, ())),
            tuple(dict.fromkeys(key for row in folding.rows(id) for key in vacuous.get(row, ()))),
        )
        for id in levels
        if (some := facts.get(id)) is not None
    }


def _own(node: WindowNode) -> tuple[int, int, int, int, tuple[str, ...]]:
    """What a node has from its place in the picture, and not from its row."""
    return node.level, node.hidden_up, node.hidden_down, node.parts, node.vacuous


def _node(
    facts: NodeFacts, level: int, hidden_up: int, hidden_down: int, parts: int, vacuous: tuple[str, ...]
) -> WindowNode:
    key = instance_key(facts.task_id, facts.business_date, facts.id)
    return WindowNode.of(facts, key, level, hidden_up, hidden_down, parts, vacuous)
