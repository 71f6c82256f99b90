"""Statistics for those who oversee: the indicators of a place, by month, by district and organisation; who sees whose.

Everything is read from the tallies (`cases.tallies`). Readers have the places of their own posts and what lies below
them, where the policy's sight shows them the cases; an auditor, who sees no case, has the figures without their lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, and_, case, func, or_, select

from cases.access import NOTHING, Sight
from cases.figures import Figure, Sums, Times, figures, kept_back, summed, times
from cases.people import organisation
from cases.refusal import Refusal
from cases.set_aside import among_neighbours, given_away, without, year_by_year
from cases.tally_tables import TOGETHER, headcount, tally, tally_round

if TYPE_CHECKING:
    from cases.directory import Actor
    from cases.office import Session
    from cases.who import Organisation
    from policies.book import Book

ROLES: Final = frozenset({"supervisor", "coordinator", "auditor", "principal"})
WHO_CAN: Final = ("auditor@jurisdiction", "coordinator@jurisdiction", "supervisor@jurisdiction", "principal@school")
EARLIEST: Final = date(2020, 1, 1)
USUAL: Final = 12
LONGEST: Final = 36
"""So many months at most are shown at once."""
_KINDS: Final = ("city", "district", "school")
_SPREADS: Final = ("report_in", "score")
"""Of those below a place only these values are read: of one the median is shown, of the other the mean."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: the months (their first days, both included), whose cases, and whom the figures are about."""

    first: date
    last: date
    place: int | None = None
    organisation: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one district or organisation, by the codes of the indicators, and how long reporting in took."""

    number: int
    name: str
    kind: str
    figures: Mapping[str, Figure]
    times: Times


@dataclass(frozen=True, slots=True)
class Told:
    """The statistics of one place. `below` are its districts, or else the organisations that its cases concerned.

    `listed` tells whether the reader may open the lists; `counted` is None before anything was counted.
    """

    place: Organisation
    about: Organisation | None
    whole: Mapping[str, Figure]
    months: tuple[tuple[date, Mapping[str, Figure]], ...]
    below: tuple[Line, ...]
    sums: Mapping[str, Sums]
    students: int
    counted: datetime | None
    listed: bool


def period(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """The months that are shown where these are asked for: twelve by default, thirty-six at most, none to come."""
    last = min(last or today, today).replace(day=1)
    last = max(last, EARLIEST)
    first = (first or _back(last, USUAL - 1)).replace(day=1)
    return max(min(first, last), _back(last, LONGEST - 1), EARLIEST), last


def _back(month: date, count: int) -> date:
    """The first day of the month so many before."""
    whole = month.year * 12 + month.month - 1 - count
    return date(whole // 12, whole % 12 + 1, 1)


def places(actor: Actor, book: Book) -> dict[int, bool]:
    """The reader's own places, each with whether its cases are seen too."""
    granted = {
        who for rule in book.sight if Sight(rule.identity, rule.narrative, rule.clinical) != NOTHING for who in rule.who
    }
    own: dict[int, bool] = {}
    for post in actor.posts:
        seen = (post.role, "school" if post.kind == "school" else "jurisdiction") in granted
        if post.role in ROLES and post.kind in _KINDS and (seen or post.role == "auditor"):
            own[post.organisation_id] = own.get(post.organisation_id, False) or seen
    return own


def tell(session: Session, actor: Actor, wanted: Wanted) -> Told:
    """The figures that are asked for; of the reader's first place where none is. Six queries at most.

    Refuses `not_permitted` to whoever oversees nothing, `not_found` for a place that isn't under the reader.
    """
    place, listed = whose(session, actor, wanted.place)
    about = None
    if wanted.organisation is not None and place.kind != "city":
        about = _organisation(session, wanted.organisation)
    connection = session.connection
    students = _students(connection)
    years = replace(wanted, first=wanted.first.replace(month=1), last=wanted.last.replace(month=12))
    rows = _rows(connection, place.id, about.id if about else TOGETHER, years)
    own = [row for row in rows if wanted.first <= row.month <= wanted.last]
    heads = students.get(about.id if about is not None and about.kind == "school" else place.id, 0)
    whole = summed(row[1:] for row in own)
    aside = among_neighbours(
        connection, place, _above(session, actor, place), about.id if about else None, _within(wanted)
    )
    by_year = year_by_year([(month, _of_month(rows, month, heads)) for month in months(years)])
    monthly = [(month, without(by_year[month], aside.months.get(month, frozenset()))) for month in months(wanted)]
    return Told(
        place=place,
        about=about,
        whole=without(figures(whole, heads), aside.whole | given_away(told for _, told in monthly)),
        months=tuple(monthly),
        below=_below(connection, place, wanted, students) if about is None else (),
        sums=whole,
        students=heads,
        counted=connection.scalar(select(tally_round.c.counted_at)),
        listed=listed,
    )


def _of_month(rows: Iterable[Any], month: date, heads: int) -> dict[str, Figure]:
    # Of a month the mean of the points is shown, and no other value.
    own = [
        (row.measure, row.counted, row.hits, row.spread if row.measure == "score" else None)
        for row in rows
        if row.month == month
    ]
    return figures(summed(own), heads)


