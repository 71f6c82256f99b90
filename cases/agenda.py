"""我的待办: what a member's posts owe, from the open clocks and from the tracks that wait for somebody, by time left.

Owners are those whom the declarations name (`ClockKind.owed_by`), whoever is on duty; nothing is shown of a case that
the member can't see. Paused clocks aren't owed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import Boolean as SqlBoolean
from sqlalchemy import RowMapping, and_, column, exists, func, or_, select, tuple_, values
from sqlalchemy import Text as SqlText

from cases import access, waiting
from cases.casefile import CASE, Record
from cases.directory import Actor, Post
from cases.nearby import PARENT, Near, limits_of, nearby
from cases.office import Session
from cases.owing import roles
from cases.records import case, clock, track
from cases.track import ClockKind, Track
from cases.waiting import stands_in

if TYPE_CHECKING:
    from cases.casefile import CaseFile

GROUPS: Final = ("answer", "reply", "work", "report", "order")
"""待签收 a summons or a referral, 待答复 whatever else waits for a first answer, 处置中 what is being worked on,
待反馈 what is to be reported or concluded, 督办 the orders to be answered."""
_ANSWERS: Final = frozenset({"acknowledge", "hospital_answer"})
_REPLIES: Final = frozenset(
    {"sign_off", "ruling", "extension_ruling", "court_answer", "police_answer", "call_police", "consent"}
)
_REPORTS: Final = frozenset({"feedback", "evaluation", "access_review", "safety_review", "register", "review"})
_RUNNING: Final = ("running", "missed")
_A_DAY: Final = timedelta(days=1)
_SOON: Final = timedelta(hours=2)
URGENT, LIVE, LONG_OVERDUE, UNLIMITED = range(1, 5)
"""In which order things stand: red and due within two hours or just late, other limits, those long past, no limit."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do: which track of which case, what by when, and the trigger that does it.

    `due` is None where no limit runs; `trigger` is empty where it does itself (a case settles by its tracks).
    """

    case_id: int
    number: str
    version: int
    events: int
    level: str
    concern: str
    school: int
    student: int
    whistler: int | None
    created: datetime
    track: int
    kind: str
    state: str
    organisation: int | None
    group: str
    clock: str | None
    started: datetime
    due: datetime | None
    trigger: str
    rank: int = UNLIMITED
    when: str = ""

    @property
    def key(self) -> tuple[int, str, int, int]:
        """Where it stands in the order: by its rank, then by `when` or its limit."""
        return (self.rank, self.when or (self.due.isoformat() if self.due else "9"), self.case_id, self.track)


def owed(session: Session, actor: Actor, now: datetime) -> list[Item]:
    """Everything that the member owes, the most pressing first; of a track only what is due first. Two queries."""
    found: dict[tuple[int, int], Item] = {}
    for item in (*_by_clock(session, actor, now), *_waiting(session, actor, now)):
        standing = found.get((item.case_id, item.track))
        if standing is None or _sooner(item, standing):
            found[item.case_id, item.track] = item
    ranked = (replace(one, rank=_rank(one, now)) for one in found.values())
    return sorted(ranked, key=lambda one: one.key)


def _sooner(one: Item, other: Item) -> bool:
    return one.due is not None and (other.due is None or one.due < other.due)


def _rank(item: Item, now: datetime) -> int:
    """What is lost by months doesn't stand before what can still be done in time."""
    if item.due is None:
        return UNLIMITED
    if item.due < now - _A_DAY:
        return LONG_OVERDUE
    return URGENT if item.level == "red" and item.due <= now + _SOON else LIVE


def limits(session: Session, actor: Actor, now: datetime) -> list[Item]:
    """Every limit that runs for the member, by time left, of a track all of them. One query."""
    return sorted(_by_clock(session, actor, now), key=lambda one: one.key)


def counted(items: Iterable[Item]) -> dict[str, int]:
    """How many there are in each group."""
    counts = dict.fromkeys(GROUPS, 0)
    for one in items:
        counts[one.group] += 1
    return counts


def group_of(name: str) -> str:
    """The group of a clock."""
    if name == "supervision_answer":
        return "order"
    return "answer" if name in _ANSWERS else "reply" if name in _REPLIES else "report" if name in _REPORTS else "work"


