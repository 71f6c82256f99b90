"""Accounts: logins, passwords as hashes, second factors sealed, one-time and recovery codes, identities elsewhere.

Inside the caller's transaction; nothing here verifies a password or asks the time.
"""

from __future__ import annotations

import hmac
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from cases.accounts import account, account_event, one_time_code, outer_identity, recovery_code
from cases.people import member
from cases.vault import Unreadable

if TYPE_CHECKING:
    from cases.vault import Algorithm, MasterKey

_NONCE: Final = 12
_HEADER: Final = 10
_NUMBERS: Final[dict[int, Algorithm]] = {1: "aes-256-gcm", 2: "sm4-gcm"}


@dataclass(frozen=True, slots=True)
class Account:
    """An active member's account. `totp` is sealed, and in force only when `totp_at` is set."""

    member_id: int
    login: str
    password: str | None
    must_change: bool
    totp: bytes | None
    totp_at: datetime | None
    created_at: datetime
    signed_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An active member's account as it may be shown: nothing that opens it."""

    member_id: int
    login: str
    password_at: datetime | None
    totp_at: datetime | None
    created_at: datetime
    signed_in_at: datetime | None


_COLUMNS: Final = [getattr(account.c, name) for name in Account.__slots__]
_ACCOUNTS: Final = select(*_COLUMNS).join(member, member.c.id == account.c.member_id).where(member.c.active)


def spelled(login: str) -> str:
    """A login as it is compared: full width, case and blanks around it don't matter."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def by_login(connection: Connection, login: str) -> Account | None:
    """The account of that login, if its member is in service."""
    row = connection.execute(_ACCOUNTS.where(account.c.login == spelled(login))).one_or_none()
    return None if row is None else Account(*row)


def of_member(connection: Connection, member_id: int) -> Account | None:
    """A member's account, if they have one and are in service."""
    row = connection.execute(_ACCOUNTS.where(account.c.member_id == member_id)).one_or_none()
    return None if row is None else Account(*row)


def line_of(connection: Connection, member_id: int) -> AccountLine | None:
    """A member's account to be shown, if they have one and are in service; a person's reading may ask for it."""
    columns = [getattr(account.c, name) for name in AccountLine.__slots__]
    query = select(*columns).join(member, member.c.id == account.c.member_id)
    row = connection.execute(query.where(member.c.active, account.c.member_id == member_id)).one_or_none()
    return None if row is None else AccountLine(*row)


def open_account(connection: Connection, member_id: int, login: str, now: datetime) -> bool:
    """Give a member an account; False when the login, or the member, has one already."""
    new = upsert(account).values(member_id=member_id, login=spelled(login), created_at=now).on_conflict_do_nothing()
    return connection.scalar(new.returning(account.c.member_id)) is not None


def set_password(connection: Connection, member_id: int, hashed: str, now: datetime, *, must_change: bool) -> None:
    """Put another hash in the place of the one that was."""
    values = {"password": hashed, "password_at": now, "must_change": must_change}
    connection.execute(update(account).where(account.c.member_id == member_id).values(**values))


def rehash(connection: Connection, member_id: int, hashed: str) -> None:
    """The same password under newer parameters."""
    connection.execute(update(account).where(account.c.member_id == member_id).values(password=hashed))


def signed_in(connection: Connection, member_id: int, now: datetime) -> None:
    connection.execute(update(account).where(account.c.member_id == member_id).values(signed_in_at=now))


def give_code(
    connection: Connection,
    member_id: int,
    digest: bytes,
    purpose: str,
    expires_at: datetime,
    *,
    with_totp: bool,
    by: int | None,
) -> None:
    """The member's one-time code from now on; the one before it is worth nothing any more."""
    values = {
        "digest": digest, "purpose": purpose, "with_totp": with_totp, "expires_at": expires_at, "by_member_id": by,
    }  # fmt: skip
    new = upsert(one_time_code).values(member_id=member_id, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["member_id"], set_=values))


def take_code(connection: Connection, member_id: int, digest: bytes, now: datetime) -> tuple[str, bool] | None:
    """Use up a member's one-time code: its purpose, and whether the second factor goes too. None: wrong or expired."""
    mine = one_time_code.c.member_id == member_id, one_time_code.c.digest == digest, one_time_code.c.expires_at > now
    row = connection.execute(
        delete(one_time_code).where(*mine).returning(one_time_code.c.purpose, one_time_code.c.with_totp)
    ).one_or_none()
    return None if row is None else (row.purpose, row.with_totp)


def offer_totp(connection: Connection, member_id: int, sealed: bytes) -> None:
    """Keep a secret that isn't in force yet. One that is stays."""
    waiting = account.c.member_id == member_id, account.c.totp_at.is_(None)
    connection.execute(update(account).where(*waiting).values(totp=sealed))


