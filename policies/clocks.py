"""The face of every clock, derived from history and book: running, paused, met, missed, cancelled.

Every function is pure: it takes a face and gives a new one. Times are aware UTC. The engine steps through them
one signal at a time; `signals.read` folds a whole history into the same faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from policies.calendar import Calendars
    from policies.ladder import Rung
    from policies.limits import Limit, SameDay


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
        """The limit of a clock such as `assignment.acknowledge` at a level; None where that level has none."""
        ...


@dataclass(frozen=True, slots=True)
class Face:
    """What one clock shows.

    `limit` is the book's (or the clock's `own`, when it was started with one) before halving and extension; `given`
    is a due that was set outright. `pauses` are closed and in order, `paused` is when the open one began. `rung`
    counts the rungs that have fired. `wake` is when the next one falls; None when none will by time alone.
    """

    name: str
    level: str
    calendar: str | None
    started: datetime
    limit: Limit | SameDay | None
    given: datetime | None
    half: bool
    extra: Limit | None
    pauses: tuple[tuple[datetime, datetime], ...]
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

        A clock that was met late is `missed` and `met` says when. A limit that has passed stays missed while the
        clock is paused: a pause hides no breach.
        """
        if self.cancelled is not None:
            return "cancelled"
        if self.breached:
            return "missed"
        if self.met is not None:
            return "met"
        return "running" if self.paused is None else "paused"
