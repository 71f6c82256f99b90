"""webhooks: who subscribed to what, what was sent; a trigger lays what somebody subscribed to into the outbox"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("why_not", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(previous IS NULL) = (previous_until IS NULL)", name=op.f("ck_subscription_previous")),
        sa.CheckConstraint("active = (why_not IS NULL)", name=op.f("ck_subscription_active")),
        sa.CheckConstraint("cardinality(events) > 0", name=op.f("ck_subscription_events")),
        sa.CheckConstraint(
            "why_not IN ('removed', 'paused', 'failing', 'gone')", name=op.f("ck_subscription_why_not")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["member.id"], name=op.f("fk_subscription_created_by")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_subscription_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    op.create_index(op.f("ix_subscription_organisation_id"), "subscription", ["organisation_id"], unique=False)
    op.create_table(
        "webhook_outbox",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_webhook_outbox")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.CheckConstraint("(case_id IS NULL) = (seq IS NULL)", name=op.f("ck_webhook_delivery_about")),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_webhook_delivery_ended")),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'dead', 'withheld')", name=op.f("ck_webhook_delivery_state")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_webhook_delivery_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("key", name=op.f("uq_webhook_delivery_key")),
        sa.UniqueConstraint("subscription_id", "case_id", "seq", name=op.f("uq_webhook_delivery_subscription_id_case_id_seq")),
    )
    op.create_index(
        "ix_webhook_delivery_ended",
        "webhook_delivery",
        ["ended_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'waiting'"),
    )
    op.create_index(
        "ix_webhook_delivery_waiting",
        "webhook_delivery",
        ["subscription_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    # In the statement that writes the events, whoever writes them; one look at a table of a few rows where nobody
    # subscribed. Rights aren't asked here: they are the policy's, and the policy isn't in the database.
    op.execute(
        """
        CREATE FUNCTION event_written() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT FROM subscription WHERE active) THEN
            INSERT INTO webhook_outbox (case_id, seq)
              SELECT case_id, seq FROM written w
               WHERE EXISTS (SELECT FROM subscription s WHERE s.active
                                AND s.events && ARRAY['*', split_part(w.name, '.', 1) || '.*', w.name]);
          END IF;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER event_written AFTER INSERT ON event REFERENCING NEW TABLE AS written
        FOR EACH STATEMENT EXECUTE FUNCTION event_written()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER event_written ON event")
    op.execute("DROP FUNCTION event_written()")
    op.drop_index(
        "ix_webhook_delivery_waiting", table_name="webhook_delivery", postgresql_where=sa.text("state = 'waiting'")
    )
    op.drop_index(
        "ix_webhook_delivery_ended", table_name="webhook_delivery", postgresql_where=sa.text("state <> 'waiting'")
    )
    op.drop_table("webhook_delivery")
    op.drop_table("webhook_outbox")
    op.drop_index(op.f("ix_subscription_organisation_id"), table_name="subscription")
    op.drop_table("subscription")
