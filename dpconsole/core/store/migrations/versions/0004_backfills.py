"""Backfills: saved flows, what is to be submitted, queues of data timestamps, and their tallies (sections 7 and 8).

Until now nothing made a backfill, so their tables are empty. The tally is kept by triggers, because every writer of
`instance` would otherwise have to remember it, and a forgotten one would show as a wrong status for ever.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backfill_flow",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("environment", sa.String(length=8), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("recurrence", sa.String(length=8), nullable=False),
        sa.Column("schedule", sa.JSON(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("made_until", sa.String(length=10), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backfill_flow")),
    )
    op.create_table(
        "backfill_tally",
        sa.Column("backfill_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("backfill_date_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["backfill_date_id"], ["backfill_date.id"], name=op.f("fk_backfill_tally_backfill_date_id")
        ),
        sa.ForeignKeyConstraint(["backfill_id"], ["backfill.id"], name=op.f("fk_backfill_tally_backfill_id")),
        sa.PrimaryKeyConstraint("backfill_id", "backfill_date_id", "status", "paused", name=op.f("pk_backfill_tally")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("backfill", schema=None) as batch_op:
        batch_op.add_column(sa.Column("environment", sa.String(length=8), nullable=False))
        batch_op.add_column(sa.Column("tags", sa.Text(), nullable=False))
        batch_op.add_column(sa.Column("flow_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        batch_op.add_column(sa.Column("flow", sa.Text(), nullable=False))
        batch_op.add_column(sa.Column("recurrence", sa.String(length=8), nullable=False))
        batch_op.add_column(sa.Column("run_day", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("error", sa.Text(), nullable=False))
        batch_op.create_index(
            "ix_backfill_unsubmitted",
            ["submit_after_at"],
            unique=False,
            sqlite_where=sa.text("state != 'submitted'"),
            postgresql_where=sa.text("state != 'submitted'"),
        )
        batch_op.create_unique_constraint(batch_op.f("uq_backfill_flow_id_run_day"), ["flow_id", "run_day"])
        batch_op.create_foreign_key(batch_op.f("fk_backfill_flow_id"), "backfill_flow", ["flow_id"], ["id"])

    with op.batch_alter_table("backfill_date", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state", sa.String(length=8), nullable=False))
        batch_op.add_column(sa.Column("made", sa.Boolean(), nullable=False))
        batch_op.add_column(sa.Column("begun_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("started_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("ended_at", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            "ix_backfill_date_in_flight",
            ["backfill_id"],
            unique=False,
            sqlite_where=sa.text("state = 'begun'"),
            postgresql_where=sa.text("state = 'begun'"),
        )
        batch_op.drop_column("begun")

    with op.batch_alter_table("operation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=16), nullable=False, server_default="instance"))
    with op.batch_alter_table("operation", schema=None) as batch_op:
        batch_op.alter_column("kind", server_default=None)

    op.drop_index("ix_operation_item_instance_id", "operation_item")
    op.execute("ALTER TABLE operation_item RENAME COLUMN instance_id TO target_id")
    op.create_index("ix_operation_item_target_id", "operation_item", ["target_id"], unique=False)

    op.drop_index("ix_instance_backfill", "instance")
    op.create_index(
        "ix_instance_backfill",
        "instance",
        ["backfill_id", "backfill_date_id", "listing", "due_at"],
        unique=False,
        sqlite_where=sa.text("backfill_id IS NOT NULL"),
        postgresql_where=sa.text("backfill_id IS NOT NULL"),
    )

    if op.get_bind().dialect.name == "postgresql":
        for statement in (POSTGRESQL_FUNCTION, *POSTGRESQL_TRIGGERS):
            op.execute(statement)
    else:
        _refuse_changes_of_records()
        for statement in SQLITE_TRIGGERS:
            op.execute(statement)


def _refuse_changes_of_records() -> None:
    """SQLite lost the triggers of `operation` when it was rewritten."""
    scripts = op.get_context().script
    assert scripts is not None
    append_only = scripts.get_revision("0002").module
    for name, (act, table) in append_only.refusals().items():
        if table == "operation":
            op.execute(append_only.SQLITE.format(name=name, act=act, table=table))


LISTED = "NEW.backfill_date_id IS NOT NULL AND NEW.listing <> ''"
MOVED = f"{LISTED} AND (OLD.status <> NEW.status OR OLD.paused <> NEW.paused)"
WAS_LISTED = "OLD.backfill_date_id IS NOT NULL AND OLD.listing <> ''"

COUNT_IN = """
INSERT INTO backfill_tally (backfill_id, backfill_date_id, status, paused, number)
VALUES (NEW.backfill_id, NEW.backfill_date_id, NEW.status, NEW.paused, 1)
ON CONFLICT (backfill_id, backfill_date_id, status, paused) DO UPDATE SET number = backfill_tally.number + 1;
"""
COUNT_OUT = """
UPDATE backfill_tally SET number = number - 1
WHERE backfill_id = OLD.backfill_id AND backfill_date_id = OLD.backfill_date_id
AND status = OLD.status AND paused = OLD.paused;
"""
SPAN = """
UPDATE backfill_date SET started_at = coalesce(started_at, NEW.started_at),
ended_at = {latest}(coalesce(NEW.ended_at, ended_at), coalesce(ended_at, NEW.ended_at))
WHERE id = NEW.backfill_date_id AND NEW.started_at IS NOT NULL;
"""

SQLITE_TRIGGERS = (
    f"CREATE TRIGGER backfill_tally_in AFTER INSERT ON instance WHEN {LISTED} BEGIN {COUNT_IN} END",
    f"CREATE TRIGGER backfill_tally_moved AFTER UPDATE OF status, paused ON instance WHEN {MOVED} "
    f"BEGIN {COUNT_OUT} {COUNT_IN} {SPAN.format(latest='max')} END",
    f"CREATE TRIGGER backfill_tally_out AFTER DELETE ON instance WHEN {WAS_LISTED} BEGIN {COUNT_OUT} END",
)
POSTGRESQL_FUNCTION = f"""
CREATE FUNCTION tally_backfill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN {COUNT_OUT} END IF;
    IF TG_OP <> 'DELETE' THEN {COUNT_IN} END IF;
    IF TG_OP = 'UPDATE' THEN {SPAN.format(latest="greatest")} END IF;
    RETURN NULL;
END $$
"""
POSTGRESQL_TRIGGERS = (
    f"CREATE TRIGGER backfill_tally_in AFTER INSERT ON instance FOR EACH ROW WHEN ({LISTED}) "
    "EXECUTE FUNCTION tally_backfill()",
    f"CREATE TRIGGER backfill_tally_moved AFTER UPDATE OF status, paused ON instance FOR EACH ROW WHEN ({MOVED}) "
    "EXECUTE FUNCTION tally_backfill()",
    f"CREATE TRIGGER backfill_tally_out AFTER DELETE ON instance FOR EACH ROW WHEN ({WAS_LISTED}) "
    "EXECUTE FUNCTION tally_backfill()",
)
