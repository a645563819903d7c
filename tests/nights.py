"""Nights for tests of the engine: a few tasks, a virtual clock, and the words to ask what became of them.

    night = Night(store, task("a"), task("b", "a", at="02:00"))
    night.generate()
    night.run(until="02:00")
    assert night.status("b") == RUNNING

The zone is UTC unless a test says otherwise, the data timestamp 2026-11-19, so everything is due on the 20th; it is
23:00 on the evening before. A task takes a minute and succeeds, unless its test steers it. A moment is written as the
time of day on the run day (`02:00`), or in full (`2026-11-21T02:00`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from dpconsole.core.domain.backfill_form import BackfillForm, DateRange, Mode
from dpconsole.core.domain.clock import VirtualClock, parse_iso, to_datetime
from dpconsole.core.domain.definitions import (
    Cycle,
    Dependency,
    Field,
    MaterializationNode,
    Project,
    ResourceGroup,
    RunConfig,
    Schedule,
    Simulation,
    TableKind,
    Task,
    TaskType,
    UpstreamKind,
    Workspace,
)
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.backfilling import create
from dpconsole.core.engine.engine import Engine, Tick
from dpconsole.core.engine.generation import generate
from dpconsole.core.engine.lease import Lease
from dpconsole.core.engine.running import Run, run_until_idle
from dpconsole.core.executors.protocol import Executor, Exit, Handle, Order, Outcome
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.records import Record
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.models import Attempt, Instance, InstanceDependency, Transition, VacuousDependency
from dpconsole.core.store.session import Store
from dpconsole.core.store.settings import read_setting

BUSINESS_DATE = date(2026, 11, 19)
RUN_DAY = "2026-11-20"
EVENING = parse_iso("2026-11-19T23:00")
MINUTE = 60_000

A_MINUTE = Simulation(duration=(60, 60), fail_rate=0.0)
AT_ONCE = Simulation(duration=(0, 0), fail_rate=0.0)
HANGS = Simulation(hang=True)


# --- definitions ------------------------------------------------------------------------------------------------------


def fails(attempts: int = -1, seconds: float = 60) -> Simulation:
    """The first attempts of every data timestamp fail; all of them unless told how many."""
    return Simulation(duration=(seconds, seconds), fail=(("*", attempts),))


def task(name: str, *upstreams: str | Dependency, at: str | None = None, project: str = "p", **more: Any) -> Task:
    """A daily script that depends on tasks by name, or in the way a `Dependency` says."""
    depends_on = tuple(on(some) if isinstance(some, str) else some for some in upstreams)
    values: dict[str, Any] = {"id": f"{project}.{name}", "project": project, "name": name, "depends_on": depends_on}
    values |= {"simulate": A_MINUTE, "run": RunConfig(reruns=0)}
    values |= {"schedule": daily(at)} if at else {}
    return Task(**(values | more))


def table(name: str, *nodes: MaterializationNode, **more: Any) -> Task:
    """A logical table with the fields its nodes carry."""
    fields = tuple(Field(field) for field in dict.fromkeys(field for node in nodes for field in node.fields))
    kind = {"type": TaskType.LOGICAL_TABLE, "kind": TableKind.FACT, "fields": fields, "nodes": nodes}
    return task(name, **(kind | more))


def node(name: str, *fields: str, after: Iterable[str | Dependency] = (), **more: Any) -> MaterializationNode:
    """A materialization node; `after` names sibling nodes, or other upstreams in full."""
    upstreams = (Dependency(UpstreamKind.NODE, node=some) if isinstance(some, str) else some for some in after)
    return MaterializationNode(name, fields, tuple(upstreams), **more)


def on(name: str, **more: Any) -> Dependency:
    """A dependency on a task of the same project."""
    return Dependency(task=f"p.{name}", **more)


def on_itself(**more: Any) -> Dependency:
    """A dependency on the previous cycle of the task."""
    return Dependency(UpstreamKind.SELF, **more)


def on_root() -> Dependency:
    """A dependency on the root, which always counts as succeeded."""
    return Dependency(UpstreamKind.ROOT)


def daily(at: str) -> Schedule:
    """Once a day."""
    return Schedule(at=(time.fromisoformat(at),))


def every(hours: int, start: str = "00:00") -> Schedule:
    """Several times a day."""
    return Schedule(Cycle.HOUR, start=time.fromisoformat(start), interval=hours * 60)


def workspace(*tasks: Task, slots: int = 100, groups: Iterable[ResourceGroup] = (), **more: Any) -> Workspace:
    """Tasks in their projects; the default resource group has plenty of slots."""
    projects = tuple(Project(name) for name in sorted({task.project for task in tasks}))
    return Workspace(projects=projects, resource_groups=(ResourceGroup("default", slots), *groups), tasks=tasks, **more)


# --- an executor led by hand ------------------------------------------------------------------------------------------


class ByHand:
    """An executor that runs nothing: it keeps its orders, and the test says what is reported about them."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.stopped: list[Handle] = []
        self._alive: set[Handle] = set()
        self._reports: list[Exit] = []

    def submit(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self.orders.append(order)
            self._alive.add(order.handle)

    adopt = submit

    def poll(self, now: int, limit: int) -> Sequence[Exit]:
        taken, self._reports = self._reports[:limit], self._reports[limit:]
        return taken

    def alive(self) -> Collection[Handle]:
        return self._alive

    def stop(self, handles: Iterable[Handle]) -> None:
        self.stopped += handles

    def next_event(self) -> int | None:
        return min((report.ended_at for report in self._reports), default=None)

    def log(self, order: Order, offset: int, limit: int, until: int) -> bytes:
        return b""

    def forget(self) -> None:
        """The attempts are gone, and nobody will report them."""
        self._alive.clear()

    def report(self, order: Order, at: int, outcome: Outcome = Outcome.OK, **forged: Any) -> None:
        """Report an end; `forged` replaces what the report says."""
        self._alive.discard(order.handle)
        exit_code = 0 if outcome is Outcome.OK else 1
        self._reports.append(Exit(order.handle, order.token, outcome, at, exit_code)._replace(**forged))


# --- a night ----------------------------------------------------------------------------------------------------------


class Night:
    """A store with definitions in it, and an engine that goes as far as the test wants."""

    def __init__(
        self, store: Store, *tasks: Task, seed: int = 1, executor: Executor | None = None, **limits: Any
    ) -> None:
        self.store = store
        self.clock = VirtualClock(EVENING)
        self._seed = seed
        self._keys = count(1)
        self.load(*tasks, **limits)
        self.restart(executor)

    def load(self, *tasks: Task, **limits: Any) -> None:
        """Definitions in; loading again replaces what was said before."""
        self.zone = ZoneInfo(limits.get("timezone", "UTC"))
        with self.store.write() as transaction:
            save_workspace(transaction, workspace(*tasks, **limits), self.clock.now())

    def restart(self, executor: Executor | None = None, lease: Lease | None = None, slice_: int = 512) -> None:
        """A new process: nothing is known but what the store holds."""
        self.executor = executor or SimulatedExecutor(self._seed)
        self.engine = Engine(self.store, self.clock, self.executor, lease=lease, slice_=slice_)

    # --- what goes on -------------------------------------------------------------------------------------------------

    def generate(self, first: date = BUSINESS_DATE, last: date | None = None) -> int:
        """Make the instances of one business date, or of several; how many were made."""
        return sum(night.created for night in generate(self.store, self.clock, first, last or first))

    def backfill(self, *names: str, first: date = BUSINESS_DATE, days: int = 1, **asked: Any) -> int:
        """Lin asks for a backfill of tasks and all below them; what is `asked` besides is said as the form says it."""
        keys = tuple(f"p.{name}" for name in names)
        ranges = (DateRange(first, first + timedelta(days=days - 1)),)
        form = BackfillForm(keys, **({"mode": Mode.MASSIVE, "ranges": ranges} | asked))
        with self.store.write() as transaction:
            return create(transaction, form, "lin", self.clock.now())

    def tick(self, at: str | None = None) -> Tick:
        """One tick, at a moment if one is given."""
        if at is not None:
            self.clock.advance_to(self.moment(at))
        return self.engine.tick()

    def run(self, until: str | None = None) -> Run:
        """Tick from event to event, until nothing moves any more or until a moment."""
        return run_until_idle(self.engine, self.clock, until=None if until is None else self.moment(until))

    def act(self, verb: str, *names: str, **arguments: str) -> Record:
        """An operator called lin does something to instances."""
        operations = self.operations()
        return operations.apply(operations.plan(verb, Selection.of([self.id(name) for name in names]), arguments))

    def operations(self) -> Operations:
        """The verbs of an operator called lin."""
        return Operations(self.store, self.clock, Actor("lin"), lambda _: (), lambda: f"key {next(self._keys)}")

    def rerun(self, *names: str) -> None:
        """An operator reruns instances."""
        self.act("rerun", *names)

    def set(self, name: str, **columns: Any) -> None:
        """Change columns of an instance, as an operator's verb would."""
        with self.store.write() as transaction:
            here = update(Instance).where(Instance.id == self.id(name))
            transaction.execute(here.values(**columns, rev=transaction.rev))

    # --- what became of it --------------------------------------------------------------------------------------------

    def moment(self, text: str) -> int:
        """UTC milliseconds of a moment in the workspace's zone."""
        return parse_iso(text if "T" in text else f"{RUN_DAY}T{text}", self.zone)

    def clock_of(self, moment: int) -> str:
        """A moment as a test writes it: the time of day on the run day, or in full."""
        day, _, time_of_day = to_datetime(moment, self.zone).strftime("%Y-%m-%dT%H:%M").partition("T")
        return time_of_day if day == RUN_DAY else f"{day}T{time_of_day}"

    def id(self, name: str) -> int:
        """The instance of a task or a node; `hourly@06:00` where there are several."""
        return int(self.row(name).id)

    def row(self, name: str) -> Any:
        """An instance, whole."""
        name, _, due = name.partition("@")
        here = select(Instance.__table__).where(Instance.name == name)
        if due:
            here = here.where(Instance.due_at == self.moment(due))
        with self.store.read() as connection:
            return connection.execute(here).one()

    def status(self, name: str) -> Status:
        """The status of an instance."""
        return Status(self.row(name).status)

    def statuses(self) -> dict[str, Status]:
        """The status of every instance, by name; for nights in which each task has one."""
        with self.store.read() as connection:
            rows = connection.execute(select(Instance.name, Instance.status).order_by(Instance.id)).all()
        assert len(rows) == len({row.name for row in rows}), "two instances share a name"
        return {row.name: Status(row.status) for row in rows}

    def points(self) -> list[str]:
        """Every instance as a test names it, in the order in which they were made."""
        with self.store.read() as connection:
            rows = connection.execute(select(Instance.name, Instance.due_at).order_by(Instance.id)).all()
        return [f"{row.name}@{self.clock_of(row.due_at)}" for row in rows]

    def due_times(self, name: str) -> list[int]:
        """When the instances of a task are due, UTC milliseconds."""
        with self.store.read() as connection:
            due = select(Instance.due_at).where(Instance.name == name).order_by(Instance.id)
            return list(connection.execute(due).scalars())

    def start_times(self, name: str) -> list[int | None]:
        """When the instances of a task started last, UTC milliseconds."""
        with self.store.read() as connection:
            started = select(Instance.started_at).where(Instance.name == name).order_by(Instance.id)
            return list(connection.execute(started).scalars())

    def path(self, name: str) -> list[Status]:
        """The statuses an instance went through."""
        return [Status(entry.after) for entry in self.journal(name)]

    def causes(self, name: str) -> list[str]:
        """Why an instance went through them."""
        return [entry.cause for entry in self.journal(name)]

    def journal(self, name: str) -> Sequence[Any]:
        """The journal of an instance."""
        entries = select(Transition.__table__).where(Transition.instance_id == self.id(name)).order_by(Transition.id)
        with self.store.read() as connection:
            return connection.execute(entries).all()

    def whole_journal(self, without: str = "") -> list[tuple[Any, ...]]:
        """Every entry in the order of the commits, to be compared with that of another database."""
        columns = [column for column in Transition.__table__.columns if column.name != without]
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(select(*columns).order_by(Transition.id))]

    def ends(self) -> list[tuple[Any, ...]]:
        """What became of every instance, and by which attempt."""
        with self.store.read() as connection:
            columns = select(Instance.name, Instance.due_at, Instance.status, Instance.attempt, Instance.error)
            return [tuple(row) for row in connection.execute(columns.order_by(Instance.id))]

    def started(self) -> list[str]:
        """The names of what was started, in the order of the starts."""
        starts = (
            select(Instance.name)
            .join(Transition, Transition.instance_id == Instance.id)
            .where(Transition.after == Status.RUNNING, Instance.unit != "logical_table")
        )
        with self.store.read() as connection:
            return list(connection.execute(starts.order_by(Transition.id)).scalars())

    def attempts(self, name: str) -> Sequence[Any]:
        """The attempts of an instance."""
        attempts = select(Attempt.__table__).where(Attempt.instance_id == self.id(name)).order_by(Attempt.number)
        with self.store.read() as connection:
            return connection.execute(attempts).all()

    def upstreams(self, name: str) -> list[str]:
        """What an instance waits for, as a test names it, in order of requirement."""
        upstream = select(Instance.name, Instance.due_at).join(
            InstanceDependency, InstanceDependency.upstream_id == Instance.id
        )
        here = upstream.where(InstanceDependency.downstream_id == self.id(name))
        with self.store.read() as connection:
            rows = connection.execute(here.order_by(InstanceDependency.requirement, Instance.id)).all()
        return [f"{row.name}@{self.clock_of(row.due_at)}" for row in rows]

    def vacuous(self, name: str) -> list[str]:
        """The declared upstreams that had no instance for this one."""
        flagged = select(VacuousDependency.upstream_key).where(VacuousDependency.downstream_id == self.id(name))
        with self.store.read() as connection:
            return list(connection.execute(flagged).scalars())

    def setting(self, name: str) -> str | None:
        """A single fact about the database."""
        with self.store.read() as connection:
            return read_setting(connection, name)
