"""逾期看板: tiles and filters in the address, the list by how late, the ranking that drills down, the table.

Reminding of and ordering about several rows at once is in `api.pages.together`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.responses import Response

from api import tables
from api.given import number_of
from api.pages.frame import Framed, Page, Posted
from api.pages.parts import Head, headed, level_word, named
from api.pages.spoken import Left
from cases import access, loading, preferences
from cases.board import MOST, TILES, Board
from cases.board_lines import Counts, Filters, Lately, Rank, Row
from cases.casefile import CaseFile
from cases.cursors import Page as Rows
from cases.directory_fault import DirectoryFault
from cases.offers import offer_of
from cases.office import Session
from cases.outlines import NOBODY
from cases.records import LEVELS
from cases.refusal import Refusal
from cases.tracks.supervision import OPEN as OPEN_ORDERS

router = APIRouter(include_in_schema=False)
ROLES: Final = frozenset({"coordinator", "supervisor"})
ON_A_PAGE: Final = 20
LATE: Final = (1, 4, 24, 72)
"""How many hours over its limit something is at least."""
_NAMES: Final = ("tile", "level", "district", "street", "organisation", "clock", "late")
_TO_COME: Final = ("soon", "today")
_KIND_OF_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SHOWN_IN_RANKING: Final = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One row as the board shows it. `mark` is what a tick sends; empty where nothing can be done to several."""

    head: Head
    row: Row
    step: str
    state: str
    left: Left | None
    lately: str
    lately_at: str
    reminded: int
    mark: str
    remind: str
    issue: str
    ordered: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: a filter and how much it would show."""

    code: str
    label: str
    count: int
    look: str
    hint: str


@router.get("/board")
def board(page: Framed) -> Response:
    allowed(page, ROLES)
    chosen = filters_of(page.request.query_params)
    with page.reading() as session:
        made = Board(session, page.reader.actor, page.reader.now, chosen)
        after = page.request.query_params.get("after", "")
        found = made.rows(after or None, ON_A_PAGE)
        several = _districts(page)
        counts, ranking = made.overview(by_district=several and chosen.district is None)
        lines = _lines(page, session, found, made.lately(found.items))
        facts: dict[str, Any] = {
            "chosen": chosen,
            "address": query_of(chosen),
            "after": after,
            "tickable": any(one.mark for one in lines),
            "narrowed": partial(query_of, chosen),
            "lines": lines,
            "more": found.next,
            "span": _span(page, len(found.items), counts.listed),
            "ranking": ranking[:_SHOWN_IN_RANKING],
            "ranked_by": "district" if several and chosen.district is None else "organisation",
            "most": max((one.overdue for one in ranking), default=1),
            "kept": preferences.filters(session.connection, page.reader.member.id),
            "supervises": "supervisor" in page.roles,
            **_counted(page, session, counts),
            **_choices(page, session, chosen, ranking),
        }
        return page.show("board.html", session, block="list" if page.wants_fragment else None, **facts)


@router.get("/board.xlsx")
def taken_home(page: Framed) -> Response:
    """The list as it is filtered, whole: numbers, levels, schools and limits; no student, not even by grade."""
    allowed(page, ROLES)
    chosen = filters_of(page.request.query_params)
    with page.reading() as session:
        made = Board(session, page.reader.actor, page.reader.now, chosen)
        lines: list[list[tables.Cell]] = []
        after: str | None = None
        while True:
            found = made.rows(after, MOST)
            lately = made.lately(found.items)
            lines += [_cells(page, session, one, lately) for one in found.items]
            after = found.next
            if after is None:
                break
    heads = (page.say("Number"), page.say("Level"), page.say("School"), page.say("Step"), page.say("State"),
             page.say("Owed by"), page.say("Due"), page.say("Overdue (hours)"), page.say("Reminders"))  # fmt: skip
    content = tables.to_xlsx(heads, lines, page.say("Overdue board"), (18, 8, 28, 24, 14, 28, 18, 16, 12))
    name = page.say("board")
    return attachment(content, f"{name}-{page.tongue.local(page.reader.now)[:10]}.xlsx", _KIND_OF_XLSX)


@router.post("/board/filters")
def kept(page: Framed, posted: Posted) -> Response:
    """Keep what is chosen now under a name, or drop what is kept under it."""
    allowed(page, ROLES)
    name = str(posted.get("name", "")).strip()[:40]
    chosen = query_of(filters_of(QueryParams(parse_qsl(str(posted.get("address", ""))[:500]))))
    if name:
        with page.writing() as session:
            dropped = posted.get("drop") is not None
            preferences.keep_filter(session.connection, page.reader.member.id, name, None if dropped else chosen)
    return page.go(f"/board?{chosen}" if chosen else "/board")


def allowed(page: Page, roles: frozenset[str]) -> None:
    """Refuses `not_permitted` to whoever holds none of these roles."""
    if not page.roles & roles:
        raise Refusal("not_permitted", who_can=tuple(f"{one}@jurisdiction" for one in sorted(roles)))


def attachment(content: bytes, name: str, kind: str) -> Response:
    """A file to keep; nobody in between keeps a copy."""
    plain = name if name.isascii() else f"export.{name.rpartition('.')[2]}"
    said = f'attachment; filename="{plain}"' + ("" if name.isascii() else f"; filename*=UTF-8''{quote(name)}")
    headers = {"content-disposition": said, "cache-control": "no-store"}
    return Response(content, headers=headers, media_type=kind)


def filters_of(query: QueryParams) -> Filters:
    """What an address asks for; what isn't a filter of ours narrows nothing."""
    tile, late = query.get("tile", ""), query.get("late", "")
    tile = tile if tile in TILES else ""
    # What is still to fall due isn't late by any hours: together they would list nothing, ever.
    late = "" if tile in _TO_COME else late
    clock = query.get("clock", "")
    return Filters(
        tile=tile,
        level=tuple(one for one in LEVELS if one in query.getlist("level")),
        district=number_of(query.get("district", "")),
        street=number_of(query.get("street", "")),
        organisation=number_of(query.get("organisation", "")),
        clock=clock if clock.count(".") == 1 and clock.replace(".", "").replace("_", "").isalnum() else "",
        late=int(late) if late in {str(one) for one in LATE} else 0,
    )


