"""A policy version is tried out: what would have happened to the cases that there were, had they run under it?

What people did stays, at the instants at which they did it; what time does follows from the book (`policies.clocks`).
Both sides are replayed, the version of each case and the one on trial, so that like is held against like. Nothing is
changed, and nothing of a person is read: a clock carries none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from cases.records import case, event
from policies import clocks
from policies.clocks import ClockFault, Signal

if TYPE_CHECKING:
    from policies.book import Book
    from policies.faces import Face


@dataclass(slots=True)
class Change:
    """What becomes of the clocks of one name: how many there were, how many would be due earlier, later, not at all.

    `new` would run though none did. `overrun` is how many overran, `rungs` how many rungs fell, before and after.
    `shift` is the largest change of a due, either way.
    """

    clocks: int = 0
    earlier: int = 0
    later: int = 0
    gone: int = 0
    new: int = 0
    overrun: tuple[int, int] = (0, 0)
    rungs: tuple[int, int] = (0, 0)
    shift: timedelta = timedelta(0)

    @property
    def any(self) -> bool:
        return bool(self.earlier or self.later or self.gone or self.new) or self.rungs[0] != self.rungs[1]


@dataclass(slots=True)
class Trial:
    """What a trial found: cases replayed, those of which a clock would differ, the changes by the clock's name.

    `unreadable` are numbers of cases whose history doesn't fit under this version.
    """

    version: str
    cases: int = 0
    changed: int = 0
    by_clock: dict[str, Change] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a JSON document; lengths in seconds."""
        found = {name: {**asdict(one), "shift": one.shift.total_seconds()} for name, one in self.by_clock.items()}
        return {**asdict(self), "by_clock": {name: one for name, one in found.items() if self.by_clock[name].any}}


def run(connection: Connection, book: Book, book_of: Callable[[str], Book], now: datetime) -> Trial:
    """Replay every case until that instant under its own version and under `book`. Reads each history once."""
    trial = Trial(book.version)
    for number, policy, signals in _histories(connection):
        trial.cases += 1
        try:
            before = clocks.replay(book_of(policy), signals, now)
            after = clocks.replay(book, signals, now)
        except (ClockFault, LookupError) as fault:
            trial.unreadable.append(f"{number}: {fault}")
            continue
        trial.changed += _compare(trial.by_clock, before, after)
    return trial


def _histories(connection: Connection) -> Iterator[tuple[str, str, list[Signal]]]:
    """The clocks' histories, a case after the other, without holding more than a part of them."""
    found = connection.execution_options(yield_per=2000).execute(
        select(event.c.case_id, case.c.number, case.c.policy, event.c.signals)
        .join(case, case.c.id == event.c.case_id)
        .order_by(event.c.case_id, event.c.seq)
    )
    for _, group in groupby(found, lambda row: row.case_id):
        rows = list(group)
        signals = [Signal.from_dict(one) for row in rows for one in row.signals]
        yield rows[0].number, rows[0].policy, signals


_Replayed = tuple[dict[int, "Face"], list[clocks.Fired]]


def _compare(found: dict[str, Change], before: _Replayed, after: _Replayed) -> bool:
    """Count one case's clocks; whether any of them would differ."""
    rungs = tuple(Counter(one.clock for one in side[1]) for side in (before, after))
    differs = False
    for number in before[0].keys() | after[0].keys():
        old, new = before[0].get(number), after[0].get(number)
        shown = old or new
        change = found.setdefault(shown.name if shown is not None else "", Change())
        change.clocks += 1
        fell = (rungs[0][number], rungs[1][number])
        change.rungs = (change.rungs[0] + fell[0], change.rungs[1] + fell[1])
        overran = (old is not None and old.breached, new is not None and new.breached)
        change.overrun = (change.overrun[0] + overran[0], change.overrun[1] + overran[1])
        differs |= _due(change, old, new) or fell[0] != fell[1]
    return differs


def _due(change: Change, old: Face | None, new: Face | None) -> bool:
    if old is None or new is None:
        change.gone += new is None
        change.new += old is None
        return True
    change.earlier += new.due < old.due
    change.later += new.due > old.due
    change.shift = max(change.shift, abs(new.due - old.due))
    return new.due != old.due
