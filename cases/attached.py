"""The table of what is attached to cases. What a file is called is sealed; what it holds lies on the shelf.

A row is known by the address of its content (`cases.files`), which the history refers to: `file:<address>`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from cases.metadata import metadata

MEDIA: Final = ("image/jpeg", "image/png", "image/webp", "image/tiff", "application/pdf")

file = Table(
    "file",
    metadata,
    # HMAC of case, section and content under a key of the student's: says nothing to whoever hasn't that key.
    Column("address", LargeBinary, primary_key=True),
    Column("case_id", BigInteger, ForeignKey("cases.id"), nullable=False),
    Column("section", Text, nullable=False),
    Column("media", Text, nullable=False),
    # Of the content in clear, in bytes.
    Column("size", Integer, nullable=False),
    # Its name and its address again, sealed to this row. Emptied when the student is forgotten.
    Column("about", LargeBinary),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # The first event that refers to it; without one it is cleared away after a while.
    Column("event_seq", Integer),
    CheckConstraint("octet_length(address) = 32", name="address"),
    CheckConstraint("section IN ('identity', 'narrative', 'clinical')", name="section"),
    CheckConstraint(f"media IN {MEDIA}", name="media"),
    Index(None, "case_id"),
    Index(None, "member_id", "at"),
    Index("ix_file_unreferred", "at", postgresql_where=text("event_seq IS NULL")),
)
