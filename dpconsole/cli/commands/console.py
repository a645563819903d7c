"""The console itself: what it works with is put together here, the engine among it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dpconsole.cli.exits import Exit, Failure

if TYPE_CHECKING:
    from dpconsole.app import ConsoleApp
    from dpconsole.cli.work import Work
    from dpconsole.core.domain.clock import Clock
    from dpconsole.core.engine.view import EngineView
    from dpconsole.core.services import Services


def need_terminal() -> None:
    """Raise `Failure` unless there is a terminal that can draw a screen."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure(
            "the console needs a terminal; for scripts there are the commands of dpconsole --help", Exit.USAGE
        )
    if os.environ.get("TERM", "dumb") == "dumb":
        raise Failure(
            "TERM=dumb draws no screens; set TERM to what this terminal is, or see dpconsole --help", Exit.USAGE
        )


def open_console(context: click.Context) -> Exit:
    """The console on the database of this run, with the engine in it unless another process drives it."""
    need_terminal()
    from dpconsole.cli.work import opened

    with opened(context, front_end="console") as work:
        return run_console(work, work.clock, 1.0)


def run_console(work: Work, clock: Clock, speed: float) -> Exit:
    """Show the console until it is left. `clock` is the engine's, `speed` times as fast as the wall's."""
    from dpconsole.app import ConsoleApp
    from dpconsole.cli.collector import keep_what_is_loaded

    services = _services(work, clock, speed)
    encoding = terminal_encoding(os.environ, getattr(sys.__stderr__, "encoding", None))
    app = ConsoleApp(services, keymap_file=work.settings.places.keymap, encoding=encoding)
    keep_what_is_loaded()
    try:
        asyncio.run(_show(app))
    finally:
        services.feed.close()
    return Exit(app.return_code or Exit.DONE)


def terminal_encoding(environ: Mapping[str, str], stream: str | None) -> str:
    """What the terminal is said to understand: the locale where it names an encoding, else what Python writes to it."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    return locale.partition("@")[0].partition(".")[2] or stream or "utf-8"


async def _show(app: ConsoleApp) -> None:
    """Run the app; a line that drops or a polite kill ends it in order where there is time for it."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, app.exit)
    await app.run_async()


def _services(work: Work, clock: Clock, speed: float) -> Services:
    from dpconsole.core.services import Services
    from dpconsole.core.store.changes import Feed

    engine = _engine(work, clock, speed)
    here = replace(work, clock=clock)
    here.operations.close_abandoned()
    return Services(
        clock=clock,
        wall=work.clock,
        store=work.store,
        feed=Feed(work.store),
        lists=here.lists,
        operations=replace(here.operations, acted=engine.wake),
        engine=engine,
        settings=work.settings,
        zone=work.zone,
        environment=work.environment,
    )


def _engine(work: Work, clock: Clock, speed: float) -> EngineView:
    """An engine of this process; a session that may change nothing only watches."""
    from dpconsole.core.engine.host import EngineHost
    from dpconsole.core.engine.lease import Lease
    from dpconsole.core.engine.logs import RunLogs
    from dpconsole.core.engine.simulation import simulated_executor
    from dpconsole.core.engine.view import HostedEngine, WatchedEngine

    logs = RunLogs(work.store, simulated_executor(work.store), clock)
    if work.settings.readonly:
        return WatchedEngine(Lease(work.store, work.clock), logs)
    host = EngineHost(work.store, clock, work.clock, lambda: simulated_executor(work.store), speed=speed)
    return HostedEngine(host, logs)
