"""What an admin does with the accounts of their jurisdiction: open them, reset them, end sessions, give out tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from api.signin import scopes, totp
from api.signin.faults import SignInFault
from cases import credentials, standing, throttle, ways_in
from cases.directory import Directory
from cases.directory_fault import DirectoryFault
from cases.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from cases.standing import Transaction
    from cases.vault import MasterKey
    from cases.who import Actor, Organisation

FIRST_FOR: Final = timedelta(days=7)
RECOVERY_FOR: Final = timedelta(hours=24)
TOKEN_DAYS: Final = 366
_LOGIN: Final = re.compile(r"[\w.@-]{2,64}")


@dataclass(frozen=True, slots=True)
class OneTime:
    """A one-time code, shown this once to be handed over in person."""

    login: str
    code: str
    expires_at: datetime


def governed(connection: Transaction, directory: Directory, admin: Actor, member_id: int, now: datetime) -> bool:
    """Whether a member belongs, with everything they hold, to where that admin is one.

    An admin of a district has its organisations, one of a city has all; nobody who holds a post further up.
    """
    ruled = {post.organisation_id for post in admin.posts if post.role == "admin"}
    if not ruled:
        return False
    try:
        member = directory.member(connection, member_id, now)
        places = {member.organisation_id, *(post.organisation_id for post in member.posts)}
        return all(_within(directory.organisation(connection, one), ruled) for one in places)
    except DirectoryFault:
        return False


def may_govern(connection: Transaction, directory: Directory, admin: Actor, member_id: int, now: datetime) -> None:
    """Refuses `not_permitted` to whoever is no admin anywhere, `not_found` where the member isn't theirs."""
    if not any(post.role == "admin" for post in admin.posts):
        raise Refusal("not_permitted", who_can=("admin",))
    if not governed(connection, directory, admin, member_id, now):
        raise Refusal("not_found")


def open_account(connection: Transaction, member_id: int, login: str, now: datetime, by: int | None) -> OneTime:
    """Give a member an account and the one-time code for its first password.

    Raises SignInFault bad_login, has_account, login_taken.
    """
    spelled = credentials.spelled(login)
    if _LOGIN.fullmatch(spelled) is None:
        raise SignInFault("bad_login")
    if credentials.of_member(connection, member_id) is not None:
        raise SignInFault("has_account")
    if not credentials.open_account(connection, member_id, spelled, now):
        raise SignInFault("login_taken", login=spelled)
    # A token of theirs was a system's; from now on a person signs in.
    standing.revoke_tokens(connection, member_id, now)
    credentials.note(connection, member_id, "account_opened", now, by=by)
    return _code(connection, member_id, spelled, "first", now + FIRST_FOR, with_totp=False, by=by)


def reset(
    connection: Transaction, master: MasterKey, member_id: int, now: datetime, by: int | None, *, with_totp: bool
) -> OneTime:
    """Give a member a one-time code for another password; with `with_totp` they set up the second factor anew too.

    Nothing else changes until the code is used, save that the account is tried again at once. Raises SignInFault
    no_account.
    """
    account = credentials.of_member(connection, member_id)
    if account is None:
        raise SignInFault("no_account")
    unlock(connection, master, account.login, member_id)
    credentials.note(connection, member_id, "reset_with_totp" if with_totp else "reset", now, by=by)
    return _code(connection, member_id, account.login, "recovery", now + RECOVERY_FOR, with_totp=with_totp, by=by)


def unlock(connection: Transaction, master: MasterKey, login: str, member_id: int) -> None:
    """Let an account be tried again at once."""
    for pace, what in (
        (throttle.ACCOUNT, login), (throttle.ONE_TIME, login), (throttle.CODE, str(member_id)),
    ):  # fmt: skip
        throttle.forget(connection, throttle.key_of(master, pace, what))


def end_everything(connection: Transaction, member_id: int, now: datetime, by: int | None) -> int:
    """End all of a member's sessions and tokens, and the calendar's link; how many."""
    ended = ways_in.end(connection, member_id, now, by=by)
    credentials.note(connection, member_id, "sessions_ended", now, by=by)
    return ended


def draw_token(
    connection: Transaction,
    member_id: int,
    name: str,
    wanted: Iterable[str],
    days: int,
    now: datetime,
    by: int | None,
) -> tuple[UUID, str, datetime]:
    """A token for a member: its id, its secret, until when. Raises SignInFault unknown_scope, bad_expiry, has_account.

    An admin gives tokens to members who never sign in (a hospital's system); whoever has an account draws their own,
    so that nobody acts in another's name.
    """
    chosen = sorted(set(wanted))
    for scope in chosen:
        if scope not in scopes.SCOPES:
            raise SignInFault("unknown_scope", scope=scope[:40], known=", ".join(scopes.SCOPES))
    if not 1 <= days <= TOKEN_DAYS:
        raise SignInFault("bad_expiry", days=str(TOKEN_DAYS))
    if by is not None and by != member_id and credentials.of_member(connection, member_id) is not None:
        raise SignInFault("has_account")
    expires = now + timedelta(days=days)
    number, secret = standing.draw_token(connection, member_id, name, chosen, now, expires, by)
    credentials.note(connection, member_id, "token_drawn", now, by=by)
    return number, secret, expires


def _code(
    connection: Transaction,
    member_id: int,
    login: str,
    purpose: str,
    expires_at: datetime,
    *,
    with_totp: bool,
    by: int | None,
) -> OneTime:
    code = totp.draw_code()
    digest = standing.digest_of(totp.typed(code))
    credentials.give_code(connection, member_id, digest, purpose, expires_at, with_totp=with_totp, by=by)
    return OneTime(login, code, expires_at)


def _within(place: Organisation, ruled: set[int]) -> bool:
    return bool(ruled & {place.id, place.district_id, place.city_id})
