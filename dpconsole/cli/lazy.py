"""Commands that are imported when they are called, and the options that every one of them takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from dpconsole.cli.exits import Exit, code_of
from dpconsole.cli.talk import complain

_FLAGS = f"{__name__}.flags"


def flags(context: click.Context) -> dict[str, Any]:
    """The global options given so far, before or after the command's name; the later wins."""
    given: dict[str, Any] = context.meta.setdefault(_FLAGS, {})
    return given


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and value is not False and parameter.name is not None:
        flags(context)[parameter.name] = value


def _global_options() -> list[click.Option]:
    def option(*names: str, **attributes: Any) -> click.Option:
        return click.Option(names, callback=_remember, expose_value=False, **attributes)

    return [
        option("--db", "database", metavar="URL-OR-PATH", help="The database (else DPCONSOLE_DB, else the settings)."),
        option("--context", "context", metavar="NAME", help="A database by its name in the settings."),
        option("--readonly", "readonly", is_flag=True, help="Change nothing in this session."),
        option("--slow-link", "slow_link", is_flag=True, help="Draw seldom: the line is slow."),
    ]


class Command(click.Command):
    """A command that takes the global options as well."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params = [*self.params, *_global_options()]


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: `module:attribute`, or a function that makes it, and the line the help shows."""

    source: str | Callable[[], click.Command]
    help: str

    def load(self) -> click.Command:
        """The command itself."""
        if callable(self.source):
            return self.source()
        module, _, attribute = self.source.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


class LazyGroup(click.Group):
    """A group whose help names its commands without importing them."""

    def __init__(self, *args: Any, entries: Mapping[str, Entry], **attributes: Any) -> None:
        super().__init__(*args, **{**attributes, "no_args_is_help": False})
        self.entries = dict(entries)
        self.params = [*self.params, *_global_options()]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of their table."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, imported now."""
        entry = self.entries.get(cmd_name)
        return entry.load() if entry else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; a word that is none is answered with the nearest that is."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=self.entries, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])


class Root(LazyGroup):
    """The program: every way out of it is one line on standard error at most, and an `Exit` code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line and exit."""
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except click.Abort:
            code = Exit.INTERRUPTED
        except Exception as error:
            code = _explain(error)
        sys.exit(code or Exit.DONE)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader of its output that has gone away had enough of it."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return Exit.DONE
        return code


def _explain(error: Exception) -> Exit:
    code = code_of(error)
    if code is None:
        raise error
    complain(_words(error))
    return code


def _words(error: Exception) -> str:
    if not isinstance(error, click.ClickException):
        return str(error)
    words = error.format_message().strip()
    context = getattr(error, "ctx", None)
    return f"{words} (see {context.command_path} --help)" if context is not None else words
