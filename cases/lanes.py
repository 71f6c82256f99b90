"""Lanes: whatever shares a service and a host shares its fate. Claims, tries, the breaker, the dead letter.

One try at a time is claimed, for as long as a sending may take; a claim that runs out was a process that died, and
the next one sends again with the same key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from random import Random
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Connection, delete, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from cases import layout
from cases.outbox import delivered_message, delivery, lane
from cases.people import member
from cases.wishes import Wishes
from notifiers.channels import Channels, Outcome

TRIES: Final = 8
FIRST_WAIT: Final = timedelta(seconds=30)
JITTER: Final = 0.2
"""A wait is up to so much shorter or longer, so that what failed together isn't tried together."""
BREAKS_AFTER: Final = 5
CLOSED_FIRST: Final = timedelta(seconds=30)
CLOSED_MOST: Final = timedelta(minutes=10)
LANE_CLOSED: Final = Outcome("lane_closed")
_SHED: Final = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery that is ours until its lease ends."""

    id: int
    key: UUID
    member: int
    place: int
    lane: str
    urgent: bool
    tries: int
    followed: bool


def back_off(tries: int, chance: Random) -> timedelta:
    """How long to wait after so many failed tries: 30 s · 2ⁿ, give or take a fifth."""
    longer: int = 2 ** (tries - 1)
    return FIRST_WAIT * longer * chance.uniform(1 - JITTER, 1 + JITTER)


def busy(connection: Connection, now: datetime) -> list[str]:
    """The lanes that have something to send now and aren't closed, those with something red first."""
    found = connection.execute(
        select(delivery.c.lane, delivery.c.urgent)
        .outerjoin_from(delivery, lane, lane.c.name == delivery.c.lane)
        .where(*_due(now), or_(lane.c.closed_until.is_(None), lane.c.closed_until <= now))
        .where(or_(lane.c.probed_until.is_(None), lane.c.probed_until <= now))
        .distinct()
    )
    rank: dict[str, bool] = {}
    for row in found:
        rank[row.lane] = rank.get(row.lane, False) or row.urgent
    return sorted(rank, key=lambda name: (not rank[name], name))


