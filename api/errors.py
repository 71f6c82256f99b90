"""What went wrong, as an answer: a problem (RFC 9457) under /api, an OperationOutcome under /fhir, a page elsewhere.

The only place that knows which refusal is which status. Nothing of an exception's own text leaves the house.
"""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api import problem_words as words
from api.signin.faults import SignedOut, SignInFault
from api.signin.scopes import under
from api.tongue import language
from cases.directory_fault import DirectoryFault
from cases.refusal import CODES, Refusal
from cases.store_fault import StoreFault
from cases.vault import Unreadable, VaultFault

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

_log = logging.getLogger(__name__)

STATUS_OF: Final[Mapping[str, int]] = {
    "not_found": 404, "not_permitted": 403, "invalid": 422, "unlawful": 403, "conflict": 409,
    "signed_out": 401, "code_needed": 401, "enrolment_needed": 401, "change_needed": 401, "wrong_password": 401,
    "wrong_code": 401, "wrong_one_time_code": 401, "weak_password": 422, "passwords_differ": 422, "too_many": 429,
    "forged": 403,
    "out_of_scope": 403, "session_only": 403, "login_taken": 409, "bad_login": 422, "has_account": 409,
    "no_account": 409, "no_second_factor": 409, "unknown_scope": 422, "bad_expiry": 422, "oidc_off": 404,
    "oidc_away": 503, "oidc_refused": 401, "oidc_unknown": 403,
}  # fmt: skip
"""Refusals of the engine and of signing in; whatever isn't here is 409."""
_STAGE_PAGES: Final = {
    "signed_out": "/sign-in",
    "code_needed": "/sign-in/code",
    "enrolment_needed": "/sign-in/enrol",
    "change_needed": "/sign-in/change",
}
_FHIR_CODES: Final = {
    400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 409: "conflict",
    412: "conflict", 413: "too-long", 422: "processing", 429: "throttled", 503: "transient",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One faulty field."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, in the reader's language. `detail` never quotes what was sent."""

    status: int
    code: str
    title: str
    detail: str
    language: str
    instance: str
    request_id: str
    faults: tuple[Fault, ...] = ()
    who_can: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def more(self) -> str:
        """What the detail says beyond the title: a page has the title over it already."""
        return self.detail.removeprefix(self.title).lstrip("。. ")

    def body(self) -> dict[str, Any]:
        """As RFC 9457 has it, with our own members beside."""
        shown: dict[str, Any] = {
            "type": f"urn:whistle:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": self.instance,
            "code": self.code,
            "request_id": self.request_id,
        }
        if self.faults:
            shown["faults"] = [{"field": one.field, "code": one.code, "message": one.message} for one in self.faults]
        if self.who_can:
            shown["who_can"] = list(self.who_can)
        return shown


def install(app: FastAPI) -> None:
    """Have every fault answered by `answer`."""
    for kind in (
        Refusal, SignInFault, StoreFault, VaultFault, DirectoryFault, RequestValidationError, HTTPException,
    ):  # fmt: skip
        app.add_exception_handler(kind, answer)


async def answer(request: Request, error: Exception) -> Response:
    """The answer for an error, in the form that the path's readers expect."""
    problem = problem_of(request, error)
    if problem.status >= 500:
        _log.error("a request failed", extra={"code": problem.code, "status": problem.status}, exc_info=error)
    path = request.url.path
    if under(path, ("/fhir",)):
        return outcome(problem)
    if under(path, ("/api", "/health", "/metrics")):
        return _json(problem.body(), problem, "application/problem+json")
    from api import pages

    if isinstance(error, SignedOut):
        return _to_sign_in(request, error.code, await pages.rescued(request))
    if isinstance(error, SignInFault) and error.code == "forged" and (there := await pages.rescued(request)):
        # Their own page of a session that is over: the form is asked for again, with what was typed in it.
        return RedirectResponse(there, 303)
    page = getattr(pages, "problem", None)
    shown: Response = plain_page(problem) if page is None else page(request, problem)
    return shown


def problem_of(request: Request, error: Exception) -> Problem:
    """The problem that an error amounts to."""
    house = request.app.state.house
    spoken = getattr(request.state, "language", None) or language(request, house.settings)
    common = {
        "language": spoken,
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", ""),
    }
    match error:
        case Refusal():
            return _of_refusal(request, error, spoken, common)
        case SignInFault():
            status = STATUS_OF.get(error.code, 409)
            headers = {"Retry-After": error.facts.get("seconds", "60")} if status in {429, 503} else {}
            if status == 401:
                headers = {"WWW-Authenticate": "Bearer"}
            return _said(status, error.code, error.text(spoken), common, headers=headers)
        case StoreFault():
            wait = {"Retry-After": "2" if error.code == "busy" else "10"}
            return _said(503, f"store_{error.code}", words.of_status(503, spoken), common, headers=wait)
        case Unreadable():
            # A student who was forgotten, or a row that somebody changed: neither is the reader's fault.
            return _said(410, error.code, error.text[spoken], common)
        case VaultFault():
            return _said(503, error.code, words.of_status(503, spoken), common, headers={"Retry-After": "60"})
        case DirectoryFault():
            return _said(422, error.code, error.text(spoken), common)
        case RequestValidationError():
            return _of_validation(error, spoken, common)
        case HTTPException():
            headers = dict(error.headers or {})
            return _said(
                error.status_code, _name(error.status_code), words.of_status(error.status_code, spoken), common,
                headers=headers,
            )  # fmt: skip
        case _:
            return _said(500, "internal", words.of_status(500, spoken), common)


def outcome(problem: Problem) -> Response:
    """An OperationOutcome, as FHIR's clients expect it."""
    kind = _FHIR_CODES.get(problem.status, "exception" if problem.status >= 500 else "processing")
    issues: list[dict[str, Any]] = [
        {
            "severity": "error",
            "code": kind,
            "details": {"coding": [{"system": "urn:whistle:problem", "code": problem.code}], "text": problem.title},
            "diagnostics": f"{problem.detail} [{problem.request_id}]",
        }
    ]
    issues += [
        {"severity": "error", "code": "invalid", "diagnostics": one.message, "expression": [one.field]}
        for one in problem.faults
        if one.field
    ]
    return _json({"resourceType": "OperationOutcome", "issue": issues}, problem, "application/fhir+json")


def plain_page(problem: Problem) -> Response:
    """A page that needs no template."""
    back = "返回首页" if problem.language == "zh_CN" else "Back to the start"
    title, detail = html.escape(problem.title), html.escape(problem.detail)
    text = (
        f'<!doctype html><html lang="{problem.language.replace("_", "-")}"><meta charset="utf-8">'
        f"<title>{title}</title><main><h1>{title}</h1><p>{detail}</p>"
        f'<p><a href="/">{back}</a></p><p><small>{html.escape(problem.request_id)}</small></p></main></html>'
    )
    return HTMLResponse(text, problem.status, headers=dict(problem.headers))


_OF_A_CASE: Final = re.compile(r"(/api/v1)?/cases/.")
"""Elsewhere there is no case in which somebody could have no right."""


def _of_refusal(request: Request, refusal: Refusal, spoken: str, common: dict[str, Any]) -> Problem:
    place = 0 if spoken == "zh_CN" else 1
    status = STATUS_OF.get(refusal.code, 409)
    if refusal.code == "conflict" and "if-match" in request.headers:
        status = 412
    texts = CODES.get(refusal.code)
    if refusal.code == "not_permitted" and not _OF_A_CASE.match(request.url.path):
        texts = ("您没有这项权限", "you have no right to do this")
    title = texts[place] if texts is not None else words.of_status(status, spoken)
    faults = tuple(Fault(one.name, one.code, words.of_field(one.code, one.facts, spoken)) for one in refusal.faults)
    title = words.sentence(title, spoken)
    said = [title]
    if refusal.article is not None:
        said.append(words.sentence(refusal.article[place], spoken))
    if refusal.who_can:
        roles = words.of_roles(refusal.who_can, spoken)
        said.append(f"可以办理的有：{roles}" if place == 0 else f"It can be done by: {roles}")
    detail = ("。" if place == 0 else ". ").join(said)
    return Problem(
        status, refusal.code, title, detail, **common, faults=faults, who_can=tuple(refusal.who_can),
        facts=refusal.facts,
    )  # fmt: skip


_KINDS: Final = {
    "missing": "missing", "extra_forbidden": "unknown", "literal_error": "not_a_choice", "enum": "not_a_choice",
    "string_too_long": "too_long", "string_too_short": "missing", "greater_than_equal": "too_small",
    "greater_than": "too_small", "less_than_equal": "too_large", "less_than": "too_large", "too_long": "too_many",
    "too_short": "missing",
}  # fmt: skip


def _of_validation(error: RequestValidationError, spoken: str, common: dict[str, Any]) -> Problem:
    found = []
    for one in error.errors():
        where = ".".join(str(step) for step in one["loc"][1:]) or str(one["loc"][0] if one["loc"] else "")
        kind = str(one["type"])
        code = _KINDS.get(kind) or ("not_a_date" if kind.startswith(("date", "time")) else "wrong_form")
        facts = {name: str(value) for name, value in one.get("ctx", {}).items() if name != "error"}
        found.append(Fault(where, code, words.of_field(code, facts, spoken)))
    said = words.sentence(words.of_status(422, spoken), spoken)
    return Problem(422, "invalid", said, said, **common, faults=tuple(found))


def _said(
    status: int, code: str, text: str, common: dict[str, Any], headers: Mapping[str, str] | None = None
) -> Problem:
    text = words.sentence(text, common["language"])
    return Problem(status, code, text, text, **common, headers=headers or {})


def _name(status: int) -> str:
    names = {
        400: "bad_request", 401: "signed_out", 403: "not_permitted", 404: "not_found", 405: "wrong_method",
        406: "wrong_form", 413: "too_large", 415: "wrong_type", 421: "wrong_host", 429: "too_many",
    }  # fmt: skip
    return names.get(status, f"http_{status}")


def _json(body: dict[str, Any], problem: Problem, kind: str) -> Response:
    text = json.dumps(body, ensure_ascii=False)
    headers = {"Content-Language": problem.language.replace("_", "-"), **problem.headers}
    return Response(text, problem.status, headers, media_type=kind)


def _to_sign_in(request: Request, code: str, rescued: str) -> Response:
    """To the page where the missing step is made, and back again afterwards: to what was typed, where that was kept."""
    where = _STAGE_PAGES[code]
    asked = rescued
    if request.method in {"GET", "HEAD"} and request.url.path != "/":
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if asked:
        where += f"?next={quote(asked, safe='')}"
    if "hx-request" in request.headers:
        # A fragment's place is no place for a sign-in page: the whole window goes there.
        return Response(status_code=401, headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)
