"""The tables of signing in: accounts, one-time codes, login sessions, API tokens, identities elsewhere, throttles.

No secret lies here in clear: passwords as argon2id, whatever is drawn (sessions, tokens, codes) as SHA-256, the second
factor's secret sealed under a key derived from the master key. Written and read by `cases.credentials`,
`cases.standing` and `cases.throttle`.
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
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from cases.metadata import metadata

VIAS: Final = ("password", "oidc")
PURPOSES: Final = ("first", "recovery")
"""What a one-time code is for: the first password, or one that is lost."""

# A member without an account can't sign in: a system, or somebody who was never given one.
account = Table(
    "account",
    metadata,
    Column("member_id", BigInteger, ForeignKey("member.id"), primary_key=True, autoincrement=False),
    # As it is compared: NFKC, lower case.
    Column("login", Text, nullable=False, unique=True),
    # argon2id with its parameters; empty until the first password is chosen.
    Column("password", Text),
    Column("password_at", DateTime(timezone=True)),
    # Who signs in with the present password must choose another one first.
    Column("must_change", Boolean, nullable=False, server_default=text("false")),
    # The second factor's secret, sealed. In force once a code of it was shown (`totp_at`).
    Column("totp", LargeBinary),
    Column("totp_at", DateTime(timezone=True)),
    # The newest time step whose code was taken; no code is taken twice.
    Column("totp_step", BigInteger, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("signed_in_at", DateTime(timezone=True)),
    CheckConstraint("login <> ''", name="named"),
    CheckConstraint("totp_at IS NULL OR totp IS NOT NULL", name="second_factor"),
)

# Drawn by an admin, told by word of mouth or on paper, good once and for a while.
one_time_code = Table(
    "one_time_code",
    metadata,
    Column("member_id", BigInteger, ForeignKey("account.member_id"), primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("purpose", Text, nullable=False),
    # Whether the second factor goes too, because the telephone is lost.
    Column("with_totp", Boolean, nullable=False, server_default=text("false")),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("by_member_id", BigInteger, ForeignKey("member.id")),
    CheckConstraint(f"purpose IN {PURPOSES}", name="purpose"),
)

# What stands in for the second factor when the telephone isn't at hand; each good once.
recovery_code = Table(
    "recovery_code",
    metadata,
    Column("member_id", BigInteger, ForeignKey("account.member_id"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("member_id", "digest"),
)

login_session = Table(
    "login_session",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    # The one before a rotation that happened while pages were open, good for a minute more.
    Column("earlier", LargeBinary),
    Column("csrf", Text, nullable=False),
    Column("via", Text, nullable=False),
    # Whether a second factor was shown.
    Column("strong", Boolean, nullable=False),
    # Of which posts it was opened; others, and it is rotated.
    Column("posts", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("rotated_at", DateTime(timezone=True), nullable=False),
    # Whatever happens; `idle_until` moves with every use.
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("idle_until", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    # The network it was opened from, and the family of the browser: enough to recognise one's own.
    Column("address", Text, nullable=False, server_default=text("''")),
    Column("agent", Text, nullable=False, server_default=text("''")),
    CheckConstraint(f"via IN {VIAS}", name="via"),
    Index(None, "member_id"),
    Index(None, "earlier", postgresql_where=text("earlier IS NOT NULL")),
    Index(None, "expires_at"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("by_member_id", BigInteger, ForeignKey("member.id")),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("name <> ''", name="named"),
    Index(None, "member_id"),
)

# Who a member is at a city's identity provider. The subject is what is recognised from the second time on.
outer_identity = Table(
    "outer_identity",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("linked_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("issuer", "subject"),
    Index(None, "member_id"),
)

# Tries that failed, by a keyed digest of whose or from where: shared by all processes, about nobody.
throttle = Table(
    "throttle",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("closed_until", DateTime(timezone=True)),
    Index(None, "since"),
)

# What was done to an account and by whom; the member sees it, and so does whoever audits.
account_event = Table(
    "account_event",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    # Empty: the command line.
    Column("by_member_id", BigInteger, ForeignKey("member.id")),
    Column("what", Text, nullable=False),
    Column("address", Text, nullable=False, server_default=text("''")),
    Index(None, "member_id", "at"),
)
