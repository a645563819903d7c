"""Which tasks a backfill covers: the start, what stands below it, and why the rest was left out (sections 7 and 9.3).

The walk goes along declared dependencies from executable to executable, for those are what an instance is made of: a
script is reached by its dependency on a task, of a logical table only the nodes whose fields depend on the start, with
the nodes those fields drag in. Steps are counted between tasks, as an operator sees them; inside a table there are
none.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from dpconsole.core.domain.backfill_form import BackfillForm, Filters, Mode
from dpconsole.core.domain.definitions import (
    Dependency,
    DependencyCycle,
    MaterializationNode,
    Method,
    Unit,
    UpstreamKind,
)
from dpconsole.core.domain.fields import close
from dpconsole.core.store.definition_rows import StoredTask

Executable = tuple[int, int | None]
"""A task, and a materialization node of it or None: what instances are made of."""

Tasks = Mapping[int, StoredTask]
"""Every task by its id."""


class LeftOut(NamedTuple):
    """A task that a backfill does not cover although it was asked for or stands below the start, and why."""

    key: str
    reason: str


NO_SUCH_TASK = "no such task"
NO_NODES = "it has no materialization nodes: nothing of it runs"
NO_SCHEDULE = "one-time task: it has no schedule"
IS_PAUSED = "paused task"
BELOW_PAUSED = "below a paused task"
NOT_CHOSEN = "not chosen"
NOT_BELOW = "not downstream of the start"
"""Why a task is left out, where the reason names nothing else."""


def among_excluded(kind: str) -> str:
    """Why a task is left out that a filter of massive mode excludes; `kind` is the filter's name."""
    return f"among the excluded {kind}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """The tasks of a backfill.

    `levels` are the steps from the start by task id, 0 the start's own, in an order in which upstreams come first.
    `nodes` are the ids of the nodes that take part, of the tables that do not take part as a whole. `required` are the
    fields of a logical start that were not chosen, each with the node that drags it in (section 9.3). `crossing` are
    the keys of covered tasks that wait for another data timestamp of a covered one, or of themselves (section 10.4).
    """

    levels: Mapping[int, int]
    nodes: Mapping[int, frozenset[int]] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    required: Mapping[str, str] = field(default_factory=dict)
    crossing: tuple[str, ...] = ()

    def executables(self, tasks: Tasks) -> Iterator[Executable]:
        """What instances are made of, task by task in their order, and within a table in the order of its nodes."""
        for id in self.levels:
            yield from (part for part in _parts(id, tasks) if id not in self.nodes or part[1] in self.nodes[id])


class Edge(NamedTuple):
    """What waits for an executable; it `crosses` when it waits for another data timestamp than its own."""

    down: Executable
    crosses: bool


@dataclass(frozen=True, slots=True)
class TaskGraph:
    """The enabled dependencies between all executables, from upstream to downstream."""

    tasks: Tasks
    ids: Mapping[str, int]
    below: Mapping[Executable, Sequence[Edge]]

    @classmethod
    def of(cls, tasks: Tasks) -> TaskGraph:
        """Read the graph off the definitions; dependencies on tasks that are not among them lead nowhere."""
        ids = {stored.task.id: id for id, stored in tasks.items()}
        below: dict[Executable, list[Edge]] = defaultdict(list)
        for id in tasks:
            for executable, dependency in _declared(id, tasks):
                edge = Edge(executable, _crosses(dependency))
                for up in _upstreams(dependency, executable, tasks, ids):
                    below[up].append(edge)
        return cls(tasks, ids, below)

    def parts(self, id: int) -> list[Executable]:
        """What of a task is executed: itself, or the nodes of a table."""
        return _parts(id, self.tasks)

    def reach(self, ids: Iterable[int], within: Collection[Executable] | None = None) -> set[int]:
        """These tasks and all below them, by the whole of each table on the way; `within` some executables only."""
        seen = set(ids)
        queue = list(seen)
        while queue:
            parts = (part for part in self.parts(queue.pop()) if within is None or part in within)
            downs = (edge.down for part in parts for edge in self.below.get(part, ()))
            new = {down[0] for down in downs if within is None or down in within} - seen
            seen |= new
            queue += new
        return seen

    def leads_to(self, ids: Iterable[int]) -> set[int]:
        """These tasks and all above them."""
        above: dict[int, set[int]] = defaultdict(set)
        for up, edges in self.below.items():
            for edge in edges:
                above[edge.down[0]].add(up[0])
        seen = set(ids)
        queue = list(seen)
        while queue:
            new = above[queue.pop()] - seen
            seen |= new
            queue += new
        return seen


def cover(tasks: Tasks, form: BackfillForm, graph: TaskGraph | None = None) -> Coverage:
    """The tasks that a form asks for (section 7); `graph` is that of the same tasks, if it is at hand already.

    Start tasks that do not exist or have no schedule are left out like any other; nothing of a form can fail here.
    """
    graph = graph or TaskGraph.of(tasks)
    walk = _Walk(graph)
    required = walk.begin(form)
    if form.mode is not Mode.CURRENT:
        walk.go_on()
    levels = walk.levels()
    left_out = {tasks[id].task.id: NO_SCHEDULE for id in levels if tasks[id].task.method is Method.ONE_TIME}
    left_out |= _unknown(graph, form, levels)
    found = {id: level for id, level in levels.items() if id not in walk.starts}
    for sieve in _SIEVES[form.mode]:
        for id, reason in sieve(walk, form, found):
            left_out.setdefault(tasks[id].task.id, reason)
    covered = {id: level for id, level in levels.items() if tasks[id].task.id not in left_out}
    return Coverage(
        levels={id: covered[id] for id in _upstream_first(graph, covered)},
        nodes={id: nodes for id in covered if len(nodes := walk.nodes(id)) < len(tasks[id].node_ids)},
        left_out=tuple(LeftOut(key, reason) for key, reason in left_out.items()),
        required=required,
        crossing=tuple(_crossing(walk, covered)),
    )


# --- the graph --------------------------------------------------------------------------------------------------------


def _declared(id: int, tasks: Tasks) -> Iterator[tuple[Executable, Dependency]]:
    """The dependencies of every executable of a task that count; a table's own hold for each of its nodes."""
    stored = tasks[id]
    by_node = {stored.node_ids[node.name]: node.depends_on for node in stored.task.nodes}
    for part in _parts(id, tasks):
        for dependency in (*by_node.get(part[1] or 0, ()), *stored.task.depends_on):
            if dependency.enabled and dependency.kind is not UpstreamKind.ROOT:
                yield part, dependency


