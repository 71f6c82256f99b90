"""Who asks, in which language, and the transaction that their question is answered in: the routes' dependencies.

A session's cookie or a bearer token says who; rights come from the posts alone, never from here. A cookie is believed
on an unsafe method only together with the session's own mark, which another site can't know.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from api.house import House, Known
from api.signin import cookies, scopes, stages
from api.signin.faults import SignedOut, SignInFault
from api.tongue import language
from cases import standing as standings
from cases.directory import Actor
from cases.directory_fault import DirectoryFault
from cases.office import Session
from cases.standing import Standing

__all__ = ["Asked", "HalfSignedIn", "Opening", "Reader", "Reading", "TheHouse", "Writing", "language"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever asks: `actor` has the posts held now, from which every right comes. `csrf` belongs into every form."""

    actor: Actor
    member: Known
    language: str
    via: Literal["session", "token"]
    scopes: frozenset[str]
    session_id: str | None
    now: datetime
    csrf: str
    standing: Standing


def the_house(request: Request) -> House:
    house: House = request.app.state.house
    return house


async def known_or_why(request: Request, house: TheHouse) -> Reader | SignedOut | SignInFault:
    """Whoever asks, or why nobody is known: asked once for a request, whatever wants to know it."""
    try:
        return await _half_signed_in(request, house)
    except (SignedOut, SignInFault) as why:
        return why


def reading(house: TheHouse, found: KnownOrWhy) -> Iterator[Session]:
    with house.reading(_actor(found, house), refreshed=True) as session:
        yield session


def opening(house: TheHouse, reader: Asked) -> Iterator[Session]:
    with house.opening(reader.actor, refreshed=True) as session:
        yield session


def _actor(found: Reader | SignedOut | SignInFault, house: House) -> Actor | None:
    if not isinstance(found, Reader):
        return None
    missing = stages.missing(found.actor, found.standing, house) if found.via == "session" else None
    return found.actor if missing is None else None


def writing(house: TheHouse) -> Iterator[Session]:
    with house.writing(refreshed=True) as session:
        yield session


async def asked(reader: HalfSignedIn, house: TheHouse) -> Reader:
    """Whoever asks, signed in all the way. Raises SignedOut, and SignInFault forged, out_of_scope, session_only."""
    missing = stages.missing(reader.actor, reader.standing, house) if reader.via == "session" else None
    if missing is not None:
        raise SignedOut(missing)
    return reader


async def half_signed_in(found: KnownOrWhy) -> Reader:
    """As `asked`, but the second factor may still be missing: for the steps of signing in alone."""
    if not isinstance(found, Reader):
        raise found
    return found


async def _half_signed_in(request: Request, house: House) -> Reader:
    now = house.clock()
    bearer = _bearer(request)
    if bearer is not None:
        return await run_in_threadpool(_by_token, request, house, bearer, now)
    secret = request.cookies.get(cookies.session_name(house.settings))
    if secret is None:
        raise SignedOut
    reader = await run_in_threadpool(_by_session, request, house, secret, now)
    if request.method not in scopes.SAFE:
        await believed(request, house, reader.csrf)
    return reader


def _by_session(request: Request, house: House, secret: str, now: datetime) -> Reader:
    standing = standings.recognise(house.store, secret, now)
    if standing is None:
        raise SignedOut
    reader = _reader(request, house, standing, now, "session", frozenset(scopes.SCOPES))
    posts = standings.digest_of_posts(reader.actor.posts)
    idle = house.settings.session_idle
    if standing.posts is not None and standing.posts != posts and standing.newest:
        with house.store.begin() as connection:
            renewed = standings.rotate(connection, standing, now, posts, None if _by_itself(request) else idle)
        if renewed is not None:
            cookies.set_session(request, house.settings, renewed)
    elif not _by_itself(request) and (standing.seen_at is None or abs(now - standing.seen_at) > standings.TOUCH_EVERY):
        with house.store.begin() as connection:
            standings.touch(connection, standing, now, idle)
    return reader


def _by_itself(request: Request) -> bool:
    """Whether an open page asks for what is new: nobody needs to sit before it, so it keeps no session alive.

    Whoever forges the mark only has their own session end sooner. A stream can't carry one.
    """
    return request.url.path == "/live" or "x-by-itself" in request.headers


def _by_token(request: Request, house: House, secret: str, now: datetime) -> Reader:
    standing = standings.recognise_token(house.store, secret, now)
    if standing is None:
        raise SignedOut
    scope = scopes.needed(request.method, request.url.path)
    if scope is None:
        raise SignInFault("session_only")
    if scope and scope not in standing.scopes:
        raise SignInFault("out_of_scope", scope=scope)
    if standing.seen_at is None or abs(now - standing.seen_at) > standings.TOUCH_EVERY:
        with house.store.begin() as connection:
            standings.touch_token(connection, standing, now)
    return _reader(request, house, standing, now, "token", standing.scopes)


def _reader(
    request: Request,
    house: House,
    standing: Standing,
    now: datetime,
    via: Literal["session", "token"],
    may: frozenset[str],
) -> Reader:
    house.refresh(standing)
    try:
        actor, member = house.known(standing.member_id, now)
    except DirectoryFault:
        raise SignedOut from None
    spoken = language(request, house.settings, standing.language)
    # Whatever goes wrong from here on is told in this language.
    request.state.language = spoken
    request.state.roles = frozenset(post.role for post in actor.posts)
    identity = str(standing.id) if via == "session" else None
    return Reader(actor, member, spoken, via, may, identity, now, standing.csrf, standing)


def _bearer(request: Request) -> str | None:
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" and secret.strip() else None


async def believed(request: Request, house: House, csrf: str) -> None:
    """Raises SignInFault forged unless the request comes from a page of ours and carries `csrf`."""
    if not from_here(request, house):
        raise SignInFault("forged")
    given = request.headers.get("x-csrf-token")
    if given is None and request.headers.get("content-type", "").lower().startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        field = (await request.form()).get("csrf")
        given = field if isinstance(field, str) else None
    if given is None or not csrf or not hmac.compare_digest(given.encode(), csrf.encode()):
        raise SignInFault("forged")


def from_here(request: Request, house: House) -> bool:
    """Whether the browser, as far as it tells, says that the request comes from a page of this very site."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    parts = urlsplit(house.settings.link)
    ours = {f"{parts.scheme}://{parts.netloc}", f"{request.url.scheme}://{request.headers.get('host', '')}"}
    return origin in ours


TheHouse = Annotated[House, Depends(the_house)]
KnownOrWhy = Annotated[Reader | SignedOut | SignInFault, Depends(known_or_why)]
Asked = Annotated[Reader, Depends(asked)]
HalfSignedIn = Annotated[Reader, Depends(half_signed_in)]
Reading = Annotated[Session, Depends(reading, scope="function")]
Opening = Annotated[Session, Depends(opening, scope="function")]
Writing = Annotated[Session, Depends(writing, scope="function")]
