"""The parameters of a search, as far as they are understood here (FHIR R4, 3.1.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from api.fhir import codes
from api.fhir.reading import NAME, Kind, fault
from cases.referrals import Wanted

if TYPE_CHECKING:
    from datetime import tzinfo

Span = tuple[datetime | None, datetime | None]
_NUMBER: Final = re.compile(r"[A-Z]{0,4}-?\d{4}-\d{1,9}", re.ASCII)
_DATE: Final = re.compile(
    r"(eq|ne|gt|lt|ge|le|sa|eb)?(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
COUNT: Final = 20
_MOST: Final = 100
_EVERYWHERE: Final = frozenset(
    {"_count", "_cursor", "_total", "_format", "_summary", "_sort", "_pretty", "_id", "_lastUpdated", "identifier"}
)
OWN: Final[Mapping[str, frozenset[str]]] = {
    "Task": frozenset({"status", "business-status", "authored-on", "priority", "focus", "based-on"}),
    "ServiceRequest": frozenset({"status", "authored", "priority"}),
    "Communication": frozenset({"status", "sent", "based-on", "part-of"}),
}
"""The parameters of each resource, beside those that all have."""


@dataclass(frozen=True, slots=True)
class Search:
    """One search as it was understood. `kept` are the parameters that were, for the links of the bundle."""

    wanted: Wanted
    sent: Span = (None, None)
    seq: int | None = None
    cursor: str | None = None
    most: int = COUNT
    kept: list[tuple[str, str]] = field(default_factory=list)


def search(kind: Kind, given: Sequence[tuple[str, str]], zone: tzinfo, *, strict: bool) -> Search:
    """Understand the parameters of a search; unknown ones are ignored, or refused where the client wants to know."""
    found = _Narrowing(kind, zone)
    kept: list[tuple[str, str]] = []
    for name, value in given:
        if name not in _EVERYWHERE | OWN[kind]:
            if strict:
                raise fault(name[:60], "unknown")
            continue
        if name != "_cursor":
            kept.append((name, value))
        take = _TAKES.get(name)
        if take is not None:
            take(found, name, value)
    wanted = Wanted(
        states=sorted(found.states),
        levels=sorted(found.levels),
        names=found.names,
        changed=found.changed,
        opened=found.opened,
    )
    return Search(wanted, found.sent, found.seq, found.cursor, found.most, kept)


@dataclass(slots=True)
class _Narrowing:
    """What is left after each parameter: repeated ones narrow further."""

    kind: Kind
    zone: tzinfo
    states: set[str] = field(default_factory=lambda: set(codes.TASK))
    levels: set[str] = field(default_factory=lambda: set(codes.PRIORITY))
    names: list[tuple[str, int | None]] | None = None
    changed: Span = (None, None)
    opened: Span = (None, None)
    sent: Span = (None, None)
    seq: int | None = None
    cursor: str | None = None
    most: int = COUNT

    def take_count(self, _: str, value: str) -> None:
        if not value.isascii() or not value.isdecimal() or len(value) > 6:
            raise fault("_count", "wrong_form")
        self.most = min(int(value), _MOST)

    def take_cursor(self, _: str, value: str) -> None:
        self.cursor = value

    def take_summary(self, _: str, value: str) -> None:
        self.most = 0 if value == "count" else self.most

    def take_sort(self, name: str, value: str) -> None:
        if value not in {"-_lastUpdated", "-sent"}:
            raise fault(name, "not_a_choice", expected="-_lastUpdated")

    def take_format(self, _: str, value: str) -> None:
        if "json" not in value:
            raise HTTPException(406)

    def take_names(self, name: str, value: str) -> None:
        found, seq = _names(name, value)
        self.names = found if self.names is None else [one for one in self.names if one in found]
        self.seq = self.seq if seq is None else seq

    def take_changed(self, name: str, value: str) -> None:
        if self.kind == "Communication":
            self.take_sent(name, value)
        else:
            self.changed = _narrower(self.changed, _span(name, value, self.zone))

    def take_opened(self, name: str, value: str) -> None:
        self.opened = _narrower(self.opened, _span(name, value, self.zone))

    def take_sent(self, name: str, value: str) -> None:
        self.sent = _narrower(self.sent, _span(name, value, self.zone))

    def take_priority(self, _: str, value: str) -> None:
        self.levels &= set(codes.states(codes.PRIORITY, _tokens(value)))

    def take_business(self, _: str, value: str) -> None:
        self.states &= {state for one in _tokens(value) if (state := codes.state_of(one)) is not None}

    def take_status(self, _: str, value: str) -> None:
        if self.kind != "Communication":
            table = codes.TASK if self.kind == "Task" else codes.REQUEST
            self.states &= set(codes.states(table, _tokens(value)))
        elif "completed" not in _tokens(value):
            self.states.clear()


_TAKES: Final[Mapping[str, Callable[[_Narrowing, str, str], None]]] = {
    "_count": _Narrowing.take_count,
    "_cursor": _Narrowing.take_cursor,
    "_summary": _Narrowing.take_summary,
    "_sort": _Narrowing.take_sort,
    "_format": _Narrowing.take_format,
    **dict.fromkeys(("_id", "identifier", "focus", "based-on", "part-of"), _Narrowing.take_names),
    "_lastUpdated": _Narrowing.take_changed,
    "authored": _Narrowing.take_opened,
    "authored-on": _Narrowing.take_opened,
    "sent": _Narrowing.take_sent,
    "priority": _Narrowing.take_priority,
    "business-status": _Narrowing.take_business,
    "status": _Narrowing.take_status,
}


def _tokens(value: str) -> list[str]:
    """The codes of a token parameter, whatever system they name; a comma is an or."""
    return [one.rpartition("|")[2] for one in value.split(",")][:_MOST]


def _names(name: str, value: str) -> tuple[list[tuple[str, int | None]], int | None]:
    """Cases and tracks by logical id, identifier or reference. What is none of them finds nothing."""
    found: list[tuple[str, int | None]] = []
    seq: int | None = None
    for one in value.split(",")[:_MOST]:
        bare = one.rpartition("|")[2].rpartition("/")[2]
        exact = NAME.fullmatch(bare)
        if exact is not None and int(exact[2]) < 2**15:
            found.append((exact[1], int(exact[2])))
            seq = min(int(exact[3]), 2**31 - 1) if exact[3] is not None else seq
        elif name == "identifier" and _NUMBER.fullmatch(bare):
            found.append((bare, None))
    return found, seq


def _narrower(one: Span, other: Span) -> Span:
    begins = max(filter(None, (one[0], other[0])), default=None)
    ends = min(filter(None, (one[1], other[1])), default=None)
    return begins, ends


def _span(name: str, value: str, zone: tzinfo) -> Span:
    """The instants that a date of a search covers: a year is all of it, a day without a zone is the policy's day."""
    found = _DATE.fullmatch(value.replace(" ", "+"))
    if found is None or found[1] == "ne":
        raise fault(name, "not_a_date")
    try:
        begins, ends = _covered(found, zone)
    except (ValueError, OverflowError):
        raise fault(name, "not_a_date") from None
    match found[1]:
        case "gt" | "sa":
            return ends, None
        case "ge":
            return begins, None
        case "lt" | "eb":
            return None, begins
        case "le":
            return None, ends
        case _:
            return begins, ends


def _covered(found: re.Match[str], zone: tzinfo) -> tuple[datetime, datetime]:
    year, month, day = int(found[2]), int(found[3] or 1), int(found[4] or 1)
    where = zone if found[9] is None else datetime.fromisoformat(f"2000-01-01T00:00{found[9]}").tzinfo
    small = f"{(found[8] or '.0')[1:]:0<6}"[:6]
    hour, minute, second = (int(found[place] or 0) for place in (5, 6, 7))
    begins = datetime(year, month, day, hour, minute, second, int(small), where)
    if found[8] is not None:
        length = timedelta(microseconds=10 ** max(0, 6 - len(found[8]) + 1))
        ends = begins + length
    elif found[5] is not None:
        ends = begins + (timedelta(seconds=1) if found[7] is not None else timedelta(minutes=1))
    elif found[4] is not None:
        ends = begins + timedelta(days=1)
    elif found[3] is not None:
        ends = begins.replace(year=year + month // 12, month=month % 12 + 1)
    else:
        ends = begins.replace(year=year + 1)
    return begins.astimezone(UTC), ends.astimezone(UTC)
