"""What the board is asked and what it answers: filters, rows, counts, ranking (`cases.board`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

FAR: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the board is narrowed to; whatever is empty narrows nothing.

    `street` keeps to the street and to what lies in it, `organisation` to what one owes, a school's own cases among
    them. `clock` is `kind.name`, `late` how many hours something must be over its limit.
    """

    tile: str = ""
    level: tuple[str, ...] = ()
    district: int | None = None
    street: int | None = None
    organisation: int | None = None
    clock: str = ""
    late: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One track and its limit; `due` is None where it waits without one. `whose` owes it."""

    case_id: int
    number: str
    level: str
    policy: str
    school: str
    events: int
    track: int
    kind: str
    state: str
    clock: str
    started: datetime | None
    due: datetime | None
    whose: int
    whose_name: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows each tile would list, how many the present list has of each level, and in all."""

    tiles: dict[str, int]
    levels: dict[str, int]
    listed: int


@dataclass(frozen=True, slots=True)
class Rank:
    """How much of one organisation's (or one district's) is overdue, and since when the oldest."""

    organisation: int
    name: str
    kind: str
    street: int | None
    overdue: int
    since: datetime

    def with_more(self, other: Rank | None) -> Rank:
        """Both taken together."""
        if other is None:
            return self
        return replace(self, overdue=self.overdue + other.overdue, since=min(self.since, other.since))


@dataclass(frozen=True, slots=True)
class Sum:
    """What one organisation owes at one level; `overdue` and `since` are those over the limit by what is asked for.

    `listed` is what stands on the board without a tile.
    """

    whose: int
    district: int
    level: str
    name: str
    kind: str
    street: int | None
    district_name: str
    listed: int
    overdue: int
    soon: int
    today: int
    since: datetime | None

    def ranked(self, *, by_district: bool) -> Rank:
        since = self.since or FAR
        if by_district:
            return Rank(self.district, self.district_name, "district", None, self.overdue, since)
        return Rank(self.whose, self.name, self.kind, self.street, self.overdue, since)


@dataclass(frozen=True, slots=True)
class Lately:
    """The newest event of a case, and how often each of its tracks was reminded of."""

    kind: str
    trigger: str
    at: datetime
    reminded: dict[int, int]
