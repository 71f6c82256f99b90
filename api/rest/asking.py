"""What a request brings besides its path: a JSON body, the version it was written for, a key, a page; and answers.

Bodies are read by our own hand, strictly: FastAPI's reader takes NaN and halves of characters, which no text column
takes, and would look at a form before anybody has asked whether the reader may know of the case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

import orjson
from fastapi import Depends, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from api.asked import Reader
from api.given import keepable_json
from cases import asked_twice
from cases.asked_twice import Answer
from cases.forms import NUMBER as FORM_OF_NUMBER
from cases.office import Session

NUMBER: Final = FORM_OF_NUMBER.pattern
_ETAG: Final = re.compile(r'"(\d{1,9})"')

Number = Annotated[str, Path(pattern=NUMBER, max_length=24, description="个案编号 · the number of the case",
                             examples=["WH-2026-000123"])]  # fmt: skip
Cursor = Annotated[str | None, Query(max_length=200, pattern=r"^[A-Za-z0-9_-]+$",
                                     description="上一页给出的游标 · the cursor that the last page gave")]  # fmt: skip
Most = Annotated[int, Query(ge=1, le=100, description="每页条数 · lines of a page")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="同一键的同一请求只执行一次，二十四小时内返回原答复 · the same request with the same key is done "
        "once and answered alike for 24 hours",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=100,
        description="打开页面时的版本（ETag）；已被他人改动则 412 · the version you had on the screen (ETag); 412 when "
        "somebody has moved the case since",
    ),
]


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a request, strictly read; an empty body is an empty form."""
    raw = await request.body()
    if not raw:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise HTTPException(415)
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise HTTPException(400) from None
    if not isinstance(found, dict):
        raise RequestValidationError([{"type": "dict_type", "loc": ("body",), "msg": "", "input": None}])
    keepable_json(found)
    return found


Body = Annotated[dict[str, Any], Depends(_body)]


M = TypeVar("M", bound=BaseModel)


def written(model: type[M], body: Mapping[str, Any]) -> M:
    """A body as that model, every type taken at its word. Raises RequestValidationError with every fault."""
    try:
        return model.model_validate_json(orjson.dumps(body))
    except ValidationError as fault:
        errors = fault.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in errors]) from None


def version_of(if_match: str | None) -> int | None:
    """The version that an `If-Match` asks for; None for none and for `*`. One that no version has matches nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    return int(found[1]) if found else -1


def etag(version: int) -> str:
    """The version of a case as an entity tag."""
    return f'"{version}"'


def told(answer: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as JSON."""
    return Response(answer.model_dump_json(by_alias=True), status, dict(headers or {}), "application/json")


def once(
    request: Request,
    session: Session,
    reader: Reader,
    key: str | None,
    said: object,
    act: Callable[[], tuple[int, BaseModel, dict[str, str]]],
) -> Response:
    """Do what is asked, or answer what the same request with the same key was answered before.

    `said` is whatever makes the request what it is beside its path: body and version.
    """
    if key is None:
        status, answer, headers = act()
        return told(answer, status, headers)
    asked = orjson.dumps(
        [request.method, request.url.path, said], option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    )
    held = asked_twice.claim(session, reader.actor.member_id, key, asked, reader.now)
    if isinstance(held, Answer):
        again = {**held.headers, "Idempotency-Replayed": "true"}
        return Response(orjson.dumps(held.body), held.status, again, "application/json")
    status, answer, headers = act()
    asked_twice.keep(session, held, Answer(status, answer.model_dump(mode="json", by_alias=True), headers))
    return told(answer, status, headers)


def next_page(request: Request, after: str | None) -> str | None:
    """The address of the next page, with the same filters."""
    if after is None:
        return None
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*kept, ('cursor', after)])}"


def page_headers(following: str | None) -> dict[str, str]:
    """The same as a `Link` header (RFC 8288)."""
    return {} if following is None else {"Link": f'<{following}>; rel="next"'}
