"""Rows that are to be brought in, as the door read them, and what is found out about them. Also the table of imports.

A row knows where it stood in its file; an empty cell is None and leaves what is on record as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Generic, Literal, TypeVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from cases.import_fault import RowFault
from cases.metadata import metadata

Kind = Literal["organisations", "members", "students"]
KINDS: Final[tuple[Kind, ...]] = ("organisations", "members", "students")

import_job = Table(
    "import_job",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    # The school of a roster.
    Column("organisation_id", BigInteger, ForeignKey("organisation.id")),
    # Who brings it in; empty for whoever has the machine itself.
    Column("member_id", BigInteger, ForeignKey("member.id")),
    # What the file is recognised by: an HMAC, because a roster could be tried out against a plain digest.
    Column("digest", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("added", Integer, nullable=False, server_default=text("0")),
    Column("changed", Integer, nullable=False, server_default=text("0")),
    Column("same", Integer, nullable=False, server_default=text("0")),
    Column("skipped", Integer, nullable=False, server_default=text("0")),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("heard_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    # Where an uploaded file waits on the shelf, and its key. Never in the row: back-ups outlive a roster.
    Column("address", LargeBinary),
    Column("wrapped", LargeBinary),
    CheckConstraint(f"kind IN {KINDS}", name="kind"),
    CheckConstraint("state IN ('checked', 'running', 'done')", name="state"),
    CheckConstraint("(kind = 'students') = (organisation_id IS NOT NULL)", name="school"),
    CheckConstraint("(address IS NULL) = (wrapped IS NULL)", name="kept"),
    Index(None, "member_id", "begun_at"),
    Index("ix_import_job_unfinished", "digest", postgresql_where=text("state <> 'done'")),
)


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """An organisation by its code; `parent` and the links are codes, or full names that only one has."""

    row: int
    code: str
    kind: str
    name: str
    parent: str | None = None
    street: str | None = None
    hospital: str | None = None
    community: str | None = None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member of an organisation with the posts to be held from `since` on; `school` is a codirector's."""

    row: int
    organisation: str
    name: str
    roles: tuple[str, ...] = ()
    phone: str | None = None
    email: str | None = None
    language: str | None = None
    school: str | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class StudentRow:
    """A student by the school's own number. `identity` holds what a whistle's form calls it, empty cells left out."""

    row: int
    roster_no: str
    name: str
    born: date
    identity: Mapping[str, Any] = field(default_factory=dict)
    community: str | None = None
    mentor: str | None = None


R = TypeVar("R", OrganisationRow, MemberRow, StudentRow)


@dataclass(slots=True)
class Sorted(Generic[R]):
    """Rows sorted by what is to be done: to be added, to be changed (with what is there), left as they are."""

    faults: list[RowFault] = field(default_factory=list)
    added: list[R] = field(default_factory=list)
    changed: list[tuple[R, Any]] = field(default_factory=list)
    same: int = 0
    skipped: list[R] = field(default_factory=list)
    # Whatever the writer needs besides: ids by code, and the like.
    known: dict[str, Any] = field(default_factory=dict)


def twice(rows: Sequence[tuple[int, object]], field_name: str) -> list[RowFault]:
    """Rows (number, key) whose key an earlier one has already."""
    first: dict[object, int] = {}
    found = []
    for row, key in rows:
        if key in first:
            found.append(RowFault(row, field_name, "twice", {"other": str(first[key])}))
        else:
            first[key] = row
    return found
