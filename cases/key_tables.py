"""The key store's tables, apart from `cases.metadata`: no migration or back-up of the main database has them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)

keys: Final = MetaData()

student_key = Table(
    "student_key",
    keys,
    Column("student_id", BigInteger, primary_key=True, autoincrement=False),
    # Zeros, of the same length, once forgotten: the row stays, so that no new key is made for this student.
    Column("wrapped", LargeBinary, nullable=False),
    # Which master key wrapped it; there has been one so far.
    Column("key_no", Integer, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("forgotten_at", DateTime(timezone=True)),
)

key_check = Table(
    "key_check",
    keys,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("value", LargeBinary, nullable=False),
    Column("algorithm", Text, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

# From the first copy on: the mark of the one folder that copies are written to, so that no forgetting misses it.
copies_folder = Table(
    "copies_folder",
    keys,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("mark", Text, nullable=False),
    CheckConstraint("id = 1", name="one_folder"),
)

# Sealed, and here so that no back-up of the cases has them: cases.unsent.
unsent = Table(
    "unsent",
    keys,
    Column("member_id", BigInteger, primary_key=True, autoincrement=False),
    Column("address", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
