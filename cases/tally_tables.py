"""The tables that statistics are read from. `cases.tallies` writes them; nothing else does.

They hold nothing that isn't in the cases themselves: thrown away, they are counted again.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from cases.metadata import metadata

TOGETHER = 0
"""The `organisation_id` of the rows that take all organisations together."""

tally = Table(
    "tally",
    metadata,
    # Whose cases are counted: a school's, a district's, a city's.
    Column("place_id", BigInteger, nullable=False),
    # Whom the figure is about: the organisation that owed it, the school where no other did; 0 for all together.
    Column("organisation_id", BigInteger, nullable=False),
    # In which the case was whistled; its first day, in the policy's time zone.
    Column("month", Date, nullable=False),
    Column("measure", Text, nullable=False),
    # The jurisdiction of the cases of a school; 0 in what is summed up for a district or a city.
    Column("district_id", BigInteger, nullable=False),
    Column("city_id", BigInteger, nullable=False),
    # How many were looked at, and how many of them were so (in time, answered, solved …).
    Column("counted", Integer, nullable=False),
    Column("hits", Integer, nullable=False),
    # How often each value occurred: minutes, scores, hours of the week.
    Column("spread", JSONB),
    PrimaryKeyConstraint("place_id", "organisation_id", "month", "measure", "district_id", "city_id"),
    Index("ix_tally_place", "place_id", "month"),
    Index(None, "district_id", "month"),
)

# Of what the tallies were counted: a school's cases of a month, and how many events they had then.
tally_part = Table(
    "tally_part",
    metadata,
    Column("school_id", BigInteger, nullable=False),
    Column("month", Date, nullable=False),
    Column("cases", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    PrimaryKeyConstraint("school_id", "month"),
)

# Up to when has been counted, and when everything was last looked through.
tally_round = Table(
    "tally_round",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("counted_at", DateTime(timezone=True), nullable=False),
    Column("whole_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("one", name="single"),
)

# How many students a school, a district and a city have.
headcount = Table(
    "headcount",
    metadata,
    Column("place_id", BigInteger, primary_key=True, autoincrement=False),
    Column("students", Integer, nullable=False),
)
