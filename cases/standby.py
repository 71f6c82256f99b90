"""The dead-man switch: when no sweep has finished for three intervals, somebody else sweeps, and it is told once.

Whoever has the time to look calls `look`: the process of the web pages, the runner beside the orchestrator. It only
says what is so and writes the incident; the caller sweeps while `Look.standby` is true. By which door a sweep came
doesn't matter, the orchestrator's or a person's timer, save the standby's own: that one is the way out, not the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, func, insert, select, text, update

from cases import heartbeat, notices
from cases.records import incident

if TYPE_CHECKING:
    from cases.heartbeat import Beat, Door
    from cases.store import Store

SWEEP: Final = "sweep"
STOPPED: Final = "sweep_stopped"
MISSED: Final = 3
"""So many intervals without a finished sweep, and the standby takes over."""
_SWEEPERS: Final[tuple[Door, ...]] = ("orchestrator", "person")
_TOLD: Final = {"city": ("supervisor", "admin")}
_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('whistle standby', 0))")


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found: since when nobody sweeps, and whether the standby has to.

    `began` and `ended` are true for the one look that opened or closed the incident.
    """

    standby: bool
    silent_since: datetime
    began: bool = False
    ended: bool = False


def look(store: Store, now: datetime, every: timedelta, since: datetime) -> Look:
    """Open or close the incident, whichever is due. `since` is when the caller began to watch.

    Whoever was silent before that gets three intervals from then on.
    """
    with store.read() as connection:
        beat = heartbeat.last(connection, SWEEP, *_SWEEPERS)
        heard = max(since, beat.finished_at) if beat is not None else since
        running = stopped_since(connection) is not None
    standby = now - heard > MISSED * every
    if standby and not running:
        return Look(standby=True, silent_since=heard, began=_open(store, now, heard))
    if running and not standby and beat is not None and beat.finished_at >= since and _regular(beat, every):
        return Look(standby=False, silent_since=heard, ended=_close(store, now))
    return Look(standby=standby, silent_since=heard)


def _regular(beat: Beat, every: timedelta) -> bool:
    """Whether more will follow: one sweep by hand lends three intervals, but doesn't end an outage."""
    if beat.door == "orchestrator":
        return True
    return beat.before is not None and beat.finished_at - beat.before <= MISSED * every


def stopped_since(connection: Connection) -> datetime | None:
    """Since when the incident is open; None while all is well. What the banner and the health page ask."""
    found = select(func.min(incident.c.at)).where(incident.c.kind == STOPPED, incident.c.ended_at.is_(None))
    at: datetime | None = connection.scalar(found)
    return None if at is None else at.astimezone(UTC)


def _open(store: Store, now: datetime, heard: datetime) -> bool:
    with store.begin() as connection:
        # Several processes watch: one of them writes the incident, the others find it written.
        connection.execute(_ALONE)
        if stopped_since(connection) is not None:
            return False
        why = f"no sweep finished since {heard.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        new = insert(incident).values(at=now, kind=STOPPED, why=why).returning(incident.c.id)
        number = connection.scalar(new)
        letter = ("orange", [{"incident": number, "since": heard.isoformat()}])
        held = notices.holders(connection, _TOLD, now.date())
        to = {one: letter for members in held.values() for one in members}
        notices.post_once(connection, f"{STOPPED}:{number}", "stalled", to, now)
        return True


def _close(store: Store, now: datetime) -> bool:
    with store.begin() as connection:
        ended = update(incident).where(incident.c.kind == STOPPED, incident.c.ended_at.is_(None)).values(ended_at=now)
        return connection.execute(ended.returning(incident.c.id)).first() is not None
