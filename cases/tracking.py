"""联合跟踪 as one sheet for each district: which rounds are open or missed, whose part is missing [plan 11].

The rounds themselves are laid out, opened and missed by the wake of their case (`cases.wake`); this only reads.
No person stands in it: a line is a case's number, its round and the organisations that owe a part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, RowMapping, and_, select

from cases import regrading
from cases.people import organisation
from cases.records import case, clock, track

if TYPE_CHECKING:
    from policies.book import Book

SOON: Final = timedelta(days=7)
"""How far ahead planned rounds are counted."""


@dataclass(frozen=True, slots=True)
class Owing:
    """One round that is open, or missed and not yet filed.

    `missing` names the sides whose part isn't there, `school_part` who files the school's: the school, or in the
    holidays the community. `opened` is the day since when it is asked for.
    """

    number: str
    level: str
    school: str
    hospital: str
    round: int
    week: int
    state: str
    opened: date
    due: datetime
    missing: tuple[str, ...]
    school_part: str

    def row(self) -> dict[str, Any]:
        """As a table has it: whose part of which round is missing, and since when."""
        sides = (self.school_part if side == "school" else side for side in self.missing)
        return {
            "case": self.number,
            "level": self.level,
            "week": self.week,
            "missing": ", ".join(sides),
            "since": self.opened.isoformat(),
            "due": self.due.isoformat(timespec="minutes"),
            "state": self.state,
        }


@dataclass(frozen=True, slots=True)
class Sheet:
    """A district's joint tracking at an instant."""

    code: str
    district: str
    tracked: int
    """Students under joint tracking."""
    soon: int
    """Planned rounds that open within a week."""
    regrades: int
    """Students for whom a regrade is prompted, whether or not a round of theirs is open."""
    owing: tuple[Owing, ...]

    @property
    def missed(self) -> int:
        return sum(one.state == "missed" for one in self.owing)


def districts(connection: Connection) -> list[tuple[str, str]]:
    """Code and name of every active district, by code."""
    found = select(organisation.c.code, organisation.c.name).where(organisation.c.kind == "district")
    return [(code, name) for code, name in connection.execute(found.where(organisation.c.active).order_by("code"))]


def sheets(
    connection: Connection, book_of: Callable[[str], Book], now: datetime, *, district: str | None = None
) -> list[Sheet]:
    """The sheet of every district that tracks somebody, or of the district with that code, tracking or not."""
    drawn = []
    names = dict(districts(connection))
    risky = {(row.case_id, row.parent_no): row.running for row in connection.execute(regrading.prompted(1))}
    for code, rows in groupby(_rounds(connection, district), key=lambda row: str(row["code"])):
        drawn.append(_sheet(code, names.pop(code, code), list(rows), risky, book_of, now))
    if district is not None and not drawn and district in names:
        drawn.append(Sheet(district, names[district], 0, 0, 0, ()))
    return drawn


def _sheet(
    code: str,
    name: str,
    rows: list[RowMapping],
    risky: Mapping[tuple[int, int], int],
    book_of: Callable[[str], Book],
    now: datetime,
) -> Sheet:
    tracked, soon, regrades = 0, 0, 0
    owing: list[Owing] = []
    for tracking, group in groupby(rows, key=lambda row: (row["case_id"], row["parent_no"])):
        rounds = list(group)
        book = book_of(rounds[0]["policy"])
        ahead = (now + SOON).astimezone(book.tz).date()
        tracked += 1
        regrades += risky.get(tracking, 0) >= book.windows.rounds_of_some_risk
        soon += sum(
            one["state"] == "planned" and date.fromisoformat(one["facts"]["opens_on"]) <= ahead for one in rounds
        )
        owing += _owing(rounds)
    return Sheet(
        code, name, tracked, soon, regrades, tuple(sorted(owing, key=lambda one: (one.due, one.number, one.round)))
    )


def _owing(rounds: list[RowMapping]) -> Iterator[Owing]:
    for row in rounds:
        facts = row["facts"]
        missing = tuple(side for side in facts["needs"] if side not in facts["filed"])
        if row["state"] in {"open", "missed"} and missing and row["due_at"] is not None:
            yield Owing(
                number=row["number"],
                level=row["level"],
                school=row["school"],
                hospital=row["hospital"] or "–",
                round=facts["round"],
                week=facts["week"],
                state=row["state"],
                opened=date.fromisoformat(facts["opens_on"]),
                due=row["due_at"].astimezone(UTC),
                missing=missing,
                school_part=facts.get("school_part", "school"),
            )


def _rounds(connection: Connection, district: str | None) -> Iterator[RowMapping]:
    """Every round of every running tracking, by district, case and round."""
    parent, place, school, hospital = track.alias(), organisation.alias(), organisation.alias(), organisation.alias()
    found = (
        select(
            case.c.id.label("case_id"),
            case.c.number,
            case.c.level,
            case.c.policy,
            place.c.code,
            school.c.name.label("school"),
            hospital.c.name.label("hospital"),
            track.c.parent_no,
            track.c.state,
            track.c.facts,
            clock.c.due_at,
        )
        .select_from(track)
        .join(case, case.c.id == track.c.case_id)
        .join(parent, and_(parent.c.case_id == track.c.case_id, parent.c.no == track.c.parent_no))
        .join(place, place.c.id == case.c.district_id)
        .join(school, school.c.id == case.c.school_id)
        .outerjoin(hospital, hospital.c.id == parent.c.organisation_id)
        .outerjoin(
            clock,
            and_(clock.c.case_id == track.c.case_id, clock.c.track_no == track.c.no, clock.c.name == "check_in"),
        )
        .where(track.c.kind == "check_in", parent.c.state == "tracking")
        .order_by(place.c.code, case.c.number, track.c.parent_no, track.c.no)
    )
    if district is not None:
        found = found.where(place.c.code == district)
    yield from connection.execute(found).mappings()
