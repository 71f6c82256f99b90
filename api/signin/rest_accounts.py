"""`/api/v1/tokens` and `/api/v1/accounts`: one's own tokens, and what an admin does with accounts of theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from api.asked import Asked, Reader, Reading, TheHouse, Writing
from api.given import PRINTED
from api.signin import oversight
from api.signin.rest import Given, Login, may
from cases import credentials, standing
from cases.office import Session
from cases.refusal import Refusal

router = APIRouter(tags=["sign-in"])

MemberId = Annotated[int, Path(gt=0, lt=2**53, description="人员 · the member")]


class NewToken(Given):
    """A token for a system: for whom (oneself by default), for what, for how many days."""

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=PRINTED, examples=["HIS interface"])]
    scopes: Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=20)] = Field(
        examples=[["fhir:read", "fhir:write"]]
    )
    days: Annotated[int, Field(ge=1, le=oversight.TOKEN_DAYS)] = 90
    member: Annotated[int, Field(gt=0, lt=2**53)] | None = None


class TokenShown(BaseModel):
    id: UUID
    member: int
    name: str
    scopes: list[str]
    created: datetime
    expires: datetime
    used: datetime | None
    revoked: datetime | None


class TokenDrawn(BaseModel):
    """The secret is shown this once and kept nowhere."""

    id: UUID
    token: str
    expires: datetime


class NewAccount(Given):
    login: Login


class Reset(Given):
    """`second_factor`: the telephone is lost, a new one is to be set up."""

    second_factor: bool = False


class OneTimeShown(BaseModel):
    """A one-time code, to be handed over in person; shown this once."""

    login: str
    code: str
    expires: datetime


class AccountShown(BaseModel):
    member: int
    login: str
    has_password: bool
    second_factor: bool
    created: datetime
    signed_in: datetime | None
    sessions: int


@router.get("/tokens", operation_id="list_tokens", summary="令牌 · tokens", responses=may(404))
def list_tokens(
    reader: Asked, session: Reading, member: Annotated[int | None, Query(gt=0, lt=2**53)] = None
) -> list[TokenShown]:
    """One's own, or those of a member whose admin one is."""
    whose = reader.member.id if member is None else member
    _own_or_governed(session, reader, whose)
    return [
        TokenShown(
            id=one.id, member=one.member_id, name=one.name, scopes=list(one.scopes), created=one.created_at,
            expires=one.expires_at, used=one.used_at, revoked=one.revoked_at,
        )
        for one in standing.tokens(session.connection, whose)
    ]  # fmt: skip


@router.post(
    "/tokens", operation_id="draw_token", summary="发令牌 · draw a token", status_code=201, responses=may(404, 409)
)
def draw_token(given: NewToken, reader: Asked, session: Writing) -> TokenDrawn:
    """For oneself, or by an admin for a member who never signs in: a system."""
    whose = reader.member.id if given.member is None else given.member
    _own_or_governed(session, reader, whose)
    number, secret, expires = oversight.draw_token(
        session.connection, whose, given.name, given.scopes, given.days, reader.now, reader.member.id
    )
    return TokenDrawn(id=number, token=secret, expires=expires)


@router.delete(
    "/tokens/{id}", operation_id="revoke_token", summary="收回令牌 · revoke a token", status_code=204,
    responses=may(404),
)  # fmt: skip
def revoke_token(id: UUID, reader: Asked, session: Writing) -> Response:  # noqa: A002 - the path's own word
    owner = standing.token_owner(session.connection, id)
    if owner is None:
        raise Refusal("not_found")
    if owner != reader.member.id and not _governs(session, reader, owner):
        raise Refusal("not_found")
    if not standing.revoke_token(session.connection, id, reader.now):
        raise Refusal("not_found")
    credentials.note(session.connection, owner, "token_revoked", reader.now, by=reader.member.id)
    return Response(status_code=204)


@router.get("/accounts/{member}", operation_id="read_account", summary="账号 · an account", responses=may(404))
def read_account(member: MemberId, reader: Asked, session: Reading) -> AccountShown:
    _governed(session, reader, member)
    account = credentials.line_of(session.connection, member)
    if account is None:
        raise Refusal("not_found")
    return AccountShown(
        member=member,
        login=account.login,
        has_password=account.password_at is not None,
        second_factor=account.totp_at is not None,
        created=account.created_at,
        signed_in=account.signed_in_at,
        sessions=len(standing.visits(session.connection, member, reader.now)),
    )


@router.post(
    "/accounts/{member}", operation_id="open_account", summary="开账号 · open an account", status_code=201,
    responses=may(404, 409),
)  # fmt: skip
def open_account(member: MemberId, given: NewAccount, reader: Asked, session: Writing) -> OneTimeShown:
    """Answers the one-time code for the first password. The member's tokens, if any, end with it."""
    _governed(session, reader, member)
    return _shown(oversight.open_account(session.connection, member, given.login, reader.now, reader.member.id))


@router.post("/accounts/{member}/reset", operation_id="reset_account", summary="重置 · reset", responses=may(404, 409))
def reset_account(member: MemberId, given: Reset, reader: Asked, house: TheHouse, session: Writing) -> OneTimeShown:
    """Answers a one-time code for another password; nothing else changes before it is used."""
    _governed(session, reader, member)
    return _shown(
        oversight.reset(
            session.connection, house.kept.master, member, reader.now, reader.member.id, with_totp=given.second_factor
        )
    )


@router.delete(
    "/accounts/{member}/sessions", operation_id="end_members_sessions", summary="结束其全部登录 · end all sessions",
    responses=may(404),
)  # fmt: skip
def end_members_sessions(member: MemberId, reader: Asked, session: Writing) -> dict[str, int]:
    """The tokens end too."""
    _governed(session, reader, member)
    return {"ended": oversight.end_everything(session.connection, member, reader.now, reader.member.id)}


def _governs(session: Session, reader: Reader, member: int) -> bool:
    return oversight.governed(session.connection, session.office.directory, reader.actor, member, reader.now)


def _governed(session: Session, reader: Reader, member: int) -> None:
    oversight.may_govern(session.connection, session.office.directory, reader.actor, member, reader.now)


def _own_or_governed(session: Session, reader: Reader, member: int) -> None:
    if member != reader.member.id:
        _governed(session, reader, member)


def _shown(drawn: oversight.OneTime) -> OneTimeShown:
    return OneTimeShown(login=drawn.login, code=drawn.code, expires=drawn.expires_at)
