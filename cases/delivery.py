"""Delivery: lay out what is new, send what is due, lane beside lane, and write down how it ended.

Nothing is sent inside a transaction. Whoever is killed between sending and writing it down leaves a claim that runs
out: the message is sent again, with the same key. Anybody may call `deliver`, any number side by side.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from random import Random
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from cases import lanes, layout, letters
from cases.crew import HANDS, LANES_AT_ONCE, Crew, Hand
from cases.lanes import Claim
from cases.layout import readers
from cases.moot import moot
from cases.outbox import delivery, outbox
from cases.people import member
from cases.track import Track, discover
from notifiers.channels import Channel, Channels, Outcome
from notifiers.faults import ChannelFault

if TYPE_CHECKING:
    from cases.store import Store
    from notifiers.message import Rendered
    from notifiers.render import Templates

_log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How an installation delivers. `link` is its public address, `zone` that of the policy; `window` is how long a
    reminder of a low level waits for others; `lease` has to outlast any one sending. `hands` is how many sendings
    one lane has at once while it answers; as many may be repeated, with their keys, when the process is killed.
    """

    templates: Templates
    zone: tzinfo
    link: str
    window: timedelta = timedelta(hours=1)
    lease: timedelta = timedelta(seconds=30)
    hands: int = HANDS
    chance: Random = field(default_factory=Random)
    tracks: Mapping[str, Track] = field(default_factory=discover)


@dataclass(slots=True)
class Delivered:
    """What one round did: messages laid out; tries that went, failed, were spared; deliveries given up."""

    laid_out: int = 0
    sent: int = 0
    failed: int = 0
    read: int = 0
    dead: int = 0

    def add(self, other: Delivered) -> None:
        """Count what another did too."""
        self.laid_out += other.laid_out
        self.sent += other.sent
        self.failed += other.failed
        self.read += other.read
        self.dead += other.dead


def deliver(
    store: Store, channels: Channels, now: datetime, *, manner: Manner, lanes_at_once: int = LANES_AT_ONCE
) -> Delivered:
    """Deliver everything that is due by `now`, and return when the slowest lane is done."""
    begun = time.monotonic()

    def clock() -> datetime:
        # Leases and waits count from when they are taken, however long the round lasts.
        return now + timedelta(seconds=time.monotonic() - begun)

    done, lock = Delivered(), Lock()

    def work(name: str, hand: Hand) -> None:
        part = drain(store, channels, name, clock, manner, hand)
        with lock:
            done.add(part)

    with closing(Crew(work, lanes_at_once, manner.hands)) as crew:
        while True:
            found = Delivered()
            due, more = prepare(store, channels, clock(), manner, found)
            with lock:
                done.add(found)
            crew.see_to(due)
            if not more:
                crew.wait()
                if not due:
                    return done


def prepare(store: Store, channels: Channels, now: datetime, manner: Manner, done: Delivered) -> tuple[list[str], bool]:
    """Lay out a batch of what is new, put off what is due in closed lanes; the lanes that have something to send.

    Also whether there may be more to lay out. Nobody waits with sending until everything lies there: ten thousand
    messages take a while, and a red one may come in between.
    """
    with store.begin() as connection:
        taken = layout.lay_out(connection, channels, now, manner.zone, manner.window)
    done.laid_out += taken
    seen_to = 1
    while seen_to:
        with store.begin() as connection:
            seen_to, tried, dead = lanes.shed(connection, channels, now, manner.chance, manner.zone)
        done.failed += tried
        done.dead += dead
    with store.read() as connection:
        return lanes.busy(connection, now), taken == layout.BATCH


@dataclass(frozen=True, slots=True)
class _Ready:
    """A claimed delivery with its words and its channel; no letter where nothing needs to be said any more."""

    claim: Claim
    channel: Channel | None
    letter: Rendered | None
    fault: str = ""


