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
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import bindparam, text, update

from dpconsole.core.domain.backfill_form import BackfillForm, DateRange, Handling, Mode
from dpconsole.core.domain.clock import SystemClock, VirtualClock, to_ms
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.engine.backfilling import create
from dpconsole.core.engine.engine import Engine, Tick
from dpconsole.core.engine.generation import generate
from dpconsole.core.engine.lease import Fenced, Lease, Process
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.changes import Feed
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.errors import StoreError
from dpconsole.core.store.models import EngineLease
from dpconsole.core.store.session import Store
from tests.checker import Violation, check, stuck
from tests.drawing import Draw
from tests.weather import MINUTE, DoomedCourier, Gone, Weather, refuse_statement

FIRST_DATE = date(2026, 3, 26)  # the Berlin clock goes forward in the night to the 29th
START = to_ms(datetime.combine(FIRST_DATE, time(23), tzinfo=UTC))


class Screen:
    """What somebody sees who reads a row again only when the change feed names it."""

    def __init__(self, store: Store) -> None:
        self.store, self.feed = store, Feed(store)
        self.rev = 0
        self.rows: dict[int, tuple[Any, ...]] = {}

    def refresh(self) -> None:
        """Ask the feed what changed, and read that."""
        delta = self.feed.delta(self.rev)
        assert not delta.everything
        ids = sorted(delta.ids.get("instance", ()))
        with self.store.read() as connection:
            self.rows |= {row[0]: tuple(row) for row in connection.execute(_SHOWN_OF, {"ids": ids})}
        self.rev = delta.rev

    def stale(self) -> list[Violation]:
        """Rows that look otherwise in the database."""
        self.refresh()
        with self.store.read() as connection:
            there = {row[0]: tuple(row) for row in connection.execute(_SHOWN)}
        wrong = [id_ for id_, row in there.items() if self.rows.get(id_) != row]
        return [Violation("feed", id_, f"shown as {self.rows.get(id_)}, is {there[id_]}") for id_ in wrong]


