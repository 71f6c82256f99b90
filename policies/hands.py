"""What moves the hands of a clock: each function takes a face and gives a new one; times are aware UTC.

A clock that was met or cancelled stays as it is, whatever is done to it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from policies.faces import Face, Pauses, Terms, due_of, rung_at, whole_limit
from policies.ladder import BREACH, Rung
from policies.limits import Limit, LimitFault, SameDay

if TYPE_CHECKING:
    from policies.workdays import Calendar


def start(
    book: Terms,
    name: str,
    level: str,
    at: datetime,
    *,
    calendar: str | None = None,
    given: datetime | None = None,
    limit: Limit | SameDay | None = None,
    half: bool = False,
) -> Face | None:
    """Start a clock; None when that level has no such clock.

    `calendar` is the kind of organisation whose working days count. `given` sets the due outright;
    `limit` stands in for the book's and then belongs to this clock, whatever its level becomes; `half`
    halves it, rounded up.
    """
    own = limit is not None
    if given is not None:
        limit = None
    elif limit is None:
        limit = book.limit(name, level)
        if limit is None:
            return None
    days = book.calendars.of(calendar)
    whole = whole_limit(limit, half=half, extra=None) if half else limit
    due = given if whole is None else days.due(at, whole)
    if due is None:
        return None
    working = whole is not None and whole.working
    ladder = book.ladder
    return Face(
        name=name,
        level=level,
        calendar=calendar,
        started=at,
        limit=limit,
        given=given,
        half=half,
        extra=None,
        pauses=(),
        paused=None,
        rung=0,
        breached=False,
        due=due,
        wake=rung_at(days, at, due, (), ladder[0].percent, working=working) if ladder else None,
        met=None,
        cancelled=None,
        provisional=working and days.provisional(at, due),
        own=own,
    )


def meet(face: Face, at: datetime) -> Face:
    """Stop a clock because what it waited for is done. Exactly at the due is in time; later it stays missed.

    While a clock is paused its time stands still, so that it can be met in time however long the pause
    was; only a due given outright goes on.
    """
    if face.stopped:
        return face
    used_to = at if face.paused is None or face.given is not None else face.paused
    late = face.breached or used_to > face.due
    return replace(face, met=at, breached=late, wake=None, pauses=_pauses(face, at), paused=None)


def cancel(face: Face, at: datetime) -> Face:
    """Stop a clock because nobody waits for it any more."""
    if face.stopped:
        return face
    return replace(face, cancelled=at, wake=None, pauses=_pauses(face, at), paused=None)


def pause(face: Face, at: datetime) -> Face:
    """Let time stand still; no rung falls until `resume`. A paused clock stays as it is."""
    if face.stopped or face.paused is not None:
        return face
    return replace(face, paused=at, wake=None)


def resume(book: Terms, face: Face, at: datetime) -> Face:
    """Let time go on; the due moves by what the pause covered. A clock that isn't paused stays as it is."""
    if face.stopped or face.paused is None:
        return face
    return _dialled(book, replace(face, pauses=_pauses(face, at), paused=None))


def extend(book: Terms, face: Face, extra: Limit, at: datetime | None = None) -> Face:
    """Add to the limit, in its own unit. LimitFault for another unit, or where nothing can be.

    Rungs that have fired don't fire again. With `at`, a breach that the new due takes away is taken back.
    """
    if not isinstance(face.limit, Limit):
        raise LimitFault("这个时限不能延期。", "This limit can't be extended.")
    if face.stopped:
        return face
    total = extra if face.extra is None else face.extra.plus(extra)
    whole_limit(face.limit, half=face.half, extra=total)
    return _moved(book, replace(face, extra=total), at)


def recompute(book: Terms, face: Face, at: datetime | None = None) -> Face:
    """Reckon the due again, after a new calendar table. With `at`, a breach it disproves is taken back."""
    return face if face.stopped else _moved(book, face, at)


