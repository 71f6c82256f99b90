"""Organisations and members that were entered wrongly are put right, an organisation that is no more is closed.

By whoever might have entered them; what isn't named in a body stays as it is.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.asked import Asked, Writing
from api.given import Id
from api.rest import answers
from api.rest.asking import Body, IdempotencyKey, once, told, written
from api.rest.bodies import body_like, problems
from api.rest.directory import Given, Mail, Name, Telephone
from api.signin import oversight
from cases import census, corrected

router = APIRouter(tags=["directory"])
_Number = Annotated[int, Field(gt=0, lt=2**53)] | None


class CorrectedMember(Given):
    """What is another about a member; null takes an address away."""

    name: Name | None = None
    phone: Telephone | None = None
    email: Mail | None = None


class CorrectedOrganisation(Given):
    """What is another about an organisation; null takes a link away."""

    name: Name | None = None
    street: _Number = None
    hospital: _Number = None
    community: _Number = None


@router.patch(
    "/members/{number}",
    response_model=answers.Entered,
    operation_id="correct_member",
    summary="更正人员信息 · put a member's name, telephone or mail right",
    responses=problems(404, 413),
    openapi_extra=body_like(
        CorrectedMember,
        {"name": "陈嘉言", "phone": "025-55500107", "email": "chen@example.edu.cn"},
        {"name": "Chen Jiayan", "phone": "025-55500107"},
    ),
)
def correct_member(
    request: Request, reader: Asked, session: Writing, number: Id, body: Body, key: IdempotencyKey = None
) -> Response:
    given = written(CorrectedMember, body)

    def act() -> tuple[int, answers.Entered, dict[str, str]]:
        oversight.may_govern(session.connection, session.office.directory, reader.actor, number, reader.now)
        today = reader.now.astimezone(session.office.book_of(session.office.current).tz).date()
        found = census.person(session.connection, reader.actor, today, number)
        said = given.model_fields_set
        corrected.of_member(
            session.connection, number,
            name=given.name if given.name is not None else found.name,
            phone=given.phone if "phone" in said else found.phone,
            email=given.email if "email" in said else found.email,
        )  # fmt: skip
        return 200, answers.Entered(id=number), {}

    return once(request, session, reader, key, body, act)


@router.patch(
    "/organisations/{number}",
    response_model=answers.Entered,
    operation_id="correct_organisation",
    summary="更正单位信息 · put an organisation's name or links right",
    responses=problems(404, 413),
    openapi_extra=body_like(
        CorrectedOrganisation,
        {"name": "示例第九小学", "hospital": 12},
        {"name": "Example Ninth Primary School", "hospital": None},
    ),
)
def correct_organisation(
    request: Request, reader: Asked, session: Writing, number: Id, body: Body, key: IdempotencyKey = None
) -> Response:
    given = written(CorrectedOrganisation, body)

    def act() -> tuple[int, answers.Entered, dict[str, str]]:
        place = census.place(session.connection, number)
        asked = {one: getattr(given, one) for one in corrected.LINKS if one in given.model_fields_set}
        links = {one: None if no is None else census.place(session.connection, no) for one, no in asked.items()}
        corrected.require_right(session.connection, reader.actor, place, links)
        corrected.of_place(session.connection, place, given.name or place.name, links)
        return 200, answers.Entered(id=number), {}

    return once(request, session, reader, key, body, act)


@router.delete(
    "/organisations/{number}",
    response_model=answers.Entered,
    operation_id="close_organisation",
    summary="停用单位 · take an organisation out of service",
    responses=problems(404),
)
def close_organisation(reader: Asked, session: Writing, number: Id) -> Response:
    place = census.place(session.connection, number)
    corrected.require_right(session.connection, reader.actor, place, {})
    today = reader.now.astimezone(session.office.book_of(session.office.current).tz).date()
    corrected.close(session.connection, place, today)
    return told(answers.Entered(id=number))
