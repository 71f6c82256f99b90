"""Organisations and members as lists, for whoever looks up a place or a colleague, and who may change them.

Public bodies are public: every member sees every organisation and who holds which post there. Telephone and mail are
for those of the same organisation and for its admins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, or_, select

from cases.cursors import Page, paged
from cases.people import member, organisation, post
from cases.refusal import Refusal
from cases.who import Organisation

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from cases.directory import Actor


@dataclass(frozen=True, slots=True)
class Term:
    """A post with its first and its last day, both included; no last day while it is open."""

    role: str
    organisation: int
    school: int | None
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Person:
    """A member, with the posts that are held or will be. Telephone and mail only where the reader may see them."""

    id: int
    name: str
    organisation: int
    active: bool
    language: str
    phone: str | None
    email: str | None
    posts: tuple[Term, ...]


_COLUMNS: Final = (
    organisation.c.id,
    organisation.c.code,
    organisation.c.kind,
    organisation.c.name,
    organisation.c.parent_id,
    organisation.c.district_id,
    organisation.c.city_id,
    organisation.c.street_id,
    organisation.c.hospital_id,
    organisation.c.community_id,
)


def organisations(
    connection: Connection,
    *,
    kind: str | None = None,
    district: int | None = None,
    text: str | None = None,
    cursor: str | None = None,
    most: int = 50,
) -> Page[Organisation]:
    """One page of the active organisations, in the order in which they were registered. `text` is a part of a name."""
    query = select(*_COLUMNS, organisation.c.id.label("key")).where(organisation.c.active)
    if kind is not None:
        query = query.where(organisation.c.kind == kind)
    if district is not None:
        query = query.where(organisation.c.district_id == district)
    if text:
        query = query.where(organisation.c.name.contains(text, autoescape=True))
    rows, after = paged(connection, query, "number", organisation.c.id, organisation.c.id, cursor, most)
    names = [column.name for column in _COLUMNS]
    return Page(tuple(Organisation(*(row[name] for name in names)) for row in rows), after)


def place(connection: Connection, number: int) -> Organisation:
    """The organisation of that id. Refuses `not_found`."""
    row = connection.execute(select(*_COLUMNS).where(organisation.c.id == number)).one_or_none()
    if row is None:
        raise Refusal("not_found")
    return Organisation(*row)


def members(
    connection: Connection,
    actor: Actor,
    today: date,
    *,
    place: int | None = None,
    role: str | None = None,
    cursor: str | None = None,
    most: int = 50,
) -> Page[Person]:
    """One page of the active members, with their posts: two queries."""
    query = _people().add_columns(member.c.id.label("key")).where(member.c.active)
    held = select(post.c.member_id).where(or_(post.c.until.is_(None), post.c.until >= today))
    if place is not None:
        query = query.where(
            or_(member.c.organisation_id == place, member.c.id.in_(held.where(post.c.organisation_id == place)))
        )
    if role is not None:
        query = query.where(member.c.id.in_(held.where(post.c.role == role)))
    rows, after = paged(connection, query, "number", member.c.id, member.c.id, cursor, most)
    return Page(_with_posts(connection, actor, today, rows), after)


def person(connection: Connection, actor: Actor, today: date, number: int) -> Person:
    """One member, retired ones included. Refuses `not_found`."""
    rows = list(connection.execute(_people().where(member.c.id == number)).mappings())
    if not rows:
        raise Refusal("not_found")
    return _with_posts(connection, actor, today, rows)[0]


def require_admin(actor: Actor, of: Organisation) -> None:
    """Refuses `not_permitted` to whoever is no admin of that organisation, of its district or of its city."""
    if not _administers(actor, of.id, of.district_id, of.city_id):
        raise Refusal("not_permitted", who_can=("admin@organisation", "admin@district", "admin@city"))


def _administers(actor: Actor, *places: int | None) -> bool:
    return any(one.role == "admin" and one.organisation_id in places for one in actor.posts)


def _people() -> Select[Any]:
    names = ("id", "name", "organisation_id", "active", "language", "phone", "email")
    return select(*(member.c[name] for name in names), organisation.c.district_id, organisation.c.city_id).join(
        organisation, organisation.c.id == member.c.organisation_id
    )


def _with_posts(connection: Connection, actor: Actor, today: date, rows: Sequence[Any]) -> tuple[Person, ...]:
    held: dict[int, list[Term]] = {row["id"]: [] for row in rows}
    columns = (post.c.member_id, post.c.role, post.c.organisation_id, post.c.school_id, post.c.since, post.c.until)
    found = (
        select(*columns)
        .where(post.c.member_id.in_(held), or_(post.c.until.is_(None), post.c.until >= today))
        .order_by(post.c.id)
    )
    for number, *term in connection.execute(found):
        held[number].append(Term(*term))
    own = {actor.organisation_id, *(one.organisation_id for one in actor.posts)}
    return tuple(_person(row, tuple(held[row["id"]]), own, actor) for row in rows)


def _person(row: Any, posts: tuple[Term, ...], own: set[int], actor: Actor) -> Person:  # noqa: ANN401 - a row
    near = row["organisation_id"] in own
    shown = near or _administers(actor, row["organisation_id"], row["district_id"], row["city_id"])
    return Person(
        id=row["id"],
        name=row["name"],
        organisation=row["organisation_id"],
        active=row["active"],
        language=row["language"],
        phone=row["phone"] if shown else None,
        email=row["email"] if shown else None,
        posts=posts,
    )


def named(connection: Connection, members_: set[int], places: set[int]) -> tuple[dict[int, str], dict[int, str]]:
    """The names of these members and of these organisations, for a list that holds their ids: a query each."""
    people: Sequence[Row[Any]] = ()
    where: Sequence[Row[Any]] = ()
    if members_:
        people = connection.execute(select(member.c.id, member.c.name).where(member.c.id.in_(members_))).all()
    if places:
        where = connection.execute(
            select(organisation.c.id, organisation.c.name).where(organisation.c.id.in_(places))
        ).all()
    return {row.id: row.name for row in people}, {row.id: row.name for row in where}
