"""Students enter the records here. Who a student is stands only in the sealed section, never in clear.

A row comes first, then the key, then the seal, because a sealed section is bound to the id of its row:
`enrol`, the key store's `create`, `vault.seal(key, place_of(id), "identity", …)`, `keep_identity`.
"""

from __future__ import annotations

from datetime import date

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import IntegrityError

from cases.directory_fault import DirectoryFault
from cases.people import student
from cases.registrar import id_of, linked
from cases.who import Organisation


def place_of(student_id: int) -> str:
    """The place that a student's identity is sealed to."""
    return f"student|{student_id}"


def enrol(
    connection: Connection,
    school: Organisation,
    *,
    roster_no: str | None = None,
    mentor_member_id: int | None = None,
    community: Organisation | None = None,
    keep_until: date | None = None,
) -> int:
    """Enter a student at a school, without an identity yet, and answer the student's id.

    `community` is that of the address; None means the school's. Raises DirectoryFault: wrong_link,
    roster_no_taken.
    """
    linked(school.name, "school", school)
    linked(school.name, "community", community)
    values = {
        "school_id": school.id,
        "mentor_member_id": mentor_member_id,
        "community_id": id_of(community),
        "keep_until": keep_until,
        "roster_no": roster_no,
    }
    try:
        with connection.begin_nested():
            row = connection.execute(insert(student).values(**values).returning(student.c.id))
            return int(row.scalar_one())
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        raise DirectoryFault("roster_no_taken", number=roster_no or "", school=school.name) from None


def keep_identity(connection: Connection, student_id: int, blob: bytes) -> None:
    """Put the sealed identity into the row; a forgotten student gets none again.

    Raises DirectoryFault no_student.
    """
    kept = connection.execute(
        update(student).where(student.c.id == student_id, student.c.forgotten_at.is_(None)).values(identity=blob)
    )
    if kept.rowcount == 0:
        raise DirectoryFault("no_student", what=str(student_id))
