"""What a database had before it was migrated is there afterwards, and still guarded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError

from dpconsole.core.store.chain import first_broken
from dpconsole.core.store.models import Operation, OperationItem, Transition
from dpconsole.core.store.opening import alembic_config, open_store
from dpconsole.core.store.session import Store, create_private
from tests.nights import Night, fails, task

COPIED = ("counter", "project", "resource_group", "task", "instance", "transition")
"""Tables that look the same in both revisions."""


@pytest.fixture
def night(sqlite_store: Store) -> Night:
    """A night in which lin has done something: two records, chained, in a database of today."""
    night = Night(sqlite_store, task("a", simulate=fails()), task("b", "a"))
    night.generate()
    night.run()
    night.act("rerun", "a")
    night.act("set-success", "a")
    return night


@pytest.fixture
def older(night: Night, tmp_path: Path) -> Path:
    """The same night as revision 0003 wrote it, when every item of the ledger was an instance."""
    path = tmp_path / "older.db"
    create_private(path)
    old = Store(path)
    with old.writer.connect() as connection, connection.begin():
        command.upgrade(alembic_config(connection), "0003")
    with old.writer.connect() as connection, connection.begin():
        for table in COPIED:
            insert_all(connection, table, rows(night.store, table))
        insert_all(connection, "operation", [without(row, "kind") for row in rows(night.store, "operation")])
        items = rows(night.store, "operation_item")
        insert_all(connection, "operation_item", [without(row, "target_id", instance_id="target_id") for row in items])
    old.close()
    return path


def rows(store: Store, table: str) -> list[dict[str, Any]]:
    with store.read() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]


def without(row: dict[str, Any], name: str, **renamed: str) -> dict[str, Any]:
    """A row as it was before a column came, or was called otherwise."""
    return {key: value for key, value in row.items() if key != name} | {new: row[old] for new, old in renamed.items()}


def insert_all(connection: Any, table: str, some: list[dict[str, Any]]) -> None:
    for row in some:
        names = ", ".join(f'"{name}"' for name in row)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)


def test_the_ledger_and_its_chain_outlive_the_coming_of_backfills(night: Night, older: Path) -> None:
    migrated = open_store(older)
    for table in (*COPIED, "operation", "operation_item"):
        assert rows(migrated, table) == rows(night.store, table), table
    with migrated.read() as connection:
        assert first_broken(connection) is None
    later = Night(migrated, task("a", simulate=fails()), task("b", "a"))
    later.act("priority", "a", to="high")
    with migrated.read() as connection:
        assert first_broken(connection) is None
    migrated.close()


def test_what_had_happened_can_still_not_be_changed(older: Path) -> None:
    migrated = open_store(older)
    for act in (
        delete(Transition),
        update(Transition).values(after="SUCCEEDED"),
        delete(Operation),
        update(Operation).values(actor="somebody else"),
        delete(OperationItem),
    ):
        with pytest.raises(IntegrityError, match="append-only"), migrated.write() as transaction:
            transaction.execute(act)
    migrated.close()
