"""Calendar tables are kept in editions: what was reckoned by one can be reckoned by it again.

What was loaded before is of edition 0, by which everything until now was reckoned.
"""

from __future__ import annotations

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE calendar_table ADD COLUMN edition integer NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE calendar_table ADD COLUMN brought boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE calendar_table DROP CONSTRAINT pk_calendar_table")
    op.execute("ALTER TABLE calendar_table ADD CONSTRAINT pk_calendar_table PRIMARY KEY (edition, name)")


def downgrade() -> None:
    op.execute(
        "DELETE FROM calendar_table older USING calendar_table newer WHERE older.name = newer.name"
        " AND older.edition < newer.edition"
    )
    op.execute("DELETE FROM calendar_table WHERE brought")
    op.execute("ALTER TABLE calendar_table DROP CONSTRAINT pk_calendar_table")
    op.execute("ALTER TABLE calendar_table ADD CONSTRAINT pk_calendar_table PRIMARY KEY (name)")
    op.execute("ALTER TABLE calendar_table DROP COLUMN brought")
    op.execute("ALTER TABLE calendar_table DROP COLUMN edition")
