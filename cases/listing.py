"""Lists of cases, of their tracks, and their counts, by cursor: exactly what `access.visible` lets a reader see.

One query for a page, whatever its length, and one more for the policy versions that grant sight in their own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select

from cases import access
from cases.cursors import Page, paged
from cases.people import organisation
from cases.records import LEVELS, called, clock, policy_version, track
from cases.records import case as cases
from cases.roster import midnight

if TYPE_CHECKING:
    from cases.directory import Actor
    from cases.office import Session
    from policies.book import Book

Sort = Literal["-opened", "opened", "-changed", "due", "level"]
SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
MOST: Final = 100
_FAR: Final = datetime(9999, 1, 1, tzinfo=UTC)
_RANK: Final = case({level: rank for rank, level in enumerate(LEVELS)}, value=cases.c.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list is narrowed to; whatever is empty narrows nothing.

    `mine` are the cases that the reader whistled or that the reader's organisations are called to or owe in.
    `opened_from` and `opened_to` are days of the policy's time zone, both included. `text` is a part of the number.
    """

    state: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    concern: tuple[str, ...] = ()
    school: int | None = None
    district: int | None = None
    organisation: int | None = None
    overdue: bool | None = None
    mine: bool = False
    opened_from: date | None = None
    opened_to: date | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One case of a list: its open part, when something of it is due next, and how much is overdue."""

    number: str
    state: str
    level: str
    concern: str
    school: int
    school_name: str
    district: int
    policy: str
    opened: datetime
    changed: datetime
    closed: datetime | None
    version: int
    due: datetime | None
    overdue: int


@dataclass(frozen=True, slots=True)
class TrackLine:
    """One track of a list, with the case that it belongs to."""

    number: str
    level: str
    no: int
    kind: str
    state: str
    organisation: int | None
    parent: int | None
    about: int | None
    opened: datetime
    ended: datetime | None
    facts: dict[str, Any]
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many cases of one state and level a reader sees, and how many of them have something overdue."""

    state: str
    level: str
    cases: int
    overdue: int


def lines(
    session: Session,
    actor: Actor,
    now: datetime,
    filters: Filters,
    sort: Sort = "-opened",
    cursor: str | None = None,
    most: int = 50,
) -> Page[Line]:
    """One page of the cases that this reader sees. Refuses `invalid` for a cursor that isn't one of this list's."""
    due, query = _query(now)
    key: ColumnElement[Any] = {
        "-opened": cases.c.created_at,
        "opened": cases.c.created_at,
        "-changed": cases.c.last_at,
        "due": func.coalesce(due, literal(_FAR)),
        "level": _RANK,
    }[sort]
    query = query.add_columns(key.label("key")).where(*_narrowed(session, actor, now, filters))
    rows, after = paged(session.connection, query, sort, key, cases.c.id, cursor, most)
    return Page(tuple(_line(row) for row in rows), after)


def of_cases(session: Session, now: datetime, ids: Sequence[int]) -> list[Line]:
    """The lines of these cases, by number. Asks nobody's rights: whoever calls has."""
    if not ids:
        return []
    _, query = _query(now)
    rows = session.connection.execute(query.where(cases.c.id.in_(ids)).order_by(cases.c.number)).mappings()
    return [_line(row) for row in rows]


def tracks(
    session: Session,
    actor: Actor,
    now: datetime,
    kind: str,
    *,
    state: Sequence[str] = (),
    place: int | None = None,
    cursor: str | None = None,
    most: int = 50,
) -> Page[TrackLine]:
    """One page of the tracks of a kind in the cases that this reader sees, the newest first."""
    wanted = [track.c.kind == kind, seen(session, actor, now)]
    if state:
        wanted.append(track.c.state.in_(state))
    if place is not None:
        wanted.append(track.c.organisation_id == place)
    due = (
        select(func.min(clock.c.due_at))
        .where(clock.c.case_id == track.c.case_id, clock.c.track_no == track.c.no, clock.c.stopped_at.is_(None))
        .where(clock.c.state.in_(("running", "missed")))
        .correlate(track)
        .scalar_subquery()
    )
    # One number for the pair of case and track: a track's number is below 2^15.
    tie = cases.c.id * 32768 + track.c.no
    query = (
        select(tie.label("id"), track.c.opened_at.label("key"), cases.c.number, cases.c.level, track, due.label("due"))
        .join(cases, cases.c.id == track.c.case_id)
        .where(*wanted)
    )
    rows, after = paged(session.connection, query, "-opened", track.c.opened_at, tie, cursor, most)
    return Page(tuple(_track_line(row) for row in rows), after)


def counts(session: Session, actor: Actor, now: datetime, filters: Filters) -> tuple[Count, ...]:
    """How many cases this reader sees, by state and level: one query."""
    late = select(clock.c.case_id).where(
        clock.c.stopped_at.is_(None), clock.c.state.in_(("running", "missed")), clock.c.due_at < now
    )
    query = (
        select(cases.c.state, cases.c.level, func.count().label("cases"),
               func.count().filter(cases.c.id.in_(late)).label("overdue"))
        .where(*_narrowed(session, actor, now, filters))
        .group_by(cases.c.state, cases.c.level)
        .order_by(cases.c.state, func.min(_RANK))
    )  # fmt: skip
    return tuple(Count(*row) for row in session.connection.execute(query))


