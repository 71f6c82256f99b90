"""Organisations and members: read by everybody, written by the admins of their organisation, district or city."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.asked import Asked, Reader, Reading, Writing
from api.given import PRINTED, Id
from api.rest import answers
from api.rest.asking import Body, Cursor, IdempotencyKey, Most, next_page, once, page_headers, told, written
from api.rest.bodies import LINK, body_like, both, problems
from api.signin import oversight
from cases import census, placing, posts, registrar
from cases.office import Session
from cases.people import KINDS, ROLES
from cases.post_log import By
from cases.who import Organisation, Post

router = APIRouter(tags=["directory"])

Kind = Literal.__getitem__(KINDS)
Role = Literal.__getitem__(ROLES)
Text = Annotated[str | None, Query(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=PRINTED)]
Telephone = Annotated[str, Field(pattern=r"^[0-9+ -]{3,30}$")]
Mail = Annotated[str, Field(pattern=r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,100}$")]
OrganisationId = Annotated[int | None, Query(gt=0, lt=2**53)]


class Given(BaseModel):
    """A body that an admin writes."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewMember(Given):
    """A member to be entered, with the posts held from that day on."""

    organisation: Annotated[int, Field(gt=0, lt=2**53)]
    name: Name
    posts: Annotated[list[Role], Field(max_length=12)] = []  # type: ignore[valid-type]
    since: Day
    school: Annotated[int, Field(gt=0, lt=2**53)] | None = None
    phone: Telephone | None = None
    email: Mail | None = None
    language: Literal["zh_CN", "en"] = "zh_CN"


class NewPost(Given):
    """A post to be given to a member."""

    role: Role  # type: ignore[valid-type]
    organisation: Annotated[int, Field(gt=0, lt=2**53)]
    since: Day
    until: Day | None = None
    school: Annotated[int, Field(gt=0, lt=2**53)] | None = None


class EndedPost(Given):
    """A post whose term ends; that day is its last."""

    role: Role  # type: ignore[valid-type]
    organisation: Annotated[int, Field(gt=0, lt=2**53)]
    until: Day
    school: Annotated[int, Field(gt=0, lt=2**53)] | None = None


class NewOrganisation(Given):
    """An organisation to be registered; its district and city follow from the parent."""

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")]
    kind: Kind  # type: ignore[valid-type]
    name: Name
    parent: Annotated[int, Field(gt=0, lt=2**53)]
    street: Annotated[int, Field(gt=0, lt=2**53)] | None = None
    hospital: Annotated[int, Field(gt=0, lt=2**53)] | None = None
    community: Annotated[int, Field(gt=0, lt=2**53)] | None = None


@router.get(
    "/organisations",
    response_model=answers.PageOf[answers.OrganisationLine],
    operation_id="list_organisations",
    summary="单位 · organisations",
    responses={200: {"headers": LINK}, **problems()},
)
def list_organisations(
    request: Request,
    _: Asked,
    session: Reading,
    kind: Kind | None = None,  # type: ignore[valid-type]
    district: OrganisationId = None,
    text: Text = None,
    cursor: Cursor = None,
    limit: Most = 50,
) -> Response:
    page = census.organisations(session.connection, kind=kind, district=district, text=text, cursor=cursor, most=limit)
    following = next_page(request, page.next)
    items = [answers.OrganisationLine.model_validate(one) for one in page.items]
    return told(answers.PageOf[answers.OrganisationLine](items=items, next=following), headers=page_headers(following))


@router.post(
    "/organisations",
    status_code=201,
    response_model=answers.Entered,
    operation_id="register_organisation",
    summary="登记单位 · register an organisation",
    responses=problems(404, 413),
    openapi_extra=body_like(
        NewOrganisation,
        {"code": "NJ-EX-SCHOOL-9", "kind": "school", "name": "示例第九小学", "parent": 4, "hospital": 12},
        {"code": "NJ-EX-SCHOOL-9", "kind": "school", "name": "Example Ninth Primary School", "parent": 4},
    ),
)
def register_organisation(
    request: Request, reader: Asked, session: Writing, body: Body, key: IdempotencyKey = None
) -> Response:
    given = written(NewOrganisation, body)

    def act() -> tuple[int, answers.Entered, dict[str, str]]:
        parent = census.place(session.connection, given.parent)
        links = {
            name: census.place(session.connection, number) if number is not None else None
            for name, number in (("street", given.street), ("hospital", given.hospital), ("community", given.community))
        }
        placing.require_place(reader.actor, given.kind, parent, links)
        made = registrar.found(session.connection, given.code, given.kind, given.name, parent, **links)
        return 201, answers.Entered(id=made.id), {"Location": f"/api/v1/organisations/{made.id}"}

    return once(request, session, reader, key, body, act)


@router.get(
    "/organisations/{number}",
    response_model=answers.OrganisationLine,
    operation_id="read_organisation",
    summary="一个单位 · one organisation",
    responses=problems(404),
)
def read_organisation(_: Asked, session: Reading, number: Id) -> Response:
    return told(answers.OrganisationLine.model_validate(census.place(session.connection, number)))


