"""OpenAPI's side of a route: what it may be answered with, what its body looks like, in both languages."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field

from api.rest.shapes import example_of, schema_of_form
from cases.refusal import CODES
from cases.track import Move

Responses = dict[int | str, dict[str, Any]]


class ProblemFault(BaseModel):
    """One faulty field."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457, in the reader's language. `code` never changes with it; `who_can` are the roles that could do it."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    instance: str | None = None
    request_id: str | None = None
    faults: list[ProblemFault] = Field(default_factory=list)
    who_can: list[str] = Field(default_factory=list)


_SAID: Final = {
    400: "请求无法读取 · the request can't be read",
    401: "未登录 · nobody is signed in",
    403: "没有这项权限 · not permitted",
    404: "没有，或者您看不到 · there is none, or none that you may know of",
    409: "状态或条件不允许 · its state, or a condition, doesn't allow it",
    412: "已被他人改动（If-Match） · somebody has moved it since (If-Match)",
    413: "内容太大 · the body is too large",
    415: "不是 JSON · the body isn't JSON",
    422: "填写的内容有误 · the request has faults, field by field",
    429: "请求太多 · too many requests",
    503: "数据库暂时不可用 · the database is away for the moment",
}


def problems(*statuses: int) -> Responses:
    """These problems, and those that every route may answer."""
    if 413 in statuses:
        statuses = (*statuses, 400, 415)
    return {
        status: {
            "description": _SAID[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({401, 403, 422, 503, *statuses})
    }


ETAG: Final = {"ETag": {"description": "个案版本 · the version of the case", "schema": {"type": "string"}}}
_MOVED: Final = {
    **ETAG,
    "Idempotency-Replayed": {
        "description": "原答复 · this is the answer of the first time",
        "schema": {"type": "string", "const": "true"},
    },
}
LINK: Final = {"Link": {"description": "下一页 · the next page (RFC 8288)", "schema": {"type": "string"}}}


def both(chinese: str, english: str) -> str:
    """One description in both languages."""
    return f"{chinese}\n\n{english}"


def of_move(move: Move, *, created: bool) -> Responses:
    """What pulling a trigger may be answered with."""
    codes = sorted(set(move.wrong_state.values()) | {"wrong_state", "conflict"})
    found = problems(404, 409, 412, 413)
    found[409]["description"] += ": " + ", ".join(f"`{code}`" for code in codes)
    return {201 if created else 200: {"description": "已办 · done", "headers": _MOVED}, **found}


def body_of(move: Move) -> dict[str, Any]:
    """The request body of a trigger, with an example in each language."""
    required = any(one.required for one in move.form.fields)
    return {
        "requestBody": {
            "required": required,
            "content": {
                "application/json": {
                    "schema": schema_of_form(move.form),
                    "examples": {
                        language: {"summary": summary, "value": example_of(move.form, language)}
                        for language, summary in (("zh_CN", "中文"), ("en", "English"))
                    },
                }
            },
        }
    }


def body_like(model: type[BaseModel], chinese: dict[str, Any], english: dict[str, Any]) -> dict[str, Any]:
    """The request body of a model, with an example in each language."""
    schema = model.model_json_schema()
    examples = {"zh_CN": {"summary": "中文", "value": chinese}, "en": {"summary": "English", "value": english}}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "examples": examples}},
        }
    }


def told_codes() -> str:
    """Every refusal code with its text, as a table for the head of the document."""
    rows = [f"| `{code}` | {chinese} | {english} |" for code, (chinese, english) in CODES.items()]
    return "\n".join(["| code | 中文 | English |", "|---|---|---|", *rows])
