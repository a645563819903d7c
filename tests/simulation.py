"""A night drawn from a seed: random definitions, a virtual clock, an engine, and everything that can go wrong with it.

Whoever has the seed has the night: the workspace, the fates of the attempts and every fault come from one
`random.Random`, so a seed that breaks an invariant is a reproduction. Faults are what an operator's machine really
does - reports that come twice, late, in disorder or never, forged ones, an engine that is gone without goodbye, a
second one that was believed dead, a statement that the disk refuses.

    night = play(seed, store)      everything, to the end
    night.violations               what the checker says, now and then and at the end
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import event, text, update

from dpconsole.core.domain.clock import SystemClock, VirtualClock, to_ms
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
from dpconsole.core.engine.engine import Engine, Tick
from dpconsole.core.engine.generation import generate
from dpconsole.core.engine.lease import Fenced, Lease, Process
from dpconsole.core.executors.protocol import Executor, Exit, Handle, Order, Outcome
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.errors import StoreError
from dpconsole.core.store.models import EngineLease
from dpconsole.core.store.session import Store
from tests.checker import Violation, check, stuck

FIRST_DATE = date(2026, 3, 26)  # the Berlin clock goes forward in the night to the 29th
START = to_ms(datetime.combine(FIRST_DATE, time(23), tzinfo=UTC))
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York")
MINUTE = 60_000
HOUR = 60 * MINUTE


# --- definitions ------------------------------------------------------------------------------------------------------


class Draw:
    """Draws definitions. A current-cycle dependency always points at a task drawn before, so there are no circles."""

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
        days = {
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


# --- faults -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weather:
    """How often each thing goes wrong; all zero is a quiet night."""

    duplicated: float = 0.0
    late: float = 0.0
    lost: float = 0.0
    forged: float = 0.0
    crash: float = 0.0
    takeover: float = 0.0
    refused: float = 0.0  # a statement that the disk refuses

    @classmethod
    def draw(cls, rng: Random) -> Weather:
        """Calm, one kind of trouble, or all of them."""
        kinds = list(cls.__dataclass_fields__)
        chosen = rng.choice(([], [rng.choice(kinds)], kinds))
        return cls(**{kind: rng.choice((0.02, 0.1, 0.3)) for kind in chosen})


QUIET = Weather()


class Courier:
    """An executor whose reports travel badly. It outlives the engine that reads from it, as a queue would."""

    def __init__(self, inner: Executor, rng: Random, weather: Weather) -> None:
        self.inner = inner
        self._rng = rng
        self._weather = weather
        self._on_the_way: list[tuple[int, int, Exit]] = []
        self._silent: set[Handle] = set()  # ended, and nobody will ever say so
        self._unheard: set[Handle] = set()  # ended, and the word is on its way

    def submit(self, orders: Iterable[Order]) -> None:
        self.inner.submit(orders)

    def adopt(self, orders: Iterable[Order]) -> None:
        self.inner.adopt(order for order in orders if order.handle not in self._silent | self._unheard)

    def stop(self, handles: Iterable[Handle]) -> None:
        self.inner.stop(handles)

    def alive(self) -> Collection[Handle]:
        return set(self.inner.alive()) | self._unheard

    def next_event(self) -> int | None:
        moments = [at for at, _, _ in self._on_the_way]
        inner = self.inner.next_event()
        return min([*moments, inner] if inner is not None else moments, default=None)

    def log(self, order: Order, offset: int, limit: int, until: int) -> bytes:
        return self.inner.log(order, offset, limit, until)

    def poll(self, now: int, limit: int) -> Sequence[Exit]:
        for report in self.inner.poll(now, limit):
            self._send(report, now)
        due = sorted(item for item in self._on_the_way if item[0] <= now)
        self._rng.shuffle(due)
        taken = due[:limit]
        for item in taken:
            self._on_the_way.remove(item)
        self._unheard -= {report.handle for _, _, report in taken}
        return [report for _, _, report in taken]

    def _send(self, report: Exit, now: int) -> None:
        happens = {kind: self._rng.random() < getattr(self._weather, kind) for kind in ("lost", "late", "duplicated")}
        if happens["lost"]:
            self._silent.add(report.handle)
            return
        self._post(report, now + (self._rng.randint(1, 3 * HOUR) if happens["late"] else 0))
        self._unheard.add(report.handle)
        if happens["duplicated"]:
            self._post(report, now + self._rng.choice((0, 1, HOUR, 8 * HOUR)))
        if self._rng.random() < self._weather.forged:
            self._post(self._forge(report), now + self._rng.choice((0, HOUR)))

    def _post(self, report: Exit, at: int) -> None:
        self._on_the_way.append((at, self._rng.getrandbits(32), report))

    def _forge(self, report: Exit) -> Exit:
        """A report of an attempt that is not: another token, another number, another instance."""
        instance, number = report.handle
        lie = self._rng.choice(tuple(outcome for outcome in Outcome if outcome is not Outcome.RUNNING))
        return self._rng.choice(
            (
                report._replace(token=report.token + 1, outcome=lie),
                report._replace(handle=Handle(instance, number + 1), outcome=lie),
                report._replace(handle=Handle(instance + 100_000, number), outcome=lie),
            )
        )


@contextmanager
def refuse_statement(store: Store, number: int, name: str = "SQLITE_IOERR") -> Iterator[list[str]]:
    """Let the writer's `number`-th statement from now fail, commits included; yields the statements it saw.

    0 is the next one, -1 none. A refused commit has not happened.
    """
    seen: list[str] = []

    def count(statement: str) -> None:
        seen.append(statement)
        if len(seen) == number + 1:
            raise _refusal(store, name)

    hooks: dict[str, Callable[..., None]] = {
        "do_execute": lambda cursor, statement, parameters, context: count(statement),
        "do_executemany": lambda cursor, statement, parameters, context: count(statement),
        "do_execute_no_params": lambda cursor, statement, context: count(statement),
    }
    dialect = store.writer.dialect
    commit = dialect.do_commit
    dialect.do_commit = lambda connection: (count("COMMIT"), commit(connection))  # type: ignore[method-assign]
    for place, hook in hooks.items():
        event.listen(store.writer, place, hook)
    try:
        yield seen
    finally:
        dialect.do_commit = commit  # type: ignore[method-assign]
        for place, hook in hooks.items():
            event.remove(store.writer, place, hook)


def _refusal(store: Store, name: str) -> Exception:
    """The driver's own error, made by hand."""
    error: Exception = store.writer.dialect.loaded_dbapi.OperationalError("refused by a test")
    if store.is_sqlite:
        error.sqlite_errorname = name  # type: ignore[attr-defined]
    return error


