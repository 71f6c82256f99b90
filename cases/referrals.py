"""Referrals as the hospital that they were sent to sees them: by page, one by one, with what has happened to them.

Nothing here is sealed: who the student is and what was said is opened through `queries.open_section` alone. A referral
of another hospital, or one of which the case may not be seen, is none (`not_found`, or no line of a page).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select, tuple_

from cases import vault
from cases.cursors import Page, paged
from cases.listing import seen
from cases.office import Session
from cases.records import case, clock, event, track
from cases.refusal import Refusal
from cases.who import Actor

ADVICE: Final = "update_treatment"
"""The trigger by which a hospital tells the school how to help."""
_TRACKS: Final = 2**15
_EVENTS: Final = 2**31


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a referral: its open columns, and which sections it has."""

    seq: int
    at: datetime
    trigger: str
    source: str | None
    target: str | None
    open: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral with what is open of it. `student` is the same for the same student at this hospital, and only there.

    `due` is the earliest limit that the hospital has still to meet; `version` is the case's.
    """

    case_id: int
    number: str
    no: int
    state: str
    level: str
    concern: str
    version: int
    changed: datetime
    opened: datetime
    hospital: int
    school: int
    student: str
    facts: Mapping[str, Any]
    due: datetime | None = None
    steps: tuple[Step, ...] = ()

    @property
    def name(self) -> str:
        """Number and track in one: `WH-2026-000001.3`."""
        return f"{self.number}.{self.no}"


@dataclass(frozen=True, slots=True)
class Told:
    """One update of a treatment: when it was told, of which referral. What it says is sealed."""

    referral: Referral
    seq: int
    at: datetime
    next_visit: str | None

    @property
    def name(self) -> str:
        """The referral's name and the number of the event."""
        return f"{self.referral.name}.{self.seq}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list is narrowed to; `None` is no narrowing, an empty sequence finds nothing.

    Names are numbers of cases, with the track's number or without. Instants: from, and before.
    """

    states: Sequence[str] | None = None
    levels: Sequence[str] | None = None
    names: Sequence[tuple[str, int | None]] | None = None
    changed: tuple[datetime | None, datetime | None] = (None, None)
    opened: tuple[datetime | None, datetime | None] = (None, None)


def liaison(actor: Actor) -> Actor:
    """The actor as a hospital's liaison and nothing else: other posts give no sight here."""
    return replace(actor, posts=tuple(one for one in actor.posts if one.role == "liaison" and one.kind == "hospital"))


def page(
    session: Session, actor: Actor, now: datetime, wanted: Wanted, *, cursor: str | None = None, most: int = 20
) -> Page[Referral]:
    """One page, what changed last first. Refuses `invalid` for a cursor that this list never gave out."""
    query = _query(session, actor, now, wanted)
    tie = case.c.id * _TRACKS + track.c.no
    rows, after = paged(session.connection, query, "-changed", case.c.last_at, tie, cursor, most)
    return Page(tuple(_filled(session, [_read(session, row) for row in rows])), after)


def count(session: Session, actor: Actor, now: datetime, wanted: Wanted) -> int:
    """How many there are on all pages."""
    query = _query(session, actor, now, wanted).subquery()
    return int(session.connection.scalar(select(func.count()).select_from(query)) or 0)


def one(session: Session, actor: Actor, number: str, no: int, now: datetime) -> Referral:
    """That referral; refuses `not_found`, also where it is another hospital's."""
    query = _query(session, actor, now, Wanted(names=[(number, no)]))
    row = session.connection.execute(query).mappings().one_or_none()
    if row is None:
        raise Refusal("not_found")
    return _filled(session, [_read(session, row)])[0]


def told(
    session: Session,
    actor: Actor,
    now: datetime,
    wanted: Wanted,
    *,
    sent: tuple[datetime | None, datetime | None] = (None, None),
    seq: int | None = None,
    cursor: str | None = None,
    most: int = 20,
) -> Page[Told]:
    """The updates of treatments, the newest first; `wanted` narrows the referrals, `seq` to one event of each."""
    query = _updates(session, actor, now, wanted, sent, seq)
    tie = case.c.id * _EVENTS + event.c.seq
    rows, after = paged(session.connection, query, "-sent", event.c.at, tie, cursor, most)
    return Page(
        tuple(
            Told(_read(session, row), row["seq"], _utc(row["at"]), (row["open"] or {}).get("next_visit"))
            for row in rows
        ),
        after,
    )


def count_told(
    session: Session,
    actor: Actor,
    now: datetime,
    wanted: Wanted,
    *,
    sent: tuple[datetime | None, datetime | None] = (None, None),
    seq: int | None = None,
) -> int:
    """How many updates there are on all pages."""
    query = _updates(session, actor, now, wanted, sent, seq).subquery()
    return int(session.connection.scalar(select(func.count()).select_from(query)) or 0)


