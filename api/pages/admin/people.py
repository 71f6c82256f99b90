"""One member: posts, the account, out of service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.admin.desk import Administered
from api.pages.admin.places import coded, day_of, said, today, typed
from api.pages.frame import Page, Posted
from api.signin import oversight
from api.signin.faults import SignInFault
from api.signin.oversight import OneTime
from cases import administered, census, credentials, posts, standing
from cases.directory import Post
from cases.directory_fault import DirectoryFault
from cases.office import Session
from cases.people import KINDS_OF_ROLE
from cases.post_log import By

router = APIRouter(include_in_schema=False)
_POST = ("role", "organisation", "since", "until", "school")


@router.get("/admin/members/{number}")
def member(page: Administered, number: int, done: str = "") -> Response:
    with page.reading() as session:
        return _one(page, session, number, done=bool(done))


@router.post("/admin/members/{number}/posts")
def appoint(page: Administered, number: int, posted: Posted) -> Response:
    """A post more, at any organisation of the reader's."""
    written = typed(posted, _POST)
    try:
        with page.writing() as session:
            _governed(page, session, number)
            place = coded(page, session, written["organisation"])
            census.require_admin(page.reader.actor, place)
            school = coded(page, session, written["school"]) if written["school"] else None
            until = day_of(page, written["until"]) if written["until"] else None
            since = day_of(page, written["since"])
            posts.appoint(
                session.connection, number, written["role"], place, since=since, until=until, school=school,
                by=_by(page),
            )  # fmt: skip
    except (DirectoryFault, ValueError) as fault:
        return _again(page, number, said(page, fault), "posts", written)
    return page.go(f"/admin/members/{number}?done=1")


@router.post("/admin/members/{number}/posts/end")
def end_post(page: Administered, number: int, posted: Posted) -> Response:
    """The last day of a post; that day counts in full."""
    written = typed(posted, _POST)
    try:
        with page.writing() as session:
            _governed(page, session, number)
            place = administered.ruled(session.connection, page.reader.actor, _number(written["organisation"]) or 0)
            held = Post(written["role"], place.id, place.kind, _number(written["school"]))
            posts.end_post(session.connection, number, held, day_of(page, written["until"]), by=_by(page))
    except (DirectoryFault, ValueError) as fault:
        return _again(page, number, said(page, fault), "posts")
    return page.go(f"/admin/members/{number}?done=1")


@router.post("/admin/members/{number}/retire")
def retire(page: Administered, number: int, posted: Posted) -> Response:
    """Out of service: no post acts any more, every session ends. Asked for twice, for it can't be undone here."""
    if posted.get("sure") != "on":
        return _again(page, number, page.say("Tick the box to confirm."), "retire")
    with page.writing() as session:
        _governed(page, session, number)
        oversight.end_everything(session.connection, number, page.reader.now, page.reader.member.id)
        posts.retire(session.connection, number, by=_by(page))
    return page.go(f"/admin/members/{number}?done=1")


@router.post("/admin/members/{number}/account")
def account(page: Administered, number: int, posted: Posted) -> Response:
    """Open, reset, unlock, or end every session; a one-time code is shown this once, on the page that answers."""
    what, me, now = str(posted.get("what", "")), page.reader.member.id, page.reader.now
    master = page.house.kept.master
    drawn: OneTime | None = None
    try:
        with page.writing() as session:
            _governed(page, session, number)
            connection = session.connection
            standing_ = credentials.of_member(connection, number)
            if what == "open":
                drawn = oversight.open_account(connection, number, str(posted.get("login", ""))[:64], now, me)
            elif what in {"reset", "reset_totp"}:
                drawn = oversight.reset(connection, master, number, now, me, with_totp=what == "reset_totp")
            elif what == "unlock" and standing_ is not None:
                oversight.unlock(connection, master, standing_.login, number)
            elif what == "end":
                oversight.end_everything(connection, number, now, me)
    except SignInFault as fault:
        return _again(page, number, fault.text(page.language), "account", {"login": str(posted.get("login", ""))[:64]})
    if drawn is None:
        return page.go(f"/admin/members/{number}?done=1")
    with page.reading() as session:
        answer = _one(page, session, number, drawn=drawn)
    answer.headers["cache-control"] = "no-store"
    return answer


def _governed(page: Page, session: Session, number: int) -> None:
    oversight.may_govern(session.connection, session.office.directory, page.reader.actor, number, page.reader.now)


def _by(page: Page) -> By:
    return By(page.reader.member.id, page.reader.now)


def _number(written: str) -> int | None:
    return int(written) if written.isdecimal() and len(written) < 16 else None


def _again(page: Page, number: int, error: str, where: str, written: Mapping[str, str] | None = None) -> Response:
    with page.reading() as session:
        return _one(page, session, number, errors={where: error}, written=written)


def _one(
    page: Page,
    session: Session,
    number: int,
    *,
    done: bool = False,
    drawn: OneTime | None = None,
    errors: Mapping[str, str] | None = None,
    written: Mapping[str, str] | None = None,
) -> Response:
    connection, now = session.connection, page.reader.now
    found = census.person(connection, page.reader.actor, today(page), number)
    home = administered.ruled(connection, page.reader.actor, found.organisation)
    if found.active:
        # Whoever holds a post further up is looked after there, not here.
        _governed(page, session, number)
    places = {home.id, *(one.organisation for one in found.posts)}
    places |= {one.school for one in found.posts if one.school is not None}
    blank = {**dict.fromkeys(_POST, ""), "organisation": home.code, "since": today(page).isoformat(), "login": ""}
    facts: dict[str, Any] = {
        "person": found,
        "home": home,
        "names": administered.names(connection, sorted(places)),
        "roles": list(KINDS_OF_ROLE),
        "account": credentials.line_of(connection, number),
        "sessions": len(standing.visits(connection, number, now)),
        "drawn": drawn,
        "done": done,
        "today": today(page).isoformat(),
        "errors": errors or {},
        "written": {**blank, **(written or {})},
    }
    return page.show("admin/member.html", session, status=422 if errors else 200, **facts)
