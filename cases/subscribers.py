"""Who subscribes: an organisation's admin says where its events go, draws the secret, looks at what was sent.

The secret that signs what is sent is shown once, when it is drawn. Nobody but an admin of the organisation knows that a
subscription exists.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Row, func, insert, select, text, update

from cases import webhook_secrets
from cases.records import event, incident
from cases.refusal import FieldFault, Refusal
from cases.subscriptions import subscription, webhook_delivery
from notifiers.wire import Line, reachable

if TYPE_CHECKING:
    from cases.directory import Actor
    from cases.office import Session
    from notifiers.wire import Network

MOST: Final = 20
"""Subscriptions of one organisation."""
ENDED: Final = "webhook_ended"
"""The kind of incident that a subscription is which nobody answers any more."""
OVERLAP: Final = timedelta(hours=24)
"""So long the secret before the present one signs too, so that a receiver can change over in its own time."""
_LONGEST: Final = 500
_PATTERN: Final = re.compile(r"\*|([a-z_]{1,40})\.(\*|[a-z_]{1,60})")
_COLUMNS: Final = ("id", "organisation_id", "url", "events", "active", "why_not", "created_at", "previous_until",
                   "failures", "failing_since", "closed_until")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription as its admin sees it: without its secret. `why_not` says why nothing is sent."""

    id: int
    organisation: int
    url: str
    events: tuple[str, ...]
    active: bool
    why_not: str | None
    created_at: datetime
    previous_until: datetime | None
    failures: int
    failing_since: datetime | None
    closed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery of the log. `key` is its `webhook-id`; event is None for a test.

    Which case it told of isn't said: an admin sees none.
    """

    id: int
    key: UUID
    event: str | None
    state: str
    tries: int
    created_at: datetime
    due_at: datetime
    tried_at: datetime | None
    ended_at: datetime | None
    fault: str | None


def subscribe(
    session: Session,
    actor: Actor,
    url: str,
    events: Sequence[str],
    now: datetime,
    *,
    inside: tuple[Network, ...] = (),
    organisation: int | None = None,
) -> tuple[Subscription, str]:
    """Subscribe an organisation that the actor is admin of, and draw the secret, which is shown this once.

    `inside` are the inner networks that a receiver may live in. Refuses not_permitted, invalid.
    """
    theirs = _administered(actor)
    number = theirs[0] if organisation is None else organisation
    if number not in theirs:
        raise Refusal("not_permitted", who_can=("admin",))
    wanted = _events(session, events)
    there = _url(url, inside)
    _some_left(session, number)
    drawn = int(session.connection.scalar(text("SELECT nextval(pg_get_serial_sequence('subscription', 'id'))")) or 0)
    secret = webhook_secrets.drawn()
    values = {
        "id": drawn,
        "organisation_id": number,
        "url": there,
        "events": wanted,
        "secret": webhook_secrets.sealed(session.office.master, drawn, secret),
        "created_at": now,
        "created_by": actor.member_id,
    }
    session.connection.execute(insert(subscription).values(values))
    return one(session, actor, drawn), webhook_secrets.spoken(secret)


def every(session: Session, actor: Actor) -> list[Subscription]:
    """The subscriptions of the organisations that the actor is admin of; refuses not_permitted to all others."""
    wanted = _listed(_administered(actor))
    return [_read(row) for row in session.connection.execute(wanted.order_by(subscription.c.id))]


def one(session: Session, actor: Actor, number: int) -> Subscription:
    """One of them; refuses not_found, also where it is somebody else's."""
    wanted = _listed(_administered(actor)).where(subscription.c.id == number)
    row = session.connection.execute(wanted).one_or_none()
    if row is None:
        raise Refusal("not_found")
    return _read(row)


def change(
    session: Session,
    actor: Actor,
    number: int,
    now: datetime,
    *,
    url: str | None = None,
    events: Sequence[str] | None = None,
    active: bool | None = None,
    inside: tuple[Network, ...] = (),
) -> Subscription:
    """Another address, other events, paused or sent to again. Beginning again forgets earlier failures."""
    one(session, actor, number)
    values: dict[str, Any] = {}
    if url is not None:
        values["url"] = _url(url, inside)
    if events is not None:
        values["events"] = _events(session, events)
    if active is not None:
        values |= {"active": active, "why_not": None if active else "paused"}
    if url is not None or active:
        values |= {"failures": 0, "failing_since": None, "closed_until": None}
    if active:
        _looked_after(session, number, now)
    if values:
        session.connection.execute(update(subscription).where(subscription.c.id == number).values(values))
    return one(session, actor, number)


def remove(session: Session, actor: Actor, number: int, now: datetime) -> None:
    """Send nothing more, for good; what waited is given up. The log stays until its time is over."""
    one(session, actor, number)
    values = {"active": False, "why_not": "removed", "previous": None, "previous_until": None}
    session.connection.execute(update(subscription).where(subscription.c.id == number).values(values))
    give_up(session, number, "removed", now)
    _looked_after(session, number, now)


def rotate(session: Session, actor: Actor, number: int, now: datetime) -> str:
    """Draw another secret, shown this once. The one before it signs too for a day."""
    one(session, actor, number)
    secret = webhook_secrets.drawn()
    values = {
        "previous": subscription.c.secret,
        "previous_until": now + OVERLAP,
        "secret": webhook_secrets.sealed(session.office.master, number, secret),
    }
    session.connection.execute(update(subscription).where(subscription.c.id == number).values(values))
    return webhook_secrets.spoken(secret)