def _above(session: Session, actor: Actor, place: Organisation) -> Organisation | None:
    """The place in whose table this one is a line, where the reader may read that table too."""
    number = place.district_id if place.kind == "school" else place.city_id if place.kind == "district" else None
    if number is None or not overseen(session, actor, number):
        return None
    return _organisation(session, number)


def whose(session: Session, actor: Actor, number: int | None) -> tuple[Organisation, bool]:
    """The place that a reader asks for, and whether its lists are open to them too. Refuses as `tell`."""
    book = session.office.book_of(session.office.current)
    own = places(actor, book)
    if not own:
        raise Refusal("not_permitted", who_can=WHO_CAN)
    place = _organisation(session, number if number is not None else next(iter(own)))
    above = [one for one in (place.id, place.district_id, place.city_id) if one in own]
    if place.kind not in _KINDS or not above:
        raise Refusal("not_found")
    return place, any(own[one] for one in above)


def overseen(session: Session, actor: Actor, number: int) -> bool:
    """Whether a place is one of the reader's, or under one of them."""
    try:
        whose(session, actor, number)
    except Refusal:
        return False
    return True


def known(session: Session, number: int) -> bool:
    """Whether there is an organisation of that id."""
    try:
        _organisation(session, number)
    except Refusal:
        return False
    return True


def named(session: Session, number: int) -> str:
    """What an organisation is called. Refuses `not_found`."""
    return _organisation(session, number).name


def choices(session: Session, actor: Actor, place: Organisation) -> list[tuple[int, str]]:
    """The places that the reader can go to from this one: their own, their city's districts, the district's schools."""
    own = places(actor, session.office.book_of(session.office.current))
    ways = [organisation.c.id.in_(own), and_(organisation.c.kind == "district", organisation.c.city_id.in_(own))]
    district = place.district_id
    if district is not None and (district in own or place.city_id in own):
        ways.append(and_(organisation.c.kind == "school", organisation.c.district_id == district))
    rank = case({"city": 0, "district": 1}, value=organisation.c.kind, else_=2)
    query = select(organisation.c.id, organisation.c.name).where(organisation.c.active, or_(*ways))
    query = query.order_by(rank, organisation.c.id)
    return [(row.id, row.name) for row in session.connection.execute(query)]


def months(wanted: Wanted) -> Iterator[date]:
    """The first day of each month that is asked for."""
    month = wanted.first
    while month <= wanted.last:
        yield month
        month = date(month.year + (month.month == 12), month.month % 12 + 1, 1)


def _organisation(session: Session, number: int) -> Organisation:
    from cases.directory_fault import DirectoryFault

    try:
        return session.office.directory.organisation(session.connection, number)
    except DirectoryFault:
        raise Refusal("not_found") from None


def _students(connection: Connection) -> dict[int, int]:
    return {row.place_id: row.students for row in connection.execute(select(headcount))}


def _rows(connection: Connection, place: int, about: int, wanted: Wanted) -> list[Any]:
    query = select(tally.c.month, tally.c.measure, tally.c.counted, tally.c.hits, tally.c.spread)
    query = query.where(tally.c.place_id == place, tally.c.organisation_id == about, *_within(wanted))
    return list(connection.execute(query))


def _within(wanted: Wanted) -> tuple[Any, Any]:
    return tally.c.month >= wanted.first, tally.c.month <= wanted.last


def _below(
    connection: Connection, place: Organisation, wanted: Wanted, students: Mapping[int, int]
) -> tuple[Line, ...]:
    """The districts of a city; the organisations that a district's or a school's cases concerned."""
    spreads = func.jsonb_agg(tally.c.spread).filter(tally.c.measure.in_(_SPREADS))
    sums = (func.sum(tally.c.counted), func.sum(tally.c.hits), spreads)
    who = tally.c.place_id if place.kind == "city" else tally.c.organisation_id
    query = select(organisation.c.id, organisation.c.name, organisation.c.kind, tally.c.measure, *sums)
    query = query.join(organisation, organisation.c.id == who).where(*_within(wanted))
    if place.kind == "city":
        query = query.where(organisation.c.kind == "district", organisation.c.city_id == place.id)
        query = query.where(tally.c.organisation_id == TOGETHER)
    else:
        query = query.where(tally.c.place_id == place.id, tally.c.organisation_id != TOGETHER)
    query = query.group_by(organisation.c.id, tally.c.measure)
    found: dict[int, tuple[str, str, dict[str, Sums]]] = {}
    for number, name, kind, measure, items, hits, values in connection.execute(query):
        own = found.setdefault(number, (name, kind, {}))[2].setdefault(measure, Sums())
        own.add(items, hits)
        for spread in values or ():
            own.add(0, 0, spread)
    rows = sorted(found.items(), key=lambda one: (one[1][1], one[1][0]))
    told = kept_back([figures(sums, students.get(number, 0)) for number, (_, _, sums) in rows])
    return tuple(
        Line(number, name, kind, shown, times(sums.get("report_in", Sums()).spread))
        for (number, (name, kind, sums)), shown in zip(rows, told, strict=True)
    )
