"""Write a revision from the difference between the models and the migrated schema.

python -m tests.core.store.revise 0003 "What changed"      a new revision on top of the last one
python -m tests.core.store.revise 0001 "The schema"        the first one, anew (only before a release)
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import CreateIndexOp, CreateTableOp, UpgradeOps
from sqlalchemy import Connection, create_engine

from dpconsole.core.store.models import Base
from dpconsole.core.store.opening import MIGRATIONS, alembic_config

FIRST = "0001"
_BOOLEAN = re.compile(r"(postgresql_where=sa\.text\((['\"])(?:(?!\2).)*\bIS )([01])\b")


def revise(revision: str, message: str) -> Path:
    """Write the file of `revision`, format it, and return its path."""
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": Base.metadata})
        changes = _everything() if revision == FIRST else _difference(connection, context)
        body = render_python_code(changes, render_as_batch=revision != FIRST, migration_context=context)
    path = MIGRATIONS / "versions" / f"{revision}_{re.sub(r'[^a-z0-9]+', '_', message.lower()).strip('_')}.py"
    path.write_text(_HEAD.format(message=message, revision=revision, down=_previous(revision)) + _for_both(body) + "\n")
    subprocess.run(["ruff", "format", "--quiet", path], check=True)
    return path


def _everything() -> UpgradeOps:
    """All tables and indexes; a comparison would leave out the indexes on expressions, which SQLite cannot reflect."""
    tables = Base.metadata.sorted_tables
    indexes = [index for table in tables for index in sorted(table.indexes, key=lambda index: str(index.name))]
    return UpgradeOps([*map(CreateTableOp.from_table, tables), *map(CreateIndexOp.from_index, indexes)])


def _difference(connection: Connection, context: MigrationContext) -> UpgradeOps:
    command.upgrade(alembic_config(connection), "head")
    changes = produce_migrations(context, Base.metadata).upgrade_ops
    assert changes is not None
    return changes


def _previous(revision: str) -> str | None:
    return None if revision == FIRST else f"{int(revision) - 1:04d}"


def _for_both(body: str) -> str:
    """A condition rendered by SQLite says `IS 1` where PostgreSQL wants `IS true`."""
    while _BOOLEAN.search(body):
        body = _BOOLEAN.sub(lambda found: found[1] + ("true" if found[3] == "1" else "false"), body)
    return "\n".join(line for line in body.splitlines() if "### " not in line)


_HEAD = '''"""{message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
'''

if __name__ == "__main__":
    print(revise(*sys.argv[1:3]))
