"""Time limits as policies write them: `15m 2h 4wh 3wd 7d`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum

_WRITTEN = re.compile(r"([0-9]{1,9})\s*(m|h|wh|wd|d)")
_SAME_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\s*\|\s*(\S+)")


class Unit(StrEnum):
    """`m h d` run around the clock; `wh wd` run while the calendar says that people work."""

    MINUTES = "m"
    HOURS = "h"
    WORKING_HOURS = "wh"
    WORKING_DAYS = "wd"
    DAYS = "d"


_ELAPSED = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1), Unit.DAYS: timedelta(days=1)}
# Ten years in each unit's own measure: a longer limit is a slip of the pen, and would leave the calendar.
_MOST = {
    Unit.MINUTES: 5_256_000,
    Unit.HOURS: 87_600,
    Unit.WORKING_HOURS: 17_500,
    Unit.WORKING_DAYS: 2_500,
    Unit.DAYS: 3_650,
}
_WORDS = {
    Unit.MINUTES: ("分钟", "minute"),
    Unit.HOURS: ("小时", "hour"),
    Unit.WORKING_HOURS: ("个工作小时", "working hour"),
    Unit.WORKING_DAYS: ("个工作日", "working day"),
    Unit.DAYS: ("天", "day"),
}


def unit_word(code: str, language: str) -> str:
    """A unit by itself: `工作日` for `wd` in zh_CN, `working days` in any other language."""
    zh, en = _WORDS[Unit(code)]
    return zh.removeprefix("个") if language.startswith("zh") else f"{en}s"


#: The same in every language that is offered: `zh_CN` and `en`.
Words = dict[str, str]


class LimitFault(ValueError):
    """A limit that can't be read or combined; `text` says in both languages what would be right."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text: Words = {"zh_CN": zh, "en": en}


@dataclass(frozen=True, slots=True)
class Limit:
    """So many minutes, hours, working hours, working or calendar days; at least one, at most ten years."""

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        if not 1 <= self.amount <= _MOST[self.unit]:
            most = f"{_MOST[self.unit]}{self.unit}"
            raise LimitFault(
                f"时限“{self}”不在允许的范围内：至少 1{self.unit}，至多 {most}（十年）。",
                f'The limit "{self}" is out of range: at least 1{self.unit}, at most {most} (ten years).',
            )

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read `15m 2h 4wh 3wd 7d`. Raises LimitFault for anything else, zero included."""
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise LimitFault(
                f"看不懂时限“{text}”。请写成整数加单位：15m（分钟）、2h（小时）、4wh（工作小时）、3wd（工作日）、7d（天）。",
                f'"{text}" is not a limit. Write a whole number and a unit: 15m (minutes), 2h (hours), '
                "4wh (working hours), 3wd (working days), 7d (days).",
            )
        return cls(int(found[1]), Unit(found[2]))

    @property
    def working(self) -> bool:
        """Whether it is measured in working time."""
        return self.unit is Unit.WORKING_DAYS or self.unit is Unit.WORKING_HOURS

    @property
    def elapsed(self) -> timedelta:
        """The length of a limit in `m h d`. Raises LimitFault in working units: they need a calendar."""
        if self.working:
            raise LimitFault(f"“{self}”按工作时间计算，没有固定的时长。", f'"{self}" has no length without a calendar.')
        return self.amount * _ELAPSED[self.unit]

    def half(self) -> Limit:
        """Half of it, rounded up to a whole unit: what feedback gets after it was sent back."""
        return Limit((self.amount + 1) // 2, self.unit)

    def plus(self, extra: Limit) -> Limit:
        """Both together. Raises LimitFault when the units differ: an extension is in the limit's own."""
        if extra.unit is not self.unit:
            raise LimitFault(
                f"延期“{extra}”须与原时限“{self}”使用同一单位（{unit_word(self.unit, 'zh_CN')}）。",
                f'The extension "{extra}" must be in the unit of the limit "{self}": {unit_word(self.unit, "en")}.',
            )
        return Limit(self.amount + extra.amount, self.unit)

    def in_words(self, language: str) -> str:
        """`4 个工作小时` in zh_CN, `4 working hours` in any other language."""
        zh, en = _WORDS[self.unit]
        if language.startswith("zh"):
            return f"{self.amount} {zh}"
        return f"{self.amount} {en}" if self.amount == 1 else f"{self.amount} {en}s"

    def __str__(self) -> str:
        return f"{self.amount}{self.unit.value}"


@dataclass(frozen=True, slots=True)
class SameDay:
    """Due at `until` on the local day of the start or `at_least` after it, whichever is later."""

    until: time
    at_least: Limit

    def __post_init__(self) -> None:
        if self.at_least.working:
            raise LimitFault(
                f"“当日”时限的最短时间“{self.at_least}”须用分钟（m）、小时（h）或天（d）。",
                f'The shortest time of a same-day limit, "{self.at_least}", must be in minutes, hours or days.',
            )

    @classmethod
    def parse(cls, text: str) -> SameDay:
        """Read `18:00|4h`, which is how `str` writes it. Raises LimitFault for anything else."""
        found = _SAME_DAY.fullmatch(text.strip())
        if found is None:
            raise LimitFault(
                f"看不懂当日时限“{text}”。请写成“时刻|最短时间”，例如 18:00|4h。",
                f'"{text}" is not a same-day limit. Write the time of day and the shortest time: 18:00|4h.',
            )
        return cls(time(int(found[1]), int(found[2])), Limit.parse(found[3]))

    @property
    def working(self) -> bool:
        """Always False: it is measured as elapsed time."""
        return False

    def in_words(self, language: str) -> str:
        """Both halves of the rule in a sentence's fragment."""
        least = self.at_least.in_words(language)
        if language.startswith("zh"):
            return f"当日 {self.until:%H:%M} 或 {least}，以较晚者为准"
        return f"the same day at {self.until:%H:%M} or {least}, whichever is later"

    def __str__(self) -> str:
        return f"{self.until:%H:%M}|{self.at_least}"


def parse_limit(text: str) -> Limit | SameDay:
    """Read either kind as `str` writes it."""
    return SameDay.parse(text) if "|" in text else Limit.parse(text)
