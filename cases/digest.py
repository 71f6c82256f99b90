"""晨报, at half past eight of every working day: what is overdue, due today and newly opened.

Each organisation's lead hears of what that organisation owes (`cases.owing`), each supervisor of the whole district or
city, and nobody of a case that they can't see. A message carries numbers, levels, clocks and limits, and no person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Select, and_, func, or_, select

from cases import access, loading, notices, owing
from cases.casefile import CASE
from cases.directory import Actor, Post
from cases.office import Session
from cases.records import LEVELS, case, clock, event, track
from cases.roster import midnight
from cases.telling import LEAD_OF

if TYPE_CHECKING:
    from cases.casefile import CaseFile
    from cases.office import Office
    from cases.store import Store

MOST_LINES: Final = 50
"""Lines of one part that are written out; the counts always cover all."""
_LEADS: Final = {**LEAD_OF, "city": ("supervisor",), "district": ("supervisor",), "*": ("lead",)}
_RUNNING: Final = ("running", "missed")
_BEFORE_OPEN: Final = ("draft", "awaiting_signoff")
_CALLED_OFF: Final = ("withdrawn", "merged")
_AT_ONCE: Final = 500
"""So many cases are read together."""
_NOBODY: Final = 0
"""Whoever holds the post: what is told goes by the post alone, not by what somebody saw through a broken glass."""


@dataclass(slots=True)
class _Morning:
    """What one organisation's people are told."""

    overdue: list[Mapping[str, Any]] = field(default_factory=list)
    due_today: list[Mapping[str, Any]] = field(default_factory=list)
    opened: list[Mapping[str, Any]] = field(default_factory=list)

    def items(self) -> list[Mapping[str, Any]]:
        return [
            {"part": part, "count": len(lines), "lines": lines[:MOST_LINES]}
            for part, lines in (("overdue", self.overdue), ("due_today", self.due_today), ("opened", self.opened))
            if lines
        ]

    def level(self) -> str:
        """Of what is owed, not of what was opened: the gravest colour decides how loud the message is."""
        return notices.gravest(str(one["level"]) for one in (*self.overdue, *self.due_today, *self.opened))


@dataclass(frozen=True, slots=True)
class _Item:
    """What is told of one track of a case: a limit that presses, or (without one) that the track is new."""

    part: str
    track: int
    clock: str | None = None
    due: datetime | None = None


def send(store: Store, office: Office, now: datetime) -> int:
    """Write this day's digests, one for each member at most, and answer how many were new.

    Nothing on a day that is no working day. Whoever has nothing overdue, due or opened gets no message.
    """
    book = office.book_of(office.current)
    calendar = book.calendars.of(None)
    today = calendar.local_day(now)
    if not calendar.is_workday(today):
        return 0
    before = today - timedelta(days=1)
    while not calendar.is_workday(before):
        before -= timedelta(days=1)
    since, until = midnight(before, book.tz), midnight(today + timedelta(days=1), book.tz)
    opened_since = since + (now - midnight(today, book.tz))
    with store.begin() as connection:
        session = Session(connection, office)
        mornings = _mornings(session, now, until, opened_since)
        return notices.post_once(
            connection, f"digest:{today.isoformat()}", "digest", _addressed(connection, mornings, today), now
        )


def _addressed(
    connection: Connection, mornings: Mapping[int, _Morning], day: date
) -> dict[int, tuple[str, list[Mapping[str, Any]]]]:
    """By member; whoever leads several organisations gets them all in one message."""
    parts: dict[int, list[_Morning]] = {}
    for place, members in notices.holders(connection, _LEADS, day).items():
        if place in mornings:
            for one in members:
                parts.setdefault(one, []).append(mornings[place])
    return {
        one: (notices.gravest(each.level() for each in theirs), [item for each in theirs for item in each.items()])
        for one, theirs in parts.items()
    }


def _mornings(session: Session, now: datetime, until: datetime, opened_since: datetime) -> dict[int, _Morning]:
    found: dict[int, _Morning] = {}
    pressing = _items(session.connection, now, until, opened_since)
    numbers = sorted(pressing)
    for start in range(0, len(numbers), _AT_ONCE):
        for file in _files(session, numbers[start : start + _AT_ONCE], now):
            for item in pressing[file.id]:
                for place in _told(session, file, item, now):
                    getattr(found.setdefault(place, _Morning()), item.part).append(_line(file, item))
    for morning in found.values():
        for lines in (morning.overdue, morning.due_today):
            lines.sort(key=lambda one: (LEVELS.index(one["level"]), one["due"], one["case"]))
    return found


