"""Statistics, the access log, the search for a student, and the policy that new cases open under."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.asked import Asked, Opening, Reading, Writing
from api.given import PRINTED
from api.rest import answers
from api.rest.asking import NUMBER, Body, Cursor, Most, next_page, page_headers, told, written
from api.rest.assessed import Month, assessed
from api.rest.bodies import LINK, body_like, both, problems
from api.rest.cases import OrganisationId, Wanted
from cases import identity_search, listing, looks, post_log

router = APIRouter(tags=["oversight"])


class Sought(BaseModel):
    """Who is looked for: the whole name, the ID number, or both; and what for."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=PRINTED)] | None = None
    id_number: Annotated[str, Field(pattern=r"^\d{17}[\dXx]$")] | None = None
    purpose: Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTED)]


@router.get(
    "/statistics",
    response_model=answers.Statistics,
    operation_id="statistics",
    summary="按状态、等级和逾期计数 · counts by state, level and overdue",
    description=both(
        "只统计您看得到的个案；筛选与列表相同。监管人员另得考核指标（assessed），按吹哨月份，不受筛选影响。",
        "Of the cases that you see, with the filters of the list. Those who oversee a place also get the indicators "
        "(`assessed`), by the month of the whistle; of the filters only `organisation` narrows them.",
    ),
    responses=problems(),
)
def statistics(
    reader: Asked,
    session: Reading,
    wanted: Annotated[Wanted, Depends()],
    place: OrganisationId = None,
    month_from: Month = None,
    month_to: Month = None,
) -> Response:
    found = listing.counts(session, reader.actor, reader.now, wanted.filters)
    return told(
        answers.Statistics(
            cases=sum(one.cases for one in found),
            overdue=sum(one.overdue for one in found),
            by=[answers.CountLine.model_validate(one) for one in found],
            assessed=assessed(session, reader, place, wanted.filters.organisation, month_from, month_to),
        )
    )


@router.get(
    "/audit",
    response_model=answers.PageOf[answers.LookLine],
    operation_id="audit",
    summary="谁看过什么 · who has opened what",
    description=both(
        "供本校和本区、市审计员查看。", "For the case's school, and for the auditors of district and city."
    ),
    responses={200: {"headers": LINK}, **problems(404)},
)
def audit(
    request: Request,
    reader: Asked,
    # Auditors see the log and no case: as a reader of cases the database would show them neither.
    session: Writing,
    number: Annotated[str | None, Query(pattern=NUMBER, max_length=24)] = None,
    member: Annotated[int | None, Query(gt=0, lt=2**53)] = None,
    cursor: Cursor = None,
    limit: Most = 50,
) -> Response:
    page = looks.looks(session.connection, reader.actor, number=number, by=member, cursor=cursor, most=limit)
    following = next_page(request, page.next)
    items = [answers.LookLine.model_validate(one) for one in page.items]
    return told(answers.PageOf[answers.LookLine](items=items, next=following), headers=page_headers(following))


@router.get(
    "/audit/posts",
    response_model=answers.PageOf[answers.PostChange],
    operation_id="audit_posts",
    summary="谁任免了谁 · who gave whom which post, and who ended it",
    description=both("供本区、市审计员查看。", "For the auditors of district and city."),
    responses={200: {"headers": LINK}, **problems()},
)
def audit_posts(request: Request, reader: Asked, session: Reading, cursor: Cursor = None, limit: Most = 50) -> Response:
    page = post_log.changes(session.connection, reader.actor, cursor=cursor, most=limit)
    following = next_page(request, page.next)
    items = [answers.PostChange.model_validate(one) for one in page.items]
    return told(answers.PageOf[answers.PostChange](items=items, next=following), headers=page_headers(following))


@router.post(
    "/search",
    response_model=answers.Found,
    operation_id="search",
    summary="按全名或证件号查找（留痕）· look a student up by whole name or ID number, which is logged",
    description=both(
        "只查全名或完整证件号；只给出您能看身份的个案；每个查到的个案都写入查阅记录。",
        "By the whole name or ID number alone; only cases whose identity you may see; every hit stands in the access "
        "log.",
    ),
    responses=problems(413),
    openapi_extra=body_like(
        Sought,
        {"name": "小怡", "purpose": "家长来访"},
        {"name": "Xiaoyi", "purpose": "her parents are here"},
    ),
)
def search(reader: Asked, session: Opening, body: Body) -> Response:
    sought = written(Sought, body)
    found = identity_search.by_identity(
        session, reader.actor, reader.now, sought.purpose, name=sought.name, id_number=sought.id_number
    )
    lines = listing.of_cases(session, reader.now, [file.id for file in found])
    return told(answers.Found(items=[answers.CaseLine.model_validate(one) for one in lines]))


@router.get(
    "/policy",
    response_model=answers.Policy,
    operation_id="policy",
    summary="现行政策 · the policy that new cases open under",
    responses=problems(),
)
def policy(reader: Asked, session: Reading) -> Response:
    book = session.office.book_of(session.office.current)
    spoken = reader.language
    return told(
        answers.Policy(
            version=book.version,
            title=book.title.in_language(spoken),
            digest=book.digest,
            timezone=str(book.tz),
            levels=[answers.Word(code=one.code, label=one.label.in_language(spoken)) for one in book.levels.values()],
            concerns=[
                answers.ConcernLine(
                    code=one.code,
                    label=one.label.in_language(spoken),
                    lead=one.lead,
                    support=list(one.support),
                    opens=list(one.opens),
                )
                for one in book.concerns.values()
            ],
            statutory=[
                answers.Question(
                    code=one.code, label=one.label.in_language(spoken), question=one.question.in_language(spoken)
                )
                for one in book.statutory.values()
            ],
        )
    )