def drain(store: Store, channels: Channels, name: str, clock: Clock, manner: Manner, hand: Hand) -> Delivered:
    """Send what is due in one lane, one after another, until there is no more, it closes, or the hand is to stop.

    How the last one ended and the claim of the next are one transaction.
    """
    done = Delivered()
    ended: tuple[_Ready, Outcome] | None = None
    while True:
        leaves = hand.stopped() or (hand.lent and ended is not None and ended[1].of_lane)
        if leaves and ended is None:
            return done
        with store.begin() as connection:
            now = clock()
            if ended is not None:
                _settle(connection, channels, *ended, now, manner, done)
            claim = None if leaves else lanes.claim(connection, name, now, manner.lease)
            ready = _ready(connection, channels, claim, manner, now) if claim is not None else None
        if claim is None:
            return done
        if ended is not None and ended[0].letter is not None and (ended[1].sent or ended[1].answered):
            hand.found_more()
        if ready is None:
            ended = None
        elif ready.channel is None or ready.letter is None:
            ended = ready, Outcome(ready.fault)
        else:
            ended = ready, ready.channel.send(ready.letter)


def _ready(connection: Connection, channels: Channels, claim: Claim, manner: Manner, now: datetime) -> _Ready | None:
    """What is to be sent for a claim; None where its reader rests, for whom it is put off."""
    over = moot(connection, claim.id)
    written = [one for one in letters.notes(connection, claim.id) if one.id not in over]
    wish = next(iter(readers(connection, member.c.id == claim.member)), None)
    if wish is None or not written or (not claim.urgent and all(one.read for one in written)):
        return _Ready(claim, None, None)
    # Asked where it is about to leave: a try again, the next channel and what an outage delayed come this way too.
    if (until := lanes.rests(claim, wish, now, manner.zone)) is not None:
        lanes.put_off(connection, claim, until)
        return None
    if claim.place >= len(wish.channels):
        return _Ready(claim, None, None, "no_channel")
    try:
        channel = channels.open(wish.channels[claim.place], wish.recipient)
    except ChannelFault as fault:
        return _Ready(claim, None, None, fault.code)
    try:
        message = letters.composed(written, manner.tracks, manner.link)
        letter = manner.templates.render(message, wish.language, str(claim.key))
    except Exception:  # noqa: BLE001 - whatever it was
        # One message that nobody can put into words must not stand before all others of its lane.
        return _Ready(claim, None, None, "unwritable")
    return _Ready(claim, channel, letter)


def _settle(
    connection: Connection,
    channels: Channels,
    ready: _Ready,
    outcome: Outcome,
    now: datetime,
    manner: Manner,
    done: Delivered,
) -> None:
    claim = ready.claim
    if outcome.sent and ready.letter is not None:
        lanes.sent(connection, claim, now)
        done.sent += 1
    elif outcome.sent:
        lanes.read_already(connection, claim, now)
        done.read += 1
    else:
        _log.info("not delivered", extra={"delivery": claim.id, "lane": claim.lane, "fault": outcome.fault})
        done.failed += 1
        hopeless = ready.letter is None
        done.dead += lanes.failed(connection, channels, claim, outcome, now, manner.chance, hopeless=hopeless)


@dataclass(frozen=True, slots=True)
class Standing:
    """What waits, since when, and what has ended how by which kind of channel: for health pages and metrics."""

    new: int
    waiting: int
    oldest_due: datetime | None
    ended: Mapping[tuple[str, str], int]


def standing(connection: Connection, since: datetime) -> Standing:
    """How delivery stands; `ended` counts what ended after `since` by (schema, state)."""
    waits = delivery.c.state == "waiting"
    waiting, oldest = connection.execute(select(func.count(), func.min(delivery.c.due_at)).where(waits)).one()
    ended = connection.execute(
        select(delivery.c.schema, delivery.c.state, func.count())
        .where(delivery.c.state != "waiting", delivery.c.ended_at > since)
        .group_by(delivery.c.schema, delivery.c.state)
    )
    new = connection.execute(select(func.count()).select_from(outbox)).scalar_one()
    return Standing(new, waiting, oldest, {(schema, state): count for schema, state, count in ended})
