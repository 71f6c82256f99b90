"""Sums and what is shown of them: shares, means, medians; and what is kept back, so that no child is found by a figure.

Fewer than five are never told. Of figures about children the other side isn't either (38 of 40 tell of two), and where
one line of a column is kept back the next smallest is too, or the sum above them would give it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cases.indicators import INDICATORS, TIMED, Indicator

FEWEST: Final = 5


@dataclass(slots=True)
class Sums:
    """How many were looked at, how many were so, and how often each value occurred."""

    items: int = 0
    hits: int = 0
    spread: dict[int, int] = field(default_factory=dict)

    def add(self, items: int, hits: int, spread: Mapping[str, int] | None = None) -> None:
        """Take in one row of the tallies."""
        self.items += items
        self.hits += hits
        for value, times in (spread or {}).items():
            self.spread[int(value)] = self.spread.get(int(value), 0) + times


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as it may be shown. `of` is how many it rests on; both are None where it is kept back.

    It is kept back because there were too few (`few`), or so that nobody reckons another one that was (`aside`). With
    neither there was nothing to count.
    """

    value: float | None = None
    of: int | None = None
    few: bool = False
    aside: bool = False

    @property
    def kept(self) -> bool:
        """Whether there is something that isn't told."""
        return self.few or self.aside


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, in minutes: half of them no longer than `median`, nine in ten than `ninth`."""

    of: int | None
    median: int | None = None
    third: int | None = None
    ninth: int | None = None
    few: bool = False


NOTHING: Final = Figure()
FEW: Final = Figure(few=True)
ASIDE: Final = Figure(aside=True)


def base_of(indicator: Indicator, sums: Sums) -> int:
    """How many a figure rests on: of orders the assignments that they could be about."""
    return sums.items - sums.hits if indicator.kind == "per_hundred" else sums.items


def figure(indicator: Indicator, sums: Sums, students: int) -> Figure:
    """What the sums come to, and whether it may be told."""
    base = base_of(indicator, sums)
    if not base:
        return NOTHING
    if base < FEWEST or (indicator.student and (_few(sums.hits) or _few(base - sums.hits))):
        return FEW
    if indicator.kind == "rate":
        return Figure(100 * sums.hits / base, base)
    if indicator.kind == "score":
        return Figure(sum(value * times for value, times in sums.spread.items()) / base, base)
    if indicator.kind == "per_hundred":
        return Figure(100 * sums.hits / base, base)
    return Figure(1000 * base / students if students else None, base)


def figures(sums: Mapping[str, Sums], students: int) -> dict[str, Figure]:
    """Every indicator of one place, month or organisation."""
    return {one.code: figure(one, sums.get(one.measure, Sums()), students) for one in INDICATORS}


def kept_back(rows: Sequence[dict[str, Figure]]) -> list[dict[str, Figure]]:
    """The same rows; in a column where a single one was kept back the next smallest is too."""
    told = [dict(one) for one in rows]
    for indicator in INDICATORS:
        code = indicator.code
        if sum(one[code].kept for one in told) != 1:
            continue
        others = [one for one in told if one[code].of]
        if others:
            min(others, key=lambda one: one[code].of or 0)[code] = ASIDE
    return told


def times(spread: Mapping[int, int]) -> Times:
    """Median, third quartile and ninth decile, by rank; kept back where there are fewer than five."""
    count = sum(spread.values())
    if _few(count):
        return Times(None, few=True)
    return Times(count, quantile(spread, 0.5), quantile(spread, 0.75), quantile(spread, 0.9))


def quantile(spread: Mapping[int, int], share: float) -> int | None:
    """The smallest value that at least this share doesn't exceed; None of nothing."""
    count = sum(spread.values())
    passed = 0
    for value in sorted(spread):
        passed += spread[value]
        if passed >= share * count:
            return value
    return None


def all_times(sums: Mapping[str, Sums]) -> dict[str, Times]:
    """The times of every limit that has some."""
    return {one: times(sums[one].spread if one in sums else {}) for one in TIMED}


def week(sums: Mapping[str, Sums]) -> list[list[Figure]]:
    """How many limits were overrun in each hour of each day of the week, Monday first."""
    spread = sums["breach"].spread if "breach" in sums else {}
    cells = [spread.get(hour, 0) for hour in range(7 * 24)]
    told = [FEW if _few(one) else Figure(float(one), one) for one in cells]
    return [told[24 * day : 24 * (day + 1)] for day in range(7)]


def _few(count: int) -> bool:
    return 0 < count < FEWEST


def summed(rows: Iterable[tuple[str, int, int, Mapping[str, int] | None]]) -> dict[str, Sums]:
    """Rows of the tallies (measure, items, hits, spread) by measure."""
    found: dict[str, Sums] = {}
    for measure, items, hits, spread in rows:
        found.setdefault(measure, Sums()).add(items, hits, spread)
    return found
