"""The working calendars by kind of organisation: published tables, and the law where there are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policies.festivals import FIRST_YEAR, LAST_YEAR, Break, Mark, statutory_days
from policies.limits import Words
from policies.tables import CalendarFault, Table, TableFault, parse_table, read_table
from policies.workdays import Calendar, Hours, day_spans

__all__ = [
    "Break", "Calendar", "CalendarFault", "Calendars", "Hours", "Mark", "Table", "TableFault",
    "load_calendar", "parse_table", "read_table",
]  # fmt: skip

WORKING_HOURS: Final[Hours] = ((time(9), time(12)), (time(14), time(18)))
TIME_ZONE: Final = "Asia/Shanghai"

_PACKAGE: Final[Words] = {
    "zh_CN": "国务院办公厅放假安排（chinesecalendar 收录）",
    "en": "State Council holiday notice, as held by chinesecalendar",
}


@cache
def _zone(name: str) -> ZoneInfo:
    """The time zone. Raises CalendarFault when it's unknown or moves its clocks in the calendar's years."""
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CalendarFault(
            f"没有名为“{name}”的时区，请写 {TIME_ZONE}。",
            f'There is no time zone "{name}". Write {TIME_ZONE}.',
        ) from None
    months = (datetime(y, m, 1, tzinfo=zone) for y in range(FIRST_YEAR, LAST_YEAR + 1) for m in range(1, 13))
    if len({month.utcoffset() for month in months}) != 1:
        raise CalendarFault(
            f"时区“{name}”实行夏令时或改过时差，工作日历不支持。请写 {TIME_ZONE}。",
            f'The time zone "{name}" moves its clocks, which the working calendar doesn\'t. Write {TIME_ZONE}.',
        )
    return zone


@cache
def _from_package() -> tuple[Mapping[date, Mark], frozenset[int]]:
    """Every year that the package `chinesecalendar` holds, from 2004 on."""
    from chinese_calendar import constants

    chinese = {holiday.value: holiday.chinese for holiday in constants.Holiday}
    marks: dict[date, Mark] = {}
    for days, works in ((constants.holidays, False), (constants.workdays, True)):
        for day, english in days.items():
            name = {"zh_CN": chinese.get(english, english), "en": english}
            marks[day] = Mark(day, works=works, name=name, source=_PACKAGE)
    return marks, frozenset(range(FIRST_YEAR, max(marks).year + 1))


def packaged_until() -> int:
    """The last year that the package `chinesecalendar` holds."""
    return max(_from_package()[1])


def brought() -> Mapping[str, str]:
    """The tables that this release brings, as file name and text."""
    return {path.name: path.read_text("utf-8") for path in _files()}


@dataclass(frozen=True, slots=True, eq=False)
class Calendars:
    """The calendar of every kind of organisation. Most kinds share one; built when first asked for.

    What was reckoned stays as it was reckoned: whoever is given other tables later counts them as an `edition`, and
    can go back to each earlier one. `until` is the last year that is taken from the package.
    """

    tz: ZoneInfo
    hours: Hours
    tables: tuple[Table, ...]
    edition: int = 0
    until: int = LAST_YEAR
    _before: Calendars | None = None
    _built: dict[str | None, Calendar] = field(default_factory=dict, repr=False)

    def of(self, kind: str | None) -> Calendar:
        """The calendar of a kind; the common one for None and for kinds without days of their own."""
        found = self._built.get(kind)
        if found is None:
            special = any(kind in table.kinds for table in self.tables)
            found = self._build(kind) if special or kind is None else self.of(None)
            self._built[kind] = found
        return found

    def with_tables(self, *tables: Table) -> Calendars:
        """These calendars with more tables; a table replaces an earlier one of the same year."""
        years = {table.year for table in tables}
        kept = tuple(table for table in self.tables if table.year not in years)
        return replace(self, tables=kept + tables, _built={})

    def bare(self) -> Calendars:
        """These calendars without any table but the package's."""
        return replace(self, tables=(), _built={})

    def given(self, edition: int, tables: Iterable[Table], until: int | None = None) -> Calendars:
        """These calendars with the tables of a later edition; a year without a new one keeps its own."""
        later = self.with_tables(*tables)
        return replace(later, edition=edition, until=until or self.until, _before=self, _built={})

    def as_of(self, edition: int) -> Calendars:
        """The calendars as they were in that edition; the first ones for an edition before them."""
        found = self
        while found.edition > edition and found._before is not None:
            found = found._before
        return found

    def with_table(self, path: Path | str) -> Calendars:
        """These calendars with one more table file. Raises CalendarFault naming every fault in it."""
        return self.with_tables(read_table(Path(path)))

    def with_text(self, text: str, file: str) -> Calendars:
        """As `with_table`, for a table that is stored elsewhere than in a file; faults carry `file`."""
        return self.with_tables(parse_table(text, file))

    def _build(self, kind: str | None) -> Calendar:
        packaged, held = _from_package()
        years = frozenset(year for year in held if year <= self.until)
        tabled = {table.year for table in self.tables}
        marks = {day: mark for day, mark in packaged.items() if day.year in years - tabled}
        for year in range(FIRST_YEAR, LAST_YEAR + 1):
            if year not in years and year not in tabled:
                marks.update((mark.day, mark) for mark in statutory_days(year))
        for table in self.tables:
            marks.update((mark.day, mark) for mark in table.marks)
        for table in self.tables:
            marks.update((mark.day, mark) for mark in table.kinds.get(kind or "", ()))
        breaks = tuple(one for table in self.tables for one in table.breaks)
        return Calendar(self.tz, self.hours, marks, years | tabled, breaks)


def _files() -> list[Path]:
    return sorted((Path(__file__).parent / "calendars").glob("cn-*.yaml"))


@cache
def _library() -> tuple[Table, ...]:
    return tuple(read_table(path) for path in _files())


def load_calendar(paths: Iterable[Path | str] = (), *, tz: str = TIME_ZONE, hours: Hours = WORKING_HOURS) -> Calendars:
    """The built-in calendars, with these table files on top; a later file of a year replaces an earlier one.

    Raises CalendarFault: for the first faulty file with all its faults, for a time zone that is unknown
    or moves its clocks, for hours that overlap.
    """
    day_spans(hours)
    return Calendars(_zone(tz), hours, _library()).with_tables(*(read_table(Path(path)) for path in paths))