def confirm_totp(connection: Connection, member_id: int, now: datetime) -> bool:
    """Put the secret in force; whether it wasn't before."""
    waiting = account.c.member_id == member_id, account.c.totp_at.is_(None), account.c.totp.is_not(None)
    return connection.execute(update(account).where(*waiting).values(totp_at=now)).rowcount > 0


def drop_totp(connection: Connection, member_id: int) -> None:
    """No second factor any more, nor its recovery codes. The newest step stays: old codes don't come back."""
    connection.execute(update(account).where(account.c.member_id == member_id).values(totp=None, totp_at=None))
    connection.execute(delete(recovery_code).where(recovery_code.c.member_id == member_id))


def spend_step(connection: Connection, member_id: int, step: int) -> bool:
    """Take the code of a time step; False when that one, or a later one, was taken already."""
    newer = account.c.member_id == member_id, account.c.totp_step < step
    return connection.execute(update(account).where(*newer).values(totp_step=step)).rowcount > 0


def give_recovery(connection: Connection, member_id: int, digests: Iterable[bytes]) -> None:
    """The member's recovery codes from now on, instead of those there were."""
    connection.execute(delete(recovery_code).where(recovery_code.c.member_id == member_id))
    connection.execute(insert(recovery_code), [{"member_id": member_id, "digest": one} for one in digests])


def spend_recovery(connection: Connection, member_id: int, digest: bytes) -> bool:
    """Use up a recovery code; whether it was one."""
    mine = recovery_code.c.member_id == member_id, recovery_code.c.digest == digest
    return connection.execute(delete(recovery_code).where(*mine)).rowcount > 0


def recovery_left(connection: Connection, member_id: int) -> int:
    """How many recovery codes a member has left."""
    mine = recovery_code.c.member_id == member_id
    return int(connection.scalar(select(func.count()).select_from(recovery_code).where(mine)) or 0)


def linked(connection: Connection, issuer: str, subject: str) -> int | None:
    """The member who is known to that identity provider by that subject, if in service."""
    found: int | None = connection.scalar(
        select(outer_identity.c.member_id)
        .join(member, member.c.id == outer_identity.c.member_id)
        .where(outer_identity.c.issuer == issuer, outer_identity.c.subject == subject, member.c.active)
    )
    return found


def link(connection: Connection, issuer: str, subject: str, member_id: int, now: datetime) -> None:
    """Remember who a subject is. A link that stands stays as it is."""
    new = upsert(outer_identity).values(issuer=issuer, subject=subject, member_id=member_id, linked_at=now)
    connection.execute(new.on_conflict_do_nothing())


def is_linked(connection: Connection, issuer: str, member_id: int) -> bool:
    """Whether a member has an identity with that provider already."""
    mine = outer_identity.c.issuer == issuer, outer_identity.c.member_id == member_id
    return connection.scalar(select(outer_identity.c.subject).where(*mine).limit(1)) is not None


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that was done to an account: when, what, by whom (None: the command line), from which network."""

    at: datetime
    what: str
    by_member_id: int | None
    address: str


def note(connection: Connection, member_id: int, what: str, at: datetime, *, by: int | None, address: str = "") -> None:
    """Write down what was done to an account; `what` is a code."""
    values = {"member_id": member_id, "what": what, "at": at, "by_member_id": by, "address": address}
    connection.execute(insert(account_event).values(**values))


def noted(connection: Connection, member_id: int, limit: int = 100) -> list[Noted]:
    """What was done to a member's account, the newest first."""
    columns = (getattr(account_event.c, name) for name in Noted.__slots__)
    mine = select(*columns).where(account_event.c.member_id == member_id)
    return [Noted(*row) for row in connection.execute(mine.order_by(account_event.c.id.desc()).limit(limit))]


def seal(master: MasterKey, algorithm: Algorithm, place: str, payload: bytes) -> bytes:
    """Encrypt what signing in must read again, for one place (`totp|12`)."""
    key = master.accounts[algorithm]
    nonce = os.urandom(_NONCE)
    return key.header + nonce + key.encrypt(nonce, payload, place.encode() + key.header)


def unseal(master: MasterKey, place: str, blob: bytes) -> bytes:
    """Raises Unreadable: altered, from another place, or another master key's."""
    algorithm = _NUMBERS.get(blob[1]) if len(blob) > _HEADER + _NONCE else None
    if algorithm is None:
        raise Unreadable(place=place, section="account", why="malformed")
    key = master.accounts[algorithm]
    header, nonce, body = blob[:_HEADER], blob[_HEADER : _HEADER + _NONCE], blob[_HEADER + _NONCE :]
    if not hmac.compare_digest(header, key.header):
        raise Unreadable(place=place, section="account", why="wrong_key")
    try:
        return key.decrypt(nonce, body, place.encode() + header)
    except InvalidTag:
        raise Unreadable(place=place, section="account", why="altered_or_moved") from None
