"""Who gave whom which post, and who ended it, is written down where auditors read it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "post_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_member_id", sa.BigInteger(), nullable=True),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.CheckConstraint("what IN ('appointed', 'ended', 'retired')", name=op.f("ck_post_change_what")),
        sa.CheckConstraint("(what = 'retired') = (role IS NULL)", name=op.f("ck_post_change_post")),
        sa.ForeignKeyConstraint(["by_member_id"], ["member.id"], name=op.f("fk_post_change_by_member_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_post_change_member_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_post_change_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_change")),
    )
    op.create_index(op.f("ix_post_change_organisation_id_id"), "post_change", ["organisation_id", "id"])
    op.create_index(op.f("ix_post_change_member_id"), "post_change", ["member_id"])


def downgrade() -> None:
    op.drop_table("post_change")
