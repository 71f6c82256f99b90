"""Messages that belong to no single case: the morning's digest, the bulletin, a warning that the sweep has stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.dialects.postgresql import insert

from cases.people import member, organisation, post
from cases.records import LEVELS, message


def gravest(levels: Iterable[str]) -> str:
    """The gravest of these colours; blue where there is none."""
    return min(levels, key=LEVELS.index, default=LEVELS[-1])


def post_once(
    connection: Connection,
    occasion: str,
    kind: str,
    to: Mapping[int, tuple[str, Sequence[Mapping[str, Any]]]],
    at: datetime,
) -> int:
    """Write one message for each member, with its level and items, and answer how many were new.

    Whoever has a message of this occasion already gets no second one, so a round may be run again at any time.
    """
    rows = [
        {"member_id": one, "at": at, "kind": kind, "level": level, "items": list(items), "occasion": occasion}
        for one, (level, items) in sorted(to.items())
    ]
    if not rows:
        return 0
    new = insert(message).values(rows).on_conflict_do_nothing().returning(message.c.id)
    return len(connection.execute(new).all())


def holders(connection: Connection, roles: Mapping[str, Sequence[str]], day: date) -> dict[int, list[int]]:
    """Members by organisation who hold one of `roles` that day: by kind of organisation, `*` for every other kind."""
    named = [kind for kind in roles if kind != "*"]
    wanted = or_(
        *(
            and_(
                organisation.c.kind == kind if kind != "*" else organisation.c.kind.not_in(named),
                post.c.role.in_(names),
            )
            for kind, names in roles.items()
        )
    )
    found = connection.execute(
        select(organisation.c.id, member.c.id)
        .select_from(post)
        .join(member, member.c.id == post.c.member_id)
        .join(organisation, organisation.c.id == post.c.organisation_id)
        .where(wanted, organisation.c.active, member.c.active)
        .where(post.c.since <= day, or_(post.c.until.is_(None), post.c.until >= day))
        .distinct()
        .order_by(organisation.c.id, member.c.id)
    )
    holding: dict[int, list[int]] = {}
    for place, one in found:
        holding.setdefault(place, []).append(one)
    return holding
