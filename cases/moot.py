"""Reminders that nobody needs any more: while they waited, what they remind of was done.

A reminder waits through quiet hours, for others to be told together with, or for a channel to come back. Whoever is
told in the morning of what they did in the night stops reading reminders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, select

from cases.outbox import delivered_message
from cases.records import clock, message

REMINDERS: Final = ("reminded", "warned")
"""That a limit was overrun, and who was told of it, stays said: it happened, whatever was done since."""


def moot(connection: Connection, delivery_id: int) -> frozenset[int]:
    """The reminders of a delivery, by id, of which every clock has stopped since: met, or not owed any more."""
    columns = [message.c[name] for name in ("id", "case_id", "items")]
    found = connection.execute(
        select(*columns)
        .join(delivered_message, delivered_message.c.message_id == message.c.id)
        .where(delivered_message.c.delivery_id == delivery_id, message.c.kind.in_(REMINDERS))
    ).all()
    if not found:
        return frozenset()
    stopped = _stopped(connection, {row.case_id for row in found})
    return frozenset(
        row.id for row in found if row.items and all(_over(stopped, row.case_id, item) for item in row.items)
    )


def _over(stopped: Mapping[tuple[int, int, str], bool], case_id: int, item: Mapping[str, Any]) -> bool:
    return stopped.get((case_id, int(item.get("track", -1)), str(item.get("clock"))), False)


def _stopped(connection: Connection, cases: set[int]) -> dict[tuple[int, int, str], bool]:
    """Whether the newest clock of each name on each track of these cases has stopped: one that began anew runs."""
    columns = [clock.c[name] for name in ("case_id", "track_no", "name", "stopped_at")]
    rows = connection.execute(select(*columns).where(clock.c.case_id.in_(cases)).order_by(clock.c.case_id, clock.c.no))
    return {(row.case_id, row.track_no, row.name): row.stopped_at is not None for row in rows}
