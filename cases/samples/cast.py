"""Who of the sample city shows it to visitors: one member for each role, all around one school."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

ROLES: Final = (
    "counselor", "principal", "mentor", "deputy", "codirector", "officer", "lead", "liaison", "coordinator",
    "supervisor", "auditor", "admin",
)  # fmt: skip

# Around the first school: its own people, its street's, its hospital's, its district's desk.
_CAST: Final = text(
    """
    WITH chosen AS (SELECT * FROM organisation WHERE kind = 'school' ORDER BY id LIMIT 1)
    SELECT DISTINCT ON (post.role) post.role, member.id, member.name, place.name AS place
      FROM chosen
      JOIN post ON post.until IS NULL AND (
           (post.organisation_id = chosen.id AND post.role IN ('counselor', 'principal', 'mentor', 'deputy'))
        OR (post.school_id = chosen.id AND post.role = 'codirector')
        OR (post.organisation_id = chosen.street_id AND post.role IN ('officer', 'lead'))
        OR (post.organisation_id = chosen.hospital_id AND post.role = 'liaison')
        OR (post.organisation_id = chosen.district_id
            AND post.role IN ('coordinator', 'supervisor', 'auditor', 'admin')))
      JOIN member ON member.id = post.member_id AND member.active
      JOIN organisation place ON place.id = post.organisation_id
     ORDER BY post.role, member.id
    """
)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the cast: the role shown, who plays it, and where."""

    role: str
    member_id: int
    name: str
    place: str


def cast(connection: Connection) -> list[Part]:
    """The cast of the sample city that is here, in the order of the roles; whoever has two parts plays the first."""
    found = {row.role: Part(row.role, row.id, row.name, row.place) for row in connection.execute(_CAST)}
    playing: dict[int, Part] = {}
    for role in ROLES:
        if role in found:
            playing.setdefault(found[role].member_id, found[role])
    return list(playing.values())
