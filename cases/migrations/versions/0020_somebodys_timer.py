"""When a round had finished before its last: by that somebody's timer is told from somebody's hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("heartbeat", sa.Column("before_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("heartbeat", "before_at")
