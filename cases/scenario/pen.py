"""Reading the values of a scenario file, one kind of value at a time, each fault noted where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from cases.people import KINDS, KINDS_OF_ROLE, ROLES
from cases.samples.gazetteer import gazetteer
from cases.scenario.address import Address, Person, Place, address, of_part, person, place
from cases.track import Track, discover
from policies.faults import Where, one_of, shown
from policies.festivals import FIRST_YEAR, LAST_YEAR
from policies.reading import Plain, Reading
from policies.vocabulary import Words

MOST_OF_A_KIND: Final = 9
"""More of one kind in one district no story needs; streets are bounded by the district's real ones."""

_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?")
_OFFSET: Final = re.compile(r"\+\s*(\d{1,6})\s*(m|h|d)")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_MOMENT_RIGHT: Final = Words("写成 2026-03-17T08:20（当地时间）", "write 2026-03-17T08:20 (local time)")


@dataclass(frozen=True, slots=True)
class When:
    """A point of the story: so long after the start, or a local time of the policy's zone."""

    offset: timedelta | None = None
    local: datetime | None = None


@dataclass(slots=True)
class Pen:
    """A file being read: whatever is faulty is noted with its line, and reading goes on."""

    reading: Reading
    places: set[Place] = field(default_factory=set)
    people: set[Person] = field(default_factory=set)

    @property
    def tracks(self) -> Mapping[str, Track]:
        """Every declared track."""
        return discover()

    def line(self, where: Where) -> int:
        """The line of a field."""
        return self.reading.line(where)

    def fault(self, where: Where, why: Words, right: Words) -> None:
        """Note a fault."""
        self.reading.fault(where, why, right)

    def mapping(self, value: Plain, where: Where, known: Sequence[str] | None = None) -> dict[str, Plain]:
        """The fields of a mapping; unknown ones are noted and left out."""
        if not isinstance(value, dict):
            self.fault(
                where,
                Words("这里应是若干字段", "fields belong here"),
                Words("写成 名称: 值", "write name: value"),
            )
            return {}
        if known is None:
            return value
        for name in value:
            if name not in known:
                why = Words(f"没有“{shown(name)}”这个字段", f'there is no field "{shown(name)}"')
                self.fault((*where, name), why, one_of(known, name))
        return {name: one for name, one in value.items() if name in known}

    def items(self, value: Plain, where: Where) -> Iterator[tuple[Where, Plain]]:
        """The entries of a list; a single one may stand without brackets."""
        if isinstance(value, tuple):
            for number, one in enumerate(value):
                yield (*where, number), one
        elif value is not None:
            yield where, value

    def text(self, value: Plain, where: Where, *, needed: str | None = None) -> str:
        """A text that isn't empty."""
        if isinstance(value, str) and value.strip():
            return value.strip()
        if needed is not None and value is None:
            self.fault(where, Words(f"缺少 {needed}", f"{needed} is missing"), Words("写上它", "write it"))
        else:
            self.fault(where, Words("这里应是文字", "text belongs here"), Words("写一行文字", "write a line of text"))
        return ""

    def word(self, value: Plain, where: Where, known: Sequence[str], zh: str, en: str) -> str | None:
        """One of the known words."""
        if isinstance(value, str) and value in known:
            return value
        said = shown(value)
        self.fault(where, Words(f"没有“{said}”这样的{zh}", f'there is no {en} "{said}"'), one_of(known, value))
        return None

    def moment(self, value: Plain, where: Where) -> datetime | None:
        """A local date and time, exact to the minute or second."""
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            try:
                found = datetime.fromisoformat(value)
            except ValueError:
                why = Words(f"没有 {shown(value)} 这个时刻", f"there is no {shown(value)}")
                self.fault(where, why, _MOMENT_RIGHT)
                return None
            return found if self.within(found, where) else None
        if value is None:
            self.fault(where, Words("缺少时间", "the time is missing"), _MOMENT_RIGHT)
        elif value != date.min:  # the reader has noted an impossible day already
            why = Words(f"“{shown(value)}”不是日期加时间", f'"{shown(value)}" is no date with a time')
            self.fault(where, why, _MOMENT_RIGHT)
        return None

    def within(self, at: datetime, where: Where) -> bool:
        """Whether the working calendars reach that far; a fault where they don't."""
        if FIRST_YEAR < at.year < LAST_YEAR:
            return True
        why = Words(f"{at.year} 年超出工作日历", f"the working calendars don't reach {at.year}")
        right = Words(f"{FIRST_YEAR + 1} 至 {LAST_YEAR - 1} 年", f"{FIRST_YEAR + 1} to {LAST_YEAR - 1}")
        self.fault(where, why, right)
        return False

    def when(self, value: Plain, where: Where) -> When | None:
        """`+90m` after the start, or a local time."""
        if isinstance(value, str) and (found := _OFFSET.fullmatch(value)):
            return When(offset=int(found[1]) * _UNITS[found[2]])
        if isinstance(value, str) and value.lstrip().startswith("+"):
            right = Words("写成 +15m、+2h 或 +3d", "write +15m, +2h or +3d")
            self.fault(where, Words(f"“{shown(value)}”不是时长", f'"{shown(value)}" is no length of time'), right)
            return None
        local = self.moment(value, where)
        return None if local is None else When(local=local)

    def place(self, value: Plain, where: Where) -> Place | None:
        """An organisation of the cast, which then has to be built."""
        found = place(value) if isinstance(value, str) else None
        if found is None or found.kind not in KINDS:
            why = Words(f"演员表里没有“{shown(value)}”这样的单位", f'the cast has no organisation "{shown(value)}"')
            self.fault(where, why, one_of(KINDS, str(value).partition("#")[0]))
            return None
        most = self._most(found)
        if found.number > most or found.district > len(gazetteer().districts):
            why = Words(f"没有那么多：{found}", f"there aren't that many: {found}")
            self.fault(where, why, Words(f"最多 {most} 个", f"{most} at most"))
            return None
        self.places.add(found)
        return found

    def person(self, value: Plain, where: Where) -> Person | None:
        """A member of the cast, who then has to be built."""
        found = person(value) if isinstance(value, str) else None
        if found is None:
            right = Words("写成 officer@street、officer@street#2", "write officer@street, officer@street#2")
            self.fault(where, Words(f"“{shown(value)}”不是人员", f'"{shown(value)}" names no member'), right)
            return None
        if found.role not in ROLES:
            why = Words(f"没有“{shown(found.role)}”这样的职务", f'there is no role "{shown(found.role)}"')
            self.fault(where, why, one_of(ROLES, found.role))
            return None
        if self.place(str(found.place), where) is None:
            return None
        if found.place.kind not in KINDS_OF_ROLE[found.role]:
            why = Words(f"{found.place.kind} 没有 {found.role}", f"a {found.place.kind} has no {found.role}")
            self.fault(where, why, one_of([kind for kind in KINDS if kind in KINDS_OF_ROLE[found.role]]))
            return None
        self.people.add(found)
        return found

    def track(self, value: Plain, where: Where) -> Address | None:
        """The address of a track."""
        found = address(value) if isinstance(value, str) else None
        if found is None or found.part is not None:
            right = Words(
                "写成 referral、assignment(street)、check_in#2",
                "write referral, assignment(street), check_in#2",
            )
            self.fault(where, Words(f"“{shown(value)}”不是事项", f'"{shown(value)}" addresses no track'), right)
            return None
        return self._known(found, where)

    def part(self, value: Plain, where: Where) -> Address | None:
        """The address of a trigger, a clock or an event; its part isn't looked up yet."""
        found = of_part(value) if isinstance(value, str) else None
        if found is None or found.part is None:
            right = Words("写成 settle、assignment(street).report_in", "write settle, assignment(street).report_in")
            self.fault(where, Words(f"“{shown(value)}”不是地址", f'"{shown(value)}" is no address'), right)
            return None
        if found.kind in self.tracks["case"].clock_kinds and found.place is None and found.number is None:
            # `settle.breached`: what happened to a clock of the case itself.
            return Address(None, None, None, str(found))
        return self._known(found, where)

    def _known(self, found: Address, where: Where) -> Address | None:
        if found.kind is not None and found.kind not in self.tracks:
            why = Words(f"没有“{shown(found.kind)}”这种事项", f'there is no track "{shown(found.kind)}"')
            self.fault(where, why, one_of(tuple(self.tracks), found.kind))
            return None
        if found.place is not None and self.place(str(found.place), where) is None:
            return None
        return found

    def _most(self, found: Place) -> int:
        if found.kind == "city":
            return 1
        # Stations, schools and communities lie in a street each.
        if found.kind in {"street", "community", "school", "police"} and found.district <= len(gazetteer().districts):
            return min(MOST_OF_A_KIND, len(gazetteer().districts[found.district - 1].streets))
        return MOST_OF_A_KIND
