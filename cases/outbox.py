"""The tables of delivery: what waits to be sent, what was, which lanes are closed, and the calendar feeds.

A message is in its reader's inbox from the moment it is written. A trigger (migration 0002) lays it into `outbox` in
the same transaction, so that whoever writes messages needs to know nothing of channels.
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
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from cases.metadata import metadata

NOTIFIED: Final = "whistle_messages"
"""What a commit with a red message tells. No other does: commits that tell something wait for one another."""

STATES: Final = ("waiting", "sent", "read", "dead")
"""`read`: its reader was quicker. `dead`: given up on this channel."""

# Written by the trigger alone, emptied by whoever lays out deliveries. Never updated, so it stays as small as it is.
outbox = Table(
    "outbox",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("urgent", Boolean, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    # The idempotency key: the same for every try of these messages by this channel, and never used again.
    Column("key", Uuid, nullable=False, unique=True, server_default=text("gen_random_uuid()")),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    # Which of the member's channels, counted from 0; the address itself stays with the member.
    Column("place", SmallInteger, nullable=False),
    Column("schema", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("urgent", Boolean, nullable=False),
    # Whether later messages may still join it.
    Column("joins", Boolean, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    # Until when somebody is at it. Whoever was killed meanwhile is followed by the next, with the same key.
    Column("claimed_until", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    # Why the last try failed: a code, never an address.
    Column("fault", Text),
    # Whether the next channel has been given the same messages.
    Column("followed", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(f"state IN {STATES}", name="state"),
    CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended"),
    Index("ix_delivery_waiting", "lane", "due_at", postgresql_where=text("state = 'waiting'")),
    Index("ix_delivery_joins", "member_id", postgresql_where=text("state = 'waiting' AND joins")),
    Index("ix_delivery_ended", "ended_at", "schema", "state", postgresql_where=text("state <> 'waiting'")),
)

delivered_message = Table(
    "delivered_message",
    metadata,
    Column("delivery_id", BigInteger, ForeignKey("delivery.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", BigInteger, ForeignKey("message.id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("delivery_id", "message_id"),
    Index(None, "message_id"),
)

# A lane has a row from its first failure on.
lane = Table(
    "lane",
    metadata,
    Column("name", Text, primary_key=True),
    # In a row; a success sets it to 0.
    Column("failures", SmallInteger, nullable=False),
    Column("closed_until", DateTime(timezone=True)),
    Column("probed_until", DateTime(timezone=True)),
)

feed = Table(
    "feed",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    # SHA-256 of the link's secret part; the link itself is shown once and kept nowhere.
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Index("uq_feed_standing", "member_id", unique=True, postgresql_where=text("revoked_at IS NULL")),
)
