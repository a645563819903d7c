"""The engine without a screen: making instances, running them, and who does it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import click

from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import Command, Entry, LazyGroup
from dpconsole.cli.talk import progress, say, write, write_json
from dpconsole.cli.times import day_of, moment_of, say_when
from dpconsole.cli.work import Work, opened
from dpconsole.core.domain.clock import SystemClock, VirtualClock, format_duration, format_iso
from dpconsole.core.domain.statuses import Status
from dpconsole.core.domain.text import clean
from dpconsole.core.engine.engine import Engine, Tick
from dpconsole.core.engine.generation import Generated
from dpconsole.core.engine.generation import generate as make_instances
from dpconsole.core.engine.lease import RENEW_MS, Lease
from dpconsole.core.engine.running import run_until_idle
from dpconsole.core.engine.simulation import simulated_executor
from dpconsole.core.engine.why import count_reasons
from dpconsole.core.store.waits import count_statuses, last_step_at

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")

# --- generate ---------------------------------------------------------------------------------------------------------


@click.command(cls=Command)
@click.option("--date", "first", metavar="D", required=True, help="A business date: 2026-11-19, yesterday, -1d.")
@click.option("--until", "last", metavar="D2", help="The last of several business dates.")
@_json
@click.pass_context
def generate(context: click.Context, first: str, last: str | None, as_json: bool) -> Exit:
    """Make the recurring instances of the business date D, or of all from D to D2.

    What is there already stays as it is. The instances are due on the day after their business date.
    """
    with opened(context) as work:
        start = day_of(work, first, "--date")
        end = start if last is None else day_of(work, last, "--until")
        if end < start:
            raise Failure(f"--until {end} lies before --date {start}", Exit.USAGE)
        made = _generate(work, start, end)
    if as_json:
        write_json(_document(made))
    else:
        for night in made:
            write(f"{night.business_date}: {night.created:,} created, {night.existing:,} there already")
    if not any(night.created or night.existing for night in made):
        say("no task is scheduled for that; `dpconsole load` brings tasks in")
        return Exit.NOTHING
    return Exit.DONE


def _generate(work: Work, start: date, end: date) -> list[Generated]:
    days = (end - start).days + 1
    made: list[Generated] = []
    with progress("business dates generated") as tell:
        for night in make_instances(work.store, work.clock, start, end):
            made.append(night)
            tell(len(made), days)
    return made


def _document(made: list[Generated]) -> dict[str, Any]:
    return {
        "operation": "generate",
        "created": sum(night.created for night in made),
        "existing": sum(night.existing for night in made),
        "dates": [
            {"business_date": str(night.business_date), "created": night.created, "existing": night.existing}
            for night in made
        ],
    }


# --- run --------------------------------------------------------------------------------------------------------------

NAP_SECONDS = 1.0
"""The longest a waiting engine sleeps before it looks again."""


@click.command(cls=Command)
@click.option("--until-idle", is_flag=True, help="Stop when time alone moves nothing any more.")
@click.option("--until", metavar="TIME", help="Stop at a time: 06:00, 2026-11-20T06:00.")
@click.option("--virtual", is_flag=True, help="Jump from event to event instead of waiting.")
@click.option("--start", metavar="TIME", help="Where virtual time starts (else now, or the journal's end).")
@click.option("--seed", type=int, metavar="N", help="What the simulated executor draws from.")
@_json
@click.pass_context
def run(
    context: click.Context,
    until_idle: bool,
    until: str | None,
    virtual: bool,
    start: str | None,
    seed: int | None,
    as_json: bool,
) -> Exit:
    """Drive the instances of the database until told to stop.

    With --virtual a whole night takes seconds, and the same seed gives the same night. Without an end it is `serve`;
    with one it makes nothing to run: nights are made by the console, `serve` and `generate`, backfills of saved flows
    by the console and `serve`.
    """
    if virtual and not (until_idle or until):
        raise Failure("--virtual needs an end: add --until-idle or --until TIME", Exit.USAGE)
    if start and not virtual:
        raise Failure("--start is where virtual time starts: add --virtual", Exit.USAGE)
    if not until_idle and not until:
        return _serve(context, seed, wait=False)
    with opened(context) as work:
        end = None if until is None else moment_of(work, until, "--until")
        beginning = None if start is None else moment_of(work, start, "--start")
        now = _run_virtually(work, beginning, end, seed) if virtual else _run(work, end, seed, until_idle=until_idle)
        _summarize(work, now, as_json)
    return Exit.DONE


def _run_virtually(work: Work, start: int | None, end: int | None, seed: int | None) -> int:
    """Run under a clock that jumps; the moment it stands at in the end."""
    clock = VirtualClock(_beginning(work) if start is None else start)
    with _Claim(work) as claim, progress("virtual time") as tell:
        engine = Engine(work.store, clock, simulated_executor(work.store, seed), lease=claim.lease)

        def watch(_tick: Tick) -> None:
            claim.keep()
            tell(say_when(clock.now(), work))

        return run_until_idle(engine, clock, until=end, watch=watch).now


def _beginning(work: Work) -> int:
    """Virtual time starts now, or where an earlier virtual run has brought the journal."""
    with work.store.read() as connection:
        return max(work.clock.now(), last_step_at(connection) or 0)


def _run(work: Work, end: int | None, seed: int | None, *, until_idle: bool) -> int:
    """Run in real time; the moment it stopped."""
    with _Claim(work) as claim, progress("rows moved") as tell:
        engine = Engine(work.store, work.clock, simulated_executor(work.store, seed), lease=claim.lease)
        moved = 0
        while end is None or work.clock.now() < end:
            tick = engine.tick(claim.keep)
            moved += tick.moved
            tell(moved)
            if until_idle and tick.next_at is None:
                break
            claim.keep()
            time.sleep(_nap(work.clock.now(), tick.next_at))
    return work.clock.now()


def _nap(now: int, next_at: int | None) -> float:
    return NAP_SECONDS if next_at is None else min(NAP_SECONDS, max(0.0, (next_at - now) / 1000))


class _Claim:
    """The engine's lease, held for a while by this process. Raises `Failure` where another engine has it."""

    def __init__(self, work: Work) -> None:
        self.lease = Lease(work.store, SystemClock())
        self._renewed = time.monotonic()

    def __enter__(self) -> _Claim:
        if not self.lease.acquire():
            state = self.lease.state()
            holder = f"{clean(state.holder)} (pid {state.pid})" if state else "another process"
            raise Failure(f"the engine is with {holder}; stop that one, or try again later", Exit.RETRY)
        return self

    def __exit__(self, *_: object) -> None:
        self.lease.release()

    def keep(self) -> None:
        """Renew the lease when it is time to."""
        if time.monotonic() - self._renewed > RENEW_MS / 1000:
            self.lease.renew()
            self._renewed = time.monotonic()


