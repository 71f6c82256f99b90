"""通报: what a month's bulletin says, as a page, as a table and as a PDF that brings its glyphs along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api import tables
from api.pages.board import ROLES, allowed, attachment
from api.pages.frame import Framed, Page
from api.pages.parts import level_word
from api.pages.printed import Sheet
from cases import bulletin
from cases.bulletin import Entry
from cases.office import Session
from cases.records import LEVELS

router = APIRouter(include_in_schema=False)
_KIND_OF_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ON_A_PAGE: Final = 300
ON_PAPER: Final = 1000
"""So many entries at most are shown, or printed; the table has all."""
_EARLIEST: Final = date(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry in the reader's words."""

    entry: Entry
    level: str
    clock: str
    over: str


@dataclass(frozen=True, slots=True)
class Month:
    """The bulletin of one month: its entries, and how many each organisation has at each level."""

    first: date
    lines: tuple[Line, ...]
    totals: tuple[tuple[str, int, tuple[int, ...]], ...]

    @property
    def named(self) -> str:
        return f"{self.first:%Y-%m}"


@router.get("/bulletin")
def month(page: Framed) -> Response:
    """One month, the last whole one where none is asked for."""
    allowed(page, ROLES)
    with page.reading() as session:
        told = _month(page, session)
        today = page.reader.now.astimezone(page.tongue.zone).date()
        following = (told.first + timedelta(days=32)).replace(day=1)
        facts: dict[str, Any] = {
            "told": told,
            "most": ON_A_PAGE,
            "levels": _levels(page, session),
            "earlier": f"{bulletin.month_before(told.first):%Y-%m}",
            "later": f"{following:%Y-%m}" if following <= today else "",
            "place": _place(page, session),
        }
        return page.show("bulletin.html", session, **facts)


@router.get("/bulletin.xlsx")
def table(page: Framed) -> Response:
    allowed(page, ROLES)
    with page.reading() as session:
        told = _month(page, session)
    lines: list[list[tables.Cell]] = [[one.entry.at.astimezone(page.tongue.zone), *_cells(one)] for one in told.lines]
    content = tables.to_xlsx(
        _headings(page), lines, f"{page.say('Bulletin')} {told.named}", (18, 18, 8, 28, 16, 24, 14)
    )
    name = page.say("bulletin")
    return attachment(content, f"{name}-{told.named}.xlsx", _KIND_OF_XLSX)


@router.get("/bulletin.pdf")
def printed(page: Framed) -> Response:
    allowed(page, ROLES)
    with page.reading() as session:
        told, place = _month(page, session), _place(page, session)
        levels = _levels(page, session)
    made = page.say("%(place)s, made on %(time)s") % {"place": place, "time": page.tongue.full(page.reader.now)}
    sheet = Sheet(f"{page.say('Bulletin')} {told.named}", made)
    sheet.heading(page.say("By organisation"))
    totals = [(name, str(count), *(str(one) for one in by_level)) for name, count, by_level in told.totals]
    sheet.table((page.say("Organisation"), page.say("Together"), *levels), totals, (90, 20, 20, 20, 20, 20))
    sheet.heading(page.say("Limits that were overrun"))
    rows = [(page.tongue.full(one.entry.at), *_cells(one)) for one in told.lines[:ON_PAPER]]
    sheet.table(_headings(page), rows, (34, 36, 16, 56, 32, 48, 30))
    if len(told.lines) > ON_PAPER:
        sheet.text(page.say("These are the first %(count)s; the table has all.") % {"count": ON_PAPER})
    if not told.lines:
        sheet.text(page.say("Nothing entered the bulletin in this month."))
    name = page.say("bulletin")
    return attachment(sheet.content(), f"{name}-{told.named}.pdf", "application/pdf")


def _month(page: Page, session: Session) -> Month:
    """The month of the address; what isn't one is the month before this."""
    today = page.reader.now.astimezone(page.tongue.zone).date()
    asked = page.request.query_params.get("month", "")
    try:
        first = date.fromisoformat(f"{asked}-01")
    except ValueError:
        first = bulletin.month_before(today)
    if not _EARLIEST <= first <= today:
        first = bulletin.month_before(today)
    places = {post.organisation_id for post in page.reader.actor.posts if post.role in ROLES}
    entries = bulletin.entries(session.connection, session.office.book_of, first, places=places)
    return Month(first, tuple(_line(page, session, one) for one in entries), _totals(entries))


def _line(page: Page, session: Session, entry: Entry) -> Line:
    kind, _, name = entry.clock.partition(".")
    declared = session.office.tracks[kind]
    limit = declared.clock_kinds.get(name)
    clock = " · ".join(page.word(one) for one in (declared.label, limit.label if limit else None) if one is not None)
    book = session.office.book_of(session.office.current)
    return Line(entry, level_word(page, book, entry.level), clock, page.tongue.span(entry.at - entry.due))


def _totals(entries: Sequence[Entry]) -> tuple[tuple[str, int, tuple[int, ...]], ...]:
    """Each organisation with how many it has, in all and by level, the most first."""
    counts = Counter((one.organisation, one.level) for one in entries)
    whole = Counter(one.organisation for one in entries)
    ordered = sorted(whole, key=lambda name: (-whole[name], name))
    return tuple((name, whole[name], tuple(counts[name, level] for level in LEVELS)) for name in ordered)


def _levels(page: Page, session: Session) -> list[str]:
    book = session.office.book_of(session.office.current)
    return [level_word(page, book, one) for one in LEVELS]


def _place(page: Page, session: Session) -> str:
    """Whose bulletin it is: the district or city of the reader's post."""
    number = next(post.organisation_id for post in page.reader.actor.posts if post.role in ROLES)
    return session.office.directory.organisation(session.connection, number).name


def _headings(page: Page) -> tuple[str, ...]:
    return (page.say("Published"), page.say("Number"), page.say("Level"), page.say("Organisation"),
            page.say("District"), page.say("Limit"), page.say("Over by"))  # fmt: skip


def _cells(line: Line) -> tuple[str, ...]:
    one = line.entry
    return (one.case, line.level, one.organisation, one.district, line.clock, line.over)
