"""Which days and hours count as working time, and the instants between them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from policies.festivals import FIRST_YEAR, LAST_YEAR, Break, Mark, usual_breaks
from policies.limits import Limit, SameDay, Unit
from policies.tables import CalendarFault

Hours = tuple[tuple[time, time], ...]

_FIRST_DAY: Final = date(FIRST_YEAR, 1, 1).toordinal()
_DAYS: Final = date(LAST_YEAR + 1, 1, 1).toordinal() - _FIRST_DAY
_SECOND: Final = 1_000_000
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """One kind of organisation's working days and hours from 2004 to 2060; immutable, safe between threads.

    The arrays are counted once, so that a limit costs a few look-ups whatever its length. A day outside
    raises CalendarFault. The time zone must keep one offset from UTC all those years, as China's does.
    """

    tz: ZoneInfo
    hours: Hours
    marks: Mapping[date, Mark]
    years: frozenset[int]
    breaks: tuple[Break, ...] = ()
    _base: datetime = field(init=False, repr=False)
    _works: bytearray = field(init=False, repr=False)
    _through: list[int] = field(init=False, repr=False)
    _days: list[int] = field(init=False, repr=False)
    _ends: list[datetime] = field(init=False, repr=False)
    _spans: tuple[tuple[int, int], ...] = field(init=False, repr=False)
    _gaps: tuple[tuple[int, int], ...] = field(init=False, repr=False)
    _length: int = field(init=False, repr=False)
    _known_to: datetime = field(init=False, repr=False)

    def __post_init__(self) -> None:
        base = datetime.fromordinal(_FIRST_DAY).replace(tzinfo=self.tz).astimezone(UTC)
        spans = day_spans(self.hours)
        works = bytearray((_FIRST_DAY + i - 1) % 7 < _SATURDAY for i in range(_DAYS))
        for day, mark in self.marks.items():
            if 0 <= day.toordinal() - _FIRST_DAY < _DAYS:
                works[day.toordinal() - _FIRST_DAY] = mark.works
        through: list[int] = []
        for working in works:
            through.append((through[-1] if through else 0) + working)
        days = [i for i, working in enumerate(works) if working]
        closing = timedelta(microseconds=spans[-1][1])
        gap = next((year for year in range(FIRST_YEAR, LAST_YEAR + 2) if year not in self.years), LAST_YEAR + 1)
        for name, value in (
            ("_base", base),
            ("_works", works),
            ("_through", through),
            ("_days", days),
            ("_ends", [base + timedelta(days=i) + closing for i in days]),
            ("_spans", spans),
            ("_gaps", _gaps(spans)),
            ("_length", sum(b - a for a, b in spans)),
            ("_known_to", base + timedelta(days=date(gap, 1, 1).toordinal() - _FIRST_DAY)),
        ):
            object.__setattr__(self, name, value)

    def local_day(self, at: datetime) -> date:
        """The day that the wall calendar shows at an instant."""
        return at.astimezone(self.tz).date()

    def is_workday(self, day: date) -> bool:
        """Whether people work on that local day; make-up Saturdays and Sundays do."""
        return bool(self._works[self._index(day)])

    def published(self, day: date) -> bool:
        """Whether the State Council's table of that day's year is known."""
        return day.year in self.years

    def in_school_holidays(self, day: date) -> bool:
        """Whether schools are closed; by the year's school calendar, or else as is usual."""
        known = any(day.year in (one.first.year, one.last.year) for one in self.breaks)
        breaks: Iterable[Break] = self.breaks if known else usual_breaks(day.year)
        return any(one.first <= day <= one.last for one in breaks)

    def marked(self, first: date, last: date) -> list[Mark]:
        """The holidays and make-up workdays from one day to another, both included, in order."""
        found = (self.marks.get(date.fromordinal(n)) for n in range(first.toordinal(), last.toordinal() + 1))
        return [mark for mark in found if mark is not None]

    def provisional(self, start: datetime, due: datetime) -> bool:
        """Whether the way from start to due leads over a year without a published table."""
        if due < self._known_to:
            return False
        first, last = self.local_day(start).year, self.local_day(due).year
        return any(year not in self.years for year in range(first, last + 1))

    def due(self, start: datetime, limit: Limit | SameDay) -> datetime:
        """When a limit that starts then is reached.

        `m h d` run around the clock; `wh` are reached when that much working time has passed; `wd` leave
        the day of the start out and end with the last working hour of the nth working day after it.
        """
        if isinstance(limit, SameDay):
            there = datetime.combine(start.astimezone(self.tz).date(), limit.until, tzinfo=self.tz)
            return max(there.astimezone(UTC), start + limit.at_least.elapsed)
        if limit.unit is Unit.WORKING_DAYS:
            return self._end(self._through[self._day(start)] + limit.amount - 1)
        if limit.unit is Unit.WORKING_HOURS:
            return self.instant(self.worked(start) + limit.amount * 3600 * _SECOND)
        return start + limit.elapsed

    def later(self, due: datetime, days: int) -> datetime:
        """The end of the nth working day after a day's end: how a pause moves a limit in working days."""
        return self._end(self._through[self._day(due)] + days - 1) if days else due

    def working_day_ends_in(self, a: datetime, b: datetime) -> int:
        """How many working days ended from a (included) to b (not included)."""
        return bisect_left(self._ends, b) - bisect_left(self._ends, a) if a < b else 0

    def working_time(self, a: datetime, b: datetime) -> timedelta:
        """The working time between two instants; nothing when b is not after a."""
        return timedelta(microseconds=self.worked(b) - self.worked(a)) if a < b else timedelta(0)

    def after_working(self, start: datetime, amount: timedelta) -> datetime:
        """The first instant by which that much working time has passed since start; start itself for none."""
        if amount <= timedelta(0):
            return start
        return self.instant(self.worked(start) + amount // timedelta(microseconds=1))

    def measured(self, unit: Unit, a: datetime, b: datetime) -> timedelta:
        """The time from a to b as a limit in that unit counts it."""
        if unit is Unit.WORKING_DAYS or unit is Unit.WORKING_HOURS:
            return self.working_time(a, b)
        return b - a

    def advanced(self, unit: Unit, start: datetime, amount: timedelta) -> datetime:
        """The first instant at which `measured` from start reaches the amount."""
        if unit is Unit.WORKING_DAYS or unit is Unit.WORKING_HOURS:
            return self.after_working(start, amount)
        return start + amount

    def worked(self, at: datetime) -> int:
        """Microseconds of working time from the calendar's first day to an instant."""
        since = at - self._base
        day = since.days
        if not 0 <= day < _DAYS:
            _outside(at)
        if not self._works[day]:
            return self._through[day] * self._length
        total = (self._through[day] - 1) * self._length
        clock = since.seconds * _SECOND + since.microseconds
        for opens, closes in self._spans:
            if clock <= opens:
                break
            total += min(clock, closes) - opens
        return total

    def instant(self, worked: int) -> datetime:
        """The first instant at which `worked` gives that many microseconds; never the opening of a working
        span.
        """
        nth, left = divmod(worked - 1, self._length)
        if not 0 <= nth < len(self._days):
            _outside(None)
        clock = left + 1
        for before, closed in self._gaps:
            if left >= before:
                clock += closed
        return self._base + timedelta(self._days[nth], 0, clock)

    def _index(self, day: date) -> int:
        index = day.toordinal() - _FIRST_DAY
        if not 0 <= index < _DAYS:
            _outside(day)
        return index

    def _day(self, at: datetime) -> int:
        index = (at - self._base).days
        if not 0 <= index < _DAYS:
            _outside(at)
        return index

    def _end(self, nth: int) -> datetime:
        if not 0 <= nth < len(self._ends):
            _outside(None)
        return self._ends[nth]


def _outside(what: date | None) -> None:
    where_zh, where_en = (f"{what} ", f"{what} lies") if what is not None else ("该时限", "This limit leads")
    raise CalendarFault(
        f"{where_zh}超出了工作日历的范围（{FIRST_YEAR} 至 {LAST_YEAR} 年）。",
        f"{where_en} outside of the working calendar, which holds {FIRST_YEAR} to {LAST_YEAR}.",
    )


def day_spans(hours: Hours) -> tuple[tuple[int, int], ...]:
    """The hours as microseconds since midnight. Raises CalendarFault unless they rise without overlap."""
    spans = tuple((_of_day(a), _of_day(b)) for a, b in hours)
    flat = [edge for span in spans for edge in span]
    if not spans or any(a >= b for a, b in spans) or flat != sorted(flat):
        raise CalendarFault(
            "工作时间须由早到晚、互不重叠，例如 09:00–12:00 和 14:00–18:00。",
            "Working hours must rise without overlap, as 09:00–12:00 and 14:00–18:00 do.",
        )
    return spans


def _of_day(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * _SECOND + at.microsecond


def _gaps(spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """For each span: the working time before it in its day, and the closed time just before it."""
    found: list[tuple[int, int]] = []
    worked = closed_at = 0
    for opens, closes in spans:
        found.append((worked, opens - closed_at))
        worked += closes - opens
        closed_at = closes
    return tuple(found)
