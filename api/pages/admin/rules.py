"""Policy versions: stored, compared, tried out, put to work; and the tables of working days and school terms.

Every admin reads them. What holds for all is changed by a city's admin.
"""

from __future__ import annotations

import os
from datetime import date
from typing import Any, Final

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api.given import Count
from api.pages.admin.desk import Administered
from api.pages.frame import Page, Posted
from cases import administered, library, trial
from cases.office import Session
from cases.refusal import Refusal
from cases.trial import Trial
from policies import book as books
from policies.book import Book
from policies.diff import diff
from policies.faults import PolicyFaults
from policies.tables import CalendarFault

router = APIRouter(include_in_schema=False)
_LARGEST: Final = 500_000


@router.get("/admin/policy")
def versions(page: Administered, done: str = "") -> Response:
    with page.reading() as session:
        return _listed(page, session, done=bool(done))


@router.post("/admin/policy")
def store(page: Administered, posted: Posted) -> Response:
    """Store a version for good, without putting it to work; a faulty file has all its faults shown."""
    administered.require_city(page.reader.actor)
    try:
        book = books.load_text(_text_of(page, posted), _name_of(posted))
        page.house.kept.keep(book, page.reader.now)
    except (PolicyFaults, ValueError) as fault:
        with page.reading() as session:
            return _listed(page, session, errors=_lines(page, fault))
    return page.go(f"/admin/policy/{book.version}")


@router.get("/admin/policy/{name}")
def version(page: Administered, name: str, against: str = "") -> Response:
    """One version, and in words what is different from another, by default from the one at work."""
    book = _book(page, name)
    with page.reading() as session:
        return _one(page, session, book, against=against)


@router.post("/admin/policy/{name}/try")
def try_out(page: Administered, name: str) -> Response:
    """Replay the cases that there are under this version. Changes nothing."""
    book = _book(page, name)
    tried = _tried(page, book)
    with page.reading() as session:
        return _one(page, session, book, tried=tried)


@router.post("/admin/policy/{name}/activate")
def activate(page: Administered, name: str, posted: Posted) -> Response:
    """Try it out, then put it to work for cases that are opened from now on; running ones keep their own."""
    administered.require_city(page.reader.actor)
    book = _book(page, name)
    named = os.environ.get("WHISTLE_POLICY")
    error, tried = "", None
    if named and named != book.version:
        error = page.say("WHISTLE_POLICY names %(name)s and would win at the next start.") % {"name": named}
    elif posted.get("sure") != "on":
        error = page.say("Tick the box to confirm.")
    else:
        tried = _tried(page, book)
        if tried.unreadable:
            error = page.say("Some histories don't fit under it; nothing was changed.")
    if not error:
        page.house.kept.keep(book, page.reader.now, activate=True)
        return page.go("/admin/policy?done=1")
    with page.reading() as session:
        return _one(page, session, book, tried=tried, error=error)


@router.get("/admin/calendars")
def calendars(page: Administered, moved: Count | None = None) -> Response:
    with page.reading() as session:
        return _calendars(page, session, moved=moved)


@router.post("/admin/calendars")
def load(page: Administered, posted: Posted) -> Response:
    """Load a year's table; provisional limits are computed anew, and each that moves is written into its history."""
    administered.require_city(page.reader.actor)
    try:
        moved = page.house.kept.keep_calendar(_text_of(page, posted), _name_of(posted), page.reader.now)
    except (PolicyFaults, ValueError) as fault:
        with page.reading() as session:
            return _calendars(page, session, errors=_lines(page, fault))
    return page.go(f"/admin/calendars?moved={moved}")


def _book(page: Page, name: str) -> Book:
    kept = page.house.kept
    if name not in {*kept.versions(), *books.versions()}:
        raise Refusal("not_found")
    return kept.book(name)


def _tried(page: Page, book: Book) -> Trial:
    kept = page.house.kept
    with kept.store.read() as connection:
        return trial.run(connection, library.with_calendars(connection, book), kept.book, page.reader.now)


def _text_of(page: Page, posted: Any) -> str:  # noqa: ANN401 - a form
    """The text of the form's file. Raises ValueError with a sentence for the reader."""
    file = posted.get("file")
    if not isinstance(file, UploadFile) or not file.size or file.size > _LARGEST:
        raise ValueError(page.say("Choose a file of at most 500 KB."))
    try:
        return file.file.read().decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(page.say("It isn't UTF-8 text.")) from None


def _name_of(posted: Any) -> str:  # noqa: ANN401 - a form
    return str(posted["file"].filename or "table.yaml").rpartition("/")[2][-80:]


def _lines(page: Page, fault: PolicyFaults | ValueError) -> list[str]:
    if isinstance(fault, PolicyFaults):
        return [one.text(page.language) for one in fault.faults][:200]
    if isinstance(fault, CalendarFault):
        listed = [f"{one.file}:{one.line} {one.text[page.language]}" for one in fault.faults]
        return listed[:200] or [fault.text[page.language]]
    return [str(fault)]


def _listed(page: Page, session: Session, *, done: bool = False, errors: list[str] | None = None) -> Response:
    stored = administered.versions(session.connection)
    active = library.activated(session.connection) or session.office.current
    ours = [one for one in books.versions() if one not in {stored_.name for stored_ in stored}]
    return page.show(
        "admin/policy.html", session, status=422 if errors else 200, stored=stored, ours=ours, active=active,
        done=done, errors=errors or [], city=_of_city(page),
    )  # fmt: skip


def _one(
    page: Page, session: Session, book: Book, *, against: str = "", tried: Trial | None = None, error: str = ""
) -> Response:
    active = library.activated(session.connection) or session.office.current
    names = sorted({*(one.name for one in administered.versions(session.connection)), *books.versions()})
    other = against if against in names else active
    changes = [] if other == book.version else diff(session.office.book_of(other), book)
    return page.show(
        "admin/version.html", session, status=422 if error else 200, book=book, active=active, names=names,
        other=other, changes=changes, tried=tried, errors={"f-sure": error} if error else {}, city=_of_city(page),
    )  # fmt: skip


def _calendars(page: Page, session: Session, *, moved: int | None = None, errors: list[str] | None = None) -> Response:
    book = session.office.book_of(session.office.current)
    loaded = administered.tables(session.connection)
    common = book.calendars.of(None)
    year = page.reader.now.astimezone(page.tongue.zone).year
    known = [one for one in range(year - 1, year + 3) if common.published(date(one, 1, 1))]
    return page.show(
        "admin/calendars.html", session, status=422 if errors else 200, tables=book.calendars.tables, loaded=loaded,
        known=known, moved=moved, errors=errors or [], city=_of_city(page),
    )  # fmt: skip


def _of_city(page: Page) -> bool:
    return any(one.role == "admin" and one.kind == "city" for one in page.reader.actor.posts)
