"""The rounds: what is done at regular times, each a plain function that anybody may call as often as they like.

Prefect's flows (`workflows`), the standby and `whistle run` all come through `go`, which leaves the heartbeat and ties
the lines of one run in the log together.
A round answers with numbers and names of organisations, never with a person.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cases import (
    archive,
    asked_twice,
    bulletin,
    clearing,
    digest,
    file_copies,
    heartbeat,
    retention,
    sealing,
    seals,
    standing,
    tallies,
    throttle,
    tracking,
    wake,
)
from cases.belonging import a_run

if TYPE_CHECKING:
    from cases.heartbeat import Door
    from cases.installation import Installation
    from cases.office import Office

_log = logging.getLogger(__name__)

Deliver = Callable[["Premises", datetime], Mapping[str, Any]]
"""Sends what waits to be sent; given from outside, because channels and networks are settings of the door."""


@dataclass(slots=True)
class Premises:
    """Where the rounds are made: an installation, its home, and the folders elsewhere that take seals and back-ups.

    `clock` is what a long-lived process reads the time from; a round itself is given the instant.
    """

    kept: Installation
    home: Path
    seals: Path
    deliver: Deliver | None = None
    webhooks: Deliver | None = None
    backups: Path | None = None
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _office: Office | None = None

    def office(self) -> Office:
        """The engine room, kept between rounds: a sweep every few seconds must not read the directory anew."""
        if self._office is None:
            self._office = self.kept.office()
        return self._office

    def office_now(self) -> Office:
        """The same, with the policy that is active now: somebody may have activated another one meanwhile."""
        office = self.office()
        office.current = self.kept.active()
        return office


Round = Callable[[Premises, datetime, Mapping[str, Any]], dict[str, Any]]


def go(premises: Premises, name: str, door: Door, now: datetime, **given: Any) -> dict[str, Any]:  # noqa: ANN401
    """Make one round at that instant, and leave its heartbeat once it has ended well. Raises what the round raises."""
    begun = time.perf_counter()
    with a_run():
        done = ROUNDS[name](premises, now, given)
        heard = name
        if name == "retention" and not given.get("apply"):
            heard = retention.LISTED
        elif given.get("district"):
            heard = f"{name}:{given['district']}"
        took = time.perf_counter() - begun
        heartbeat.beat(premises.kept.store, heard, door, now, timedelta(seconds=took), done)
    return done


def sweep(premises: Premises, now: datetime, _: Mapping[str, Any]) -> dict[str, Any]:
    """Deadlines, rungs of the ladder, whatever `wake_at` says."""
    kept = premises.kept
    swept = wake.sweep(kept.store, premises.office(), now)
    counts = {"cases": swept.cases, "fired": swept.fired, "aside": swept.aside}
    return {**counts, "lag_seconds": round(swept.lag.total_seconds(), 3)}


def deliver(premises: Premises, now: datetime, _: Mapping[str, Any]) -> dict[str, Any]:
    """Send what waits; without channels nothing waits, because the inbox holds every message already."""
    return {} if premises.deliver is None else dict(premises.deliver(premises, now))


def webhooks(premises: Premises, now: datetime, _: Mapping[str, Any]) -> dict[str, Any]:
    """Send other systems what they subscribed to."""
    return {} if premises.webhooks is None else dict(premises.webhooks(premises, now))


def joint_tracking(premises: Premises, now: datetime, given: Mapping[str, Any]) -> dict[str, Any]:
    """Wake what is due, then draw the sheet of each district, or of the one whose code is given as `district`."""
    kept = premises.kept
    office = premises.office_now()
    swept = wake.sweep(kept.store, office, now)
    with kept.store.read() as connection:
        drawn = tracking.sheets(connection, office.book_of, now, district=given.get("district"))
    listed = [
        {
            "code": one.code,
            "district": one.district,
            "tracked": one.tracked,
            "open": len(one.owing) - one.missed,
            "missed": one.missed,
            "soon": one.soon,
            "regrades": one.regrades,
        }
        for one in drawn
    ]
    return {"fired": swept.fired, "districts": listed}


def missing(premises: Premises, now: datetime, district: str) -> list[dict[str, Any]]:
    """The rows of a district's sheet: case, week, the sides whose part is missing, since when. No person."""
    office = premises.office()
    with premises.kept.store.read() as connection:
        drawn = tracking.sheets(connection, office.book_of, now, district=district)
    return [owing.row() for one in drawn for owing in one.owing]