@router.get(
    "/members",
    response_model=answers.PageOf[answers.MemberLine],
    operation_id="list_members",
    summary="人员 · members",
    description=both("电话和邮箱只有同单位的人和管理员看得到。", "Telephone and mail are for colleagues and admins."),
    responses={200: {"headers": LINK}, **problems()},
)
def list_members(
    request: Request,
    reader: Asked,
    session: Reading,
    organisation: OrganisationId = None,
    role: Role | None = None,  # type: ignore[valid-type]
    cursor: Cursor = None,
    limit: Most = 50,
) -> Response:
    page = census.members(
        session.connection, reader.actor, _today(session, reader), place=organisation, role=role, cursor=cursor,
        most=limit,
    )  # fmt: skip
    following = next_page(request, page.next)
    items = [answers.MemberLine.model_validate(one) for one in page.items]
    return told(answers.PageOf[answers.MemberLine](items=items, next=following), headers=page_headers(following))


@router.get(
    "/members/{number}",
    response_model=answers.MemberLine,
    operation_id="read_member",
    summary="一名人员 · one member",
    responses=problems(404),
)
def read_member(reader: Asked, session: Reading, number: Id) -> Response:
    found = census.person(session.connection, reader.actor, _today(session, reader), number)
    return told(answers.MemberLine.model_validate(found))


@router.post(
    "/members",
    status_code=201,
    response_model=answers.Entered,
    operation_id="enlist_member",
    summary="登记人员 · enter a member",
    responses=problems(404, 413),
    openapi_extra=body_like(
        NewMember,
        {"organisation": 4, "name": "周老师", "posts": ["counselor"], "since": "2026-03-01"},
        {"organisation": 4, "name": "Ms Zhou", "posts": ["counselor"], "since": "2026-03-01", "language": "en"},
    ),
)
def enlist_member(
    request: Request, reader: Asked, session: Writing, body: Body, key: IdempotencyKey = None
) -> Response:
    given = written(NewMember, body)

    def act() -> tuple[int, answers.Entered, dict[str, str]]:
        place = _administered(session, reader, given.organisation)
        school = _school(session, given.school)
        made = posts.enlist(
            session.connection, place, given.name, list(dict.fromkeys(given.posts)), since=given.since, school=school,
            phone=given.phone, email=given.email, language=given.language, by=_by(reader),
        )  # fmt: skip
        return 201, answers.Entered(id=made.id), {"Location": f"/api/v1/members/{made.id}"}

    return once(request, session, reader, key, body, act)


@router.post(
    "/members/{number}/posts",
    status_code=201,
    response_model=answers.Entered,
    operation_id="appoint_member",
    summary="任命 · give a member a post",
    responses=problems(404, 413),
    openapi_extra=body_like(
        NewPost,
        {"role": "officer", "organisation": 6, "since": "2026-03-01"},
        {"role": "officer", "organisation": 6, "since": "2026-03-01", "until": "2026-08-31"},
    ),
)
def appoint_member(
    request: Request, reader: Asked, session: Writing, number: Id, body: Body, key: IdempotencyKey = None
) -> Response:
    given = written(NewPost, body)

    def act() -> tuple[int, answers.Entered, dict[str, str]]:
        _govern(session, reader, number)
        place = _administered(session, reader, given.organisation)
        school = _school(session, given.school)
        posts.appoint(
            session.connection, number, given.role, place, since=given.since, until=given.until, school=school,
            by=_by(reader),
        )  # fmt: skip
        return 201, answers.Entered(id=number), {"Location": f"/api/v1/members/{number}"}

    return once(request, session, reader, key, body, act)


@router.post(
    "/members/{number}/posts/end",
    response_model=answers.Entered,
    operation_id="end_post",
    summary="免去职务 · end a member's post",
    responses=problems(404, 413),
    openapi_extra=body_like(
        EndedPost,
        {"role": "officer", "organisation": 6, "until": "2026-03-31"},
        {"role": "officer", "organisation": 6, "until": "2026-03-31"},
    ),
)
def end_post(
    request: Request, reader: Asked, session: Writing, number: Id, body: Body, key: IdempotencyKey = None
) -> Response:
    given = written(EndedPost, body)

    def act() -> tuple[int, answers.Entered, dict[str, str]]:
        _govern(session, reader, number)
        place = _administered(session, reader, given.organisation)
        held = Post(given.role, place.id, place.kind, given.school)
        posts.end_post(session.connection, number, held, given.until, by=_by(reader))
        return 200, answers.Entered(id=number), {}

    return once(request, session, reader, key, body, act)


@router.delete(
    "/members/{number}",
    response_model=answers.Entered,
    operation_id="retire_member",
    summary="停用人员 · take a member out of service",
    responses=problems(404),
)
def retire_member(reader: Asked, session: Writing, number: Id) -> Response:
    _govern(session, reader, number)
    oversight.end_everything(session.connection, number, reader.now, reader.member.id)
    posts.retire(session.connection, number, by=_by(reader))
    return told(answers.Entered(id=number))


def _today(session: Session, reader: Reader) -> date:
    return reader.now.astimezone(session.office.book_of(session.office.current).tz).date()


def _administered(session: Session, reader: Reader, number: int) -> Organisation:
    place = census.place(session.connection, number)
    census.require_admin(reader.actor, place)
    return place


def _govern(session: Session, reader: Reader, number: int) -> None:
    """Whoever isn't admin of all that a member holds changes nothing about the member, as on the pages."""
    oversight.may_govern(session.connection, session.office.directory, reader.actor, number, reader.now)


def _by(reader: Reader) -> By:
    return By(reader.member.id, reader.now)


def _school(session: Session, number: int | None) -> Organisation | None:
    return None if number is None else census.place(session.connection, number)
