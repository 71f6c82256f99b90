"""Who gave whom which post, and who ended it: written by `cases.post_notes`, read by auditors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    or_,
    select,
)

from cases.cursors import Page, paged
from cases.metadata import metadata
from cases.people import member, organisation
from cases.refusal import Refusal

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cases.who import Actor

WHATS: Final = ("appointed", "ended", "retired")

post_change = Table(
    "post_change",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    # Empty: the command line.
    Column("by_member_id", BigInteger, ForeignKey("member.id")),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("what", Text, nullable=False),
    # The post, and its first or its last day; of whoever was taken out of service only where they belong.
    Column("role", Text),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("day", Date),
    CheckConstraint(f"what IN {WHATS}", name="what"),
    CheckConstraint("(what = 'retired') = (role IS NULL)", name="post"),
    Index(None, "organisation_id", "id"),
    Index(None, "member_id"),
)


@dataclass(frozen=True, slots=True)
class By:
    """Who changes a post, and when. No member: whoever has the machine."""

    member: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a post: by whom (None: the command line), about whom, which post, from or until which day."""

    id: int
    at: datetime
    by: int | None
    by_name: str | None
    member: int
    name: str
    what: str
    role: str | None
    organisation: int
    place: str
    day: date | None


def changes(connection: Connection, actor: Actor, *, cursor: str | None = None, most: int = 50) -> Page[Change]:
    """One page of what was changed in this auditor's district or city, the newest first. Refuses `not_permitted`."""
    mine = [one.organisation_id for one in actor.posts if one.role == "auditor"]
    if not mine:
        raise Refusal("not_permitted", who_can=("auditor@jurisdiction",))
    changer = member.alias("changer")
    query = (
        select(
            post_change,
            post_change.c.id.label("key"),
            member.c.name,
            changer.c.name.label("by_name"),
            organisation.c.name.label("place"),
        )
        .join(member, member.c.id == post_change.c.member_id)
        .join(organisation, organisation.c.id == post_change.c.organisation_id)
        .outerjoin(changer, changer.c.id == post_change.c.by_member_id)
        .where(or_(organisation.c.district_id.in_(mine), organisation.c.city_id.in_(mine)))
    )
    rows, after = paged(connection, query, "-number", post_change.c.id, post_change.c.id, cursor, most)
    return Page(tuple(_change(row) for row in rows), after)


def _change(row: Any) -> Change:  # noqa: ANN401 - a row
    return Change(
        id=row["id"],
        at=row["at"].astimezone(UTC),
        by=row["by_member_id"],
        by_name=row["by_name"],
        member=row["member_id"],
        name=row["name"],
        what=row["what"],
        role=row["role"],
        organisation=row["organisation_id"],
        place=row["place"],
        day=row["day"],
    )
