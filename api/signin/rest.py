"""`/api/v1/signin` and `/api/v1/me`: coming in, one's own sessions, second factor and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import tongue
from api.asked import Asked, HalfSignedIn, Reading, TheHouse, Writing, from_here
from api.given import LINE
from api.signin import cookies, entering, scopes, stages
from api.signin.entering import Entered
from api.signin.faults import SignInFault
from api.signin.visiting import visitor
from cases import credentials, standing
from cases.refusal import Refusal

router = APIRouter(tags=["sign-in"])

Login = Annotated[str, Field(min_length=1, max_length=64, pattern=LINE, examples=["wang.fang"])]
Password = Annotated[str, Field(min_length=1, max_length=256, pattern=LINE, examples=["correct horse battery"])]
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=LINE, examples=["123456"])]
SessionId = Annotated[UUID, Path(description="会话 · the session")]

_SAID: Final = {
    401: "未登录，或凭据不对 · nobody is signed in, or what was shown isn't right",
    403: "没有这项权限 · not permitted",
    404: "没有，或者您看不到 · there is none, or none that you may know of",
    409: "现状不允许 · what is doesn't allow it",
    422: "填写的内容有误 · the request has faults",
    429: "失败太多，请稍后 · too many failures: wait",
    503: "数据库暂时不可用 · the database is away for the moment",
}


def may(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer, with those that every route may."""
    return {status: {"description": _SAID[status]} for status in sorted({401, 403, 422, 429, 503, *statuses})}


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SignIn(Given):
    """Name and password; with `code` the second factor at once."""

    login: Login
    password: Password
    code: Code | None = None


class FactorCode(Given):
    code: Code


class NewPassword(Given):
    old: Password
    new: Password


class Redeemed(Given):
    """A one-time code from an administrator, and the password that it buys."""

    login: Login
    code: Code
    password: Password


class Stage(BaseModel):
    """How far somebody has come in. `csrf` goes along as X-CSRF-Token with whatever changes something."""

    stage: Literal["signed_in", "code_needed", "enrolment_needed", "change_needed"]
    csrf: str
    recovery_codes: list[str] = []


class EnrolmentShown(BaseModel):
    """What an authenticator application needs; shown until its first code was entered."""

    secret: str
    address: str


class PostHeld(BaseModel):
    role: str
    organisation: int
    school: int | None


class Place(BaseModel):
    id: int
    code: str
    kind: str
    name: str


class Me(BaseModel):
    id: int
    name: str
    organisation: Place
    posts: list[PostHeld]
    language: Literal["zh_CN", "en"]
    via: Literal["session", "token"]
    scopes: list[str]
    stage: str
    second_factor: bool
    csrf: str | None


class VisitShown(BaseModel):
    """One of one's sessions: which network and which browser, never more."""

    id: UUID
    present: bool
    via: Literal["password", "oidc"]
    strong: bool
    created: datetime
    seen: datetime
    expires: datetime
    address: str
    agent: str


class NotedShown(BaseModel):
    """What was done to one's account; `by` is empty for the command line."""

    at: datetime
    what: str
    by: int | None
    address: str


def stage_of(request: Request, house: TheHouse, entered: Entered, codes: list[str] | None = None) -> Stage:
    """Hand the session's secret over as a cookie, and say how far that goes."""
    cookies.set_session(request, house.settings, entered.opened.secret)
    return Stage(
        stage=entered.missing or "signed_in",  # type: ignore[arg-type]  # one of the four, by stages.missing_for
        csrf=entered.opened.csrf,
        recovery_codes=codes or [],
    )


@router.post("/signin", operation_id="sign_in", summary="登录 · sign in", responses=may())
def sign_in(request: Request, house: TheHouse, given: SignIn) -> Stage:
    """Opens a session, whose secret travels as a cookie that no script can read."""
    _from_here(request, house)
    request.state.language = tongue.language(request, house.settings)
    knocking = visitor(request, house)
    entered = entering.enter(house, given.login, given.password, knocking)
    if given.code is not None and entered.missing == "code_needed":
        entered = entering.with_code(house, entered, given.code, knocking)
    return stage_of(request, house, entered)


@router.post(
    "/signin/code", operation_id="show_second_factor", summary="动态验证码 · second factor", responses=may(409)
)
def show_second_factor(request: Request, house: TheHouse, reader: HalfSignedIn, given: FactorCode) -> Stage:
    """A code of the authenticator application, or one of the recovery codes. No code is taken twice."""
    return stage_of(request, house, entering.second_factor(house, reader.standing, given.code, visitor(request, house)))


@router.get("/signin/enrolment", operation_id="enrolment", summary="设置验证码 · set up", responses=may(409))
def enrolment(house: TheHouse, reader: HalfSignedIn) -> EnrolmentShown:
    shown = entering.enrolment(house, reader)
    return EnrolmentShown(secret=shown.secret, address=shown.address)


