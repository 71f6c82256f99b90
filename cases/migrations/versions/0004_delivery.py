"""delivery: what waits to be sent, what was, lanes, calendar feeds; a trigger lays every new message into the outbox"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "lane",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lane")),
    )
    op.create_table(
        "outbox",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_outbox")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("joins", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("followed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_delivery_ended")),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'read', 'dead')", name=op.f("ck_delivery_state")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_delivery_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("key", name=op.f("uq_delivery_key")),
    )
    op.create_index(
        "ix_delivery_ended",
        "delivery",
        ["ended_at", "schema", "state"],
        unique=False,
        postgresql_where=sa.text("state <> 'waiting'"),
    )
    op.create_index(
        "ix_delivery_joins",
        "delivery",
        ["member_id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting' AND joins"),
    )
    op.create_index(
        "ix_delivery_waiting",
        "delivery",
        ["lane", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "feed",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_feed_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("digest", name=op.f("uq_feed_digest")),
    )
    op.create_index(
        "uq_feed_standing", "feed", ["member_id"], unique=True, postgresql_where=sa.text("revoked_at IS NULL")
    )
    op.create_table(
        "delivered_message",
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivered_message_delivery_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_delivered_message_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", "message_id", name=op.f("pk_delivered_message")),
    )
    op.create_index(op.f("ix_delivered_message_message_id"), "delivered_message", ["message_id"], unique=False)
    # In the statement that writes the messages, whoever writes them. Only a red one is told at once: a commit that
    # tells something holds a lock of the whole database until it is on disk, so that others would queue behind it.
    op.execute(
        """
        CREATE FUNCTION message_written() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO outbox (message_id, urgent) SELECT id, level = 'red' FROM written;
          IF EXISTS (SELECT FROM written WHERE level = 'red') THEN
            PERFORM pg_notify('whistle_messages', '');
          END IF;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER message_written AFTER INSERT ON message REFERENCING NEW TABLE AS written
        FOR EACH STATEMENT EXECUTE FUNCTION message_written()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER message_written ON message")
    op.execute("DROP FUNCTION message_written()")
    op.drop_index(op.f("ix_delivered_message_message_id"), table_name="delivered_message")
    op.drop_table("delivered_message")
    op.drop_index("uq_feed_standing", table_name="feed", postgresql_where=sa.text("revoked_at IS NULL"))
    op.drop_table("feed")
    op.drop_index("ix_delivery_waiting", table_name="delivery", postgresql_where=sa.text("state = 'waiting'"))
    op.drop_index("ix_delivery_joins", table_name="delivery", postgresql_where=sa.text("state = 'waiting' AND joins"))
    op.drop_index("ix_delivery_ended", table_name="delivery", postgresql_where=sa.text("state <> 'waiting'"))
    op.drop_table("delivery")
    op.drop_table("outbox")
    op.drop_table("lane")
