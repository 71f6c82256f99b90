"""What a sweep writes thousands of is written lighter: JSON as it came, no second look at rows that the lock holds."""

from __future__ import annotations

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None

_AS_WRITTEN = (("clock", "face"), ("event", "signals"), ("message", "items"))
_KEYS = (("event", "case_id", "cases"), ("message", "case_id", "cases"), ("message", "member_id", "member"))


def upgrade() -> None:
    for table, column in _AS_WRITTEN:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE json USING {column}::json")
    for table, column, _ in _KEYS:
        op.drop_constraint(op.f(f"fk_{table}_{column}"), table)
    op.drop_constraint(op.f("uq_message_occasion_member_id"), "message")
    op.execute("CREATE UNIQUE INDEX uq_message_occasion ON message (occasion, member_id) WHERE occasion IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP INDEX uq_message_occasion")
    op.create_unique_constraint(op.f("uq_message_occasion_member_id"), "message", ["occasion", "member_id"])
    for table, column, whose in _KEYS:
        op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, whose, [column], ["id"])
    for table, column in _AS_WRITTEN:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE jsonb USING {column}::jsonb")
