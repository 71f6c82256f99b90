"""Demonstration mode: members of the sample city with new passwords at each start. Nowhere but in the sample city.

The second factor isn't demanded there, so that a visitor needs no authenticator to look at a supervisor's pages. That
is safe because the mode turns itself off where real records are, whatever the setting says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from api.signin import passwords, totp
from cases import credentials, ways_in
from cases.samples.cast import Part, cast
from cases.samples.load import present

if TYPE_CHECKING:
    from datetime import datetime

    from api.settings import Settings
    from cases.store import Store


@dataclass(frozen=True, slots=True)
class Pass:
    """How one of the cast signs in: shown this once."""

    part: Part
    login: str
    password: str


def settled(settings: Settings, store: Store) -> Settings:
    """The settings as they hold here: no demonstration without the sample city."""
    if not settings.demo:
        return settings
    with store.read() as connection:
        sample = present(connection)
    return settings if sample is not None and sample[1] else replace(settings, demo=False)


def passes(store: Store, now: datetime) -> list[Pass]:
    """Give everybody of the cast an account and a new password; the ones before are worth nothing any more."""
    with store.read() as connection:
        parts = cast(connection)
    drawn = [Pass(part, part.part, totp.draw_code()) for part in parts]
    hashes = [passwords.hashed(one.password) for one in drawn]
    with store.begin() as connection:
        for one, hashed in zip(drawn, hashes, strict=True):
            number = one.part.member_id
            if credentials.of_member(connection, number) is None:
                credentials.open_account(connection, number, one.login, now)
            credentials.drop_totp(connection, number)
            credentials.set_password(connection, number, hashed, now, must_change=False)
            ways_in.end(connection, number, now, by=None)
        logins = {one.part.member_id: credentials.of_member(connection, one.part.member_id) for one in drawn}
    # An account that was there before keeps its login.
    return [replace(one, login=account.login) for one in drawn if (account := logins[one.part.member_id]) is not None]
