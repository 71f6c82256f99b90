"""Dates, figures and the time that is left, as each language says them. What is shown is local time of the policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

_SOON: Final = timedelta(hours=2)
_SOON_SHARE: Final = 0.75
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Left:
    """How a limit stands: `over`, `soon` or `ok`, in words, with the icon that says it without colour."""

    standing: Literal["over", "soon", "ok"]
    words: str
    icon: str


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language at one place and instant: what templates call for anything that isn't a plain sentence."""

    language: str
    zone: ZoneInfo
    now: datetime

    @property
    def chinese(self) -> bool:
        return self.language == "zh_CN"

    def moment(self, at: datetime) -> str:
        """The clock alone for today, `11-23 15:15` or `23 Nov 15:15` otherwise, with the year where it is another."""
        local, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        clock = f"{local:%H:%M}"
        return clock if local.date() == today.date() else f"{self.day(local.date())} {clock}"

    def full(self, at: datetime) -> str:
        """The whole instant: `2026-11-23 15:15`, `23 Nov 2026 15:15`."""
        local = at.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M}" if self.chinese else f"{local.day} {_MONTHS[local.month - 1]} {local:%Y %H:%M}"

    def day(self, day: date) -> str:
        """`11-23` or `23 Nov`; with the year where it isn't this one's."""
        this_year = day.year == self.now.astimezone(self.zone).year
        if self.chinese:
            return f"{day:%m-%d}" if this_year else f"{day:%Y-%m-%d}"
        return f"{day.day} {_MONTHS[day.month - 1]}" + ("" if this_year else f" {day.year}")

    def local(self, at: datetime) -> str:
        """As a browser's field for date and time takes it: local, to the minute."""
        return f"{at.astimezone(self.zone):%Y-%m-%dT%H:%M}"

    def stamp(self, at: datetime) -> str:
        """As a `<time datetime>` has it: with its offset."""
        return at.astimezone(self.zone).isoformat(timespec="minutes")

    def number(self, value: float) -> str:
        """With commas at the thousands, as both languages write them."""
        return f"{value:,}"

    def left(self, due: datetime, started: datetime | None = None) -> Left:
        """How much of a limit is left, or by how much it is over."""
        rest = due - self.now
        if rest < timedelta(0):
            over = self.span(-rest)
            return Left("over", f"逾期 {over}" if self.chinese else f"{over} overdue", "alarm")
        words = f"剩余 {self.span(rest)}" if self.chinese else f"{self.span(rest)} left"
        gone = (self.now - started) / (due - started) if started is not None and due > started else 0.0
        soon = rest <= _SOON or gone >= _SOON_SHARE
        return Left("soon" if soon else "ok", words, "hourglass" if soon else "clock")

    def span(self, length: timedelta, units: int = 2) -> str:
        """The greatest units, as many: `1 天 2 小时`, `43 分`; `1 d 2 h`, `43 min`."""
        minutes = int(length.total_seconds()) // 60
        days, rest = divmod(minutes, 1440)
        hours, minutes = divmod(rest, 60)
        names = ("天", "小时", "分") if self.chinese else ("d", "h", "min")
        parts = [f"{count} {name}" for count, name in zip((days, hours, minutes), names, strict=True) if count]
        return " ".join(parts[:units]) or f"0 {names[2]}"

    def between(self, at: datetime) -> str:
        """How long ago: `8 分前`, `8 min ago`."""
        span = self.span(max(self.now - at, timedelta(0)))
        return f"{span}前" if self.chinese else f"{span} ago"