def query_of(chosen: Filters, **changed: object) -> str:
    """The query string of these filters, with some of them changed; None or an empty one takes a filter off."""
    parts = {name: getattr(chosen, name) for name in _NAMES} | changed
    if parts["tile"] in _TO_COME:
        parts["late"] = 0
    return urlencode({name: value for name, value in parts.items() if value}, doseq=True)


def _districts(page: Page) -> bool:
    """Whether the reader oversees a whole city."""
    return any(post.kind == "city" and post.role in ROLES for post in page.reader.actor.posts)


def _counted(page: Page, session: Session, counts: Counts) -> dict[str, Any]:
    labels = {
        "overdue": (page.say("Overdue"), "danger", page.say("past their limit")),
        "soon": (page.say("Due within 4 hours"), "warning", page.say("not yet late")),
        "today": (page.say("Due by tonight"), "warning", page.say("not yet late")),
        "unacknowledged": (page.say("Red, unacknowledged"), "danger", page.say("nobody has answered")),
        "orders": (page.say("Under a supervision order"), "primary", page.say("orders that run")),
        "disputes": (page.say("In dispute"), "primary", page.say("to be ruled on")),
    }
    book = session.office.book_of(session.office.current)
    return {
        "tiles": [Tile(one, labels[one][0], counts.tiles[one], labels[one][1], labels[one][2]) for one in TILES],
        "levels": [(one, level_word(page, book, one), counts.levels[one]) for one in LEVELS],
    }


def _span(page: Page, shown: int, listed: int) -> tuple[int, int, int]:
    """From which row to which this page goes, and of how many; the address says how many came before."""
    before = number_of(page.request.query_params.get("from", "")) or 0
    before = min(before, max(listed - shown, 0))
    return before + 1, before + shown, listed


def _choices(page: Page, session: Session, chosen: Filters, ranking: Sequence[Rank]) -> dict[str, Any]:
    """What can be chosen: places in which something is overdue, and every kind of limit."""
    place = session.office.directory.organisation
    names = {one.organisation: one.name for one in ranking}
    streets = {one.street for one in ranking if one.street is not None}
    streets |= {one.organisation for one in ranking if one.kind == "street"}
    limits = [
        (f"{kind}.{one.name}", f"{page.word(declared.label)}: {page.word(one.label)}")
        for kind, declared in session.office.tracks.items()
        for one in declared.clocks
    ]
    named_streets = [(one, names.get(one) or place(session.connection, one).name) for one in sorted(streets)]
    return {
        "streets": named_streets,
        "organisations": sorted(
            ((one.organisation, one.name) for one in ranking if one.kind != "district"), key=lambda one: one[1]
        ),
        "places": {name: _place_name(session, names, getattr(chosen, name)) for name in _PLACES},
        "limits": limits,
        "lates": LATE,
    }


