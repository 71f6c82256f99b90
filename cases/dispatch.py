"""派单台: what waits for a coordinator in the cases of their district or city, in groups, in one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
)

from cases import listing, regrading
from cases.records import case as cases
from cases.records import clock, event, track
from cases.refusal import FieldFault, Refusal

if TYPE_CHECKING:
    from cases.directory import Actor
    from cases.office import Session

GROUPS: Final = ("disputes", "reassign", "extensions", "declined", "regrade", "merge", "settle", "new")
"""In the order in which they press: what to rule on first, what is merely new last."""
LATELY: Final = timedelta(hours=72)
"""So long a case counts as new."""
_OPEN: Final = ("running", "missed")
_ACTIVE: Final = ("awaiting_signoff", "open", "awaiting_evaluation")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing on the desk: which track of which case, since when, by when (None without a limit).

    `other` is the number of the case that it may be merged into; `total` is how many the group has.
    """

    group: str
    case_id: int
    track: int
    since: datetime
    due: datetime | None
    other: str | None
    total: int

    @property
    def mark(self) -> str:
        """Where it stands in its group, as the address of the next page says it."""
        at = self.since if self.group == "new" or self.due is None else self.due
        return f"{at.astimezone(UTC).isoformat()}~{self.case_id}~{self.track}"


def waiting(
    session: Session,
    actor: Actor,
    now: datetime,
    groups: Sequence[str],
    most: int,
    after: Mapping[str, str] | None = None,
) -> list[Waiting]:
    """The first `most` of each of these groups, and how many there are. One query, and one for the policy versions.

    `after` is a group's mark behind which it begins. Refuses `invalid` for one that isn't a mark.
    """
    places = {post.organisation_id for post in actor.posts if post.role == "coordinator"}
    book = session.office.book_of(session.office.current)
    here = and_(or_(cases.c.district_id.in_(places), cases.c.city_id.in_(places)), listing.seen(session, actor, now))
    made = {
        "disputes": _disputes(book.windows.send_backs),
        "reassign": _unanswered(now),
        "extensions": _in_state("extension", ("requested",), "extension_ruling"),
        "declined": _in_state("referral", ("declined",), None),
        "regrade": _regrades(book.windows.rounds_of_some_risk),
        "merge": _merges(),
        "settle": _settlements(),
        "new": _newcomers(now),
    }
    begun = {group: _opened(mark) for group, mark in (after or {}).items()}
    parts = [_part(group, made[group].where(here), most, begun.get(group)) for group in GROUPS if group in groups]
    found = session.connection.execute(union_all(*parts)).mappings()
    return sorted((Waiting(**row) for row in found), key=lambda one: GROUPS.index(one.group))


def proposed(session: Session, found: Sequence[Waiting]) -> dict[tuple[int, int], int]:
    """Whom those who declined would rather see called, by case and track. One query where somebody declined."""
    disputed = {(one.case_id, one.track) for one in found if one.group == "disputes"}
    if not disputed:
        return {}
    query = select(event.c.case_id, event.c.track_no, event.c.open["proposed"].astext)
    query = query.where(tuple_(event.c.case_id, event.c.track_no).in_(disputed), event.c.trigger == "decline")
    rows = session.connection.execute(query.order_by(event.c.seq))
    return {(case_id, no): int(place) for case_id, no, place in rows if place is not None}


def _part(group: str, query: Select[Any], most: int, after: tuple[datetime, int, int] | None) -> Select[Any]:
    """The first rows of one group, each with how many the group has in all."""
    made = query.subquery()
    # Counted before it is cut: a later page says the same total.
    one = select(made, func.count().over().label("total")).subquery()
    latest_first = group == "new"
    key: ColumnElement[Any] = one.c.since if latest_first else func.coalesce(one.c.due, one.c.since)
    rows = select(literal(group).label("group"), one)
    if after is not None:
        at, *rest = after
        beyond = key < at if latest_first else key > at
        rows = rows.where(
            or_(beyond, and_(key == at, tuple_(one.c.case_id, one.c.track) > tuple_(*map(literal, rest))))
        )
    limited = rows.order_by(key.desc() if latest_first else key, one.c.case_id, one.c.track).limit(most).subquery()
    return select(limited)


