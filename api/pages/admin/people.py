"""One member: posts, the account, out of service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.given import Id, number_of
from api.pages import words
from api.pages.admin.desk import Administered
from api.pages.admin.places import today, typed
from api.pages.admin.sending import Faulty, Reading, once, seen
from api.pages.frame import Page, Posted
from api.signin import oversight
from api.signin.faults import SignInFault
from api.signin.oversight import OneTime
from cases import administered, census, corrected, credentials, posts, standing
from cases.census import Person
from cases.directory import Post
from cases.office import Session
from cases.people import KINDS_OF_ROLE
from cases.post_log import By

router = APIRouter(include_in_schema=False)
_POST = ("role", "organisation", "since", "until", "school")
_PERSON = ("name", "phone", "email")


@router.get("/admin/members/{number}")
def member(page: Administered, number: Id, done: str = "") -> Response:
    with page.reading() as session:
        return _one(page, session, number, done=bool(done))


@router.post("/admin/members/{number}/posts")
def appoint(page: Administered, number: Id, posted: Posted) -> Response:
    """A post more, at any organisation of the reader's."""
    written = typed(posted, _POST)

    def act(session: Session) -> str:
        _governed(page, session, number)
        form = Reading(page, session, written)
        role, place, since = form.text("role"), form.place("organisation"), form.day("since")
        school = form.place("school", needed=False)
        until = form.day("until") if written["until"] else None
        place = form.sure(place)
        since = form.sure(since)
        census.require_admin(page.reader.actor, place)
        posts.appoint(session.connection, number, role, place, since=since, until=until, school=school, by=_by(page))
        return f"/admin/members/{number}?done=1"

    try:
        return page.go(once(page, posted, written, act))
    except Faulty as fault:
        return _again(page, number, fault.errors, "posts", written)


@router.post("/admin/members/{number}/posts/end")
def end_post(page: Administered, number: Id, posted: Posted) -> Response:
    """The last day of a post; that day counts in full."""
    written = typed(posted, _POST)
    prefix = f"e-{written['role']}-{written['organisation']}"

    def act(session: Session) -> str:
        _governed(page, session, number)
        place = administered.ruled(session.connection, page.reader.actor, number_of(written["organisation"]) or 0)
        form = Reading(page, session, written, prefix)
        until = form.day("until")
        until = form.sure(until)
        held = Post(written["role"], place.id, place.kind, number_of(written["school"]))
        posts.end_post(session.connection, number, held, until, by=_by(page))
        return f"/admin/members/{number}?done=1"

    try:
        return page.go(once(page, posted, written, act, prefix))
    except Faulty as fault:
        # Its one field is called by the post that it ends.
        errors = {f"{prefix}-{written['school']}": one for one in fault.errors.values()}
        return _again(page, number, errors, "end", written)


@router.post("/admin/members/{number}/change")
def change(page: Administered, number: Id, posted: Posted) -> Response:
    """Another name, telephone or mail address; refused to whoever saw an older one than there is now."""
    written = typed(posted, _PERSON)

    def act(session: Session) -> str:
        _governed(page, session, number)
        form = Reading(page, session, written, "m")
        found = census.person(session.connection, page.reader.actor, today(page), number)
        if str(posted.get("_seen", "")) != _seen(found):
            form.wrong("name", page.say("Somebody changed it meanwhile: compare, and save again."))
        name, phone, email = form.text("name"), form.reached("phone"), form.reached("email")
        form.checked()
        corrected.of_member(session.connection, number, name=name, phone=phone, email=email)
        return f"/admin/members/{number}?done=1"

    try:
        return page.go(once(page, posted, written, act, "m"))
    except Faulty as fault:
        return _again(page, number, fault.errors, "change", written)


@router.post("/admin/members/{number}/retire")
def retire(page: Administered, number: Id, posted: Posted) -> Response:
    """Out of service: no post acts any more, every session ends. Asked for twice, for it can't be undone here."""
    if posted.get("sure") != "on":
        return _again(page, number, {"f-sure": page.say("Tick the box to confirm.")}, "retire")

    def act(session: Session) -> str:
        _governed(page, session, number)
        oversight.end_everything(session.connection, number, page.reader.now, page.reader.member.id)
        posts.retire(session.connection, number, by=_by(page))
        return f"/admin/members/{number}?done=1"

    return page.go(once(page, posted, {"sure": "on"}, act))


@router.post("/admin/members/{number}/account")
def account(page: Administered, number: Id, posted: Posted) -> Response:
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
        # Only an account that is opened has a field; the other buttons' heading says it.
        field = "f-login" if what == "open" else "ac"
        errors = {field: fault.text(page.language)}
        return _again(page, number, errors, "account", {"login": str(posted.get("login", ""))[:64]})
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


def _again(
    page: Page, number: int, errors: Mapping[str, str], where: str, written: Mapping[str, str] | None = None
) -> Response:
    with page.reading() as session:
        return _one(page, session, number, errors=errors, where=where, written=written)


def _seen(found: Person) -> str:
    return seen(found.name, found.phone, found.email)


def _one(
    page: Page,
    session: Session,
    number: int,
    *,
    done: bool = False,
    drawn: OneTime | None = None,
    errors: Mapping[str, str] | None = None,
    written: Mapping[str, str] | None = None,
    where: str = "",
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
        "roles": [(one, page.word(words.ROLES[one])) for one in KINDS_OF_ROLE],
        "changing": {
            "name": found.name,
            "phone": found.phone or "",
            "email": found.email or "",
            **((written or {}) if where == "change" else {}),
        },
        "seen": _seen(found),
        "where": where,
        "account": credentials.line_of(connection, number),
        "sessions": len(standing.visits(connection, number, now)),
        "drawn": drawn,
        "done": done,
        "today": today(page).isoformat(),
        "errors": errors or {},
        "written": {**blank, **(written or {})},
    }
    return page.show("admin/member.html", session, status=422 if errors else 200, **facts)