def try_out(session: Session, actor: Actor, number: int, now: datetime) -> Sent:
    """Lay out a `webhook.test`, which tells of no case; how it went stands in the log."""
    if not one(session, actor, number).active:
        raise Refusal("wrong_state", state="paused", kind="webhook")
    values = {"subscription_id": number, "created_at": now, "due_at": now}
    drawn = session.connection.scalar(insert(webhook_delivery).values(values).returning(webhook_delivery.c.key))
    return _sent(session, number, drawn)


def log(session: Session, actor: Actor, number: int, *, before: int | None = None, most: int = 50) -> list[Sent]:
    """What was sent and what waits, newest first; `before` is the id of the last one that was read already."""
    one(session, actor, number)
    wanted = _logged(number).order_by(webhook_delivery.c.id.desc()).limit(most)
    if before is not None:
        wanted = wanted.where(webhook_delivery.c.id < before)
    return [Sent(*row) for row in session.connection.execute(wanted)]


def replay(session: Session, actor: Actor, number: int, key: UUID, now: datetime) -> Sent:
    """Send one again, with the same `webhook-id`; whether its organisation may see the case is asked anew."""
    if not one(session, actor, number).active:
        raise Refusal("wrong_state", state="paused", kind="webhook")
    _sent(session, number, key)
    values = {"state": "waiting", "tries": 0, "due_at": now, "ended_at": None, "fault": None}
    which = (webhook_delivery.c.subscription_id == number, webhook_delivery.c.key == key)
    session.connection.execute(update(webhook_delivery).where(*which).values(values))
    return _sent(session, number, key)


def incident_of(number: int) -> str:
    """How the incident begins that the end of a subscription is."""
    return f"subscription {number}: "


def _looked_after(session: Session, number: int, now: datetime) -> None:
    """Somebody has seen to a subscription that had ended: its incident is over."""
    this = (incident.c.kind == ENDED, incident.c.why.startswith(incident_of(number)), incident.c.ended_at.is_(None))
    session.connection.execute(update(incident).where(*this).values(ended_at=now))


def give_up(session: Session, number: int, fault: str, now: datetime) -> None:
    """What waits for this subscription will not be sent."""
    waits = (webhook_delivery.c.subscription_id == number, webhook_delivery.c.state == "waiting")
    values = {"state": "dead", "ended_at": now, "fault": fault}
    session.connection.execute(update(webhook_delivery).where(*waits).values(values))


def _administered(actor: Actor) -> list[int]:
    theirs = [post.organisation_id for post in actor.posts if post.role == "admin"]
    if not theirs:
        raise Refusal("not_permitted", who_can=("admin",))
    return theirs


def _events(session: Session, events: Sequence[str]) -> list[str]:
    """Refuse what no track will ever tell: a typing error would else be silence."""
    tracks = session.office.tracks
    for wanted in events:
        found = _PATTERN.fullmatch(wanted)
        if found is None or (found[1] is not None and found[1] not in tracks):
            raise Refusal("invalid", faults=(FieldFault("events", "unknown_event", {"event": wanted[:80]}),))
    if not 0 < len(events) <= 50:
        raise Refusal("invalid", faults=(FieldFault("events", "too_many" if events else "missing"),))
    return sorted(set(events))


def _url(url: str, inside: tuple[Network, ...]) -> str:
    """An address that may be sent to as far as can be told now; what a name leads to is looked at each time."""

    def fault(code: str) -> Refusal:
        return Refusal("invalid", faults=(FieldFault("url", code),))

    if len(url) > _LONGEST:
        raise fault("too_long")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise fault("wrong_form") from None
    plain = url.isprintable() and not any(sign.isspace() for sign in url)
    if parts.scheme not in {"https", "http"} or not host or "@" in parts.netloc or parts.fragment or not plain:
        raise fault("wrong_form")
    try:
        there = ipaddress.ip_address(host)
    except ValueError:
        there = None
    if host == "localhost" or (there is not None and not reachable(there, Line(inside=inside))):
        raise fault("inside")
    known = there is not None and any(there in one for one in inside if one.version == there.version)
    if parts.scheme == "http" and not known:
        raise fault("needs_https")
    return url


def _some_left(session: Session, organisation: int) -> None:
    counted = select(func.count()).where(
        subscription.c.organisation_id == organisation, subscription.c.why_not.is_distinct_from("removed")
    )
    if int(session.connection.scalar(counted) or 0) >= MOST:
        raise Refusal("invalid", faults=(FieldFault("url", "too_many", {"most": str(MOST)}),))


def _listed(organisations: list[int]) -> Any:  # noqa: ANN401 - a statement
    standing = subscription.c.why_not.is_distinct_from("removed")
    columns = [subscription.c[name] for name in _COLUMNS]
    return select(*columns).where(subscription.c.organisation_id.in_(organisations), standing)


def _read(row: Row[Any]) -> Subscription:
    return Subscription(row[0], row[1], row[2], tuple(row[3]), *row[4:])


def _logged(number: int) -> Any:  # noqa: ANN401 - a statement
    of = webhook_delivery.c
    about = (event.c.case_id == of.case_id) & (event.c.seq == of.seq)
    times = (of.created_at, of.due_at, of.tried_at, of.ended_at)
    return (
        select(of.id, of.key, event.c.name, of.state, of.tries, *times, of.fault)
        .outerjoin_from(webhook_delivery, event, about)
        .where(of.subscription_id == number)
    )


def _sent(session: Session, number: int, key: UUID | None) -> Sent:
    row = session.connection.execute(_logged(number).where(webhook_delivery.c.key == key)).one_or_none()
    if row is None:
        raise Refusal("not_found")
    return Sent(*row)
