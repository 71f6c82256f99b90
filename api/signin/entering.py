"""Coming in: name and password, second factor, first and lost passwords, leaving. Plain functions for pages and API.

Each step that makes somebody more than they were ends the session that they had and opens another one, so that a
secret known from before is worth nothing afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from api.signin import passwords, stages, totp
from api.signin.faults import SignInFault
from cases import credentials, standing, throttle, ways_in
from cases.directory_fault import DirectoryFault

if TYPE_CHECKING:
    from api.asked import Reader
    from api.house import House
    from api.signin.visitor import Visitor
    from cases.credentials import Account
    from cases.standing import Opened, Standing, Transaction
    from cases.throttle import Pace
    from cases.vault import Algorithm
    from cases.who import Actor

HALF: Final = timedelta(minutes=10)
"""How long somebody may take between the password and the second factor."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A session just opened, and what is still missing before it is good for anything."""

    opened: Opened
    actor: Actor
    missing: str | None


def enter(house: House, login: str, password: str, visitor: Visitor) -> Entered:
    """Check name and password and open a session.

    Raises SignInFault too_many, or wrong_password whatever of the two was wrong; as slow for a name that nobody has.
    """
    account_key = _counted(house, throttle.ACCOUNT, credentials.spelled(login), visitor)
    with house.store.read() as connection:
        account = credentials.by_login(connection, login)
    right = passwords.verified(None if account is None else account.password, password)
    if account is None or not right:
        raise SignInFault("wrong_password")
    better = passwords.hashed(password) if passwords.outdated(account.password or "") else None
    with house.store.begin() as connection:
        _succeeded(house, connection, account_key, visitor)
        if better is not None:
            credentials.rehash(connection, account.member_id, better)
        return opened_for(house, connection, account, visitor)


def opened_for(
    house: House, connection: Transaction, account: Account, visitor: Visitor, *, via: str = "password"
) -> Entered:
    """Open a session for whoever has just shown who they are, short-lived while something is missing."""
    return _opened(house, connection, account.member_id, visitor, account=account, via=via, strong=False)


def with_code(house: House, entered: Entered, code: str, visitor: Visitor) -> Entered:
    """The second factor along with the password. Raises as `second_factor`, and then the half session ends."""
    recognised = standing.recognise(house.store, entered.opened.secret, visitor.now)
    if recognised is None:
        raise SignInFault("wrong_code")
    try:
        return second_factor(house, recognised, code, visitor)
    except SignInFault:
        with house.store.begin() as connection:
            standing.revoke(connection, recognised.id, visitor.now, recognised.member_id)
        raise