def _opened(mark: str) -> tuple[datetime, int, int]:
    at, _, rest = mark.partition("~")
    case, _, no = rest.partition("~")
    try:
        found = datetime.fromisoformat(at), int(case), int(no)
    except ValueError:
        raise Refusal("invalid", faults=(FieldFault("after", "wrong_form"),)) from None
    if found[0].tzinfo is None or not 0 <= found[1] < 1 << 63 or not 0 <= found[2] < 1 << 31:
        raise Refusal("invalid", faults=(FieldFault("after", "wrong_form"),))
    return found


def _line(no: ColumnElement[Any], since: ColumnElement[Any], due: Any = None, other: Any = None) -> Select[Any]:  # noqa: ANN401
    return select(
        cases.c.id.label("case_id"),
        no.label("track"),
        since.label("since"),
        cast(null() if due is None else due, DateTime(timezone=True)).label("due"),
        cast(null() if other is None else other, Text).label("other"),
    ).select_from(cases)


def _in_state(kind: str, states: Sequence[str], limit: str | None) -> Select[Any]:
    return (
        _line(track.c.no, track.c.opened_at, _limit(limit) if limit is not None else None)
        .join(track, track.c.case_id == cases.c.id)
        .where(track.c.kind == kind, track.c.state.in_(states), track.c.ended_at.is_(None))
    )


def _limit(name: str) -> Any:  # noqa: ANN401 - a scalar subquery
    """When the open limit of that name of the track at hand is due."""
    return (
        select(func.min(clock.c.due_at))
        .where(clock.c.case_id == track.c.case_id, clock.c.track_no == track.c.no, clock.c.name == name)
        .where(clock.c.stopped_at.is_(None), clock.c.state.in_(_OPEN))
        .correlate(track)
        .scalar_subquery()
    )


def _disputes(send_backs: int) -> Select[Any]:
    """Declined summonses; and feedback that was sent back so often that the coordinator rules."""
    often = cast(track.c.facts["sent_back"].astext, Integer) >= send_backs
    state = or_(track.c.state == "disputed", and_(track.c.state == "fed_back", often))
    query = _line(track.c.no, track.c.opened_at, _limit("ruling")).join(track, track.c.case_id == cases.c.id)
    return query.where(track.c.kind == "assignment", track.c.ended_at.is_(None), state)


def _unanswered(now: datetime) -> Select[Any]:
    """Summonses whose time to acknowledge is over."""
    return (
        _line(track.c.no, track.c.opened_at, clock.c.due_at)
        .join(track, track.c.case_id == cases.c.id)
        .join(clock, and_(clock.c.case_id == track.c.case_id, clock.c.track_no == track.c.no))
        .where(track.c.kind == "assignment", track.c.state == "summoned", track.c.ended_at.is_(None))
        .where(clock.c.name == "acknowledge", clock.c.stopped_at.is_(None), clock.c.state.in_(_OPEN))
        .where(clock.c.due_at < now)
    )


def _regrades(rounds: int) -> Select[Any]:
    """Students whose check-ins prompt a regrade."""
    risky = regrading.prompted(rounds).subquery()
    query = _line(risky.c.parent_no, risky.c.at).join(risky, risky.c.case_id == cases.c.id)
    return query.where(cases.c.state == "open")


def _merges() -> Select[Any]:
    """Open cases of a student who has an older one that runs too, each with the oldest."""
    older, oldest = cases.alias("older"), cases.alias("oldest")
    first = select(func.min(oldest.c.id)).where(oldest.c.student_id == cases.c.student_id, oldest.c.state.in_(_ACTIVE))
    query = _line(literal(0), cases.c.created_at, other=older.c.number)
    query = query.join(older, and_(older.c.student_id == cases.c.student_id, older.c.id < cases.c.id))
    return query.where(cases.c.state == "open", older.c.id == first.correlate(cases).scalar_subquery())


def _settlements() -> Select[Any]:
    """Red and orange cases that have been evaluated: the coordinator closes them."""
    evaluated = func.coalesce(cases.c.facts["evaluated"].astext, "").not_in(("", "false", "null"))
    query = _line(literal(0), cases.c.last_at)
    return query.where(cases.c.state == "awaiting_evaluation", cases.c.level.in_(("red", "orange")), evaluated)


def _newcomers(now: datetime) -> Select[Any]:
    query = _line(literal(0), cases.c.created_at)
    return query.where(cases.c.state.in_(("awaiting_signoff", "open")), cases.c.created_at > now - LATELY)
