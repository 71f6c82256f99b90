"""The tables of what is and what has happened: cases, tracks, clocks, history, messages, who has looked.

Nothing here is a person's: whatever may name or describe somebody is sealed (`cases.vault`). Every instant is
`timestamptz`. `cases.ledger` writes these rows, `cases.queries` reads them; `metadata` also carries the tables
of `cases.people`, `cases.accounts`, `cases.attached`, `cases.heartbeat` and `cases.outbox`.
"""

from __future__ import annotations

from datetime import datetime

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
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

from cases import accounts, asked_twice, attached, import_rows, outbox, people, post_log, subscriptions, tally_tables
from cases.heartbeat import heartbeat
from cases.metadata import metadata

__all__ = [
    "accounts",
    "asked_twice",
    "attached",
    "heartbeat",
    "import_rows",
    "metadata",
    "outbox",
    "people",
    "post_log",
    "subscriptions",
    "tally_tables",
]

LEVELS = ("red", "orange", "yellow", "blue")
"""The four colours, gravest first."""

case_number_sequence = Sequence("case_number_sequence", metadata=metadata)
case_id_sequence = Sequence("case_id_sequence", metadata=metadata)


def _instant(name: str, *, nullable: bool = True) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _of_case() -> Column[int]:
    return Column("case_id", BigInteger, ForeignKey("cases.id"), nullable=False)


