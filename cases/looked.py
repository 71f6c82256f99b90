"""Who has looked: what was opened of a case, by whom and why, from the access log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, literal, select, tuple_

from cases.people import member, organisation
from cases.records import access_log


@dataclass(frozen=True, slots=True)
class Look:
    """One member's looks at one section on one day: how often, when last, and what was written as the reason."""

    member: str
    organisation: str
    role: str
    section: str
    what: str
    times: int
    last: datetime
    by_glass: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """Where one page ends: the instant of its last line, and the newest entry of the log in it."""

    at: datetime
    entry: int


def looks(
    connection: Connection, case_id: int, *, before: Mark | None = None, most: int = 50
) -> tuple[list[Look], Mark | None]:
    """The newest first, and the mark behind which the next page begins (None: this was the last).

    What one member opened for the same reason on one day is one line.
    """
    day = func.date_trunc("day", access_log.c.at)
    last, entry = func.max(access_log.c.at), func.max(access_log.c.id)
    query = (
        select(
            member.c.name,
            organisation.c.name,
            access_log.c.role,
            access_log.c.section,
            access_log.c.what,
            func.count(),
            last,
            func.bool_or(access_log.c.track_no.is_not(None)),
            entry,
        )
        .join(member, member.c.id == access_log.c.member_id)
        .join(organisation, organisation.c.id == access_log.c.organisation_id)
        .where(access_log.c.case_id == case_id)
        .group_by(member.c.name, organisation.c.name, access_log.c.role, access_log.c.section, access_log.c.what, day)
        .order_by(last.desc(), entry.desc())
        .limit(most + 1)
    )
    if before is not None:
        query = query.having(tuple_(last, entry) < tuple_(literal(before.at), literal(before.entry)))
    rows = connection.execute(query).all()
    more = Mark(rows[most - 1][6], rows[most - 1][8]) if len(rows) > most else None
    return [Look(*row[:8]) for row in rows[:most]], more


@dataclass(frozen=True, slots=True)
class Looker:
    """One member in one role, when they looked last, and each of their looks."""

    member: str
    organisation: str
    role: str
    last: datetime
    looks: tuple[Look, ...]


def by_person(looks: Iterable[Look]) -> list[Looker]:
    """One line for each person, in the order of their last look."""
    found: dict[tuple[str, str, str], list[Look]] = {}
    for one in looks:
        found.setdefault((one.member, one.organisation, one.role), []).append(one)
    return [Looker(*who, last=theirs[0].last, looks=tuple(theirs)) for who, theirs in found.items()]
