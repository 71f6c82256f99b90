"""What time does to a case: the rungs and alarms that are due, in the order in which they stand.

`sweep` is called by anybody as often as they like: it claims cases whose `wake_at` has come, any number of workers
side by side, and each rung fires exactly once whoever is killed.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from cases import incidents, ledger, moves, owing, telling
from cases.claims import Claims
from cases.office import Session
from cases.records import case, incident
from cases.store_fault import StoreFault, told_plainly
from policies.ladder import BREACH

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from cases.casefile import Record
    from cases.clockwork import Clock
    from cases.office import Office
    from cases.sitting import Sitting
    from cases.store import Store

_log = logging.getLogger(__name__)

SUPERVISED = "assignment"
"""The ladder opens a supervision order only for clocks of an assignment."""
BATCH = 500
"""Cases in one transaction of a sweep."""
MOST_AT_ONCE = 1_000
"""More rungs than any history can owe at one waking: beyond it the case is faulty and is set aside."""
ASIDE_FIRST = timedelta(minutes=1)
ASIDE_MOST = timedelta(hours=6)
ASIDE_DOUBLINGS = 10
"""Enough to reach the longest wait; without an end the doubling would leave the calendar after six weeks."""


class Restless(RuntimeError):
    """A case that never comes to rest: its clocks ask for a thousand rungs at one waking."""


class Sleeper(RuntimeError):
    """A case whose row says that its time has come while nothing of it is due: woken again and again, it'd stay so."""


def catch_up(sitting: Sitting, *, begin: bool = True) -> int:
    """Fire what is due at the sitting's instant and return how many rungs and alarms that were.

    With `begin` it is a waking of its own, and tells people for itself; else it belongs to the move just made.
    """
    now = sitting.now
    if begin and (sitting.case.wake is None or sitting.case.wake > now):
        return 0
    if begin:
        sitting.begin_group()
    moved = False
    for done in range(MOST_AT_ONCE):
        due = _next(sitting, now)
        if due is None:
            if moved and begin:
                moves.follow_through(sitting)
            return done
        if isinstance(due, tuple):
            moved |= _fire_rung(sitting, due[0], due[1])
        else:
            _ring(sitting, due)
            moved = True
    raise Restless(sitting.case.number)


def _next(sitting: Sitting, now: datetime) -> tuple[Record, Clock] | Record | None:
    """The earliest alarm or rung that is due; an alarm before a rung of the same instant."""
    best: tuple[Record, Clock] | Record | None = None
    at = now
    for clock in sitting.case.clocks.awake(now):
        wake = clock.wake
        if wake is not None and (wake < at or (wake == at and best is None)):
            record = sitting.case.track(clock.track)
            if record is not None:
                best, at = (record, clock), wake
    for record in sitting.case.tracks.values():
        if record.alarm is not None and record.alarm <= at:
            best, at = record, record.alarm
    return best


def _ring(sitting: Sitting, record: Record) -> None:
    """Time pulls the move that a track waits for."""
    move = record.alarm_move
    record.alarm = record.alarm_move = None
    record.dirty = True
    if move is not None:
        moves.pull(moves.desk_for(sitting, record), record, move, {})


def _fire_rung(sitting: Sitting, record: Record, clock: Clock) -> bool:
    """One rung of one clock: its event, the people it tells, the order it opens, the move that a breach pulls.

    True when it moved a track: then the case as a whole may have to follow.
    """
    rung = sitting.book.ladder[clock.face.rung]
    stood = clock.face.wake
    occurrence = sitting.happen(
        record, f"{record.kind}.{clock.name}.{rung.name}", f"{clock.name}.{rung.name}", record.state
    )
    occurrence.target = record.state
    occurrence.open = {
        "stood_at": stood.isoformat() if stood is not None else None,
        "due": clock.face.due.isoformat(),
        "percent": rung.percent,
    }
    if rung.bulletin:
        # What was published must not move to another organisation when the duty does, at a redirection for one.
        owners = sitting.declaration(record).clock_kinds[clock.name].owners(sitting.case, record)
        occurrence.open["owed_by"] = owing.first(owners, sitting.case, record) or clock.organisation
    sitting.signal(occurrence, clock, "rung")
    telling.tell_rung(sitting, record, clock, rung)
    moved = False
    if rung.percent == BREACH:
        breach = sitting.declaration(record).clock_kinds[clock.name].on_breach
        if breach is not None:
            desk = moves.desk_for(sitting, record)
            desk.occurrence = occurrence
            moves.pull(desk, record, breach, {})
            moved = True
    if rung.supervises and record.kind == SUPERVISED and not _under_order(sitting, record):
        desk = moves.desk_for(sitting, record)
        desk.occurrence = occurrence
        desk.open("supervision", organisation=record.organisation, about=record.no, facts={"by_ladder": clock.name})
    return moved


def _under_order(sitting: Sitting, record: Record) -> bool:
    """One open order for an assignment; later rungs join it."""
    ends = sitting.session.office.tracks["supervision"].ends
    return any(one.about == record.no and one.state not in ends for one in sitting.case.of_kind("supervision"))


