"""The board asks for open tracks by their state, the bulletin for a month of the history."""

from __future__ import annotations

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_track_open ON track (kind, state) WHERE ended_at IS NULL")
    op.execute("CREATE INDEX ix_event_at ON event USING brin (at)")


def downgrade() -> None:
    op.execute("DROP INDEX ix_event_at")
    op.execute("DROP INDEX ix_track_open")
