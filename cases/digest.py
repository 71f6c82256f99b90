"""晨报, at half past eight of every working day: what is overdue, due today and newly opened.

Each organisation's lead hears of what that organisation owes, each supervisor of the whole district or city. A
message carries numbers, levels, clocks and limits, and no person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, RowMapping, and_, func, or_, select

from cases import notices
from cases.people import organisation
from cases.records import LEVELS, case, clock, track
from cases.roster import midnight
from cases.telling import LEAD_OF

if TYPE_CHECKING:
    from cases.store import Store
    from policies.book import Book

MOST_LINES: Final = 50
"""Lines of one part that are written out; the counts always cover all."""
_LEADS: Final = {**LEAD_OF, "city": ("supervisor",), "district": ("supervisor",), "*": ("lead",)}
_RUNNING: Final = ("running", "missed")


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


def send(store: Store, book: Book, now: datetime) -> int:
    """Write this day's digests, one for each member at most, and answer how many were new.

    Nothing on a day that is no working day. Whoever has nothing overdue, due or opened gets no message.
    """
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
        mornings = _mornings(connection, now, until, opened_since)
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


def _mornings(connection: Connection, now: datetime, until: datetime, opened_since: datetime) -> dict[int, _Morning]:
    found: dict[int, _Morning] = {}
    clocks = connection.execute(_clocks(until)).mappings().all()
    for row in sorted(clocks, key=lambda one: LEVELS.index(one["level"])):
        part = "overdue" if row["due_at"] < now else "due_today"
        for place in _owing(row):
            getattr(found.setdefault(place, _Morning()), part).append(_line(row))
    for row in connection.execute(_assigned(opened_since, now)).mappings():
        line = {"case": row["number"], "level": row["level"], "kind": row["kind"]}
        found.setdefault(row["organisation_id"], _Morning()).opened.append(line)
    for row in connection.execute(_cases(opened_since, now)).mappings():
        line = {"case": row["number"], "level": row["level"], "kind": "case"}
        for place in (row["district_id"], row["city_id"]):
            found.setdefault(place, _Morning()).opened.append(line)
    return found


def _line(row: RowMapping) -> dict[str, Any]:
    return {
        "case": row["number"],
        "level": row["level"],
        "kind": row["kind"],
        "clock": row["name"],
        "due": row["due_at"].isoformat(),
    }


def _owing(row: RowMapping) -> Iterable[int]:
    """The organisation that owes, and those that oversee it. What no organisation was given is the school's."""
    facts = row["facts"]
    if row["kind"] == "check_in" and row["name"] == "check_in":
        sides = {"school": row["school_id"], "hospital": row["hospital_id"]}
        owing = {sides[side] for side in facts["needs"] if side not in facts["filed"]}
    else:
        owing = {row["organisation_id"] or row["school_id"]}
    return (owing | {row["district_id"], row["city_id"]}) - {None}


def _clocks(until: datetime) -> Any:  # noqa: ANN401 - a select of many columns
    """Every clock at work whose limit lies before the end of the day; a case's own clocks belong to no track."""
    parent = track.alias()
    return (
        select(
            case.c.number, case.c.level, case.c.school_id, case.c.district_id, case.c.city_id,
            func.coalesce(track.c.kind, "case").label("kind"),
            track.c.facts, clock.c.name, clock.c.due_at, clock.c.organisation_id,
            parent.c.organisation_id.label("hospital_id"),
        )
        .select_from(clock)
        .join(case, case.c.id == clock.c.case_id)
        .outerjoin(track, and_(track.c.case_id == clock.c.case_id, track.c.no == clock.c.track_no))
        .outerjoin(parent, and_(parent.c.case_id == track.c.case_id, parent.c.no == track.c.parent_no))
        .where(clock.c.stopped_at.is_(None), clock.c.state.in_(_RUNNING), clock.c.due_at < until)
        .order_by(clock.c.due_at, case.c.number, clock.c.no)
    )  # fmt: skip


def _assigned(since: datetime, now: datetime) -> Any:  # noqa: ANN401 - as above
    return (
        select(case.c.number, case.c.level, track.c.kind, track.c.organisation_id)
        .select_from(track)
        .join(case, case.c.id == track.c.case_id)
        .join(organisation, organisation.c.id == track.c.organisation_id)
        .where(track.c.opened_at >= since, track.c.opened_at < now, track.c.ended_at.is_(None))
        .where(or_(track.c.kind == "assignment", track.c.kind == "referral"))
        .order_by(case.c.number, track.c.no)
    )


def _cases(since: datetime, now: datetime) -> Any:  # noqa: ANN401 - as above
    return (
        select(case.c.number, case.c.level, case.c.district_id, case.c.city_id)
        .where(case.c.created_at >= since, case.c.created_at < now)
        .order_by(case.c.number)
    )
