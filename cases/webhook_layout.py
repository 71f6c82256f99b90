"""From new events to webhook deliveries: whose subscription asks for them, and whose organisation may see the case."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, delete, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from cases import access
from cases.office import Session
from cases.people import KINDS_OF_ROLE
from cases.records import case, event
from cases.subscriptions import subscription, webhook_delivery, webhook_outbox
from cases.who import Actor, Post

BATCH: Final = 500
"""Events laid out in one transaction."""
# Whoever serves no case themselves is no way to see one; a mentor and a codirector see by name, not by office.
_NOBODY: Final = frozenset({"mentor", "codirector", "admin", "auditor"})


def lay_out(session: Session, now: datetime) -> int:
    """Make deliveries of up to 500 new events, for those subscribers only who may see the case; answers how many."""
    connection = session.connection
    key = (webhook_outbox.c.case_id, webhook_outbox.c.seq)
    wanted = select(*key).order_by(*key).limit(BATCH).with_for_update(skip_locked=True)
    taken = [(row.case_id, row.seq) for row in connection.execute(wanted)]
    if not taken:
        return 0
    rows: list[dict[str, Any]] = []
    named = select(event.c.case_id, event.c.seq, event.c.name).where(tuple_(event.c.case_id, event.c.seq).in_(taken))
    events = connection.execute(named.order_by(event.c.case_id, event.c.seq)).all()
    columns = (subscription.c.id, subscription.c.organisation_id, subscription.c.events)
    for one in connection.execute(select(*columns).where(subscription.c.active)).all():
        theirs = [row for row in events if _matches(row.name, one.events)]
        seen = visible(session, one.organisation_id, {row.case_id for row in theirs}, now)
        same = {"subscription_id": one.id, "created_at": now, "due_at": now}
        rows += [{**same, "case_id": row.case_id, "seq": row.seq} for row in theirs if row.case_id in seen]
    if rows:
        connection.execute(insert(webhook_delivery).values(rows).on_conflict_do_nothing())
    connection.execute(delete(webhook_outbox).where(tuple_(*key).in_(taken)))
    return len(taken)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return not {"*", f"{name.partition('.')[0]}.*", name}.isdisjoint(patterns)


def visible(session: Session, number: int, cases: set[int], now: datetime) -> set[int]:
    """Those of the cases that an organisation may see at `now`: what its members see by their office."""
    if not cases:
        return set()
    kind = session.office.directory.organisation(session.connection, number).kind
    roles = [role for role, kinds in KINDS_OF_ROLE.items() if kind in kinds and role not in _NOBODY]
    anyone = Actor(0, "", number, tuple(Post(role, number, kind) for role in roles))
    policies = session.connection.scalars(select(case.c.policy).where(case.c.id.in_(cases)).distinct()).all()
    ways = [and_(case.c.policy == one, access.visible(anyone, session.office.book_of(one), now)) for one in policies]
    return set(session.connection.scalars(select(case.c.id).where(case.c.id.in_(cases), or_(*ways))))
