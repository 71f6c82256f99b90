"""rounds: when each was last finished, and messages that belong to no single case"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("done", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("door IN ('orchestrator', 'standby', 'person')", name=op.f("ck_heartbeat_door")),
        sa.PrimaryKeyConstraint("round", "door", name=op.f("pk_heartbeat")),
    )
    op.add_column("message", sa.Column("occasion", sa.Text(), nullable=True))
    op.alter_column("message", "case_id", existing_type=sa.BigInteger(), nullable=True)
    op.alter_column("message", "seq", existing_type=sa.Integer(), nullable=True)
    op.create_unique_constraint(op.f("uq_message_occasion_member_id"), "message", ["occasion", "member_id"])
    op.create_check_constraint(
        op.f("ck_message_about"),
        "message",
        "(case_id IS NULL) = (seq IS NULL) AND (case_id IS NULL) = (occasion IS NOT NULL)",
    )


def downgrade() -> None:
    op.execute("DELETE FROM message WHERE case_id IS NULL")
    op.drop_constraint(op.f("ck_message_about"), "message", type_="check")
    op.drop_constraint(op.f("uq_message_occasion_member_id"), "message", type_="unique")
    op.alter_column("message", "seq", existing_type=sa.Integer(), nullable=False)
    op.alter_column("message", "case_id", existing_type=sa.BigInteger(), nullable=False)
    op.drop_column("message", "occasion")
    op.drop_table("heartbeat")
