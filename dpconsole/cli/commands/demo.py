"""`demo`: a night to look around in, thrown away afterwards, and the same for the same seed."""

from __future__ import annotations

import multiprocessing
import tempfile
from pathlib import Path

import click

from dpconsole.cli.commands.console import need_terminal, run_console
from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import Command, flags
from dpconsole.core.operations.actor import current_actor


@click.command(cls=Command)
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Another number, another night.")
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 3600),
    default=60.0,
    show_default=True,
    metavar="X",
    help="Seconds of the night that pass in one of ours.",
)
@click.pass_context
def demo(context: click.Context, seed: int, speed: float) -> Exit:
    """The console on a lively, repeatable night in a database of its own, which is thrown away afterwards."""
    need_terminal()
    with tempfile.TemporaryDirectory(prefix="dpconsole-demo-") as place:
        database = Path(place) / "demo.db"
        _prepare_while_loading(database, seed, current_actor("demo", {}).user)
        from dpconsole.cli.demo_night import sits_down_at
        from dpconsole.cli.work import opened
        from dpconsole.core.domain.clock import PacedClock

        given = flags(context)
        given.update(database=str(database), readonly=given.get("readonly", False))
        with opened(context, front_end="demo") as work:
            clock = PacedClock(work.clock, sits_down_at(work.zone), speed)
            return run_console(work, clock, speed)


def _prepare_while_loading(database: Path, seed: int, operator: str) -> None:
    """A process of its own prepares the night, while this one loads the screens.

    The processes part before either has loaded anything: neither waits for what only the other needs.
    """
    preparing = multiprocessing.get_context("fork").Process(target=_prepare, args=(database, seed, operator))
    preparing.start()
    import dpconsole.app  # noqa: F401

    preparing.join()
    if preparing.exitcode:
        raise Failure("the demo's night could not be prepared; see above")


def _prepare(database: Path, seed: int, operator: str) -> None:
    from dpconsole.cli.demo_night import prepare

    prepare(database, seed, operator)