def met_by(declared: Track, trigger: str) -> frozenset[str]:
    """The clocks that a trigger meets, those among them that several meet together."""
    together = (clock for clock, moves in _BY_HAND.items() if trigger in moves)
    alone = {clock for move in declared.moves for clock in move.meets}
    return frozenset({*declared.by_name[trigger].meets, *(one for one in together if one not in alone)})


def trigger_of(declared: Track, name: str, actor: Actor, record: Record) -> str:
    """The trigger by which this member meets a clock: the first that the declaration has for one of their roles."""
    if (name, record.state) in _BY_STATE:
        choices: Sequence[str] = _BY_STATE[name, record.state]
    elif name in _BY_HAND:
        choices = _BY_HAND[name]
    else:
        choices = [move.name for move in declared.moves if name in move.meets]
    held = {post.role for post in actor.posts}
    for trigger in choices:
        move = declared.by_name[trigger]
        if record.state in (move.source or ()) and any(pattern.role in held for pattern in move.by):
            return trigger
    return ""


_BY_HAND: Final[Mapping[str, Sequence[str]]] = {
    "check_in": ("file_school", "file_hospital"),
    "assess": ("school_sign", "hospital_sign"),
    "first_contact": ("accept", "schedule", "record_visit"),
    "acknowledge": ("acknowledge", "report_in"),
}
"""Clocks that several moves meet together, and what comes before the move that meets one."""


_BY_STATE: Final[Mapping[tuple[str, str], Sequence[str]]] = {
    # An appointment can be moved any number of times; once there is one, the visit comes next.
    ("first_contact", "scheduled"): ("record_visit",),
}


_ROUND: Final = track.alias("round")
_ROUNDS_AHEAD: Final = (
    exists()
    .where(_ROUND.c.case_id == track.c.case_id, _ROUND.c.parent_no == track.c.no)
    .where(_ROUND.c.kind == "check_in", _ROUND.c.state.in_(waiting.AHEAD))
    .label("rounds_ahead")
)


def _by_clock(session: Session, actor: Actor, now: datetime) -> Iterator[Item]:
    near = Near.of(actor)
    limits = limits_of(session.office.tracks, actor)
    if not limits:
        return
    columns = column("kind", SqlText), column("name", SqlText), column("own", SqlBoolean)
    wanted = values(*columns, name="wanted").data([(*key, own) for key, own in sorted(limits.items())])
    its_own = or_(~wanted.c.own, track.c.organisation_id.is_(None), track.c.organisation_id.in_(near.all))
    query = (
        nearby(near)
        .add_columns(clock.c.name, clock.c.started_at, clock.c.due_at)
        .join(clock, clock.c.case_id == case.c.id)
        .outerjoin(track, and_(track.c.case_id == clock.c.case_id, track.c.no == clock.c.track_no))
        .outerjoin(PARENT, and_(PARENT.c.case_id == track.c.case_id, PARENT.c.no == track.c.parent_no))
        .join(
            wanted,
            and_(wanted.c.kind == func.coalesce(track.c.kind, "case"), wanted.c.name == clock.c.name, its_own),
        )
        .where(clock.c.stopped_at.is_(None), clock.c.state.in_(_RUNNING))
        .where(access.visible(actor, session.office.book_of(session.office.current), now))
    )
    for row in session.connection.execute(query).mappings():
        record = _record(row)
        declared = session.office.tracks[record.kind]
        kind = declared.clock_kinds[row["name"]]
        if not any(_fits(actor, owner, row, record) for owner in _owners(kind, row, record)):
            continue
        item = _item(row, record, group_of(kind.name), trigger_of(declared, kind.name, actor, record))
        yield replace(item, clock=kind.name, started=row["started_at"], due=row["due_at"])