def _updates(
    session: Session,
    actor: Actor,
    now: datetime,
    wanted: Wanted,
    sent: tuple[datetime | None, datetime | None],
    seq: int | None,
) -> Select[Any]:
    mine = and_(event.c.case_id == track.c.case_id, event.c.track_no == track.c.no, event.c.trigger == ADVICE)
    key = (event.c.at.label("key"), (case.c.id * _EVENTS + event.c.seq).label("id"))
    query = _query(session, actor, now, wanted, key).join(event, mine)
    query = query.add_columns(event.c.seq, event.c.at, event.c.open).where(*_between(event.c.at, sent))
    return query if seq is None else query.where(event.c.seq == seq)


def _query(
    session: Session, actor: Actor, now: datetime, wanted: Wanted, key: Sequence[Any] | None = None
) -> Select[Any]:
    actor = liaison(actor)
    shown = key or (case.c.last_at.label("key"), (case.c.id * _TRACKS + track.c.no).label("id"))
    hospitals = [post.organisation_id for post in actor.posts]
    found = (
        select(
            case.c.id.label("case_id"), case.c.number, track.c.no, track.c.state, case.c.level, case.c.concern,
            case.c.version, case.c.last_at, track.c.opened_at, track.c.organisation_id, case.c.school_id,
            case.c.student_id, track.c.facts, *shown,
        )
        .join_from(track, case, case.c.id == track.c.case_id)
        .where(track.c.kind == "referral", track.c.organisation_id.in_(hospitals), seen(session, actor, now))
    )  # fmt: skip
    if wanted.states is not None:
        found = found.where(track.c.state.in_(wanted.states))
    if wanted.levels is not None:
        found = found.where(case.c.level.in_(wanted.levels))
    if wanted.names is not None:
        found = found.where(or_(False, *(_named(number, no) for number, no in wanted.names)))  # noqa: FBT003 - SQL's
    return found.where(*_between(case.c.last_at, wanted.changed), *_between(track.c.opened_at, wanted.opened))


def _named(number: str, no: int | None) -> ColumnElement[bool]:
    this = case.c.number == number
    return this if no is None else and_(this, track.c.no == no)


def _between(column: Any, span: tuple[datetime | None, datetime | None]) -> list[ColumnElement[bool]]:  # noqa: ANN401
    begins, ends = span
    return [*([column >= begins] if begins else []), *([column < ends] if ends else [])]


def _read(session: Session, row: RowMapping) -> Referral:
    hospital = row["organisation_id"]
    pseudonym = vault.index_of(session.office.master, "student at a hospital", f"{hospital}|{row['student_id']}")
    return Referral(
        case_id=row["case_id"],
        number=row["number"],
        no=row["no"],
        state=row["state"],
        level=row["level"],
        concern=row["concern"],
        version=row["version"],
        changed=_utc(row["last_at"]),
        opened=_utc(row["opened_at"]),
        hospital=hospital,
        school=row["school_id"],
        student=pseudonym[:16].hex(),
        facts=row["facts"],
    )


def _filled(session: Session, found: Sequence[Referral]) -> list[Referral]:
    """With their steps and limits: two statements, however many there are."""
    if not found:
        return []
    keys = [(each.case_id, each.no) for each in found]
    steps: dict[tuple[int, int], list[Step]] = {}
    happened = (
        select(event.c.case_id, event.c.track_no, event.c.seq, event.c.at, event.c.trigger, event.c.source,
               event.c.target, event.c.open)
        .where(tuple_(event.c.case_id, event.c.track_no).in_(keys))
        .order_by(event.c.case_id, event.c.seq)
    )  # fmt: skip
    for row in session.connection.execute(happened):
        step = Step(row.seq, _utc(row.at), row.trigger, row.source, row.target, row.open)
        steps.setdefault((row.case_id, row.track_no), []).append(step)
    limits = (
        select(clock.c.case_id, clock.c.track_no, func.min(clock.c.due_at).label("due"))
        .where(tuple_(clock.c.case_id, clock.c.track_no).in_(keys))
        .where(clock.c.name.in_(("hospital_answer", "first_contact")), clock.c.stopped_at.is_(None))
        .group_by(clock.c.case_id, clock.c.track_no)
    )
    due = {(row.case_id, row.track_no): _utc(row.due) for row in session.connection.execute(limits)}
    return [
        replace(each, due=due.get(key), steps=tuple(steps.get(key, ()))) for each, key in zip(found, keys, strict=True)
    ]


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
