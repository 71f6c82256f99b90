"""A member's own messages, and that they have read them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.asked import Asked, Reading, Writing
from api.given import Id
from api.rest import answers
from api.rest.asking import Cursor, Most, next_page, page_headers, told
from api.rest.bodies import LINK, both, problems
from cases import told as letters

router = APIRouter(tags=["messages"])


@router.get(
    "/messages",
    response_model=answers.PageOf[answers.MessageLine],
    operation_id="list_messages",
    summary="您的消息 · your messages",
    description=both("消息里没有姓名、学校和案情。", "A message carries no name, no school and no fact."),
    responses={200: {"headers": LINK}, **problems()},
)
def list_messages(
    request: Request, reader: Asked, session: Reading, *, unread: bool = False, cursor: Cursor = None, limit: Most = 50
) -> Response:
    page = letters.messages(session.connection, reader.actor.member_id, unread=unread, cursor=cursor, most=limit)
    following = next_page(request, page.next)
    items = [answers.MessageLine.model_validate(one) for one in page.items]
    return told(answers.PageOf[answers.MessageLine](items=items, next=following), headers=page_headers(following))


@router.post(
    "/messages/{number}/read",
    response_model=answers.Entered,
    operation_id="read_message",
    summary="标为已读 · mark one as read",
    responses=problems(404),
)
def read_message(reader: Asked, session: Writing, number: Id) -> Response:
    letters.read(session.connection, reader.actor.member_id, number, reader.now)
    return told(answers.Entered(id=number))
