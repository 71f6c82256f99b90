"""Login sessions and API tokens: opening, recognising, rotating, listing, revoking.

What the browser or the system holds is drawn at random and shown once; kept is its SHA-256. Every instant is given.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, delete, insert, or_, select, update

from cases.accounts import api_token, login_session

if TYPE_CHECKING:
    from cases.store import Store
    from cases.who import Post

Transaction: TypeAlias = Connection
"""One transaction, for the doors that hand it on and know nothing of SQLAlchemy."""

GRACE: Final = timedelta(minutes=1)
"""How long the secret before a rotation is still good: pages that were open meanwhile load on."""
TOUCH_EVERY: Final = timedelta(minutes=1)
TOKEN_PREFIX: Final = "wst_"  # noqa: S105 - the beginning of every token, so that a leaked one is recognised
_KEPT: Final = timedelta(days=90)

_RECOGNISE: Final = """
SELECT s.id, s.member_id, s.csrf, s.via, s.strong, s.posts, s.seen_at, s.expires_at, s.digest = %(digest)s, m.language,
       a.totp_at IS NOT NULL, coalesce(a.must_change, false),
       coalesce((SELECT version FROM directory_version), 0),
       (SELECT name FROM policy_version WHERE active_at IS NOT NULL ORDER BY active_at DESC LIMIT 1)
  FROM login_session s JOIN member m ON m.id = s.member_id AND m.active LEFT JOIN account a ON a.member_id = m.id
 WHERE (s.digest = %(digest)s OR (s.earlier = %(digest)s AND s.rotated_at > %(grace)s))
   AND s.revoked_at IS NULL AND s.expires_at > %(now)s AND s.idle_until > %(now)s
"""
_RECOGNISE_SYSTEM: Final = """
SELECT t.id, t.member_id, t.scopes, t.used_at, t.expires_at, m.language,
       coalesce((SELECT version FROM directory_version), 0),
       (SELECT name FROM policy_version WHERE active_at IS NOT NULL ORDER BY active_at DESC LIMIT 1)
  FROM api_token t JOIN member m ON m.id = t.member_id AND m.active
 WHERE t.digest = %(digest)s AND t.revoked_at IS NULL AND t.expires_at > %(now)s
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whoever a session or a token stands for, with the versions of directory and policy that hold now.

    `strong`: a second factor was shown. `second_factor`: the account has one. `newest`: recognised by the present
    secret, not by the one before a rotation. `posts` is the digest of the posts the session was last seen with.
    """

    id: UUID
    member_id: int
    language: str
    directory: int
    policy: str | None
    expires_at: datetime
    seen_at: datetime | None = None
    csrf: str = ""
    strong: bool = False
    second_factor: bool = False
    must_change: bool = False
    newest: bool = True
    posts: bytes | None = None
    via: str = "password"
    scopes: frozenset[str] = field(default_factory=frozenset)


def digest_of(secret: str) -> bytes:
    """What is kept of something that was drawn at random."""
    return hashlib.sha256(secret.encode()).digest()


def digest_of_posts(posts: Iterable[Post]) -> bytes:
    """Changes when somebody is given a post, or loses one."""
    held = sorted(f"{one.role}:{one.organisation_id}:{one.school_id or 0}" for one in posts)
    return hashlib.sha256("\n".join(held).encode()).digest()


def recognise(store: Store, secret: str, now: datetime) -> Standing | None:
    """The standing of a session's secret, or None: unknown, ended, idle too long, its member retired. One query."""
    with store.glance() as connection:
        marks = {"digest": digest_of(secret), "now": now, "grace": now - GRACE}
        row = connection.execute(_RECOGNISE, marks).fetchone()
    if row is None:
        return None
    number, member, csrf, via, strong, posts, seen, expires, newest, language, factor, change, version, policy = row
    return Standing(
        number, member, language, int(version), policy, expires.astimezone(UTC), seen.astimezone(UTC), csrf, strong,
        factor, change, newest, posts, via=via,
    )  # fmt: skip


