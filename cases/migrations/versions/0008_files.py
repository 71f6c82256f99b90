"""What is attached to a case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    # No version that kept contents in this table was ever written: there is nothing in it to carry over.
    op.drop_table("file")
    op.create_table(
        "file",
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("media", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("about", sa.LargeBinary(), nullable=True),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "media IN ('image/jpeg', 'image/png', 'image/webp', 'image/tiff', 'application/pdf')",
            name=op.f("ck_file_media"),
        ),
        sa.CheckConstraint("octet_length(address) = 32", name=op.f("ck_file_address")),
        sa.CheckConstraint("section IN ('identity', 'narrative', 'clinical')", name=op.f("ck_file_section")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_file_case_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_file_member_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_file_organisation_id")),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_file")),
    )
    op.create_index(op.f("ix_file_case_id"), "file", ["case_id"], unique=False)
    op.create_index(op.f("ix_file_member_id_at"), "file", ["member_id", "at"], unique=False)
    op.create_index(
        "ix_file_unreferred", "file", ["at"], unique=False, postgresql_where=sa.text("event_seq IS NULL")
    )


def downgrade() -> None:
    op.drop_table("file")
    op.create_table(
        "file",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.CheckConstraint("section IN ('identity', 'narrative', 'clinical')", name=op.f("ck_file_section")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_file_case_id")),
        sa.PrimaryKeyConstraint("case_id", "no", name=op.f("pk_file")),
    )
