"""Definitions as the store gives them: tasks are numbered 1, 2, ..., the nodes of the n-th n01, n02, ..."""

from __future__ import annotations

from dpconsole.core.domain.definitions import Task
from dpconsole.core.store.definition_rows import StoredTask


def stored(*tasks: Task) -> dict[int, StoredTask]:
    """The tasks by id."""
    return {id: _stored(id, task) for id, task in enumerate(tasks, 1)}


def _stored(id: int, task: Task) -> StoredTask:
    nodes = {node.name: id * 100 + place for place, node in enumerate(task.nodes, 1)}
    return StoredTask(
        id,
        task,
        node_ids=nodes,
        dependency_ids=tuple(range(len(task.depends_on))),
        node_dependency_ids={node.name: tuple(range(len(node.depends_on))) for node in task.nodes},
    )