def _summarize(work: Work, now: int, as_json: bool) -> None:
    """How the instances stand, and why those that stand still do."""
    with work.store.read() as connection:
        statuses, reasons = count_statuses(connection), count_reasons(connection)
    if as_json:
        counts = {status: statuses.get(status, 0) for status in Status}
        write_json({"operation": "engine run", "now": format_iso(now, work.zone), "counts": counts, "blocked": reasons})
        return
    say(f"{say_when(now, work)}: {', '.join(f'{n:,} {s.label}' for s, n in statuses.items()) or 'no instances'}")
    for reason, number in reasons.most_common():
        say(f"  {number:,} not at an end: {reason}")


# --- status -----------------------------------------------------------------------------------------------------------


@click.command(cls=Command)
@_json
@click.pass_context
def status(context: click.Context, as_json: bool) -> Exit:
    """Who drives the database, and when it last did; exits with 3 when nobody does."""
    with opened(context) as work:
        state = Lease(work.store, SystemClock()).state()
        now = work.clock.now()
        alive = state is not None and state.expires_at > now
        if as_json:
            write_json(_state_document(work, state, alive))
        elif state is None or not alive:
            write("no engine runs; `dpconsole serve` starts one, and so does the console")
        else:
            age = format_duration((now - state.tick_at) / 1000)
            write(f"{clean(state.holder)} #{state.epoch} (pid {state.pid}), last tick {age} ago")
    return Exit.DONE if alive else Exit.RETRY


def _state_document(work: Work, state: Any, alive: bool) -> dict[str, Any]:
    if state is None:
        return {"alive": False, "holder": None, "epoch": None, "pid": None, "ticked": None, "expires": None}
    return {
        "alive": alive,
        "holder": clean(state.holder),
        "epoch": state.epoch,
        "pid": state.pid,
        "ticked": format_iso(state.tick_at, work.zone),
        "expires": format_iso(state.expires_at, work.zone),
    }


@click.group(
    cls=LazyGroup,
    entries={
        "run": Entry(lambda: run, "Drive the instances until told to stop."),
        "status": Entry(lambda: status, "Who drives the database."),
    },
)
def engine() -> None:
    """The engine without a screen."""


# --- serve ------------------------------------------------------------------------------------------------------------


@click.command(cls=Command)
@click.option("--seed", type=int, metavar="N", help="What the simulated executor draws from.")
@click.pass_context
def serve(context: click.Context, seed: int | None) -> Exit:
    """The engine as a long-running process: it generates every night and runs what is due, until it is stopped.

    Where another engine drives the database, it stands by and takes over when that one is gone.
    """
    return _serve(context, seed, wait=True)


def _serve(context: click.Context, seed: int | None, *, wait: bool) -> Exit:
    with opened(context) as work:
        if not wait:
            with _Claim(work):
                pass
        return asyncio.run(_host(work, seed))


async def _host(work: Work, seed: int | None) -> Exit:
    """Keep the engine going until SIGINT or SIGTERM."""
    from dpconsole.core.engine.host import EngineHost

    host = EngineHost(work.store, work.clock, SystemClock(), lambda: simulated_executor(work.store, seed))
    stopped: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
    for number, code in ((signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.DONE)):
        asyncio.get_running_loop().add_signal_handler(number, _resolve(stopped, code))
    await host.start()
    state = host.state()
    say(f"driving {work.store.place}" if state and state.mine else "standing by: another engine drives the database")
    try:
        return await stopped
    finally:
        await host.stop()


def _resolve(future: asyncio.Future[Exit], code: Exit) -> Callable[[], None]:
    def resolve() -> None:
        if not future.done():
            future.set_result(code)

    return resolve
