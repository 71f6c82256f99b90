"""Accounts for tests: somebody with a name, a password and, where it is asked for, an authenticator at hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyotp

from api.signin import passwords, totp
from cases import credentials
from tests.api.door import Client, Door

PASSWORD = "correct horse battery"  # noqa: S105 - everybody's in the tests
HASHED: dict[str, str] = {}


@dataclass
class Holder:
    """Whoever holds an account."""

    door: Door
    member_id: int
    login: str
    password: str
    secret: str | None = None

    def code(self, at: datetime | None = None) -> str:
        """What the authenticator shows."""
        assert self.secret is not None
        return pyotp.TOTP(self.secret).at(at or self.door.now)

    def sign_in(self, client: Client | None = None, *, password: str | None = None, code: str | None = None) -> Client:
        """A browser in which the password was given; the answer is in `last`."""
        browser = client or self.door.stranger()
        body = {"login": self.login, "password": password or self.password}
        if code is not None:
            body["code"] = code
        answer = browser.post("/api/v1/signin", json=body)
        browser.headers["x-csrf-token"] = answer.json().get("csrf", "")
        browser.last = answer
        return browser


def account_of(door: Door, who: str, *, second_factor: bool = False, password: str = PASSWORD) -> Holder:
    """An account for a member of the town, its password chosen already."""
    member, login = door.member(who), who.replace("@", ".").replace("#", "-")
    if password not in HASHED:
        # Each takes a tenth of a second: once for a run is enough.
        HASHED[password] = passwords.hashed(password)
    with door.town.store.begin() as connection:
        assert credentials.open_account(connection, member, login, door.now)
        credentials.set_password(connection, member, HASHED[password], door.now, must_change=False)
        secret = None
        if second_factor:
            secret = totp.draw()
            sealed = credentials.seal(door.house.kept.master, "aes-256-gcm", f"totp|{member}", secret.encode())
            credentials.offer_totp(connection, member, sealed)
            credentials.confirm_totp(connection, member, door.now)
    return Holder(door, member, login, password, secret)
