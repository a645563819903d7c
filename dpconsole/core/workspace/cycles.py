"""Finds tasks that wait for each other on the same data timestamp, before they do so for ever.

What is executed are scripts, pipelines and the materialization nodes of logical tables (section 9.1), so that is what
the search walks: two tables may use each other's fields as long as no node waits for itself. Only edges to the current
cycle are followed, and whatever the policies choose, a circle of them is refused; of edges to an earlier cycle some
choose an instance of the same data timestamp, and `instance_cycles` looks at those. One that is switched off holds
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from dpconsole.core.domain.definitions import Dependency, DependencyCycle, MaterializationNode, Task, UpstreamKind

Executable = tuple[str, str]
"""A task id and the name of a materialization node, empty for a script or a pipeline."""

MOST_REPORTED = 20


def dependency_cycles(tasks: Iterable[Task]) -> list[tuple[Executable, ...]]:
    """Circles of current-cycle dependencies, upstream first, the first one repeated at the end; none shares a node."""
    waits = _waits({task.id: task for task in tasks})
    found: list[tuple[Executable, ...]] = []
    while (circle := _circle(waits)) and len(found) < MOST_REPORTED:
        found.append(_from_first(circle, list(waits)))
        waits = {node: upstreams for node, upstreams in waits.items() if node not in circle}
    return found


def label(executable: Executable) -> str:
    """`project.name`, or `project.table:node`."""
    return ":".join(filter(None, executable))


def is_current(dependency: Dependency) -> bool:
    """Whether this dependency can hold up the same data timestamp."""
    return dependency.enabled and dependency.cycle in (None, DependencyCycle.CURRENT)


def executables(task: Task) -> Iterator[tuple[Executable, tuple[Dependency, ...]]]:
    """What of a task is executed, each with its dependencies; those of a table hold for each of its nodes."""
    if not task.nodes:
        yield (task.id, ""), task.depends_on
    for node in task.nodes:
        yield (task.id, node.name), (*node.depends_on, *task.depends_on)


def upstreams_of(dependency: Dependency, task: Task, tasks: dict[str, Task]) -> list[Executable]:
    """What a dependency of `task` points at, of `tasks` by their id; nothing for the root and for the task itself."""
    return _UPSTREAMS[dependency.kind](dependency, task, tasks)


def _circle(waits: dict[Executable, list[Executable]]) -> list[Executable]:
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        circle: list[Executable] = error.args[1]
        return circle
    return []


def _from_first(circle: list[Executable], order: list[Executable]) -> tuple[Executable, ...]:
    """The circle turned so that it begins with the one that is written first."""
    ring = circle[:-1]
    start = min(range(len(ring)), key=lambda index: order.index(ring[index]))
    turned = ring[start:] + ring[:start]
    return (*turned, turned[0])


def _waits(tasks: dict[str, Task]) -> dict[Executable, list[Executable]]:
    return {
        executable: [upstream for each in declared if is_current(each) for upstream in upstreams_of(each, task, tasks)]
        for task in tasks.values()
        for executable, declared in executables(task)
    }


def _sibling(dependency: Dependency, task: Task, tasks: dict[str, Task]) -> list[Executable]:
    return [(task.id, dependency.node)]


def _task(dependency: Dependency, task: Task, tasks: dict[str, Task]) -> list[Executable]:
    upstream = tasks.get(dependency.task)
    if upstream is None:
        return []
    wanted = set(dependency.fields)
    return [(upstream.id, node.name) for node in upstream.nodes if _produces(node, wanted)] or [(upstream.id, "")]


def _produces(node: MaterializationNode, wanted: set[str]) -> bool:
    return not wanted or not wanted.isdisjoint(node.fields)


def _nothing(dependency: Dependency, task: Task, tasks: dict[str, Task]) -> list[Executable]:
    return []


_UPSTREAMS: dict[UpstreamKind, Callable[[Dependency, Task, dict[str, Task]], list[Executable]]] = {
    UpstreamKind.NODE: _sibling,
    UpstreamKind.TASK: _task,
    UpstreamKind.SELF: _nothing,
    UpstreamKind.ROOT: _nothing,
}