def claim(connection: Connection, name: str, now: datetime, lease: timedelta) -> Claim | None:
    """Take the next delivery of a lane, red first; None when there is none or the lane is closed.

    A lane that was closed and may be tried again gives out one delivery, and no other until that has ended.
    """
    standing = connection.execute(select(lane).where(lane.c.name == name)).one_or_none()
    if standing is not None and standing.failures >= BREAKS_AFTER and not _may_probe(connection, name, now, lease):
        return None
    columns = [delivery.c[one] for one in ("id", "key", "member_id", "place", "lane", "urgent", "tries", "followed")]
    next_one = (
        select(delivery.c.id)
        .where(delivery.c.lane == name, *_due(now))
        .order_by(delivery.c.urgent.desc(), delivery.c.due_at, delivery.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = update(delivery).where(delivery.c.id == next_one).values(claimed_until=now + lease)
    row = connection.execute(taken.returning(*columns)).one_or_none()
    if row is None:
        if standing is not None and standing.failures >= BREAKS_AFTER:
            connection.execute(update(lane).where(lane.c.name == name).values(probed_until=None))
        return None
    return Claim(*row)


def _may_probe(connection: Connection, name: str, now: datetime, lease: timedelta) -> bool:
    probing = (
        update(lane)
        .where(lane.c.name == name, or_(lane.c.closed_until.is_(None), lane.c.closed_until <= now))
        .where(or_(lane.c.probed_until.is_(None), lane.c.probed_until <= now))
        .values(probed_until=now + lease)
    )
    return connection.execute(probing).rowcount == 1


def sent(connection: Connection, taken: Claim, now: datetime) -> None:
    """It went: the delivery has ended well, and its lane is sound."""
    _end(connection, taken.id, "sent", now, None)
    connection.execute(delete(lane).where(lane.c.name == taken.lane))


def read_already(connection: Connection, taken: Claim, now: datetime) -> None:
    """Its reader has seen all of it in the inbox: nothing needs to be sent."""
    _end(connection, taken.id, "read", now, None)
    connection.execute(update(lane).where(lane.c.name == taken.lane).values(probed_until=None))


def put_off(connection: Connection, taken: Claim, until: datetime) -> None:
    """Its reader is resting: it waits until then, and that is no try."""
    values = {"due_at": until, "claimed_until": None}
    connection.execute(update(delivery).where(delivery.c.id == taken.id).values(values))
    connection.execute(update(lane).where(lane.c.name == taken.lane).values(probed_until=None))


def rests(taken: Claim, wish: Wishes, now: datetime, zone: tzinfo) -> datetime | None:
    """Until when its reader's quiet hours hold a delivery, whichever try and channel it is; red is never held."""
    until = now if taken.urgent else wish.not_before(now, zone)
    return until if until > now else None


def failed(
    connection: Connection,
    channels: Channels,
    taken: Claim,
    outcome: Outcome,
    now: datetime,
    chance: Random,
    *,
    hopeless: bool = False,
) -> bool:
    """A try failed: wait longer, or give up after the eighth, which is an incident. True when it was given up.

    `hopeless` gives up at once: what was wrong was known before anything was sent.

    What is red goes to the person's next channel after the first failure already: two hours of trying are no answer
    to a red whistle.
    """
    tries = taken.tries + 1
    dead = hopeless or tries >= TRIES
    fault = outcome.fault
    if outcome.of_lane:
        _count_failure(connection, taken.lane, now)
    elif outcome.answered:
        # One address was refused by a service that is well: others must not wait for it.
        connection.execute(delete(lane).where(lane.c.name == taken.lane))
    else:
        connection.execute(update(lane).where(lane.c.name == taken.lane).values(probed_until=None))
    followed = taken.followed or ((dead or taken.urgent) and _follow(connection, channels, taken, now))
    if dead:
        _end(connection, taken.id, "dead", now, fault, tries=tries, followed=followed)
        why = f"delivery {taken.id} by {taken.lane.partition(':')[0]}: {fault} after {tries} tries"
        layout.note(connection, "dead_letter", why, now)
        if not followed:
            layout.note(connection, "nobody_reached", f"member {taken.member}: no further channel", now)
    else:
        wait = back_off(tries, chance)
        values = {"tries": tries, "due_at": now + wait, "claimed_until": None, "fault": fault, "followed": followed}
        connection.execute(update(delivery).where(delivery.c.id == taken.id).values(values))
    return dead


def shed(
    connection: Connection, channels: Channels, now: datetime, chance: Random, zone: tzinfo
) -> tuple[int, int, int]:
    """What is due in a closed lane has failed a try without being sent: nobody waits for a lane that may stay closed.

    How many were seen to, how many of those failed a try, and how many were given up. Whoever rests loses no try.
    """
    columns = [delivery.c[one] for one in ("id", "key", "member_id", "place", "lane", "urgent", "tries", "followed")]
    found = connection.execute(
        select(*columns)
        .join(lane, lane.c.name == delivery.c.lane)
        .where(*_due(now), lane.c.closed_until > now)
        .order_by(delivery.c.urgent.desc(), delivery.c.due_at, delivery.c.id)
        .limit(_SHED)
        .with_for_update(of=delivery, skip_locked=True)
    ).all()
    claims = [Claim(*row) for row in found]
    readers = layout.readers(connection, member.c.id.in_({one.member for one in claims})) if claims else ()
    wishes = {one.member: one for one in readers}
    tried = dead = 0
    for one in claims:
        wish = wishes.get(one.member)
        if wish is not None and (until := rests(one, wish, now, zone)) is not None:
            put_off(connection, one, until)
            continue
        tried += 1
        dead += failed(connection, channels, one, LANE_CLOSED, now, chance)
    return len(claims), tried, dead


def _follow(connection: Connection, channels: Channels, taken: Claim, now: datetime) -> bool:
    """Give the same messages to the member's next channel; False when there is none."""
    wish = next(iter(layout.readers(connection, member.c.id == taken.member)), None)
    found = wish and layout.usable(connection, channels, wish, taken.place + 1, now)
    if not found:
        return False
    place, channel = found
    number = layout.enter(connection, taken.member, place, channel, now, now, urgent=taken.urgent)
    same = select(literal(number, BigInteger), delivered_message.c.message_id).where(
        delivered_message.c.delivery_id == taken.id
    )
    connection.execute(insert(delivered_message).from_select(["delivery_id", "message_id"], same))
    return True


def _count_failure(connection: Connection, name: str, now: datetime) -> None:
    """One failure more in a row; from the fifth on the lane closes, each time for longer."""
    open_still = or_(lane.c.closed_until.is_(None), lane.c.closed_until <= now)
    counted = (
        upsert(lane)
        .values(name=name, failures=1)
        .on_conflict_do_update(
            index_elements=["name"], set_={"failures": lane.c.failures + 1, "probed_until": None}, where=open_still
        )
        .returning(lane.c.failures)
    )
    failures: int | None = connection.execute(counted).scalar_one_or_none()
    # What was under way while the lane closed says nothing new: it mustn't stay closed the longer for it.
    if failures is not None and failures >= BREAKS_AFTER:
        closed = min(CLOSED_FIRST * 2 ** min(failures - BREAKS_AFTER, 10), CLOSED_MOST)
        connection.execute(update(lane).where(lane.c.name == name).values(closed_until=now + closed))


def _end(connection: Connection, number: int, how: str, now: datetime, fault: str | None, **more: object) -> None:
    values = {"state": how, "ended_at": now, "claimed_until": None, "fault": fault, **more}
    connection.execute(update(delivery).where(delivery.c.id == number).values(values))


def _due(now: datetime) -> tuple[Any, ...]:
    free = or_(delivery.c.claimed_until.is_(None), delivery.c.claimed_until <= now)
    return delivery.c.state == "waiting", delivery.c.due_at <= now, free