def _crosses(dependency: Dependency) -> bool:
    """Whether the upstream's data timestamp may be another than the downstream's (section 10.2)."""
    own = DependencyCycle.PREVIOUS if dependency.kind is UpstreamKind.SELF else DependencyCycle.CURRENT
    return (dependency.cycle or own) is not DependencyCycle.CURRENT


def _upstreams(
    dependency: Dependency, executable: Executable, tasks: Tasks, ids: Mapping[str, int]
) -> Sequence[Executable]:
    if dependency.kind is UpstreamKind.SELF:
        return (executable,)
    upstream = executable[0] if dependency.kind is UpstreamKind.NODE else ids.get(dependency.task)
    return () if upstream is None else _parts(upstream, tasks, dependency)


def _parts(id: int, tasks: Tasks, asked: Dependency | None = None) -> list[Executable]:
    """What of a task is executed; of a logical table, the nodes that a dependency asks for."""
    stored = tasks[id]
    if stored.task.unit is not Unit.LOGICAL_TABLE:
        return [(id, None)]
    return [(id, stored.node_ids[node.name]) for node in stored.task.nodes if asked is None or _asks_for(asked, node)]


def _asks_for(dependency: Dependency, node: MaterializationNode) -> bool:
    if dependency.node:
        return dependency.node == node.name
    return not dependency.fields or not set(dependency.fields).isdisjoint(node.fields)


# --- the walk ---------------------------------------------------------------------------------------------------------


