"""Members, their posts, the two directors of a station and the duty rota: the only writer.

As in `cases.registrar`: inside the caller's transaction, with a new version of the directory each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from cases import post_notes, reachable
from cases.directory_fault import DirectoryFault
from cases.people import KINDS, KINDS_OF_ROLE, LANGUAGES, ROLES, duty, member, post, station
from cases.post_log import By
from cases.refusal import Refusal
from cases.registrar import id_of, linked, named, touch
from cases.who import Member, Organisation, Post


def enlist(
    connection: Connection,
    place: Organisation,
    name: str,
    posts: Sequence[str] = (),
    *,
    since: date,
    school: Organisation | None = None,
    phone: str | None = None,
    email: str | None = None,
    language: str = "zh_CN",
    by: By | None = None,
) -> Member:
    """Enter a member of an organisation and appoint it to posts there from that day on; `by` is who does so.

    `school` is whose station a codirector directs. Raises DirectoryFault: nameless, unknown_language, phone_form,
    email_form, and whatever `appoint` refuses.
    """
    named("name", name)
    if language not in LANGUAGES:
        raise DirectoryFault("unknown_language", what=language, known=", ".join(LANGUAGES))
    touch(connection)
    values = {
        "organisation_id": place.id,
        "name": name,
        "phone": reached("phone", phone),
        "email": reached("email", email),
        "language": language,
    }
    number = connection.execute(insert(member).values(**values).returning(member.c.id)).scalar_one()
    held = tuple(
        appoint(connection, number, role, place, since=since, school=school if role == "codirector" else None, by=by)
        for role in posts
    )
    return Member(number, name, place.id, held, language)


def appoint(
    connection: Connection,
    member_id: int,
    role: str,
    place: Organisation,
    *,
    since: date,
    until: date | None = None,
    school: Organisation | None = None,
    by: By | None = None,
) -> Post:
    """Give a member a post from one day to another (both included), in the policy's time zone; `by` is who does so.

    Refuses `not_permitted` to whoever would appoint themselves: an admin sees no case, and gets no sight by their own
    hand. Raises DirectoryFault: unknown_role, role_elsewhere, needs_school, no_school_here, wrong_link,
    term_backwards, no_member, post_taken (a second principal, or codirector of one school),
    post_held_already.
    """
    if by is not None and by.member == member_id:
        raise Refusal("not_permitted", who_can=("admin@organisation", "admin@district", "admin@city"))
    check_post(role, place, school)
    if until is not None and until < since:
        raise DirectoryFault("term_backwards", since=since.isoformat(), until=until.isoformat())
    who = _member_name(connection, member_id)
    touch(connection)
    values = {
        "member_id": member_id,
        "role": role,
        "organisation_id": place.id,
        "school_id": id_of(school),
        "since": since,
        "until": until,
    }
    facts = {"name": school.name if school else place.name, "role": role, "member": who}
    try:
        # A savepoint: a refused post leaves the caller's transaction usable.
        with connection.begin_nested():
            connection.execute(insert(post).values(**values))
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        held = error.orig.diag.constraint_name == "uq_post_held"
        raise DirectoryFault("post_held_already" if held else "post_taken", **facts) from None
    post_notes.write(connection, by, [_changed("appointed", member_id, role, place.id, since)])
    return Post(role, place.id, place.kind, id_of(school))


def end_post(connection: Connection, member_id: int, held: Post, until: date, *, by: By | None = None) -> None:
    """End an open term; that day is its last. Raises DirectoryFault no_term when nobody holds it so."""
    touch(connection)
    ended = connection.execute(
        update(post)
        .where(post.c.member_id == member_id, post.c.role == held.role)
        .where(post.c.organisation_id == held.organisation_id, post.c.until.is_(None))
        .where(post.c.school_id.is_not_distinct_from(held.school_id), post.c.since <= until)
        .values(until=until)
    )
    if ended.rowcount == 0:
        raise DirectoryFault("no_term", role=held.role, until=until.isoformat())
    post_notes.write(connection, by, [_changed("ended", member_id, held.role, held.organisation_id, until)])


def check_post(role: str, place: Organisation, school: Organisation | None) -> None:
    """Raises DirectoryFault when such a post can't exist, whoever would hold it."""
    if role not in ROLES:
        raise DirectoryFault("unknown_role", what=role, known=", ".join(ROLES))
    if place.kind not in KINDS_OF_ROLE[role]:
        kinds = ", ".join(kind for kind in KINDS if kind in KINDS_OF_ROLE[role])
        raise DirectoryFault("role_elsewhere", role=role, kinds=kinds, name=place.name)
    if role == "codirector" and school is None:
        raise DirectoryFault("needs_school")
    if role != "codirector" and school is not None:
        raise DirectoryFault("no_school_here", role=role)
    linked(place.name, "school", school)
    if school is not None and school.street_id not in {None, place.id}:
        # The codirector is named by the street in which the school lies [plan 3].
        raise DirectoryFault("wrong_link", name=school.name, link="street", wanted="street", found=place.name)


