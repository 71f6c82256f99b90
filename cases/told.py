"""A member's own messages, a page at a time, and one of them marked as read: as systems ask (pages: `cases.inbox`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from cases.cursors import Page, paged
from cases.records import case, message
from cases.refusal import Refusal

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Told:
    """One message. `number` is the case's; `occasion` (`digest:2026-03-17`) stands where it is about no single one."""

    id: int
    at: datetime
    kind: str
    level: str
    number: str | None
    occasion: str | None
    items: Sequence[Mapping[str, Any]]
    read: datetime | None


def messages(
    connection: Connection, member_id: int, *, unread: bool = False, cursor: str | None = None, most: int = 50
) -> Page[Told]:
    """One page of a member's messages. Nobody reads another's."""
    query = (
        select(message, message.c.at.label("key"), case.c.number)
        .outerjoin(case, case.c.id == message.c.case_id)
        .where(message.c.member_id == member_id)
    )
    if unread:
        query = query.where(message.c.read_at.is_(None))
    rows, after = paged(connection, query, "-at", message.c.at, message.c.id, cursor, most)
    return Page(tuple(_told(row) for row in rows), after)


def read(connection: Connection, member_id: int, message_id: int, now: datetime) -> None:
    """Note that a member has read a message; the first time counts. Refuses `not_found` for another's."""
    own = (message.c.id == message_id) & (message.c.member_id == member_id)
    changed = connection.execute(update(message).where(own).values(read_at=func.coalesce(message.c.read_at, now)))
    if changed.rowcount == 0:
        raise Refusal("not_found")


def _told(row: Any) -> Told:  # noqa: ANN401 - a row
    return Told(
        id=row["id"],
        at=row["at"].astimezone(UTC),
        kind=row["kind"],
        level=row["level"],
        number=row["number"],
        occasion=row["occasion"],
        items=row["items"],
        read=row["read_at"].astimezone(UTC) if row["read_at"] else None,
    )
