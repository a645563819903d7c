"""The migrated schema is the models' schema, and the journal and the ledger only grow in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, delete, insert, text, update
from sqlalchemy.exc import IntegrityError

from dpconsole.core.store.models import Base, Operation, OperationItem, Transition
from dpconsole.core.store.opening import HEAD, MIGRATIONS
from dpconsole.core.store.session import Store
from tests.conftest import Postgres


def test_the_head_is_the_last_revision() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_migrations_arrive_at_the_models(store: Store) -> None:
    with store.reader.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_sqlite_statements_are_the_models_own(sqlite_store: Store, tmp_path: Path) -> None:
    """What a comparison cannot reflect on SQLite: conditions, expressions, tables without rowid."""
    assert catalogue(sqlite_store.reader, SQLITE) == catalogue(created(f"sqlite:///{tmp_path / 'models.db'}"), SQLITE)


def test_postgresql_statements_are_the_models_own(postgres: Postgres) -> None:
    migrated = create_engine(postgres.create(postgres.template))
    assert catalogue(migrated, POSTGRESQL) == catalogue(created(postgres.create("template0")), POSTGRESQL)


SQLITE = "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND tbl_name <> 'alembic_version'"
POSTGRESQL = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


def created(url: str) -> Engine:
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    return engine


def catalogue(engine: Engine, query: str) -> dict[str, set[str]]:
    """Each object's statement as the set of its parts: neither the order of constraints nor a quoted name matters."""
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    engine.dispose()
    return {
        name: {part.strip(" ,\t") for part in (sql or "").replace(f'"{name}"', name).split("\n")} for name, sql in rows
    }


# --- append only ------------------------------------------------------------------------------------------------------


@pytest.fixture
def recorded(store: Store) -> Store:
    """A store with one journal entry and one record of one item."""
    with store.write() as transaction:
        transaction.execute(insert(Transition), ENTRY)
        transaction.execute(insert(Operation), RECORD)
        transaction.execute(insert(OperationItem), ITEM)
    return store


ENTRY: dict[str, Any] = {"id": 1, "instance_id": 7, "at": 0, "after": "FAILED", "cause": "finished", "actor": ""}
ENTRY |= {"attempt": 1, "rev": 1}
RECORD: dict[str, Any] = {"id": 1, "key": "k", "verb": "stop", "actor": "lin", "at": 0, "arguments": {}}
RECORD |= {"state": "applying", "rev": 1}
ITEM: dict[str, Any] = {"operation_id": 1, "target_id": 7, "name": "a", "before": "RUNNING", "after": "FAILED"}
ITEM |= {"outcome": "planned"}


@pytest.mark.parametrize(
    "act",
    [
        delete(Transition),
        update(Transition).values(after="SUCCEEDED"),
        delete(Operation),
        update(Operation).values(actor="somebody else"),
        update(Operation).values(arguments={"forged": True}),
        delete(OperationItem),
    ],
    ids=lambda act: str(act).split(" SET")[0].split(" WHERE")[0],
)
def test_what_happened_cannot_be_changed(recorded: Store, act: Any) -> None:
    with pytest.raises(IntegrityError, match="append-only"), recorded.write() as transaction:
        transaction.execute(act)


@pytest.mark.parametrize(
    "act",
    [
        update(Operation).values(state="done", finished_at=5, acts=1, hash="abc"),
        update(OperationItem).values(outcome="ok"),
    ],
)
def test_what_is_still_being_applied_can_be_filled_in(recorded: Store, act: Any) -> None:
    with recorded.write() as transaction:
        assert transaction.execute(act).rowcount == 1
