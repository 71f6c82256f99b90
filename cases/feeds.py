"""A member's limits and meetings as a calendar feed (RFC 5545), read by a secret link.

The link's secret is shown once and kept as a hash. What a feed holds may end up on anybody's telephone: the number of
a case, its level, what is owed, until when, a link; never a name, a school or a fact.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, insert, select, text, update

from cases.outbox import feed
from cases.people import member
from cases.refusal import Refusal
from cases.store import Store
from cases.track import Track, discover
from notifiers.message import LEVELS, Label

MEETING: Final[Label] = ("会商", "conference")
_AN_HOUR: Final = timedelta(hours=1)
_LINE: Final = 75
"""Bytes of one line, RFC 5545, 3.1."""

# Owed is what somebody was told that they owe, while its clock is open; a rung of the ladder tells others too.
_LIMITS: Final = text(
    """
    SELECT DISTINCT cases.number, cases.level, coalesce(track.kind, 'case') AS kind, clock.no, clock.name, clock.due_at
      FROM message CROSS JOIN LATERAL json_array_elements(message.items) item
      JOIN clock ON clock.case_id = message.case_id AND clock.track_no = (item->>'track')::int
           AND clock.name = item->>'clock'
      JOIN cases ON cases.id = clock.case_id
      LEFT JOIN track ON track.case_id = clock.case_id AND track.no = clock.track_no
     WHERE message.member_id = :member AND item->>'rung' IS NULL AND clock.stopped_at IS NULL
       AND clock.state IN ('running', 'paused', 'missed')
     ORDER BY clock.due_at, cases.number, clock.no
    """
)
_MEETINGS: Final = text(
    """
    SELECT cases.number, cases.level, track.no, event.open->>'at' AS at
      FROM track JOIN cases ON cases.id = track.case_id
      JOIN LATERAL (SELECT max(seq) AS seq FROM event WHERE case_id = track.case_id AND track_no = track.no
                       AND trigger = 'schedule') newest ON true
      JOIN event ON event.case_id = track.case_id AND event.seq = newest.seq
     WHERE track.kind = 'conference' AND track.state = 'scheduled'
       AND (track.facts->>'called_by' = CAST(:member AS text) OR EXISTS (
             SELECT FROM message CROSS JOIN LATERAL json_array_elements(message.items) item
              WHERE message.case_id = track.case_id AND message.member_id = :member
                AND (item->>'track')::int = track.no))
     ORDER BY at, cases.number
    """
)


@dataclass(frozen=True, slots=True)
class Dated:
    """One entry of a calendar. `name` stays the same when the instant moves, so that calendars move it too."""

    name: str
    number: str
    level: str
    what: Label
    starts: datetime
    ends: datetime


def open_feed(connection: Connection, member_id: int, now: datetime) -> str:
    """Give a member a new link's secret; the one before it ends. It can't be shown again."""
    revoke(connection, member_id, now)
    secret = secrets.token_urlsafe(32)
    connection.execute(insert(feed).values(member_id=member_id, digest=_digest(secret), created_at=now))
    return secret


def revoke(connection: Connection, member_id: int, now: datetime) -> bool:
    """End a member's link; whether there was one."""
    standing = feed.c.member_id == member_id, feed.c.revoked_at.is_(None)
    return connection.execute(update(feed).where(*standing).values(revoked_at=now)).rowcount > 0


def read(store: Store, secret: str, now: datetime, link: str, tracks: Mapping[str, Track] | None = None) -> str:
    """The calendar behind a link, in its owner's language. Refuses `not_found` for any other secret.

    `link` is the public address of the installation.
    """
    with store.read() as connection:
        owner = connection.execute(
            select(member.c.id, member.c.language)
            .join(feed, feed.c.member_id == member.c.id)
            .where(feed.c.digest == _digest(secret), feed.c.revoked_at.is_(None), member.c.active)
        ).one_or_none()
        if owner is None:
            raise Refusal("not_found")
        dated = entries(connection, owner.id, tracks or discover())
    return calendar(dated, owner.language, now, link)


def entries(connection: Connection, member_id: int, tracks: Mapping[str, Track]) -> list[Dated]:
    """What a member owes and until when, and the meetings that they called or were invited to."""
    found: list[Dated] = []
    for row in connection.execute(_LIMITS, {"member": member_id}):
        declared = tracks[row.kind].clock_kinds[row.name]
        name = f"{row.number}-{row.no}"
        due = row.due_at
        found.append(Dated(name, row.number, row.level, declared.label, due - timedelta(minutes=15), due))
    for row in connection.execute(_MEETINGS, {"member": member_id}):
        at = datetime.fromisoformat(row.at)
        found.append(Dated(f"{row.number}-m{row.no}", row.number, row.level, MEETING, at, at + _AN_HOUR))
    return found


def calendar(dated: Iterable[Dated], language: str, now: datetime, link: str) -> str:
    """The text of a calendar (`text/calendar; charset=utf-8`)."""
    place = 0 if language == "zh_CN" else 1
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//whistle-and-report//calendar//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(('我的时限', 'My limits')[place])}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
    ]
    for one in dated:
        summary = f"{one.what[place]} · {one.number} · {LEVELS[one.level][place]}"
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.name}@whistle-and-report",
            f"DTSTAMP:{_instant(now)}",
            f"DTSTART:{_instant(one.starts)}",
            f"DTEND:{_instant(one.ends)}",
            f"SUMMARY:{_escaped(summary)}",
            f"URL:{link}/cases/{one.number}",
            "CLASS:PRIVATE",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(value: str) -> str:
    for mark in ("\\", ";", ","):
        value = value.replace(mark, f"\\{mark}")
    return value.replace("\r", "").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Lines of at most 75 bytes, cut between characters; those that follow begin with a space."""
    folded: list[str] = []
    length = 0
    piece = ""
    for character in line:
        size = len(character.encode())
        if length + size > _LINE:
            folded.append(piece)
            piece, length = " ", 1
        piece += character
        length += size
    return "\r\n".join([*folded, piece]) + "\r\n"


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def opened_at(connection: Connection, member_id: int) -> datetime | None:
    """Since when a member has a link; None without one."""
    found = select(feed.c.created_at).where(feed.c.member_id == member_id, feed.c.revoked_at.is_(None))
    at: datetime | None = connection.scalar(found)
    return at
