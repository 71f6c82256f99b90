"""Who has looked: the access log as it is shown to the case's school and to the auditors of its jurisdiction.

It names whoever opened a section, never what stood in it. Who pulled a trigger stands in the history instead, where
the name of whoever filed a mandatory report is hidden (`cases.access.sees_filer`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, and_, false, or_, select

from cases.cursors import Page, paged
from cases.people import member
from cases.records import access_log, case
from cases.refusal import Refusal

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cases.casefile import CaseFile
    from cases.directory import Actor

_SCHOOL: Final = frozenset({"counselor", "principal", "deputy"})


@dataclass(frozen=True, slots=True)
class Look:
    """One opening of a section: who, for which organisation, in which role, what for, and under which break-glass."""

    id: int
    number: str
    at: datetime
    member: int
    name: str
    organisation: int
    role: str
    section: str
    what: str
    track: int | None


def looks(
    connection: Connection,
    actor: Actor,
    *,
    number: str | None = None,
    by: int | None = None,
    cursor: str | None = None,
    most: int = 50,
) -> Page[Look]:
    """One page of the log, the newest first, of one case or of all that this reader may audit.

    Refuses `not_permitted` to whoever audits nothing, and `not_found` for a case of another school or district.
    """
    ways = list(_ways(actor))
    if not ways:
        raise Refusal("not_permitted", who_can=("auditor@jurisdiction", "counselor@school", "principal@school"))
    query = (
        select(access_log, access_log.c.at.label("key"), case.c.number, member.c.name)
        .join(case, case.c.id == access_log.c.case_id)
        .join(member, member.c.id == access_log.c.member_id)
        .where(or_(false(), *ways))
    )
    if number is not None:
        known = select(case.c.id).where(case.c.number == number, or_(false(), *ways))
        if connection.scalar(known) is None:
            raise Refusal("not_found")
        query = query.where(case.c.number == number)
    if by is not None:
        query = query.where(access_log.c.member_id == by)
    rows, after = paged(connection, query, "-at", access_log.c.at, access_log.c.id, cursor, most)
    return Page(tuple(_look(row) for row in rows), after)


def audits(actor: Actor, file: CaseFile) -> bool:
    """Whether the log of this case is open to them: the same rule as for the list."""
    return any(
        post.organisation_id in {file.district, file.city}
        if post.role == "auditor"
        else post.kind == "school" and post.role in _SCHOOL and post.organisation_id == file.school
        for post in actor.posts
    )


def _ways(actor: Actor) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for post in actor.posts:
        if post.role == "auditor":
            found.append(or_(case.c.district_id == post.organisation_id, case.c.city_id == post.organisation_id))
        elif post.kind == "school" and post.role in _SCHOOL:
            found.append(and_(case.c.school_id == post.organisation_id))
    return found


def _look(row: Any) -> Look:  # noqa: ANN401 - a row
    return Look(
        id=row["id"],
        number=row["number"],
        at=row["at"].astimezone(UTC),
        member=row["member_id"],
        name=row["name"],
        organisation=row["organisation_id"],
        role=row["role"],
        section=row["section"],
        what=row["what"],
        track=row["track_no"],
    )
