"""What a policy is made of, once read: frozen values that engine, pages and command line share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from policies.limits import Limit, SameDay
from policies.vocabulary import Words

Sight = Literal["yes", "no", "masked"]


@dataclass(frozen=True, slots=True)
class Basis:
    """What an entry rests on. Only `kind` law is law; `default` is a choice that a city may change."""

    kind: str
    source: Words
    note: Words | None = None

    def text(self, language: str) -> str:
        """The source, and the note behind it."""
        source = self.source.in_language(language)
        if self.note is None:
            return source
        return source + ("；" if language.startswith("zh") else "; ") + self.note.in_language(language)


@dataclass(frozen=True, slots=True)
class Level:
    """A colour. A higher rank is graver."""

    code: str
    rank: int
    label: Words
    meaning: Words
    basis: Basis


@dataclass(frozen=True, slots=True)
class Concern:
    """A reason to whistle: who leads, who supports, and the tracks that open at once."""

    code: str
    label: Words
    lead: str
    support: tuple[str, ...]
    opens: tuple[str, ...]
    basis: Basis


@dataclass(frozen=True, slots=True)
class ClockLimit:
    """One clock's limits, by level (None: that level has none), with what each rests on."""

    name: str
    label: Words
    by_level: Mapping[str, Limit | SameDay | None]
    basis_by_level: Mapping[str, Basis]


@dataclass(frozen=True, slots=True)
class GivenClock:
    """A clock whose due time is given by whoever starts it; `due` says how."""

    name: str
    label: Words
    due: Words
    basis: Basis


@dataclass(frozen=True, slots=True)
class RungText:
    """What a rung is called, and what it rests on; what it does is in the ladder."""

    name: str
    label: Words
    basis: Basis


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Weeks after the day of return in which a check-in opens, rising. `hospital` is a part of `school`."""

    school: tuple[int, ...]
    hospital: tuple[int, ...]
    attendance: tuple[tuple[int, int, int], ...]
    basis: Basis

    def rounds(self, day: date) -> Iterator[tuple[int, date, bool]]:
        """For each round: its week, the day on which it opens, and whether the hospital joins."""
        for week in self.school:
            yield week, day + timedelta(weeks=week), week in self.hospital

    def attendance_in(self, week: int) -> int:
        """The share of full attendance that is expected in a week after the return, in percent."""
        for first, last, percent in self.attendance:
            if first <= week <= last:
                return percent
        return 100 if self.attendance and week > self.attendance[-1][1] else 0


@dataclass(frozen=True, slots=True)
class SightRule:
    """Who (role and seat; `anyone` is every role) sees what and when. The most that fits is granted."""

    who: tuple[tuple[str, str], ...]
    when: str
    identity: Sight
    narrative: Sight
    clinical: Sight
    basis: Basis


@dataclass(frozen=True, slots=True)
class Windows:
    """How long something may be done, and how often.

    `extension_percent` is the most that an extension may add; `rounds_of_some_risk` is how many such rounds
    running tell the coordinator.
    """

    undo_acknowledge: timedelta
    decline: timedelta
    access: timedelta
    sight_after_closing: timedelta
    send_backs: int
    extensions: int
    extension_percent: int
    rounds_of_some_risk: int
    protection_max_months: int


@dataclass(frozen=True, slots=True)
class Leave:
    """When a student may go on leave for illness, and for how long."""

    absent_share: str
    hospital_grade: int
    term_months: int
    basis: Basis


@dataclass(frozen=True, slots=True)
class Programme:
    """A guidance programme of the catalogue."""

    code: str
    label: Words
    basis: Basis


@dataclass(frozen=True, slots=True)
class Statutory:
    """A situation that must be reported to the police at once, asked as a plain question."""

    code: str
    item: int
    label: Words
    question: Words
    basis: Basis


@dataclass(frozen=True, slots=True)
class Band:
    """A band of a scale's total, both ends included."""

    lowest: int
    highest: int
    code: str
    label: Words


@dataclass(frozen=True, slots=True)
class Triage:
    """A yes to any of these items (named by number) puts the answers into this band; the first fit counts."""

    code: str
    any_of: tuple[str, ...]
    label: Words


@dataclass(frozen=True, slots=True)
class Scale:
    """A screening scale: bands of its total, or triage where the answers are yes and no.

    Items are named by their number, from "1". `alarm` maps an item to the answer from which on it alarms.
    """

    code: str
    label: Words
    items_count: int
    answers: tuple[int, int]
    bands: tuple[Band, ...]
    triage: tuple[Triage, ...]
    alarm: Mapping[str, int]
    alarm_label: Words | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class Reserved:
    """A trigger that a law leaves to these kinds; all others are refused `unlawful` with the article."""

    trigger: str
    kinds: tuple[str, ...]
    article: Words
    basis: Basis


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept; `until_age`, `plus_years` and `years_after_closing` are about a case."""

    until_age: int
    plus_years: int
    years_after_closing: int
    processing_years: int
    log_months: int
    medical_years: int
    bases: Mapping[str, Basis]

    def keep_until(self, born: date) -> date:
        """The day until which a student is kept at least: the end of that year, as the day itself would tell the
        birthday.
        """
        return date(born.year + self.until_age + self.plus_years, 12, 31)