@dataclass(slots=True)
class Swept:
    """What a sweep did: cases woken, rungs and alarms fired, cases set aside, and how late the latest rung fell."""

    cases: int = 0
    fired: int = 0
    aside: int = 0
    lag: timedelta = timedelta(0)


def sweep(store: Store, office: Office, now: datetime, *, most: int | None = None) -> Swept:
    """Wake every case whose time has come by `now`, batch by batch, each batch one transaction.

    Idempotent, and safe beside any number of others. A batch that fails is halved until the faulty case stands
    alone; that one is set aside (back-off, incident) and holds up nobody. `most` bounds the cases of this call.
    """
    swept = Swept()
    left = most
    with _uncollected(), Claims(store, office, now) as claims:
        while left is None or left > 0:
            size = BATCH if left is None else min(BATCH, left)
            left = None if left is None else left - size
            follows = 0 if left == 0 else BATCH if left is None else min(BATCH, left)
            if _sweep_batch(claims, size, swept, follows) < size:
                break
    return swept


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the cycle collector off: a batch makes a hundred thousand objects and no cycle among them.

    What is looked through again and again would cost a sixth of the sweep. Reference counts free a batch at its end.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _sweep_batch(claims: Claims, size: int, swept: Swept, follows: int = 0) -> int:
    """One batch; where it fails, its halves. The number of cases that were taken. `follows` are wanted after it."""
    if size == 1:
        return _sweep_alone(claims.store, claims.office, claims.now, swept)
    now = claims.now
    try:
        claim = claims.take(size)
        with claim.until:
            sittings = claim.sittings
            if follows and len(sittings) == size:
                claims.look_ahead(follows)
            lag = max((_late(one, now) for one in sittings), default=timedelta(0))
            fired = sum(_wake(sitting) for sitting in sittings)
            ledger.put(claim.session, sittings)
    except StoreFault:
        # The database as a whole: no case is at fault, whoever called tries again.
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it must not hold up the others
        claims.forgo()
        half = size // 2
        return sum(_sweep_batch(claims, part, swept) for part in (half, size - half))
    swept.cases += len(sittings)
    swept.fired += fired
    swept.lag = max(swept.lag, lag)
    return len(sittings)


def _sweep_alone(store: Store, office: Office, now: datetime, swept: Swept) -> int:
    """Wake the first due case by itself. Where that fails it is set aside, still under its lock.

    Were the lock let go in between, another worker could take the case, and the next one, which nothing is wrong
    with, would be set aside in its place.
    """
    first = (
        select(case.c.id, case.c.number, case.c.aside_count)
        .where(case.c.wake_at <= now, or_(case.c.aside_until.is_(None), case.c.aside_until <= now))
        .order_by(case.c.wake_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    with store.begin() as connection:
        row = connection.execute(first).one_or_none()
        if row is None:
            return 0
        try:
            with told_plainly(store.where), connection.begin_nested():
                sitting = ledger.take(Session(connection, office), row.id, None, now)
                lag = _late(sitting, now)
                fired = _wake(sitting)
                ledger.put(sitting.session, [sitting])
        except StoreFault:
            raise
        except Exception as fault:  # noqa: BLE001 - as above
            _set_aside(connection, row, now, fault)
            swept.aside += 1
            return 1
    swept.cases += 1
    swept.fired += fired
    swept.lag = max(swept.lag, lag)
    return 1


def _wake(sitting: Sitting) -> int:
    """Fire what is due of a case that was claimed. Raises Sleeper and Restless: such a case is set aside."""
    fired = catch_up(sitting)
    if not fired:
        raise Sleeper(sitting.case.number)
    return fired


def _late(sitting: Sitting, now: datetime) -> timedelta:
    """By how much the earliest thing that is due comes too late."""
    return timedelta(0) if sitting.case.wake is None else now - sitting.case.wake


def _set_aside(connection: Connection, row: Row[Any], now: datetime, fault: Exception) -> None:
    """Leave a case alone for a while, longer each time, and write the incident: one, however often it is tried."""
    wait = min(ASIDE_FIRST * 2 ** min(row.aside_count, ASIDE_DOUBLINGS), ASIDE_MOST)
    connection.execute(
        update(case).where(case.c.id == row.id).values(aside_until=now + wait, aside_count=case.c.aside_count + 1)
    )
    # The kind of fault, never its text: a driver's message may quote a row.
    why = f"{type(fault).__name__} at the waking of {row.number}"
    new = insert(incident).values(at=now, kind=incidents.ASIDE, case_id=row.id, why=why)
    open_one = text(f"kind = '{incidents.ASIDE}' AND ended_at IS NULL")
    connection.execute(
        new.on_conflict_do_update(index_elements=["case_id"], index_where=open_one, set_={"why": new.excluded.why})
    )
    _log.error("case set aside", extra={"case": row.number, "fault": type(fault).__name__})