def send_digest(premises: Premises, now: datetime, _: Mapping[str, Any]) -> dict[str, Any]:
    """The morning's digest, on a working day."""
    return {"messages": digest.send(premises.kept.store, premises.office_now(), now)}


def send_bulletin(premises: Premises, now: datetime, given: Mapping[str, Any]) -> dict[str, Any]:
    """The bulletin of the month before, or of the `month` given (its first day).

    Before `scheduled`, where a run was planned for that instant: it may come weeks after its time.
    """
    kept = premises.kept
    office = premises.office_now()
    planned: datetime = given.get("scheduled") or now
    today = planned.astimezone(office.book_of(office.current).tz).date()
    month: date = given.get("month") or bulletin.month_before(today)
    sent = bulletin.send(kept.store, office.book_of, month, now)
    with kept.store.read() as connection:
        entered = len(bulletin.entries(connection, office.book_of, month))
    return {"month": f"{month:%Y-%m}", "entries": entered, "messages": sent}


def seal(premises: Premises, now: datetime, given: Mapping[str, Any]) -> dict[str, Any]:
    """The hour's seal; `thorough` for the day's."""
    kept = premises.kept
    signer = seals.signer(premises.home)
    sealed = sealing.seal(
        kept.store, premises.office_now(), premises.seals, signer, now, thorough=bool(given.get("thorough"))
    )
    if sealed.broken:
        _log.error("the histories don't fit their seals", extra={"found": len(sealed.broken)})
    return {"file": sealed.path.name, "cases": sealed.cases, "broken": list(sealed.broken[:10])}


def retain(premises: Premises, now: datetime, given: Mapping[str, Any]) -> dict[str, Any]:
    """List whose term is over; with `apply` forget those whom a list of a week ago named. Clears the shelf too."""
    kept = premises.kept
    kept.keystore.expire_copies(now)
    kept.keystore.unsent.clear(now)
    with kept.store.begin() as connection:
        asked_twice.expire(connection, now)
        standing.clear(connection, now)
        throttle.clear(connection, now)
    office = premises.office_now()
    cleared = {}
    if office.shelf is not None:
        done = clearing.clear(kept.store, office.shelf, now)
        cleared = {"uploads": done.uploads, "contents": done.contents}
    if given.get("apply"):
        gone = retention.erase(kept.store, office, now)
        return {"forgotten": len(gone), "cases": [number for one in gone for number in one.cases], **cleared}
    today = now.astimezone(office.book_of(office.current).tz).date()
    with kept.store.read() as connection:
        over = retention.due(connection, office.book_of, today)
    return {"due": len(over), "cases": [number for one in over for number in one.cases], **cleared}


def back_up(premises: Premises, now: datetime, _: Mapping[str, Any]) -> dict[str, Any]:
    """The day's back-up of the cases and their files into the folder that is set, and the end of old ones."""
    kept = premises.kept
    done = archive.daily(kept.store, kept.master, premises.backups, now)
    if premises.backups is not None and kept.shelf is not None:
        done["files"] = file_copies.copy_out(kept.store, kept.shelf, premises.backups, now).as_dict()
    return done


def copy_keys(premises: Premises, now: datetime, _: Mapping[str, Any]) -> dict[str, Any]:
    """The day's copy of the key store, and the end of those whose time is over. Safe to repeat: each is another."""
    path = premises.kept.keystore.export_copy(now)
    return {"file": path.name, "ended": len(premises.kept.keystore.expire_copies(now))}


def tally(premises: Premises, now: datetime, given: Mapping[str, Any]) -> dict[str, Any]:
    """Count for the statistics what has changed; `thorough` looks through everything."""
    office = premises.office_now()
    zone = office.book_of(office.current).tz
    done = tallies.refresh(premises.kept.store, zone, now, whole=bool(given.get("thorough")))
    return {"parts": done.parts, "whole": done.whole, "busy": done.busy}


ROUNDS: Final[Mapping[str, Round]] = {
    "sweep": sweep,
    "deliver": deliver,
    "webhooks": webhooks,
    "joint_tracking": joint_tracking,
    "tally": tally,
    "digest": send_digest,
    "bulletin": send_bulletin,
    "seal": seal,
    "retention": retain,
    "backup": back_up,
    "keys": copy_keys,
}
