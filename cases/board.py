"""逾期看板: what is late or soon will be in the cases that a reader oversees, by how late, with its counts and ranking.

A row is a track (or the case itself) with the limit of its that is due first. Rights are `access.visible`; the open
limits are found by `ix_clock_open`, what waits in a state by `ix_track_open`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, exists, func, literal, or_, select, tuple_

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

_BY_LIMIT: Final = ("", "overdue", "soon", "today")
"""Lists by the limit alone, the one without a tile among them: all are counted from the limits that press."""
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
        query, key = self._listed(self.filters)
        tie = cases.c.id * 32768 + func.coalesce(track.c.no, 0)
        query = query.add_columns(tie.label("id"), key.label("key"))
        rows, after = paged(self.session.connection, query, "due", key, tie, cursor, most)
        return Page(tuple(_row(one) for one in rows), after)

    def overview(self, *, by_district: bool = False) -> tuple[Counts, list[Rank]]:
        """How many rows each tile and each level would list under the other filters, and whose most is overdue.

        Two queries: one reads every limit that presses once, for tiles, levels and ranking; one what waits in a state.
        """
        asked = self.filters
        found = [Sum(*row) for row in self.session.connection.execute(self._sums())]
        own = [one for one in found if asked.organisation in {None, one.whose}]
        counted: dict[str, dict[str, int]] = {tile: dict.fromkeys(LEVELS, 0) for tile in ("", *TILES)}
        for one in own:
            for tile in _BY_LIMIT:
                counted[tile][one.level] += getattr(one, tile or "listed")
        for tile, level, count in self.session.connection.execute(self._states()):
            counted[tile][level] = count
        wanted = asked.level or LEVELS
        tiles = {tile: sum(counted[tile][level] for level in wanted) for tile in TILES}
        listed = counted[asked.tile]
        counts = Counts(tiles, listed, sum(listed[level] for level in wanted))
        ranked: dict[int, Rank] = {}
        for one in own if by_district else found:
            if one.overdue and one.level in wanted:
                made = one.ranked(by_district=by_district)
                ranked[made.organisation] = made.with_more(ranked.get(made.organisation))
        return counts, sorted(ranked.values(), key=lambda one: (-one.overdue, one.since, one.organisation))

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

    def _listed(self, asked: Filters, *, counted: bool = False) -> tuple[Select[Any], ColumnElement[Any]]:
        """What a list under these filters holds, and what it is sorted by."""
        by_state = _BY_STATE.get(asked.tile)
        if by_state is None:
            return self._due(asked)
        return self._waiting(asked, *by_state, limits=bool(asked.clock or asked.late or not counted))

    def _due(self, asked: Filters) -> tuple[Select[Any], ColumnElement[Any]]:
        """Rows by their open limit; of a track only what is due first, unless one kind of limit is asked for."""
        query = _columns(clock.c.organisation_id).join(clock, clock.c.case_id == cases.c.id)
        query = self._narrowed(_joined(query), clock.c.organisation_id)
        query = query.where(*_open(clock), _to_be_done(), *_levels(asked))
        if asked.tile == "unacknowledged":
            query = query.where(clock.c.name == "acknowledge", cases.c.level == "red")
            # What a summons is by its kind and by its being open too: so it is found among the open tracks, at once.
            query = query.where(track.c.kind == "assignment", track.c.state == "summoned", track.c.ended_at.is_(None))
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

    def _waiting(
        self, asked: Filters, kind: str, states: Sequence[str], name: str, *, limits: bool
    ) -> tuple[Select[Any], ColumnElement[Any]]:
        """Rows by the state of their track, with the limit that may run in it; without one they come last.

        Whoever only counts asks for no `limits`: there is one at most for a row.
        """
        of_track = and_(clock.c.case_id == track.c.case_id, clock.c.track_no == track.c.no, clock.c.name == name)
        query = _columns(track.c.organisation_id).join(track, track.c.case_id == cases.c.id)
        if limits:
            query = query.outerjoin(clock, and_(of_track, *_open(clock)))
        query = self._narrowed(_owing(query, track.c.organisation_id), track.c.organisation_id)
        query = query.where(track.c.kind == kind, track.c.state.in_(states), track.c.ended_at.is_(None))
        query = query.where(*_levels(asked))
        if asked.clock:
            wanted, _, limit = asked.clock.partition(".")
            query = query.where(track.c.kind == wanted, clock.c.name == limit)
        if asked.late:
            query = query.where(clock.c.due_at <= self.now - timedelta(hours=asked.late))
        return query, func.coalesce(clock.c.due_at, literal(FAR))

    def _sums(self) -> Select[Any]:
        """How much each organisation owes at each level, under the places and the kind of limit that are chosen."""
        pressing = self._pressing(self.now + AHEAD).subquery()
        over = pressing.c.due <= self.now
        late = pressing.c.due <= self.now - timedelta(hours=self.filters.late)
        listed = late if self.filters.late else pressing.c.due <= self.now + AHEAD
        place, district = organisation.alias(), organisation.alias()
        return (
            select(
                pressing.c.whose, pressing.c.district_id, pressing.c.level,
                place.c.name, place.c.kind, place.c.street_id, district.c.name,
                func.count().filter(listed), func.count().filter(late),
                func.count().filter(~over, pressing.c.due <= self.now + SOON),
                func.count().filter(~over, pressing.c.due <= self.tonight), func.min(pressing.c.due).filter(late),
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
            .where(*_open(clock), _to_be_done(), clock.c.due_at <= until)
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

    def _states(self) -> CompoundSelect[Any]:
        """How many rows each of the other tiles would list, by level: their own lists, counted."""
        parts = []
        for tile in TILES:
            if tile not in _BY_LIMIT:
                query, _ = self._listed(replace(self.filters, tile=tile, level=()), counted=True)
                columns = literal(tile).label("tile"), cases.c.level, func.count()
                query = query.with_only_columns(*columns)
                parts.append(query.group_by(cases.c.level))
        first, *others = parts
        return first.union_all(*others)

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


def _levels(asked: Filters) -> list[ColumnElement[bool]]:
    return [cases.c.level.in_(asked.level)] if asked.level else []


def _to_be_done() -> ColumnElement[bool]:
    """An order about a case that is closed holds nobody up: it stands among the orders, not before today's work."""
    return or_(cases.c.closed_at.is_(None), clock.c.name != "supervision_answer")


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
