"""What a command works with: the settings of this run and, once it asks for it, the opened database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import flags
from dpconsole.core.domain.clock import Clock, SystemClock
from dpconsole.core.operations.actor import Actor, current_actor
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.query.values import QueryContext
from dpconsole.core.settings import Settings, load_settings
from dpconsole.core.store.definition_rows import Facts, read_workspace_facts
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store

if TYPE_CHECKING:
    from dpconsole.core.operations.backfills import Backfills
    from dpconsole.core.query.lists import Lists


def settings_of(context: click.Context) -> Settings:
    """The settings of this run. Raises `SettingsError`."""
    return load_settings(flags(context), os.environ, Path.cwd())


@dataclass(frozen=True)
class Work:
    """An opened database and who works on it."""

    settings: Settings
    store: Store
    clock: Clock
    actor: Actor

    @cached_property
    def facts(self) -> Facts:
        """What the workspace says about everything but tasks."""
        with self.store.read() as connection:
            return read_workspace_facts(connection)

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone; UTC before the first load."""
        return ZoneInfo(self.facts.timezone or "UTC")

    @property
    def environment(self) -> str:
        """The environment that lists show: the workspace's own."""
        return str(self.facts.environment or "prod")

    @cached_property
    def lists(self) -> Lists:
        """The lists of this database."""
        from dpconsole.core.query.lists import Lists

        return Lists(self.store, self.clock, self.actor.user)

    @cached_property
    def operations(self) -> Operations:
        """The verbs of this user."""
        return Operations(self.store, self.clock, self.actor, self.matching, lambda: token_hex(16))

    @cached_property
    def backfills(self) -> Backfills:
        """Creating backfills as this user."""
        from dpconsole.core.operations.backfills import Backfills

        return Backfills(self.store, self.clock, self.actor, self.operations.new_key)

    @property
    def query_context(self) -> QueryContext:
        """What dates and queries are read against."""
        return QueryContext(self.clock.now(), self.actor.user, self.zone, self.environment)

    def matching(self, selection: Selection) -> list[int]:
        """The ids a selection's query stands for, of instances or of backfills."""
        from dpconsole.core.query.fields import ListKind
        from dpconsole.core.query.lists import ListRequest

        request = ListRequest(
            ListKind.BACKFILLS if selection.matches_backfills else ListKind.INSTANCES,
            listing=selection.listing,
            environment=selection.environment,
            text=selection.query or "",
        )
        return list(self.lists.snapshot(request).ids)


@contextmanager
def asked(query: str) -> Iterator[None]:
    """Something is asked for with a query; one that cannot be read is shown with a caret under what is wrong."""
    from dpconsole.core.query.language import QueryError
    from dpconsole.core.query.ordering import UnknownSort

    try:
        yield
    except UnknownSort as error:
        raise Failure(f"--sort: {error}", Exit.USAGE) from None
    except QueryError as error:
        raise Failure(error.caret(query), Exit.USAGE) from None


@contextmanager
def opened(context: click.Context, *, create: bool = False, front_end: str = "cli") -> Iterator[Work]:
    """The database of this run, closed again at the end. `create` makes it where there is none."""
    settings = settings_of(context)
    store = open_store(settings.database, synchronous=settings.synchronous, readonly=settings.readonly, create=create)
    try:
        yield Work(settings, store, SystemClock(), current_actor(front_end, os.environ))
    finally:
        store.close()
