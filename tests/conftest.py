"""What every test may ask for: a store on SQLite and on a real PostgreSQL. And what makes all of them quick."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import URL, Engine, create_engine, make_url, text
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from dpconsole.core.store import session
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.faults.sizes import size
from tests.postgres import NoPostgres, running_server

settings.register_profile("dpconsole", max_examples=size(30, 300), deadline=None)
settings.load_profile("dpconsole")

NEW_OBJECTS = 50_000
"""How many a test may make before they are looked through for rubbish; Python's own 700 took a fifth of all time."""


def pytest_collection_finish() -> None:
    """Whatever is loaded by now stays to the end, and is not looked through any more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


class Postgres:
    """One server for one test worker; every test gets a database of its own, copied from a migrated template."""

    def __init__(self, uri: str) -> None:
        self.uri = make_url(uri).set(drivername="postgresql+psycopg")
        self.admin = create_engine(self.uri, isolation_level="AUTOCOMMIT")
        self._numbers = count()
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self.run(f"ALTER SYSTEM SET {setting} = off")
        self.run("SELECT pg_reload_conf()")
        open_store(self.create("template0")).close()
        self.template = f"test_{next(self._numbers) - 1}"

    def run(self, statement: str) -> None:
        with self.admin.connect() as connection:
            connection.execute(text(statement))

    def create(self, template: str) -> str:
        """The URL of a new database."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.uri.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        self.run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


@pytest.fixture(scope="session", autouse=True)
def _statements_are_compiled_once() -> Iterator[None]:
    """Let the stores of one worker share what SQLAlchemy compiled: else it costs as much as all the rest of a test.

    The cache goes by the identity of the dialect, so that is shared as well; every store configures it alike. Readers
    and writers, told apart by their pools, keep one each: a test that refuses a writer's statements means no reader's.
    A dialect learns what it speaks to from the first connection of its own engine; before, it is not shared.
    """
    first: dict[tuple[str, object], Engine] = {}

    def create(url: URL, **options: Any) -> Engine:
        made = create_engine(url, query_cache_size=5_000, **options)
        role = (url.get_backend_name(), options.get("pool_size"))
        known = first.get(role)
        if known is None or known.dialect.server_version_info is None:
            first[role] = made
        else:
            made.dialect, made._compiled_cache = known.dialect, known._compiled_cache
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_engine", create)
        yield


@pytest.fixture(scope="session", autouse=True)
def _sheets_are_parsed_once() -> Iterator[None]:
    """Let the apps of one worker share the rules of their style sheets: nobody writes into a rule once it is parsed."""
    parse, known = Stylesheet._parse_rules, dict[object, list[RuleSet]]()

    def parse_once(sheet: Stylesheet, *source: Any, **options: Any) -> list[RuleSet]:
        key = (source, *sorted(options.items()), frozenset(sheet._variables.items()))
        if key not in known:
            known[key] = parse(sheet, *source, **options)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parse_once)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this worker's own, from the wheel; it dies with the worker."""
    with ExitStack() as stack:
        try:
            uri = stack.enter_context(running_server())
        except NoPostgres as reason:
            pytest.skip(f"NO POSTGRESQL: every test on it is skipped, because the server did not start ({reason})")
        made = Postgres(uri)
        yield made
        made.admin.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file to copy."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    open_store(path).close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """Where a fresh, migrated database is: a path, then a URL."""
    if request.param == "sqlite":
        yield str(shutil.copy(sqlite_template, tmp_path / "store.db"))
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create(server.template)
    yield url
    server.drop(url)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A fresh store; the test runs once on each kind of database. Neither waits for its disk."""
    opened = open_store(database, synchronous="OFF")
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path, sqlite_template: Path) -> Iterator[Store]:
    """A fresh store for tests of what only the embedded database does, or that need no other."""
    opened = open_store(shutil.copy(sqlite_template, tmp_path / "store.db"), synchronous="OFF")
    yield opened
    opened.close()