class _Walk:
    """How many steps each executable is away from the start."""

    def __init__(self, graph: TaskGraph) -> None:
        self.graph = graph
        self.steps: dict[Executable, int] = {}
        self.starts: frozenset[int] = frozenset()

    def begin(self, form: BackfillForm) -> Mapping[str, str]:
        """Stand at the start tasks, of a logical one at the chosen fields; the fields that these require."""
        self.starts = frozenset(self.graph.ids[key] for key in form.tasks if key in self.graph.ids)
        required: dict[str, str] = {}
        for id in self.starts:
            stored = self.graph.tasks[id]
            carried = {node.name: node.fields for node in stored.task.nodes}
            if form.fields and carried:
                closure = close(form.fields, carried)
                required |= closure.required
                self.steps |= {(id, stored.node_ids[name]): 0 for name in closure.nodes}
            else:
                self.steps |= dict.fromkeys(self.graph.parts(id), 0)
        return required

    def go_on(self) -> None:
        """Walk down from here to everything that can be reached, the nearest first."""
        queue = deque(self.steps)
        while queue:
            part = queue.popleft()
            for other, step in self._next_to(part):
                steps = self.steps[part] + step
                if steps < self.steps.get(other, steps + 1):
                    self.steps[other] = steps
                    (queue.append if step else queue.appendleft)(other)

    def levels(self) -> dict[int, int]:
        """How many steps each task is away, by the nearest of what is executed of it."""
        levels: dict[int, int] = {}
        for (id, _), steps in self.steps.items():
            levels[id] = min(steps, levels.get(id, steps))
        return levels

    def nodes(self, id: int) -> frozenset[int]:
        """The materialization nodes of a table that were reached."""
        return frozenset(node for _, node in self.graph.parts(id) if node is not None and (id, node) in self.steps)

    def _next_to(self, part: Executable) -> Iterator[tuple[Executable, int]]:
        """What is below an executable and what its fields drag in, each with the number of steps to it."""
        for edge in self.graph.below.get(part, ()):
            yield edge.down, int(edge.down[0] != part[0])
        yield from ((other, 0) for other in self._companions(part))

    def _companions(self, part: Executable) -> Iterator[Executable]:
        id, node = part
        if node is None:
            return
        stored = self.graph.tasks[id]
        carried = {each.name: each.fields for each in stored.task.nodes}
        own = next(each.fields for each in stored.task.nodes if stored.node_ids[each.name] == node)
        yield from ((id, stored.node_ids[name]) for name in close(own, carried).nodes)


# --- what is left out -------------------------------------------------------------------------------------------------

Levels = Mapping[int, int]
"""How many steps tasks are away from the start, by id."""

Sieve = Callable[["_Walk", BackfillForm, Levels], Iterable[tuple[int, str]]]
"""Says of the tasks found below the start which are left out, and why."""


def _unknown(graph: TaskGraph, form: BackfillForm, levels: Levels) -> dict[str, str]:
    """The keys that were named and lead nowhere."""
    unknown = {key: NO_NODES if key in graph.ids else NO_SUCH_TASK for key in form.tasks}
    unknown |= {key: NOT_BELOW if key in graph.ids else NO_SUCH_TASK for key in form.chosen or ()}
    return {key: reason for key, reason in unknown.items() if graph.ids.get(key) not in levels}


def _too_deep(_walk: _Walk, form: BackfillForm, found: Levels) -> Iterator[tuple[int, str]]:
    if form.levels is not None:
        yield from ((id, f"below level {form.levels}") for id, level in found.items() if level > form.levels)


def _paused(walk: _Walk, form: BackfillForm, found: Levels) -> Iterator[tuple[int, str]]:
    """Skip-Execution tasks and everything below them, whichever way it was reached."""
    if form.hide_paused:
        tasks = walk.graph.tasks
        paused = {id for id in found if tasks[id].task.method is Method.PAUSED}
        for id in walk.graph.reach(paused, walk.steps.keys()) & found.keys():
            yield id, IS_PAUSED if id in paused else BELOW_PAUSED


