"""Webhooks at work: lay out what is new for whom, sign it, send it, write down how it ended.

One process at a time serves a subscription, for as long as a lease says; it takes several deliveries at once, sends
them outside every transaction, and settles them together. Whoever is killed in between is followed by another with the
same `webhook-id`. A receiver that hangs holds up nobody but itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

import orjson
from sqlalchemy import Connection, and_, delete, or_, select, update

from cases import layout, subscribers, webhook_secrets
from cases.lanes import BREAKS_AFTER, CLOSED_FIRST, CLOSED_MOST, TRIES, back_off
from cases.office import Session
from cases.people import organisation
from cases.records import case, event
from cases.subscriptions import subscription, webhook_delivery
from cases.webhook_layout import BATCH, lay_out, visible
from notifiers.wire import Answer, Line, WireFault, post

if TYPE_CHECKING:
    from cases.office import Office
    from cases.store import Store

_log = logging.getLogger(__name__)

AT_ONCE: Final = 10
"""Deliveries taken at once for one subscription."""
SUBSCRIBERS_AT_ONCE: Final = 16
FAILING: Final = timedelta(days=3)
"""Nothing has gone for so long: the subscription is ended, and that is an incident."""
KEPT: Final = timedelta(days=30)
"""So long the log keeps what has ended."""
_GONE: Final = 410
_OF_EVENT: Final = frozenset({400, 413, 415, 422})
"""Answers that say no to what was sent: the next one may fare better."""

Send = Callable[[str, bytes, dict[str, str], Line], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How an installation sends webhooks: its public address, how far and how long a connection may go."""

    link: str
    line: Line = field(default_factory=Line)
    chance: Random = field(default_factory=Random)
    send: Send = post

    @property
    def lease(self) -> timedelta:
        """Longer than a batch can take, however slow the receiver."""
        return self.line.within * AT_ONCE + timedelta(seconds=20)


@dataclass(slots=True)
class Sent:
    """What one round did: events laid out; tries that went and failed; deliveries withheld or given up."""

    laid_out: int = 0
    sent: int = 0
    failed: int = 0
    withheld: int = 0
    dead: int = 0

    def __iadd__(self, other: Sent) -> Self:
        self.laid_out += other.laid_out
        self.sent += other.sent
        self.failed += other.failed
        self.withheld += other.withheld
        self.dead += other.dead
        return self


@dataclass(frozen=True, slots=True)
class _Ready:
    """One delivery of a batch: its body, or none where its organisation may not see the case any more."""

    id: int
    key: UUID
    tries: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is to be sent to one subscription now, and with which secrets it is signed, the present one first."""

    subscription: int
    url: str
    secrets: tuple[bytes, ...]
    ready: tuple[_Ready, ...]


def send_due(store: Store, office: Office, now: datetime, way: Way) -> Sent:
    """Send everything that is due by `now`, subscribers beside one another; returns when the slowest is done."""
    begun = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - begun)

    done = Sent()
    taken = BATCH
    while taken == BATCH:
        with store.begin() as connection:
            taken = lay_out(Session(connection, office), clock())
        done.laid_out += taken
    with store.begin() as connection:
        connection.execute(delete(webhook_delivery).where(webhook_delivery.c.ended_at < now - KEPT))
    with store.read() as connection:
        due = busy(connection, clock())
    if due:
        with ThreadPoolExecutor(min(SUBSCRIBERS_AT_ONCE, len(due)), thread_name_prefix="webhook") as pool:
            # Each in a copy of its own: what the lines of the log belong to goes along into the thread.
            parts = [pool.submit(copy_context().run, drain, store, office, number, clock, way) for number in due]
            for part in parts:
                done += part.result()
    return done


def busy(connection: Connection, now: datetime) -> list[int]:
    """The subscriptions that have something to send now, are left alone by nobody, and aren't closed."""
    due = (
        select(webhook_delivery.c.subscription_id)
        .where(webhook_delivery.c.state == "waiting", webhook_delivery.c.due_at <= now)
        .distinct()
    )
    return list(connection.scalars(select(subscription.c.id).where(subscription.c.id.in_(due), *_free(now))))


