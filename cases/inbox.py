"""A member's inbox: the messages that were written for them, whatever became of their delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from cases.people import member
from cases.records import case, message


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: what kind, of which case (None for what belongs to no single one), and its items."""

    id: int
    at: datetime
    kind: str
    level: str
    number: str | None
    items: Sequence[Mapping[str, Any]]
    read: bool


def unread(connection: Connection, member_id: int) -> int:
    """How many messages the member hasn't read."""
    query = select(func.count()).where(message.c.member_id == member_id, message.c.read_at.is_(None))
    return int(connection.scalar(query) or 0)


def shown_above(connection: Connection, member_id: int) -> tuple[int, bool]:
    """What stands in the frame of every page: how many messages are unread, and whether keys are short cuts."""
    count = select(func.count()).where(message.c.member_id == member_id, message.c.read_at.is_(None)).scalar_subquery()
    row = connection.execute(select(count, member.c.settings).where(member.c.id == member_id)).one()
    return int(row[0]), row[1].get("keys", True) is not False


def letters(connection: Connection, member_id: int, *, before: int | None = None, most: int = 30) -> list[Letter]:
    """The newest messages first, `most` of them; `before` is the id from which the page before this one ended."""
    query = (
        select(message, case.c.number)
        .outerjoin(case, case.c.id == message.c.case_id)
        .where(message.c.member_id == member_id)
        .order_by(message.c.at.desc(), message.c.id.desc())
        .limit(most)
    )
    if before is not None:
        last = select(message.c.at).where(message.c.id == before, message.c.member_id == member_id).scalar_subquery()
        query = query.where((message.c.at < last) | ((message.c.at == last) & (message.c.id < before)))
    return [
        Letter(row.id, row.at, row.kind, row.level, row.number, row.items, row.read_at is not None)
        for row in connection.execute(query)
    ]


def mark_read(connection: Connection, member_id: int, now: datetime, *, up_to: int | None = None) -> int:
    """Mark the member's messages as read, all or those up to an id; what was waiting to be sent isn't sent any more."""
    mine = (message.c.member_id == member_id) & message.c.read_at.is_(None)
    if up_to is not None:
        mine &= message.c.id <= up_to
    return connection.execute(update(message).where(mine).values(read_at=now)).rowcount


def newest(connection: Connection, member_ids: Sequence[int], after: int) -> dict[int, int]:
    """The newest message above an id of each of these members who has one: what live pages wait for."""
    query = (
        select(message.c.member_id, func.max(message.c.id))
        .where(message.c.id > after, message.c.member_id.in_(member_ids))
        .group_by(message.c.member_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def newest_of_all(connection: Connection) -> int:
    """The id of the newest message there is."""
    return int(connection.scalar(select(func.max(message.c.id))) or 0)


def versions(connection: Connection, case_ids: Sequence[int]) -> dict[int, int]:
    """How many events each of these cases has: it rises with everything that happens."""
    found = connection.execute(select(case.c.id, case.c.events).where(case.c.id.in_(case_ids)))
    return {row.id: row.events for row in found}
