"""A book of a few limits, enough for clocks: no files, no routing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from policies.calendar import Calendars, load_calendar
from policies.ladder import DEFAULT_LADDER, Rung
from policies.limits import Limit, SameDay, parse_limit

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(text: str) -> datetime:
    """A local time of Shanghai, as the UTC that the engine works in."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@cache
def calendars() -> Calendars:
    return load_calendar()


@dataclass(frozen=True)
class Book:
    limits: dict[tuple[str, str], str]
    ladder: tuple[Rung, ...] = DEFAULT_LADDER
    calendars: Calendars = field(default_factory=calendars)

    def limit(self, name: str, level: str) -> Limit | SameDay | None:
        written = self.limits.get((name, level))
        return None if written is None else parse_limit(written)

    def basis(self, name: str, level: str) -> str:
        return f"DOMAIN {name} {level}"

    def but(self, **changes: object) -> Book:
        return replace(self, **changes)  # type: ignore[arg-type]


BOOK = Book(
    {
        ("acknowledge", "red"): "15m",
        ("acknowledge", "orange"): "2h",
        ("acknowledge", "yellow"): "4wh",
        ("acknowledge", "blue"): "1wd",
        ("report_in", "red"): "30m",
        ("report_in", "orange"): "24h",
        ("report_in", "yellow"): "2wd",
        ("report_in", "blue"): "5wd",
        ("feedback", "red"): "2h",
        ("feedback", "orange"): "3wd",
        ("feedback", "yellow"): "5wd",
        ("feedback", "blue"): "10wd",
        ("safe_plan", "red"): "24h",
        ("interview", "red"): "18:00|4h",
        ("interview", "blue"): "18:00|4h",
    }
)
LEVELS = ("red", "orange", "yellow", "blue")
