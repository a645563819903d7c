"""How Alembic runs here: on the connection it is handed, inside the transaction that is open on it."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from dpconsole.core.store.models import Base


def migrate(connection: Connection) -> None:
    """Run the revisions asked for; on SQLite a change of a column rewrites the table, hence the batches."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    context.run_migrations()


migrate(context.config.attributes["connection"])
