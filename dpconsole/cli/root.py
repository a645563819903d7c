"""The table of commands."""

from __future__ import annotations

from functools import partial

import click

from dpconsole import __version__
from dpconsole.cli.lazy import Entry, Root
from dpconsole.core.operations.registry import OPERATIONS, Operation
from dpconsole.core.operations.selection import Kind


def _verb(operation: Operation) -> click.Command:
    from dpconsole.cli.commands.verbs import verb_command

    return verb_command(operation)


ENTRIES: dict[str, Entry] = {
    "demo": Entry("dpconsole.cli.commands.demo:demo", "The console on a throw-away, lively, repeatable night."),
    "load": Entry("dpconsole.cli.commands.definitions:load", "Read workspace files into the database."),
    "import": Entry("dpconsole.cli.commands.definitions:import_", "Read definitions made by another tool."),
    "generate": Entry("dpconsole.cli.commands.engine:generate", "Make the recurring instances of business dates."),
    "engine": Entry("dpconsole.cli.commands.engine:engine", "The engine without a screen."),
    "serve": Entry("dpconsole.cli.commands.engine:serve", "The engine as a long-running process."),
    "ls": Entry("dpconsole.cli.commands.lists:ls", "List instances, backfills, tasks or records."),
    "show": Entry("dpconsole.cli.commands.lists:show", "One instance or task, and why it has not started."),
    "explain": Entry("dpconsole.cli.commands.explain:explain", "Why an instance stands still, and until when."),
    "dag": Entry("dpconsole.cli.commands.dag:dag", "What an instance or a task hangs together with, as a picture."),
    "log": Entry("dpconsole.cli.commands.log:log", "The run log of an instance."),
    **{
        name: Entry(partial(_verb, operation), operation.help)
        for name, operation in OPERATIONS.items()
        if Kind.INSTANCE in operation.scopes
    },
    "backfill": Entry("dpconsole.cli.commands.backfill:backfill", "Make up for data timestamps, and see it through."),
    "export": Entry("dpconsole.cli.commands.export:export", "Write lists as workbooks."),
    "config": Entry("dpconsole.cli.commands.setup:config", "Where the settings are, what they come to."),
    "info": Entry("dpconsole.cli.commands.setup:info", "What is installed, and what it works on."),
    "completion": Entry("dpconsole.cli.commands.setup:completion", "The completion script of a shell."),
}
"""Every command, where it lives, and its line in the help; the verbs come from their registry."""


@click.group(
    cls=Root,
    entries=ENTRIES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Without a command: the console. Exit codes: 0 done, 1 failed, 2 usage, 3 try again, 4 nothing matched, "
    "5 partly done, 6 refused, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def dpconsole(context: click.Context) -> None:
    """The on-call operator's console for a data platform: what runs, what broke, and every verb that mends it."""
    if context.invoked_subcommand is None:
        from dpconsole.cli.commands.console import open_console

        open_console(context)