def second_factor(house: House, half: Standing, code: str, visitor: Visitor) -> Entered:
    """Take the second factor's code, or a recovery code in its place, and open the whole session.

    Raises SignInFault too_many, wrong_code (also for one that was taken before).
    """
    account = _account(house, half.member_id)
    if account.totp is None or account.totp_at is None:
        raise SignInFault("no_second_factor")
    key = _counted(house, throttle.CODE, str(account.member_id), visitor)
    with house.store.begin() as connection:
        right = _takes(house, connection, account, code, visitor.now)
        if right:
            _succeeded(house, connection, key, visitor)
            return _renewed(house, connection, half, account, visitor, what="second_factor")
    raise SignInFault("wrong_code")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What somebody needs to set up the second factor: shown once, to them alone."""

    secret: str
    address: str
    picture: str


def enrolment(house: House, reader: Reader) -> Enrolment:
    """The secret to be set up, the same until a code of it was shown. Raises SignInFault wrong_code if one is."""
    account = _account(house, reader.member.id)
    if account.totp_at is not None:
        raise SignInFault("wrong_code")
    place = _place(account.member_id)
    if account.totp is not None:
        secret = credentials.unseal(house.kept.master, place, account.totp).decode()
    else:
        secret = totp.draw()
        algorithm = cast("Algorithm", house.office.book_of(house.office.current).algorithm)
        sealed = credentials.seal(house.kept.master, algorithm, place, secret.encode())
        with house.store.begin() as connection:
            credentials.offer_totp(connection, account.member_id, sealed)
    return Enrolment(secret, totp.address(secret, account.login), totp.picture(secret, account.login))


def enrol(house: House, reader: Reader, code: str, visitor: Visitor) -> tuple[Entered, list[str]]:
    """Put the second factor in force by its first code; answers the recovery codes, shown this once.

    Raises SignInFault wrong_code, too_many.
    """
    account = _account(house, reader.member.id)
    if account.totp is None or account.totp_at is not None:
        raise SignInFault("wrong_code")
    key = _counted(house, throttle.CODE, str(account.member_id), visitor)
    with house.store.begin() as connection:
        if _takes(house, connection, account, code, visitor.now, recovery=False) and credentials.confirm_totp(
            connection, account.member_id, visitor.now
        ):
            _succeeded(house, connection, key, visitor)
            codes = recovery_codes(connection, account.member_id)
            entered = _renewed(house, connection, reader.standing, account, visitor, what="enrolled")
            standing.revoke_all(connection, account.member_id, visitor.now, but=entered.opened.id)
            return entered, codes
    raise SignInFault("wrong_code")


def recovery_codes(connection: Transaction, member_id: int) -> list[str]:
    """New recovery codes instead of those there were."""
    codes = [totp.draw_code() for _ in range(totp.RECOVERY_CODES)]
    credentials.give_recovery(connection, member_id, [standing.digest_of(totp.typed(one)) for one in codes])
    return codes


def change_password(house: House, reader: Reader, old: str, new: str, visitor: Visitor) -> Entered:
    """Change one's own password; every other session ends, every token and the calendar's link.

    Raises SignInFault wrong_password, weak_password, too_many.
    """
    account = _account(house, reader.member.id)
    passwords.check(new, account.login)
    key = _counted(house, throttle.ACCOUNT, account.login, visitor)
    if not passwords.verified(account.password, old):
        raise SignInFault("wrong_password")
    hashed = passwords.hashed(new)
    with house.store.begin() as connection:
        _succeeded(house, connection, key, visitor)
        credentials.set_password(connection, account.member_id, hashed, visitor.now, must_change=False)
        entered = _renewed(
            house, connection, reader.standing, account, visitor, what="password_changed", strong=reader.standing.strong
        )
        ways_in.end(connection, account.member_id, visitor.now, by=account.member_id, but=entered.opened.id)
        return entered


def redeem(house: House, login: str, code: str, new: str, visitor: Visitor) -> Entered:
    """Choose a password with a one-time code that an admin gave out; every session, token and link there was ends.

    Raises SignInFault wrong_one_time_code whatever was wrong, weak_password (and the code stays good), too_many.
    """
    # Asked first, of a name that nobody has too: a weak one uses up neither the code nor a try, and tells nothing.
    passwords.check(new, credentials.spelled(login))
    key = _counted(house, throttle.ONE_TIME, credentials.spelled(login), visitor)
    hashed = passwords.hashed(new)
    with house.store.begin() as connection:
        account = credentials.by_login(connection, login)
        digest = standing.digest_of(totp.typed(code))
        taken = None if account is None else credentials.take_code(connection, account.member_id, digest, visitor.now)
        if account is not None and taken is not None:
            _, with_totp = taken
            _succeeded(house, connection, key, visitor)
            ways_in.end(connection, account.member_id, visitor.now, by=account.member_id)
            credentials.set_password(connection, account.member_id, hashed, visitor.now, must_change=False)
            if with_totp:
                credentials.drop_totp(connection, account.member_id)
            throttle.forget(connection, throttle.key_of(house.kept.master, throttle.ACCOUNT, account.login))
            credentials.note(
                connection, account.member_id, "password_set", visitor.now, by=account.member_id,
                address=visitor.network,
            )  # fmt: skip
            fresh = credentials.of_member(connection, account.member_id)
            assert fresh is not None  # noqa: S101 - it was there a moment ago, in this transaction
            return opened_for(house, connection, fresh, visitor)
    raise SignInFault("wrong_one_time_code")


def leave(house: House, reader: Reader) -> None:
    """End this session."""
    with house.store.begin() as connection:
        standing.revoke(connection, reader.standing.id, reader.now, reader.member.id)


def _counted(house: House, pace: Pace, what: str, visitor: Visitor) -> bytes:
    """Count the try, by account and by address; answers the account's key. Raises SignInFault too_many."""
    master = house.kept.master
    key = throttle.key_of(master, pace, what)
    with house.store.begin() as connection:
        by_address = throttle.key_of(master, throttle.ADDRESS, visitor.limited)
        wait = throttle.take(connection, by_address, throttle.ADDRESS, visitor.now)
        wait = wait or throttle.take(connection, key, pace, visitor.now)
    if wait is not None:
        seconds = int(wait.total_seconds()) + 1
        raise SignInFault("too_many", minutes=str(-(-seconds // 60)), seconds=str(seconds))
    return key


def _succeeded(house: House, connection: Transaction, key: bytes, visitor: Visitor) -> None:
    throttle.forget(connection, key)
    by_address = throttle.key_of(house.kept.master, throttle.ADDRESS, visitor.limited)
    throttle.give_back(connection, by_address, throttle.ADDRESS)


def _account(house: House, member_id: int) -> Account:
    with house.store.read() as connection:
        account = credentials.of_member(connection, member_id)
    if account is None:
        raise SignInFault("no_account")
    return account


def _takes(
    house: House, connection: Transaction, account: Account, code: str, now: datetime, *, recovery: bool = True
) -> bool:
    secret = credentials.unseal(house.kept.master, _place(account.member_id), account.totp or b"").decode()
    step = totp.step_of(secret, code, now)
    if step is not None:
        return credentials.spend_step(connection, account.member_id, step)
    spelled = totp.typed(code)
    if not recovery or not re.fullmatch(r"[A-Z0-9]{12}", spelled):
        return False
    return credentials.spend_recovery(connection, account.member_id, standing.digest_of(spelled))


def _renewed(
    house: House,
    connection: Transaction,
    earlier: Standing,
    account: Account,
    visitor: Visitor,
    *,
    what: str,
    strong: bool = True,
) -> Entered:
    """Another session in the place of the one that there was."""
    standing.revoke(connection, earlier.id, visitor.now, account.member_id)
    if what != "second_factor":
        credentials.note(
            connection, account.member_id, what, visitor.now, by=account.member_id, address=visitor.network
        )
    fresh = credentials.of_member(connection, account.member_id)
    return _opened(house, connection, account.member_id, visitor, account=fresh, via=earlier.via, strong=strong)


def _opened(
    house: House,
    connection: Transaction,
    member_id: int,
    visitor: Visitor,
    *,
    account: Account | None,
    via: str,
    strong: bool,
) -> Entered:
    try:
        actor, _ = house.known(member_id, visitor.now)
    except DirectoryFault:
        raise SignInFault("wrong_password") from None
    missing = stages.missing_for(
        actor,
        house,
        strong=strong,
        second_factor=account is not None and account.totp_at is not None,
        must_change=account is not None and account.must_change,
    )
    settings = house.settings
    opened = standing.open_session(
        connection,
        member_id,
        visitor.now,
        length=settings.session_length if missing is None else HALF,
        idle=settings.session_idle if missing is None else HALF,
        via=via,
        strong=strong,
        posts=standing.digest_of_posts(actor.posts),
        address=visitor.network,
        agent=visitor.agent,
    )
    if missing is None:
        credentials.signed_in(connection, member_id, visitor.now)
    return Entered(opened, actor, missing)


def _place(member_id: int) -> str:
    return f"totp|{member_id}"
