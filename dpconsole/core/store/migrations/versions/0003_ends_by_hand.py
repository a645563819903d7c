"""What stops ask of the executor, and who is applying a record that is still open (sections 2.4 and 19)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operation_applier",
        sa.Column("operation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("pid_started", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["operation_id"], ["operation.id"], name=op.f("fk_operation_applier_operation_id")),
        sa.PrimaryKeyConstraint("operation_id", name=op.f("pk_operation_applier")),
    )
    op.create_index(
        "ix_attempt_stop",
        "attempt",
        ["instance_id"],
        unique=False,
        sqlite_where=sa.text("stop_requested IS 1"),
        postgresql_where=sa.text("stop_requested IS true"),
    )
