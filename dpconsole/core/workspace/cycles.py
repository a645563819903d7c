"""Finds tasks that wait for each other on the same data timestamp, before they do so for ever.

What is executed are scripts, pipelines and the materialization nodes of logical tables (section 9.1), so that is what
the search walks: two tables may use each other's fields as long as no node waits for itself. An edge to an earlier
cycle ends before this one begins and closes no circle; neither does one that is switched off.
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
        (task.id, name): [upstream for each in (*own, *task.depends_on) for upstream in _upstreams(each, task, tasks)]
        for task in tasks.values()
        for name, own in _executables(task)
    }


def _executables(task: Task) -> Iterator[tuple[str, tuple[Dependency, ...]]]:
    if not task.nodes:
        yield "", ()
    for node in task.nodes:
        yield node.name, node.depends_on


def _upstreams(dependency: Dependency, task: Task, tasks: dict[str, Task]) -> list[Executable]:
    return _UPSTREAMS[dependency.kind](dependency, task, tasks) if is_current(dependency) else []


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