def _free(now: datetime) -> tuple[Any, ...]:
    return (
        subscription.c.active,
        or_(subscription.c.busy_until.is_(None), subscription.c.busy_until <= now),
        or_(subscription.c.closed_until.is_(None), subscription.c.closed_until <= now),
    )


def drain(store: Store, office: Office, number: int, clock: Callable[[], datetime], way: Way) -> Sent:
    """Serve one subscription until nothing is due, its receiver fails, or somebody else is at it."""
    done = Sent()
    while True:
        with store.begin() as connection:
            batch = _take(Session(connection, office), number, clock(), way)
        if batch is None:
            return done
        answers = _sent(batch, clock, way)
        with store.begin() as connection:
            sound = _settle(Session(connection, office), batch, answers, clock(), way, done)
        if not sound:
            return done


def _take(session: Session, number: int, now: datetime, way: Way) -> _Batch | None:
    """Take the lease and the next deliveries; one alone where the receiver failed lately."""
    connection = session.connection
    held = (
        update(subscription)
        .where(subscription.c.id == number, *_free(now))
        .values(busy_until=now + way.lease)
        .returning(*(subscription.c[name] for name in
                     ("organisation_id", "url", "secret", "previous", "previous_until", "failures")))
    )  # fmt: skip
    mine = connection.execute(held).one_or_none()
    if mine is None:
        return None
    of = webhook_delivery.c
    found = connection.execute(
        select(of.id, of.key, of.tries, of.created_at, of.case_id, event.c.seq, event.c.name, event.c.at,
               event.c.track_no, event.c.kind, event.c.target, case.c.number, case.c.level, organisation.c.code)
        .outerjoin_from(webhook_delivery, event, and_(event.c.case_id == of.case_id, event.c.seq == of.seq))
        .outerjoin(case, case.c.id == of.case_id)
        .outerjoin(organisation, organisation.c.id == event.c.organisation_id)
        .where(of.subscription_id == number, of.state == "waiting", of.due_at <= now)
        .order_by(of.due_at, of.id)
        .limit(AT_ONCE if mine.failures < BREAKS_AFTER else 1)
    ).all()  # fmt: skip
    if not found:
        connection.execute(update(subscription).where(subscription.c.id == number).values(busy_until=None))
        return None
    seen = visible(session, mine.organisation_id, {row.case_id for row in found if row.case_id is not None}, now)
    ready = tuple(
        _Ready(row.id, row.key, row.tries, _body(row, way.link) if row.case_id is None or row.case_id in seen else None)
        for row in found
    )
    kept = [mine.secret]
    if mine.previous is not None and mine.previous_until > now:
        kept.append(mine.previous)
    secrets = tuple(webhook_secrets.unsealed(session.office.master, number, one) for one in kept)
    return _Batch(number, mine.url, secrets, ready)


def _body(row: Any, link: str) -> bytes:  # noqa: ANN401 - a row of the statement above
    """What is sent: numbers, names of the contract, an instant, a link. Never a person, a school or a fact."""
    if row.case_id is None:
        test = {"id": str(row.key), "link": link}
        return orjson.dumps({"type": "webhook.test", "timestamp": _instant(row.created_at), "data": test})
    track = {"no": row.track_no, "kind": row.kind, "state": row.target}
    said: dict[str, Any] = {
        "id": str(row.key),
        "number": row.number,
        "event": row.name,
        "level": row.level,
        "track": track,
        "organisation": row.code,
        "at": _instant(row.at),
        "link": f"{link}/cases/{row.number}",
    }
    return orjson.dumps({"type": row.name, "timestamp": _instant(row.at), "data": said})


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _sent(batch: _Batch, clock: Callable[[], datetime], way: Way) -> dict[int, str]:
    """Send one after another and say how each ended: an empty text where it went. Stops where the receiver fails."""
    from standardwebhooks.webhooks import Webhook

    signers = [Webhook(secret) for secret in batch.secrets]
    ended: dict[int, str] = {}
    for one in batch.ready:
        if one.body is None:
            continue
        now = clock()
        signed = " ".join(signer.sign(str(one.key), now, one.body.decode()) for signer in signers)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "whistle-and-report",
            "webhook-id": str(one.key),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signed,
        }
        try:
            answer = way.send(batch.url, one.body, headers, way.line)
        except WireFault as fault:
            ended[one.id] = fault.code
        except (OSError, ValueError) as fault:
            ended[one.id] = type(fault).__name__.lower()
        else:
            ended[one.id] = "" if 200 <= answer.status < 300 else f"answered_{answer.status}"
        if ended[one.id] and not _of_event(ended[one.id]):
            break
    return ended