case = Table(
    "cases",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Text, nullable=False, unique=True),
    Column("student_id", BigInteger, ForeignKey("student.id"), nullable=False),
    Column("school_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("district_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("city_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("concern", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("policy", Text, nullable=False),
    _instant("created_at", nullable=False),
    _instant("closed_at"),
    # What a person had on the screen: raised by every event.
    Column("version", Integer, nullable=False),
    # The newest event, its chain value and its instant: the history is a straight line behind the lock.
    Column("events", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    _instant("last_at", nullable=False),
    # The earliest instant at which any clock of the case has something to do.
    _instant("wake_at"),
    # Set aside after a fault, so that it holds up no other: until when, how often, and why.
    _instant("aside_until"),
    Column("aside_count", SmallInteger, nullable=False, server_default=text("0")),
    Column("whistler_id", BigInteger, ForeignKey("member.id")),
    Column("whistler_role", Text),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("merged_into", BigInteger, ForeignKey("cases.id")),
    CheckConstraint(f"level IN {LEVELS}", name="level"),
    # The sweep's whole cost lies in this index: it holds the cases that wait for time and no others.
    Index("ix_cases_wake", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
    Index(None, "student_id"),
    Index(None, "school_id", "created_at"),
    Index(None, "district_id", "state", "created_at"),
    # Cases come one after the other: to find those of some months costs next to nothing to keep.
    Index("ix_cases_created_at", "created_at", postgresql_using="brin"),
)

track = Table(
    "track",
    metadata,
    _of_case(),
    Column("no", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id")),
    Column("parent_no", SmallInteger),
    Column("about_no", SmallInteger),
    _instant("opened_at", nullable=False),
    _instant("ended_at"),
    # When time pulls a move of this track by itself, and which.
    _instant("alarm_at"),
    Column("alarm_move", Text),
    Column("facts", JSONB, nullable=False),
    PrimaryKeyConstraint("case_id", "no"),
    CheckConstraint("no > 0", name="no"),
    CheckConstraint("(alarm_at IS NULL) = (alarm_move IS NULL)", name="alarm"),
    Index(None, "organisation_id", "kind", "state"),
    # What waits in a state, whosever it is: the board and the desk ask for it, and most tracks have ended.
    Index("ix_track_open", "kind", "state", postgresql_where=text("ended_at IS NULL")),
    # One lead that is at work for each case.
    Index(
        "uq_track_lead",
        "case_id",
        unique=True,
        postgresql_where=text(
            "kind = 'assignment' AND facts->>'part' = 'lead' AND state NOT IN ('done', 'reassigned', 'cancelled')"
        ),
    ),
)

clock = Table(
    "clock",
    metadata,
    _of_case(),
    Column("no", SmallInteger, nullable=False),
    Column("track_no", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id")),
    _instant("started_at", nullable=False),
    _instant("due_at", nullable=False),
    _instant("wake_at"),
    _instant("stopped_at"),
    Column("rung", SmallInteger, nullable=False),
    Column("provisional", Boolean, nullable=False),
    # The whole face (policies.clocks): limit, pauses, extension. The columns before it answer queries, so it is kept
    # as it was written: taking it apart and putting it together again would cost a tenth of a sweep.
    Column("face", JSON, nullable=False),
    PrimaryKeyConstraint("case_id", "no"),
    CheckConstraint("state IN ('running', 'paused', 'met', 'missed', 'cancelled')", name="state"),
    Index(
        "ix_clock_open",
        "organisation_id",
        "due_at",
        postgresql_where=text("stopped_at IS NULL AND state IN ('running', 'paused', 'missed')"),
    ),
    # What is due first, whoever owes it: the board asks for twenty of thousands.
    Index(
        "ix_clock_due",
        "due_at",
        postgresql_where=text("stopped_at IS NULL AND state IN ('running', 'missed')"),
    ),
    # What runs in one case: whoever oversees a district begins at its cases, not at the city's limits.
    Index(
        "ix_clock_running",
        "case_id",
        postgresql_where=text("stopped_at IS NULL AND state IN ('running', 'missed')"),
    ),
    Index("ix_clock_provisional", "case_id", postgresql_where=text("provisional AND stopped_at IS NULL")),
)

called = Table(
    "called",
    metadata,
    _of_case(),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("kind", Text, nullable=False),
    _instant("since", nullable=False),
    # When a redirected organisation lost its sight; empty while it keeps it.
    _instant("until"),
    PrimaryKeyConstraint("case_id", "organisation_id"),
    Index(None, "organisation_id"),
)

event = Table(
    "event",
    metadata,
    # Events and messages carry no foreign key to their case: the ledger writes them under its lock, in the statement
    # that writes the case, and asking the server once more for each row cost a fifth of a sweep.
    Column("case_id", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    _instant("at", nullable=False),
    Column("track_no", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("source", Text),
    Column("target", Text),
    Column("organisation_id", BigInteger),
    Column("actor_id", BigInteger, ForeignKey("member.id")),
    Column("role", Text),
    Column("actor_organisation_id", BigInteger),
    # The event of the same move that this one followed from.
    Column("cause", Integer),
    # Who pulled it is hidden from all but those whom the contract names (Anti-Domestic-Violence Law art. 14).
    Column("confidential", Boolean, nullable=False),
    Column("open", JSONB, nullable=False),
    # What happened to the clocks: replayed, it gives their faces.
    Column("signals", JSON, nullable=False),
    Column("identity", LargeBinary),
    Column("narrative", LargeBinary),
    Column("clinical", LargeBinary),
    # Commitments to the sealed sections and the link of the chain.
    Column("commitments", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("case_id", "seq"),
    # History is only ever added to, so that a month of it lies together: this costs next to nothing to keep.
    Index("ix_event_at", "at", postgresql_using="brin"),
    # The rungs of the ladder by themselves: the bulletin asks for those of a month.
    Index("ix_event_rung", "at", postgresql_where=text("actor_id IS NULL AND open ? 'percent'")),
    CheckConstraint("seq > 0", name="seq"),
)

message = Table(
    "message",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    # The event that it tells of; or, for what belongs to no single case, the occasion: `digest:2026-03-17`.
    Column("case_id", BigInteger),
    Column("seq", Integer),
    Column("occasion", Text),
    Column("member_id", BigInteger, nullable=False),
    _instant("at", nullable=False),
    # owes, told, reminded, warned, breached, escalated, bulletined: the highest that concerns this person;
    # of an occasion digest, bulletin, stalled, seal_broken, appointed.
    Column("kind", Text, nullable=False),
    Column("level", Text, nullable=False),
    # What it is about, in the contract's own names; never a person, a school or a fact.
    Column("items", JSON, nullable=False),
    _instant("read_at"),
    UniqueConstraint("case_id", "seq", "member_id"),
    Index("uq_message_occasion", "occasion", "member_id", unique=True, postgresql_where=text("occasion IS NOT NULL")),
    CheckConstraint("(case_id IS NULL) = (seq IS NULL) AND (case_id IS NULL) = (occasion IS NOT NULL)", name="about"),
    Index(None, "member_id", "at"),
)

access_log = Table(
    "access_log",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _of_case(),
    _instant("at", nullable=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("what", Text, nullable=False),
    # The break-glass track under which it was opened, if one was.
    Column("track_no", SmallInteger),
    Index(None, "case_id", "at"),
    Index(None, "member_id", "at"),
)

policy_version = Table(
    "policy_version",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("source", Text, nullable=False),
    _instant("stored_at", nullable=False),
    # New cases open under the newest active one.
    _instant("active_at"),
    Index(None, "active_at"),
)

calendar_table = Table(
    "calendar_table",
    metadata,
    Column("edition", Integer, primary_key=True, server_default="0"),
    Column("name", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("brought", Boolean, nullable=False, server_default="false"),
)
"""Working days, only ever added to: each limit is reckoned by an edition, and can be reckoned again by it for ever.

Those `brought` came with a release of the software, the others were loaded here.
"""

incident = Table(
    "incident",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _instant("at", nullable=False),
    Column("kind", Text, nullable=False),
    Column("case_id", BigInteger, ForeignKey("cases.id")),
    Column("why", Text, nullable=False),
    _instant("ended_at"),
    # A person's name, as they or the machine gave it; nobody's where it ended by itself.
    Column("ended_by", Text),
    Column("ended_why", Text),
    Index("ix_incident_open", "kind", postgresql_where=text("ended_at IS NULL")),
    Index(
        "ix_incident_aside",
        "case_id",
        unique=True,
        postgresql_where=text("kind = 'case_set_aside' AND ended_at IS NULL"),
    ),
)
