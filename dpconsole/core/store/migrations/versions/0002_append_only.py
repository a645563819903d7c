"""The journal and the ledger only grow (sections 2 and 19).

Rewriting a table in a batch on SQLite drops its triggers: a later revision that does so creates them again.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY: dict[str, tuple[str, str]] = {
    "transition_no_update": ("UPDATE", "transition"),
    "transition_no_delete": ("DELETE", "transition"),
    "operation_no_delete": ("DELETE", "operation"),
    "operation_item_no_delete": ("DELETE", "operation_item"),
}
"""Trigger, the act it refuses, and on which table."""

WRITTEN_ONCE = ("id", "key", "verb", "actor", "source", "at", "reason", "command", "arguments")
"""Columns of a ledger record that never change; the others are filled in while it is applied."""

SQLITE = "CREATE TRIGGER {name} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
POSTGRESQL = "CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
POSTGRESQL_FUNCTION = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$
"""


def upgrade() -> None:
    statement = SQLITE
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL_FUNCTION)
        statement = POSTGRESQL
    for name, (act, table) in refusals().items():
        op.execute(statement.format(name=name, act=act, table=table))


def refusals() -> dict[str, tuple[str, str]]:
    """Every trigger that refuses a change: its name, the act, and on which table."""
    return APPEND_ONLY | {"operation_no_rewrite": (f"UPDATE OF {', '.join(WRITTEN_ONCE)}", "operation")}
