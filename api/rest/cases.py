"""Cases: opening one, lists, the open part, and a sealed section, whose opening is logged."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api.asked import Asked, Opening, Reading, Writing
from api.given import PRINTED
from api.rest import answers, showing
from api.rest.asking import Body, Cursor, IdempotencyKey, Most, Number, etag, next_page, once, page_headers, told
from api.rest.bodies import ETAG, LINK, both, problems
from api.rest.openings import PULLED, opening
from api.rest.pulling import opened
from cases import listing, queries
from cases.vault import Section

router = APIRouter(tags=["cases"])

Purpose = Annotated[
    str,
    Query(min_length=1, max_length=200, pattern=PRINTED,
          description="为什么查看，写入查阅记录 · why it is opened; it stands in the access log",
          examples=["制定安全计划", "making the safe plan"]),
]  # fmt: skip
OpenedDay = Annotated[date | None, Query(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
LEVELS = Literal["red", "orange", "yellow", "blue"]
STATES = Literal["draft", "awaiting_signoff", "open", "awaiting_evaluation", "closed", "withdrawn", "merged"]
Code = Annotated[str, Query(pattern=r"^[a-z_]{1,40}$")]
OrganisationId = Annotated[int | None, Query(gt=0, lt=2**53)]


@router.post(
    "/cases",
    status_code=201,
    response_model=answers.Moved,
    operation_id="open_case",
    summary="吹哨、提交或存草稿 · whistle, submit or save a draft",
    description=PULLED,
    responses=problems(409, 413),
    openapi_extra=opening(),
)
def open_case(request: Request, reader: Asked, session: Writing, body: Body, key: IdempotencyKey = None) -> Response:
    form = dict(body)
    trigger = form.pop("trigger", None)
    return once(request, session, reader, key, body, lambda: opened(session, reader, trigger, form))


class Wanted:
    """The filters of a list, as its address names them."""

    def __init__(
        self,
        *,
        state: Annotated[list[STATES] | None, Query()] = None,
        level: Annotated[list[LEVELS] | None, Query()] = None,
        concern: Annotated[list[Code] | None, Query()] = None,
        school: OrganisationId = None,
        district: OrganisationId = None,
        organisation: OrganisationId = None,
        overdue: bool | None = None,
        mine: bool = False,
        opened_from: OpenedDay = None,
        opened_to: OpenedDay = None,
        text: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{1,24}$")] = None,
    ) -> None:
        self.filters = listing.Filters(
            state=tuple(state or ()),
            level=tuple(level or ()),
            concern=tuple(concern or ()),
            school=school,
            district=district,
            organisation=organisation,
            overdue=overdue,
            mine=mine,
            opened_from=opened_from,
            opened_to=opened_to,
            text=text,
        )


@router.get(
    "/cases",
    response_model=answers.PageOf[answers.CaseLine],
    operation_id="list_cases",
    summary="个案列表 · the cases that you see",
    description=both(
        "只列出您看得到的个案。按游标翻页：`next` 是下一页的地址。`mine` 指本人吹哨或本单位被派的个案。",
        "Only cases that you see. Pages by cursor: `next` is the address of the next one. `mine` are those that you "
        "whistled or that your organisations are called to.",
    ),
    responses={200: {"headers": LINK}, **problems()},
)
def list_cases(
    request: Request,
    reader: Asked,
    session: Reading,
    wanted: Annotated[Wanted, Depends()],
    sort: listing.Sort = "-opened",
    cursor: Cursor = None,
    limit: Most = 50,
) -> Response:
    page = listing.lines(session, reader.actor, reader.now, wanted.filters, sort, cursor, limit)
    following = next_page(request, page.next)
    items = [answers.CaseLine.model_validate(one) for one in page.items]
    return told(answers.PageOf[answers.CaseLine](items=items, next=following), headers=page_headers(following))


@router.get(
    "/cases/{number}",
    response_model=answers.CaseOpen,
    operation_id="read_case",
    summary="个案的公开部分 · the open part of a case",
    description=both(
        "不含身份、叙述和医疗内容；这些在各部分的地址下查看，并留下记录。`ETag` 是版本，供 `If-Match` 使用。",
        "Without identity, narrative and clinical content: those stand under their own addresses, whose opening is "
        "logged. `ETag` is the version, for `If-Match`.",
    ),
    responses={200: {"headers": ETAG}, **problems(404)},
)
def read_case(reader: Asked, session: Reading, number: Number) -> Response:
    file, sight = queries.look(session, number, reader.actor, reader.now)
    into = queries.number_of(session.connection, file.merged_into) if file.merged_into is not None else None
    return told(showing.the_case(session, reader, file, sight, into), headers={"ETag": etag(file.version)})


@router.get(
    "/cases/{number}/sections/{section}",
    response_model=answers.Section,
    operation_id="open_section",
    summary="查看一个部分（留痕）· open a section, which is logged",
    description=both(
        "须写明用途。谁看了什么、为什么，学校和审计员都能看到。每个含有该部分的事件一条（`seq`）；"
        "身份部分先是学生本人，其后是事件中写明的人，如签署同意书的监护人。",
        "Say what for. The school and the auditors see who opened what and why. One entry for each event that has the "
        "section (`seq`); identity begins with the student, then come those whom events name, as who signed a consent.",
    ),
    responses=problems(404),
)
def open_section(reader: Asked, session: Opening, number: Number, section: Section, purpose: Purpose) -> Response:
    entries = queries.open_section(session, number, reader.actor, section, purpose, reader.now)
    return told(answers.Section(number=number, section=section, entries=entries))