def _of_event(fault: str) -> bool:
    kind, _, status = fault.partition("_")
    return kind == "answered" and status.isdecimal() and int(status) in _OF_EVENT


def _settle(session: Session, batch: _Batch, ended: dict[int, str], now: datetime, way: Way, done: Sent) -> bool:
    """Write down how a batch ended and give the lease back; whether its receiver is sound."""
    connection = session.connection
    of = webhook_delivery.c
    withheld = [one.id for one in batch.ready if one.body is None]
    went = [number for number, fault in ended.items() if not fault]
    for numbers, state in ((withheld, "withheld"), (went, "sent")):
        if numbers:
            values: dict[str, Any] = {"state": state, "ended_at": now, "fault": None}
            if state == "sent":
                values |= {"tried_at": now, "tries": of.tries + 1}
            connection.execute(update(webhook_delivery).where(of.id.in_(numbers)).values(values))
    done.withheld += len(withheld)
    done.sent += len(went)
    tries = {one.id: one.tries + 1 for one in batch.ready}
    for number, fault in ended.items():
        if fault:
            done.failed += 1
            done.dead += _put_off(connection, number, tries[number], fault, now, way)
    fault = next((one for one in ended.values() if one and not _of_event(one)), "")
    failed = next((one for one in ended.values() if one), "")
    _reckon(session, batch.subscription, now, went=bool(went), fault=fault, failed=failed)
    return not fault


def _put_off(connection: Connection, number: int, tries: int, fault: str, now: datetime, way: Way) -> bool:
    """A try failed: wait longer, or give up after the eighth. True when it was given up."""
    dead = tries >= TRIES
    values: dict[str, Any] = {"tries": tries, "tried_at": now, "fault": fault}
    values |= {"state": "dead", "ended_at": now} if dead else {"due_at": now + back_off(tries, way.chance)}
    connection.execute(update(webhook_delivery).where(webhook_delivery.c.id == number).values(values))
    return dead


def _reckon(session: Session, number: int, now: datetime, *, went: bool, fault: str, failed: str) -> None:
    """The receiver's breaker: five failures in a row close it, days of them end the subscription, 410 at once."""
    connection = session.connection
    this = select(subscription.c.failures, subscription.c.failing_since, subscription.c.active)
    standing = connection.execute(this.where(subscription.c.id == number).with_for_update()).one()
    values: dict[str, Any] = {"busy_until": None}
    if went:
        values |= {"failures": 0, "failing_since": None, "closed_until": None}
    since = (None if went else standing.failing_since) or now
    if failed:
        values["failing_since"] = since
    failures = 0 if went else standing.failures
    if fault:
        failures = min(failures + 1, 1000)
        values["failures"] = failures
        if failures >= BREAKS_AFTER:
            closed = min(CLOSED_FIRST * 2 ** min(failures - BREAKS_AFTER, 10), CLOSED_MOST)
            values["closed_until"] = now + closed
    why = (
        "gone" if fault == f"answered_{_GONE}" else "failing" if failures >= TRIES and now - since >= FAILING else None
    )
    if why is not None and standing.active:
        values |= {"active": False, "why_not": why}
        told = f"{subscribers.incident_of(number)}{failed} since {since:%Y-%m-%d %H:%M}"
        layout.note(connection, subscribers.ENDED, told, now)
        subscribers.give_up(session, number, why, now)
        _log.warning("a webhook was ended", extra={"subscription": number, "fault": failed})
    connection.execute(update(subscription).where(subscription.c.id == number).values(values))
