"""The night every screen is tested on: Shanghai, 12 minutes past 3, data timestamp 2026-11-19.

A real store, driven by hand: the engine ticks under a virtual clock, the simulated executor is told what fails. The
same calls give the same rows, so a snapshot of a screen is a snapshot of the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from dpconsole.core.domain.clock import VirtualClock, to_ms
from dpconsole.core.domain.definitions import (
    ALWAYS,
    Baseline,
    Cycle,
    Dependency,
    Field,
    MaterializationNode,
    Method,
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
    Workspace,
)
from dpconsole.core.engine.engine import Engine
from dpconsole.core.engine.generation import generate
from dpconsole.core.engine.lease import EngineState
from dpconsole.core.executors.simulated import SimulatedExecutor
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.query.fields import ListKind
from dpconsole.core.query.lists import ListRequest, Lists
from dpconsole.core.services import Services
from dpconsole.core.settings import load_settings
from dpconsole.core.store.changes import Feed
from dpconsole.core.store.definitions import save_workspace
from dpconsole.core.store.session import Store

ZONE = ZoneInfo("Asia/Shanghai")
BUSINESS_DATE = date(2026, 11, 19)
EVENING = to_ms(datetime(2026, 11, 19, 23, 0, tzinfo=ZONE))
NOW = to_ms(datetime(2026, 11, 20, 3, 12, 41, tzinfo=ZONE))
OWNERS = ("lin", "mei", "zhao", "ops")

DAILY = Schedule(at=(time(2, 0),))
QUICK = Simulation(duration=(30, 600))
LOG = "\n".join(
    (
        "INFO  reading dwd_trade_order, 48 partitions",
        "WARN  partition hh=17 is empty",
        "ERROR ODPS-0130131: Table not found - table trade.dwd_pay_di does not exist",
        "INFO  cleaning up",
    )
)


def _script(name: str, project: str, number: int, *upstreams: str, **more: object) -> Task:
    values: dict[str, object] = {
        "id": f"{project}.{name}",
        "project": project,
        "name": name,
        "owner": OWNERS[number % len(OWNERS)],
        "operation_owner": "ops",
        "schedule": DAILY,
        "simulate": QUICK,
        "depends_on": tuple(Dependency(task=upstream) for upstream in upstreams),
        "run": RunConfig(reruns=0),
        "folder": f"/{project}/{name.partition('_')[0]}",
        "output_table": name,
    }
    return Task(**(values | more))  # type: ignore[arg-type]


def workspace() -> Workspace:
    """Three projects, of which one is in Chinese; failures with two causes; tables of fields; a promise for 06:00."""
    always = Simulation(duration=(60, 240), fail=(("*", ALWAYS),), log=LOG)
    trade = [
        _script("ods_trade_order", "trade", 0),
        _script("dwd_trade_order", "trade", 1, "trade.ods_trade_order", priority=Priority.HIGH, tags=("gold",)),
        _script("dwd_pay_di", "trade", 2, simulate=always, type=TaskType.MAXCOMPUTE_SQL),
        _script("dws_trade_pay_ord_1d", "trade", 0, "trade.dwd_pay_di", "trade.dwd_trade_order"),
        _script("ads_gmv_board", "trade", 1, "trade.dws_trade_pay_ord_1d", priority=Priority.HIGHEST),
        _script(
            "dws_trade_pay_ord_1h",
            "trade",
            0,
            schedule=Schedule(cycle=Cycle.HOUR, start=time(0), end=time(23), interval=60),
            simulate=Simulation(duration=(1500, 1500)),
        ),
        _script("ads_refund_report", "trade", 2, "trade.dwd_pay_di", method=Method.PAUSED),
        _script("ads_dry_report", "trade", 3, "trade.dwd_trade_order", method=Method.DRY_RUN),
    ]
    risk = [
        _script(
            f"risk_score_{part:02}",
            "risk",
            part,
            simulate=Simulation(duration=(60, 60), fail=(("*", ALWAYS),), log="FATAL: heap space exhausted"),
        )
        for part in range(3)
    ]
    growth = [
        _script(f"用户增长_渠道_{part:02}", "growth", part, schedule=Schedule(at=(time(3 + part // 8, part % 60),)))
        for part in range(24)
    ]
    slow = [
        _script(
            f"sync_mysql_{part}",
            "growth",
            part,
            type=TaskType.PIPELINE,
            simulate=Simulation(duration=(5400, 5400)),
            run=RunConfig(resource_group="narrow"),
        )
        for part in range(4)
    ]
    return Workspace(
        timezone="Asia/Shanghai",
        projects=(Project("trade", "交易"), Project("risk", "风控"), Project("growth")),
        resource_groups=(ResourceGroup("default", 16), ResourceGroup("narrow", 2)),
        throttling=(ThrottlingRule("growth at most", 6, project="growth"),),
        baselines=(Baseline("gmv before six", ("trade.ads_gmv_board",), time(6, 0)),),
        tasks=(*trade, *risk, *growth, *slow, _table()),
    )


def _table() -> Task:
    fields = tuple(Field(name) for name in ("order_id", "amount", "city", "paid_at"))
    nodes = (
        MaterializationNode("base", ("order_id", "city"), (Dependency(task="trade.ods_trade_order"),)),
        MaterializationNode(
            "amounts", ("amount", "paid_at"), simulate=Simulation(duration=(60, 60), fail=(("*", ALWAYS),), log=LOG)
        ),
    )
    return _script(
        "dim_order", "trade", 1, type=TaskType.LOGICAL_TABLE, kind=TableKind.DIMENSION, fields=fields, nodes=nodes
    )


@dataclass
class HandDriven:
    """The engine as the console sees it: it ticks when the test says so, and has the logs of the simulation."""

    engine: Engine
    executor: SimulatedExecutor
    clock: VirtualClock
    trouble: None = None

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def wake(self) -> None:
        pass

    def state(self) -> EngineState:
        now = self.clock.now()
        return EngineState("ops@night", 41, now, now + 15_000, 4711, True)

    def log(self, instance_id: int, attempt: int, offset: int, limit: int) -> bytes:
        lines = (f"2026-11-20T02:00:{n:02}+08:00 INFO  attempt {attempt}, line {n}" for n in range(30))
        text = "\n".join((*lines, *(f"2026-11-20T02:01:00+08:00 {line}" for line in LOG.splitlines()), ""))
        return text.encode()[offset : offset + limit]

    def run_to(self, until: int) -> None:
        """Tick from event to event until the clock stands at `until`."""
        while (upcoming := self.engine.tick().next_at) is not None and upcoming <= until:
            self.clock.advance_to(max(upcoming, self.clock.now() + 1))
        self.clock.advance_to(until)
        self.engine.tick()


@dataclass
class Night:
    """Everything a test of the screens works with."""

    services: Services
    hand: HandDriven
    clock: VirtualClock

    def pass_minutes(self, minutes: float) -> None:
        """Let the night go on."""
        self.hand.run_to(self.clock.now() + int(minutes * 60_000))


def fill(store: Store) -> None:
    """Write the night into a fresh store, as it stands at `NOW`."""
    clock = VirtualClock(EVENING)
    with store.write() as transaction:
        save_workspace(transaction, workspace(), clock.now())
    for _ in generate(store, clock, BUSINESS_DATE - timedelta(days=1), BUSINESS_DATE):
        pass
    _drive(store, clock).run_to(NOW)


def open_night(store: Store, directory: Path) -> Night:
    """The night in a store that holds it, ready to go on from `NOW`; `directory` is where settings are looked for."""
    clock = VirtualClock(NOW)
    hand = _drive(store, clock)
    return Night(services(store, clock, hand, directory), hand, clock)


def _drive(store: Store, clock: VirtualClock) -> HandDriven:
    executor = SimulatedExecutor(7)
    return HandDriven(Engine(store, clock, executor), executor, clock)


def services(store: Store, clock: VirtualClock, engine: HandDriven, directory: Path) -> Services:
    """What a console gets, without an environment of its own."""
    lists = Lists(store, clock, "lin", wall=clock)
    keys = count()

    def matching(selection: Selection) -> Sequence[int]:
        kind = ListKind.BACKFILLS if selection.matches_backfills else ListKind.INSTANCES
        asked = ListRequest(kind, selection.listing, selection.environment, selection.query or "")
        return lists.snapshot(asked).ids

    return Services(
        clock=clock,
        wall=clock,
        store=store,
        feed=Feed(store),
        lists=lists,
        operations=Operations(store, clock, Actor("lin", "console"), matching, lambda: f"key-{next(keys)}"),
        engine=engine,
        settings=load_settings({"database": str(store.place)}, {}, directory),
        zone=ZONE,
        environment="prod",
    )
