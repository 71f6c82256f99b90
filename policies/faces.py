"""The face of a clock, and the arithmetic of its limit, its pauses and its rungs.

Measured as the limit is: elapsed time for `m h d`, for a same-day limit and for a due given outright,
working time for `wh wd`. `active(t)` is the time from the start to t less the pauses in between; the
clock's own length is active(due), and the rung at n % stands at the first instant where active reaches n
% of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from policies.ladder import BREACH
from policies.limits import Limit, SameDay, Unit

if TYPE_CHECKING:
    from policies.calendar import Calendars
    from policies.ladder import Rung
    from policies.workdays import Calendar

#: Exactly at the limit is in time, so the breach stands one tick of the clock after it.
TICK: Final = timedelta(microseconds=1)

Pauses = tuple[tuple[datetime, datetime], ...]


class Terms(Protocol):
    """What a clock needs to know of a policy version."""

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs, by rising percentage; one of them stands at 100."""
        ...

    @property
    def calendars(self) -> Calendars:
        """The working calendars, by kind of organisation."""
        ...

    def limit(self, name: str, level: str) -> Limit | SameDay | None:
        """The limit of a clock such as `assignment.acknowledge`; None where that level has none."""
        ...


@dataclass(frozen=True, slots=True)
class Face:
    """What one clock shows.

    `limit` is the book's, before halving and extension; with `own` it is one that this clock was started
    with, which no level changes. `given` is a due that was set outright. `pauses` are closed and in
    order, `paused` is when the open one began. `rung` counts the rungs that have fired; `wake` is when
    the next one falls, None when none will by time alone.
    """

    name: str
    level: str
    calendar: str | None
    started: datetime
    limit: Limit | SameDay | None
    given: datetime | None
    half: bool
    extra: Limit | None
    pauses: Pauses
    paused: datetime | None
    rung: int
    breached: bool
    due: datetime
    wake: datetime | None
    met: datetime | None
    cancelled: datetime | None
    provisional: bool
    own: bool = False

    @property
    def state(self) -> str:
        """`running`, `paused`, `met`, `missed` or `cancelled`.

        A clock that was met late is `missed`, and `met` says when. A limit that has passed stays missed
        while the clock is paused: a pause hides no breach.
        """
        if self.cancelled is not None:
            return "cancelled"
        if self.breached:
            return "missed"
        if self.met is not None:
            return "met"
        return "running" if self.paused is None else "paused"

    @property
    def stopped(self) -> bool:
        """Whether it was met or cancelled; nothing moves it any more."""
        return self.met is not None or self.cancelled is not None

    @property
    def whole(self) -> Limit | SameDay | None:
        """The limit that counts, halved and extended; None for a due given outright."""
        return whole_limit(self.limit, half=self.half, extra=self.extra)


def whole_limit(limit: Limit | SameDay | None, *, half: bool, extra: Limit | None) -> Limit | SameDay | None:
    """A limit halved (rounded up) and extended. A same-day limit is neither. LimitFault when units differ."""
    if not isinstance(limit, Limit):
        return limit
    if half:
        limit = limit.half()
    return limit if extra is None else limit.plus(extra)


def due_of(calendar: Calendar, started: datetime, whole: Limit | SameDay, pauses: Pauses) -> datetime:
    """When a limit falls due, moved by each pause that began by then.

    By the elapsed time of the pause for `m h d`; by its working time for `wh`; for `wd` by one working
    day for each working day at whose end the clock stood still.
    """
    due = calendar.due(started, whole)
    unit = whole.unit if isinstance(whole, Limit) else None
    for begun, ended in pauses:
        if begun > due:
            break
        if unit is Unit.WORKING_DAYS:
            due = calendar.later(due, calendar.working_day_ends_in(begun, ended))
        elif unit is Unit.WORKING_HOURS:
            due = calendar.after_working(due, calendar.working_time(begun, ended))
        else:
            due += ended - begun
    return due


def rung_at(
    calendar: Calendar, started: datetime, due: datetime, pauses: Pauses, percent: int, *, working: bool
) -> datetime:
    """Where the rung at that percentage stands; the breach and all above it lie after the due.

    A due that was given as already past breaches as the clock starts.
    """
    breach = max(due, started) + TICK
    if percent == BREACH:
        return breach
    if working:
        found = _working_rung(calendar, started, due, pauses, percent)
    else:
        length = due - started
        for begun, ended in pauses:
            length -= max(min(ended, due) - begun, timedelta(0))
        found = started + max(-(-length * percent // 100), timedelta(0))
        for begun, ended in pauses:
            if begun < found:
                found += ended - begun
    return found if percent < BREACH else max(found, breach)


def _working_rung(calendar: Calendar, started: datetime, due: datetime, pauses: Pauses, percent: int) -> datetime:
    worked = calendar.worked
    base = worked(started)
    length = worked(due) - base
    for begun, ended in pauses:
        if begun < due:
            length -= worked(min(ended, due)) - worked(begun)
    # Pauses can cover every working hour on the way and still no day's end: then there is no length to
    # divide.
    if length <= 0:
        return started
    target = base - (-length * percent // 100)
    found = calendar.instant(target)
    for begun, ended in pauses:
        if begun < found:
            target += worked(ended) - worked(begun)
            found = calendar.instant(target)
    return found