_COLUMNS = "id, status, paused, forced, dry_run, attempt, auto_reruns, started_at, ended_at, retry_at, error, rev"
_SHOWN = text(f"SELECT {_COLUMNS} FROM instance")
_SHOWN_OF = text(f"SELECT {_COLUMNS} FROM instance WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))


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
        self.elsewhere = Store(store.url.render_as_string(hide_password=False))
        self.screens = Screen(store), Screen(self.elsewhere)
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
            for screen in self.screens:
                if self.chance(0.3):
                    screen.refresh()
            if tick is not None and tick.next_at is None and not self.dates:
                break
            self.wait(tick)
        else:
            self.night.violations.append(Violation("I12", 0, f"not at rest after {self.MOST_STEPS} ticks"))
        self.examine()
        self.night.violations += stuck(self.store, self.clock.now())
        self.night.violations += self.needless_losses()
        self.elsewhere.close()
        return self.night

    def chance(self, probability: float) -> bool:
        """True that often; draws nothing where it cannot happen, so that quiet weather stays comparable."""
        return probability > 0 and self.rng.random() < probability

    def note(self, what: str) -> None:
        """Remember that something happened."""
        self.night.happened[what] += 1

    def examine(self) -> None:
        """Let the checker look, and the screens; the first find is enough."""
        if not self.night.violations:
            self.night.violations += check(self.store)
            self.night.violations += [violation for screen in self.screens for violation in screen.stale()]

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
            self.stale_tick(self.stale)
        if self.chance(0.05):
            self.act_on_some()
        if self.chance(0.02):
            self.ask_for_backfill()
        if self.chance(0.03):
            self.act_on_queues()

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

    def stale_tick(self, stale: Machine) -> None:
        """The engine that was believed dead goes on where it was; nothing it does may count."""
        before = self.store.rev()
        with suppress(Fenced):
            stale.engine.tick()
            self.night.violations.append(Violation("fence", 0, "a stale engine ticked"))
        if self.store.rev() != before:
            self.night.violations.append(Violation("fence", 0, "a stale engine wrote"))
        self.note("fenced")

    def act_on_some(self) -> None:
        """An operator does something to a handful, whatever state they are in."""
        with self.store.read() as connection:
            ids = list(connection.execute(text("SELECT id FROM instance ORDER BY id")).scalars())
        chosen = self.rng.sample(ids, min(len(ids), self.rng.choice((1, 4))))
        verb, arguments = self.rng.choice(ACTS)
        if chosen:
            self.operations += 1
            verbs = Operations(self.store, self.clock, Actor("an"), lambda _: (), lambda: f"act {self.operations}")
            verbs.apply(verbs.plan(verb, Selection.of(chosen), arguments | self._upstreams(verb, chosen)))
            self.note(verb)

    def ask_for_backfill(self) -> None:
        """An operator wants some tasks again, with all below them, on some data timestamps; perhaps only later."""
        rng, tasks = self.rng, [task.id for task in self.workspace.tasks]
        first = FIRST_DATE - timedelta(days=rng.randint(0, 4))
        form = BackfillForm(
            tuple(rng.sample(tasks, rng.choice((1, 2)))),
            mode=rng.choice((Mode.CURRENT, Mode.MASSIVE)),
            ranges=(DateRange(first, first + timedelta(days=rng.randint(0, 4))),),
            hours=rng.choice(((time(0), time(23, 59)), (time(2), time(8)))),
            groups=rng.choice((1, 1, 2, 5)),
            ascending=rng.choice((True, False)),
            paused_tasks=rng.choice(tuple(Handling)),
            dry_run_tasks=rng.choice(tuple(Handling)),
            dry_run_start=rng.choice((True, False)),
            at=rng.choice((None, self.clock.now() + rng.randint(1, 90 * MINUTE))),
            environment=self.workspace.environment,
        )
        with self.store.write() as transaction:
            create(transaction, form, "an", self.clock.now())
        self.note("backfill")

    def act_on_queues(self) -> None:
        """An operator deals the queues of a backfill anew, or leaves some data timestamps out."""
        with self.store.read() as connection:
            backfills = list(connection.execute(text("SELECT id FROM backfill ORDER BY id")).scalars())
            dates = list(connection.execute(text("SELECT id FROM backfill_date ORDER BY id")).scalars())
        if not backfills:
            return
        verb, folder, arguments = self.rng.choice(
            (
                ("concurrency", TreeId(Layer.BACKFILL, self.rng.choice(backfills)), {"to": self.rng.choice("123")}),
                ("exclude-dates", TreeId(Layer.DATE, self.rng.choice(dates)), {}),
            )
        )
        self.operations += 1
        verbs = Operations(self.store, self.clock, Actor("an"), lambda _: (), lambda: f"act {self.operations}")
        verbs.apply(verbs.plan(verb, Selection(folders=(folder,)), arguments))
        self.note(verb)

    def _upstreams(self, verb: str, chosen: list[int]) -> dict[str, str]:
        """Some upstream of one of them, where the verb asks for one."""
        if verb != "remove-upstream":
            return {}
        with self.store.read() as connection:
            edges = "SELECT upstream_id FROM instance_dependency WHERE downstream_id = :id ORDER BY 1"
            found = list(connection.execute(text(edges), {"id": chosen[0]}).scalars())
        return {"upstream": str(self.rng.choice(found))} if found else {}


ACTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("rerun", {}),
    ("rerun", {"scope": "downstream"}),
    ("rerun", {"scope": "downstream", "start": "dry-run"}),
    ("rerun", {"scope": "downstream-failed", "levels": "2"}),
    ("force-rerun", {}),
    ("force-rerun", {"scope": "downstream"}),
    ("force-rerun", {"scope": "downstream", "start": "dry-run"}),
    ("force-rerun", {"scope": "all"}),
    ("stop", {}),
    ("stop", {}),
    ("pause", {}),
    ("pause", {"until": "+2h"}),
    ("resume", {}),
    ("resume", {}),
    ("set-success", {}),
    ("set-success", {"scope": "failed"}),
    ("priority", {"to": "highest"}),
    ("remove-upstream", {}),
    ("acknowledge", {}),
)
"""What an operator of a simulated night may do."""


def play(seed: int, store: Store, weather: Weather | None = None) -> Night:
    """The night of a seed on an empty, migrated store."""
    return Stage(seed, store, weather).play()
