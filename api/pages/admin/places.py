"""Organisations: the list, one of them with its people and its rota, a new one, a new member."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api.given import Id, number_of
from api.pages import words
from api.pages.admin.desk import Administered
from api.pages.admin.sending import Faulty, Reading, once, seen
from api.pages.frame import Page, Posted
from cases import administered, census, corrected, placing, posts, registrar
from cases.corrected import LINKS
from cases.office import Session
from cases.people import KINDS, KINDS_OF_ROLE
from cases.post_log import By
from cases.refusal import Refusal
from cases.who import Organisation

router = APIRouter(include_in_schema=False)
_PLACE: Final = ("code", "kind", "name", "parent", *LINKS)
_MEMBER: Final = ("name", "role", "since", "school", "phone", "email")
_SHIFT: Final = ("member", "starts", "ends")
ON_A_PAGE: Final = 50
Written = Mapping[str, str]


def typed(posted: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """What stands in these fields, without blanks around it."""
    return {name: str(posted.get(name, "")).strip()[:200] for name in names}


def today(page: Page) -> date:
    return page.reader.now.astimezone(page.tongue.zone).date()


@router.get("/admin/organisations")
def organisations(page: Administered, text: str = "", kind: str = "", after: str = "") -> Response:
    with page.reading() as session:
        return _listed(page, session, text=text.strip()[:80], kind=kind, after=after)


@router.post("/admin/organisations")
def register(page: Administered, posted: Posted) -> Response:
    """Register an organisation below one of the reader's; its parent and its links are named by their codes."""
    written = typed(posted, _PLACE)

    def act(session: Session) -> str:
        form = Reading(page, session, written)
        name, code, kind, parent = form.text("name"), form.text("code"), form.text("kind"), form.place("parent")
        links = {one: form.place(one, needed=False) for one in LINKS}
        parent = form.sure(parent)
        placing.require_place(page.reader.actor, kind, parent, links)
        return f"/admin/organisations/{registrar.found(session.connection, code, kind, name, parent, **links).id}"

    try:
        return page.go(once(page, posted, written, act))
    except Faulty as fault:
        with page.reading() as session:
            return _listed(page, session, written=written, errors=fault.errors)


@router.get("/admin/organisations/{number}")
def organisation(page: Administered, number: Id, done: str = "", after: str = "") -> Response:
    with page.reading() as session:
        place = administered.ruled(session.connection, page.reader.actor, number)
        return shown(page, session, place, done=bool(done), after=after)


@router.post("/admin/organisations/{number}/members")
def enlist(page: Administered, number: Id, posted: Posted) -> Response:
    """Enter a member with a first post."""
    written = typed(posted, _MEMBER)

    def act(session: Session) -> str:
        place = administered.ruled(session.connection, page.reader.actor, number)
        form = Reading(page, session, written)
        name, since, school = form.text("name"), form.day("since"), form.place("school", needed=False)
        phone, email = form.reached("phone"), form.reached("email")
        since = form.sure(since)
        made = posts.enlist(
            session.connection, place, name, [written["role"]] if written["role"] else [], since=since, school=school,
            phone=phone, email=email, by=By(page.reader.member.id, page.reader.now),
        )  # fmt: skip
        return f"/admin/members/{made.id}"

    try:
        return page.go(once(page, posted, written, act))
    except Faulty as fault:
        return again(page, number, written, fault.errors, "members")


@router.post("/admin/organisations/{number}/duty")
def put_on_duty(page: Administered, number: Id, posted: Posted) -> Response:
    """A shift more on the rota."""
    written = typed(posted, _SHIFT)

    def act(session: Session) -> str:
        place = administered.ruled(session.connection, page.reader.actor, number)
        form = Reading(page, session, written)
        who, starts, ends = form.text("member"), form.moment("starts"), form.moment("ends")
        starts = form.sure(starts)
        ends = form.sure(ends)
        posts.put_on_duty(session.connection, place, number_of(who) or 0, starts, ends, now=page.reader.now)
        return f"/admin/organisations/{number}?done=1#rota"

    try:
        return page.go(once(page, posted, written, act))
    except Faulty as fault:
        return again(page, number, written, fault.errors, "duty")


