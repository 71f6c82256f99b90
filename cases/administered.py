"""What an admin looks after: the organisations of their jurisdiction with their people, rotas, versions and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from cases import census
from cases.cursors import Page, paged
from cases.outbox import lane
from cases.people import duty, member, organisation, post
from cases.records import calendar_table, policy_version
from cases.refusal import Refusal
from cases.who import Organisation

if TYPE_CHECKING:
    from cases.directory import Actor

_PAST: Final = timedelta(days=1)
"""So long a shift that has ended is still shown."""
_COLUMNS: Final = tuple(getattr(organisation.c, name) for name in (
    "id", "code", "kind", "name", "parent_id", "district_id", "city_id", "street_id", "hospital_id", "community_id",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Looked:
    """An organisation in an admin's list, and how many members hold a post there."""

    place: Organisation
    members: int


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift of a rota: aware instants, the second not included."""

    id: int
    member: int
    name: str
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """A policy version that is stored; `active` is when it was last put to work, None if never."""

    name: str
    digest: str
    stored: datetime
    active: datetime | None


@dataclass(frozen=True, slots=True)
class Lane:
    """A channel's lane that has failed lately, and until when it is closed."""

    name: str
    failures: int
    closed: datetime | None


def require_city(actor: Actor) -> None:
    """Refuses `not_permitted` to whoever is no admin of a city: what holds for all is changed there alone."""
    if not any(one.role == "admin" and one.kind == "city" for one in actor.posts):
        raise Refusal("not_permitted", who_can=("admin@city",))


def ruled(connection: Connection, actor: Actor, number: int) -> Organisation:
    """An organisation that this actor is admin of. Refuses `not_found` for any other: who asks learns nothing of it."""
    place = census.place(connection, number)
    try:
        census.require_admin(actor, place)
    except Refusal:
        raise Refusal("not_found") from None
    return place


def organisations(
    connection: Connection,
    actor: Actor,
    today: date,
    *,
    kind: str | None = None,
    text: str | None = None,
    cursor: str | None = None,
    most: int = 30,
) -> Page[Looked]:
    """One page of the active organisations of this admin's jurisdiction; `text` is a part of a name, or a code."""
    here = select(func.count(post.c.member_id.distinct())).where(
        post.c.organisation_id == organisation.c.id, or_(post.c.until.is_(None), post.c.until >= today)
    )
    staff = here.where(post.c.member_id == member.c.id, member.c.active).scalar_subquery()
    query = select(*_COLUMNS, organisation.c.id.label("key"), staff.label("members"))
    query = query.where(organisation.c.active, _mine(actor))
    if kind is not None:
        query = query.where(organisation.c.kind == kind)
    if text:
        query = query.where(or_(organisation.c.name.contains(text, autoescape=True), organisation.c.code == text))
    rows, after = paged(connection, query, "number", organisation.c.id, organisation.c.id, cursor, most)
    return Page(tuple(Looked(_place(row), row["members"]) for row in rows), after)


def by_code(connection: Connection, code: str) -> Organisation | None:
    """The active organisation of that code, if there is one."""
    row = connection.execute(select(*_COLUMNS).where(organisation.c.code == code, organisation.c.active)).one_or_none()
    return None if row is None else Organisation(*row)


def names(connection: Connection, numbers: Sequence[int]) -> Mapping[int, str]:
    """The names of these organisations."""
    rows = connection.execute(select(organisation.c.id, organisation.c.name).where(organisation.c.id.in_(numbers)))
    return {row.id: row.name for row in rows}


def shifts(connection: Connection, place: int, now: datetime) -> list[Shift]:
    """The rota of an organisation from yesterday on, in the order of its hours."""
    found = connection.execute(
        select(duty.c.id, duty.c.member_id, member.c.name, duty.c.starts_at, duty.c.ends_at)
        .join(member, member.c.id == duty.c.member_id)
        .where(duty.c.organisation_id == place, duty.c.ends_at > now - _PAST)
        .order_by(duty.c.starts_at, duty.c.id)
        .limit(200)
    )
    return [
        Shift(row.id, row.member_id, row.name, row.starts_at.astimezone(UTC), row.ends_at.astimezone(UTC))
        for row in found
    ]


def versions(connection: Connection) -> list[Version]:
    """The stored policy versions, the one activated last first."""
    table = policy_version.c
    rows = connection.execute(
        select(table.name, table.digest, table.stored_at, table.active_at).order_by(
            table.active_at.desc().nulls_last(), table.stored_at.desc(), table.name
        )
    )
    return [Version(*row) for row in rows]


def tables(connection: Connection) -> list[str]:
    """The names of the calendar tables that were loaded here."""
    loaded = select(calendar_table.c.name).where(~calendar_table.c.brought).distinct()
    return list(connection.scalars(loaded.order_by(calendar_table.c.name)))


def lanes(connection: Connection) -> list[Lane]:
    """The lanes that have failed since they last went, the worst first."""
    found = select(lane.c.name, lane.c.failures, lane.c.closed_until).where(lane.c.failures > 0)
    return [Lane(*row) for row in connection.execute(found.order_by(lane.c.failures.desc(), lane.c.name).limit(100))]


def _mine(actor: Actor) -> ColumnElement[bool]:
    """As `census.require_admin` has it: an organisation's own admin, its district's, its city's."""
    mine = [one.organisation_id for one in actor.posts if one.role == "admin"]
    ways = (organisation.c.id, organisation.c.district_id, organisation.c.city_id)
    return and_(or_(*(column.in_(mine) for column in ways)))


def _place(row: Any) -> Organisation:  # noqa: ANN401 - a row
    return Organisation(*(row[column.name] for column in _COLUMNS))
