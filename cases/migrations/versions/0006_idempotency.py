"""What was asked twice is done once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "asked_twice",
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=True),
        sa.CheckConstraint("(status IS NULL) = (answer IS NULL)", name=op.f("ck_asked_twice_answered")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_asked_twice_member_id")),
        sa.PrimaryKeyConstraint("member_id", "key", name=op.f("pk_asked_twice")),
    )
    op.create_index(op.f("ix_asked_twice_at"), "asked_twice", ["at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_asked_twice_at"), table_name="asked_twice")
    op.drop_table("asked_twice")
