"""What the statistics read: tallies by place, organisation and month, and how far they have been counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None

TABLES = ("tally", "tally_part", "tally_round", "headcount")

# Without a role: it binds whoever isn't the owner, on a server that lends its roles later too.
_POLICY = """
ALTER TABLE tally ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON tally FOR SELECT USING (place_id IN (
  SELECT o.id FROM organisation o, post p
   WHERE p.member_id = whistle_reader_id() AND p.role IN ('supervisor', 'coordinator', 'auditor', 'principal')
     AND p.since <= whistle_today() AND (p.until IS NULL OR p.until >= whistle_today())
     AND (o.id = p.organisation_id OR o.district_id = p.organisation_id OR o.city_id = p.organisation_id)));
"""
_GRANT = """
DO $$ DECLARE one text; wanted text; BEGIN
  FOREACH one IN ARRAY ARRAY['whistle_reader', 'whistle_opener'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = one) THEN
      FOREACH wanted IN ARRAY ARRAY['tally', 'tally_part', 'tally_round', 'headcount'] LOOP
        EXECUTE format('GRANT SELECT ON %I TO %I', wanted, one);
      END LOOP;
    END IF;
  END LOOP;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("place_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("district_id", sa.BigInteger(), nullable=False),
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("spread", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint(
            "place_id", "organisation_id", "month", "measure", "district_id", "city_id", name=op.f("pk_tally")
        ),
    )
    op.create_index("ix_tally_place", "tally", ["place_id", "month"])
    op.create_index(op.f("ix_tally_district_id_month"), "tally", ["district_id", "month"])
    op.create_table(
        "tally_part",
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("cases", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("school_id", "month", name=op.f("pk_tally_part")),
    )
    op.create_table(
        "tally_round",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_tally_round_single")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_tally_round")),
    )
    op.create_table(
        "headcount",
        sa.Column("place_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("place_id", name=op.f("pk_headcount")),
    )
    op.execute("CREATE INDEX ix_cases_created_at ON cases USING brin (created_at)")
    op.execute(_POLICY)
    op.execute(_GRANT)


def downgrade() -> None:
    op.execute("DROP INDEX ix_cases_created_at")
    for table in reversed(TABLES):
        op.drop_table(table)
