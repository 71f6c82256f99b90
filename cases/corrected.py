"""What was entered is put right: a member's name and addresses, an organisation's name and links; one that is no more
is closed. As in `cases.registrar`: inside the caller's transaction, with a new version of the directory each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, Connection, exists, or_, select, update

from cases import census, placing, posts
from cases.directory_fault import DirectoryFault
from cases.people import member, organisation, post
from cases.records import case, track
from cases.registrar import id_of, linked, named, touch
from cases.who import Actor, Organisation

LINKS: Final[tuple[str, ...]] = ("street", "hospital", "community")
_ACTIVE: Final = ("draft", "awaiting_signoff", "open", "awaiting_evaluation")


def of_member(connection: Connection, number: int, *, name: str, phone: str | None, email: str | None) -> None:
    """From now on a member is called and reached so.

    Raises DirectoryFault: nameless, phone_form, email_form, no_member.
    """
    named("name", name)
    phone, email = posts.reached("phone", phone), posts.reached("email", email)
    touch(connection)
    written = update(member).where(member.c.id == number, member.c.active).values(name=name, phone=phone, email=email)
    if connection.execute(written).rowcount == 0:
        raise DirectoryFault("no_member", what=str(number))


def of_place(connection: Connection, place: Organisation, name: str, links: Mapping[str, Organisation | None]) -> None:
    """From now on an organisation is called so and has these links; None takes one off, one not named stays.

    Raises DirectoryFault: nameless, only_schools, wrong_link.
    """
    named("name", name)
    if place.kind != "school" and any(links.get(one) for one in ("hospital", "community")):
        raise DirectoryFault("only_schools", name=name)
    for link, other in links.items():
        linked(name, link, other)
    touch(connection)
    values = {"name": name, **{f"{link}_id": id_of(other) for link, other in links.items()}}
    connection.execute(update(organisation).where(organisation.c.id == place.id).values(values))


def close(connection: Connection, place: Organisation, today: date) -> None:
    """Take an organisation out of service; what it did stays on record.

    Raises DirectoryFault: still_above, still_staffed, still_named, still_at_work.
    """
    touch(connection)
    for code, held in _held(place, today).items():
        if connection.scalar(select(held)):
            raise DirectoryFault(code, name=place.name)
    connection.execute(update(organisation).where(organisation.c.id == place.id).values(active=False))


def require_right(
    connection: Connection, actor: Actor, place: Organisation, links: Mapping[str, Organisation | None]
) -> None:
    """The rule for registering one: whoever might register it there may put it right and close it.

    Refuses `not_permitted`. A city stands under nothing: its own admin does it.
    """
    parent = None if place.parent_id is None else census.place(connection, place.parent_id)
    placing.require_place(actor, place.kind, parent or place, links)


def codes(connection: Connection, numbers: Sequence[int]) -> Mapping[int, str]:
    """The codes of these organisations."""
    if not numbers:
        return {}
    rows = connection.execute(select(organisation.c.id, organisation.c.code).where(organisation.c.id.in_(numbers)))
    return {row.id: row.code for row in rows}


def _held(place: Organisation, today: date) -> dict[str, ColumnElement[bool]]:
    """What still stands against closing it, by the code of the fault."""
    below = organisation.alias("below")
    running = or_(post.c.until.is_(None), post.c.until >= today)
    here = post.c.member_id.in_(select(member.c.id).where(member.c.active))
    return {
        "still_above": exists().where(below.c.parent_id == place.id, below.c.active),
        "still_staffed": or_(
            exists().where(member.c.organisation_id == place.id, member.c.active),
            exists().where(post.c.organisation_id == place.id, running, here),
        ),
        "still_named": exists().where(
            below.c.active,
            or_(*(below.c[f"{one}_id"] == place.id for one in LINKS)),
        ),
        "still_at_work": or_(
            exists().where(case.c.school_id == place.id, case.c.state.in_(_ACTIVE)),
            exists().where(track.c.organisation_id == place.id, track.c.ended_at.is_(None)),
        ),
    }