def open_station(
    connection: Connection, school: Organisation, principal_member_id: int, codirector_member_id: int
) -> None:
    """Name the two directors of a school's station [plan 3], or name them anew.

    Raises DirectoryFault not_a_director unless they hold the posts of principal and of this codirector.
    """
    touch(connection)
    holds = {
        "principal": and_(post.c.member_id == principal_member_id, post.c.organisation_id == school.id),
        "codirector": and_(post.c.member_id == codirector_member_id, post.c.school_id == school.id),
    }
    for role, held in holds.items():
        query = select(post.c.id).where(held, post.c.role == role, post.c.until.is_(None))
        if connection.scalar(query) is None:
            number = principal_member_id if role == "principal" else codirector_member_id
            who = _member_name(connection, number)
            raise DirectoryFault("not_a_director", member=who, school=school.name, role=role)
    directors = {"principal_member_id": principal_member_id, "codirector_member_id": codirector_member_id}
    statement = upsert(station).values(school_id=school.id, **directors)
    connection.execute(statement.on_conflict_do_update(index_elements=["school_id"], set_=directors))


def reached(name: str, written: str | None) -> str | None:
    """A telephone number or a mail address as it is kept. Raises DirectoryFault phone_form or email_form."""
    if written is None:
        return None
    found = reachable.phone(written) if name == "phone" else reachable.email(written)
    if found is None:
        raise DirectoryFault(f"{name}_form")
    return found


def put_on_duty(
    connection: Connection,
    place: Organisation,
    member_id: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    now: datetime | None = None,
) -> None:
    """Put an officer on an organisation's rota from one instant up to another (aware, not included).

    While any officer is on duty, only those on duty are told and asked. Raises DirectoryFault: no_member,
    not_an_officer, shift_backwards, shift_overlaps (of the same member there), shift_over where it has ended by `now`.
    A fault tells times in the zone of `starts_at`.
    """
    who = _member_name(connection, member_id)
    zone = starts_at.tzinfo

    def told(start: datetime, end: datetime) -> dict[str, str]:
        return {"start": f"{start.astimezone(zone):%Y-%m-%d %H:%M}", "end": f"{end.astimezone(zone):%Y-%m-%d %H:%M}"}

    if ends_at <= starts_at:
        raise DirectoryFault("shift_backwards", **told(starts_at, ends_at))
    if now is not None and ends_at <= now:
        raise DirectoryFault("shift_over", **told(starts_at, ends_at))
    touch(connection)
    officer = select(post.c.id).where(
        post.c.member_id == member_id, post.c.organisation_id == place.id, post.c.role == "officer"
    )
    if connection.scalar(officer) is None:
        raise DirectoryFault("not_an_officer", member=who, name=place.name)
    overlaps = (
        select(duty.c.starts_at, duty.c.ends_at)
        .where(duty.c.organisation_id == place.id, duty.c.member_id == member_id)
        .where(duty.c.starts_at < ends_at, duty.c.ends_at > starts_at)
        .limit(1)
    )
    shift = connection.execute(overlaps).one_or_none()
    if shift is not None:
        raise DirectoryFault("shift_overlaps", member=who, **told(shift.starts_at, shift.ends_at))
    values = {"organisation_id": place.id, "member_id": member_id, "starts_at": starts_at, "ends_at": ends_at}
    connection.execute(insert(duty).values(**values))


def take_off_duty(connection: Connection, place: Organisation, shift: int) -> None:
    """Strike one shift from an organisation's rota. Raises DirectoryFault no_shift where it isn't on it."""
    touch(connection)
    gone = connection.execute(delete(duty).where(duty.c.id == shift, duty.c.organisation_id == place.id))
    if gone.rowcount == 0:
        raise DirectoryFault("no_shift", name=place.name)


def retire(connection: Connection, member_id: int, *, by: By | None = None) -> None:
    """Take a member out of service: from the next version on it holds no post and acts no more.

    Its posts stay on record. Raises DirectoryFault no_member.
    """
    touch(connection)
    left = update(member).where(member.c.id == member_id).values(active=False)
    home = connection.scalar(left.returning(member.c.organisation_id))
    if home is None:
        raise DirectoryFault("no_member", what=str(member_id))
    post_notes.write(connection, by, [_changed("retired", member_id, None, home, None)])


def _changed(what: str, member_id: int, role: str | None, place: int, day: date | None) -> dict[str, Any]:
    return {"what": what, "member_id": member_id, "role": role, "organisation_id": place, "day": day}


def _member_name(connection: Connection, member_id: int) -> str:
    name = connection.scalar(select(member.c.name).where(member.c.id == member_id, member.c.active))
    if name is None:
        raise DirectoryFault("no_member", what=str(member_id))
    return str(name)
