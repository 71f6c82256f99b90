"""Who ended an incident and why; of each case that is set aside one is open.

Until now each try of a faulty case left one more incident, and all of them stayed open: of each case the first stays,
and those of cases that have gone through since are over.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("incident", sa.Column("ended_by", sa.Text()))
    op.add_column("incident", sa.Column("ended_why", sa.Text()))
    op.execute("""
        UPDATE incident i SET ended_at = now(), ended_why = 'the case went through since'
         WHERE i.kind = 'case_set_aside' AND i.ended_at IS NULL
           AND EXISTS (SELECT FROM cases c WHERE c.id = i.case_id AND c.aside_count = 0)
    """)
    op.execute("""
        UPDATE incident i SET ended_at = now(), ended_why = 'told by an earlier one'
         WHERE i.kind = 'case_set_aside' AND i.ended_at IS NULL
           AND EXISTS (SELECT FROM incident e WHERE e.kind = i.kind AND e.case_id = i.case_id
                          AND e.ended_at IS NULL AND e.id < i.id)
    """)
    op.execute(
        "CREATE UNIQUE INDEX ix_incident_aside ON incident (case_id) WHERE kind = 'case_set_aside' AND ended_at IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_incident_aside")
    op.drop_column("incident", "ended_why")
    op.drop_column("incident", "ended_by")
