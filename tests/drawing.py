"""Definitions drawn from a seed: every cycle, dependency, policy and limit that a workspace may hold.

What is drawn is sound: a current-cycle dependency always points at a task drawn before, so there are no circles, and
every field is in a node. What becomes of the attempts is steered, so that failures, retries and hangs are common.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from random import Random
from typing import Any

from dpconsole.core.domain.definitions import (
    ALWAYS,
    Baseline,
    Cycle,
    Dependency,
    DependencyCycle,
    Environment,
    Field,
    MaterializationNode,
    Method,
    Policy,
    Priority,
    Project,
    ResourceGroup,
    RunConfig,
    Schedule,
    Simulation,
    TableKind,
    Task,
    TaskType,
    ThrottlingRule,
    UpstreamKind,
    Workspace,
)

ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York")


class Draw:
    """Draws a workspace, task by task."""

    def __init__(self, rng: Random, tasks: int) -> None:
        self.rng = rng
        self.groups = (ResourceGroup("default", rng.randint(1, 6)), ResourceGroup("narrow", 1))
        self.tasks: list[Task] = []
        for number in range(tasks):
            self.tasks.append(self.table(number) if self.chance(0.2) else self.script(number))

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def workspace(self) -> Workspace:
        """Everything drawn, with limits and a promise over it."""
        ends = tuple(task.id for task in self.rng.sample(self.tasks, 2))
        return Workspace(
            timezone=self.rng.choice(ZONES),
            environment=Environment.DEV if self.chance(0.05) else Environment.PROD,
            projects=(Project("red"), Project("blue")),
            resource_groups=self.groups,
            throttling=tuple(self.rules()),
            baselines=(Baseline("morning", ends, time(8, 0)),) if self.chance(0.5) else (),
            tasks=tuple(self.tasks),
        )

    def rules(self) -> Iterator[ThrottlingRule]:
        """Up to three throttling rules, which may overlap and one of which may be switched off."""
        if self.chance(0.5):
            yield ThrottlingRule("all of red", self.rng.randint(1, 3), project="red")
        if self.chance(0.5):
            yield ThrottlingRule("heavy ones", 1, tag="heavy")
        if self.chance(0.3):
            yield ThrottlingRule("switched off", 1, enabled=self.chance(0.2))

    def script(self, number: int) -> Task:
        """A script, an integration pipeline or a virtual task."""
        types = (TaskType.SHELL, TaskType.SHELL, TaskType.HIVE_SQL, TaskType.PIPELINE, TaskType.VIRTUAL)
        schedule = self.schedule()
        return Task(
            **self.common(number),
            type=self.rng.choice(types),
            schedule=schedule,
            method=self.rng.choices(list(Method), (20, 2, 2, 1))[0],
            depends_on=tuple(self.dependencies(schedule)),
            simulate=self.simulation(),
        )

    def table(self, number: int) -> Task:
        """A logical table whose nodes share fields and follow each other."""
        names = [f"f{index}" for index in range(self.rng.randint(2, 4))]
        nodes: list[MaterializationNode] = []
        for index in range(self.rng.randint(1, 3)):
            carried = {names[0], *self.rng.sample(names, self.rng.randint(1, len(names)))}
            upstreams = tuple(
                Dependency(UpstreamKind.NODE, node=node.name) for node in nodes if self.chance(0.5)
            ) or tuple(self.dependencies(Schedule()))
            steered = self.simulation() if self.chance(0.5) else None
            nodes.append(MaterializationNode(f"n{index}", tuple(sorted(carried)), upstreams, simulate=steered))
        missing = set(names).difference(*(node.fields for node in nodes))
        nodes.append(MaterializationNode("rest", (names[0], *sorted(missing))))
        return Task(
            **self.common(number),
            type=TaskType.LOGICAL_TABLE,
            kind=self.rng.choice(list(TableKind)),
            schedule=Schedule(at=(time(self.rng.randint(0, 3)),)),
            fields=tuple(Field(name) for name in names),
            nodes=tuple(nodes),
            simulate=self.simulation(),
        )

    def common(self, number: int) -> dict[str, Any]:
        """What every task has."""
        project = self.rng.choice(("red", "blue"))
        return {
            "id": f"{project}.t{number}",
            "project": project,
            "name": f"t{number}",
            "priority": self.rng.choice(list(Priority)),
            "tags": ("heavy",) if self.chance(0.3) else (),
            "run": RunConfig(
                timeout=self.rng.choice((600.0, 3600.0, 48 * 3600.0)),
                reruns=self.rng.randint(0, 3),
                rerun_interval=self.rng.choice((60.0, 300.0)),
                rerun_after_timeout=self.chance(0.5),
                resource_group="narrow" if self.chance(0.2) else "default",
            ),
        }

    def schedule(self) -> Schedule:
        """A schedule of any cycle; of the sub-day ones, few occurrences."""
        at = (time(self.rng.randint(0, 5), self.rng.choice((0, 30))),)
        cycle = self.rng.choices(list(Cycle), (1, 4, 10, 2, 2, 1))[0]
        days: dict[Cycle, dict[str, Any]] = {
            Cycle.WEEK: {"at": at, "weekdays": (self.rng.randint(1, 7), 7)},
            Cycle.MONTH: {"at": at, "month_days": (self.rng.choice((1, 28, 29)),)},
            Cycle.YEAR: {"at": at, "year_days": ((3, self.rng.choice((28, 29))),)},
            Cycle.DAY: {"at": at},
            Cycle.HOUR: {"interval": self.rng.choice((6, 8, 12)) * 60},
            Cycle.MINUTE: {"start": time(1), "end": time(4), "interval": self.rng.choice((50, 90))},
        }
        return Schedule(cycle, **days[cycle])

    def simulation(self) -> Simulation:
        """What becomes of the attempts: mostly well, sometimes not, rarely never."""
        number = self.rng.choice((1, 1, 2, ALWAYS))
        return Simulation(
            duration=(self.rng.choice((0.0, 1.0, 30.0)), self.rng.choice((30.0, 300.0, 3000.0))),
            fail=(("*", number),) if self.chance(0.15) else (),
            fail_rate=self.rng.choice((0.0, 0.1, 0.4)),
            hang=self.chance(0.04),
        )

    def dependencies(self, schedule: Schedule) -> Iterator[Dependency]:
        """Some upstreams: of earlier tasks with any cycle and policy, of later ones only on an earlier date."""
        if self.chance(0.2):
            yield Dependency(UpstreamKind.ROOT)
        if self.chance(0.2):
            yield Dependency(UpstreamKind.SELF, cycle=DependencyCycle.PREVIOUS)
        for upstream in self.rng.sample(self.tasks, min(len(self.tasks), self.rng.choice((0, 1, 1, 2, 3)))):
            fields = [some.name for some in upstream.fields]
            yield Dependency(
                UpstreamKind.TASK,
                task=upstream.id,
                cycle=self.rng.choice((None, None, *DependencyCycle)),
                policy=self.rng.choice((None, None, *Policy)),
                days=self.rng.randint(1, 2),
                fields=tuple(self.rng.sample(fields, self.rng.randint(0, len(fields)))) if fields else (),
                enabled=not self.chance(0.05),
            )
