"""Organisations: the list, one of them with its people and its rota, a new one, a new member."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api.given import Id, number_of
from api.pages import words
from api.pages.admin.desk import Administered
from api.pages.frame import Page, Posted
from cases import administered, census, posts, registrar
from cases.directory_fault import DirectoryFault
from cases.office import Session
from cases.people import KINDS, KINDS_OF_ROLE
from cases.who import Organisation

router = APIRouter(include_in_schema=False)
_LINKS: Final = ("street", "hospital", "community")
_PLACE: Final = ("code", "kind", "name", "parent", *_LINKS)
_MEMBER: Final = ("name", "role", "since", "school", "phone", "email")
_SHIFT: Final = ("member", "starts", "ends")
Written = Mapping[str, str]


def typed(posted: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """What stands in these fields, without blanks around it."""
    return {name: str(posted.get(name, "")).strip()[:200] for name in names}


def today(page: Page) -> date:
    return page.reader.now.astimezone(page.tongue.zone).date()


def day_of(page: Page, written: str) -> date:
    """A day as the browser sends it. Raises ValueError with a sentence for the reader."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise ValueError(page.say("Write the day as 2026-09-01.")) from None


def moment_of(page: Page, written: str) -> datetime:
    """A local date and time as the browser sends it. Raises ValueError with a sentence for the reader."""
    try:
        return datetime.fromisoformat(written).replace(tzinfo=page.tongue.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        # The first and the last day that a date can say have no instant in every zone.
        raise ValueError(page.say("Write the time as 2026-09-01T08:30.")) from None


@router.get("/admin/organisations")
def organisations(page: Administered, text: str = "", kind: str = "", after: str = "") -> Response:
    with page.reading() as session:
        return _listed(page, session, text=text.strip()[:80], kind=kind, after=after)


@router.post("/admin/organisations")
def register(page: Administered, posted: Posted) -> Response:
    """Register an organisation below one of the reader's; its parent and its links are named by their codes."""
    written = typed(posted, _PLACE)
    try:
        with page.writing() as session:
            parent = coded(page, session, written["parent"])
            census.require_admin(page.reader.actor, parent)
            links = {name: coded(page, session, written[name]) for name in _LINKS if written[name]}
            made = registrar.found(
                session.connection, written["code"], written["kind"], written["name"], parent, **links
            )
    except (DirectoryFault, ValueError) as fault:
        with page.reading() as session:
            return _listed(page, session, written=written, error=said(page, fault))
    return page.go(f"/admin/organisations/{made.id}")


@router.get("/admin/organisations/{number}")
def organisation(page: Administered, number: Id, done: str = "") -> Response:
    with page.reading() as session:
        return _one(page, session, administered.ruled(session.connection, page.reader.actor, number), done=bool(done))


@router.post("/admin/organisations/{number}/members")
def enlist(page: Administered, number: Id, posted: Posted) -> Response:
    """Enter a member with a first post."""
    written = typed(posted, _MEMBER)
    try:
        with page.writing() as session:
            place = administered.ruled(session.connection, page.reader.actor, number)
            since = day_of(page, written["since"])
            school = coded(page, session, written["school"]) if written["school"] else None
            made = posts.enlist(
                session.connection, place, written["name"], [written["role"]] if written["role"] else [],
                since=since, school=school, phone=written["phone"] or None, email=written["email"] or None,
            )  # fmt: skip
    except (DirectoryFault, ValueError) as fault:
        return _again(page, number, written, said(page, fault), "members")
    return page.go(f"/admin/members/{made.id}")


@router.post("/admin/organisations/{number}/duty")
def put_on_duty(page: Administered, number: Id, posted: Posted) -> Response:
    """A shift more on the rota."""
    written = typed(posted, _SHIFT)
    try:
        with page.writing() as session:
            place = administered.ruled(session.connection, page.reader.actor, number)
            starts, ends = moment_of(page, written["starts"]), moment_of(page, written["ends"])
            who = number_of(written["member"]) or 0
            posts.put_on_duty(session.connection, place, who, starts, ends)
    except (DirectoryFault, ValueError) as fault:
        return _again(page, number, written, said(page, fault), "duty")
    return page.go(f"/admin/organisations/{number}?done=1#rota")


@router.post("/admin/organisations/{number}/duty/{shift}/end")
def take_off_duty(page: Administered, number: Id, shift: Id) -> Response:
    with page.writing() as session:
        place = administered.ruled(session.connection, page.reader.actor, number)
        posts.take_off_duty(session.connection, place, shift)
    return page.go(f"/admin/organisations/{number}?done=1#rota")


def said(page: Page, fault: Exception) -> str:
    """A fault as one sentence in the reader's language; those of this room are sentences already."""
    return fault.text(page.language) if isinstance(fault, DirectoryFault) else str(fault)


def coded(page: Page, session: Session, code: str) -> Organisation:
    """The organisation of a code. Raises ValueError with a sentence for the reader."""
    found = administered.by_code(session.connection, code)
    if found is None:
        raise ValueError(page.say("There is no organisation with the code %(code)s.") % {"code": code})
    return found


def _listed(
    page: Page,
    session: Session,
    *,
    text: str = "",
    kind: str = "",
    after: str = "",
    written: Written | None = None,
    error: str = "",
) -> Response:
    found = administered.organisations(
        session.connection, page.reader.actor, today(page),
        kind=kind if kind in KINDS else None, text=text, cursor=after or None,
    )  # fmt: skip
    return page.show(
        "admin/organisations.html", session, status=422 if error else 200, lines=found.items, more=found.next,
        text=text, kind=kind, kinds=[(one, words.KINDS[one]) for one in KINDS],
        written=written or dict.fromkeys(_PLACE, ""), error=error,
    )  # fmt: skip


def _again(page: Page, number: int, written: Written, error: str, where: str) -> Response:
    with page.reading() as session:
        place = administered.ruled(session.connection, page.reader.actor, number)
        return _one(page, session, place, written=written, errors={where: error})


def _one(
    page: Page,
    session: Session,
    place: Organisation,
    *,
    done: bool = False,
    written: Written | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    staff = census.members(session.connection, page.reader.actor, today(page), place=place.id, most=100).items
    held = {one.id: [term.role for term in one.posts if term.organisation == place.id] for one in staff}
    officers = [one for one in staff if "officer" in held[one.id]]
    blank = {"since": today(page).isoformat(), **dict.fromkeys((*_MEMBER, *_SHIFT), "")}
    return page.show(
        "admin/organisation.html", session, status=422 if errors else 200, place=place, staff=staff, held=held,
        officers=officers, shifts=administered.shifts(session.connection, place.id, page.reader.now),
        roles=[role for role, kinds in KINDS_OF_ROLE.items() if place.kind in kinds],
        names=administered.names(session.connection, [one for one in _above(place) if one is not None]),
        above=_above(place), done=done, written={**blank, "since": today(page).isoformat(), **(written or {})},
        errors=errors or {},
    )  # fmt: skip


def _above(place: Organisation) -> tuple[int | None, ...]:
    return (place.parent_id, place.street_id, place.hospital_id, place.community_id)
