"""From new messages to deliveries: by which channel of their reader, by which lane, not before when, joined to what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, select

from cases.directory_fault import DirectoryFault
from cases.outbox import delivered_message, delivery, outbox
from cases.people import member
from cases.records import incident, message
from cases.wishes import Wishes
from notifiers.channels import Channel, Channels
from notifiers.faults import NO_GATE, ChannelFault

BATCH: Final = 500
"""Messages laid out in one transaction."""
_LONGEST: Final = 19
LOW: Final = frozenset({("reminded", "blue"), ("reminded", "yellow")})
"""What may wait a while to be told together with more of its kind."""


@dataclass(frozen=True, slots=True)
class _New:
    id: int
    member: int
    kind: str
    level: str
    read: bool


@dataclass(slots=True)
class _Letterbox:
    """One channel of a member's that can be used, and the delivery that new messages may join."""

    place: int
    channel: Channel
    joinable: list[tuple[datetime, int]] = field(default_factory=list)


def lay_out(connection: Connection, channels: Channels, now: datetime, zone: tzinfo, window: timedelta) -> int:
    """Make deliveries of up to 500 new messages, the red ones first; answers how many messages were taken.

    Whoever has no channel has the inbox. Reminders of a low level wait up to `window` for others; whatever isn't red
    waits for the end of its reader's quiet hours; what waits for the same reader is joined.
    """
    taken = _take(connection)
    if not taken:
        return 0
    wishes = {one.member: one for one in readers(connection, member.c.id.in_({new.member for new in taken}))}
    boxes: dict[int, _Letterbox | None] = {}
    for new in taken:
        wish = wishes.get(new.member)
        if wish is None or new.read:
            continue
        if new.member not in boxes:
            boxes[new.member] = _box(connection, channels, wish, now)
        box = boxes[new.member]
        if box is not None:
            _post(connection, new, wish, box, now, zone, window)
    connection.execute(delete(outbox).where(outbox.c.message_id.in_([new.id for new in taken])))
    return len(taken)


def readers(connection: Connection, which: ColumnElement[bool]) -> Iterable[Wishes]:
    """How these members want to be reached; those who left their service aren't among them."""
    columns = [member.c[name] for name in ("id", "language", "email", "phone", "settings")]
    for row in connection.execute(select(*columns).where(which, member.c.active)):
        yield Wishes.read(row.id, row.language, row.email, row.phone, row.settings)


def reader(connection: Connection, who: str) -> Wishes:
    """The one member of that number or exact name. Raises DirectoryFault no_member for none, and for several."""
    which = member.c.id == int(who) if who.isdecimal() and len(who) < _LONGEST else member.c.name == who
    found = list(readers(connection, which))
    if len(found) != 1:
        raise DirectoryFault("no_member", what=who)
    return found[0]


def usable(
    connection: Connection, channels: Channels, wish: Wishes, first: int, now: datetime
) -> tuple[int, Channel] | None:
    """The first of a member's channels from that place on that can be opened; a faulty one is an incident, once.

    A way that the installation hasn't is none of a member's faults, or every registered mail address would be an
    incident: `whistle doctor` says it once.
    """
    for place, address in enumerate(wish.channels[first:], start=first):
        try:
            return place, channels.open(address, wish.recipient)
        except ChannelFault as fault:
            if fault.code in NO_GATE:
                continue
            note(connection, "channel_fault", f"member {wish.member}, channel {place + 1}: {fault.code}", now)
    return None


def note(connection: Connection, kind: str, why: str, now: datetime, case_id: int | None = None) -> None:
    """Write an incident, unless the same is open already."""
    same = exists().where(and_(incident.c.kind == kind, incident.c.why == why, incident.c.ended_at.is_(None)))
    if not connection.scalar(select(same)):
        connection.execute(insert(incident).values(at=now, kind=kind, case_id=case_id, why=why))


def _take(connection: Connection) -> list[_New]:
    columns = [message.c[name] for name in ("id", "member_id", "kind", "level", "read_at")]
    found = connection.execute(
        select(*columns)
        .join_from(outbox, message, message.c.id == outbox.c.message_id)
        .order_by(outbox.c.urgent.desc(), outbox.c.message_id)
        .limit(BATCH)
        .with_for_update(of=outbox, skip_locked=True)
    )
    return [_New(row.id, row.member_id, row.kind, row.level, row.read_at is not None) for row in found]


def _box(connection: Connection, channels: Channels, wish: Wishes, now: datetime) -> _Letterbox | None:
    found = usable(connection, channels, wish, 0, now)
    if found is None:
        return None
    # Whoever is about to send one of these holds its row: it is passed over, and nothing joins a letter on its way.
    waiting = connection.execute(
        select(delivery.c.due_at, delivery.c.id)
        .where(delivery.c.member_id == wish.member, delivery.c.state == "waiting", delivery.c.joins)
        .where(delivery.c.due_at > now, delivery.c.claimed_until.is_(None), delivery.c.tries == 0)
        .where(delivery.c.place == found[0], delivery.c.lane == found[1].lane)
        .order_by(delivery.c.due_at)
        .with_for_update(skip_locked=True)
    )
    return _Letterbox(*found, [(row.due_at, row.id) for row in waiting])


def _post(
    connection: Connection,
    new: _New,
    wish: Wishes,
    box: _Letterbox,
    now: datetime,
    zone: tzinfo,
    window: timedelta,
) -> None:
    due = now + window if (new.kind, new.level) in LOW else now
    if new.level != "red":
        due = max(due, wish.not_before(due, zone))
    # Joining delays nothing: only what leaves no later than this message has to.
    joined = next((number for at, number in box.joinable if now < at <= due), None)
    if joined is None:
        joined = enter(connection, wish.member, box.place, box.channel, now, due, urgent=new.level == "red")
        if due > now:
            box.joinable.append((due, joined))
    connection.execute(insert(delivered_message).values(delivery_id=joined, message_id=new.id))


def enter(
    connection: Connection, reader: int, place: int, channel: Channel, now: datetime, due: datetime, *, urgent: bool
) -> int:
    """Write a delivery that waits; its number."""
    row = {
        "member_id": reader,
        "place": place,
        "schema": channel.schema,
        "lane": channel.lane,
        "urgent": urgent,
        "joins": due > now,
        "created_at": now,
        "due_at": due,
    }
    number: int = connection.execute(insert(delivery).values(row).returning(delivery.c.id)).scalar_one()
    return number
