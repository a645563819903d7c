"""A store of graphs to be drawn: of 5, 15 and 40 nodes, and a hub with 500 neighbours, with all statuses there are.

No engine runs it: what an instance is follows from its place, so the pictures are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.definitions import Dependency, Project, Task, Workspace
from dpconsole.core.engine.generation import generate
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.session import Store
from tests.core.graph.shapes import layered_shape
from tests.screens.night import BUSINESS_DATE, DAILY, EVENING, NOW, OWNERS

SIZES = {"five": (4, 2), "fifteen": (14, 4), "forty": (39, 6)}
"""Graphs by the name of their first node: how many others it has, in how many layers."""

HUB = "hub"
NEIGHBOURS = 500

STATUSES = ("SUCCEEDED", "SUCCEEDED", "RUNNING", "NOT_RUNNING", "SUCCEEDED", "WAITING_TIME", "FAILED", "THROTTLED")


def fill_graphs(store: Store) -> None:
    """Write the graphs into a fresh store."""
    projects = (Project("trade", "交易"), Project("risk", "风控"))
    with store.write() as transaction:
        tasks = (*_layered(), *_hub())
        save_workspace(transaction, Workspace(timezone="Asia/Shanghai", projects=projects, tasks=tasks), EVENING)
    for _ in generate(store, VirtualClock(EVENING), BUSINESS_DATE, BUSINESS_DATE):
        pass
    with store.write() as transaction:
        for number, status in enumerate(STATUSES):
            transaction.execute(text(_STATUS), {"status": status, "number": number, "of": len(STATUSES), "now": NOW})


_STATUS = """
UPDATE instance SET status = :status, paused = (:status = 'NOT_RUNNING' AND id % 3 = 0),
    started_at = CASE WHEN :status IN ('SUCCEEDED', 'RUNNING', 'FAILED') THEN :now - 1200000 - id * 1000 END,
    ended_at = CASE WHEN :status IN ('SUCCEEDED', 'FAILED') THEN :now - 600000 END
WHERE id % :of = :number
"""


def _layered() -> Iterator[Task]:
    """Each graph below one node, so that all levels down of that one are all of it."""
    for name, (others, layers) in SIZES.items():
        shape = layered_shape(others, layers, seed=others)
        above = {node: [up for up, down in shape.edges if down == node] for node in shape.nodes}
        yield _task(name, 0)
        for node in shape.nodes:
            upstreams = [f"{name}_{up:02}" for up in sorted(above[node])] or [name]
            yield _task(f"{name}_{node:02}", node, *upstreams)


def _hub() -> Iterator[Task]:
    yield _task(HUB, 0)
    for number in range(NEIGHBOURS):
        yield _task(f"leaf_{number:03}", number, HUB)


def _task(name: str, number: int, *upstreams: str) -> Task:
    return Task(
        id=f"trade.{name}",
        project="trade",
        name=name,
        owner=OWNERS[number % len(OWNERS)],
        operation_owner="ops",
        description="一张表 / one of many",
        schedule=DAILY,
        depends_on=tuple(Dependency(task=f"trade.{upstream}") for upstream in upstreams),
    )
