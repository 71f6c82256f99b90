"""逾期看板: what is late or soon will be in the cases that a reader oversees, by how late, with its counts and ranking.

A row is a track (or the case itself) with the limit of its that is due first. Rights are `access.visible`; the open
limits are found by `ix_clock_open`, what waits in a state by `ix_track_open`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select, tuple_

from cases import listing
from cases.board_lines import FAR, Counts, Filters, Lately, Rank, Row, Sum
from cases.cursors import Page, paged
from cases.people import organisation
from cases.records import LEVELS, clock, event, track
from cases.records import case as cases
from cases.roster import midnight
from cases.tracks.supervision import OPEN as OPEN_ORDERS

if TYPE_CHECKING:
    from cases.directory import Actor
    from cases.office import Session

TILES: Final = ("overdue", "soon", "today", "unacknowledged", "orders", "disputes")
SOON: Final = timedelta(hours=4)
AHEAD: Final = timedelta(days=1)
"""Without a tile the board shows what is late and what will be within this time."""
MOST: Final = 2000
"""So many rows are read at once for a table that leaves the house."""
_OPEN: Final = ("running", "missed")
_BY_STATE: Final = {"orders": ("supervision", OPEN_ORDERS, "supervision_answer"),
                    "disputes": ("assignment", ("disputed",), "ruling")}  # fmt: skip
"""Tiles of what waits in a state: kind, states, and the limit that may run there."""


class Board:
    """The board of one reader at one instant. Reading the policy versions costs one query, each method one more."""

    def __init__(self, session: Session, actor: Actor, now: datetime, filters: Filters) -> None:
        self.session = session
        self.now = now
        self.filters = filters
        self._seen = listing.seen(session, actor, now)
        book = session.office.book_of(session.office.current)
        self.tonight = midnight(now.astimezone(book.tz).date() + timedelta(days=1), book.tz)

    def rows(self, cursor: str | None = None, most: int = 20) -> Page[Row]:
        """One page, the latest first. Refuses `invalid` for a cursor that isn't one of this board's."""
        by_state = _BY_STATE.get(self.filters.tile)
        query, key = self._waiting(*by_state) if by_state is not None else self._due()
        tie = cases.c.id * 32768 + func.coalesce(track.c.no, 0)
        query = query.add_columns(tie.label("id"), key.label("key"))
        rows, after = paged(self.session.connection, query, "due", key, tie, cursor, most)
        return Page(tuple(_row(one) for one in rows), after)

    def overview(self, *, by_district: bool = False) -> tuple[Counts, list[Rank]]:
        """The tiles, whatever tile and level are chosen now, and whose most is overdue, whatever organisation is.

        Two queries: one reads every limit that presses once, for both.
        """
        found = [Sum(*row) for row in self.session.connection.execute(self._sums())]
        waiting = self.session.connection.execute(self._states()).mappings().one()
        asked = self.filters
        own = [one for one in found if asked.organisation in {None, one.whose}]
        tiles = {name: sum(getattr(one, name) for one in own) for name in ("overdue", "soon", "today")}
        tiles = {one: tiles.get(one, waiting.get(one, 0)) for one in TILES}
        levels = {level: sum(one.overdue for one in own if one.level == level) for level in LEVELS}
        ranked: dict[int, Rank] = {}
        for one in found:
            if not one.late or (asked.level and one.level not in asked.level):
                continue
            made = one.ranked(by_district=by_district)
            ranked[made.organisation] = made.with_more(ranked.get(made.organisation))
        ordered = sorted(ranked.values(), key=lambda one: (-one.overdue, one.since, one.organisation))
        return Counts(tiles, levels), ordered

    def lately(self, rows: Sequence[Row]) -> dict[int, Lately]:
        """What happened last in the cases of these rows, and the reminders there were."""
        if not rows:
            return {}
        newest = {(one.case_id, one.events) for one in rows}
        columns = event.c.case_id, event.c.seq, event.c.track_no, event.c.kind, event.c.trigger, event.c.at
        query = select(*columns).where(event.c.case_id.in_({one.case_id for one in rows}))
        query = query.where(or_(event.c.trigger == "remind", tuple_(event.c.case_id, event.c.seq).in_(newest)))
        found: dict[int, Lately] = {}
        reminded: dict[int, dict[int, int]] = {}
        for row in self.session.connection.execute(query):
            if row.trigger == "remind":
                of_case = reminded.setdefault(row.case_id, {})
                of_case[row.track_no] = of_case.get(row.track_no, 0) + 1
            if (row.case_id, row.seq) in newest:
                found[row.case_id] = Lately(row.kind, row.trigger, row.at, reminded.setdefault(row.case_id, {}))
        return found

    # -------------------------------------------------------------- queries

    def _due(self) -> tuple[Select[Any], ColumnElement[Any]]:
        """Rows by their open limit; of a track only what is due first, unless one kind of limit is asked for."""
        asked = self.filters
        query = _columns(clock.c.organisation_id).join(clock, clock.c.case_id == cases.c.id)
        query = self._narrowed(_joined(query), clock.c.organisation_id)
        query = query.where(*_open(clock), *self._levels())
        if asked.tile == "unacknowledged":
            query = query.where(clock.c.name == "acknowledge", cases.c.level == "red", track.c.state == "summoned")
        elif asked.clock:
            kind, _, name = asked.clock.partition(".")
            query = query.where(clock.c.name == name, func.coalesce(track.c.kind, "case") == kind)
        else:
            query = query.where(~_earlier())
        since, until = {
            "overdue": (None, self.now),
            "soon": (self.now, self.now + SOON),
            "today": (self.now, self.tonight),
            "unacknowledged": (None, None),
        }.get(asked.tile, (None, self.now + AHEAD))
        if since is not None:
            query = query.where(clock.c.due_at > since)
        if until is not None:
            query = query.where(clock.c.due_at <= until)
        if asked.late:
            query = query.where(clock.c.due_at <= self.now - timedelta(hours=asked.late))
        return query, clock.c.due_at

    def _waiting(self, kind: str, states: Sequence[str], name: str) -> tuple[Select[Any], ColumnElement[Any]]:
        """Rows by the state of their track, with the limit that may run in it; without one they come last."""
        of_track = and_(clock.c.case_id == track.c.case_id, clock.c.track_no == track.c.no, clock.c.name == name)
        query = _columns(track.c.organisation_id).join(track, track.c.case_id == cases.c.id)
        query = query.outerjoin(clock, and_(of_track, *_open(clock)))
        query = self._narrowed(_owing(query, track.c.organisation_id), track.c.organisation_id)
        query = query.where(track.c.kind == kind, track.c.state.in_(states), track.c.ended_at.is_(None))
        query = query.where(*self._levels())
        if self.filters.clock:
            wanted, _, limit = self.filters.clock.partition(".")
            query = query.where(track.c.kind == wanted, clock.c.name == limit)
        if self.filters.late:
            query = query.where(clock.c.due_at <= self.now - timedelta(hours=self.filters.late))
        return query, func.coalesce(clock.c.due_at, literal(FAR))

    def _sums(self) -> Select[Any]:
        """How much each organisation owes at each level, under the places and the kind of limit that are chosen."""
        pressing = self._pressing(max(self.tonight, self.now + SOON)).subquery()
        over, late = pressing.c.due <= self.now, pressing.c.due <= self.now - timedelta(hours=self.filters.late)
        place, district = organisation.alias(), organisation.alias()
        return (
            select(
                pressing.c.whose, pressing.c.district_id, pressing.c.level,
                place.c.name, place.c.kind, place.c.street_id, district.c.name,
                func.count().filter(over), func.count().filter(~over, pressing.c.due <= self.now + SOON),
                func.count().filter(~over, pressing.c.due < self.tonight), func.count().filter(late),
                func.min(pressing.c.due).filter(late),
            )
            .select_from(pressing)
            .join(place, place.c.id == pressing.c.whose)
            .join(district, district.c.id == pressing.c.district_id)
            .group_by(pressing.c.whose, pressing.c.district_id, pressing.c.level, place.c.id, district.c.id)
        )  # fmt: skip

    def _pressing(self, until: datetime) -> Select[Any]:
        """Each track with its first open limit up to then, as it has one row; its limits may be of several."""
        whose = func.coalesce(clock.c.organisation_id, cases.c.school_id).label("whose")
        query = (
            select(cases.c.level, cases.c.district_id, whose, clock.c.due_at.label("due"))
            .distinct(clock.c.case_id, clock.c.track_no)
            .select_from(cases)
            .join(clock, clock.c.case_id == cases.c.id)
            .where(*_open(clock), clock.c.due_at <= until)
            .order_by(clock.c.case_id, clock.c.track_no, clock.c.due_at, clock.c.no)
        )
        query = self._narrowed(_owing(query, clock.c.organisation_id), clock.c.organisation_id, everybody=True)
        if self.filters.street is not None and not self.filters.clock:
            # A place's rows are those tracks of which the limit that is due first is its own.
            query = query.where(~_earlier())
        if self.filters.clock:
            kind, _, name = self.filters.clock.partition(".")
            of_kind = exists().where(track.c.case_id == cases.c.id, track.c.no == clock.c.track_no)
            query = query.where(clock.c.name == name)
            query = query.where(clock.c.track_no == 0 if kind == "case" else of_kind.where(track.c.kind == kind))
        return query

    def _states(self) -> Select[Any]:
        """How many tracks wait in the states of the tiles that have some."""
        ways = {tile: and_(track.c.kind == kind, track.c.state.in_(states))
                for tile, (kind, states, _) in _BY_STATE.items()}  # fmt: skip
        # A red summons that nobody answers has its limit; one that was met by reporting in is no longer summoned.
        ways["unacknowledged"] = and_(track.c.kind == "assignment", track.c.state == "summoned", cases.c.level == "red")
        query = select(*(func.count().filter(way).label(tile) for tile, way in ways.items())).select_from(cases)
        query = query.join(track, track.c.case_id == cases.c.id)
        query = self._narrowed(_owing(query, track.c.organisation_id), track.c.organisation_id)
        wanted = [("supervision", one) for one in OPEN_ORDERS]
        wanted += [("assignment", "disputed"), ("assignment", "summoned")]
        return query.where(track.c.ended_at.is_(None), tuple_(track.c.kind, track.c.state).in_(wanted))

    def _narrowed(self, query: Select[Any], of: ColumnElement[Any], *, everybody: bool = False) -> Select[Any]:
        """Only what the reader sees, in the places that are chosen. `of`: the organisation as the row has it."""
        asked = self.filters
        query = query.where(self._seen)
        if asked.district is not None:
            query = query.where(cases.c.district_id == asked.district)
        if asked.street is not None:
            query = query.where(or_(_WHOSE.c.id == asked.street, _WHOSE.c.street_id == asked.street))
        if asked.organisation is not None and not everybody:
            own = and_(of.is_(None), cases.c.school_id == asked.organisation)
            query = query.where(or_(of == asked.organisation, own))
        return query

    def _levels(self) -> list[ColumnElement[bool]]:
        return [cases.c.level.in_(self.filters.level)] if self.filters.level else []


_WHOSE: Final = organisation.alias("whose_place")
_SCHOOL: Final = organisation.alias("school_place")


def _columns(of: ColumnElement[Any]) -> Select[Any]:
    whose = func.coalesce(of, cases.c.school_id)
    return select(
        cases.c.id.label("case_id"), cases.c.number, cases.c.level, cases.c.policy, cases.c.events,
        cases.c.state.label("case_state"), _SCHOOL.c.name.label("school"), track.c.no.label("track"),
        track.c.kind, track.c.state, clock.c.name.label("clock"), clock.c.started_at, clock.c.due_at,
        whose.label("whose"), _WHOSE.c.name.label("whose_name"),
    ).select_from(cases).join(_SCHOOL, _SCHOOL.c.id == cases.c.school_id)  # fmt: skip


def _joined(query: Select[Any]) -> Select[Any]:
    query = query.outerjoin(track, and_(track.c.case_id == clock.c.case_id, track.c.no == clock.c.track_no))
    return _owing(query, clock.c.organisation_id)


def _owing(query: Select[Any], of: ColumnElement[Any]) -> Select[Any]:
    return query.join(_WHOSE, _WHOSE.c.id == func.coalesce(of, cases.c.school_id))


def _open(of: Any) -> list[ColumnElement[bool]]:  # noqa: ANN401 - the table or its other name
    return [of.c.stopped_at.is_(None), of.c.state.in_(_OPEN)]


def _earlier() -> ColumnElement[bool]:
    """Whether another limit of the same track is due before it."""
    other = clock.alias()
    before = tuple_(other.c.due_at, other.c.no) < tuple_(clock.c.due_at, clock.c.no)
    same = and_(other.c.case_id == clock.c.case_id, other.c.track_no == clock.c.track_no)
    return exists().where(same, before, *_open(other))


def _row(row: Any) -> Row:  # noqa: ANN401 - a row
    return Row(
        case_id=row["case_id"],
        number=row["number"],
        level=row["level"],
        policy=row["policy"],
        school=row["school"],
        events=row["events"],
        track=row["track"] or 0,
        kind=row["kind"] or "case",
        state=row["state"] or row["case_state"],
        clock=row["clock"] or "",
        started=row["started_at"],
        due=row["due_at"],
        whose=row["whose"],
        whose_name=row["whose_name"],
    )