# --- a night ----------------------------------------------------------------------------------------------------------


class Gone(BaseException):
    """The engine's process ends here, in the middle of whatever it does."""


class DoomedCourier(Courier):
    """A courier whose engine may die after its commit and before the executor hears of it."""

    doomed = False

    def submit(self, orders: Iterable[Order]) -> None:
        if self.doomed:
            raise Gone
        super().submit(orders)


@dataclass
class Machine:
    """One process that drives the database, or believes so."""

    engine: Engine
    courier: DoomedCourier
    lease: Lease


@dataclass
class Night:
    """What one seed gave: its definitions, what happened, and what was wrong with it."""

    seed: int
    weather: Weather
    store: Store
    clock: VirtualClock
    happened: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def journal(self) -> list[tuple[Any, ...]]:
        """The journal as it can be compared with that of another run."""
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(_JOURNAL))]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}, {self.weather}, {dict(self.happened)}", *map(str, self.violations[:20])]
        return "\n".join(lines)


_JOURNAL = 'SELECT instance_id, at, "before", "after", cause, actor, attempt, rev FROM transition ORDER BY id'


class Stage:
    """Plays one night, step by step; every choice comes from the seed."""

    MOST_STEPS = 20_000

    def __init__(
        self, seed: int, store: Store, weather: Weather | None = None, tasks: tuple[int, int] = (6, 14)
    ) -> None:
        self.seed = seed
        self.rng = Random(seed)
        self.store = store
        drawn = Weather.draw(self.rng)
        self.weather = drawn if weather is None else weather
        self.workspace = Draw(self.rng, self.rng.randint(*tasks)).workspace()
        self.dates = [FIRST_DATE + timedelta(days=n) for n in range(self.rng.randint(1, 3))]
        self.clock = VirtualClock(START)
        self.night = Night(seed, self.weather, store, self.clock)
        self.stale: Machine | None = None
        self.engines = self.operations = 0
        with store.write() as transaction:
            save_workspace(transaction, self.workspace, self.clock.now())
        self.start_engine()

    def play(self) -> Night:
        """To the end, however long it takes; the checker looks in now and then, and at the end."""
        for _ in range(self.MOST_STEPS):
            self.mishap()
            tick = self.tick()
            if self.chance(0.02):
                self.examine()
            if tick is not None and tick.next_at is None and not self.dates:
                break
            self.wait(tick)
        else:
            self.night.violations.append(Violation("I12", 0, f"not at rest after {self.MOST_STEPS} ticks"))
        self.examine()
        self.night.violations += stuck(self.store, self.clock.now())
        self.night.violations += self.needless_losses()
        return self.night

    def chance(self, probability: float) -> bool:
        """True that often; draws nothing where it cannot happen, so that quiet weather stays comparable."""
        return probability > 0 and self.rng.random() < probability

    def note(self, what: str) -> None:
        """Remember that something happened."""
        self.night.happened[what] += 1

    def examine(self) -> None:
        """Let the checker look; the first find is enough."""
        if not self.night.violations:
            self.night.violations += check(self.store)

    def needless_losses(self) -> list[Violation]:
        """Attempts given up as lost although no report ever was."""
        if self.weather.lost:
            return []
        with self.store.read() as connection:
            lost = connection.execute(text("SELECT instance_id FROM attempt WHERE state = 'lost'")).scalars()
            return [
                Violation("lost", instance, "an attempt was given up, its report was not lost") for instance in lost
            ]

    # -- what goes on ------------------------------------------------------------------------------------------------

    def tick(self) -> Tick | None:
        """One tick, perhaps with a refused statement or the end of the process in it; None when it broke off."""
        self.leader.courier.doomed = self.chance(self.weather.crash)
        refused = self.chance(self.weather.refused)
        broken = refuse_statement(self.store, self.rng.randint(0, 40)) if refused else nullcontext()
        try:
            with broken:
                self.generate()
                return self.leader.engine.tick()
        except StoreError:
            self.note("refused")
        except Gone:
            self.note("died")
            self.start_engine(self.leader.courier)
        return None

    def generate(self) -> None:
        """Make the instances of the next business date: at once, later at some moment."""
        if self.dates and (self.night.happened["ticks"] == 0 or self.chance(0.05)):
            self.make_date()
        self.note("ticks")

    def make_date(self) -> None:
        """The instances of one business date more."""
        list(generate(self.store, self.clock, self.dates[0], self.dates[0]))
        self.dates.pop(0)
        self.note("generated")

    def wait(self, tick: Tick | None) -> None:
        """Let time pass: to the next event, sometimes well past it, never into the past."""
        if tick is None:
            return
        if tick.next_at is None:
            self.make_date()
            return
        late = self.rng.randint(1, 30 * MINUTE) if self.chance(0.1) else 0
        self.clock.advance_to(max(self.clock.now(), tick.next_at + late))

    # -- what goes wrong ---------------------------------------------------------------------------------------------

    def mishap(self) -> None:
        """Perhaps a crash, a takeover, a word from the stale engine, an operator's act."""
        if self.chance(self.weather.crash):
            self.note("crash")
            self.start_engine(self.leader.courier)
        if self.chance(self.weather.takeover):
            self.take_over()
        if self.stale is not None and self.chance(0.3):
            self.stale_tick()
        if self.chance(0.02):
            self.rerun_some()

    def start_engine(self, courier: DoomedCourier | None = None) -> None:
        """A new process after the old one is gone: a new engine and executor, the same post on its way."""
        self.engines += 1
        courier = courier or DoomedCourier(SimulatedExecutor(self.seed), self.rng, self.weather)
        courier.inner, courier.doomed = SimulatedExecutor(self.seed), False
        lease = Lease(self.store, SystemClock(), Process(f"engine {self.engines}", "", self.engines, ""))
        engine = Engine(self.store, self.clock, courier, lease=lease, slice_=self.rng.choice((2, 7, 512)))
        self.lead(Machine(engine, courier, lease))

    def lead(self, machine: Machine) -> None:
        """The lease of whoever had it runs out, and this machine takes it."""
        with self.store.write() as transaction:
            transaction.execute(update(EngineLease).values(expires_at=0))
        assert machine.lease.acquire()
        self.leader = machine

    def take_over(self) -> None:
        """The leader hangs, and another takes over: a new one, or the one that had hung before."""
        self.note("takeover")
        hung, self.stale = self.stale, self.leader
        if hung is not None and self.chance(0.5):
            self.lead(hung)
        else:
            self.start_engine()

    def stale_tick(self) -> None:
        """The engine that was believed dead goes on where it was; nothing it does may count."""
        before = self.store.rev()
        with suppress(Fenced):
            self.stale.engine.tick()
            self.night.violations.append(Violation("fence", 0, "a stale engine ticked"))
        if self.store.rev() != before:
            self.night.violations.append(Violation("fence", 0, "a stale engine wrote"))
        self.note("fenced")

    def rerun_some(self) -> None:
        """An operator reruns a handful, whatever state they are in."""
        with self.store.read() as connection:
            ids = list(connection.execute(text("SELECT id FROM instance ORDER BY id")).scalars())
        chosen = self.rng.sample(ids, min(len(ids), 4))
        if chosen:
            self.operations += 1
            verbs = Operations(self.store, self.clock, Actor("an"), lambda _: (), lambda: f"act {self.operations}")
            verbs.apply(verbs.plan("rerun", Selection.of(chosen)))
            self.note("rerun")


def play(seed: int, store: Store, weather: Weather | None = None) -> Night:
    """The night of a seed on an empty, migrated store."""
    return Stage(seed, store, weather).play()
