"""A change of posts is written down, and told to whoever should know of it: a new pair of eyes is nobody's secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, insert, or_, select

from cases import notices
from cases.people import member, organisation, post
from cases.post_log import post_change

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cases.post_log import By

TOLD_OF: Final = frozenset({"counselor", "deputy", "liaison", "coordinator", "supervisor", "auditor", "admin"})
"""Posts that see clinical sections, oversee or govern: the organisation's lead and the auditors hear of each."""
_LEADS: Final = ("principal", "lead", "liaison")


def write(connection: Connection, by: By | None, changes: Iterable[Mapping[str, Any]]) -> None:
    """Write down what one person changed at one instant. Without a person (samples, tests) nothing is written."""
    rows = [{"at": by.at, "by_member_id": by.member, **one} for one in changes] if by is not None else []
    if by is None or not rows:
        return
    first = min(connection.scalars(insert(post_change).returning(post_change.c.id), rows))
    told = [one for one in rows if one["what"] == "appointed" and one["role"] in TOLD_OF]
    if told:
        _tell(connection, by, first, told)


def _tell(connection: Connection, by: By, number: int, told: list[dict[str, Any]]) -> None:
    places = {one["organisation_id"] for one in told}
    day = by.at.date()
    hears = or_(
        and_(post.c.role.in_(_LEADS), post.c.organisation_id == organisation.c.id),
        and_(
            post.c.role == "auditor", post.c.organisation_id.in_((organisation.c.district_id, organisation.c.city_id))
        ),
    )
    found = connection.execute(
        select(organisation.c.id, post.c.member_id)
        .join(post, hears)
        .join(member, and_(member.c.id == post.c.member_id, member.c.active))
        .where(organisation.c.id.in_(places), post.c.since <= day, or_(post.c.until.is_(None), post.c.until >= day))
        .distinct()
    ).all()
    to: dict[int, tuple[str, list[Mapping[str, Any]]]] = {}
    for place, who in found:
        if who == by.member:
            continue
        items = [{"role": one["role"], "organisation": place} for one in told if one["organisation_id"] == place]
        to.setdefault(who, ("blue", []))[1].extend(items)
    notices.post_once(connection, f"appointed:{number}", "appointed", to, by.at)