def _items(connection: Connection, now: datetime, until: datetime, opened_since: datetime) -> dict[int, list[_Item]]:
    """What there is to tell, by the id of the case."""
    found: dict[int, list[_Item]] = {}
    for row in connection.execute(_clocks(until)):
        part = "overdue" if row.due_at < now else "due_today"
        found.setdefault(row.case_id, []).append(_Item(part, row.track_no, row.name, row.due_at))
    for query in (_assigned(opened_since, now), _cases(opened_since, now)):
        for row in connection.execute(query):
            found.setdefault(row.case_id, []).append(_Item("opened", row.track_no))
    return found


def _files(session: Session, numbers: list[int], now: datetime) -> list[CaseFile]:
    schools = session.connection.scalars(select(case.c.school_id).where(case.c.id.in_(numbers)).distinct()).all()
    session.office.directory.prefetch(session.connection, schools, now)
    return loading.one_by_one(session, numbers, lock=False)


def _line(file: CaseFile, item: _Item) -> dict[str, Any]:
    record = file.track(item.track) or file.record
    line = {"case": file.number, "level": file.level, "kind": record.kind}
    return line if item.due is None else {**line, "clock": item.clock, "due": item.due.isoformat()}


def _told(session: Session, file: CaseFile, item: _Item, now: datetime) -> Iterator[int]:
    """The organisations that hear of it: whom it concerns and who oversees them, of those that see the case."""
    book = session.office.book_of(file.policy)
    for place in dict.fromkeys((*_concerned(session, file, item), file.district, file.city)):
        if place == file.school:
            kind = "school"
        elif place in {file.district, file.city}:
            kind = "district" if place == file.district else "city"
        elif place in file.called:
            kind = file.called[place].kind
        else:
            continue
        posts = tuple(Post(role, place, kind) for role in _LEADS.get(kind, _LEADS["*"]))
        if not access.sees(Actor(_NOBODY, "", place, posts), file, book, now).nothing:
            yield place


def _concerned(session: Session, file: CaseFile, item: _Item) -> Iterable[int]:
    record = file.track(item.track) or file.record
    if item.clock is None:
        return (record.organisation or file.school,)
    owners = session.office.tracks[record.kind].clock_kinds[item.clock].owners(file, record)
    # What nobody at the case owes is the school's.
    return owing.organisations(owners, file, record) or (file.school,)


def _clocks(until: datetime) -> Select[Any]:
    """Every clock at work whose limit lies before the end of the day."""
    return (
        select(clock.c.case_id, clock.c.track_no, clock.c.name, clock.c.due_at)
        .where(clock.c.stopped_at.is_(None), clock.c.state.in_(_RUNNING), clock.c.due_at < until)
        .order_by(clock.c.case_id, clock.c.no)
    )


def _assigned(since: datetime, now: datetime) -> Select[Any]:
    """Summonses, and referrals that came to a hospital: before the guardian's consent it hears of none."""
    asked = select(clock.c.no).where(
        clock.c.case_id == track.c.case_id, clock.c.track_no == track.c.no, clock.c.name == "hospital_answer",
        clock.c.started_at >= since, clock.c.started_at < now,
    )  # fmt: skip
    summoned = and_(track.c.kind == "assignment", track.c.opened_at >= since, track.c.opened_at < now)
    return (
        select(track.c.case_id, track.c.no.label("track_no"))
        .where(track.c.ended_at.is_(None), track.c.kind.in_(("assignment", "referral")))
        .where(or_(summoned, and_(track.c.kind == "referral", asked.exists())))
        .order_by(track.c.case_id, track.c.no)
    )


def _cases(since: datetime, now: datetime) -> Select[Any]:
    """Cases by the day on which they were opened first: a draft calls nobody, nor a whistle that isn't signed."""
    return (
        select(event.c.case_id, event.c.track_no)
        .join(case, case.c.id == event.c.case_id)
        .where(event.c.at >= since, event.c.at < now, event.c.track_no == CASE, event.c.target == "open")
        .where(func.coalesce(event.c.source, _BEFORE_OPEN[0]).in_(_BEFORE_OPEN), case.c.state.not_in(_CALLED_OFF))
        .order_by(event.c.case_id)
    )
