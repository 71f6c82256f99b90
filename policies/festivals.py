"""The statutory holidays of years for which no table is published yet; everything they give is provisional.

The days are those of the State Council's regulation on holidays as changed on 2024-11-10: New Year 1, Spring
Festival 4 (from the eve), Tomb-sweeping 1, Labour 2, Dragon Boat 1, Mid-autumn 1, National Day 3. How
they are joined with weekends and made up is announced each November and can't be computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from policies.limits import Words

#: The years that a calendar knows: the first that `chinesecalendar` holds, the last of the table below.
FIRST_YEAR: Final = 2004
LAST_YEAR: Final = 2060

COMPUTED: Final[Words] = {
    "zh_CN": "尚未公布放假安排，按法定节假日推算",
    "en": "no table published yet; computed from the statutory holidays",
}

# Spring Festival, Tomb-sweeping (the solar term 清明), Dragon Boat (5/5 lunar), Mid-autumn (8/15 lunar), as
# month-day. Computed with sxtwl 2.0.7 (寿星天文历, astronomical new moons and solar terms) and found the same
# by holidays 0.109, the lunar ones by lunardate 0.3.0 too.
_MOVING: Final = {
    2027: "02-06 04-05 06-09 09-15", 2028: "01-26 04-04 05-28 10-03", 2029: "02-13 04-04 06-16 09-22",
    2030: "02-03 04-05 06-05 09-12", 2031: "01-23 04-05 06-24 10-01", 2032: "02-11 04-04 06-12 09-19",
    2033: "01-31 04-04 06-01 09-08", 2034: "02-19 04-05 06-20 09-27", 2035: "02-08 04-05 06-10 09-16",
    2036: "01-28 04-04 05-30 10-04", 2037: "02-15 04-04 06-18 09-24", 2038: "02-04 04-05 06-07 09-13",
    2039: "01-24 04-05 05-27 10-02", 2040: "02-12 04-04 06-14 09-20", 2041: "02-01 04-04 06-03 09-10",
    2042: "01-22 04-04 06-22 09-28", 2043: "02-10 04-05 06-11 09-17", 2044: "01-30 04-04 05-31 10-05",
    2045: "02-17 04-04 06-19 09-25", 2046: "02-06 04-04 06-08 09-15", 2047: "01-26 04-05 05-29 10-04",
    2048: "02-14 04-04 06-15 09-22", 2049: "02-02 04-04 06-04 09-11", 2050: "01-23 04-04 06-23 09-30",
    2051: "02-11 04-05 06-13 09-19", 2052: "02-01 04-04 06-01 09-07", 2053: "02-19 04-04 06-20 09-26",
    2054: "02-08 04-04 06-10 09-16", 2055: "01-28 04-05 05-30 10-05", 2056: "02-15 04-04 06-17 09-24",
    2057: "02-04 04-04 06-06 09-13", 2058: "01-24 04-04 06-25 10-02", 2059: "02-12 04-05 06-14 09-21",
    2060: "02-02 04-04 06-03 09-09",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """A day that isn't what its place in the week says: off, or (`works`) a make-up workday; and why."""

    day: date
    works: bool
    name: Words
    source: Words


@dataclass(frozen=True, slots=True)
class Break:
    """School holidays from `first` to `last`, both included."""

    first: date
    last: date
    name: Words
    source: Words


def moving_feasts(year: int) -> tuple[date, date, date, date] | None:
    """Spring Festival, Tomb-sweeping, Dragon Boat and Mid-autumn of a year from 2027 on; None before."""
    written = _MOVING.get(year)
    if written is None:
        return None
    spring, tombs, boats, moon = (date.fromisoformat(f"{year}-{day}") for day in written.split())
    return spring, tombs, boats, moon


def statutory_days(year: int) -> list[Mark]:
    """The days off that the law itself names, from 2027 on. A day named twice keeps its first name."""
    feasts = moving_feasts(year)
    if feasts is None:
        return []
    spring, tombs, boats, moon = feasts
    named = (
        (date(year, 1, 1), 1, "元旦", "New Year's Day"),
        (spring - timedelta(days=1), 4, "春节", "Spring Festival"),
        (tombs, 1, "清明节", "Tomb-sweeping Day"),
        (date(year, 5, 1), 2, "劳动节", "Labour Day"),
        (boats, 1, "端午节", "Dragon Boat Festival"),
        (moon, 1, "中秋节", "Mid-autumn Festival"),
        (date(year, 10, 1), 3, "国庆节", "National Day"),
    )
    marks: dict[date, Mark] = {}
    for first, days, zh, en in named:
        for day in (first + timedelta(days=i) for i in range(days)):
            marks.setdefault(day, Mark(day, works=False, name={"zh_CN": zh, "en": en}, source=COMPUTED))
    return list(marks.values())


def usual_breaks(year: int) -> list[Break]:
    """School holidays of a year whose school calendar isn't known [default].

    From 17 days before the Spring Festival to 12 after it, and from 4 July to 31 August, as Nanjing's of
    2026.
    """
    source = {"zh_CN": "校历未载入，按惯例推算", "en": "no school calendar loaded; assumed as usual"}
    summer = Break(date(year, 7, 4), date(year, 8, 31), {"zh_CN": "暑假", "en": "summer holidays"}, source)
    feasts = moving_feasts(year)
    if feasts is None:
        return [summer]
    winter = Break(
        feasts[0] - timedelta(days=17),
        feasts[0] + timedelta(days=12),
        {"zh_CN": "寒假", "en": "winter holidays"},
        source,
    )
    return [winter, summer]
