"""What runs is found case by case: a district's list read every running limit of the city."""

from __future__ import annotations

from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_clock_running ON clock (case_id) WHERE stopped_at IS NULL AND state IN ('running', 'missed')"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_clock_running")