def _waiting(session: Session, actor: Actor, now: datetime) -> Iterator[Item]:
    near = Near.of(actor)
    held = {post.role for post in actor.posts} | {"caller", "whistler"}
    wanted = {(one.kind, one.state) for one in waiting.WAITING if any(pattern.role in held for pattern in one.by)}
    pairs = values(column("kind", SqlText), column("state", SqlText), name="wanted").data(sorted(wanted))
    query = (
        nearby(near)
        .add_columns(_ROUNDS_AHEAD)
        .join(track, and_(track.c.case_id == case.c.id, track.c.ended_at.is_(None)), isouter=True)
        .outerjoin(PARENT, and_(PARENT.c.case_id == track.c.case_id, PARENT.c.no == track.c.parent_no))
        .where(case.c.state.in_(waiting.ACTIVE))
        .where(
            or_(
                tuple_(track.c.kind, track.c.state).in_(select(pairs.c.kind, pairs.c.state)),
                case.c.state.in_(("draft", "awaiting_evaluation")),
            )
        )
        .where(access.visible(actor, session.office.book_of(session.office.current), now))
    )
    for row in session.connection.execute(query).mappings():
        for record in _of_row(row):
            found = waiting.now(record, row["level"], rounds_ahead=row["rounds_ahead"])
            if found is None or not any(_fits(actor, str(one), row, record) for one in found.by):
                continue
            yield _item(row, record, found.group, found.trigger)


def _owners(kind: ClockKind, row: RowMapping, record: Record) -> tuple[str, ...]:
    besides = stands_in(record.kind, kind.name, record)
    if isinstance(kind.owed_by, tuple):
        return (*waiting.outstanding(kind.name, kind.owed_by, record), *besides)
    # Those that depend on the track ask its facts and the case's district: no list reads whole cases for them.
    return (*kind.owed_by(cast("CaseFile", SimpleNamespace(district=row["district_id"])), record), *besides)


def _fits(actor: Actor, owner: str, row: RowMapping, record: Record) -> bool:
    role, _, relation = owner.partition("@")
    if role.startswith("member:"):
        return role == f"member:{actor.member_id}"
    if owner == "caller@member":
        return record.facts.get("called_by") == actor.member_id
    if owner == "whistler@member":
        return bool(row["whistler_id"] == actor.member_id)
    return any(post.role in roles(role, post.kind) and _holds(post, relation, row, record) for post in actor.posts)


def _holds(post: Post, relation: str, row: RowMapping, record: Record) -> bool:
    number = post.organisation_id
    if relation == "school":
        return bool(number == row["school_id"])
    if relation == "district":
        return bool(number == row["district_id"])
    if relation == "city":
        return bool(number == row["city_id"])
    if relation == "jurisdiction":
        return number in {row["district_id"], row["city_id"]}
    if relation.startswith("organisation:"):
        return relation == f"organisation:{number}"
    if relation == "assignee" and record.organisation is not None:
        return number == record.organisation
    if relation == "hospital":
        treating = record.organisation if record.kind in {"referral", "return_to_school"} else None
        treating = treating or row["parent_organisation"]
        return number == treating if treating is not None else number in (row["here"] or ())
    return number in (row["here"] or ()) and relation in {"assignee", post.kind}


def _of_row(row: RowMapping) -> Iterator[Record]:
    yield Record(CASE, "case", row["state"], None, row["created_at"], facts=row["facts"])
    if row["track_kind"] is not None:
        yield _record(row)


def _record(row: RowMapping) -> Record:
    if row["track_kind"] is None:
        return Record(CASE, "case", row["state"], None, row["created_at"], facts=row["facts"])
    return Record(
        row["no"],
        row["track_kind"],
        row["track_state"],
        row["track_organisation"],
        row["opened_at"],
        parent=row["parent_no"],
        about=row["about_no"],
        facts=row["track_facts"],
    )


def _item(row: RowMapping, record: Record, group: str, trigger: str) -> Item:
    return Item(
        case_id=row["id"],
        number=row["number"],
        version=row["version"],
        events=row["events"],
        level=row["level"],
        concern=row["concern"],
        school=row["school_id"],
        student=row["student_id"],
        whistler=row["whistler_id"],
        created=row["created_at"],
        track=record.no,
        kind=record.kind,
        state=record.state,
        organisation=record.organisation,
        group=group,
        clock=None,
        started=record.opened,
        due=None,
        trigger=trigger,
    )
