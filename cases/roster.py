"""Rosters, read set-wise: everybody with a post at some organisations, and the rota around an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from cases.people import duty, member, organisation, post
from cases.who import Member, Post

# A rota is read from a day before the instant asked about to a week after it, then read again.
_BEFORE: Final = timedelta(days=1)
_AFTER: Final = timedelta(days=7)

IDS: Final = any_(bindparam("ids", type_=ARRAY(BigInteger)))
"""`column == IDS`, with `{"ids": [...]}`: one prepared statement however many ids there are."""


@dataclass(frozen=True, slots=True)
class Term:
    """A post from one instant (included) to another (not included); None is without end."""

    post: Post
    starts: datetime
    ends: datetime | None

    def covers(self, at: datetime) -> bool:
        return self.starts <= at and (self.ends is None or at < self.ends)


@dataclass(frozen=True, slots=True)
class Person:
    """An active member with every term on record."""

    id: int
    name: str
    organisation_id: int
    language: str
    terms: tuple[Term, ...]

    def at(self, at: datetime) -> Member:
        """The member with the posts held at that instant."""
        posts = tuple(term.post for term in self.terms if term.covers(at))
        return Member(self.id, self.name, self.organisation_id, posts, self.language)

    def edges(self) -> Iterator[datetime]:
        """The instants at which the posts held change."""
        for term in self.terms:
            yield term.starts
            if term.ends is not None:
                yield term.ends


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who ever had a post at an organisation, and its shifts that touch `starts` to `ends`."""

    starts: datetime
    ends: datetime
    people: tuple[Person, ...]
    shifts: tuple[tuple[int, datetime, datetime], ...]

    def holders(
        self, organisation_id: int, roles: tuple[str, ...], school_id: int | None, at: datetime
    ) -> tuple[Member, ...]:
        """Who holds one of the roles here at that instant; of the officers those on duty, if any is."""
        on_duty = {who for who, starts, ends in self.shifts if starts <= at < ends}
        found: list[tuple[Member, set[str]]] = []
        for person in self.people:
            one = person.at(at)
            held = {
                item.role
                for item in one.posts
                if item.organisation_id == organisation_id
                and item.role in roles
                and (school_id is None or item.school_id == school_id)
            }
            if held:
                found.append((one, held))
        off = {one.id for one, held in found if held == {"officer"}} - on_duty
        # A rota on which only others than the officers stand doesn't leave the organisation without any.
        if any("officer" in held and one.id in on_duty for one, held in found):
            return tuple(one for one, _ in found if one.id not in off)
        return tuple(one for one, _ in found)

    def steady(self, at: datetime) -> tuple[datetime, datetime]:
        """From which instant up to which (not included) the answer for `at` can't change by time alone."""
        return steady(self._edges(), at, self.starts, self.ends)

    def _edges(self) -> Iterator[datetime]:
        for person in self.people:
            yield from person.edges()
        for _, starts, ends in self.shifts:
            yield starts
            yield ends


def steady(edges: Iterable[datetime], at: datetime, first: datetime, last: datetime) -> tuple[datetime, datetime]:
    """Of these instants the last one up to `at` and the first one after it, within `first` and `last`."""
    for edge in edges:
        if first < edge <= at:
            first = edge
        elif at < edge < last:
            last = edge
    return first, last


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which that day begins in the policy's time zone."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


_TERMS = (
    select(
        member.c.id.label("member_id"),
        member.c.name,
        member.c.organisation_id.label("home"),
        member.c.language,
        post.c.role,
        post.c.organisation_id,
        organisation.c.kind,
        post.c.school_id,
        post.c.since,
        post.c.until,
    )
    .select_from(member)
    .outerjoin(post, post.c.member_id == member.c.id)
    .outerjoin(organisation, organisation.c.id == post.c.organisation_id)
    .where(member.c.active)
    .order_by(member.c.id, post.c.id)
)
_TERMS_OF_MEMBERS = _TERMS.where(member.c.id == IDS)
_TERMS_AT = _TERMS.where(member.c.id.in_(select(post.c.member_id).where(post.c.organisation_id == IDS).correlate(None)))
_SHIFTS = (
    select(duty.c.organisation_id, duty.c.member_id, duty.c.starts_at, duty.c.ends_at)
    .where(duty.c.organisation_id == IDS)
    .where(duty.c.ends_at > bindparam("from_"), duty.c.starts_at < bindparam("to"))
)


def read_people(connection: Connection, ids: Collection[int], zone: ZoneInfo) -> list[Person]:
    """The active members of those ids."""
    return list(_people(connection.execute(_TERMS_OF_MEMBERS, {"ids": list(ids)}), zone))


def read_rosters(connection: Connection, ids: Collection[int], at: datetime, zone: ZoneInfo) -> Mapping[int, Roster]:
    """The rosters of those organisations around that instant, in two queries however many there are."""
    wanted = list(ids)
    people: dict[int, list[Person]] = defaultdict(list)
    for person in _people(connection.execute(_TERMS_AT, {"ids": wanted}), zone):
        for place in dict.fromkeys(term.post.organisation_id for term in person.terms):
            people[place].append(person)
    starts, ends = (at - _BEFORE).astimezone(UTC), (at + _AFTER).astimezone(UTC)
    shifts: dict[int, list[tuple[int, datetime, datetime]]] = defaultdict(list)
    for row in connection.execute(_SHIFTS, {"ids": wanted, "from_": starts, "to": ends}):
        shifts[row.organisation_id].append((row.member_id, row.starts_at.astimezone(UTC), row.ends_at.astimezone(UTC)))
    return {one: Roster(starts, ends, tuple(people[one]), tuple(shifts[one])) for one in wanted}


def _people(rows: Iterable[Row[Any]], zone: ZoneInfo) -> Iterator[Person]:
    for _, group in groupby(rows, key=attrgetter("member_id")):
        terms = list(group)
        first = terms[0]
        yield Person(
            first.member_id,
            first.name,
            first.home,
            first.language,
            tuple(_term(row, zone) for row in terms if row.role is not None),
        )


def _term(row: Row[Any], zone: ZoneInfo) -> Term:
    return Term(
        Post(row.role, row.organisation_id, row.kind, row.school_id),
        midnight(row.since, zone),
        # The last day counts in full.
        None if row.until is None else midnight(row.until + timedelta(days=1), zone),
    )
