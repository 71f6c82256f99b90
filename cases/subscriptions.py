"""The tables of outgoing webhooks: who subscribed to what, what is new for them, what was sent and how it ended.

A trigger (migration 0007) lays every event that somebody subscribed to into `webhook_outbox`, in the statement that
writes it; without subscriptions it writes nothing. What a subscriber may know of is asked later, by `cases.webhooks`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from cases.metadata import metadata

STATES: Final = ("waiting", "sent", "dead", "withheld")
"""`dead`: given up. `withheld`: its subscriber's organisation may not see the case any more."""
ENDINGS: Final = ("removed", "paused", "failing", "gone")
"""Why nothing is sent: by hand for good or for a while, nothing went for days, the receiver answered 410 Gone."""

subscription = Table(
    "subscription",
    metadata,
    # By default, not always: its secret is sealed to its number, which is drawn first.
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("url", Text, nullable=False),
    # `referral.accepted`, `referral.*`, `*`.
    Column("events", ARRAY(Text), nullable=False),
    # Sealed under the master key. The one before it signs too until `previous_until`.
    Column("secret", LargeBinary, nullable=False),
    Column("previous", LargeBinary),
    Column("previous_until", DateTime(timezone=True)),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("why_not", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", BigInteger, ForeignKey("member.id"), nullable=False),
    # Until when somebody is at it. Whoever was killed meanwhile is followed by the next, with the same keys.
    Column("busy_until", DateTime(timezone=True)),
    # Failures of the receiver in a row, since when, and until when it is left alone.
    Column("failures", SmallInteger, nullable=False, server_default=text("0")),
    Column("failing_since", DateTime(timezone=True)),
    Column("closed_until", DateTime(timezone=True)),
    CheckConstraint("active = (why_not IS NULL)", name="active"),
    CheckConstraint(f"why_not IN {ENDINGS}", name="why_not"),
    CheckConstraint("(previous IS NULL) = (previous_until IS NULL)", name="previous"),
    CheckConstraint("cardinality(events) > 0", name="events"),
    Index(None, "organisation_id"),
)

# Written by the trigger alone, emptied by whoever lays out deliveries.
webhook_outbox = Table(
    "webhook_outbox",
    metadata,
    Column("case_id", BigInteger, nullable=False, autoincrement=False),
    Column("seq", Integer, nullable=False),
    PrimaryKeyConstraint("case_id", "seq"),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    # `webhook-id`: the same for every try, and for a replay.
    Column("key", Uuid, nullable=False, unique=True, server_default=text("gen_random_uuid()")),
    Column("subscription_id", BigInteger, ForeignKey("subscription.id"), nullable=False),
    # The event that it tells of; nothing for a test.
    Column("case_id", BigInteger),
    Column("seq", Integer),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("tried_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    # Why the last try failed: a code, never an address nor what was answered.
    Column("fault", Text),
    UniqueConstraint("subscription_id", "case_id", "seq"),
    CheckConstraint(f"state IN {STATES}", name="state"),
    CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended"),
    CheckConstraint("(case_id IS NULL) = (seq IS NULL)", name="about"),
    Index("ix_webhook_delivery_waiting", "subscription_id", "due_at", postgresql_where=text("state = 'waiting'")),
    Index("ix_webhook_delivery_ended", "ended_at", postgresql_where=text("state <> 'waiting'")),
)
