"""Tries that fail too often are slowed down, by account and by network, for all processes together.

A try is counted before it is made, so that a hundred at once don't pass as one; one that succeeds is forgotten.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from cases.accounts import throttle

if TYPE_CHECKING:
    from cases.vault import MasterKey


@dataclass(frozen=True, slots=True)
class Pace:
    """After `free` tries within `window` the next has to wait: `first`, then twice that, up to `most`."""

    name: str
    free: int
    window: timedelta
    first: timedelta
    most: timedelta


ACCOUNT: Final = Pace("account", 5, timedelta(hours=1), timedelta(seconds=30), timedelta(minutes=15))
# A whole school, or a whole district's offices, may come from one address.
ADDRESS: Final = Pace("address", 50, timedelta(minutes=15), timedelta(minutes=1), timedelta(minutes=15))
CODE: Final = Pace("code", 5, timedelta(hours=1), timedelta(seconds=30), timedelta(minutes=15))
ONE_TIME: Final = Pace("one-time", 5, timedelta(hours=1), timedelta(minutes=1), timedelta(hours=1))


def key_of(master: MasterKey, pace: Pace, what: str) -> bytes:
    """What a try is counted under: says nothing about whom to whoever reads the table."""
    return hmac.digest(master.index, f"throttle\0{pace.name}\0{what}".encode(), "sha256")


def take(connection: Connection, key: bytes, pace: Pace, now: datetime) -> timedelta | None:
    """Count one try. None: it may be made; else how long to wait, and then nothing was counted."""
    connection.execute(insert(throttle).values(key=key, count=0, since=now).on_conflict_do_nothing())
    tried = select(throttle.c.count.label("tries"), throttle.c.since, throttle.c.closed_until)
    row = connection.execute(tried.where(throttle.c.key == key).with_for_update()).one()
    closed = None if row.closed_until is None else row.closed_until.astimezone(UTC)
    if closed is not None and now < closed:
        return timedelta(seconds=(closed - now).total_seconds())
    faded = now - row.since > pace.window
    count = 1 if faded else row.tries + 1
    until = None
    if count >= pace.free:
        until = now + min(pace.first * 2 ** min(count - pace.free, 20), pace.most)
    values = {"count": count, "since": now, "closed_until": until}
    connection.execute(update(throttle).where(throttle.c.key == key).values(**values))
    return None


def forget(connection: Connection, key: bytes) -> None:
    """It succeeded: what failed before counts no more."""
    connection.execute(delete(throttle).where(throttle.c.key == key))


def give_back(connection: Connection, key: bytes, pace: Pace) -> None:
    """It succeeded: this one try isn't counted, others of the same network are."""
    row = throttle.c.key == key
    fewer = {"count": throttle.c.count - 1, "closed_until": None}
    connection.execute(update(throttle).where(row, throttle.c.count <= pace.free).values(**fewer))


def clear(connection: Connection, now: datetime) -> int:
    """Drop what has faded; how many."""
    old = throttle.c.since < now - timedelta(days=1)
    return connection.execute(delete(throttle).where(old)).rowcount