def recognise_token(store: Store, secret: str, now: datetime) -> Standing | None:
    """The standing of an API token, or None: unknown, expired, revoked, its member retired. One query."""
    with store.glance() as connection:
        row = connection.execute(_RECOGNISE_SYSTEM, {"digest": digest_of(secret), "now": now}).fetchone()
    if row is None:
        return None
    number, member, scopes, used, expires, language, version, policy = row
    return Standing(
        number, member, language, int(version), policy, expires.astimezone(UTC),
        None if used is None else used.astimezone(UTC), scopes=frozenset(scopes),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened or rotated: its id, and the two secrets that its owner is given."""

    id: UUID
    secret: str
    csrf: str


def open_session(
    connection: Connection,
    member_id: int,
    now: datetime,
    *,
    length: timedelta,
    idle: timedelta,
    via: str = "password",
    strong: bool = False,
    posts: bytes | None = None,
    address: str = "",
    agent: str = "",
) -> Opened:
    """A new session of a member, good until `length` from now at most, or `idle` after its last use."""
    secret, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    values = {
        "member_id": member_id, "digest": digest_of(secret), "csrf": csrf, "via": via, "strong": strong,
        "posts": posts, "created_at": now, "seen_at": now, "rotated_at": now, "expires_at": now + length,
        "idle_until": now + idle, "address": address, "agent": agent,
    }  # fmt: skip
    number = connection.execute(insert(login_session).values(**values).returning(login_session.c.id)).scalar_one()
    return Opened(number, secret, csrf)


def whose_form(connection: Connection, secret: str, csrf: str) -> int | None:
    """Whose page a form with that mark is, where the browser holds a secret of the same member's; ended or not."""
    form, held = login_session.alias(), login_session.alias()
    digest = digest_of(secret)
    query = (
        select(held.c.member_id)
        .join(form, (form.c.member_id == held.c.member_id) & (form.c.csrf == csrf))
        .where(or_(held.c.digest == digest, held.c.earlier == digest))
    )
    owner: int | None = connection.scalar(query.limit(1))
    return owner


def touch(connection: Connection, standing: Standing, now: datetime, idle: timedelta) -> None:
    """Note that a session was used. Two at once write the same."""
    row = login_session.c.id == standing.id
    connection.execute(update(login_session).where(row).values(seen_at=now, idle_until=now + idle))


def touch_token(connection: Connection, standing: Standing, now: datetime) -> None:
    """Note that a token was used."""
    connection.execute(update(api_token).where(api_token.c.id == standing.id).values(used_at=now))


def rotate(
    connection: Connection, standing: Standing, now: datetime, posts: bytes, idle: timedelta | None
) -> str | None:
    """Give a session whose member's posts have changed a new secret; None when somebody else just did.

    The old one is good for a minute more; the token against forged forms stays, or forms that are open would be lost.
    `idle` None: nobody needs to sit there, so it lasts no longer for it.
    """
    secret = secrets.token_urlsafe(32)
    used = {} if idle is None else {"seen_at": now, "idle_until": now + idle}
    changed = connection.execute(
        update(login_session)
        .where(login_session.c.id == standing.id, login_session.c.posts.is_distinct_from(posts))
        .values(
            earlier=login_session.c.digest, digest=digest_of(secret), rotated_at=now, posts=posts, **used
        )
    )  # fmt: skip
    return secret if changed.rowcount else None


def revoke(connection: Connection, number: UUID, now: datetime, member_id: int) -> bool:
    """End one session of a member; whether it was theirs and still open."""
    mine = login_session.c.id == number, login_session.c.member_id == member_id, login_session.c.revoked_at.is_(None)
    return connection.execute(update(login_session).where(*mine).values(revoked_at=now)).rowcount > 0


def revoke_all(connection: Connection, member_id: int, now: datetime, *, but: UUID | None = None) -> int:
    """End every session of a member, save one; how many."""
    mine = login_session.c.member_id == member_id, login_session.c.revoked_at.is_(None)
    others = () if but is None else (login_session.c.id != but,)
    return connection.execute(update(login_session).where(*mine, *others).values(revoked_at=now)).rowcount


@dataclass(frozen=True, slots=True)
class Visit:
    """A session as its owner sees it in the list of them."""

    id: UUID
    via: str
    strong: bool
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str


def visits(connection: Connection, member_id: int, now: datetime) -> list[Visit]:
    """A member's sessions that are open, the one used last first."""
    columns = (getattr(login_session.c, name) for name in Visit.__slots__)
    found = connection.execute(
        select(*columns)
        .where(login_session.c.member_id == member_id, login_session.c.revoked_at.is_(None))
        .where(login_session.c.expires_at > now, login_session.c.idle_until > now)
        .order_by(login_session.c.seen_at.desc(), login_session.c.id)
    )
    return [Visit(*row) for row in found]


@dataclass(frozen=True, slots=True)
class Token:
    """An API token as whoever may see it does: never its secret."""

    id: UUID
    member_id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    by_member_id: int | None
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


def draw_token(
    connection: Connection,
    member_id: int,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    expires_at: datetime,
    by: int | None,
) -> tuple[UUID, str]:
    """A new token for a member: its id, and the secret that is shown this once."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    values = {
        "member_id": member_id, "name": name, "digest": digest_of(secret), "scopes": sorted(set(scopes)),
        "created_at": now, "by_member_id": by, "expires_at": expires_at,
    }  # fmt: skip
    number = connection.execute(insert(api_token).values(**values).returning(api_token.c.id)).scalar_one()
    return number, secret


def tokens(connection: Connection, member_id: int) -> list[Token]:
    """Every token of a member, the newest first, the ended ones included."""
    columns = (getattr(api_token.c, name) for name in Token.__slots__)
    found = select(*columns).where(api_token.c.member_id == member_id).order_by(api_token.c.created_at.desc())
    return [Token(*row) for row in connection.execute(found)]


def good_tokens(connection: Connection, member_id: int, now: datetime) -> list[Token]:
    """Those of a member's tokens that open something still, the newest first."""
    return [one for one in tokens(connection, member_id) if one.revoked_at is None and one.expires_at > now]


def token_owner(connection: Connection, number: UUID) -> int | None:
    """Whose token it is."""
    owner: int | None = connection.scalar(select(api_token.c.member_id).where(api_token.c.id == number))
    return owner


def revoke_token(connection: Connection, number: UUID, now: datetime) -> bool:
    """End a token; whether it was still good."""
    standing = api_token.c.id == number, api_token.c.revoked_at.is_(None)
    return connection.execute(update(api_token).where(*standing).values(revoked_at=now)).rowcount > 0


def revoke_tokens(connection: Connection, member_id: int, now: datetime) -> int:
    """End every token of a member; how many."""
    standing = api_token.c.member_id == member_id, api_token.c.revoked_at.is_(None)
    return connection.execute(update(api_token).where(*standing).values(revoked_at=now)).rowcount


def clear(connection: Connection, now: datetime) -> int:
    """Drop sessions that ended three months ago; how many."""
    over = or_(login_session.c.expires_at < now - _KEPT, login_session.c.revoked_at < now - _KEPT)
    return connection.execute(delete(login_session).where(over)).rowcount