def seen(session: Session, actor: Actor, now: datetime) -> ColumnElement[bool]:
    """`access.visible` for every case by the policy version that it runs under.

    Versions that grant the same sight share one condition, so that as a rule there is a single one.
    """
    office = session.office
    names = _versions(session) - {office.current}
    current = office.book_of(office.current)
    others: dict[tuple[Any, timedelta], list[str]] = {}
    books: dict[tuple[Any, timedelta], Book] = {}
    for name in sorted(names):
        book = office.book_of(name)
        terms = (book.sight, book.windows.sight_after_closing)
        if terms != (current.sight, current.windows.sight_after_closing):
            others.setdefault(terms, []).append(name)
            books[terms] = book
    if not others:
        return access.visible(actor, current, now)
    elsewhere = [name for group in others.values() for name in group]
    ways = [and_(cases.c.policy.not_in(elsewhere), access.visible(actor, current, now))]
    ways += [
        and_(cases.c.policy.in_(group), access.visible(actor, books[terms], now)) for terms, group in others.items()
    ]
    return or_(*ways)


def _versions(session: Session) -> frozenset[str]:
    """The names of all versions. Cases open under the current one only, so another one is met once that has changed."""
    office = session.office
    if office.versions is None or office.versions[0] != office.current:
        current = office.current
        office.versions = current, frozenset(session.connection.scalars(select(policy_version.c.name)))
    return office.versions[1]


def _query(now: datetime) -> tuple[ColumnElement[Any], Select[Any]]:
    """When something of a case is due next, and its line of a list."""
    open_clock = and_(
        clock.c.case_id == cases.c.id, clock.c.stopped_at.is_(None), clock.c.state.in_(("running", "missed"))
    )
    due = select(func.min(clock.c.due_at)).where(open_clock).correlate(cases).scalar_subquery()
    late = select(func.count()).where(open_clock, clock.c.due_at < now).correlate(cases).scalar_subquery()
    columns = [cases.c[name] for name in _COLUMNS]
    school = organisation.c.name.label("school_name")
    query = select(cases.c.id, *columns, school, due.label("due"), late.label("overdue"))
    return due, query.join(organisation, organisation.c.id == cases.c.school_id)


_COLUMNS: Final = (
    "number", "state", "level", "concern", "school_id", "district_id", "policy", "created_at", "last_at", "closed_at",
    "version",
)  # fmt: skip


def _narrowed(session: Session, actor: Actor, now: datetime, filters: Filters) -> Iterator[ColumnElement[bool]]:
    yield seen(session, actor, now)
    for column, wanted in (("state", filters.state), ("level", filters.level), ("concern", filters.concern)):
        if wanted:
            yield cases.c[column].in_(wanted)
    for column, number in (("school_id", filters.school), ("district_id", filters.district)):
        if number is not None:
            yield cases.c[column] == number
    if filters.organisation is not None:
        yield access.among(_called((filters.organisation,)))
    if filters.overdue is not None:
        late = select(clock.c.case_id).where(
            clock.c.stopped_at.is_(None), clock.c.state.in_(("running", "missed")), clock.c.due_at < now
        )
        yield cases.c.id.in_(late) if filters.overdue else cases.c.id.not_in(late)
    if filters.mine:
        places = tuple({post.organisation_id for post in actor.posts})
        yield or_(cases.c.whistler_id == actor.member_id, access.among(_called(places)))
    zone = session.office.book_of(session.office.current).tz
    if filters.opened_from is not None:
        yield cases.c.created_at >= midnight(filters.opened_from, zone)
    if filters.opened_to is not None:
        yield cases.c.created_at < midnight(filters.opened_to + timedelta(days=1), zone)
    if filters.text:
        yield cases.c.number.contains(filters.text.upper(), autoescape=True)


def _called(places: Sequence[int]) -> Select[Any]:
    return select(called.c.case_id).where(called.c.organisation_id.in_(places), called.c.until.is_(None))


def _line(row: Any) -> Line:  # noqa: ANN401 - a row
    return Line(
        number=row["number"],
        state=row["state"],
        level=row["level"],
        concern=row["concern"],
        school=row["school_id"],
        school_name=row["school_name"],
        district=row["district_id"],
        policy=row["policy"],
        opened=row["created_at"].astimezone(UTC),
        changed=row["last_at"].astimezone(UTC),
        closed=row["closed_at"].astimezone(UTC) if row["closed_at"] else None,
        version=row["version"],
        due=row["due"].astimezone(UTC) if row["due"] else None,
        overdue=row["overdue"],
    )


def _track_line(row: Any) -> TrackLine:  # noqa: ANN401 - a row
    return TrackLine(
        number=row["number"],
        level=row["level"],
        no=row["no"],
        kind=row["kind"],
        state=row["state"],
        organisation=row["organisation_id"],
        parent=row["parent_no"],
        about=row["about_no"],
        opened=row["opened_at"].astimezone(UTC),
        ended=row["ended_at"].astimezone(UTC) if row["ended_at"] else None,
        facts=row["facts"],
        due=row["due"].astimezone(UTC) if row["due"] else None,
    )