def _spared(walk: _Walk, form: BackfillForm, found: Levels) -> Iterator[tuple[int, str]]:
    if form.chosen is not None:
        chosen = {walk.graph.ids.get(key) for key in form.chosen}
        yield from ((id, NOT_CHOSEN) for id in found if id not in chosen)


def _filtered(walk: _Walk, form: BackfillForm, found: Levels) -> Iterator[tuple[int, str]]:
    """What a filter does not include or does exclude; the filters of massive mode are and-ed."""
    for kind in fields(Filters):
        match = _MATCHES[kind.name]
        if included := getattr(form.include, kind.name):
            kept = match(walk.graph, included, found)
            yield from ((id, f"not among the included {kind.name}") for id in found if id not in kept)
        if excluded := getattr(form.exclude, kind.name):
            yield from ((id, among_excluded(kind.name)) for id in match(walk.graph, excluded, found))


_SIEVES: Mapping[Mode, Sequence[Sieve]] = {
    Mode.CURRENT: (),
    Mode.LIST: (_too_deep, _paused, _spared),
    Mode.MASSIVE: (_filtered,),
}

Values = Collection[str]
"""What one filter was given."""


def _in_projects(graph: TaskGraph, values: Values, found: Levels) -> set[int]:
    return {id for id in found if graph.tasks[id].task.project in values}


def _with_outputs(graph: TaskGraph, values: Values, found: Levels) -> set[int]:
    return {id for id in found if _holds_any(graph.tasks[id].task.output_table, values)}


def _with_names(graph: TaskGraph, values: Values, found: Levels) -> set[int]:
    return {id for id in found if _holds_any(graph.tasks[id].task.name, values)}


def _with_ids(graph: TaskGraph, values: Values, found: Levels) -> set[int]:
    return {id for id in found if str(id) in values or graph.tasks[id].task.id in values}


def _from_sources(graph: TaskGraph, values: Values, found: Levels) -> set[int]:
    return graph.reach(_known(graph, values)) & found.keys()


def _to_targets(graph: TaskGraph, values: Values, found: Levels) -> set[int]:
    return graph.leads_to(_known(graph, values)) & found.keys()


def _holds_any(text: str, values: Values) -> bool:
    return any(value.casefold() in text.casefold() for value in values)


def _known(graph: TaskGraph, keys: Values) -> Iterator[int]:
    return (graph.ids[key] for key in keys if key in graph.ids)


_MATCHES: Mapping[str, Callable[[TaskGraph, Values, Levels], set[int]]] = {
    "projects": _in_projects,
    "outputs": _with_outputs,
    "names": _with_names,
    "ids": _with_ids,
    "sources": _from_sources,
    "targets": _to_targets,
}
"""By filter, which of the tasks found it is about."""


# --- order ------------------------------------------------------------------------------------------------------------


def _upstream_first(graph: TaskGraph, covered: Levels) -> list[int]:
    """The covered tasks so that none comes before what it waits for on its own data timestamp.

    Tables whose nodes wait for each other through other tasks have no such order; they keep the nearest one.
    """
    order: list[int] = []
    entered: set[int] = set()
    stack = [(id, False) for id in sorted(covered, key=lambda id: (covered[id], id))]
    while stack:
        id, is_left = stack.pop()
        if is_left:
            order.append(id)
        elif id not in entered:
            entered.add(id)
            stack.append((id, True))
            stack += ((other, False) for other in _below(graph, id) if other in covered and other not in entered)
    return order[::-1]


def _below(graph: TaskGraph, id: int) -> list[int]:
    downs = {e.down[0] for part in graph.parts(id) for e in graph.below.get(part, ()) if not e.crosses}
    return sorted(downs - {id}, reverse=True)


def _crossing(walk: _Walk, covered: Levels) -> list[str]:
    """The keys of the covered tasks that wait for another data timestamp of a covered one."""
    parts = (part for id in covered for part in walk.graph.parts(id) if part in walk.steps)
    crossed = {
        e.down[0] for part in parts for e in walk.graph.below.get(part, ()) if e.crosses and e.down in walk.steps
    }
    return sorted(walk.graph.tasks[id].task.id for id in crossed & covered.keys())