@router.post("/signin/enrolment", operation_id="enrol", summary="启用验证码 · put it in force", responses=may(409))
def enrol(request: Request, house: TheHouse, reader: HalfSignedIn, given: FactorCode) -> Stage:
    """Every other session ends. The recovery codes are shown this once."""
    entered, codes = entering.enrol(house, reader, given.code, visitor(request, house))
    return stage_of(request, house, entered, codes)


@router.post(
    "/signin/one-time", operation_id="redeem", summary="首次或找回口令 · first or lost password", responses=may()
)
def redeem(request: Request, house: TheHouse, given: Redeemed) -> Stage:
    """A weak password is refused and leaves the code good."""
    _from_here(request, house)
    knocking = visitor(request, house)
    return stage_of(request, house, entering.redeem(house, given.login, given.code, given.password, knocking))


@router.delete("/signin", operation_id="sign_out", summary="退出 · sign out", status_code=204, responses=may())
def sign_out(request: Request, house: TheHouse, reader: HalfSignedIn) -> Response:
    entering.leave(house, reader)
    cookies.drop(request, house.settings, cookies.SESSION)
    return Response(status_code=204)


@router.get("/me", operation_id="me", summary="我是谁 · who am I", responses=may())
def me(house: TheHouse, reader: HalfSignedIn) -> Me:
    """Whoever asks, with the posts held now. A session that lacks a step says which."""
    place = reader.member.organisation
    missing = stages.missing(reader.actor, reader.standing, house) if reader.via == "session" else None
    return Me(
        id=reader.member.id,
        name=reader.member.name,
        organisation=Place(id=place.id, code=place.code, kind=place.kind, name=place.name),
        posts=[
            PostHeld(role=one.role, organisation=one.organisation_id, school=one.school_id)
            for one in reader.actor.posts
        ],
        language=reader.language,  # type: ignore[arg-type]  # one of the two, by api.tongue
        via=reader.via,
        scopes=sorted(reader.scopes) if reader.via == "token" else list(scopes.SCOPES),
        stage=missing or "signed_in",
        second_factor=reader.standing.second_factor,
        csrf=reader.csrf or None,
    )


@router.post("/me/password", operation_id="change_password", summary="改口令 · change password", responses=may(409))
def change_password(request: Request, house: TheHouse, reader: HalfSignedIn, given: NewPassword) -> Stage:
    """Every other session ends, and this one goes on under another secret."""
    if stages.missing(reader.actor, reader.standing, house) in {"code_needed", "enrolment_needed"}:
        raise SignInFault("code_needed")
    entered = entering.change_password(house, reader, given.old, given.new, visitor(request, house))
    return stage_of(request, house, entered)


@router.post(
    "/me/recovery-codes", operation_id="draw_recovery_codes", summary="恢复代码 · recovery codes", responses=may(409)
)
def draw_recovery_codes(reader: Asked, session: Writing) -> list[str]:
    """New ones instead of those there were, shown this once."""
    if not reader.standing.second_factor:
        raise SignInFault("no_second_factor")
    credentials.note(session.connection, reader.member.id, "recovery_codes", reader.now, by=reader.member.id)
    return entering.recovery_codes(session.connection, reader.member.id)


@router.get("/me/sessions", operation_id="my_sessions", summary="我的登录 · my sessions", responses=may())
def my_sessions(reader: Asked, session: Reading) -> list[VisitShown]:
    return [
        VisitShown(
            id=one.id, present=str(one.id) == reader.session_id, via=one.via,  # type: ignore[arg-type]  # the column's check
            strong=one.strong, created=one.created_at, seen=one.seen_at, expires=one.expires_at, address=one.address,
            agent=one.agent,
        )
        for one in standing.visits(session.connection, reader.member.id, reader.now)
    ]  # fmt: skip


@router.delete(
    "/me/sessions/{id}", operation_id="end_session", summary="结束一个登录 · end one", status_code=204,
    responses=may(404),
)  # fmt: skip
def end_session(id: SessionId, reader: Asked, session: Writing) -> Response:  # noqa: A002 - the path's own word
    if not standing.revoke(session.connection, id, reader.now, reader.member.id):
        raise Refusal("not_found")
    return Response(status_code=204)


@router.delete(
    "/me/sessions", operation_id="end_other_sessions", summary="结束其他登录 · end all others", responses=may()
)
def end_other_sessions(reader: Asked, session: Writing) -> dict[str, int]:
    ended = standing.revoke_all(session.connection, reader.member.id, reader.now, but=reader.standing.id)
    return {"ended": ended}


@router.get("/me/events", operation_id="my_account_events", summary="账号记录 · my account's events", responses=may())
def my_account_events(reader: Asked, session: Reading) -> list[NotedShown]:
    return [
        NotedShown(at=one.at, what=one.what, by=one.by_member_id, address=one.address)
        for one in credentials.noted(session.connection, reader.member.id)
    ]


def _from_here(request: Request, house: TheHouse) -> None:
    """Nobody is signed in by another site's form."""
    if not from_here(request, house):
        raise SignInFault("forged")
