"""What a member owes now and the meetings they are part of, as a calendar feed (RFC 5545), read by a secret link.

The link's secret is shown once and kept as a hash. What a feed holds may end up on anybody's telephone: the number of
a case, its level, what is owed, until when, a link; never a name, a school or a fact.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, false, func, insert, or_, select, update

from cases import access, agenda
from cases.directory import Actor, version_of
from cases.office import Office, Session
from cases.outbox import feed
from cases.owing import roles
from cases.people import member
from cases.records import case, event, track
from cases.refusal import Refusal
from cases.store import Store
from notifiers.message import LEVELS, Label

MEETING: Final[Label] = ("会商", "conference")
_AN_HOUR: Final = timedelta(hours=1)
_LINE: Final = 75
"""Bytes of one line, RFC 5545, 3.1."""


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


def read(store: Store, office: Office, secret: str, now: datetime, link: str) -> str:
    """The calendar behind a link, in its owner's language. Refuses `not_found` for any other secret.

    `link` is the public address of the installation.
    """
    with store.read() as connection:
        office.refresh(version_of(connection))
        owner = connection.execute(
            select(member.c.id, member.c.language)
            .join(feed, feed.c.member_id == member.c.id)
            .where(feed.c.digest == _digest(secret), feed.c.revoked_at.is_(None), member.c.active)
        ).one_or_none()
        if owner is None:
            raise Refusal("not_found")
        actor = office.directory.actor(connection, owner.id, now)
        dated = entries(Session(connection, office), actor, now)
    return calendar(dated, owner.language, now, link)


def entries(session: Session, actor: Actor, now: datetime) -> list[Dated]:
    """The limits that run for a member now, whoever was told of them when, and the meetings they are part of."""
    found: list[Dated] = []
    for one in agenda.limits(session, actor, now):
        if one.due is not None and one.clock is not None:
            label = session.office.tracks[one.kind].clock_kinds[one.clock].label
            name = f"{one.number}-{one.track}-{one.clock}"
            found.append(Dated(name, one.number, one.level, label, one.due - timedelta(minutes=15), one.due))
    for row in session.connection.execute(_meetings(session, actor, now)):
        at = datetime.fromisoformat(row.at)
        found.append(Dated(f"{row.number}-m{row.no}", row.number, row.level, MEETING, at, at + _AN_HOUR))
    return found


def _meetings(session: Session, actor: Actor, now: datetime) -> Select[Any]:
    """Meetings that are to be held: called by the member, or to which an organisation was invited that they lead.

    Being invited opens nothing of a case but that there is a meeting.
    """
    book = session.office.book_of(session.office.current)
    led = {post.organisation_id for post in actor.posts if post.role in roles("lead", post.kind)}
    invited = or_(*(track.c.facts["invited"].contains([one]) for one in sorted(led)), false())
    called = track.c.facts["called_by"].as_string() == str(actor.member_id)
    newest = (
        select(func.max(event.c.seq))
        .where(event.c.case_id == track.c.case_id, event.c.track_no == track.c.no, event.c.trigger == "schedule")
        .correlate(track)
        .scalar_subquery()
    )
    at = event.c.open["at"].as_string().label("at")
    return (
        select(case.c.number, case.c.level, track.c.no, at)
        .join(track, track.c.case_id == case.c.id)
        .join(event, and_(event.c.case_id == track.c.case_id, event.c.seq == newest))
        .where(track.c.kind == "conference", track.c.state == "scheduled")
        .where(or_(invited, and_(called, access.visible(actor, book, now))))
        .order_by(at, case.c.number)
    )


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