@router.post("/admin/organisations/{number}/duty/{shift}/end")
def take_off_duty(page: Administered, number: Id, shift: Id) -> Response:
    with page.writing() as session:
        place = administered.ruled(session.connection, page.reader.actor, number)
        posts.take_off_duty(session.connection, place, shift)
    return page.go(f"/admin/organisations/{number}?done=1#rota")


def _listed(
    page: Page,
    session: Session,
    *,
    text: str = "",
    kind: str = "",
    after: str = "",
    written: Written | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    found = administered.organisations(
        session.connection, page.reader.actor, today(page),
        kind=kind if kind in KINDS else None, text=text, cursor=after or None,
    )  # fmt: skip
    return page.show(
        "admin/organisations.html", session, status=422 if errors else 200, lines=found.items, more=found.next,
        text=text, kind=kind, kinds=[(one, words.KINDS[one]) for one in KINDS],
        labelled=[(one, page.word(words.KINDS[one])) for one in KINDS],
        written=written or dict.fromkeys(_PLACE, ""), errors=errors or {},
    )  # fmt: skip


def again(page: Page, number: int, written: Written, errors: Mapping[str, str], where: str) -> Response:
    """The page of an organisation with a form that can't be taken as it is; `where` says which."""
    with page.reading() as session:
        place = administered.ruled(session.connection, page.reader.actor, number)
        return shown(page, session, place, written=written, errors=errors, where=where)


def shown(
    page: Page,
    session: Session,
    place: Organisation,
    *,
    done: bool = False,
    written: Written | None = None,
    errors: Mapping[str, str] | None = None,
    after: str = "",
    where: str = "",
) -> Response:
    """The page of an organisation."""
    reader, day = page.reader.actor, today(page)
    found = census.members(session.connection, reader, day, place=place.id, cursor=after or None, most=ON_A_PAGE)
    staff = officers = found.items
    if found.next is not None or after:
        officers = census.members(session.connection, reader, day, place=place.id, role="officer", most=500).items
    held = {one.id: [term.role for term in one.posts if term.organisation == place.id] for one in (*staff, *officers)}
    officers = tuple(one for one in officers if "officer" in held[one.id])
    blank = {"since": today(page).isoformat(), **dict.fromkeys((*_MEMBER, *_SHIFT), "")}
    return page.show(
        "admin/organisation.html", session, status=422 if errors else 200, place=place, staff=staff, held=held,
        more=found.next, officers=[(one.id, one.name) for one in officers],
        shifts=administered.shifts(session.connection, place.id, page.reader.now),
        roles=[(one, page.word(words.ROLES[one])) for one, kinds in KINDS_OF_ROLE.items() if place.kind in kinds],
        names=administered.names(session.connection, [one for one in _above(place) if one is not None]),
        above=_above(place), done=done, written={**blank, "since": today(page).isoformat(), **(written or {})},
        errors=errors or {}, where=where,
        **changing(page, session, place, written if where == "change" else None),
    )  # fmt: skip


def changing(page: Page, session: Session, place: Organisation, written: Written | None) -> dict[str, Any]:
    """What the form that puts an organisation right holds: as it is, or as it was typed."""
    try:
        corrected.require_right(session.connection, page.reader.actor, place, {})
    except Refusal:
        return {"changeable": False}
    ids = {one: getattr(place, f"{one}_id") for one in LINKS}
    codes = corrected.codes(session.connection, [one for one in ids.values() if one is not None])
    now = {"name": place.name, **{name: codes.get(one or 0, "") for name, one in ids.items()}}
    return {"changeable": True, "changing": {**now, **(written or {})}, "seen": seen(now)}


def _above(place: Organisation) -> tuple[int | None, ...]:
    return (place.parent_id, place.street_id, place.hospital_id, place.community_id)