_PLACES: Final = ("district", "street", "organisation")


def _place_name(session: Session, names: Mapping[int, str], number: int | None) -> str:
    """What a chosen place is called; a number that is nobody's is shown as nothing."""
    if number is None or number in names:
        return names.get(number or 0, "")
    try:
        return session.office.directory.organisation(session.connection, number).name
    except DirectoryFault:
        return "?"


def _lines(page: Page, session: Session, found: Rows[Row], lately: Mapping[int, Lately]) -> list[Line]:
    ids = sorted({one.case_id for one in found.items})
    files = {one.id: one for one in loading.one_by_one(session, ids, lock=False)} if ids else {}
    seen = named(session, files.values())
    lines = []
    for row in found.items:
        file = files[row.case_id]
        book = session.office.book_of(file.policy)
        sight = access.sees(page.reader.actor, file, book, page.reader.now)
        shown = headed(page, session, book, file, sight.identity, seen.get(file.student, NOBODY))
        lines.append(_line(page, session, row, file, shown, lately.get(row.case_id)))
    return lines


def _line(page: Page, session: Session, row: Row, file: CaseFile, shown: Head, last: Lately | None) -> Line:
    declared = session.office.tracks[row.kind]
    remind = _address(page, session, file, str(row.track), "remind")
    about = row.track if row.kind == "assignment" else None
    issue = _address(page, session, file, "supervision", "issue", about) if about is not None else ""
    ordered = any(one.state in OPEN_ORDERS and one.about == row.track for one in file.of_kind("supervision"))
    return Line(
        head=shown,
        row=row,
        step=step(page, session, row),
        state=page.word(declared.states[row.state].label),
        left=page.tongue.left(row.due, row.started) if row.due is not None else None,
        lately=_last(page, session, last) if last is not None else "",
        lately_at=page.tongue.moment(last.at) if last is not None else "",
        reminded=last.reminded.get(row.track, 0) if last is not None else 0,
        mark=f"{row.number}~{row.track}" if remind or issue else "",
        remind=remind,
        issue=issue,
        ordered=ordered,
    )


def step(page: Page, session: Session, row: Row) -> str:
    """`派单 · 签收`: which limit of which track; the track alone where it waits without one."""
    declared = session.office.tracks[row.kind]
    limit = declared.clock_kinds.get(row.clock)
    return " · ".join(page.word(one) for one in (declared.label, limit.label if limit else None) if one is not None)


def _last(page: Page, session: Session, last: Lately) -> str:
    """What happened last, in the words of its trigger; the rung of a limit by the limit's own name."""
    declared = session.office.tracks[last.kind]
    name, _, rung = last.trigger.partition(".")
    limit = declared.clock_kinds.get(name)
    if rung and limit is not None:
        return page.say("%(limit)s: the limit was recalled") % {"limit": page.word(limit.label)}
    move = declared.by_name.get(name)
    return page.word(move.label if move is not None else declared.label)


def _address(page: Page, session: Session, file: CaseFile, track: str, trigger: str, about: int | None = None) -> str:
    """Where a trigger is pulled; empty where the reader may not, or not now."""
    try:
        offer = offer_of(session, file, page.reader.actor, page.reader.now, track, trigger, about)
    except Refusal:
        return ""
    if not offer.free:
        return ""
    middle = f"tracks/{track}" if track.isdecimal() else track
    return f"/cases/{file.number}/{middle}/{trigger}" + (f"?about={about}" if about is not None else "")


def _cells(page: Page, session: Session, row: Row, lately: Mapping[int, Lately]) -> list[tables.Cell]:
    over = (page.reader.now - row.due).total_seconds() / 3600 if row.due is not None else None
    last = lately.get(row.case_id)
    return [
        row.number,
        level_word(page, session.office.book_of(row.policy), row.level),
        row.school,
        step(page, session, row),
        page.word(session.office.tracks[row.kind].states[row.state].label),
        row.whose_name,
        row.due.astimezone(page.tongue.zone) if row.due is not None else None,
        round(over, 1) if over is not None and over > 0 else None,
        last.reminded.get(row.track, 0) if last is not None else 0,
    ]
