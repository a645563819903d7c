"""The schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backfill",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("submitter", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("submit_after_at", sa.BigInteger(), nullable=True),
        sa.Column("groups", sa.Integer(), nullable=False),
        sa.Column("ascending", sa.Boolean(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backfill")),
    )
    op.create_table(
        "baseline",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("committed", sa.Integer(), nullable=False),
        sa.Column("margin_ms", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_baseline")),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "engine_lease",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.String(length=64), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("pid_started", sa.String(length=32), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tick_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_engine_lease_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engine_lease")),
    )
    op.create_table(
        "operation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("verb", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("acts", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation")),
        sa.UniqueConstraint("key", name=op.f("uq_operation_key")),
    )
    op.create_table(
        "project",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_project")),
    )
    op.create_table(
        "resource_group",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_resource_group")),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "throttling_rule",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("origin", sa.String(length=16), nullable=True),
        sa.Column("type", sa.String(length=32), nullable=True),
        sa.Column("tag", sa.Text(), nullable=True),
        sa.Column("environment", sa.String(length=8), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_throttling_rule")),
    )
    op.create_table(
        "transition",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.String(length=16), nullable=True),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transition")),
    )
    op.create_table(
        "backfill_date",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("backfill_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("queue", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("begun", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["backfill_id"], ["backfill.id"], name=op.f("fk_backfill_date_backfill_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backfill_date")),
    )
    op.create_table(
        "member",
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.name"], name=op.f("fk_member_project")),
        sa.PrimaryKeyConstraint("project", "user", name=op.f("pk_member")),
    )
    op.create_table(
        "operation_item",
        sa.Column("operation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("before", sa.String(length=24), nullable=False),
        sa.Column("after", sa.String(length=24), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["operation_id"], ["operation.id"], name=op.f("fk_operation_item_operation_id")),
        sa.PrimaryKeyConstraint("operation_id", "instance_id", name=op.f("pk_operation_item")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("cycle", sa.String(length=8), nullable=False),
        sa.Column("schedule", sa.JSON(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("operation_owner", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("run", sa.JSON(), nullable=False),
        sa.Column("simulate", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("output_table", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("submit_status", sa.String(length=32), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("lock_holder", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.name"], name=op.f("fk_task_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("key", name=op.f("uq_task_key")),
    )
    op.create_table(
        "baseline_task",
        sa.Column("baseline", sa.Text(), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_end", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["baseline"], ["baseline.name"], name=op.f("fk_baseline_task_baseline")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_baseline_task_task_id")),
        sa.PrimaryKeyConstraint("baseline", "task_id", name=op.f("pk_baseline_task")),
    )
    op.create_table(
        "logical_field",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("is_key", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_logical_field_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logical_field")),
    )
    op.create_table(
        "node",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("simulate", sa.JSON(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_node_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
    )
    op.create_table(
        "dependency",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("node_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("upstream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("upstream_node_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cycle", sa.String(length=16), nullable=True),
        sa.Column("policy", sa.String(length=8), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_dependency_node_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_dependency_task_id")),
        sa.ForeignKeyConstraint(["upstream_id"], ["task.id"], name=op.f("fk_dependency_upstream_id")),
        sa.ForeignKeyConstraint(["upstream_node_id"], ["node.id"], name=op.f("fk_dependency_upstream_node_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dependency")),
    )
    op.create_table(
        "instance",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("node_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("backfill_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("backfill_date_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("listing", sa.String(length=16), nullable=False),
        sa.Column("environment", sa.String(length=8), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("task_key", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("resource_group", sa.Text(), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("cycle", sa.String(length=8), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("set_by_hand", sa.Boolean(), nullable=False),
        sa.Column("autonomous", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("effective_priority", sa.SmallInteger(), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("auto_reruns", sa.Integer(), nullable=False),
        sa.Column("reruns", sa.Integer(), nullable=False),
        sa.Column("rerun_interval_ms", sa.BigInteger(), nullable=False),
        sa.Column("rerun_after_timeout", sa.Boolean(), nullable=False),
        sa.Column("timeout_ms", sa.BigInteger(), nullable=False),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["backfill_date_id"], ["backfill_date.id"], name=op.f("fk_instance_backfill_date_id")),
        sa.ForeignKeyConstraint(["backfill_id"], ["backfill.id"], name=op.f("fk_instance_backfill_id")),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_instance_node_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["instance.id"], name=op.f("fk_instance_parent_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_instance_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    op.create_table(
        "node_field",
        sa.Column("node_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["field_id"], ["logical_field.id"], name=op.f("fk_node_field_field_id")),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_node_field_node_id")),
        sa.PrimaryKeyConstraint("node_id", "field_id", name=op.f("pk_node_field")),
    )
    op.create_table(
        "attempt",
        sa.Column("instance_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("trigger", sa.String(length=12), nullable=False),
        sa.Column("dispatched_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_attempt_instance_id")),
        sa.PrimaryKeyConstraint("instance_id", "number", name=op.f("pk_attempt")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "instance_dependency",
        sa.Column("downstream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requirement", sa.Integer(), nullable=False),
        sa.Column("upstream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alternative", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["downstream_id"], ["instance.id"], name=op.f("fk_instance_dependency_downstream_id")),
        sa.ForeignKeyConstraint(["upstream_id"], ["instance.id"], name=op.f("fk_instance_dependency_upstream_id")),
        sa.PrimaryKeyConstraint("downstream_id", "requirement", "upstream_id", name=op.f("pk_instance_dependency")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vacuous_dependency",
        sa.Column("downstream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dependency_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("upstream_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["downstream_id"], ["instance.id"], name=op.f("fk_vacuous_dependency_downstream_id")),
        sa.PrimaryKeyConstraint("downstream_id", "dependency_id", name=op.f("pk_vacuous_dependency")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_backfill_rev"), "backfill", ["rev"], unique=False)
    op.create_index(op.f("ix_operation_rev"), "operation", ["rev"], unique=False)
    op.create_index(op.f("ix_operation_verb"), "operation", ["verb"], unique=False)
    op.create_index(op.f("ix_transition_instance_id"), "transition", ["instance_id"], unique=False)
    op.create_index(op.f("ix_backfill_date_backfill_id"), "backfill_date", ["backfill_id"], unique=False)
    op.create_index(op.f("ix_backfill_date_rev"), "backfill_date", ["rev"], unique=False)
    op.create_index(op.f("ix_operation_item_instance_id"), "operation_item", ["instance_id"], unique=False)
    op.create_index(op.f("ix_task_name"), "task", ["name"], unique=False)
    op.create_index(op.f("ix_task_project"), "task", ["project"], unique=False)
    op.create_index(op.f("ix_task_rev"), "task", ["rev"], unique=False)
    op.create_index(op.f("ix_baseline_task_task_id"), "baseline_task", ["task_id"], unique=False)
    op.create_index(op.f("ix_logical_field_task_id"), "logical_field", ["task_id"], unique=False)
    op.create_index(op.f("ix_node_task_id"), "node", ["task_id"], unique=False)
    op.create_index(op.f("ix_dependency_task_id"), "dependency", ["task_id"], unique=False)
    op.create_index(op.f("ix_dependency_upstream_id"), "dependency", ["upstream_id"], unique=False)
    op.create_index(
        "ix_instance_backfill",
        "instance",
        ["backfill_id", "backfill_date_id"],
        unique=False,
        sqlite_where=sa.text("backfill_id IS NOT NULL"),
        postgresql_where=sa.text("backfill_id IS NOT NULL"),
    )
    op.create_index("ix_instance_date", "instance", ["business_date", "due_at"], unique=False)
    op.create_index(
        "ix_instance_failed",
        "instance",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'FAILED'"),
        postgresql_where=sa.text("status = 'FAILED'"),
    )
    op.create_index("ix_instance_list", "instance", ["environment", "origin", "listing", "due_at"], unique=False)
    op.create_index(
        "ix_instance_night", "instance", ["environment", "origin", "listing", "business_date", "due_at"], unique=False
    )
    op.create_index(
        "ix_instance_parent",
        "instance",
        ["parent_id"],
        unique=False,
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_index(
        "ix_instance_paused",
        "instance",
        ["paused_until"],
        unique=False,
        sqlite_where=sa.text("paused IS 1"),
        postgresql_where=sa.text("paused IS true"),
    )
    op.create_index(
        "ix_instance_queued",
        "instance",
        ["effective_priority", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("status IN ('THROTTLED', 'WAITING_RESOURCE') AND paused IS 0"),
        postgresql_where=sa.text("status IN ('THROTTLED', 'WAITING_RESOURCE') AND paused IS false"),
    )
    op.create_index(
        "ix_instance_ready",
        "instance",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'NOT_RUNNING' AND pending = 0 AND paused IS 0 AND autonomous IS 1"),
        postgresql_where=sa.text("status = 'NOT_RUNNING' AND pending = 0 AND paused IS false AND autonomous IS true"),
    )
    op.create_index(
        "ix_instance_retry",
        "instance",
        ["retry_at"],
        unique=False,
        sqlite_where=sa.text("retry_at IS NOT NULL"),
        postgresql_where=sa.text("retry_at IS NOT NULL"),
    )
    op.create_index("ix_instance_rev", "instance", ["rev"], unique=False)
    op.create_index(
        "ix_instance_running",
        "instance",
        ["resource_group"],
        unique=False,
        sqlite_where=sa.text("status = 'RUNNING'"),
        postgresql_where=sa.text("status = 'RUNNING'"),
    )
    op.create_index(
        "ix_instance_waiting",
        "instance",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'WAITING_TIME' AND paused IS 0"),
        postgresql_where=sa.text("status = 'WAITING_TIME' AND paused IS false"),
    )
    op.create_index(
        "uq_instance_business_key",
        "instance",
        [
            "task_id",
            sa.literal_column("coalesce(node_id, 0)"),
            "business_date",
            "ordinal",
            sa.literal_column("coalesce(backfill_id, 0)"),
        ],
        unique=True,
    )
    op.create_index(op.f("ix_node_field_field_id"), "node_field", ["field_id"], unique=False)
    op.create_index(
        "ix_attempt_open",
        "attempt",
        ["deadline_at", "lease_until"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_instance_dependency_upstream",
        "instance_dependency",
        ["upstream_id", "downstream_id", "requirement", "alternative"],
        unique=False,
    )