def fired(book: Terms, face: Face) -> Face:
    """The clock after its next rung has fired; breached from 100 % on. Nothing is left: the same face."""
    ladder = book.ladder
    if face.stopped or face.rung >= len(ladder):
        return face
    breached = face.breached or ladder[face.rung].percent >= BREACH
    rung = face.rung + 1
    wake = None
    if face.paused is None and rung < len(ladder):
        wake = _stands(book.calendars.of(face.calendar), face, face.due, ladder[rung])
    return replace(face, rung=rung, breached=breached, wake=wake)


def regrade(book: Terms, face: Face, level: str, at: datetime, *, before: Terms | None = None) -> Face:
    """Set a clock anew, from its own start, with another level's limit; cancelled where that level has none.

    Halving, pauses and a limit of its own stay; an extension stays while its unit is the limit's, and
    else ends. A rung that has fired and still lies behind doesn't fire again; one that now lies ahead
    will, when it is reached; one that lies behind and hasn't fired does at once (`wake` is then past). A
    missed clock whose due lies ahead again is running. `before` names the old terms where the policy
    changes and its ladder with it.
    """
    if face.stopped:
        return face
    limit = face.limit
    if face.given is None and not face.own:
        limit = book.limit(face.name, level)
        if limit is None:
            return replace(cancel(face, at), level=level)
    fits = face.extra is not None and isinstance(limit, Limit) and limit.unit is face.extra.unit
    fresh = _redue(book, replace(face, level=level, limit=limit, extra=face.extra if fits else None))
    ladder = book.ladder
    climbed = min(face.rung, len(ladder))
    if before is not None:
        highest = before.ladder[face.rung - 1].percent if face.rung else 0
        climbed = sum(rung.percent <= highest for rung in ladder)
    days = book.calendars.of(face.calendar)
    # While a clock is paused its hands stand where the pause began.
    hands = at if face.paused is None else min(at, face.paused)
    rung = 0
    while rung < climbed and _stands(days, fresh, fresh.due, ladder[rung]) <= hands:
        rung += 1
    breached = any(one.percent >= BREACH for one in ladder[:rung])
    return _woken(book, replace(fresh, rung=rung, breached=breached))


def _moved(book: Terms, face: Face, at: datetime | None) -> Face:
    """The face with its due reckoned again; a breach that `at` doesn't bear out falls, with all above it."""
    fresh = _redue(book, face)
    if face.breached and at is not None:
        hands = at if face.paused is None else min(at, face.paused)
        if hands <= fresh.due:
            below = sum(one.percent < BREACH for one in book.ladder[: face.rung])
            fresh = replace(fresh, rung=below, breached=False)
    return _woken(book, fresh)


def _dialled(book: Terms, face: Face) -> Face:
    return _woken(book, _redue(book, face))


def _redue(book: Terms, face: Face) -> Face:
    whole = face.whole
    if whole is None:
        return face
    days = book.calendars.of(face.calendar)
    due = due_of(days, face.started, whole, face.pauses)
    return replace(face, due=due, provisional=whole.working and days.provisional(face.started, due))


def _woken(book: Terms, face: Face) -> Face:
    ladder = book.ladder
    if face.stopped or face.paused is not None or face.rung >= len(ladder):
        return replace(face, wake=None)
    return replace(face, wake=_stands(book.calendars.of(face.calendar), face, face.due, ladder[face.rung]))


def _stands(days: Calendar, face: Face, due: datetime, rung: Rung) -> datetime:
    working = face.limit is not None and face.limit.working
    return rung_at(days, face.started, due, face.pauses, rung.percent, working=working)


def _pauses(face: Face, at: datetime) -> Pauses:
    """The pauses, the open one closed: one without length leaves no trace, adjoining ones become one."""
    if face.paused is None or at <= face.paused:
        return face.pauses
    if face.pauses and face.pauses[-1][1] >= face.paused:
        return (*face.pauses[:-1], (face.pauses[-1][0], at))
    return (*face.pauses, (face.paused, at))
