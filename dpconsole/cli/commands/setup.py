"""Looking at the set-up: settings, versions, the database, the shell's completion."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from typing import Any

import click

from dpconsole import __version__
from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import Command, Entry, LazyGroup, flags
from dpconsole.cli.talk import complain, number_of, say, write, write_json
from dpconsole.core.domain.text import clean
from dpconsole.core.settings import Places, Settings, SettingsError

SHELLS = ("bash", "zsh", "fish")

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


def _settings(context: click.Context) -> Settings:
    from dpconsole.cli.work import settings_of

    return settings_of(context)


# --- config -----------------------------------------------------------------------------------------------------------


@click.command(cls=Command)
@click.pass_context
def path(context: click.Context) -> None:
    """Where the user's settings file is, or would be."""
    write(str(Places.of_user().user_file))


@click.command(cls=Command)
@_json
@click.pass_context
def show(context: click.Context, as_json: bool) -> None:
    """Every setting, its value, and the place that settled it."""
    settings = _settings(context)
    shown = {name: (_without_password(settled.value), settled.place) for name, settled in settings.settled.items()}
    if as_json:
        values = {name: {"value": value, "from": place} for name, (value, place) in shown.items()}
        write_json({"settings": values, "contexts": list(settings.contexts), "files": _files(settings.places)})
        return
    for name, (value, place) in shown.items():
        write(f"{name} = {_toml(value)}  # {place}")
    for name in settings.contexts:
        write(f"[contexts.{clean(name)}]")
    for name, file in _files(settings.places).items():
        write(f"# {name}: {file}")


@click.command(cls=Command)
@click.pass_context
def validate(context: click.Context) -> Exit:
    """Hold every settings file against what can be settled; says what is wrong, with file and line."""
    try:
        settings = _settings(context)
    except SettingsError as error:
        for problem in error.problems:
            say(str(problem))
        complain(f"{number_of(len(error.problems), 'problem')} in the settings")
        return Exit.USAGE
    for file in settings.files:
        write(f"{file}: good")
    if not settings.files:
        write("no settings files: everything is the default, a variable or a flag")
    return Exit.DONE


@click.group(
    cls=LazyGroup,
    entries={
        "path": Entry(lambda: path, "Where the user's settings file is."),
        "show": Entry(lambda: show, "What the settings come to, and why."),
        "validate": Entry(lambda: validate, "What is wrong with the settings."),
    },
)
def config() -> None:
    """The settings: from flags, the environment, ./dpconsole.toml and the user's config.toml, in this order."""


def _files(places: Places) -> dict[str, str]:
    return {
        "config": str(places.user_file),
        "keymap": str(places.keymap),
        "views": str(places.views),
        "themes": str(places.themes),
        "data": str(places.data),
        "state": str(places.state),
        "cache": str(places.cache),
    }


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{clean(value)}"' if isinstance(value, str) else str(value).lower()


def _without_password(value: Any) -> Any:
    if not isinstance(value, str) or "://" not in value:
        return value
    from dpconsole.core.store.session import parse_url

    return parse_url(value).render_as_string(hide_password=True)


# --- info -------------------------------------------------------------------------------------------------------------

_PACKAGES = ("textual", "sqlalchemy", "apscheduler", "click")


@click.command(cls=Command)
@_json
@click.pass_context
def info(context: click.Context, as_json: bool) -> None:
    """What is installed, and what it works on: for a report of a problem."""
    settings = _settings(context)
    document = {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version(name) for name in _PACKAGES},
        "terminal": os.environ.get("TERM", ""),
        "encoding": sys.stdout.encoding,
        "context": settings.context,
        "readonly": settings.readonly,
        "database": _database(context, settings),
    }
    if as_json:
        write_json(document)
    else:
        _write_nested(document, "")


def _database(context: click.Context, settings: Settings) -> dict[str, Any]:
    """What stands in the database; why it cannot be opened, where it cannot."""
    from dpconsole.cli.work import opened
    from dpconsole.core.domain.clock import SystemClock
    from dpconsole.core.engine.lease import Lease
    from dpconsole.core.store.errors import StoreError
    from dpconsole.core.store.models import Instance, Task
    from dpconsole.core.store.pages import count

    place = str(_without_password(settings.database))
    flags(context)["readonly"] = True
    try:
        with opened(context) as work, work.store.read() as connection:
            engine = Lease(work.store, SystemClock()).state()
            return {
                "place": work.store.place,
                "timezone": str(work.zone),
                "environment": work.environment,
                "tasks": count(connection, Task.id > 0, table=Task),
                "instances": count(connection, Instance.id > 0),
                "rev": work.store.rev(),
                "engine": engine.holder if engine else None,
            }
    except StoreError as error:
        return {"place": place, "problem": clean(str(error))}


def _write_nested(document: dict[str, Any], lead: str) -> None:
    for name, value in document.items():
        if isinstance(value, dict):
            _write_nested(value, f"{lead}{name} ")
        else:
            write(f"{lead}{name}: {'-' if value in (None, '') else value}")


# --- completion -------------------------------------------------------------------------------------------------------


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """The completion script of a SHELL; for bash: eval "$(dpconsole completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise Failure(f"no completion for {shell}; there is one for {', '.join(SHELLS)}", Exit.USAGE)
    write(kind(context.find_root().command, {}, "dpconsole", "_DPCONSOLE_COMPLETE").source())
