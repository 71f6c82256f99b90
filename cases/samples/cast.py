"""Who of the sample city shows it to visitors: one member for each role, and one of each office, around one school."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

PARTS: Final = (
    "counselor", "principal", "mentor", "deputy", "codirector", "officer", "lead", "community", "police",
    "womens_federation", "court", "liaison", "coordinator", "supervisor", "auditor", "admin",
)  # fmt: skip
"""The roles by their names (`officer` and `lead` are the street's), and by their kind the offices beside it."""

# Around the first school: its own people, its street's, its hospital's, its district's desk and offices.
_CAST: Final = text(
    """
    WITH chosen AS (SELECT * FROM organisation WHERE kind = 'school' ORDER BY id LIMIT 1)
    SELECT DISTINCT ON (part) part, post.role, member.id, member.name, place.name AS place
      FROM chosen
      JOIN post ON post.until IS NULL AND (
           (post.organisation_id = chosen.id AND post.role IN ('counselor', 'principal', 'mentor', 'deputy'))
        OR (post.school_id = chosen.id AND post.role = 'codirector')
        OR (post.organisation_id = chosen.street_id AND post.role IN ('officer', 'lead'))
        OR (post.organisation_id = chosen.hospital_id AND post.role = 'liaison')
        OR (post.organisation_id = chosen.district_id
            AND post.role IN ('coordinator', 'supervisor', 'auditor', 'admin'))
        OR (post.role = 'officer' AND post.organisation_id IN (
            SELECT chosen.community_id
             UNION SELECT one.id FROM organisation one WHERE one.kind = 'police' AND one.street_id = chosen.street_id
             UNION SELECT one.id FROM organisation one
                    WHERE one.kind IN ('womens_federation', 'court') AND one.district_id = chosen.district_id)))
      JOIN member ON member.id = post.member_id AND member.active
      JOIN organisation place ON place.id = post.organisation_id
      CROSS JOIN LATERAL (SELECT CASE WHEN place.kind IN ('community', 'police', 'womens_federation', 'court')
                                      THEN place.kind ELSE post.role END AS part) named
     ORDER BY part, member.id
    """
)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the cast: what is played, in which role, by whom and where."""

    part: str
    role: str
    member_id: int
    name: str
    place: str


def cast(connection: Connection) -> list[Part]:
    """The cast of the sample city that is here, in the order of the parts; whoever has two plays the first."""
    rows = connection.execute(_CAST)
    found = {row.part: Part(row.part, row.role, row.id, row.name, row.place) for row in rows}
    playing: dict[int, Part] = {}
    for part in PARTS:
        if part in found:
            playing.setdefault(found[part].member_id, found[part])
    return list(playing.values())
